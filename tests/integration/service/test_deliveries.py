"""Files over HTTP: offered, ordered, delivered sealed and marked, objected to, corrected, accepted, paid; refused."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from crypto.canonical import to_hex
from crypto.merkle import EMPTY_ROOT
from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.documents import digest
from marketplace.errors import InvalidInputError, MarketplaceError, NotFoundError, RuleError, VerificationError
from marketplace.sdk import deliveries, evidence, orders, settlement
from marketplace.types import DeliveryStatus, OrderStatus
from tests.integration.service.delivering import PRICE, TERMS, a_file, offer_file, order_file
from tests.integration.service.test_agreements import agreed
from tests.integration.service.test_closing import close
from tests.integration.service.town import YEAR, Shown, Town


@pytest.fixture(scope="module")
def listing(town: Town) -> str:
    return offer_file(town)


@pytest.fixture(scope="module")
def delivered(town: Town, listing: str) -> str:
    """An order that was delivered and is in inspection."""
    order = order_file(town, listing)
    deliveries.deliver(town["supplier"], order, a_file())
    return order


def refused(code: str, act: Callable[[], object], kind: type[MarketplaceError] = RuleError) -> None:
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.code == code


def test_a_file_is_ordered_delivered_corrected_accepted_and_paid(town: Town, listing: str) -> None:
    buyer, supplier = town["buyer"], town["supplier"]
    order = order_file(town, listing)
    assert deliveries.get(buyer, order)["status"] == DeliveryStatus.ARRANGED
    note = deliveries.deliver(supplier, order, a_file(6))
    assert note["places"] == 1_500

    content = deliveries.receive(buyer, order)
    assert not deliveries.receipt_accepts(buyer, order)
    assert len(content.splitlines()) == 1_501
    deliveries.acknowledge(buyer, order)
    row = deliveries.get(buyer, order)
    assert (row["status"], row["acknowledged"]) == (DeliveryStatus.INSPECTING, 1)  # quality shows in use alone

    found = deliveries.object_to(buyer, order, ["a row is missing 缺一行"])
    defects = supplier.get_document(found["defectsDigest"])
    assert defects["defects"][0]["what"] == "a row is missing 缺一行"
    refused("document_not_found", lambda: town["rival"].get_document(found["defectsDigest"]), NotFoundError)

    deliveries.deliver(supplier, order, a_file(7))
    before = settlement.balance(supplier, supplier.address)["balance"]
    deliveries.accept(buyer, order)
    assert deliveries.get(buyer, order)["status"] == DeliveryStatus.ACCEPTED
    ended = orders.get(buyer, order)
    assert (ended["status"], ended["amount"], ended["refund"]) == (OrderStatus.SETTLED, PRICE, 0)
    told = settlement.statement(buyer, order)
    assert told["sum"] == told["escrow"] == PRICE
    share = next(line["amount"] for line in told["lines"] if line["to"] == supplier.address)
    assert settlement.balance(supplier, supplier.address)["balance"] == before + share


def test_a_delivery_whose_order_both_sides_ended_has_ended(town: Town, listing: str, tmp_path: Path) -> None:
    order = order_file(town, listing)
    deliveries.deliver(town["supplier"], order, a_file(8))
    close(town, {"orderId": order, "amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(EMPTY_ROOT)})
    assert deliveries.get(town["buyer"], order)["status"] == DeliveryStatus.ENDED
    refused("order_not_funded", lambda: deliveries.accept(town["buyer"], order))
    evidence.download_bundle(town["auditor"], tmp_path / "bundle.zip")
    with open_bundle(tmp_path / "bundle.zip") as bundle:
        report = audit(bundle, Trust(), reexecute=0)
    assert [finding.as_dict() for finding in report.findings if order in finding.subject] == []


def test_a_leaked_copy_names_its_buyer(town: Town, listing: str, delivered: str) -> None:
    other = order_file(town, listing, "rival")
    deliveries.deliver(town["supplier"], other, a_file())
    leaked = deliveries.receive(town["rival"], other)
    lines = leaked.splitlines()
    part = b"\n".join([lines[0], *lines[300:900]])
    found = deliveries.trace_leak(town["supplier"], listing, part)
    named = [row["buyer"] for row, verdict in found if verdict.accused]
    assert named == [town["rival"].address]
    assert {delivered, other} <= {row["orderId"] for row, _ in found}


def test_ciphertext_is_for_one_buyer(town: Town, delivered: str) -> None:
    row = deliveries.get(town["buyer"], delivered)
    assert b"delay" not in town["rival"].get_blob(row["ciphertextDigest"])
    refused("order_unknown", lambda: deliveries.receive(town["rival"], delivered), NotFoundError)


@pytest.mark.parametrize("forged", ["key", "order", "signer"])
def test_a_file_is_sealed_to_the_key_that_the_buyer_signed(
    town: Town, listing: str, delivered: str, forged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service could put its own key in place of the buyer's, and read the file."""
    supplier, rival, order = town["supplier"], town["rival"], order_file(town, listing)
    row = deliveries.get(supplier, order)
    said = row["arrange"]["message"]
    if forged == "key":
        row["arrange"]["message"] = {**said, "receiveKey": "0x" + "09" * 32}
    elif forged == "order":
        row["arrange"] = deliveries.get(supplier, delivered)["arrange"]
    else:
        message = {**said, "receiveKey": "0x" + "09" * 32}
        row["arrange"] = {"message": message, "signature": rival.sign("Arrange", message)}
    monkeypatch.setattr(deliveries, "get", lambda *_: row)
    refused("delivery_key", lambda: deliveries.deliver(supplier, order, a_file()), VerificationError)


def test_a_file_is_not_computed_on(town: Town, listing: str, delivered: str) -> None:
    body = {"sql": "SELECT COUNT(*) FROM data", "order": delivered, "epsilon": 1000}
    assert "computation_not_permitted" in str(town["buyer"].post("/queries/explanations", body))


def test_times_are_told_to_parties_alone(town: Town, listing: str, delivered: str) -> None:
    refused("delivery_not_due", lambda: deliveries.deem(town["supplier"], delivered))
    refused("order_unknown", lambda: deliveries.deem(town["rival"], delivered), NotFoundError)
    waiting = order_file(town, listing)
    refused("delivery_not_due", lambda: deliveries.lapse(town["buyer"], waiting))
    refused("order_unknown", lambda: deliveries.lapse(town["rival"], waiting), NotFoundError)
    refused("delivery_status", lambda: deliveries.deem(town["buyer"], waiting))


def test_only_the_parties_speak_of_a_delivery(town: Town, delivered: str) -> None:
    rival = town["rival"]
    about = {"orderId": delivered, "noteHash": "0x" + "11" * 32, "buyer": rival.address, "deadline": rival.deadline()}
    body = {"acceptance": about, "signature": rival.sign("AcceptDelivery", about)}
    refused("order_unknown", lambda: rival.submit("/deliveries/acceptances", body), NotFoundError)
    refused("order_unknown", lambda: deliveries.arrange(rival, delivered), NotFoundError)
    refused("order_unknown", lambda: deliveries.deliver(rival, delivered, a_file()), NotFoundError)


def test_a_note_needs_its_ciphertext(town: Town, listing: str) -> None:
    order, supplier = order_file(town, listing), town["supplier"]
    note = {"orderId": order, "seller": supplier.address, "round": 1, "deadline": supplier.deadline()}
    note |= dict.fromkeys(("ciphertextDigest", "fingerprintId", "plaintextCommitment"), "0x" + "cd" * 32)
    body = {"note": note, "signature": supplier.sign("Deliver", note)}
    refused("delivery_not_here", lambda: supplier.submit("/deliveries/notes", body))


def test_a_list_of_defects_is_the_signed_one(town: Town, delivered: str) -> None:
    buyer = town["buyer"]
    note = deliveries.get(buyer, delivered)["noteHash"]
    defects = {"type": "defects", "version": 1, "order": delivered, "note": "0x" + "11" * 32}
    defects |= {"defects": [{"what": "late", "where": ""}], "nonce": "0x" + "22" * 32}
    said = {"orderId": delivered, "noteHash": note, "defectsDigest": digest(defects), "buyer": buyer.address}
    said |= {"deadline": buyer.deadline()}
    body = {"objection": said, "signature": buyer.sign("ObjectToDelivery", said), "defects": defects}
    refused("defects_differ", lambda: buyer.submit("/deliveries/objections", body), InvalidInputError)


def test_delivery_is_offered_once_and_where_the_terms_name_it(town: Town, listing: str) -> None:
    refused("delivery_offered", lambda: deliveries.offer(town["supplier"], listing, TERMS))
    sealed = town.facts["listing"]
    refused("delivery_not_offered", lambda: deliveries.offer(town["supplier"], sealed, TERMS))
    refused("delivery_offer_unknown", lambda: town["buyer"].get(f"/deliveries/offers/{sealed}"), NotFoundError)


def test_silence_accepts_only_where_the_cited_agreement_says_so(town: Town, listing: str) -> None:
    """The listing's offer: three days to inspect, and silence accepts."""
    given = {"plan": deliveries.full_set(PRICE), "inspection_days": 3}
    wish = {"purpose": "TRANSPORT", "region": "CN-SH"}
    settlement.issue(town["bank"], town["buyer"].address, PRICE)
    for fields in ({"acceptance_form": "SIGNED"}, {"acceptance_form": "DEEMED", "inspection_days": 4}):
        agreement = agreed(town, **given | fields)
        refused(
            "acceptance_not_agreed", partial(deliveries.order, town["buyer"], listing, **wish, agreement_id=agreement)
        )
    agreement = agreed(town, **given, acceptance_form="DEEMED")
    order = deliveries.order(town["buyer"], listing, **wish, agreement_id=agreement)["orderId"]
    assert orders.get(town["buyer"], order)["agreementId"] == agreement


def test_an_order_of_a_file_sets_no_privacy_budget_aside(town: Town, listing: str) -> None:
    """Else a buyer could take it all from whoever asks questions, for nothing: a refund gives none back."""
    settlement.issue(town["bank"], town["buyer"].address, PRICE)
    refused("budget_not_needed", lambda: town.fund(listing, escrow=PRICE, epsilon_cap=2))


def test_nothing_is_paid_for_what_cannot_be_delivered_before_the_listing_ends(town: Town) -> None:
    """Two days at the slowest, and one to settle: the money would lie in an order that nobody can deliver."""
    supplier, buyer, now = town["supplier"], town["buyer"], int(time.time())
    refused("delivery_times", lambda: offer_file(town, deliveries.Terms(1, 1), now + 3 * deliveries.DAY - 60))
    refused("delivery_times", lambda: deliveries.Terms(1, 1).require_within(now + 3 * deliveries.DAY, now))
    listing = offer_file(town, deliveries.Terms(1, 1), now + 3 * deliveries.DAY + 300)
    settlement.issue(town["bank"], buyer.address, PRICE)
    before = settlement.balance(buyer)
    refused("delivery_times", lambda: deliveries.order(buyer, listing, purpose="TRANSPORT", region="CN-SH"))
    assert settlement.balance(buyer) == before
    assert listing not in {row["listingId"] for row in [*orders.list_mine(buyer), *orders.list_mine(supplier)]}


def test_both_sides_read_what_is_wrong_and_what_can_still_be_done(town: Town, tmp_path: Path, shown: Shown) -> None:
    listing = offer_file(town, deliveries.Terms(1, 1, 1, 1), int(time.time()) + YEAR // 5)
    order, to = order_file(town, listing), str(tmp_path / "copy.csv")
    refused("delivery_not_yet", lambda: deliveries.receive(town["buyer"], order))
    for number, said in ((1, "may correct until"), (2, "no correction is left")):
        deliveries.deliver(town["supplier"], order, a_file(number))
        for _ in range(2):  # the second time it is opened alone
            shown("buyer", "deliveries", "receive", order, "--to", to, "--receipt")
        assert said in shown("buyer", "deliveries", "object", order, "--defect", f"May is missing {number}")
        for name in ("buyer", "supplier"):
            assert f"May is missing {number}" in shown(name, "deliveries", "show", order)


def test_a_receipt_accepts_where_quality_shows_at_once(town: Town) -> None:
    terms = deliveries.Terms(1, 1, quality_in_use=False)
    order = order_file(town, offer_file(town, terms, int(time.time()) + YEAR // 4))
    deliveries.deliver(town["supplier"], order, a_file())
    assert deliveries.receipt_accepts(town["buyer"], order)
    deliveries.acknowledge(town["buyer"], order)
    assert orders.get(town["buyer"], order)["status"] == OrderStatus.SETTLED
