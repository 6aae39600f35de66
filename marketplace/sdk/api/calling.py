"""A buyer's calls to the seller's gateway under one order.

The order of things, so that a crash at any point costs nothing and pays nothing twice:
  1. the call is signed and written into the store, then sent; sending it again gets the same answer;
  2. record and answer are checked, and the record is written into the store;
  3. the next call brings the voucher for all records so far; `pay` sends the one for the last.
What does not hold is not written, and so never paid.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from crypto import envelope
from crypto.canonical import from_hex, sha256, to_hex
from crypto.errors import CryptoError
from marketplace.api.metering import meter_of, voucher_due
from marketplace.api.rules import check_call, most_records, operation_of, record_fault, require_api
from marketplace.api.statements import CREDENTIAL_INFO, check, credential_context, sign
from marketplace.documents import Document, iso_time, unix_seconds, voucher_document, voucher_message
from marketplace.documents.api import ANSWERED, request_digest, validate_call, validate_call_record
from marketplace.errors import (
    InvalidInputError,
    MarketplaceError,
    NotAuthorizedError,
    PortError,
    RuleError,
    VerificationError,
)
from marketplace.intents import recover_intent
from marketplace.participants.keybook import AHEAD_SECONDS
from marketplace.sdk import orders
from marketplace.sdk.api import gateway_of, hand_in, last_voucher
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.sdk.home.call_store import CallStore
from marketplace.sdk.http.foreign import parse_json
from marketplace.sdk.http.transport import Transport
from marketplace.sdk.keyproofs import book_of

EARLY_SECONDS = 60  # so long before its end a credential is replaced
SKEW_SECONDS = 600
Condition = Mapping[str, str]


@dataclass(frozen=True)
class Called:
    """What one call gave.

    Args:
        record: signed by the seller. columns, rows: what was found. more: whether there are more rows.
    """

    record: Document
    columns: list[str]
    rows: list[list[Any]]
    more: bool


class Caller:
    """A buyer's calls under one order.

    Args:
        client: signed in as the order's buyer. order_id: of a listing of calls. store: of records.
        http: a ready httpx client for the gateway, e.g. over an in-process app.
    Raises:
        VerificationError: a paper of the order is not the one that its id commits to, or the seller did not sign where
            its gateway is.
    """

    def __init__(self, client: Client, order_id: str, store: CallStore, http: httpx.Client | None = None) -> None:
        self.client, self.order, self.store = client, order_id, store
        deal = orders.inspect(client, order_id)
        self.deal, self.terms, self.purpose = deal, deal.terms, str(deal.agreement["purpose"])
        require_api(self.terms, order_id)
        self.seller = str(deal.offer.listing["seller"])
        self._book = book_of(client, self.seller)
        self.url = gateway_of(client, deal.offer.listing)["url"].rstrip("/")
        self._transport = Transport(self.url, http)
        self._meter = meter_of(self.terms, store.records(order_id))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def credential(self) -> int:
        """Get a credential in place of the one before; returns its end, unix seconds."""
        key = to_hex(envelope.public_key(self.client.keys.x25519))
        body: Document = {"type": "credential_request", "version": 1, "order": self.order, "receiveKey": key}
        body |= {"at": iso_time(self.client.now()), "buyer": self.client.address}
        told = self._post("/credentials", {"request": self._signed(body)})
        signer = self.client.keys.address
        context = credential_context(self.order, signer, int(told["expiresAt"]))
        try:
            sealed = from_hex(told["sealed"])
            token = envelope.unseal(self.client.keys.x25519, sealed, info=CREDENTIAL_INFO, aad=context)
        except CryptoError as error:
            raise _differs("a credential sealed to this buyer", "another one") from error
        self.store.keep_credential(
            to_hex(sha256(token)), self.order, signer, int(told["expiresAt"]), token=to_hex(token)
        )
        return int(told["expiresAt"])

    def call(self, operation: str, where: Sequence[Condition] = (), *, offset: int = 0, limit: int = 100) -> Called:
        """Call an operation; a call that was sent before and had no answer is finished first, and paid.

        Args:
            where: conditions, each {"column", "test": "EQ" | "GE" | "LE", "value"}.
        Raises:
            RuleError: the gateway refused; nothing is due. PortError: it is away or was asked too often.
            VerificationError: `call_record_differs`: the answer is not what its record says; nothing is paid for it.
        """
        self._finish()
        body: Document = {"type": "call", "version": 1, "order": self.order, "number": self._meter.size + 1}
        body |= {"operation": operation, "where": [dict(item) for item in where], "offset": offset, "limit": limit}
        body |= {"credential": to_hex(sha256(from_hex(self._token()))), "nonce": to_hex(secrets.token_bytes(16))}
        body |= {"at": iso_time(self.client.now()), "buyer": self.client.address}
        call = validate_call(self._signed(body))
        check_call(call, self.terms)
        voucher = self._voucher()
        self.store.begin(call, voucher)
        return self._send(call, voucher)

    def pay(self) -> Document | None:
        """Send the voucher for all calls so far, the last one too; returns it, or None before the first call.

        Where the gateway's last answer is not what its record says, the calls before it are paid all the same: to the
        exchange, for a gateway takes only what pays for all that it has a record of.
        """
        try:
            self._finish()
            disputed = False
        except VerificationError:
            disputed = True
        voucher = self._voucher()
        if voucher is not None:
            self.store.keep_voucher(voucher)
            if disputed:
                hand_in(self.client, self.order, self.store)
            else:
                self._post("/receipts", {"voucher": voucher}, self._token())
        return voucher

    def sync(self) -> int:
        """Take records from the gateway that this store lost: those that an earlier voucher of ours pays for, and one
        more at most, which is what a side risks. Returns how many are here.

        Raises:
            VerificationError: `call_record_differs`: they are not what we signed for.
        """
        found: list[Document] = []
        while True:
            page = self._records(self._meter.size + len(found) + 1)
            if not page:
                break
            found += page
        records = [*self.store.records(self.order), *found]
        self._check_receipts(records)
        for record in found:
            self.store.keep_record(record)
        self._meter = meter_of(self.terms, records)
        return self._meter.size

    def _records(self, first: int) -> list[Document]:
        headers = {"authorization": f"Bearer {self._token()}"}
        path = f"/orders/{self.order}/records"
        answer = self._transport.request("GET", path, repeatable=True, headers=headers, params={"first": first})
        return [self._checked(item, None) for item in parse_json(answer.content)["records"]]

    def _check_receipts(self, records: Sequence[Document]) -> None:
        paid = last_voucher(self.client, self.order) or self.store.voucher(self.order)
        calls = int(paid["calls"]) if paid else 0
        expect(len(records) <= calls + 1, True, "call_record_differs", "api.the_buyer_risks_one_call")
        if paid is not None:
            signer = recover_intent(
                "Voucher", voucher_message(paid), self.client.deployment, from_hex(paid["signature"])
            )
            expect(signer, self.client.keys.address, "call_record_differs", "api.records_are_receipted")
            covered = meter_of(self.terms, records[:calls])
            expect((covered.size, covered.root), (calls, paid["callsRoot"]), "call_record_differs", "api.receipts")

    def _finish(self) -> None:
        """Learn what became of a call that was sent and had no answer: it gets its answer now, or was never taken."""
        pending = self.store.pending(self.order)
        if pending is not None:
            with suppress(RuleError, NotAuthorizedError, InvalidInputError):
                self._send(*pending)

    def _send(self, call: Document, voucher: Document | None) -> Called:
        began = time.perf_counter()
        try:
            told = self._calling(call, voucher)
        except PortError as error:
            if error.code in ("call_rate", "call_quota"):
                self.store.forget_pending(self.order)
            raise
        except MarketplaceError:
            self.store.forget_pending(self.order)  # refused: it has no record, and a later call may take its number
            raise
        return self._take(call, told, round(1000 * (time.perf_counter() - began)))

    def _calling(self, call: Document, voucher: Document | None) -> dict[str, Any]:
        """Send a call under the credential of now; where that has ended meanwhile, under the next one."""
        try:
            return self._post("/calls", self._under(call, voucher), self._token())
        except NotAuthorizedError as error:
            if error.code != "credential_invalid":
                raise
        self.credential()
        return self._post("/calls", self._under(call, voucher), self._token())

    def _under(self, call: Document, voucher: Document | None) -> Document:
        """The same call under the credential of now: a call names its credential, and is signed anew under another."""
        name = to_hex(sha256(from_hex(self._token())))
        if call["credential"] != name:
            body = {key: item for key, item in call.items() if key != "signature"}
            call.update(self._signed({**body, "credential": name, "at": iso_time(self.client.now())}))
            self.store.begin(call, voucher)
        return {"call": call, "voucher": voucher}

    def _take(self, call: Document, told: Mapping[str, Any], seen_ms: int) -> Called:
        record, content = self._checked(told.get("record"), call), told.get("content")
        if not isinstance(content, str) or to_hex(sha256(content.encode())) != record["response"]:
            raise _differs(record["response"], "another answer")
        columns = list(operation_of(self.terms, call["operation"])["columns"])
        rows, more = _opened(content, columns) if record["outcome"] in ANSWERED else ([], False)
        expect(len(rows), record["records"], "call_record_differs", "api.answers_are_recorded")
        self._meter.take(record)
        self.store.keep_record(record, seen_ms=seen_ms)
        return Called(record, columns, rows, more)

    def _checked(self, value: object, call: Document | None) -> Document:
        """A record of this order, signed by its seller, about this call."""
        record, now = validate_call_record(value), max(self.client.now(), self._book.time)
        check(record, self._book, now if call else unix_seconds(record["at"]), early=AHEAD_SECONDS)
        named = (record["order"], record["seller"])
        expect(named, (self.order, self.seller), "call_record_differs", "api.records_are_of_their_call")
        fault = record_fault(record, self.terms)
        expect(fault.en if fault else "", "", "call_record_differs", "api.records_are_possible")
        if call is not None:
            said = (record["number"], record["operation"], record["request"])
            asked = (call["number"], call["operation"], request_digest(call))
            expect(said, asked, "call_record_differs", "api.records_are_of_their_call")
            most = most_records(call, check_call(call, self.terms))
            expect(record["records"] <= most, True, "call_record_differs", "api.records_are_of_their_call")
            apart = abs(unix_seconds(record["at"]) - self.client.now())
            expect(apart <= SKEW_SECONDS, True, "call_record_differs", "api.calls_are_of_now")
        return record

    def _voucher(self) -> Document | None:
        """The voucher for exactly the calls that are in the store; whoever sends it keeps it before."""
        if self._meter.size == 0:
            return None
        message = voucher_due(self.order, self._meter, self.terms, self.purpose)
        if message["amount"] > self.deal.order["escrow"]:
            raise _differs(f"at most {self.deal.order['escrow']} fen", message["amount"])
        return voucher_document(message, self.client.address, from_hex(self.client.sign("Voucher", message)))

    def _token(self) -> str:
        held = self.store.token(self.order)
        if held is None or held[1] - EARLY_SECONDS <= self.client.now():
            self.credential()
            held = self.store.token(self.order)
        assert held is not None
        return held[0]

    def _signed(self, body: Document) -> Document:
        return sign(body, self.client.deployment, self.client.keys.signing_key)

    def _post(self, path: str, body: Mapping[str, Any], token: str = "") -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = self._transport.request("POST", path, repeatable=True, headers=headers, json=body)
        found: dict[str, Any] = parse_json(answer.content)
        return found


def _opened(content: str, columns: Sequence[str]) -> tuple[list[list[Any]], bool]:
    """Rows of an answer, and whether there are more; it comes from somebody else, and may be anything."""
    try:
        answer = parse_json(content.encode())
        rows, more = answer["rows"], answer["more"]
        fits = answer["columns"] == list(columns) and all(len(row) == len(columns) for row in rows)
        if fits and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
            return rows, bool(more)
    except (ValueError, KeyError, TypeError) as error:
        raise _differs("rows of the operation's columns", "something else") from error
    raise _differs("rows of the operation's columns", "something else")


def _differs(expected: object, got: object) -> VerificationError:
    return VerificationError(
        "call_record_differs",
        "what the gateway sent is not what it has to be",
        zh="网关返回的内容与约定不符",
        rule="api.answers_are_recorded",
        expected=expected,
        got=got,
        hint="pay nothing for it; keep it, and object to the period's service record",
        hint_zh="请勿为其付款；保留证据，并对该周期服务记录提出异议",
    )
