"""The log as its readers check it: every new checkpoint must be signed by the pinned key and extend the last one that
was seen.

The last accepted checkpoint is kept in the journal, so a log that forgets or rewrites its past is noticed at the next
command, not at the next audit. Tiles come as C2SP tlog-tiles and are not trusted: a proof made from them leads to a
signed root, or it does not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto import canonical, merkle, note, tlog
from crypto.canonical import from_hex, to_hex
from crypto.errors import CryptoError, InvalidProof
from marketplace.errors import VerificationError
from marketplace.sdk.client import Client
from marketplace.sdk.home.journal import SeenCheckpoint
from marketplace.words import Words


@dataclass(frozen=True)
class Accepted:
    """A checkpoint that was verified, and what it was compared with.

    Args:
        checkpoint: the log's name, size and root.
        note: the signed note as it came.
        previous_size: size of the last checkpoint that this participant had seen; None on first sight.
    """

    checkpoint: tlog.Checkpoint
    note: str
    previous_size: int | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        head = self.checkpoint
        facts = {"origin": head.origin, "size": head.size, "root": to_hex(head.root), "note": self.note}
        return {**facts, "previousSize": self.previous_size}


def checkpoint(client: Client) -> Accepted:
    """Fetch the log's newest checkpoint, verify it, and remember it.

    Raises:
        VerificationError: it is not signed by the pinned key, is smaller than one already seen, or rewrites the past.
    """
    pin = client.profile.pin
    signed = client.get_bytes("/log/checkpoint")
    head = _open(signed, note.Verifier(pin.log_origin, from_hex(pin.log_key, 32)))
    seen = client.journal.checkpoint(pin.log_origin)
    if seen is not None:
        _check_extends(client, seen, head)
    found = SeenCheckpoint(head.size, to_hex(head.root), signed.decode())
    client.journal.accept_checkpoint(pin.log_origin, found)
    return Accepted(head, found.note, seen.size if seen else None)


def verify_entry(client: Client, position: int) -> dict[str, Any]:
    """One entry of the log, proved to be in it under a verified checkpoint.

    Raises:
        VerificationError: the log is shorter, or the entry is not what the signed root commits to.
    """
    head = checkpoint(client).checkpoint
    if not 0 <= position < head.size:
        raise _broken(
            Words("the log has no such entry", "日志没有该条目"),
            expected=Words(f"0 to {head.size - 1}", f"0 至 {head.size - 1}"),
            got=position,
        )
    entry = _entry(client, position, head.size)
    node = _Nodes(client, head.size)
    try:
        path = merkle.inclusion_proof(position, head.size, node)
        merkle.verify_inclusion(merkle.leaf_hash(entry), position, head.size, path, head.root)
    except CryptoError as error:
        raise _broken(
            Words(f"entry {position} is not in the log: {error}", f"第 {position} 条不在日志中"), got=str(error)
        ) from error
    found: dict[str, Any] = canonical.load_canonical(entry)
    return found


def entries(client: Client) -> Iterator[dict[str, Any]]:
    """Every entry of the log, in order; all of them are fetched, and lead to the signed root, before the first is
    given.

    Raises:
        VerificationError: as `checkpoint`, or the entries are not what the signed root commits to.
    """
    head = checkpoint(client).checkpoint
    found: list[bytes] = []
    while len(found) < head.size:
        tile = _tile(None, len(found) // tlog.WIDTH, head.size)
        found += tlog.decode_entries(tile, client.get_bytes(f"/log/{tile.path}"))
    if merkle.root(found) != head.root:
        raise _broken(
            Words("its entries do not lead to its signed root", "各条目与其签署的根不符"), expected=to_hex(head.root)
        )
    for entry in found:
        yield canonical.load_canonical(entry)


def download_bundle(client: Client, target: Path, progress: Callable[[int], None] = lambda _count: None) -> int:
    """Download the evidence bundle, a zip that `marketplace audit` reads offline; returns its size in bytes."""
    return client.download("/evidence/bundle", target, progress)


class _Nodes:
    """Reads inner nodes of a log of `size` entries from its tiles, each tile once."""

    def __init__(self, client: Client, size: int) -> None:
        self._client, self._size = client, size
        self._tiles: dict[str, list[bytes]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The root of the perfect subtree `index` at `level`, 32 bytes."""
        tile_level, below = divmod(level, tlog.HEIGHT)
        first, count = index << below, 1 << below
        hashes = self._tile(_tile(tile_level, first // tlog.WIDTH, self._size))
        start = first % tlog.WIDTH
        return merkle.root_of_hashes(hashes[start : start + count])

    def _tile(self, tile: tlog.Tile) -> list[bytes]:
        if tile.path not in self._tiles:
            self._tiles[tile.path] = tlog.decode_tile(tile, self._client.get_bytes(f"/log/{tile.path}"))
        return self._tiles[tile.path]


def _tile(level: int | None, index: int, size: int) -> tlog.Tile:
    left = (size >> tlog.HEIGHT * (level or 0)) - index * tlog.WIDTH
    return tlog.Tile(level, index, min(tlog.WIDTH, left))


def _entry(client: Client, position: int, size: int) -> bytes:
    tile = _tile(None, position // tlog.WIDTH, size)
    return tlog.decode_entries(tile, client.get_bytes(f"/log/{tile.path}"))[position % tlog.WIDTH]


def _open(signed: bytes, log: note.Verifier) -> tlog.Checkpoint:
    try:
        return tlog.open_checkpoint(signed, log)
    except CryptoError as error:
        raise _broken(
            Words(f"the checkpoint does not verify: {error}", "检查点未通过验证"),
            expected=log.to_text(),
            got=str(error),
        ) from error


def _check_extends(client: Client, seen: SeenCheckpoint, head: tlog.Checkpoint) -> None:
    if head.size < seen.size:
        raise _broken(
            Words("the log became shorter", "日志变短"),
            expected=Words(f"at least {seen.size} entries", f"至少 {seen.size} 条"),
            got=head.size,
        )
    if seen.size == 0:
        return
    try:
        path = merkle.consistency_proof(seen.size, head.size, _Nodes(client, head.size))
        merkle.verify_consistency(seen.size, from_hex(seen.root, 32), head.size, head.root, path)
    except InvalidProof as error:
        raise _broken(
            Words(f"the log rewrote its past: {error}", "日志改写了既往内容"), expected=seen.root, got=str(error)
        ) from error


def _broken(what: Words, expected: object = None, got: object = None) -> VerificationError:
    return VerificationError(
        "log_inconsistent",
        what.en,
        zh=f"日志不一致：{what.zh}",
        rule="evidence.log_only_grows",
        expected=expected,
        got=got,
        hint="keep both checkpoints: together they prove it; tell an auditor",
        hint_zh="请保留两份检查点作为证据，并告知审计方",
    )
