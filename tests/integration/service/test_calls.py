"""Data delivered call by call: credential, calls, metering, receipts, service levels, payment; and every refusal."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from crypto.canonical import from_hex, sha256, to_hex
from marketplace.api.levels import figures_of
from marketplace.api.metering import meter_of
from marketplace.api.statements import key_of, sign
from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.documents import Document, iso_time, voucher_document
from marketplace.errors import (
    InvalidInputError,
    MarketplaceError,
    NotAuthorizedError,
    NotFoundError,
    PortError,
    RuleError,
)
from marketplace.gateway.desk import Desk
from marketplace.gateway.serving import _hand_in
from marketplace.gateway.standing import Standing, Standings
from marketplace.participants.keys import Key
from marketplace.sdk import api, evidence, orders, persons, settlement, titles
from marketplace.sdk.api.calling import Caller
from marketplace.sdk.client import Client
from marketplace.sdk.home.call_store import CallStore
from marketplace.types import NO_LIMIT, Act, OrderStatus, TitleMark
from tests.integration.service.calling import COMMON, ESCROW, OPERATIONS, PER_HIT, gateway, offer_calls, order_calls
from tests.integration.service.test_agreements import agreed
from tests.integration.service.town import Town
from tests.sealed_market import keys


def refused(code: str, act: Callable[[], object], kind: type[MarketplaceError] = RuleError) -> None:
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.code == code


@pytest.fixture(scope="module")
def listing(town: Town) -> str:
    return offer_calls(town)


@pytest.fixture(scope="module")
def desk(town: Town, listing: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with gateway(town, listing, tmp_path_factory.mktemp("gateway")) as desk:
        yield desk


@pytest.fixture(autouse=True)
def forgiven(desk: Desk) -> Iterator[None]:
    """What a test leaves unpaid is not held against the buyer in the next one."""
    yield
    for order in desk.store.orders():
        desk.store.forgive(order)


def by_id(number: str) -> list[dict[str, str]]:
    return [{"column": "id", "test": "EQ", "value": number}]


@contextmanager
def caller(town: Town, order: str, folder: Path, buyer: str = "buyer") -> Iterator[Caller]:
    store = CallStore(folder / f"{order}.sqlite")
    with Caller(town[buyer], order, store) as calls:
        yield calls
    store.close()


def test_calls_are_answered_metered_receipted_and_paid(town: Town, listing: str, desk: Desk, tmp_path: Path) -> None:
    buyer, supplier = town["buyer"], town["supplier"]
    order = order_calls(town, listing)
    with caller(town, order, tmp_path) as calls:
        found = calls.call("flight", by_id("F0001"))
        assert found.columns == ["origin", "carrier", "delay"]
        assert found.rows == [["LGA", "AA", 34], ["EWR", "AA", 71]]
        assert calls.call("flight", by_id("F9999")).record["outcome"] == "MISS"  # free under this plan
        where = [{"column": "origin", "test": "EQ", "value": "JFK"}, {"column": "delay", "test": "GE", "value": "60"}]
        page = calls.call("late", where, limit=7)
        assert (len(page.rows), page.more) == (7, True)
        assert all(row[0] == "JFK" and row[1] >= 60 for row in page.rows)
        calls.call("late", where, offset=7, limit=7)
        voucher = calls.pay()
        assert voucher is not None
        assert (voucher["calls"], voucher["amount"], voucher["epsilon"]) == (4, 30 + 30 + 20, 0)

        told = api.hand_in(supplier, order, desk.store)
        assert (told["calls"], told["due"], told["voucher"]) == (4, 80, voucher)
        assert told["callsRoot"] == voucher["callsRoot"]
        refused("service_period_running", lambda: api.state_service(supplier, order, desk.store))
        settlement.close(supplier, order, desk.store.voucher(order))
        record = api.state_service(supplier, order, desk.store)
        assert (record["calls"], record["hits"], record["misses"], record["availabilityBps"]) == (4, 3, 1, 10_000)
        answer = api.answer_service(buyer, order, calls.store, record["period"])
        assert answer["accepted"]
        assert api.metered(buyer, order)["service"] == [{"record": record, "answer": answer}]

    ended = orders.get(buyer, order)
    assert (ended["status"], ended["amount"], ended["calls"]) == (OrderStatus.SETTLED, 80, 4)
    told = settlement.statement(buyer, order)
    shared = sum(line["amount"] for line in told["lines"] if line["what"] in ("fee", "share"))
    assert (shared, told["sum"]) == (80, ESCROW)
    with caller(town, order, tmp_path) as calls:
        refused("calls_over", lambda: calls.call("flight", by_id("F0001")))
    refused(
        "document_not_found", lambda: town["rival"].get_document(api.metered(buyer, order)["batches"][0]), NotFoundError
    )


def test_a_call_that_is_sent_again_is_metered_once(town: Town, listing: str, desk: Desk, tmp_path: Path) -> None:
    """The answer is lost on the way: the next start of the buyer finishes that very call, and pays it once."""
    order = order_calls(town, listing)
    with caller(town, order, tmp_path) as calls:
        calls.call("flight", by_id("F0010"))
        lost = calls.store
        keep, lost.keep_record = lost.keep_record, _fail  # type: ignore[method-assign]
        with pytest.raises(OSError, match="power cut"):
            calls.call("flight", by_id("F0011"))
        lost.keep_record = keep  # type: ignore[method-assign]
    assert len(desk.store.records(order)) == 2
    with caller(town, order, tmp_path) as calls:
        calls.credential()  # the call was made under another one
        assert calls.call("flight", by_id("F0012")).record["number"] == 3
        assert [item["number"] for item in calls.store.records(order)] == [1, 2, 3]
        voucher = calls.pay()
    assert voucher is not None
    assert voucher["calls"] == len(desk.store.records(order)) == 3


def _fail(*_: object, **__: object) -> None:
    raise OSError("power cut")


def test_two_gateways_on_the_same_records_answer_no_number_twice(
    town: Town, listing: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = order_calls(town, listing)
    with caller(town, order, tmp_path) as calls:
        calls.call("flight", by_id("F0010"))
        desk._lines[order].meter = meter_of(calls.terms)  # as if another process had answered
        assert calls.call("flight", by_id("F0011")).record["number"] == 2
        answered = desk.store.records(order)[-1]
        monkeypatch.setattr(desk.store, "count", lambda _: 1)  # the other is just answering
        desk._lines[order].meter = meter_of(calls.terms, desk.store.records(order)[:1])
        with pytest.raises(RuleError) as caught:
            desk.store.keep_answer(answered, "", {}, None)
        assert caught.value.code == "call_taken"
        assert desk.store.records(order)[-1] == answered


def test_a_credential_ends_with_its_key(
    town: Town, listing: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = order_calls(town, listing)
    with caller(town, order, tmp_path) as calls:
        calls.credential()
        ended = Standings.of

        def of(standings: Standings, name: str) -> Standing:
            known = ended(standings, name)
            spans = {(calls.client.address, calls.client.keys.address): Key(valid_until=1)}
            return replace(known, book=replace(known.book, spans=spans))

        monkeypatch.setattr(Standings, "of", of)
        body = {"call": _signed_call(calls), "voucher": None}
        with httpx.Client(base_url=calls.url) as http:
            answer = http.post("/calls", json=body, headers={"authorization": f"Bearer {_held(calls)[0]}"})
        assert answer.json()["code"] == "credential_invalid"
        assert desk.store.token(order) is None


def test_records_that_a_buyer_lost_come_back_as_far_as_it_paid(
    town: Town, listing: str, desk: Desk, tmp_path: Path
) -> None:
    order = order_calls(town, listing)
    with caller(town, order, tmp_path) as calls:
        for number in range(20, 25):
            calls.call("flight", by_id(f"F00{number}"))
        before = calls.store.records(order)
        calls.pay()
    api.hand_in(town["supplier"], order, desk.store)
    with caller(town, order, tmp_path / "new") as calls:
        assert calls.sync() == 5
        assert calls.store.records(order) == before
        assert calls.call("flight", by_id("F0030")).record["number"] == 6


def test_credentials_are_short_rotated_and_bound_to_a_key(
    town: Town, listing: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, rival = order_calls(town, listing), town["rival"]
    with caller(town, order, tmp_path) as calls:
        calls.credential()
        (first, _), path = _held(calls), f"/orders/{order}/records"
        calls.credential()
        token, _ = _held(calls)
        assert token != first
        with httpx.Client(base_url=calls.url) as http:
            for used, status in ((first, 403), ("0x" + "ab" * 32, 403), ("0x12", 403), (token, 200)):
                assert http.get(path, headers={"authorization": f"Bearer {used}"}).status_code == status
            monkeypatch.setattr(desk, "_now", lambda: time.time() + 901)
            assert http.get(path, headers={"authorization": f"Bearer {token}"}).json()["code"] == "credential_invalid"
            monkeypatch.undo()

        # Stolen: the token is right, the key is not.
        calls.client = rival
        refused("call_not_the_holders", lambda: calls.call("flight", by_id("F0001")), NotAuthorizedError)
        refused("order_unknown", calls.credential, NotFoundError)
    assert desk.store.records(order) == []


def _held(calls: Caller) -> tuple[str, int]:
    held = calls.store.token(calls.order)
    assert held is not None
    return held


def test_a_voucher_is_for_exactly_the_calls_so_far(
    town: Town, listing: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, buyer = order_calls(town, listing), town["buyer"]
    with caller(town, order, tmp_path) as calls:
        calls.call("flight", by_id("F0001"))
        replayed = calls._voucher()
        calls.call("flight", by_id("F0001"))
        right = calls._voucher()
        assert replayed is not None
        assert right is not None
        lower = {name: right[name] for name in ("amount", "epsilon", "calls", "callsRoot")}
        lower |= {"amount": right["amount"] - 1, "orderId": order}
        forged = voucher_document(lower, buyer.address, from_hex(buyer.sign("Voucher", lower)))
        other = voucher_document(
            {**lower, "amount": right["amount"]}, buyer.address, from_hex(town["rival"].sign("Voucher", lower))
        )
        for voucher in (None, replayed, forged):
            monkeypatch.setattr(calls, "_voucher", lambda voucher=voucher: voucher)
            code = "malformed_document" if voucher is None else "calls_voucher_differs"
            refused(code, lambda: calls.call("flight", by_id("F0002")), MarketplaceError)
        monkeypatch.setattr(calls, "_voucher", lambda: other)
        refused("voucher_signature", lambda: calls.call("flight", by_id("F0002")), MarketplaceError)
        monkeypatch.undo()
        assert calls.call("flight", by_id("F0002")).record["number"] == 3
    supplier = town["supplier"]
    told = api.hand_in(supplier, order, desk.store)
    assert (told["calls"], told["voucher"]["calls"]) == (3, 2)
    unseen = [
        sign(_unsigned(desk.store.records(order)[-1]) | {"number": 4}, supplier.deployment, supplier.keys.signing_key)
    ]
    refused(
        "calls_not_receipted", lambda: supplier.post(f"/orders/{order}/calls", {"records": unseen, "voucher": right})
    )
    elsewhere = {**lower, "orderId": order_calls(town, listing), "calls": 9}
    foreign = voucher_document(elsewhere, buyer.address, from_hex(buyer.sign("Voucher", elsewhere)))
    body = {"records": unseen, "voucher": foreign}
    refused("calls_document_differs", lambda: supplier.post(f"/orders/{order}/calls", body), InvalidInputError)
    assert supplier.get(f"/orders/{order}/calls")["calls"] == 3
    body = {"records": [], "voucher": replayed}
    refused("calls_voucher_older", lambda: buyer.post(f"/orders/{order}/calls", body))
    short = {**lower, "calls": 3, "callsRoot": told["callsRoot"]}
    less = voucher_document(short, buyer.address, from_hex(buyer.sign("Voucher", short)))
    refused("calls_voucher_differs", lambda: buyer.post(f"/orders/{order}/calls", {**body, "voucher": less}))


def test_one_call_of_a_buyer_is_at_stake_over_all_its_orders(
    town: Town, listing: str, desk: Desk, tmp_path: Path
) -> None:
    first, second = order_calls(town, listing), order_calls(town, listing)
    with caller(town, first, tmp_path) as one, caller(town, second, tmp_path) as two:
        one.call("flight", by_id("F0001"))
        refused("call_unpaid_before", lambda: two.call("flight", by_id("F0001")))
        one.pay()
        two.call("flight", by_id("F0001"))
        refused("call_unpaid_before", lambda: one.call("flight", by_id("F0002")))
        assert desk.store.forgive(second)
        one.call("flight", by_id("F0002"))


def test_a_stranger_learns_nothing_of_an_order(town: Town, listing: str, desk: Desk, tmp_path: Path) -> None:
    order, rival = order_calls(town, listing), town["rival"]
    with caller(town, order, tmp_path) as calls:
        calls.call("flight", by_id("F0001"))
        said = {"orderId": order, "amount": 0, "epsilon": 0, "calls": 0, "callsRoot": "0x" + "11" * 32}
        forged = voucher_document(said, rival.address, from_hex(rival.sign("Voucher", said)))
        with httpx.Client(base_url=calls.url) as http:
            asked = http.post("/receipts", json={"voucher": forged})
            held = {"authorization": f"Bearer {_held(calls)[0]}"}
            stolen = http.post("/receipts", json={"voucher": forged}, headers=held)
            again = [http.get(f"/orders/{order}/records", headers={"authorization": "Bearer x"}) for _ in range(2)]
        assert (asked.json()["code"], stolen.json()["code"]) == ("credential_invalid", "voucher_signature")
        root = calls._meter.root
        assert all(root not in answer.text and calls.client.address not in answer.text for answer in (asked, *again))


def test_an_order_whose_term_ends_is_refused_and_closed_in_time(town: Town, tmp_path: Path) -> None:
    listing = offer_calls(town)
    short = order_calls(town, listing, seconds=1_800)
    with gateway(town, listing, tmp_path) as desk:
        with caller(town, short, tmp_path) as calls:
            refused("calls_over", lambda: calls.call("flight", by_id("F0001")))
        order = order_calls(town, listing)
        with caller(town, order, tmp_path) as calls:
            calls.call("flight", by_id("F0001"))
            calls.pay()
        _hand_in(desk, lambda *_: None, {})
        assert orders.get(town["buyer"], order)["status"] == OrderStatus.FUNDED
        desk.standings.is_closing = lambda standing, voucher: standing.order["status"] == OrderStatus.FUNDED  # type: ignore[method-assign]
        _hand_in(desk, lambda *_: None, {})
        ended = orders.get(town["buyer"], order)
        assert (ended["status"], ended["amount"]) == (OrderStatus.SETTLED, 30)


def test_a_bad_answer_does_not_keep_an_honest_buyer_from_paying(
    town: Town, listing: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = order_calls(town, listing)
    with caller(town, order, tmp_path) as calls:
        calls.call("flight", by_id("F0001"))
        post = calls._post

        def bent(path: str, body: Any, token: str = "") -> dict[str, Any]:
            told = post(path, body, token)
            return told | {"content": "{}"} if path == "/calls" else told

        monkeypatch.setattr(calls, "_post", bent)
        refused("call_record_differs", lambda: calls.call("flight", by_id("F0002")), MarketplaceError)
        paid = calls.pay()
        assert paid is not None
        assert (paid["calls"], api.metered(town["buyer"], order)["voucher"]) == (1, paid)


def test_the_order_pays_for_what_it_may_cost(town: Town, listing: str, desk: Desk, tmp_path: Path) -> None:
    order = order_calls(town, listing, escrow=65)
    with caller(town, order, tmp_path) as calls:
        calls.call("flight", by_id("F0001"))
        calls.call("flight", by_id("F0001"))
        refused("calls_over_escrow", lambda: calls.call("flight", by_id("F0001")))
        assert len(calls.store.records(order)) == 2


def test_what_is_not_declared_is_not_answered(town: Town, listing: str, desk: Desk, tmp_path: Path) -> None:
    order = order_calls(town, listing)
    where = [{"column": "delay", "test": "GE", "value": "late"}]
    with caller(town, order, tmp_path) as calls:
        refused("operation_unknown", lambda: calls.call("everything"), NotFoundError)
        refused("condition_not_offered", lambda: calls.call("late", by_id("F0001")), InvalidInputError)
        refused("condition_not_offered", lambda: calls.call("flight"), InvalidInputError)
        refused("call_value", lambda: calls.call("late", where), InvalidInputError)
        assert calls.store.records(order) == []


def test_rate_and_quota_say_when_to_come_again_and_cost_nothing(town: Town, tmp_path: Path) -> None:
    listing = offer_calls(town, qps=2, quota=3, period="DAY")
    order = order_calls(town, listing)
    with gateway(town, listing, tmp_path) as desk, caller(town, order, tmp_path) as calls:
        ticks = iter(100 + number / 10 for number in range(100))
        desk._tick = lambda: next(ticks)
        calls._transport._sleep = lambda _: None
        calls.call("flight", by_id("F0001"))
        calls.call("flight", by_id("F0001"))
        with pytest.raises(PortError) as later:
            calls.call("flight", by_id("F0001"))
        assert later.value.code == "call_rate"
        desk._tick = time.perf_counter
        calls.call("flight", by_id("F9999"))
        with pytest.raises(PortError) as later:
            calls.call("flight", by_id("F0001"))
        assert later.value.code == "call_quota"
        call, token = _signed_call(calls), _held(calls)[0]
        with httpx.Client(base_url=calls.url) as http:
            body = {"call": call, "voucher": calls._voucher()}
            answer = http.post("/calls", json=body, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 86_400
        voucher = calls.pay()
        assert voucher is not None
        assert (voucher["calls"], voucher["amount"]) == (3, 60)


def _unsigned(document: Document) -> Document:
    return {name: item for name, item in document.items() if name != "signature"}


def _signed_call(calls: Caller) -> Document:
    body: Document = {"type": "call", "version": 1, "order": calls.order, "number": calls._meter.size + 1}
    body |= {"operation": "flight", "where": by_id("F0001"), "offset": 0, "limit": 1, "nonce": "0x" + "11" * 16}
    body |= {"credential": to_hex(sha256(from_hex(_held(calls)[0]))), "at": iso_time(calls.client.now())}
    return calls._signed(body | {"buyer": calls.client.address})


def test_calls_stop_when_a_title_is_seized(town: Town, listing: str, desk: Desk, tmp_path: Path) -> None:
    order, registrar = order_calls(town, listing), town["registrar"]
    title = registrar.get(f"/listings/{listing}")["titleId"]
    with caller(town, order, tmp_path) as calls:
        calls.call("flight", by_id("F0001"))
        titles.encumber(registrar, title, TitleMark.SEIZED, "case 7")
        refused("title_not_in_force", lambda: calls.call("flight", by_id("F0001")))
        assert not desk.store.token(order), "the credential was not revoked"
        refused("title_not_in_force", calls.credential)
        titles.lift(registrar, title, None, "case 7 is over")
        calls.call("flight", by_id("F0001"))


def test_a_seller_may_name_its_buyers(town: Town, tmp_path: Path) -> None:
    listing = offer_calls(town)
    order, named = order_calls(town, listing), [town["rival"].address]
    with gateway(town, listing, tmp_path, buyers=named), caller(town, order, tmp_path) as calls:
        refused("buyer_not_accepted", lambda: calls.call("flight", by_id("F0001")))


def test_terms_offer_what_the_title_covers_and_can_be_billed(town: Town, listing: str) -> None:
    secret = [{**OPERATIONS[0], "columns": ["secret"]}]
    refused("column_not_on_offer", lambda: offer_calls(town, operations=secret))
    refused("budget_not_needed", lambda: town.fund(listing, escrow=100, epsilon_cap=2))
    whole = {"mode": "FULL_SET", "price": 100}
    refused("plan_not_for_calls", lambda: offer_calls(town, whole), InvalidInputError)


def test_an_exchange_cannot_lead_calls_elsewhere(
    town: Town, listing: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = town["buyer"]
    told = {**buyer.get(f"/gateways/{listing}"), "url": "https://elsewhere.example/"}
    monkeypatch.setattr(
        buyer, "get", lambda path, **more: told if "/gateways/" in path else Client.get(buyer, path, **more)
    )
    offer = buyer.get(f"/listings/{listing}")
    refused("call_statement_signature", lambda: api.gateway_of(buyer, offer), MarketplaceError)


def test_a_service_record_is_the_records_and_is_answered_once(
    town: Town, listing: str, desk: Desk, tmp_path: Path
) -> None:
    order, buyer, supplier = order_calls(town, listing), town["buyer"], town["supplier"]
    refused("service_period_empty", lambda: api.state_service(supplier, order, desk.store))
    with caller(town, order, tmp_path) as calls:
        calls.call("flight", by_id("F0001"))
        calls.call("flight", by_id("F9999"))
        calls.pay()
        api.hand_in(supplier, order, desk.store)
        settlement.close(supplier, order, desk.store.voucher(order))
        terms, path = calls.terms, f"/orders/{order}/service-records"
        record = api.state_service(supplier, order, desk.store)
        shorter = figures_of(desk.store.records(order)[:1], record["period"], terms)
        for bent in ({"p95Ms": record["p95Ms"] + 1}, {"hits": 7}, shorter):
            other = {name: item for name, item in (record | (bent or {})).items() if name != "signature"}
            better = sign(other, supplier.deployment, supplier.keys.signing_key)
            refused("service_record_not_the_calls", partial(supplier.post, path, {"record": better}))
        refused("service_period_unknown", lambda: api.answer_service(buyer, order, calls.store, "2020-01"))
        answer = api.answer_service(buyer, order, calls.store, record["period"], ["down on Monday 周一不可用"])
        assert not answer["accepted"]
        refused("service_record_replaced", lambda: api.answer_service(buyer, order, calls.store, record["period"]))
        again = sign(
            {name: item for name, item in record.items() if name != "signature"} | {"version": 1},
            supplier.deployment,
            supplier.keys.signing_key,
        )
        assert supplier.post(path, {"record": again})["service"][0]["answer"] == answer


def test_keys_with_few_acts_serve_and_call(town: Town, tmp_path: Path) -> None:
    """The gateway's key closes orders and reads; the buyer's clerk asks and reads, up to its limit of 40 fen."""
    served = _clerk(town, "supplier", Act.SETTLEMENT | Act.READ)
    asking = _clerk(town, "buyer", Act.QUERIES | Act.READ, limit=40)
    listing = offer_calls(town)
    order = order_calls(town, listing)
    with (
        gateway(town, listing, tmp_path, client=served) as desk,
        closing(CallStore(tmp_path / "clerk.sqlite")) as store,
    ):
        with Caller(asking, order, store) as calls:
            record = calls.call("flight", by_id("F0001")).record
            assert key_of(record, asking.deployment) == served.keys.address != record["seller"]
            calls.call("flight", by_id("F0001"))
            refused("act_over_limit", lambda: calls.call("flight", by_id("F0001")), MarketplaceError)
        assert api.hand_in(served, order, desk.store)["calls"] == 2
    served.close()
    asking.close()


def _clerk(town: Town, name: str, acts: Act, limit: int = NO_LIMIT) -> Client:
    holder = Client(town.url, keys(f"clerk of the {name}"), account=town[name].address)
    persons.accept_key(holder, persons.propose_key(town[name], holder.keys.address, acts, name="Li Lei", limit=limit))
    return holder


@pytest.mark.parametrize("forged", ["rows", "columns", "nothing", "record"])
def test_an_answer_that_is_not_its_record_is_never_paid(
    town: Town, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, forged: str
) -> None:
    """The gateway signs whatever it likes: the buyer keeps and pays only what adds up."""
    order, supplier = order_calls(town, desk.standings.listing), town["supplier"]
    with caller(town, order, tmp_path) as calls:
        calls.credential()
        post = calls._post

        def bent(path: str, body: Any, token: str = "") -> dict[str, Any]:
            told = post(path, body, token)
            content = json.loads(told["content"])
            bends = {
                "rows": {"rows": [[1]]},
                "columns": {"columns": ["secret"]},
                "nothing": {"rows": None},
                "record": {},
            }
            text = json.dumps(content | bends[forged])
            record = told["record"] | {"response": to_hex(sha256(text.encode()))}
            record |= {"number": 7} if forged == "record" else {}
            del record["signature"]
            return {"record": sign(record, supplier.deployment, supplier.keys.signing_key), "content": text}

        monkeypatch.setattr(calls, "_post", bent)
        refused("call_record_differs", lambda: calls.call("flight", by_id("F0001")), MarketplaceError)
        assert calls.store.records(order) == []
        assert calls.store.voucher(order) is None


def test_calls_at_an_agreed_price(town: Town, tmp_path: Path) -> None:
    """Gateway, buyer and service read the price in the agreement that the order names, each by itself."""
    supplier, terms = town["supplier"], {"delivery_modes": ["API"], "plan": {**PER_HIT, **COMMON}}
    listing = offer_calls(town, {"mode": "NEGOTIATED"})
    refused("plan_not_agreed", lambda: order_calls(town, listing))
    order = order_calls(town, listing, under=agreed(town, **terms))
    with gateway(town, listing, tmp_path) as desk, caller(town, order, tmp_path) as calls:
        for number in ("F0001", "F0010", "F0011"):
            calls.call("flight", by_id(number))
        voucher = calls.pay()
        assert voucher is not None
        assert voucher["amount"] == 30 + 30 + 20
        assert api.hand_in(supplier, order, desk.store)["due"] == 80
        settlement.close(supplier, order, desk.store.voucher(order))
    assert orders.get(town["buyer"], order)["amount"] == 80


def test_the_auditor_counts_the_same(town: Town, desk: Desk, tmp_path: Path) -> None:
    town.wait_for_anchor()
    path = tmp_path / "bundle.zip"
    evidence.download_bundle(town["auditor"], path)
    with open_bundle(path) as bundle:
        report = audit(bundle, Trust(), reexecute=0)
    assert [finding.as_dict() for finding in report.findings] == []
    assert report.counts[10]["calls metered"] >= 10
    assert report.counts[10]["service records"] >= 2  # those of others on this ledger, too
