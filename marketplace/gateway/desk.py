"""The gateway's desk: gives out credentials, answers calls, and risks no more than one of them.

A call is answered if its credential lives, the key that the credential is bound to signed it, the order is open and its
titles are in force, and it brings the voucher that pays for all calls before it. The record is signed and on disk
before the answer leaves. A call that is sent again gets the same answer and is metered once.
"""

import json
import logging
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlowError
from dataclasses import dataclass
from typing import Any

from crypto import envelope
from crypto.canonical import from_hex, sha256, to_hex
from crypto.errors import CryptoError
from marketplace.api.metering import Meter, check_voucher, meter_of, require_within_escrow, voucher_due
from marketplace.api.rules import check_call, most_records
from marketplace.api.statements import CREDENTIAL_INFO, check, credential_context, key_of, sign
from marketplace.documents import Document, iso_time, unix_seconds, validate_voucher, voucher_message
from marketplace.documents.api import MAX_BATCH, request_digest, validate_call, validate_credential_request
from marketplace.errors import MarketplaceError, NotAuthorizedError, NotFoundError, RuleError
from marketplace.gateway.limits import Rate, require_quota
from marketplace.gateway.standing import Standing, Standings
from marketplace.gateway.table import Table
from marketplace.queries.permission.pricing import check_voucher_signature
from marketplace.sdk.home.call_store import CallStore
from marketplace.types import OrderStatus
from marketplace.words import Words

log = logging.getLogger(__name__)
CREDENTIAL_SECONDS = 900
SKEW_SECONDS = 300
WORKERS = 8


@dataclass
class _Line:
    """One order's calls in memory, with the lock that lets them come one after another."""

    meter: Meter
    rate: Rate


class Desk:
    """The desk of one listing.

    Args:
        standings: of its orders. table: what is served. store: of records.
        now: unix seconds. tick: seconds of a clock that never goes back, for latency and rates.
    """

    def __init__(
        self,
        standings: Standings,
        table: Table,
        store: CallStore,
        *,
        now: Callable[[], float] = time.time,
        tick: Callable[[], float] = time.perf_counter,
        credential_seconds: int = CREDENTIAL_SECONDS,
    ) -> None:
        self.standings, self.store = standings, store
        self._table, self._now, self._tick, self._lasts = table, now, tick, credential_seconds
        self._client = standings.client
        self._lines: dict[str, _Line] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._workers = ThreadPoolExecutor(WORKERS, "gateway")

    def close(self) -> None:
        """Let the workers go."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    # -- credentials ------------------------------------------------------------------------------------------------

    def issue(self, value: object) -> dict[str, Any]:
        """A credential for an order, sealed to the key that its buyer names; earlier ones of the order end.

        Args:
            value: a credential_request.
        Returns:
            "sealed" ("0x" hex), "expiresAt" (unix seconds).
        Raises:
            NotFoundError: `order_unknown`. RuleError: `calls_over`, `title_not_in_force`, `call_stale`.
            VerificationError: `call_statement_signature`.
        """
        wish = validate_credential_request(value)
        standing = self.standings.of(wish["order"])
        self._require_fresh(wish["at"])
        if wish["buyer"] != standing.order["buyer"]:  # who buys is nobody else's business
            raise NotFoundError("order_unknown", f"there is no order {wish['order']} of yours", zh="没有您的该订单")
        key = check(wish, standing.book, max(int(self._now()), standing.book.time))
        self._require_open(standing)
        self._require_paid_elsewhere(standing)
        token, expires = secrets.token_bytes(32), int(self._now()) + self._lasts
        context = credential_context(wish["order"], key, expires)
        sealed = envelope.seal(from_hex(wish["receiveKey"], 32), token, info=CREDENTIAL_INFO, aad=context)
        self.store.keep_credential(to_hex(sha256(token)), wish["order"], key, expires)
        return {"sealed": to_hex(sealed), "expiresAt": expires}

    def _require_paid_elsewhere(self, standing: Standing) -> None:
        """One call of a buyer is at stake, over all its orders: else orders that cost nothing would give one each."""
        order, buyer = standing.order["orderId"], standing.order["buyer"]
        self.store.keep_buyer(order, buyer)
        other = self.store.unpaid(buyer, order)
        if other is not None:
            raise RuleError(
                "call_unpaid_before",
                f"a call of order {other} is not paid yet",
                zh=f"订单 {other} 尚有调用未付款",
                rule="api.one_call_at_stake",
                got=other,
                hint="pay it first: marketplace api pay ORDER; a seller forgives it: marketplace gateway forgive ORDER",
                hint_zh="请先付款：marketplace api pay ORDER；卖方可豁免：marketplace gateway forgive ORDER",
            )

    def _require_open(self, standing: Standing) -> None:
        if standing.refusal is not None:
            self.store.revoke(standing.order["orderId"])
            raise standing.refusal

    # -- calls ------------------------------------------------------------------------------------------------------

    def answer(self, token: str, value: object, voucher: object) -> dict[str, Any]:
        """Answer one call.

        Args:
            token: of the credential, "0x" hex. value: a call. voucher: for all calls before it; None for the first.
        Returns:
            "record", "content": the call record, and the text of the answer whose digest it names.
        """
        call = validate_call(value)
        key = self._require_credential(token, call)
        with self._locks[call["order"]]:
            standing = self.standings.of(call["order"])
            line = self._line(standing)
            self._require_living(standing, key)
            again = self._repeated(call)
            if again is not None:
                return again
            self._require_fresh(call["at"])
            self._require_open(standing)
            self._require_paid_elsewhere(standing)
            if call["number"] != line.meter.size + 1:
                raise _wrong_number(line.meter.size + 1, call["number"])
            paid = self._paid(standing, line.meter, voucher)
            operation, now = check_call(call, standing.terms), max(int(self._now()), _last(line.meter))
            require_quota(line.meter, standing.terms["delivery"], now)
            tariff = (standing.terms, standing.purpose, standing.order["escrow"])
            require_within_escrow(line.meter, iso_time(now), most_records(call, operation), tariff)
            line.rate.take(self._tick())
            answer = self._run(standing, call, operation, now)
            self.store.keep_answer(answer["record"], request_digest(call), answer, paid)
            line.meter.take(answer["record"])
            return answer

    def receive(self, token: str, value: object) -> dict[str, Any]:
        """Take the voucher that pays for all calls so far, the last one too.

        Raises:
            NotAuthorizedError: `credential_invalid`. VerificationError: `voucher_signature`.
            RuleError: `calls_over`, `calls_voucher_differs`, `calls_over_escrow`.
        """
        voucher = validate_voucher(value)
        self._credential(token, voucher["order"])
        standing = self.standings.of(voucher["order"])
        if standing.order["status"] != OrderStatus.FUNDED:  # its escrow is gone: the voucher would pay nothing
            self._require_open(standing)
        with self._locks[voucher["order"]]:
            paid = self._paid(standing, self._line(standing).meter, voucher)
            if paid is not None:
                self.store.keep_voucher(paid)
            return {"calls": voucher["calls"]}

    def records(self, token: str, order: str, first: int) -> list[Document]:
        """Up to a batch of the order's records, for a buyer that lost its own.

        Raises:
            NotAuthorizedError: `credential_invalid`.
        """
        self._credential(token, order)
        return self.store.records(order, first, MAX_BATCH)

    def _repeated(self, call: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer that was given to this very call, if it was the order's last."""
        known = self.store.answer(call["order"])
        if known is None or (known[0], known[1]) != (call["number"], request_digest(call)):
            return None
        return known[2]

    def _paid(self, standing: Standing, meter: Meter, value: object) -> Document | None:
        if value is None and meter.size == 0:
            return None
        voucher = validate_voucher(value)
        due = voucher_due(standing.order["orderId"], meter, standing.terms, standing.purpose)
        # The signature first: what is due is told to the buyer alone.
        check_voucher_signature(standing.order["buyer"], voucher, standing.book, int(self._now()))
        check_voucher(voucher_message(voucher), due, standing.order["escrow"])
        return voucher

    def _run(
        self, standing: Standing, call: Mapping[str, Any], operation: Mapping[str, Any], now: int
    ) -> dict[str, Any]:
        """Find the rows in time, and sign what became of it. An invalid value is refused before there is a record."""
        began, content, found, outcome = self._tick(), "", 0, "ERROR"
        work = self._workers.submit(self._table.find, operation, call["where"], call["offset"], call["limit"])
        try:
            rows = work.result(standing.terms["delivery"]["timeoutSeconds"])
            found, outcome = len(rows.rows), "HIT" if rows.rows else "MISS"
            told = {"salt": secrets.token_hex(16), "columns": rows.columns, "rows": rows.rows, "more": rows.more}
            content = json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        except TooSlowError:
            work.cancel()
            outcome = "TIMEOUT"
        except MarketplaceError:
            raise
        except Exception:  # a fault of table or program is a failed call, metered as such and not billed
            log.exception("call %d of order %s failed", call["number"], call["order"])
            content, found, outcome = "", 0, "ERROR"
        body = {"type": "call_record", "version": 1, "order": call["order"], "number": call["number"]}
        body |= {"operation": call["operation"], "request": request_digest(call)}
        body |= {"response": to_hex(sha256(content.encode())), "outcome": outcome, "records": found}
        body |= {"latencyMs": min(3_600_000, round(1000 * (self._tick() - began))), "at": iso_time(now)}
        body |= {"seller": self._client.address}
        return {"record": sign(body, self._client.deployment, self._client.keys.signing_key), "content": content}

    # -- who calls --------------------------------------------------------------------------------------------------

    def _require_living(self, standing: Standing, key: str) -> None:
        """A credential ends with its key."""
        now = max(int(self._now()), standing.book.time)
        if not standing.book.span(standing.order["buyer"], key).is_live(now):
            self.store.revoke(standing.order["orderId"])
            raise _credential_over()

    def _require_credential(self, token: str, call: Mapping[str, Any]) -> str:
        """A stolen token is worth nothing: the call is signed by the key that the credential is bound to, and names
        it; returns that key."""
        name, key = self._credential(token, call["order"])
        signer = key_of(call, self._client.deployment)
        if call["credential"] != name or signer != key:
            raise _not_the_holders(key, signer)
        return key

    def _credential(self, token: str, order: str) -> tuple[str, str]:
        """Digest and key of a living credential."""
        try:
            name = to_hex(sha256(from_hex(token, 32)))
        except CryptoError:
            name = ""
        known = self.store.credential(name)
        if known is None or known[0] != order or known[2] <= self._now():
            raise _credential_over()
        return name, known[1]

    def _require_fresh(self, moment: str) -> None:
        apart = abs(unix_seconds(moment) - int(self._now()))
        if apart > SKEW_SECONDS:
            raise RuleError(
                "call_stale",
                f"what was sent is {apart} seconds from this clock",
                zh=f"请求时间与本机时钟相差 {apart} 秒",
                rule="api.calls_are_of_now",
                expected=Words(f"at most {SKEW_SECONDS} seconds apart", f"相差不超过 {SKEW_SECONDS} 秒"),
                got=apart,
                hint="set your clock, and send the call when you sign it",
                hint_zh="请校准时钟，并在签署后立即发送",
            )

    def _line(self, standing: Standing) -> _Line:
        """The order's calls so far; read again if another process on the same records has answered since."""
        order = standing.order["orderId"]
        if order not in self._lines or self._lines[order].meter.size != self.store.count(order):
            meter = meter_of(standing.terms, self.store.records(order))
            self._lines[order] = _Line(meter, Rate(standing.terms["delivery"]["qps"]))
        return self._lines[order]


def _last(meter: Meter) -> int:
    """A record is never from before the last one, whatever the clock does."""
    return unix_seconds(meter.last) if meter.last else 0


def _credential_over() -> NotAuthorizedError:
    return NotAuthorizedError(
        "credential_invalid",
        "this credential has ended, was replaced, or is for another order",
        zh="该凭据已失效、已轮换，或属于其他订单",
        rule="api.credentials_live_short",
        hint="ask for another one: marketplace api credential ORDER",
        hint_zh="请重新申请：marketplace api credential ORDER",
    )


def _not_the_holders(expected: str, got: str) -> NotAuthorizedError:
    return NotAuthorizedError(
        "call_not_the_holders",
        "this is not signed by the key that the credential is bound to, for this credential",
        zh="请求未由凭据所绑定的密钥为该凭据签署",
        rule="api.credentials_are_bound",
        expected=expected,
        got=got,
        hint="sign each call with the buyer's key that asked for the credential",
        hint_zh="请以申请凭据时所用的买方密钥签署每次调用",
    )


def _wrong_number(expected: int, got: int) -> RuleError:
    return RuleError(
        "call_number",
        f"the next call of this order is number {expected}",
        zh=f"该订单下一次调用的序号为 {expected}",
        rule="api.calls_are_numbered",
        expected=expected,
        got=got,
        hint="take the records that you lack first: marketplace api sync ORDER",
        hint_zh="请先取回缺失的调用记录：marketplace api sync ORDER",
    )
