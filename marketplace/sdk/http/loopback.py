"""The loopback address that a browser comes back to after a sign-in (RFC 8252, 7.3): one answer is taken, then it is
gone. Any page in the browser can call a port of 127.0.0.1, so only what brings this sign-in's state is an answer."""

import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

from marketplace.errors import PortError

PATH = "/callback"
WAIT_SECONDS = 600.0
READ_SECONDS = 5.0
MAX_FIELDS = 20
PAGE = (
    '<!doctype html><meta charset="utf-8"><title>Signed in 登录</title>'
    "<p>You can close this page and go back to the terminal.</p><p>可关闭此页面并返回终端。</p>"
).encode()


class _Door(HTTPServer):
    found: str | None = None
    state = ""


class _Answer(BaseHTTPRequestHandler):
    timeout = READ_SECONDS  # of a connection that says nothing
    server: _Door

    def do_GET(self) -> None:
        """Note the address, if it is the one that is waited for."""
        path, _, query = self.path.partition("?")
        if path != PATH or not self._brings(query) or self.server.found is not None:
            self.send_error(404)
            return
        host, port = self.server.server_address[:2]
        self.server.found = f"http://{host!s}:{port}{self.path}"
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-security-policy", "default-src 'none'")
        self.send_header("referrer-policy", "no-referrer")
        self.send_header("content-length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def _brings(self, query: str) -> bool:
        """Whether it is the answer to this sign-in."""
        try:
            brought = parse_qs(query, max_num_fields=MAX_FIELDS).get("state", [""])
        except ValueError:
            return False
        return hmac.compare_digest(brought[0].encode(), self.server.state.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: the address holds a code."""


class Waiting:
    """An open loopback address.

    Attributes:
        redirect_uri: where the browser comes back to.
    """

    def __init__(self, door: _Door) -> None:
        self._door = door
        self.redirect_uri = f"http://127.0.0.1:{door.server_address[1]}{PATH}"

    def address(self, state: str, seconds: float = WAIT_SECONDS) -> str:
        """The address that the browser came back to.

        Args:
            state: that it brings back; callers with another are not heard.
            seconds: how long to wait.
        Raises:
            PortError: `browser_silent`: nobody came.
        """
        end, self._door.state = time.monotonic() + seconds, state
        while self._door.found is None:
            left = end - time.monotonic()
            if left <= 0:
                raise PortError(
                    "browser_silent",
                    "the browser did not come back",
                    zh="浏览器未返回",
                    hint="begin again; without a browser on this machine use --paste",
                    hint_zh="请重新开始；本机没有浏览器时请使用 --paste",
                )
            self._door.timeout = left
            self._door.handle_request()
        return self._door.found


@contextmanager
def waiting() -> Iterator[Waiting]:
    """Listen on a free port of 127.0.0.1."""
    door = _Door(("127.0.0.1", 0), _Answer)
    try:
        yield Waiting(door)
    finally:
        door.server_close()
