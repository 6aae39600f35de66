"""Ids of assets, listings, orders, titles, batches and debts: Keccak-256 of what they stand for, as on the ledger.

Every member is one 32-byte word of `abi.encode`: an address or a small integer is padded on the left.
"""

from crypto.canonical import from_hex, keccak256, to_hex
from marketplace.types import Digest, TitleKind


def asset_id(holder: str, manifest: str) -> Digest:
    """Id of the asset that `holder` registers with this manifest digest."""
    return _id(holder, manifest)


def case_id(asset: str, applicant: str, form: str, stated_at: int) -> Digest:
    """Id of the registration case that `applicant` files about `asset` with this form digest at this time (unix
    seconds).
    """
    words = [
        from_hex(asset, 32),
        from_hex(applicant, 20).rjust(32, b"\0"),
        from_hex(form, 32),
        stated_at.to_bytes(32, "big"),
    ]
    return Digest(to_hex(keccak256(b"".join(words))))


def listing_id(seller: str, asset: str, terms: str) -> Digest:
    """Id of the listing of `asset` by `seller` under this terms digest."""
    return _id(seller, asset, terms)


def order_id(buyer: str, listing: str, agreement: str) -> Digest:
    """Id of the order of `buyer` on `listing` under this agreement digest."""
    return _id(buyer, listing, agreement)


def trade_id(order: str) -> Digest:
    """Id of the trade voucher of an order: it follows from the order, and is in nobody's hand."""
    return Digest(to_hex(keccak256(b"TradeVoucher".ljust(32, b"\0") + from_hex(order, 32))))


def agreement_id(party_a: str, party_b: str, agreement: str) -> Digest:
    """Id of the agreement on a form between two parties with this digest."""
    return _id(party_a, party_b, agreement)


def redemption_id(account: str, currency: int, payout: str) -> Digest:
    """Id of the redemption of a currency (numeric code) that `account` asks for under this payout document's digest."""
    return _id(account, "0x" + currency.to_bytes(2, "big").hex(), payout)


def title_id(asset: str, kind: TitleKind, order: str | None = None) -> Digest:
    """Id of a HOLD or OPERATE title of `asset`, or of the USE title that `order` was granted."""
    word = "0x" + bytes([kind]).hex()
    return _id(asset, word, order) if order else _id(asset, word)


def batch_id(exchange: str, number: int) -> Digest:
    """Id of the clearing batch that `exchange` opens under this number, below 2^48."""
    return _id(exchange, to_hex(number.to_bytes(8, "big")))


def debt_id(debtor: str, creditor: str, ref: str) -> Digest:
    """Id of the debt of `debtor` to `creditor` under this reference, a digest."""
    return _id(debtor, creditor, ref)


def granted_id(parent: str, grantee: str, terms: str) -> Digest:
    """Id of the title that is granted to `grantee` out of `parent` under this terms digest."""
    return _id(parent, grantee, terms)


def _id(*words: str) -> Digest:
    return Digest(to_hex(keccak256(b"".join(from_hex(word).rjust(32, b"\0") for word in words))))
