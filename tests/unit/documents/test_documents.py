"""Shapes are strict: what is not named, too long, or of another type is refused with the path of the fault."""

import copy
from pathlib import Path
from typing import Any

import pytest

from marketplace import documents
from marketplace.documents.ids import asset_id, order_id, title_id
from marketplace.errors import InvalidInputError
from marketplace.types import TitleKind
from tests.agreements import agreement_on
from tests.sealed_market import Market, open_market


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("market"))


def samples(market: Market) -> dict[str, Any]:
    order = market.order()
    query = market.query(order, "SELECT COUNT(*) FROM f")
    task = market.task(order, query)
    decision = market.decide(task)
    refused = market.decide(market.task(order, market.query(order, "SELECT COUNT(*) FROM f WHERE carrier = 'HA'")))
    claim = {
        "type": "claim",
        "version": 1,
        "title": {"en": "Flights", "zh": "航班"},
        "holder": market.supplier.address,
        "manifest": market.dataset.digest,
        "sourceClass": "COLLECTED_GENERATED",
        "origin": "ENTERPRISE",
        "level": "GENERAL_2",
        "rights": [{"right": "HOLD", "holder": market.supplier.address, "until": None, "limits": ""}],
        "shares": [{"holder": market.supplier.address, "bps": 10_000}],
        "evidence": [],
    }
    profile = {
        "type": "profile",
        "version": 1,
        "account": market.supplier.address,
        "name": {"en": "Supplier", "zh": "供方"},
        "creditCode": None,
        "kind": "NATURAL_PERSON",
        "merchantClasses": ["PROVIDER_CONSUMER"],
        "evidence": [{"name": "passport.pdf", "digest": "0x" + "44" * 32}],
        "roles": ["SUPPLIER"],
        "nonce": "0x" + "33" * 32,
    }
    payout = {
        "type": "payout",
        "version": 1,
        "account": market.supplier.address,
        "bank": "0x" + "ba" * 20,
        "beneficiary": "Supplier Ltd 供方",
        "accountNumber": "6222020000000000000",
        "nonce": "0x" + "44" * 32,
    }
    defects = {
        "type": "defects",
        "version": 1,
        "order": "0x" + "55" * 32,
        "note": "0x" + "66" * 32,
        "defects": [{"what": "rows of May are missing 缺五月", "where": "month = 5"}],
        "nonce": "0x" + "77" * 32,
    }
    form = {
        "type": "registration_form",
        "version": 1,
        "kind": "FIRST",
        "procedure": "ORDINARY",
        "asset": "0x" + "55" * 32,
        "applicant": market.supplier.address,
        "rulebook": "0x" + "66" * 32,
        "fields": {"industry": "G56 航空运输业"},
        "nonPublication": None,
        "deposit": "folder",
    }
    paper = {
        "type": "registration_paper",
        "version": 1,
        "case": "0x" + "77" * 32,
        "step": "REFUSE",
        "text": "来源不明 source unclear",
        "ground": "UNLAWFUL_SOURCE",
        "evidence": [],
    }
    lineage = {
        **{"type": "lineage", "version": 1, "asset": "0x" + "77" * 32, "note": {"en": "joined", "zh": "融合"}},
        **{"outside": ["气象公开数据 open weather data"], "evidence": []},
    }
    seller, signature = market.supplier.address, "0x" + "11" * 65
    gateway = {
        **{"type": "gateway", "version": 1, "listing": "0x" + "55" * 32, "url": "https://data.example/", "number": 1},
        **{"seller": seller, "signature": signature},
    }
    call_record = {
        **{"type": "call_record", "version": 1, "order": "0x" + "55" * 32, "number": 1, "operation": "flights"},
        **{"request": "0x" + "66" * 32, "response": "0x" + "77" * 32, "outcome": "HIT", "records": 3, "latencyMs": 9},
        **{"at": "2026-11-27T08:00:00Z", "seller": seller, "signature": signature},
    }
    service_record = {
        **{"type": "service_record", "version": 1, "order": "0x" + "55" * 32, "period": "2026-11", "first": 1},
        **{"last": 1, "callsRoot": "0x" + "66" * 32, "calls": 1, "hits": 1, "misses": 0, "errors": 0, "timeouts": 0},
        **{"records": 3, "p50Ms": 9, "p95Ms": 9, "availabilityBps": 10_000, "met": True},
        **{"seller": seller, "signature": signature},
    }
    service_answer = {
        **{"type": "service_answer", "version": 1, "order": "0x" + "55" * 32, "record": "0x" + "66" * 32},
        **{"accepted": True, "reasons": [], "buyer": seller, "signature": signature},
    }
    return {
        "gateway": gateway,
        "call_batch": {"type": "call_batch", "version": 1, "order": "0x" + "55" * 32, "records": [call_record]},
        "service_record": service_record,
        "service_answer": service_answer,
        "registration_form": form,
        "registration_paper": paper,
        "lineage": lineage,
        "payout": payout,
        "defects": defects,
        "manifest": market.manifest,
        "claim": claim,
        "profile": profile,
        "terms": order.papers.terms,
        "agreement": order.papers.agreement,
        "form_agreement": agreement_on(),
        "query": query,
        "voucher": task.voucher,
        "result": task.result,
        "statement": market.evaluate(query)[0].statement,
        "attestation": task.attestation,
        "shares": decision.shares,
        "release": decision.release,
        "refusal": refused.refusal,
    }


def test_every_kind_has_a_sample_that_is_accepted_and_stays_itself(market: Market) -> None:
    found = samples(market)
    assert set(found) == set(documents.VALIDATORS)
    for value in found.values():
        assert documents.validate(value) is value


def test_every_field_is_needed_and_no_other_is_taken(market: Market) -> None:
    for kind, value in samples(market).items():
        for name in value:
            short = {key: item for key, item in value.items() if key != name}
            with pytest.raises(InvalidInputError, match="expected"):
                documents.VALIDATORS[kind](short)
        with pytest.raises(InvalidInputError, match="no field besides"):
            documents.VALIDATORS[kind]({**value, "extra": 1})


def score(**coefficients: object) -> dict[str, object]:
    return {"op": "SCORE", "statistic": "SUM", "scale": 1, "intercept": 0, "coefficients": coefficients}


def weighted(**weights: object) -> dict[str, object]:
    listed = [{"category": name, "weight": weight} for name, weight in weights.items()]
    return {"op": "WSUM", "measure": "delay", "dimension": "origin", "scale": 0, "weights": listed}


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("query", ("epsilon",), 1.0),
        ("query", ("epsilon",), True),
        ("query", ("epsilon",), 0),
        ("query", ("order",), "0x" + "AA" * 32),
        ("query", ("select", 0, "op"), "MEDIAN"),
        ("query", ("select",), []),
        ("query", ("select",), [{"op": "SUM", "measure": None}]),
        ("query", ("select",), [{"op": "OLS", "measure": "delay"}]),
        ("query", ("select",), [{"op": "OLS", "target": "delay", "regressors": ["delay"]}]),
        ("query", ("select",), [{"op": "OLS", "target": "delay", "regressors": [], "lambda": 1}]),
        ("query", ("select",), [{"op": "RIDGE", "target": "delay", "regressors": ["fare"]}]),
        ("query", ("select",), [{"op": "RIDGE", "target": "delay", "regressors": ["fare"], "lambda": 0}]),
        ("query", ("select",), [{"op": "CORRELATION", "measures": ["delay", "delay"]}]),
        ("query", ("select",), [{"op": "COVARIANCE", "measures": ["delay"]}]),
        ("query", ("select",), [{"op": "QUANTILE", "measure": "delay", "fraction": 1_000_000}]),
        ("query", ("select",), [{"op": "CONTINGENCY", "measure": None}]),
        ("query", ("select",), [score(delay=0)]),
        ("query", ("select",), [score(delay=documents.MAX_FACTOR + 1)]),
        ("query", ("select",), [score(delay=0.5)]),
        ("query", ("select",), [score(delay=1) | {"statistic": "MAX"}]),
        ("query", ("select",), [weighted(JFK=0)]),
        ("query", ("select",), [weighted(JFK=-documents.MAX_FACTOR - 1)]),
        ("query", ("select",), [weighted(**{f"c{number}": 1 for number in range(1025)})]),
        ("query", ("where",), {"xor": []}),
        ("query", ("where",), {"and": [{"in": {"dimension": "origin", "values": ["JFK"]}}]}),
        ("query", ("groupBy",), ["origin", "origin"]),
        ("terms", ("panel", "threshold"), 4),
        ("terms", ("computations",), ["COUNT", "COUNT"]),
        ("terms", ("termEnd",), "2026-13-01T00:00:00Z"),
        ("terms", ("termEnd",), "2026-01-01"),
        ("terms", ("price",), -1),
        ("terms", ("title",), {"en": "x"}),
        ("terms", ("title", "en"), "a\nb"),
        ("claim", ("shares", 0, "bps"), 9_999),
        ("manifest", ("batches", 0, "missing"), {"delay": 1}),
        ("manifest", ("batches", 0, "columns"), []),
        ("manifest", ("batches", 0, "block"), 1),
        ("manifest", ("batches",), []),
        ("manifest", ("measures", 0, "low"), 201),
        ("manifest", ("measures", 0, "bins"), [0, 0]),
        ("manifest", ("measures", 0, "bins"), [-50]),
        ("manifest", ("measures", 0, "bins"), [0]),
        ("manifest", ("joints",), [["delay", "origin"]]),
        ("manifest", ("joints",), [["delay", "fare"], ["fare", "delay"]]),
        ("manifest", ("forms", 0, "form"), "layout"),
        ("manifest", ("forms", 0, "prefix"), "carrier"),
        ("manifest", ("dimensions", 0, "hidden"), 1),
        ("manifest", ("series",), "0x" + "11" * 32),
        ("manifest", ("change", "batch"), "second"),
        ("manifest", ("change", "kind"), "append"),
        ("manifest", ("privacy",), {"measure": "zcdp"}),
        ("manifest", ("privacy",), {"measure": "zcdp", "delta": "0.1"}),
        ("release", ("signature",), "0x00"),
        ("shares", ("sealed",), "0x" + "00" * 400_001),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(
    market: Market, kind: str, path: tuple[Any, ...], value: object
) -> None:
    changed = copy.deepcopy(samples(market)[kind])
    target = changed
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    with pytest.raises(InvalidInputError) as caught:
        documents.validate(changed)
    assert caught.value.code == "malformed_document"
    assert str(caught.value).startswith(kind)


def test_a_filter_may_not_nest_or_grow_without_end(market: Market) -> None:
    query = copy.deepcopy(samples(market)["query"])
    leaf: dict[str, Any] = {"in": {"dimension": "origin", "values": ["JFK"]}}
    nested = leaf
    for _ in range(documents.MAX_DEPTH + 1):
        nested = {"not": nested}
    for where in (
        nested,
        {"or": [leaf] * (documents.MAX_TERMS + 1)},
        {"and": [{"or": [leaf] * 200}, {"or": [leaf] * 200}]},
    ):
        with pytest.raises(InvalidInputError):
            documents.validate_query({**query, "where": where})


def test_an_unknown_type_is_refused() -> None:
    strangers: list[object] = [{"type": "letter"}, {"type": ["query"]}, [], None, "query"]
    for value in strangers:
        with pytest.raises(InvalidInputError):
            documents.validate(value)


def test_digests_do_not_depend_on_the_order_of_keys(market: Market) -> None:
    query = samples(market)["query"]
    assert documents.digest(query) == documents.digest(dict(reversed(query.items())))


def test_ids_are_keccak_of_abi_words() -> None:
    from eth_abi.abi import encode
    from eth_utils.crypto import keccak

    holder, digest, order = "0x" + "ab" * 20, "0x" + "cd" * 32, "0x" + "ef" * 32
    words = [bytes.fromhex(item[2:]) for item in (digest, order)]
    assert asset_id(holder, digest) == "0x" + keccak(encode(["address", "bytes32"], [holder, words[0]])).hex()
    expected = keccak(encode(["address", "bytes32", "bytes32"], [holder, *words])).hex()
    assert order_id(holder, digest, order) == "0x" + expected
    use = keccak(encode(["bytes32", "uint8", "bytes32"], [words[0], 2, words[1]])).hex()
    assert title_id(digest, TitleKind.USE, order) == "0x" + use
    assert title_id(digest, TitleKind.HOLD) == "0x" + keccak(encode(["bytes32", "uint8"], [words[0], 1])).hex()


def test_times_go_both_ways() -> None:
    assert documents.unix_seconds(documents.iso_time(1_790_000_000)) == 1_790_000_000
    assert documents.iso_time(0) == "1970-01-01T00:00:00Z"


def test_a_document_has_a_size_limit(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="bytes"):
        documents.canonical({"type": "x", "body": "a" * documents.MAX_DOCUMENT})
