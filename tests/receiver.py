"""A server that receives webhooks, as a participant's own system would: it verifies each with `standardwebhooks`."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass
class Receiver:
    """What came in, and what is answered.

    Attributes:
        secret: of the endpoint; while it is empty nothing is verified.
        answers: statuses of the next tries, in order; 204 when there are no more.
        taken: (webhook-id, event) of what was answered with 2xx, in order.
        tries: webhook-id of every request.
    """

    url: str = ""
    secret: str = ""
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    tries: list[str] = field(default_factory=list)
    pause: float = 0

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Take one request."""
        body = request.rfile.read(int(request.headers["content-length"]))
        time.sleep(self.pause)
        name = request.headers["webhook-id"]
        self.tries.append(name)
        status = self.answers.pop(0) if self.answers else 204
        if self.secret:
            event = Webhook(self.secret).verify(body, dict(request.headers.items()))
            if status < 300:
                self.taken.append((name, event))
        request.send_response(status)
        if 300 <= status < 400:
            request.send_header("location", self.url)
        request.send_header("content-length", "0")
        request.end_headers()

    @property
    def types(self) -> list[str]:
        """Kinds of the events that were taken, in order."""
        return [event["type"] for _, event in self.taken]

    def wait(self, enough: Callable[["Receiver"], bool], seconds: float = 20) -> None:
        """Wait until enough has come."""
        end = time.monotonic() + seconds
        while not enough(self):
            assert time.monotonic() < end, (self.types, self.tries[-5:])
            time.sleep(0.02)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of loopback."""
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.handle(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
