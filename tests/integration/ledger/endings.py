"""What else becomes of an order's money than that both sides end it: claims, refunds, files, redemptions; and a product
whose shares are paid through its inputs. Calls as of `market`.
"""

from dataclasses import replace
from typing import Any

from crypto.canonical import keccak256
from marketplace.calls import act_digest
from marketplace.currencies import CURRENCIES
from marketplace.documents.ids import redemption_id, title_id
from marketplace.intents import intent_digest, struct_hash
from marketplace.types import DeliveryMark, TitleKind
from tests.integration.ledger.market import FAR, PRICE, Call, Market, hexadecimal

DAY = 86_400
HKD = CURRENCIES["HKD"]


def in_dollars(market: Market) -> Market:
    """The same data on offer in another currency."""
    return replace(market, terms="0x" + "c5" * 32, currency=HKD)


def as_files(market: Market) -> Market:
    """The same data on offer as a file."""
    return replace(market, terms="0x" + "f5" * 32)


def product(market: Market) -> Market:
    """Another asset of the supplier's, made of the first."""
    return replace(market, manifest="0x" + "d1" * 32, terms="0x" + "d5" * 32)


def declare(made: Market, of: Market) -> Call:
    """What the product is made of: used under the supplier's own title, for a third of what it earns."""
    message: dict[str, Any] = {"assetId": made.asset, "holder": made.address("supplier"), "inputs": [of.asset]}
    message |= {"titles": [title_id(of.asset, TitleKind.USE)], "bps": [3_333]}
    message |= {"agreementDigest": "0x" + "d6" * 32, "deadline": FAR}
    return made.call("Lineage", "declare", [("DeclareLineage", message, ["supplier"])])


def claim(market: Market, number: int, amount: int, by: str) -> Call:
    """Ends a buyer's order alone, by a voucher."""
    voucher = market.voucher(number, amount)
    message: dict[str, Any] = {"orderId": voucher["orderId"], "voucherHash": _hash("Voucher", voucher)}
    message |= {"by": market.address(by), "deadline": FAR}
    return market.call("Orders", "claim", [("Voucher", voucher, ["buyer"]), ("Claim", message, [by])])


def challenge(market: Market, number: int, amount: int) -> Call:
    """Presents another voucher; whoever does so signs nothing."""
    voucher = market.voucher(number, amount)
    digest = intent_digest("Voucher", voucher, market.deployment)
    signed = [voucher, market.sign("Voucher", voucher, "buyer")]
    return Call("Orders", "challenge", signed, digest, market.address("buyer"))


def of_anyone(market: Market, contract: str, verb: str, subject: str) -> Call:
    """What nobody signs: `finish`, `refund`, `deem`, `lapse` of an order, `expireRedemption` of a redemption."""
    digest = act_digest(verb, [subject], market.deployment.domain(contract))
    return Call(contract, verb, [subject], bytes.fromhex(digest[2:]), market.address("buyer"))


def offer_delivery(market: Market) -> Call:
    """A day to deliver, to inspect and to correct, once; silence accepts."""
    message: dict[str, Any] = {"listingId": market.listing, "seller": market.address("supplier"), "amount": PRICE - 1}
    message |= {"deliverWithin": DAY, "inspection": DAY, "correction": DAY, "corrections": 1}
    message |= {"marks": int(DeliveryMark.SILENCE_ACCEPTS | DeliveryMark.QUALITY_IN_USE), "deadline": FAR}
    return market.call("Deliveries", "offer", [("OfferDelivery", message, ["supplier"])])


def arrange(market: Market, number: int) -> Call:
    """Asks for the file."""
    message = {"orderId": market.order(number)[0], "receiveKey": "0x" + "e1" * 32}
    return _by_buyer(market, "arrange", "Arrange", message)


def deliver(market: Market, number: int, turn: int = 1) -> Call:
    """The seller's note."""
    return market.call("Deliveries", "deliver", [("Deliver", _note(market, number, turn), ["supplier"])])


def acknowledge(market: Market, number: int, turn: int = 1) -> Call:
    """The buyer has it."""
    return _by_buyer(market, "acknowledge", "Acknowledge", _about(market, number, turn))


def accept(market: Market, number: int, turn: int = 1) -> Call:
    """It is as agreed."""
    return _by_buyer(market, "accept", "AcceptDelivery", _about(market, number, turn))


def object_to(market: Market, number: int, turn: int = 1) -> Call:
    """It is not."""
    about = _about(market, number, turn) | {"defectsDigest": "0x" + "e5" * 32}
    return _by_buyer(market, "object", "ObjectToDelivery", about)


def redeem(market: Market, account: str, amount: int, now: int, number: int) -> Call:
    """Asks a bank to pay money out."""
    message: dict[str, Any] = {"redemptionId": _redemption(market, account, number), "account": market.address(account)}
    message |= {"amount": amount, "currency": market.currency.number, "payoutDigest": _payout(number)}
    message |= {"bank": market.address("bank"), "payBy": now + 5 * DAY, "deadline": FAR}
    return market.call(market.currency.contract, "redeem", [("Redeem", message, [account])])


def pay_redemption(market: Market, account: str, number: int) -> Call:
    """The bank has."""
    message: dict[str, Any] = {"redemptionId": _redemption(market, account, number), "currency": market.currency.number}
    message |= {"ref": hexadecimal(keccak256(b"payout %d" % number)), "bank": market.address("bank"), "deadline": FAR}
    return market.call(market.currency.contract, "payRedemption", [("PayRedemption", message, ["bank"])])


def reject_redemption(market: Market, account: str, number: int) -> Call:
    """The bank will not."""
    message: dict[str, Any] = {"redemptionId": _redemption(market, account, number), "currency": market.currency.number}
    message |= {"reasonDigest": "0x" + "e7" * 32, "bank": market.address("bank"), "deadline": FAR}
    return market.call(market.currency.contract, "rejectRedemption", [("RejectRedemption", message, ["bank"])])


def _redemption(market: Market, account: str, number: int) -> str:
    return redemption_id(market.address(account), market.currency.number, _payout(number))


def _payout(number: int) -> str:
    return f"0x{0xE8:02x}{number:062x}"


def _note(market: Market, number: int, turn: int) -> dict[str, Any]:
    note: dict[str, Any] = {"orderId": market.order(number)[0], "seller": market.address("supplier"), "round": turn}
    note |= {"ciphertextDigest": f"0x{turn:064x}", "fingerprintId": "0x" + "e2" * 32}
    return note | {"plaintextCommitment": "0x" + "e3" * 32, "deadline": FAR}


def _about(market: Market, number: int, turn: int) -> dict[str, Any]:
    return {"orderId": market.order(number)[0], "noteHash": _hash("Deliver", _note(market, number, turn))}


def _by_buyer(market: Market, verb: str, name: str, message: dict[str, Any]) -> Call:
    signed = {**message, "buyer": market.address("buyer"), "deadline": FAR}
    return market.call("Deliveries", verb, [(name, signed, ["buyer"])])


def _hash(name: str, message: dict[str, Any]) -> str:
    return hexadecimal(struct_hash(name, message))
