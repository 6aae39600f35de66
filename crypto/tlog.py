"""Tiles, entry bundles and checkpoints of a transparency log, for anyone to fetch and check.

Rules of this file:
  - A tile is 1 .. 256 hashes of one level; level L of tiles is level 8 L of the tree. A full tile never changes; a
    partial one is named by its width and replaced when it grows.
  - An entry bundle holds the same entries as the level-0 tile of its number, each after its length in two bytes.
  - A checkpoint is a signed note (crypto/note.py) whose text is origin, size and root.
  - Paths and bytes from outside are parsed strictly: one path for one tile.

Source: C2SP tlog-tiles and tlog-checkpoint, https://c2sp.org/tlog-tiles, https://c2sp.org/tlog-checkpoint.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import merkle, note
from crypto.errors import MalformedInput, ParameterError

WIDTH = 256
HEIGHT = 8
MAX_LEVEL = 7  # 256^8 entries are more than merkle.MAX_SIZE
MAX_ENTRY_BYTES = 0xFFFF
ENTRIES = "entries"

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)
_CHECKPOINT = re.compile(
    r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*"
)


@dataclass(frozen=True)
class Tile:
    """The name of a tile or of an entry bundle.

    Args:
        level: 0 .. MAX_LEVEL for hashes, or None for the entry bundle.
        index: number of the tile within its level, from 0.
        width: number of hashes or entries, 1 .. 256; 256 is a full tile.
    Raises:
        ParameterError: a number is out of range.
    """

    level: int | None
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if not 0 <= (self.level or 0) <= MAX_LEVEL or not 1 <= self.width <= WIDTH:
            raise ParameterError(f"tile: level 0 .. {MAX_LEVEL} and width 1 .. {WIDTH} expected")
        if not 0 <= self.index <= merkle.MAX_SIZE >> HEIGHT * ((self.level or 0) + 1):
            raise ParameterError(f"tile: index {self.index} is out of range at this level")

    @property
    def path(self) -> str:
        """Path below the log's prefix, e.g. "tile/0/x001/x234/067" or "tile/entries/000.p/12"."""
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
        number = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
        suffix = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{ENTRIES if self.level is None else self.level}/{number}{suffix}"


def parse_path(path: str) -> Tile:
    """The tile that `path` names.

    Raises:
        MalformedInput: not the path of a tile, or not the only path of one (leading zeros, a partial tile of 256).
    """
    match = _PATH.fullmatch(path)
    if match:
        level = None if match["level"] == ENTRIES else int(match["level"])
        index = int(match["index"].replace("x", "").replace("/", ""))
        try:
            tile = Tile(level, index, int(match["width"] or WIDTH))
        except ParameterError:
            match = None
    if not match or tile.path != path:
        raise MalformedInput("not the path of a tile")
    return tile


def tiles(size: int) -> Iterator[Tile]:
    """Every hash tile and entry bundle of a log of `size` entries, partial ones last in their level."""
    for level in (None, *range(MAX_LEVEL + 1)):
        hashes = size >> HEIGHT * (level or 0)
        for index in range(hashes // WIDTH):
            yield Tile(level, index)
        if hashes % WIDTH:
            yield Tile(level, hashes // WIDTH, hashes % WIDTH)


def exists(tile: Tile, size: int) -> bool:
    """Whether a log of `size` entries has (or had, on its way there) this tile."""
    return tile.index * WIDTH + tile.width <= size >> HEIGHT * (tile.level or 0)


def encode_tile(tile: Tile, node: merkle.Node) -> bytes:
    """The bytes of a hash tile: `tile.width` hashes of 32 bytes.

    Args:
        node: as in crypto/merkle.py, e.g. `Tree.node`.
    Raises:
        ParameterError: an entry bundle was asked for, or the log is too short for this tile.
    """
    if tile.level is None:
        raise ParameterError("tile: an entry bundle has no hashes")
    first = tile.index * WIDTH
    return b"".join(node(tile.level * HEIGHT, first + position) for position in range(tile.width))


def decode_tile(tile: Tile, data: bytes) -> list[bytes]:
    """The hashes of a fetched tile, unverified: rebuild the root from them and compare with a checkpoint.

    Raises:
        MalformedInput: not `tile.width` times 32 bytes.
    """
    if len(data) != tile.width * merkle.HASH_BYTES:
        raise MalformedInput(f"{tile.path}: expected {tile.width * merkle.HASH_BYTES} bytes, got {len(data)}")
    return [data[start : start + merkle.HASH_BYTES] for start in range(0, len(data), merkle.HASH_BYTES)]


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """An entry bundle of 1 .. 256 entries.

    Raises:
        ParameterError: no entry, too many, or one longer than MAX_ENTRY_BYTES.
    """
    if not 1 <= len(entries) <= WIDTH or any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise ParameterError(f"entries: expected 1 .. {WIDTH} of at most {MAX_ENTRY_BYTES} bytes each")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_entries(tile: Tile, data: bytes) -> list[bytes]:
    """The entries of a fetched bundle, unverified: hash them and compare with the level-0 tile.

    Raises:
        MalformedInput: not exactly `tile.width` entries.
    """
    entries: list[bytes] = []
    start = 0
    while start < len(data) and len(entries) < tile.width:
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        entries.append(data[start + 2 : end])
        start = end
    if start != len(data) or len(entries) != tile.width:
        raise MalformedInput(f"{tile.path}: expected exactly {tile.width} entries")
    return entries


@dataclass(frozen=True)
class Checkpoint:
    """What a log commits to.

    Args:
        origin: the log's name; one line, no plus.
        size: number of entries, 0 .. 2^63-1.
        root: root of the tree over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes


def sign_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """The checkpoint as a note signed under the log's own name.

    Raises:
        ParameterError: a field is out of range.
    Assumes: the caller never signs two inconsistent checkpoints.
    """
    if not 0 <= checkpoint.size <= merkle.MAX_SIZE or len(checkpoint.root) != merkle.HASH_BYTES:
        raise ParameterError("checkpoint: size or root is out of range")
    root = note.encode_base64(checkpoint.root)
    return note.sign_note(f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n", checkpoint.origin, key)


def open_checkpoint(signed: bytes, log: note.Verifier) -> Checkpoint:
    """What `log` signed. Its name is the origin; extension lines are allowed and ignored.

    Raises:
        MalformedInput: not a signed note, or not a checkpoint of that log.
        InvalidSignature: not signed by the log's key.
    """
    match = _CHECKPOINT.fullmatch(note.open_note(signed, [log]))
    if not match or match["origin"] != log.name or int(match["size"]) > merkle.MAX_SIZE:
        raise MalformedInput(f"not a checkpoint of {log.name}")
    return Checkpoint(match["origin"], int(match["size"]), note.decode_base64(match["root"]))
