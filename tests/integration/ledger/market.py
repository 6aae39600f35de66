"""A small market to put on a ledger: parties with keys, and the calls that they sign, ready for the queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from sqlmodel import Session

from crypto.canonical import keccak256
from crypto.typed_data import address_of
from marketplace.calls import act_digest
from marketplace.clearing.rules import payouts_digest
from marketplace.currencies import CNY, Currency
from marketplace.documents.ids import batch_id, debt_id, title_id
from marketplace.intents import Deployment, intent_digest, sign_intent, struct_hash
from marketplace.ledger.intake import IntentCall, queue_intents
from marketplace.ledger.profile import LedgerSettings
from marketplace.types import ZERO_DIGEST, Role, TitleKind
from tests.registering import code, deposit_acts, rulebook

FAR = 4_000_000_000  # a deadline beyond every test, unix seconds
PRICE = 100


def key(name: str) -> bytes:
    """A party's secret key, made from its name."""
    return keccak256(b"key of " + name.encode())


def hexadecimal(value: bytes) -> str:
    return "0x" + value.hex()


def derived(*parts: tuple[str, Any]) -> str:
    """keccak256(abi.encode(parts)) of (type, value) pairs."""
    return hexadecimal(keccak256(encode([kind for kind, _ in parts], [_raw(kind, value) for kind, value in parts])))


def _raw(kind: str, value: Any) -> Any:
    return bytes.fromhex(value[2:]) if kind == "bytes32" else value


@dataclass(frozen=True)
class Call:
    """One call for the queue."""

    contract: str
    verb: str
    arguments: list[Any]
    digest: bytes
    by: str

    @property
    def intent(self) -> IntentCall:
        return IntentCall(self.contract, self.verb, self.arguments, self.digest, self.by)

    def queue(self, session: Session, now: int = 0) -> bool:
        return queue_intents(session, [self.intent], now=now) == 1


@dataclass
class Market:
    """Signs for everybody. Every method returns what its party would send.

    Args:
        manifest, terms: digests that make the supplier's asset and listing another one. currency: of the listing.
    """

    deployment: Deployment
    terms_until: int = FAR
    addresses: dict[str, str] = field(default_factory=dict)
    manifest: str = "0x" + "b1" * 32
    terms: str = "0x" + "b5" * 32
    currency: Currency = CNY

    def address(self, name: str) -> str:
        if name not in self.addresses:
            self.addresses[name] = address_of(key(name))
        return self.addresses[name]

    def sign(self, name: str, message: dict[str, Any], signer: str) -> str:
        return hexadecimal(sign_intent(name, message, self.deployment, key(signer)))

    def call(self, contract: str, verb: str, signed: Sequence[tuple[str, dict[str, Any], Sequence[str]]]) -> Call:
        """A call made of signed intents: (intent name, message, names of its signers)."""
        arguments: list[Any] = []
        for name, message, signers in signed:
            arguments += [message, *(self.sign(name, message, signer) for signer in signers)]
        name, message, signers = signed[-1]
        digest = intent_digest(name, message, self.deployment)
        return Call(contract, verb, arguments, digest, self.address(signers[0]))

    def admit(self, name: str, roles: Role, version: int = 0) -> Call:
        common = {"account": self.address(name), "roles": int(roles), "identityDigest": "0x" + "a1" * 32}
        join = {**common, "deadline": FAR}
        admit = {**common, "version": version, "registrar": self.address("registrar"), "deadline": FAR}
        return self.call("Participants", "admit", [("Join", join, [name]), ("Admit", admit, ["registrar"])])

    def issue(self, account: str, amount: int, ref: int = 0) -> Call:
        message = {
            "account": self.address(account),
            "amount": amount,
            "currency": self.currency.number,
            "ref": hexadecimal(keccak256(b"payment %d" % ref)),
            "bank": self.address("bank"),
            "deadline": FAR,
        }
        return self.call(self.currency.contract, "issue", [("Issue", message, ["bank"])])

    @property
    def asset(self) -> str:
        return derived(("address", self.address("supplier")), ("bytes32", self.manifest))

    @property
    def listing(self) -> str:
        return derived(("address", self.address("supplier")), ("bytes32", self.asset), ("bytes32", self.terms))

    def register(self) -> Call:
        message = {
            "assetId": self.asset,
            "holder": self.address("supplier"),
            "manifestDigest": self.manifest,
            "ciphertextRoot": "0x" + "b2" * 32,
            "claimDigest": "0x" + "b3" * 32,
            "level": 2,
            "epsilonBudget": 10**12,
            "shareHolders": [self.address("supplier"), self.address("partner")],
            "shareBps": [7_000, 3_000],
            "deadline": FAR,
        }
        return self.call("Rights", "register", [("Register", message, ["supplier"])])

    def deposit(self, now: int) -> list[Call]:
        """A registration case, brought to its deposit without public notice; stands for an hour from `now`."""
        filing, acts = deposit_acts(self.asset, self.address("supplier"), self.address("registrar"), now)
        signed = [self.call("Registrations", "decide", [("Decide", act, ["registrar"])]) for act in acts]
        return [self.call("Registrations", "file", [("File", filing, ["supplier"])]), *signed]

    def confirm(self, valid_until: int, number: int = 1) -> Call:
        message = {
            "assetId": self.asset,
            "claimDigest": "0x" + "b3" * 32,
            "certificateDigest": "0x" + "b4" * 32,
            "code": code(number),
            "rights": 7,
            "validUntil": valid_until,
            "registrar": self.address("registrar"),
            "version": 1,
            "deadline": FAR,
        }
        return self.call("Rights", "confirm", [("Confirm", message, ["registrar"])])

    def offer(self, valid_until: int) -> Call:
        message = {
            "listingId": self.listing,
            "assetId": self.asset,
            "titleId": title_id(self.asset, TitleKind.OPERATE),
            "seller": self.address("supplier"),
            "termsDigest": self.terms,
            "purposes": 1,
            "fields": "0x" + "00" * 31 + "01",
            "territories": 1,
            "price": PRICE,
            "currency": self.currency.number,
            "validUntil": valid_until,
            "deadline": FAR,
        }
        return self.call("Listings", "list", [("List", message, ["supplier"])])

    def order(self, number: int, buyer: str = "buyer") -> tuple[str, str]:
        """(order id, agreement digest) of a buyer's order `number`."""
        agreement = hexadecimal(keccak256(b"agreement %d" % number))
        address, listing = self.address(buyer), self.listing
        return derived(("address", address), ("bytes32", listing), ("bytes32", agreement)), agreement

    def fund(self, number: int, valid_until: int, escrow: int = PRICE, buyer: str = "buyer") -> Call:
        order, agreement = self.order(number, buyer)
        message = {
            "orderId": order,
            "listingId": self.listing,
            "buyer": self.address(buyer),
            "escrow": escrow,
            "currency": self.currency.number,
            "epsilonCap": 1_000,
            "validUntil": valid_until,
            "agreementDigest": agreement,
            "agreementId": ZERO_DIGEST,
            "deadline": FAR,
        }
        return self.call("Orders", "fund", [("Fund", message, [buyer])])

    def voucher(self, number: int, amount: int = PRICE - 1, buyer: str = "buyer") -> dict[str, Any]:
        """The last voucher of a buyer's order `number`."""
        order, _ = self.order(number, buyer)
        return {"orderId": order, "amount": amount, "epsilon": 400, "calls": 1, "callsRoot": "0x" + "c1" * 32}

    def settle(self, number: int, amount: int = PRICE - 1) -> Call:
        return self.close(self.voucher(number, amount))

    def close(self, voucher: dict[str, Any]) -> Call:
        """The order of a voucher, settled by it."""
        close = {
            "orderId": voucher["orderId"],
            "voucherHash": hexadecimal(struct_hash("Voucher", voucher)),
            "seller": self.address("supplier"),
            "deadline": FAR,
        }
        return self.call("Orders", "settle", [("Voucher", voucher, ["buyer"]), ("Close", close, ["supplier"])])

    @property
    def batch(self) -> str:
        """Id of the exchange's first clearing batch."""
        return batch_id(self.address("exchange"), 1)

    def open_batch(self, close_by: int) -> Call:
        message: dict[str, Any] = {"batchId": self.batch, "exchange": self.address("exchange"), "number": 1}
        message |= {"closeBy": close_by}
        message |= {"currency": CNY.number, "deadline": FAR}
        return self.call("Clearing", "openBatch", [("OpenBatch", message, ["exchange"])])

    def clear(self, number: int, buyer: str = "buyer") -> Call:
        """A buyer's order `number`, settled into the batch by its last voucher."""
        voucher = self.voucher(number, buyer=buyer)
        message: dict[str, Any] = {
            "orderId": voucher["orderId"],
            "voucherHash": hexadecimal(struct_hash("Voucher", voucher)),
        }
        message |= {"batchId": self.batch, "seller": self.address("supplier"), "deadline": FAR}
        return self.call("Orders", "clear", [("Voucher", voucher, [buyer]), ("Clear", message, ["supplier"])])

    def owe(self, debtor: str, creditor: str, amount: int) -> Call:
        one, other = self.address(debtor), self.address(creditor)
        ref = hexadecimal(keccak256(f"{debtor} to {creditor}".encode()))
        message: dict[str, Any] = {"debtId": debt_id(one, other, ref), "batchId": self.batch, "debtor": one}
        message |= {"creditor": other, "currency": CNY.number}
        return self.call(
            "Clearing", "owe", [("Owe", {**message, "amount": amount, "ref": ref, "deadline": FAR}, [debtor])]
        )

    def close_batch(self, legs: int, pay_by: int) -> Call:
        message: dict[str, Any] = {"batchId": self.batch, "legs": legs, "payBy": pay_by}
        message |= {"exchange": self.address("exchange"), "deadline": FAR}
        return self.call("Clearing", "closeBatch", [("CloseBatch", message, ["exchange"])])

    def confirm_batch(self, payouts: Mapping[str, int]) -> Call:
        """Args: payouts: address to fen, of everybody in the batch."""
        message: dict[str, Any] = {"batchId": self.batch, "payoutsDigest": payouts_digest(payouts)}
        message |= {"exchange": self.address("exchange"), "deadline": FAR}
        return self.call("Clearing", "confirmBatch", [("ConfirmBatch", message, ["exchange"])])

    def pay(self, party: str) -> Call:
        """Pay a party of the batch, named by its address; nobody signs it."""
        digest = act_digest("pay", [self.batch, party], self.deployment.domain("Clearing"))
        return Call("Clearing", "pay", [self.batch, party], bytes.fromhex(digest[2:]), party)

    def opening(self, now: int) -> list[Call]:
        """Everything that must stand before the first order: parties, money, a confirmed asset, a listing."""
        year = now + 365 * 86_400
        return [
            self.admit("supplier", Role.SUPPLIER),
            self.admit("partner", Role.SUPPLIER),
            self.admit("buyer", Role.BUYER),
            self.admit("bank", Role.BANK),
            self.issue("buyer", 10**12),
            self.register(),
            *self.deposit(now),
            self.confirm(year),
            self.offer(year),
        ]


OPENING = 12  # calls of `Market.opening`: four parties, money, an asset and its case, a listing


def ledger_settings(folder: Path, rpc_url: str = "") -> LedgerSettings:
    """An operator's settings for tests."""
    return LedgerSettings(
        chain_id=20260,
        relayer_key=key("relayer"),
        registrar=address_of(key("registrar")),
        treasury=address_of(key("treasury")),
        fee_bps=250,
        rulebook=rulebook().digest,
        folder=folder / "node",
        rpc_url=rpc_url,
    )
