"""The buyer's end: what comes back is checked to the last signature, and the figures are what was promised."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import to_hex
from marketplace.documents import Document, digest
from marketplace.errors import VerificationError
from marketplace.intents import Deployment
from marketplace.queries.answers.accuracy import deviations, figure
from marketplace.queries.answers.answer import Answer, Papers, assemble
from marketplace.queries.language.terms import Count, Mean, StdDev, Sum, Variance
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.protocol.shares import seal_shares
from marketplace.queries.protocol.statements import attest, check_attestation, check_refusal, sign_release, sign_result
from tests.sealed_market import DEPLOYMENT, Market, keys, open_market

SQL = "SELECT origin, COUNT(*), AVG(delay) FROM flights GROUP BY origin"


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module")
def received(market: Market) -> Papers:
    order = market.order("reader")
    task = market.task(order, market.query(order, SQL, 5_000_000))
    return market.received(order, task, market.decide(task))


def opened(papers: Papers) -> Answer:
    return assemble(papers, keys("reader").x25519, DEPLOYMENT)


def test_an_answer_carries_values_errors_and_costs(market: Market, received: Papers) -> None:
    answer = opened(received)
    table = answer.table()
    assert table.column_names == ["origin", "count", "count_se", "mean_delay", "mean_delay_se"]
    assert answer.frame().to_dict("records") == table.to_pylist()
    assert table["origin"].to_pylist() == ["EWR", "JFK", "LGA"]
    for row in table.to_pylist():
        mine = [item for item in market.rows if item["origin"] == row["origin"]]
        delays = [int(item["delay"]) for item in mine if item["delay"] != "NA"]
        assert abs(row["count"] - len(mine)) < 12 * row["count_se"]
        assert abs(row["mean_delay"] - sum(delays) / len(delays)) < 12 * row["mean_delay_se"]
    assert (answer.epsilon, answer.spent_order) == (5_000_000, 5_000_000)


def other_result(market: Market, received: Papers) -> Document:
    numbers = [dict(item) for item in received.result["numbers"]]
    numbers[0]["c0"] = f"0x{int(numbers[0]['c0'], 16) ^ 1:064x}"
    return {**received.result, "numbers": numbers}


def test_a_changed_paper_is_found(market: Market, received: Papers) -> None:
    forged = other_result(market, received)
    lone = attest([sign_result(received.result, "0x" + "05" * 20, keys("node 0").bls_secret)])
    one = attest([sign_result(received.result, keys("node 0").address, keys("node 0").bls_secret)])
    query = {**received.query, "sequence": 99}
    stolen = sign_release({**received.release, "signer": keys("thief").address}, DEPLOYMENT, keys("thief").signing_key)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"result": forged}, "attestation_mismatch"),
        ({"query": query}, "result_mismatch"),
        ({"attestation": lone}, "attestation_too_few"),
        ({"attestation": one}, "attestation_too_few"),
        ({"attestation": {**received.attestation, "signature": one["signature"]}}, "attestation_signature"),
        ({"release": stolen}, "release_signature"),
        ({"release": {**received.release, "epsilon": 1}}, "release_signature"),
        ({"shares": {**received.shares, "released": [0]}}, "release_mismatch"),
    ]
    for changes, code in cases:
        with pytest.raises(VerificationError) as caught:
            opened(replace(received, **changes))
        assert caught.value.code == code
        assert caught.value.zh


def test_a_release_for_another_chain_is_refused(received: Papers) -> None:
    with pytest.raises(VerificationError, match="not the vault's"):
        assemble(received, keys("reader").x25519, Deployment(2, DEPLOYMENT.addresses))


def test_shares_open_for_their_recipient_alone(received: Papers) -> None:
    with pytest.raises(VerificationError, match="cannot be opened"):
        assemble(received, keys("thief").x25519, DEPLOYMENT)


def test_a_vault_that_seals_garbage_is_found(market: Market, received: Papers) -> None:
    sealed = seal_shares(digest(received.query), digest(received.result), received.query["recipient"], {0: 2**255}, ())
    release = sign_release({**received.release, "shares": digest(sealed)}, DEPLOYMENT, market.supplier.signing_key)
    with pytest.raises(VerificationError, match="residue"):
        opened(replace(received, shares=sealed, release=release))
    partial = seal_shares(digest(received.query), digest(received.result), received.query["recipient"], {0: 5}, ())
    release = sign_release({**received.release, "shares": digest(partial)}, DEPLOYMENT, market.supplier.signing_key)
    with pytest.raises(VerificationError, match="in part"):
        opened(replace(received, shares=partial, release=release))


def test_a_rogue_key_cannot_stand_in_for_the_panel(market: Market, received: Papers) -> None:
    nodes = [dict(node) for node in received.terms["panel"]["nodes"]]
    nodes[0]["possession"] = nodes[1]["possession"]
    terms = {**received.terms, "panel": {"nodes": nodes, "threshold": 2}}
    with pytest.raises(VerificationError) as caught:
        check_attestation(received.attestation, digest(received.result), terms)
    assert caught.value.code == "attestation_signature"


def test_a_refusal_is_signed_whole(market: Market) -> None:
    refusal = market.ask(market.order("reader"), "SELECT COUNT(*) FROM f WHERE carrier = 'HA'")
    assert isinstance(refusal, dict)
    assert refusal["code"] == "cohort_too_small"
    check_refusal(refusal, DEPLOYMENT, market.manifest["releaseKey"])
    for changed in ({**refusal, "code": "other"}, {**refusal, "leftAsset": 5}):
        with pytest.raises(VerificationError):
            check_refusal(changed, DEPLOYMENT, market.manifest["releaseKey"])


def test_standard_errors_follow_the_delta_method(market: Market) -> None:
    """Against numerical derivatives of the same formulas."""
    order = market.order("reader")
    query = market.query(order, "SELECT COUNT(*), SUM(fare), AVG(fare), VARIANCE(fare), STDDEV(fare) FROM f", 5_000_000)
    noise = deviations(market.manifest, make_plan(market.manifest, query))
    numbers = {"rows": 400, "n:fare": 400, "sum:fare": 18_000_000, "sumsq:fare": 1_100_000_000_000}

    def at(term: Any, **moved: float) -> float:
        point: Any = {**numbers, **{name.replace("_", ":"): value for name, value in moved.items()}}
        value = figure(market.manifest, term, point, noise).value
        assert value is not None
        return float(value)

    for term in (Count(), Sum("fare"), Mean("fare"), Variance("fare"), StdDev("fare")):
        total = 0.0
        for column, deviation in noise.items():
            step = max(abs(numbers[column]) * 1e-6, 1e-3)
            name = column.replace(":", "_")
            slope = (at(term, **{name: numbers[column] + step}) - at(term, **{name: numbers[column] - step})) / 2 / step
            total += (slope * deviation) ** 2
        found = figure(market.manifest, term, numbers, noise).error
        assert found is not None
        assert found == pytest.approx(math.sqrt(total), rel=1e-4)


def test_nothing_is_divided_by_no_rows(market: Market) -> None:
    order = market.order("reader")
    plan = make_plan(market.manifest, market.query(order, "SELECT AVG(fare) FROM f"))
    noise = deviations(market.manifest, plan)
    empty = figure(market.manifest, Mean("fare"), {"n:fare": -2, "sum:fare": 5}, noise)
    assert (empty.value, empty.error) == (None, None)


def test_keys_are_not_shown(market: Market, tmp_path: Path) -> None:
    assert to_hex(market.supplier.seed)[2:] not in repr(market.vault.keys) + repr(market.dataset)


def test_a_group_cannot_be_left_out_silently(market: Market) -> None:
    order = market.order("reader")
    task = market.task(order, market.query(order, "SELECT carrier, COUNT(*) FROM f GROUP BY carrier"))
    received = market.received(order, task, market.decide(task))
    assert set(received.shares["suppressed"][0]) <= {"AA", "B6", "HA"}
    shares = {**received.shares, "suppressed": []}
    body = {**received.release, "shares": digest(shares)}
    del body["signature"]
    release = sign_release(body, DEPLOYMENT, market.supplier.signing_key)
    with pytest.raises(VerificationError, match="neither released nor named"):
        opened(replace(received, shares=shares, release=release))
