"""The vault's decisions: who may be answered, what it costs, and what the panel cannot talk it into."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import to_hex
from crypto.seal.privacy import Noise
from marketplace.documents import digest
from marketplace.documents.ids import order_id
from marketplace.errors import PortError
from marketplace.intents import Deployment
from marketplace.queries.permission.papers import SignedIntent
from marketplace.queries.protocol.statements import attest, sign_result
from marketplace.vault.decisions.release import Vault
from tests.sealed_market import DEPLOYMENT, LATER, NOW, PRICE, SCHEMA, Market, Order, keys, open_market, signed, voucher

ALL = "SELECT COUNT(*) FROM flights"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("market"))


@pytest.fixture
def market(sealed: Market, tmp_path: Path) -> Market:
    """The sealed data with a fresh privacy account."""
    from marketplace.vault.keeping.secrecy import Cipher
    from marketplace.vault.keeping.store import PrivacyStore

    store = PrivacyStore(tmp_path / "ledger.sqlite", Cipher(sealed.supplier.seed))
    return replace(sealed, vault=Vault(sealed.supplier, sealed.vault.folder, store, DEPLOYMENT))


def refusal(market: Market, order: Order, sql: str = ALL, epsilon: int = 1_000_000, **changes: Any) -> dict[str, Any]:
    query = market.query(order, sql, epsilon)
    decision = market.decide(market.task(order, query, **changes))
    assert decision.refusal is not None
    assert decision.release is None
    return decision.refusal


def test_an_answer_is_released_once_and_given_again(market: Market) -> None:
    order = market.order()
    task = market.task(order, market.query(order, ALL))
    first, second = market.decide(task), market.decide(task, LATER + 1)
    assert first.release is not None
    assert first == second
    assert market.vault.store.spent(market.series) == 1_000_000
    assert market.vault.store.last_voucher(order.account.order) == task.voucher


def test_the_same_question_costs_no_epsilon_and_gets_the_same_noise(market: Market) -> None:
    one, other = market.order("one"), market.order("other")
    sql = "SELECT origin, AVG(delay), VARIANCE(delay) FROM f GROUP BY origin"
    answers = [market.ask(one, sql), market.ask(one, sql), market.ask(other, sql)]
    numbers = [answer.numbers for answer in answers if not isinstance(answer, dict)]
    assert numbers[0] == numbers[1] == numbers[2]
    assert [answer.epsilon for answer in answers if not isinstance(answer, dict)] == [1_000_000, 0, 0]
    assert market.vault.store.spent(market.series) == 1_000_000


@pytest.mark.parametrize("sign", [1, -1])
def test_a_draw_beyond_its_proof_is_refused_and_costs_nothing(
    market: Market, monkeypatch: pytest.MonkeyPatch, sign: int
) -> None:
    order = market.order()
    monkeypatch.setattr(Noise, "draw", lambda noise: sign * (noise.bound + 1))
    assert refusal(market, order)["code"] == "noise_beyond_proof"
    assert market.vault.store.spent(market.series) == 0
    monkeypatch.setattr(Noise, "draw", lambda noise: sign * noise.bound)
    answer = market.ask(order, ALL)
    assert not isinstance(answer, dict)
    assert (answer.epsilon, market.vault.store.spent(market.series)) == (1_000_000, 1_000_000)


def test_another_epsilon_is_another_question(market: Market) -> None:
    order = market.order()
    market.ask(order, ALL, 1_000_000)
    answer = market.ask(order, ALL, 500_000)
    assert not isinstance(answer, dict)
    assert answer.epsilon == 500_000
    assert market.vault.store.spent(market.series) == 1_500_000


def test_budgets_of_order_and_data_set_run_out(market: Market) -> None:
    order = market.order("small", cap=1_500_000)
    market.ask(order, ALL)
    refused = market.ask(order, "SELECT COUNT(*) FROM f WHERE origin = 'JFK'")
    assert isinstance(refused, dict)
    assert refused["code"] == "order_budget_exhausted"
    assert (refused["spentOrder"], refused["leftOrder"]) == (1_000_000, 500_000)
    repeated = market.ask(order, ALL)
    assert not isinstance(repeated, dict), "what was answered before is free, whatever is left"

    poor = replace(market, budget=1_200_000)
    refused = poor.ask(poor.order("late"), "SELECT COUNT(*) FROM f WHERE origin = 'JFK'")
    assert isinstance(refused, dict)
    assert refused["code"] == "budget_exhausted"
    assert refused["allowed"] == "at most 200000"
    assert refused["leftAsset"] == 200_000


def test_the_smallest_signed_budget_counts(market: Market) -> None:
    poor = replace(market, budget=1_200_000)
    assert not isinstance(poor.ask(poor.order(), ALL), dict)
    # The holder signs a larger budget for the same asset; what was released under the first one stays counted.
    refused = market.ask(market.order("later"), "SELECT COUNT(*) FROM f WHERE origin = 'JFK'")
    assert isinstance(refused, dict)
    assert refused["code"] == "budget_exhausted"


def test_small_cohorts_and_small_differences_are_refused(market: Market) -> None:
    order = market.order()
    assert refusal(market, order, "SELECT COUNT(*) FROM f WHERE carrier = 'HA'")["code"] == "cohort_too_small"
    assert not isinstance(market.ask(order, "SELECT SUM(delay) FROM f WHERE origin = 'JFK'"), dict)
    without = "SELECT SUM(delay) FROM f WHERE origin = 'JFK' AND carrier <> 'HA'"
    assert refusal(market, order, without)["code"] == "cohort_difference_too_small"
    assert market.vault.store.spent(market.series) == 1_000_000


@pytest.mark.parametrize(
    ("terms", "sql", "epsilon", "code", "allowed"),
    [
        ({"computations": ["COUNT"]}, "SELECT SUM(delay) FROM f", 1, "computation_not_permitted", "COUNT"),
        ({"fields": ["origin"]}, "SELECT SUM(delay) FROM f", 1, "column_not_permitted", "origin"),
        (
            {"fields": ["origin"]},
            "SELECT carrier, COUNT(*) FROM f GROUP BY carrier",
            1,
            "column_not_permitted",
            "origin",
        ),
        (
            {"fields": ["delay", "origin"]},
            "SELECT SUM(delay) FROM f WHERE origin = 'JFK' AND NOT (carrier = 'HA')",
            1,
            "column_not_permitted",
            "delay, origin",
        ),
        ({"purposes": ["OTHER"]}, ALL, 1_000_000, "purpose_not_permitted", "OTHER"),
        ({"regions": ["DE"]}, ALL, 1_000_000, "region_not_permitted", "DE"),
        ({"regions": ["CN-BJ"]}, ALL, 1_000_000, "region_not_permitted", "CN-BJ"),
        ({"epsilonPerQueryMax": 999_999}, ALL, 1_000_000, "epsilon_above_maximum", "at most 999999 millionths"),
        ({"minimumCohort": 401}, ALL, 1_000_000, "cohort_too_small", None),
        ({"termEnd": "2020-01-01T00:00:00Z"}, ALL, 1_000_000, "listing_expired", None),
    ],
)
def test_the_terms_decide(  # noqa: PLR0917 - a table of cases
    market: Market, terms: dict[str, Any], sql: str, epsilon: int, code: str, allowed: str | None
) -> None:
    refused = refusal(market, market.order(**terms), sql, epsilon)
    assert refused["code"] == code
    assert refused["rule"].startswith("queries.")
    assert allowed is None or refused["allowed"] == allowed
    assert market.vault.store.spent(market.series) == 0


def test_a_question_of_the_columns_on_offer_is_answered(market: Market) -> None:
    order = market.order(fields=["delay", "origin"])
    assert not isinstance(market.ask(order, "SELECT SUM(delay) FROM f WHERE origin = 'JFK'"), dict)


def test_an_expired_order_is_refused(market: Market) -> None:
    order = market.order(until=NOW - 1)
    assert refusal(market, order)["code"] == "order_expired"


def test_a_lying_majority_is_found(market: Market) -> None:
    order = market.order()
    query = market.query(order, ALL)
    true = market.evaluate(query)[0].result
    lie = {**true, "numbers": [{**true["numbers"][0], "c0": f"0x{5:064x}"}]}
    statements = [sign_result(lie, node.keys.address, node.keys.bls_secret) for node in market.nodes]
    decision = market.decide(market.task(order, query, result=lie, attestation=attest(statements)))
    assert decision.refusal is not None
    assert decision.refusal["code"] == "result_not_reproduced"
    assert decision.refusal["allowed"] == digest(true)


def test_a_lying_minority_does_no_harm(market: Market) -> None:
    order = market.order()
    query = market.query(order, ALL)
    done = market.evaluate(query)
    task = market.task(order, query, attestation=attest([item.statement for item in done[:2]]))
    assert market.decide(task).release is not None


def test_the_panel_must_be_the_agreed_one(market: Market) -> None:
    order = market.order()
    query = market.query(order, ALL)
    done = market.evaluate(query)
    one = attest([done[0].statement])
    assert market.decide(market.task(order, query, attestation=one)).refusal is not None
    stranger = keys("stranger")
    signed_by = [done[0].statement, sign_result(done[0].result, stranger.address, stranger.bls_secret)]
    assert refusal(market, order, attestation=attest(signed_by))["code"] == "attestation_mismatch"


def test_vouchers_are_checked_by_the_vault_itself(market: Market) -> None:
    order = market.order()
    market.ask(order, ALL)
    query = market.query(order, "SELECT COUNT(*) FROM f WHERE origin = 'JFK'")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"amount": PRICE - 1}, "voucher_backwards"),
        ({"amount": PRICE}, "voucher_too_small"),
        ({"epsilon": 1_500_000}, "voucher_epsilon"),
        ({"calls": 1}, "voucher_calls"),
        ({"signer": keys("thief")}, "voucher_signature"),
    ]
    for changes, code in cases:
        decision = market.decide(market.task(order, query, voucher=voucher(order, query, **changes)))
        assert decision.refusal is not None
        assert decision.refusal["code"] == code
    assert market.decide(market.task(order, query)).release is not None


def test_papers_that_do_not_fit_are_refused(market: Market) -> None:
    order, thief = market.order(), keys("thief")
    papers, fund = order.papers, order.papers.fund.message
    cheap = {**papers.terms, "price": 1}
    other_chain = Deployment(1, DEPLOYMENT.addresses)
    assert papers.registration is not None
    wide = {**papers.registration.message, "epsilonBudget": 2**60}
    stolen_fund = {**fund, "buyer": thief.address}
    stolen_fund["orderId"] = order_id(thief.address, fund["listingId"], fund["agreementDigest"])
    changed = [
        replace(papers, terms=cheap),
        replace(papers, agreement={**papers.agreement, "purpose": "OTHER"}),
        replace(papers, fund=SignedIntent({**fund, "epsilonCap": 2**60}, papers.fund.signature)),
        replace(papers, fund=signed("Fund", dict(fund), order.buyer, other_chain)),
        replace(papers, fund=signed("Fund", stolen_fund, thief)),
        replace(papers, registration=signed("Register", dict(wide), thief)),
        replace(papers, listing=signed("List", dict(papers.listing.message), thief)),
    ]
    for item in changed:
        query = market.query(order, ALL)
        decision = market.decide(market.task(order, query, papers=item))
        assert decision.refusal is not None
        assert decision.refusal["code"] == "order_papers_invalid"


def test_a_listing_counts_only_from_the_holder_or_a_seller_the_supplier_named(market: Market) -> None:
    # Anybody can sign a List, a Fund and terms with a panel of its own; only the ledger knows who may sell.
    rogue = market.order("rogue's friend", seller=keys("rogue"), price=0, minimumCohort=1)
    assert refusal(market, rogue)["code"] == "seller_not_accepted"
    assert market.vault.store.spent(market.series) == 0
    named = Vault(market.supplier, market.vault.folder, market.vault.store, DEPLOYMENT, [keys("rogue").address])
    assert not isinstance(replace(market, vault=named).ask(rogue, ALL), dict)


def test_suppressed_groups_are_named_as_this_query_names_them(market: Market) -> None:
    order = market.order()
    first = market.ask(order, "SELECT carrier, SUM(delay) FROM f WHERE origin = 'JFK' GROUP BY carrier")
    again = market.ask(order, "SELECT origin, carrier, SUM(delay) FROM f WHERE origin = 'JFK' GROUP BY origin, carrier")
    assert not isinstance(first, dict)
    assert not isinstance(again, dict)
    assert again.epsilon == 0, "the same cells, so the same question"
    assert first.suppressed == (("HA",),)
    assert again.suppressed == (("JFK", "HA"),)


def test_two_processes_of_one_vault_say_the_same(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    order = market.order()
    task = market.task(order, market.query(order, ALL))
    first = market.decide(task)
    # The other process looked before the first one had decided.
    monkeypatch.setattr(market.vault.store, "released", lambda _query: None)
    assert market.decide(task) == first
    assert market.vault.store.spent(market.series) == 1_000_000


def test_a_query_of_another_order_or_data_is_refused(market: Market) -> None:
    order, other = market.order(), market.order("other")
    query = market.query(other, ALL)
    assert market.decide(market.task(order, query)).refusal is not None
    foreign = {**market.query(order, ALL), "asset": "0x" + "99" * 32}
    decision = market.decide(market.task(order, foreign))
    assert decision.refusal is not None
    assert decision.refusal["code"] == "order_mismatch"


def test_a_refusal_states_no_figures_of_the_service(market: Market) -> None:
    order, other = market.order(), market.order("other")
    market.ask(other, ALL)
    query = market.query(order, ALL)
    mixed = market.decide(market.task(order, query, papers=other.papers)).refusal
    assert mixed is not None
    assert (mixed["code"], mixed["order"]) == ("order_mismatch", order.account.order)
    assert (mixed["spentOrder"], mixed["leftOrder"], mixed["leftAsset"]) == (0, 0, 0)

    assert order.papers.registration is not None
    wide = {**order.papers.registration.message, "epsilonBudget": 2**50}
    papers = replace(order.papers, registration=SignedIntent(wide, bytes(65)))
    forged = market.decide(market.task(order, query, papers=papers)).refusal
    assert forged is not None
    assert (forged["code"], forged["spentAsset"], forged["leftAsset"]) == ("order_papers_invalid", 0, 0)


def test_a_failing_disk_refuses_nothing_and_releases_nothing(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    order = market.order()
    task = market.task(order, market.query(order, ALL))
    monkeypatch.setattr("marketplace.vault.keeping.store.BUSY_SECONDS", 0.05)
    with market.vault.store.exclusive(), pytest.raises(PortError, match="disk"):
        market.decide(task)
    assert market.decide(task).release is not None


def test_a_useless_recipient_key_costs_nothing(market: Market) -> None:
    order = market.order()
    query = {**market.query(order, ALL), "recipient": "0x" + "00" * 32}
    decision = market.decide(market.task(order, query))
    assert decision.refusal is not None
    assert decision.refusal["code"] == "recipient_invalid"
    assert market.vault.store.spent(market.series) == 0


def test_another_vaults_data_are_not_answered(market: Market) -> None:
    stranger = Vault(keys("stranger"), market.vault.folder, market.vault.store, DEPLOYMENT)
    order = market.order()
    from marketplace.queries.protocol.handover import vault_task

    decision = stranger.decide(vault_task(market.task(order, market.query(order, ALL))), NOW)
    assert decision.refusal is not None
    assert decision.refusal["code"] == "release_key"


def test_residues_are_encrypted_at_rest(market: Market) -> None:
    order = market.order()
    market.ask(order, ALL)
    with market.vault.store.exclusive() as account:
        row = account._connection.execute("SELECT series, question FROM answers").fetchone()
        answer = account.answered(*row)
    assert answer is not None
    raw = market.vault.store.path.read_bytes()
    for residue in answer.residues.values():
        assert to_hex(residue.to_bytes(32, "big"))[2:].lstrip("0").encode() not in raw
        assert residue.to_bytes(32, "big") not in raw


def test_a_data_set_under_zcdp_is_answered_with_gaussian_noise(tmp_path: Path) -> None:
    market = open_market(tmp_path, {**SCHEMA, "privacy": {"measure": "zcdp", "delta": "1e-9"}})
    order, sql = market.order(), "SELECT origin, SUM(delay) FROM f GROUP BY origin"
    answer = market.ask(order, sql, 500_000)
    assert not isinstance(answer, dict)
    truth = [
        sum(int(row["delay"]) for row in market.rows if row["origin"] == origin and row["delay"] != "NA")
        for origin in ("EWR", "JFK", "LGA")
    ]
    # One statistic of sensitivity 200 at rho 0.5: the standard deviation is 200.
    found = [numbers["sum:delay"] for numbers in answer.numbers]
    assert all(abs(number - true) < 10 * 200 for number, true in zip(found, truth, strict=True))
    assert next(v for name, v in answer.rows()[0].items() if name.endswith("_se")) == pytest.approx(200)
    assert market.vault.store.spent(market.series) == 500_000


def test_a_vault_holds_one_sealed_number_at_a_time(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is 0.2 MB and a query may have thousands."""
    import weakref
    from collections.abc import Iterator

    from marketplace.queries.evaluation import evaluate_plan
    from marketplace.queries.protocol.opening import Sealed

    alive: weakref.WeakSet[Sealed] = weakref.WeakSet()
    most = 0

    def watched(*arguments: Any) -> Iterator[Sealed]:
        nonlocal most
        for number in evaluate_plan(*arguments):
            alive.add(number)
            most = max(most, len(alive))
            yield number
            del number

    order = market.order()
    task = market.task(order, market.query(order, "SELECT month, COUNT(*), SUM(fare) FROM f GROUP BY month"))
    monkeypatch.setattr("marketplace.vault.decisions.deciding.evaluate_plan", watched)
    assert market.decide(task).release is not None
    assert most <= 2
