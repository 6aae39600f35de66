"""Kills the gateway, then the caller, before every statement of its store, and after every commit, while a call is made
and paid.

    python -m tests.integration.service.killing URL LISTING ORDER FOLDER

Run by test_calls_killed.py against a running service. Each round a process of its own is killed with SIGKILL at the
next moment of its work (`Deadly`), and others go on on the same files; then both sides' records, and the voucher, are
compared. A line of JSON for each round, the last of either side being the one in which nobody had to die.
"""

import json
import os
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace.errors import PortError
from marketplace.gateway.desk import Desk
from marketplace.gateway.serving import Address, listening
from marketplace.gateway.standing import Standings
from marketplace.gateway.table import Table
from marketplace.sdk.api.calling import Caller
from marketplace.sdk.client import Client
from marketplace.sdk.home.call_store import CallStore
from marketplace.sdk.http import transport
from tests.integration.service.calling import OPERATIONS, rows
from tests.sealed_market import keys

CALLS, WAIT_SECONDS = 1, 20.0


class Deadly(sqlite3.Connection):
    """Ends the process at the n-th moment: before a statement, or after one that commits."""

    left = -1

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        self.tick()
        done = super().execute(*arguments)
        if arguments[0] == "COMMIT":
            self.tick()
        return done

    @staticmethod
    def tick() -> None:
        if Deadly.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        Deadly.left -= 1


@dataclass
class Scene:
    """The order, and where the two sides keep what they know."""

    url: str
    listing: str
    order: str
    folder: Path
    port: int

    def store(self, side: str) -> CallStore:
        return CallStore(self.folder / f"{side}.sqlite")

    def gateway(self, left: int) -> None:
        """Serve until killed; the moments of its work begin with the first call."""
        sqlite3.connect = deadly  # type: ignore[assignment]
        desk = Desk(
            Standings(Client(self.url, keys("supplier")), self.listing),
            Table(rows(), OPERATIONS),
            self.store("gateway"),
        )
        with listening(desk, Address("127.0.0.1", self.port, f"http://127.0.0.1:{self.port}")):
            Deadly.left = left
            time.sleep(600)

    def caller(self, left: int) -> None:
        """Make some calls and pay them."""
        sqlite3.connect = deadly  # type: ignore[assignment]
        with Caller(Client(self.url, keys("buyer")), self.order, self.store("buyer")) as calls:
            Deadly.left = left
            for number in range(CALLS):
                calls.call("flight", [{"column": "id", "test": "EQ", "value": f"F{number + 10:04d}"}])
            calls.pay()

    def until_it_can(self) -> None:
        """A caller that comes again until the gateway is there."""
        end = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                return self.caller(-1)
            except PortError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def facts(self) -> dict[str, Any]:
        """What both sides hold."""
        seller, buyer = self.store("gateway"), self.store("buyer")
        found = {
            "same": seller.records(self.order) == buyer.records(self.order),
            "calls": buyer.count(self.order),
            "numbers": [record["number"] for record in buyer.records(self.order)],
            "pending": buyer.pending(self.order) is not None,
            "vouchers": [seller.voucher(self.order), buyer.voucher(self.order)],
        }
        seller.close()
        buyer.close()
        return found


connect = sqlite3.connect


def deadly(*arguments: Any, **named: Any) -> sqlite3.Connection:
    """A connection that ends the process when its time has come."""
    return connect(*arguments, **named, factory=Deadly)


def started(action: Callable[[], object]) -> int:
    """Do it in a process of its own; returns the process."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            action()
            code = 0
        except PortError:
            code = 2
        except BaseException:  # told by the exit status, after the trace
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    return child


def ended(child: int) -> bool:
    """Wait for it; whether it was killed. A caller whose gateway died says so (2)."""
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) in (0, 2), "the work failed"
    return False


def serving(scene: Scene, left: int) -> int:
    """A gateway that listens."""
    child = started(lambda: scene.gateway(left))
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", scene.port)) == 0:
                return child
        time.sleep(0.01)
    raise AssertionError("the gateway does not listen")


def stopped(child: int) -> None:
    """End a gateway that nobody killed yet."""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def kill_gateway(scene: Scene, moment: int) -> bool:
    """One round; whether its moment came."""
    first = serving(scene, moment)
    ended(started(lambda: scene.caller(-1)))
    died = os.waitpid(first, os.WNOHANG)[0] == first
    if not died:
        stopped(first)
    second = serving(scene, -1)
    assert not ended(started(scene.until_it_can))
    stopped(second)
    return died


def kill_caller(scene: Scene, moment: int) -> bool:
    """One round; whether its moment came."""
    died = ended(started(lambda: scene.caller(moment)))
    assert not ended(started(scene.until_it_can))
    return died


def main(url: str, listing: str, order: str, folder: str) -> None:
    """Both sides, moment by moment."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
    transport.FIRST_PAUSE_SECONDS = 0.01  # nobody is helped by waiting for a gateway that is dead
    scene = Scene(url, listing, order, Path(folder), port)
    for side, act in (("gateway", kill_gateway), ("caller", kill_caller)):
        alive = serving(scene, -1) if side == "caller" else 0
        moment, died = 0, True
        while died:
            died = act(scene, moment)
            sys.stdout.write(json.dumps({"side": side, "died": died, **scene.facts()}) + "\n")
            moment += 1
        if alive:
            stopped(alive)


if __name__ == "__main__":
    main(*sys.argv[1:])
