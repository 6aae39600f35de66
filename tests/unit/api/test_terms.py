"""Terms of calls: their shape, their TOML, what may be asked under them, and where a gateway may be."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from marketplace.api.declared import __doc__ as declared_page
from marketplace.api.declared import parse_declared
from marketplace.api.rules import check_call, check_offer, is_api, most_records, record_fault
from marketplace.deliveries.modes import require_allowed, require_offer
from marketplace.documents.api import (
    API,
    check_api,
    request_digest,
    unsigned_digest,
    validate_call_batch,
    validate_gateway,
    validate_service_answer,
)
from marketplace.documents.shapes import record as shape
from marketplace.errors import InvalidInputError, MarketplaceError, NotFoundError, RuleError
from marketplace.pricing import entry_price
from tests.calls import ORDER, ZERO, delivery, record, terms
from tests.plans import plan

PER_HIT = plan("PER_HIT", scheme="GRADUATED", tiers=[{"upTo": None, "unitPrice": 7}])
MANIFEST: dict[str, Any] = {"dimensions": [{"name": "origin"}], "measures": [{"name": "delay"}]}


def refused(code: str, act: Callable[[], object], kind: type[MarketplaceError] = RuleError) -> None:
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.code == code


def test_the_page_in_the_module_is_terms() -> None:
    text = "\n".join((declared_page or "").splitlines()[2:])
    found = parse_declared(text)
    shape(API)(found.delivery, "terms.delivery")
    check_api(found.delivery, found.plan)
    assert found.delivery["quota"] is None, "9999 is no limit"
    assert found.plan["tiers"] == [{"upTo": 100, "unitPrice": 30}, {"upTo": None, "unitPrice": 20}]
    assert found.purposes == ["TRANSPORT"]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("[service]", "[service", "api_terms"),
        ("[service]", "[services]", "api_terms"),
        ('mode = "PER_HIT"', 'mode = "PER_MOON"', "malformed_document"),
        ("[plan] ", "plan = 1 #", "api_terms"),
    ],
)
def test_terms_that_cannot_be_read(before: str, after: str, code: str) -> None:
    text = "\n".join((declared_page or "").splitlines()[2:])
    assert before in text
    refused(code, lambda: parse_declared(text.replace(before, after, 1)), InvalidInputError)


def test_a_plan_of_periods_has_a_quota_without_limit() -> None:
    text = 'purposes=["transport"]\n[service]\nperiod="WEEK"\n[plan]\nmode="PER_PERIOD"\nperiod="WEEK"\nprice=900\n'
    text += "quota=9999\n[[operations]]\nname='a'\n"
    assert parse_declared(text).plan["quota"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"period": "WEEK"},
        {"operations": [{**delivery()["operations"][0], "keys": []}]},
        {"operations": [{**delivery()["operations"][1], "keys": ["id"]}]},
        {"operations": [{**delivery()["operations"][0], "filters": [{"column": "delay", "tests": ["EQ"]}]}]},
    ],
)
def test_terms_that_contradict_themselves(changes: dict[str, Any]) -> None:
    by_month = plan("PER_PERIOD", period="MONTH", price=7, quota=None, overage=None)
    check_api(delivery(), by_month)
    refused("malformed_document", lambda: check_api(delivery(**changes), by_month), InvalidInputError)


def test_what_goes_out_is_on_offer_and_can_be_billed() -> None:
    check_offer(terms(PER_HIT), MANIFEST)
    check_offer({"plan": PER_HIT, "fields": []}, MANIFEST)  # not of calls
    fewer = terms(PER_HIT) | {"fields": ["origin"]}
    refused("column_not_on_offer", lambda: check_offer(fewer, MANIFEST))
    whole = terms(plan("FULL_SET", price=7))
    refused("plan_not_for_calls", lambda: check_offer(whole, MANIFEST), InvalidInputError)
    assert entry_price(PER_HIT) == 7


LEVELS = [(1, "ENTERPRISE", True), (3, "ENTERPRISE", True), (4, "ENTERPRISE", False), (5, "ENTERPRISE", False)]
LEVELS += [(6, "ENTERPRISE", False), (1, "PERSONAL", False), (1, "PUBLIC", False)]


@pytest.mark.parametrize(("level", "origin", "allowed"), LEVELS)
def test_level_and_origin_decide(level: int, origin: str, *, allowed: bool) -> None:
    offer = terms(PER_HIT)
    assert is_api(offer)
    if allowed:
        require_allowed(offer, level, origin)
    else:
        refused("delivery_mode_forbidden", lambda: require_allowed(offer, level, origin))


def test_no_file_is_offered_under_terms_of_calls() -> None:
    refused("delivery_not_offered", lambda: require_offer(terms(PER_HIT), {"listingId": ORDER, "amount": 7}))


def _call(operation: str = "flight", *where: tuple[str, str], **changes: Any) -> dict[str, Any]:
    asked = [{"column": column, "test": test, "value": "1"} for column, test in where]
    return {"operation": operation, "where": asked, "offset": 0, "limit": 100, **changes}


def test_a_call_asks_as_the_terms_allow() -> None:
    offer = terms(PER_HIT)
    assert most_records(_call(), check_call(_call("flight", ("id", "EQ")), offer)) == 10
    check_call(_call("late"), offer)
    check_call(_call("late", ("delay", "GE"), ("delay", "LE"), ("origin", "EQ")), offer)
    refused("operation_unknown", lambda: check_call(_call("all"), offer), NotFoundError)
    wrong: list[list[tuple[str, str]]] = [[], [("id", "GE")], [("origin", "EQ")], [("id", "EQ"), ("id", "EQ")]]
    for where in wrong:
        call = _call("flight", *where)
        refused("condition_not_offered", partial(check_call, call, offer), InvalidInputError)
    refused("condition_not_offered", lambda: check_call(_call("late", ("origin", "GE")), offer), InvalidInputError)


def test_records_that_cannot_be() -> None:
    offer = terms(PER_HIT)
    assert record_fault(record(1), offer) is None
    assert record_fault(record(1, operation="all"), offer)
    assert record_fault(record(1, records=11), offer)
    assert record_fault(record(1, latencyMs=5_001), offer)
    assert record_fault(record(1, outcome="TIMEOUT", latencyMs=5_001), offer) is None


@pytest.mark.parametrize(
    "records",
    [
        [],
        [record(1), record(3)],
        [record(1) | {"order": "0x" + "0b" * 32}],
        [record(1) | {"records": 0}],
        [record(1, outcome="MISS") | {"records": 1}],
    ],
)
def test_a_batch_is_of_records_that_follow(records: list[dict[str, Any]]) -> None:
    batch = {"type": "call_batch", "version": 1, "order": ORDER, "records": [record(1), record(2)]}
    validate_call_batch(batch)
    refused("malformed_document", lambda: validate_call_batch({**batch, "records": records}), InvalidInputError)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://data.example.org/flights", True),
        ("http://127.0.0.1:8430", True),
        ("http://data.example.org/flights", False),
        ("https://data.example.org/flights?x=1", False),
        ("https://user@data.example.org/", False),
        ("ftp://data.example.org/", False),
        ("https://", False),
        ("https://data.example.org:port/", False),
        ("https://[::1", False),
        ("https://:secret@data.example.org/", False),
    ],
)
def test_a_gateway_is_reached_by_tls_or_at_home(url: str, *, good: bool) -> None:
    gateway = {"type": "gateway", "version": 1, "listing": ORDER, "url": url, "number": 1, "signature": ZERO}
    gateway["seller"] = "0x" + "05" * 20
    if good:
        validate_gateway(gateway)
    else:
        refused("malformed_document", lambda: validate_gateway(gateway), InvalidInputError)


def test_an_answer_accepts_or_gives_reasons() -> None:
    answer = {"type": "service_answer", "version": 1, "order": ORDER, "record": ORDER, "buyer": "0x" + "05" * 20}
    answer |= {"accepted": True, "reasons": [], "signature": ZERO}
    validate_service_answer(answer)
    validate_service_answer({**answer, "accepted": False, "reasons": ["down"]})
    contradictory: list[dict[str, Any]] = [{"accepted": False}, {"reasons": ["down"]}]
    for changes in contradictory:
        refused("malformed_document", partial(validate_service_answer, answer | changes), InvalidInputError)


def test_a_call_keeps_its_name_under_another_credential() -> None:
    call = {"type": "call", "nonce": "0x11", "credential": "0x22", "at": "a", "signature": "b"}
    assert request_digest(call) == request_digest({**call, "credential": "0x33", "at": "c", "signature": "d"})
    assert request_digest(call) != request_digest({**call, "nonce": "0x12"})
    assert unsigned_digest(call) != unsigned_digest({**call, "credential": "0x33"})


def test_the_page_of_deliveries_names_the_modules() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs/architecture/deliveries.md").read_text("utf-8")
    for module in ("declared", "metering", "levels"):
        assert f"marketplace/api/{module}.py" in text
