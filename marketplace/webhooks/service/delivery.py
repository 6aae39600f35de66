"""Sending, with distrust of where it is sent to.

Every name is resolved here and the connection goes to exactly the address that was checked, so a name that resolves to
something else a moment later (DNS rebinding) gains nothing. Redirects are not followed, proxies of the environment are
not used, TLS is verified for the name, every try has a time limit as a whole, and of an answer nothing is read but its
status.
"""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import certifi
import httpcore

from marketplace.web.context import Context
from marketplace.webhooks import rules
from marketplace.webhooks.service import cipher_of, outbox
from marketplace.webhooks.service.outbox import Outcome, Parcel

log = logging.getLogger(__name__)
TRY_SECONDS = 10.0
PARCEL_SECONDS = 5.0  # after so long no further message of a parcel is begun
WORKERS = 8
DAY = 86_400
GONE = 410
USER_AGENT = "trusted-data-marketplace webhooks"


class RefusedAddressError(Exception):
    """The name has no address that may be called.

    Its owner reads this text, so it does not say which: or whoever registers names would learn which of them the
    operator's own network knows, and their addresses there.
    """

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} does not resolve, or not to public addresses alone")


class _Until(httpcore.NetworkStream):
    """A stream that ends at a moment, however little at a time the other side sends."""

    def __init__(self, inner: httpcore.NetworkStream, end: float) -> None:
        self._inner, self._end = inner, end

    def _left(self, timeout: float | None) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout(f"no answer in {TRY_SECONDS:.0f} seconds")
        return left if timeout is None else min(timeout, left)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As NetworkStream.read."""
        return self._inner.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As NetworkStream.write."""
        self._inner.write(buffer, self._left(timeout))

    def close(self) -> None:
        """As NetworkStream.close."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """As NetworkStream.start_tls."""
        return _Until(self._inner.start_tls(ssl_context, server_hostname, self._left(timeout)), self._end)

    def get_extra_info(self, info: str) -> Any:
        """As NetworkStream.get_extra_info."""
        return self._inner.get_extra_info(info)


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to public addresses alone, and for one try: its time runs from the moment that this is made."""

    def __init__(self, *, loopback: bool) -> None:
        self._loopback, self._inner = loopback, httpcore.SyncBackend()
        self._end = time.monotonic() + TRY_SECONDS

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """As NetworkBackend.connect_tcp.

        Raises:
            RefusedAddressError: it has no address, or one that is not public.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise RefusedAddressError(host) from None
        addresses = [str(item[4][0]) for item in found]
        if not all(rules.may_be_called(address, loopback=self._loopback) for address in addresses):
            raise RefusedAddressError(host)
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ConnectTimeout(f"{host} did not resolve in {TRY_SECONDS:.0f} seconds")
        left = left if timeout is None else min(timeout, left)
        return _Until(self._inner.connect_tcp(addresses[0], port, left, local_address, socket_options), self._end)


def post(url: str, headers: Mapping[str, str], body: bytes, *, loopback: bool) -> int:
    """Post once and return the status of the answer.

    Raises:
        RefusedAddressError: the address may not be called.
        httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError: it could not be reached in time.
    """
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), TRY_SECONDS)
    backend = GuardedBackend(loopback=loopback)
    with (
        httpcore.ConnectionPool(ssl_context=_trusted(), network_backend=backend, retries=0) as pool,
        pool.stream(
            "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": timeouts}
        ) as answer,
    ):
        return int(answer.status)


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


def send(parcel: Parcel, clock: Callable[[], int], *, loopback: bool, stopping: threading.Event) -> list[Outcome]:
    """Send the messages of a parcel in order, up to the first that fails."""
    outcomes: list[Outcome] = []
    end = time.monotonic() + PARCEL_SECONDS
    for item in parcel.messages:
        if stopping.is_set() or time.monotonic() > end:
            break
        outcomes.append(_try(parcel, item, clock(), loopback))
        if outcomes[-1].problem:
            break
    return outcomes


def _try(parcel: Parcel, item: tuple[int, str, bytes], now: int, loopback: bool) -> Outcome:
    number, message, body = item
    if not parcel.secrets:
        return Outcome(number, "the secret cannot be read any more: rotate it")
    headers = {
        "content-type": "application/cloudevents+json",
        "user-agent": USER_AGENT,
        "webhook-id": message,
        "webhook-timestamp": str(now),
        "webhook-signature": rules.sign(parcel.secrets, message, now, body),
    }
    try:
        status = post(parcel.url, headers, body, loopback=loopback)
    except RefusedAddressError as error:
        return Outcome(number, str(error))
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
        return Outcome(number, str(error)[:200] or type(error).__name__)
    if 200 <= status < 300:
        return Outcome(number)
    return Outcome(number, f"answered {status}", gone=status == GONE)


class Deliverer:
    """Hands out facts and sends messages, a step at a time, each endpoint in a thread of its own.

    Args:
        context: the service.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._cipher = cipher_of(context.settings)
        self._stopping = threading.Event()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="webhooks")
        self._busy = 0
        self._lock = threading.Lock()
        self._started = False
        self._swept_at = 0

    def hand_out(self) -> None:
        """Make messages of all facts that were not handed out."""
        with self._context.reading() as session:
            more = outbox.has_news(session)
        while more and not self._stopping.is_set():
            with self._context.writing() as session:
                more = outbox.hand_out(session, self._context.settings.public_url, self._context.clock()) > 0

    def remind(self) -> None:
        """Make messages of times that are nearly over, and of papers of a month that is."""
        with self._context.writing() as session:
            outbox.hand_out_timed(session, self._context.settings.public_url, self._context.clock())

    def deliver(self) -> None:
        """Send what is due, as far as threads are free."""
        now = self._context.clock()
        self._keep_house(now)
        with self._lock:
            free = WORKERS - self._busy
        with self._context.reading() as session:
            if not free or not outbox.is_due(session, now):
                return
        with self._context.writing() as session:
            parcels = outbox.claim(session, self._cipher, now, free)
        for parcel in parcels:
            with self._lock:
                self._busy += 1
            self._workers.submit(self._send, parcel)

    def end(self) -> None:
        """Finish what is being sent."""
        self._stopping.set()
        self._workers.shutdown(wait=True, cancel_futures=True)

    def _send(self, parcel: Parcel) -> None:
        loopback = self._context.settings.webhook_allow_loopback
        try:
            outcomes = send(parcel, self._context.clock, loopback=loopback, stopping=self._stopping)
            self._settle(parcel.endpoint, outcomes)
        except Exception:  # a thread of the pool would keep it to itself; the claim runs out and it is tried again
            log.exception("a webhook of %s could not be sent", parcel.endpoint)
        finally:
            with self._lock:
                self._busy -= 1

    def _settle(self, endpoint: str, outcomes: Sequence[Outcome]) -> None:
        settings = self._context.settings
        patience = {"first_pause": settings.webhook_retry_seconds, "give_up": settings.webhook_give_up_days * DAY}
        with self._context.writing() as session:
            outbox.settle(session, endpoint, outcomes, self._context.clock(), **patience)

    def _keep_house(self, now: int) -> None:
        """Once at the start: free what a process that died had claimed. Once an hour: forget what is long delivered."""
        if self._started and now - self._swept_at < DAY // 24:
            return
        with self._context.writing() as session:
            if not self._started:
                outbox.release_claims(session)
            outbox.sweep(session, now - self._context.settings.webhook_keep_days * DAY)
        self._started, self._swept_at = True, now
