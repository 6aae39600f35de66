"""HTTP without surprises: one family of errors, bounded answers, retries only where repeating is harmless.

Repeated after a lost connection: reads, uploads named by their own digest, and writes whose effect is keyed by a
signed statement's digest (the service answers a repeated intent with the state of the first). Any other write is sent
once; if the connection breaks, the caller is told that the outcome is unknown.
"""

import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from marketplace.errors import MarketplaceError, PortError
from marketplace.sdk.http import problems

ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.25
TIMEOUT_SECONDS = 30.0
MAX_ANSWER_BYTES = 64 << 20
_PACKINGS = ("gzip", "deflate")  # at most a thousand to one; zstd or one in another make gigabytes of one packet
_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})
BUSY = frozenset({502, 503, 504})


class Transport:
    """One service's HTTP side.

    Args:
        url: base url, without a trailing slash.
        http: a ready client, e.g. a test client over an in-process app; made here when None.
        sleep: how to pause between attempts.
    """

    def __init__(self, url: str, http: httpx.Client | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self.url = url
        self._owned = http is None
        self._http = http or httpx.Client(
            base_url=url, timeout=TIMEOUT_SECONDS, follow_redirects=False, verify=_trusted(url)
        )
        self._sleep = sleep

    def close(self) -> None:
        """Give back the connections made here."""
        if self._owned:
            self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool,
        headers: Mapping[str, str] | None = None,
        wait: float = 0,
        **content: Any,
    ) -> httpx.Response:
        """Send a request and return its successful answer.

        Args:
            repeatable: whether sending it twice is harmless.
            wait: seconds the service may hold the answer back (long poll), added to the time-out.
            content: httpx's params, json, content.
        Raises:
            MarketplaceError: what the service refused, in the class it was raised as.
            PortError: the service cannot be reached, or the connection broke (`outcome_unknown` where that matters).
        """
        attempts = ATTEMPTS if repeatable else 1
        for attempt in range(1, attempts + 1):
            try:
                return self._once(
                    method, path, headers=dict(headers or {}), wait=wait, repeatable=repeatable, **content
                )
            except PortError as error:
                if not error.retryable or attempt == attempts:
                    raise
                self._sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        raise AssertionError("unreachable: the loop returns or raises")

    def download(self, path: str, target: Path, headers: Mapping[str, str], progress: Callable[[int], None]) -> int:
        """Stream a successful GET answer into `target`, whole or not at all; returns its size in bytes.

        Raises:
            MarketplaceError: as `request`.
        """
        partial = target.with_name(f".{target.name}.partial")
        try:
            asked = _asking(headers)
            with self._http.stream("GET", path, headers=asked, timeout=TIMEOUT_SECONDS) as response:
                _check_packing(response)
                if not response.is_success:
                    raise _refused(_read(response))
                _write_all(response, partial, progress)
        except httpx.HTTPError as error:
            partial.unlink(missing_ok=True)
            raise _broken(self.url, repeatable=True) from error
        partial.replace(target)
        return target.stat().st_size

    def _once(
        self, method: str, path: str, *, headers: dict[str, str], wait: float, repeatable: bool, **content: Any
    ) -> httpx.Response:
        timeout = httpx.Timeout(TIMEOUT_SECONDS + wait, connect=5.0)
        try:
            with self._http.stream(method, path, headers=_asking(headers), timeout=timeout, **content) as answer:
                _check_packing(answer)
                response = _read(answer)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _unreachable(self.url) from error
        except httpx.HTTPError as error:
            raise _broken(self.url, repeatable) from error
        if response.is_success:
            return response
        raise _refused(response)


def _trusted(url: str) -> ssl.SSLContext:
    """The usual authorities, or none for an address that takes no TLS: loading them takes as long as a call."""
    if url.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, so that it fails should TLS be spoken after all
    return httpx.create_ssl_context()


def _asking(headers: Mapping[str, str]) -> dict[str, str]:
    return {"accept-encoding": ", ".join(_PACKINGS), **headers}


def _check_packing(response: httpx.Response) -> None:
    """Refuse an answer packed in a way that was not asked for, before a byte of it is unpacked."""
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing and packing not in ("identity", *_PACKINGS):
        raise PortError(
            "answer_malformed",
            "the service's answer is packed in a way that this client does not take",
            zh="服务端返回的压缩方式不受支持",
            retryable=False,
            expected=", ".join(_PACKINGS),
            got=packing[:80],
        )


def _write_all(response: httpx.Response, target: Path, progress: Callable[[int], None]) -> None:
    with target.open("wb") as file:
        for chunk in response.iter_bytes():
            file.write(chunk)
            progress(len(chunk))


def _refused(response: httpx.Response) -> MarketplaceError:
    error = problems.from_response(response)
    if isinstance(error, PortError):
        error.retryable = response.status_code in BUSY or response.status_code == httpx.codes.TOO_MANY_REQUESTS
    return error


def _read(response: httpx.Response) -> httpx.Response:
    """The answer with its whole body, unpacked; counted while it comes, so that a packed bomb does not fill memory."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise _too_large()
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_WIRE]
    return httpx.Response(response.status_code, headers=headers, content=bytes(body), request=response.request)


def _too_large() -> PortError:
    return PortError(
        "answer_too_large",
        "the service's answer is larger than this client accepts",
        zh="服务端返回的数据过大",
        retryable=False,
        expected=f"<= {MAX_ANSWER_BYTES} bytes",
    )


def _unreachable(url: str) -> PortError:
    return PortError(
        "service_unreachable",
        f"no connection to {url}",
        zh=f"无法连接 {url}",
        hint="is `marketplace serve` running there? set another address with --url or MARKETPLACE_URL",
        hint_zh="请确认服务已启动 (marketplace serve)，或用 --url / MARKETPLACE_URL 指定地址",
    )


def _broken(url: str, repeatable: bool) -> PortError:
    if repeatable:
        return PortError("connection_broken", f"the connection to {url} broke", zh=f"与 {url} 的连接中断")
    return PortError(
        "outcome_unknown",
        f"the connection to {url} broke before the answer came: the request may or may not have been carried out",
        zh=f"与 {url} 的连接在收到答复前中断，请求可能已执行，也可能未执行",
        retryable=False,
        hint="look at the state before sending it again",
        hint_zh="重发之前请先查询状态",
    )
