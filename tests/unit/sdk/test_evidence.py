"""The reader of the log: signed by the pinned key, extending what was seen, entries proved to be in it."""

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import merkle, tlog
from crypto.canonical import canonical_json, to_hex
from marketplace.errors import VerificationError
from marketplace.sdk import evidence
from marketplace.sdk.client import Client
from tests.unit.sdk.exchange import Exchange, Handler, problem

LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
ORIGIN = "exchange.test/log"


class Log:
    """A log whose past can be rewritten, as an honest one's cannot."""

    def __init__(self, count: int, signer: Ed25519PrivateKey = LOG_KEY) -> None:
        self.entries = [canonical_json({"type": "test", "n": number}) for number in range(count)]
        self.signer = signer

    def exchange(self) -> Exchange:
        """An exchange that serves this log."""
        exchange = Exchange(log_key=to_hex(LOG_KEY.public_key().public_bytes_raw()))
        exchange.answer = self._answer(exchange)  # type: ignore[assignment]
        return exchange

    def _answer(self, exchange: Exchange) -> Handler:
        usual = exchange.answer

        def answer(request: httpx.Request) -> httpx.Response:
            path = request.url.path.removeprefix("/log/")
            if path == "checkpoint":
                return httpx.Response(200, content=self.checkpoint())
            if path.startswith("tile/"):
                return self._tile(tlog.parse_path(path))
            return usual(request)

        return answer

    def checkpoint(self) -> bytes:
        """The signed head."""
        return tlog.sign_checkpoint(tlog.Checkpoint(ORIGIN, len(self.entries), merkle.root(self.entries)), self.signer)

    def _tile(self, tile: tlog.Tile) -> httpx.Response:
        if not tlog.exists(tile, len(self.entries)):
            return problem(404, "tile_unknown")
        if tile.level is None:
            first = tile.index * tlog.WIDTH
            return httpx.Response(200, content=tlog.encode_entries(self.entries[first : first + tile.width]))
        return httpx.Response(200, content=tlog.encode_tile(tile, self._node))

    def _node(self, level: int, index: int) -> bytes:
        return merkle.root(self.entries[index << level : (index + 1) << level])


def _client(log: Log) -> Client:
    return log.exchange().client(None)


@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 2), (3, 300), (255, 257), (256, 512), (600, 777)])
def test_a_growing_log_is_accepted(before: int, after: int) -> None:
    log = Log(before)
    with _client(log) as client:
        assert evidence.checkpoint(client).previous_size is None
        log.entries = Log(after).entries
        accepted = evidence.checkpoint(client)
    assert (accepted.previous_size, accepted.checkpoint.size) == (before, after)


def test_a_log_that_rewrites_its_past_is_refused_and_not_remembered() -> None:
    log = Log(300)
    with _client(log) as client:
        good = evidence.checkpoint(client)
        log.entries = Log(400).entries
        log.entries[17] = canonical_json({"type": "test", "n": -1})
        with pytest.raises(VerificationError) as caught:
            evidence.checkpoint(client)
        seen = client.journal.checkpoint(ORIGIN)
    assert caught.value.code == "log_inconsistent"
    assert seen is not None
    assert seen.note == good.note


def test_another_head_of_the_same_size_is_refused() -> None:
    log = Log(20)
    with _client(log) as client:
        evidence.checkpoint(client)
        log.entries[3] = b"{}"
        with pytest.raises(VerificationError):
            evidence.checkpoint(client)


def test_a_shorter_log_is_refused() -> None:
    log = Log(20)
    with _client(log) as client:
        evidence.checkpoint(client)
        log.entries.pop()
        with pytest.raises(VerificationError, match="shorter"):
            evidence.checkpoint(client)


def test_a_checkpoint_by_another_key_is_refused() -> None:
    with _client(Log(20, Ed25519PrivateKey.generate())) as client, pytest.raises(VerificationError):
        evidence.checkpoint(client)


@pytest.mark.parametrize("position", [0, 255, 256, 299])
def test_an_entry_is_proved_to_be_in_the_log(position: int) -> None:
    with _client(Log(300)) as client:
        assert evidence.verify_entry(client, position)["n"] == position


def test_an_entry_that_the_root_does_not_commit_to_is_refused() -> None:
    log = Log(300)
    signed = log.checkpoint()
    log.entries[5] = canonical_json({"type": "test", "n": -5})
    log.checkpoint = lambda: signed  # type: ignore[method-assign]
    with _client(log) as client, pytest.raises(VerificationError):
        evidence.verify_entry(client, 5)


def test_a_position_outside_the_log_is_refused() -> None:
    with _client(Log(3)) as client, pytest.raises(VerificationError, match="no such entry"):
        evidence.verify_entry(client, 3)
