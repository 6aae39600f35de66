"""Files sealed to their buyer: a seller offers and delivers marked copies, a buyer receives, accepts or objects."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crypto import envelope
from crypto.canonical import from_hex, to_hex
from crypto.errors import CryptoError
from marketplace import documents
from marketplace.deliveries.marking import Traced, copy_of, mark, trace
from marketplace.deliveries.modes import require_file
from marketplace.deliveries.rules import SETTLING_SECONDS, Offer, require_time
from marketplace.deliveries.sealing import open_file, seal_file
from marketplace.documents import Document
from marketplace.errors import InvalidInputError, RuleError, VerificationError
from marketplace.pricing.rulebook import CURRENT
from marketplace.quantities import moment
from marketplace.sdk import listings, orders
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.sdk.keyproofs import book_of
from marketplace.types import ZERO_DIGEST, DeliveryMark, DeliveryStatus
from marketplace.words import Words

DAY = 86_400
_ORDERED_SECONDS = 2 * DAY  # between ordering and asking for the delivery, with room
_ROOM = 600  # seconds in which money is put into escrow and the delivery asked for


@dataclass(frozen=True)
class Terms:
    """On what terms a file is delivered and accepted.

    Args:
        deliver_days, inspection_days, correction_days: days for the seller, the buyer, and the seller again.
        corrections: how often the seller may correct.
        silence_accepts: whether an inspection that passes in silence accepts.
        quality_in_use: whether quality shows only in use, so that the buyer's receipt is not acceptance.
    Raises:
        InvalidInputError: `delivery_no_time_to_correct`: an objection would give the money back at once.
    """

    deliver_days: int
    inspection_days: int
    correction_days: int = 0
    corrections: int = 0
    silence_accepts: bool = False
    quality_in_use: bool = True

    def __post_init__(self) -> None:
        if self.corrections and not self.correction_days:
            raise InvalidInputError(
                "delivery_no_time_to_correct",
                f"{self.corrections} corrections, and no time for any: an objection would give the money back at once",
                zh="允许更正却未给出更正期：买方一提异议即可退款",
                rule="deliveries.corrections_have_time",
                expected=Words("days to correct, or no corrections", "更正天数，或不设更正"),
                got=self.correction_days,
                hint="give days to correct, or offer no corrections",
                hint_zh="请给出更正期，或不提供更正",
            )

    @property
    def marks(self) -> DeliveryMark:
        """As on the ledger."""
        silence = DeliveryMark.SILENCE_ACCEPTS if self.silence_accepts else DeliveryMark(0)
        return silence | (DeliveryMark.QUALITY_IN_USE if self.quality_in_use else DeliveryMark(0))

    def on_ledger(self, amount: int) -> dict[str, int]:
        """Their fields in an OfferDelivery; acceptance pays `amount`, minor units."""
        return {
            "amount": amount,
            "deliverWithin": self.deliver_days * DAY,
            "inspection": self.inspection_days * DAY,
            "correction": self.correction_days * DAY,
            "corrections": self.corrections,
            "marks": int(self.marks),
        }

    def require_within(self, until: int, now: int) -> None:
        """Refuse times that are longer than a listing until `until`, unix seconds, leaves. Raises as `require_time`."""
        require_time(Offer.of(self.on_ledger(0)), until, now + _ROOM)


def full_set(price: int) -> Document:
    """The price plan of a file: `price` fen for the whole."""
    return {"mode": "FULL_SET", "price": price, "rulebook": CURRENT, "publicData": None}


def file_terms(keys: Sequence[str], columns: Mapping[str, str]) -> Document:
    """What terms say of a file: the columns that name a row, and by column the unit whose last one may carry marks."""
    marked = [{"name": name, "step": step} for name, step in columns.items()]
    return {"mode": "FILE_DOWNLOAD", "keys": list(keys), "columns": marked}


def offer(client: Client, listing_id: str, terms: Terms) -> dict[str, Any]:
    """Offer delivery under a listing of files, once and for all.

    Raises:
        RuleError: `delivery_times`: the listing ends before an order under it could be delivered.
    """
    times = terms.on_ledger(listings.get(client, listing_id)["price"])
    message = {"listingId": listing_id, "seller": client.address, **times, "deadline": client.deadline()}
    body = {"offer": message, "signature": client.sign("OfferDelivery", message)}
    return client.submit("/deliveries/offers", body)


def order(
    client: Client, listing_id: str, *, purpose: str, region: str, agreement_id: str = ZERO_DIGEST
) -> dict[str, Any]:
    """Order a file and ask for its delivery.

    Args:
        agreement_id: the agreement with the seller under which to order; none by default.
    Returns:
        the arrangement's outcome with "orderId".
    Raises:
        RuleError: `delivery_times`: the listing ends before the file would be accepted; nothing is paid then.
    """
    told: dict[str, Any] = client.get(f"/deliveries/offers/{listing_id}")
    require_time(Offer.of(told), listings.get(client, listing_id)["validUntil"], client.now() + _ROOM)
    funded = orders.fund(
        client,
        listing_id,
        escrow=told["amount"],
        epsilon_cap=1,  # an order has some; nothing is computed under it, and it goes back with acceptance
        purpose=purpose,
        region=region,
        valid_until=client.now() + Offer.of(told).slowest + SETTLING_SECONDS + _ORDERED_SECONDS,
        agreement_id=agreement_id,
    )
    return {**arrange(client, funded["orderId"]), "orderId": funded["orderId"]}


def arrange(client: Client, order_id: str) -> dict[str, Any]:
    """Ask for the delivery of a funded order, sealed to this participant's key."""
    key = to_hex(envelope.public_key(client.keys.x25519))
    message = {"orderId": order_id, "receiveKey": key, "buyer": client.address, "deadline": client.deadline()}
    body = {"arrange": message, "signature": client.sign("Arrange", message)}
    return client.submit("/deliveries/arrangements", body)


def deliver(client: Client, order_id: str, content: bytes) -> dict[str, Any]:
    """Mark a CSV file for the order's buyer, seal it, upload it and sign the note.

    Returns:
        the note's outcome with "round", "fingerprintId", "ciphertextDigest" and "places", the marks that it carries.
    Raises:
        InvalidInputError: `delivery_file`, the file does not have the columns of the terms or too few numbers.
        VerificationError: `delivery_key`, the key to seal to is not signed by the order's buyer.
    """
    row, deal = get(client, order_id), orders.inspect(client, order_id)
    number, recipient = row["rounds"] + 1, _recipient(client, row["arrange"], deal)
    copy = copy_of(client.keys.fingerprint_secret, deal.order["assetId"], order_id, number)
    marked, places = mark(content, deal.offer.terms["delivery"], copy)
    sealed, committed = seal_file(marked, recipient, order_id, number)
    message = {
        "orderId": order_id,
        "seller": client.address,
        "round": number,
        "ciphertextDigest": client.put_blob(sealed),
        "fingerprintId": copy.fingerprint_id,
        "plaintextCommitment": committed,
        "deadline": client.deadline(),
    }
    outcome = client.submit("/deliveries/notes", {"note": message, "signature": client.sign("Deliver", message)})
    named = {name: message[name] for name in ("round", "fingerprintId", "ciphertextDigest")}
    return {**outcome, **named, "places": places}


def receive(client: Client, order_id: str) -> bytes:
    """The file that was delivered, verified against the seller's note; nothing is signed.

    Raises:
        RuleError: `delivery_not_yet`. VerificationError: `delivery_unreadable`, it is not what the note names.
    """
    row = get(client, order_id)
    if not row["rounds"]:
        raise RuleError(
            "delivery_not_yet",
            f"nothing was delivered yet for order {order_id}",
            zh=f"订单 {order_id} 尚未交付",
            rule="deliveries.after_the_note",
            expected=Words("a delivery note of the seller", "卖方交付单"),
            got=Words(f"time to deliver until {moment(row['dueAt'])}", f"交付期限至 {moment(row['dueAt'])}"),
            hint="wait for the seller; after that time `marketplace deliveries lapse` gives the money back",
            hint_zh="请等待卖方交付；逾期可执行 `marketplace deliveries lapse` 退回资金",
        )
    blob = client.get_blob(row["ciphertextDigest"])
    return open_file(blob, client.keys.x25519, order_id, row["rounds"], row["plaintextCommitment"])


def receipt_accepts(client: Client, order_id: str) -> bool:
    """Whether the receipt for this order's delivery accepts it, and so pays."""
    told: dict[str, Any] = client.get(f"/deliveries/offers/{get(client, order_id)['listingId']}")
    return DeliveryMark.QUALITY_IN_USE not in DeliveryMark(told["marks"])


def is_acknowledged(client: Client, order_id: str) -> bool:
    """Whether the receipt for the last delivery is signed, or there is nothing to inspect any more."""
    row = get(client, order_id)
    return bool(row["acknowledged"]) or row["status"] != DeliveryStatus.INSPECTING


def corrections_left(client: Client, order_id: str) -> int:
    """How often the seller may still correct what it delivered for an order."""
    row = get(client, order_id)
    told: dict[str, Any] = client.get(f"/deliveries/offers/{row['listingId']}")
    return max(0, int(told["corrections"]) + 1 - int(row["rounds"]))


def defects_of(client: Client, row: Mapping[str, Any]) -> list[str]:
    """What the buyer found wrong with the last delivery; nothing where it did not object.

    Args:
        row: as `get`.
    Raises:
        VerificationError: the list is not the one that was signed.
    """
    if row["defectsDigest"] == ZERO_DIGEST:
        return []
    listed = documents.validate_defects(client.get_document(row["defectsDigest"]))
    return [str(item["what"]) for item in listed["defects"]]


def acknowledge(client: Client, order_id: str) -> dict[str, Any]:
    """Sign the receipt: opened and verified. It accepts where the terms say that quality does not show only in use."""
    message = _about(client, order_id)
    body = {"receipt": message, "signature": client.sign("Acknowledge", message)}
    return client.submit("/deliveries/receipts", body)


def accept(client: Client, order_id: str) -> dict[str, Any]:
    """Accept what was delivered last: the order ends and is paid."""
    message = _about(client, order_id)
    body = {"acceptance": message, "signature": client.sign("AcceptDelivery", message)}
    return client.submit("/deliveries/acceptances", body)


def object_to(client: Client, order_id: str, defects: Sequence[str]) -> dict[str, Any]:
    """Object to what was delivered last.

    Args:
        defects: what is wrong, one text each; both parties and whoever oversees can read them.
    """
    message = _about(client, order_id)
    listed = [{"what": text, "where": ""} for text in defects]
    document: Document = {"type": "defects", "version": 1, "order": order_id, "note": message["noteHash"]}
    document |= {"defects": listed, "nonce": to_hex(secrets.token_bytes(32))}
    message["defectsDigest"] = documents.digest(documents.validate_defects(document))
    body = {"objection": message, "signature": client.sign("ObjectToDelivery", message), "defects": document}
    return {**client.submit("/deliveries/objections", body), "defectsDigest": message["defectsDigest"]}


def deem(client: Client, order_id: str) -> dict[str, Any]:
    """After an inspection that passed in silence, have the delivery accepted where the terms say so; anyone may."""
    return client.submit("/deliveries/deemed", {"order": order_id})


def lapse(client: Client, order_id: str) -> dict[str, Any]:
    """After a delivery or correction did not come in time, have the money given back; anyone may."""
    return client.submit("/deliveries/lapses", {"order": order_id})


def list_mine(client: Client) -> list[dict[str, Any]]:
    """Deliveries of orders in which this participant is buyer or seller."""
    return client.pages("/deliveries")


def get(client: Client, order_id: str) -> dict[str, Any]:
    """The delivery of one order, as the ledger says."""
    found: dict[str, Any] = client.get(f"/deliveries/{order_id}")
    return found


def trace_leak(client: Client, listing_id: str, content: bytes) -> list[tuple[dict[str, Any], Traced]]:
    """Whose copy a leaked file is: every copy delivered under a listing with what speaks against it, most first.

    It is the seller's secret that reads the marks; the ledger's fingerprint ids say that no copy was made up later.

    Returns:
        (the delivery with the copy's "round", verdict), of deliveries whose last copy is the one that the ledger's id
        names: another keystore made the others. The id of an earlier copy stands in its own note on the ledger.
    Raises:
        RuleError: `delivery_not_offered`: it is of no file. InvalidInputError: `delivery_file`.
    """
    declared = listings.inspect(client, listing_id)
    require_file(declared.terms, listing_id)
    rows = [row for row in list_mine(client) if row["listingId"] == listing_id and row["seller"] == client.address]
    secret, asset = client.keys.fingerprint_secret, declared.listing["assetId"]
    made = [(row, number) for row in rows for number in range(1, row["rounds"] + 1)]
    copies = [copy_of(secret, asset, row["orderId"], number) for row, number in made]
    verdicts = trace(content, declared.terms["delivery"], copies)
    named = zip(made, verdicts, strict=True)
    found = [
        ({**row, "round": number}, verdict)
        for (row, number), verdict in named
        if copy_of(secret, asset, row["orderId"], row["rounds"]).fingerprint_id == row["fingerprintId"]
    ]
    return sorted(found, key=lambda item: -item[1].score)


def _recipient(client: Client, said: Mapping[str, Any], deal: orders.Deal) -> str:
    """The key to seal to, "0x" hex, out of what the buyer signed: the service could put its own in place of it."""
    message, buyer = said["message"], deal.order["buyer"]
    rule = "deliveries.sealed_to_the_buyers_key"
    expect((message["orderId"], message["buyer"]), (deal.order["orderId"], buyer), "delivery_key", rule)
    at = min(client.now(), int(message["deadline"]))
    try:
        signature = from_hex(said["signature"], 65, "signature")
        book_of(client, buyer).require("Arrange", message, buyer, signature, at, grace=DAY)
    except (CryptoError, RuleError) as error:
        raise VerificationError(
            "delivery_key",
            "the key to seal to is not signed by the order's buyer",
            zh="用于密封的公钥未经买方签署",
            rule=rule,
            expected=buyer,
            hint="deliver nothing; ask the buyer, by another way, for the key it signed",
            hint_zh="请勿交付，并通过其他途径向买方核实其签署的公钥",
        ) from error
    return str(message["receiveKey"])


def _about(client: Client, order_id: str) -> dict[str, Any]:
    note = get(client, order_id)["noteHash"]
    return {"orderId": order_id, "noteHash": note, "buyer": client.address, "deadline": client.deadline()}
