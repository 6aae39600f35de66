"""A data set that is being written, which a process that was killed takes up again where it was.

    <datasets>/.draft-<job>/lock             held by the process at work
                            blobs/<digest>   chunks that are sealed
                            chunks.jsonl     which chunk of which column each of them is, a line each, with a tag
                            <name>.bin       what must not be done twice: key, statistics, rows by bucket; AES-256-GCM

A job is one file, one declaration and one change of one series: its name is a digest over all of them, so rows of
another file never mix into a draft. A chunk counts from the moment that its line is on the disk; a line cut short by
the kill does not count, nor one whose tag this vault did not make, nor a blob that does not hash to its name: a sealed
chunk can be changed without its key, since adding to a ciphertext adds to its values. Whatever a file's fault stops is
removed; what a kill, a full disk or a person stops stays, and holds nothing in clear.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from crypto.canonical import canonical_json, sha256, to_hex
from crypto.errors import DecryptionFailed
from marketplace.errors import RuleError
from marketplace.vault.keeping.durable import replace_file, sync_tree, write_file
from marketplace.vault.keeping.secrecy import Cipher

Place = tuple[int, str, int]
"""(position of the form, column, index of the chunk)."""
Entry = dict[str, Any]
PREFIX = ".draft-"
CHECKPOINT_SECONDS = 0.5
CHECKPOINT_SHARE = 20  # at most one part in twenty of the time goes into checkpoints
_JOURNAL, _LOCK = "chunks.jsonl", "lock"


class Draft:
    """One draft, open in this process alone."""

    def __init__(self, path: Path, job: str, cipher: Cipher) -> None:
        self.path, self._job, self._cipher = path, job, cipher
        self._chunks = self._read_journal()

    def chunk(self, place: Place, seal: Callable[[], bytes]) -> Entry:
        """The manifest's entry of a chunk: sealed now, unless it was before."""
        if place not in self._chunks:
            entry = self._put_blob(seal())
            self._append(place, entry)
            self._chunks[place] = entry
        return self._chunks[place]

    def chunks(self, form: int, column: str) -> list[Entry]:
        """The entries of a column's chunks, in order."""
        places = sorted(place for place in self._chunks if place[:2] == (form, column))
        return [self._chunks[place] for place in places]

    def has(self, place: Place) -> bool:
        """Whether a chunk is sealed."""
        return place in self._chunks

    def share_blob(self, folder: Path, name: str) -> None:
        """Take over a blob from another data set's folder; the file is stored once."""
        target = self.path / "blobs" / name[2:]
        if not target.exists():
            os.link(folder / "blobs" / name[2:], target)

    def put_file(self, name: str, data: bytes) -> None:
        """Add a file that stays in the data set's folder beside its blobs."""
        replace_file(self.path / name, data)

    def forget_chunks(self) -> None:
        """Take no sealed chunk as done: their key is gone."""
        replace_file(self.path / _JOURNAL, b"")
        self._chunks.clear()

    def save(self, name: str, data: bytes) -> None:
        """Keep some private bytes under a name, in place of what was there."""
        replace_file(self.path / f"{name}.bin", self._cipher.encrypt(data, self._context(name)))

    def load(self, name: str) -> bytes | None:
        """What was last saved under a name.

        Raises:
            crypto.errors.DecryptionFailed: it was altered, or is another vault's.
        """
        path = self.path / f"{name}.bin"
        return self._cipher.decrypt(path.read_bytes(), self._context(name)) if path.exists() else None

    def append_frame(self, name: str, end: int, data: bytes) -> int:
        """Add private bytes to the file of that name, which is cut to `end` bytes first; returns where it ends now."""
        sealed = self._cipher.encrypt(data, self._context(f"{name}/{end}"))
        with self._frames(name, os.O_RDWR | os.O_CREAT) as file:
            file.truncate(end)
            file.seek(end)
            file.write(len(sealed).to_bytes(4, "big") + sealed)
        return end + 4 + len(sealed)

    def frames(self, name: str, end: int) -> Iterator[bytes]:
        """What was added to the file of that name, frame by frame, up to `end` bytes.

        Raises:
            crypto.errors.DecryptionFailed: a frame was altered, moved or lost.
        """
        place = 0
        with self._frames(name, os.O_RDONLY | os.O_CREAT) as file:
            while place < end:
                size = int.from_bytes(file.read(4), "big")
                yield self._cipher.decrypt(file.read(size), self._context(f"{name}/{place}"))
                place += 4 + size

    def sync(self, name: str) -> None:
        """Flush the frames of that name to the disk."""
        with self._frames(name, os.O_RDWR | os.O_CREAT) as file:
            os.fsync(file.fileno())

    def finish(self, blobs: set[str]) -> None:
        """Leave nothing but `blobs` in the folder."""
        for path in (self.path / "blobs").iterdir():
            if "0x" + path.name not in blobs:
                path.unlink()
        for path in [*self.path.glob("*.bin"), *self.path.glob("*.part"), self.path / _JOURNAL, self.path / _LOCK]:
            path.unlink()

    def _frames(self, name: str, flags: int) -> IO[bytes]:
        return os.fdopen(os.open(self.path / f"{name}.bin", flags, 0o600), "rb" if flags & 3 == os.O_RDONLY else "r+b")

    def _put_blob(self, blob: bytes) -> Entry:
        name = to_hex(sha256(blob))
        replace_file(self.path / "blobs" / name[2:], blob)
        return {"blob": name, "size": len(blob)}

    def _append(self, place: Place, entry: Entry) -> None:
        line = [*place, entry["blob"], entry["size"]]
        with (self.path / _JOURNAL).open("ab") as file:
            file.write(canonical_json([*line, self._tag(line).hex()]) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _read_journal(self) -> dict[Place, Entry]:
        found: dict[Place, Entry] = {}
        kept = b""
        for line in (self.path / _JOURNAL).read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            *stated, tag = json.loads(line)
            form, column, index, name, size = stated
            if self._is_tagged(stated, tag) and self._is_whole(name):
                found[form, column, index] = {"blob": name, "size": size}
                kept += line
        replace_file(self.path / _JOURNAL, kept)
        return found

    def _tag(self, line: list[Any]) -> bytes:
        """An empty message, encrypted for this line of this job: its authentication alone."""
        return self._cipher.encrypt(b"", self._context(canonical_json(line).decode()))

    def _is_tagged(self, line: list[Any], tag: str) -> bool:
        try:
            self._cipher.decrypt(bytes.fromhex(tag), self._context(canonical_json(line).decode()))
        except (DecryptionFailed, ValueError):
            return False
        return True

    def _is_whole(self, name: str) -> bool:
        path = self.path / "blobs" / name[2:]
        return path.exists() and to_hex(sha256(path.read_bytes())) == name

    def _context(self, name: str) -> bytes:
        return f"vault/draft/{self._job}/{name}".encode()


@contextmanager
def open_draft(datasets: Path, job: str, cipher: Cipher) -> Iterator[Draft]:
    """The draft of a job in this vault, taken up where it was left.

    Raises:
        RuleError: `draft_busy`, another process works on it.
    """
    path = datasets / (PREFIX + job[2:])
    path.mkdir(mode=0o700, exist_ok=True)
    with _locked(path):
        if not (path / _JOURNAL).exists():  # new, or finished but for its name: nothing in it can be taken up
            _begin(path)
        try:
            yield Draft(path, job, cipher)
        except OSError:
            raise
        except Exception:
            shutil.rmtree(path, ignore_errors=True)
            raise


class Checkpoints:
    """When to save how far a long work is: often enough to lose little, seldom enough to cost little."""

    def __init__(self) -> None:
        self._next = time.monotonic() + CHECKPOINT_SECONDS

    def save_if_due(self, save: Callable[[], None]) -> None:
        """Call `save`, if it is time."""
        start = time.monotonic()
        if start >= self._next:
            save()
            end = time.monotonic()
            self._next = end + max(CHECKPOINT_SECONDS, CHECKPOINT_SHARE * (end - start))


def _begin(path: Path) -> None:
    for item in path.iterdir():
        if item.is_dir():
            shutil.rmtree(item)
        elif item.name != _LOCK:
            item.unlink()
    (path / "blobs").mkdir(mode=0o700)
    write_file(path / _JOURNAL, b"")
    sync_tree(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with os.fdopen(os.open(path / _LOCK, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuleError(
                "draft_busy",
                "another process is sealing the same rows",
                zh="另一进程正在封存相同的数据",
                rule="vault.drafts",
                got=path.name,
                hint="wait for it, or stop it: the work goes on where it was",
                hint_zh="请等待或停止该进程；工作会从中断处继续",
            ) from None
        yield
