"""A vault or custodian in one encrypted file, to be kept on another machine.

    magic, keystore document (4-byte length before it), 16 random bytes, then frames: 4-byte length, AES-256-GCM of at
    most 1 MiB of a tar

The keystore stands in front as it stands on the disk, encrypted under its password; everything else is encrypted under
a key that follows from the keystore's seed, frame by frame, each bound to this backup, its position and whether it is
the last, so that nothing can be cut off, put in another order or taken from another backup. The account is copied by
SQLite itself, so the vault may be at work meanwhile.

Restoring gives back the account as it was when the backup was written: what was released afterwards is not in it.
"""

import contextlib
import io
import os
import secrets
import sqlite3
import struct
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from crypto.errors import DecryptionFailed
from crypto.keystore import Keys
from marketplace.errors import ConfigurationError, InvalidInputError
from marketplace.sdk.home.files import make_private_folder
from marketplace.sdk.home.keys import load_keys
from marketplace.vault.keeping.secrecy import Cipher

MAGIC = b"marketplace vault backup 1\n"
FRAME = 1 << 20
MAX_KEYSTORE = 1 << 16
_LENGTH = struct.Struct(">I")
_SKIPPED = (".draft-",)
LEDGER = "ledger.sqlite"


def write_backup(home: Path, keys: Keys, target: Path) -> int:
    """Write the home folder's keystore, settings, vault and custodian to `target`; returns the number of files.

    Raises:
        ConfigurationError: `backup_exists`, it is never overwritten.
    """
    if target.exists():
        message = f"{target} exists; a backup is never overwritten"
        raise ConfigurationError("backup_exists", message, zh=f"{target} 已存在,不会覆盖备份")
    partial = target.with_name(f".{target.name}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        keystore = (home / "keystore.json").read_bytes()
        identity = secrets.token_bytes(16)
        file.write(MAGIC + _LENGTH.pack(len(keystore)) + keystore + identity)
        sink = _Frames(file, Cipher(keys.seed), identity)
        count = _archive(home, sink)
        sink.finish()
        file.flush()
        os.fsync(file.fileno())
    partial.rename(target)
    return count


def read_backup(source: Path, password: str, home: Path) -> Keys:
    """Put a backup into an empty home folder; returns its keys.

    Raises:
        ConfigurationError: `home_not_empty`. InvalidInputError: `backup_malformed`, it is no backup or was cut off.
        crypto.errors.DecryptionFailed: the password is wrong or the backup was altered.
    """
    if home.exists() and any(home.iterdir()):
        message = f"{home} is not empty; restore into a new folder"
        raise ConfigurationError("home_not_empty", message, zh=f"{home} 非空,请恢复到新目录")
    with source.open("rb") as file:
        keystore, identity = _head(file)
        keys = load_keys(keystore, password)
        make_private_folder(home)
        with tempfile.TemporaryFile() as plain:
            for piece in _pieces(file, Cipher(keys.seed), identity):
                plain.write(piece)
            plain.seek(0)
            with tarfile.open(fileobj=plain, mode="r:") as archive:
                archive.extractall(home, filter="data")
    for path in (home, *home.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return keys


def _archive(home: Path, sink: "_Frames") -> int:
    """Everything but drafts and downloaded blobs, as a tar; the accounts as SQLite copies them."""
    count = 0
    with tarfile.open(fileobj=sink, mode="w|") as archive:
        for path in _files(home):
            name = str(path.relative_to(home))
            if path.name == LEDGER:
                _add_account(archive, path, name)
            else:
                archive.add(path, name, recursive=False)
            count += 1
    return count


def _files(home: Path) -> Iterator[Path]:
    yield from (path for path in (home / "keystore.json", home / "config.toml") if path.is_file())
    for part in ("vault", "custodian"):
        for path in sorted((home / part).rglob("*")):
            inner = path.relative_to(home / part)
            downloaded = part == "custodian" and inner.parts[0] == "blobs"
            side = path.name.startswith(LEDGER) and path.name != LEDGER  # -wal and -shm: in the copy already
            draft = any(name.startswith(_SKIPPED) for name in inner.parts)
            if path.is_file() and not (downloaded or side or draft):
                yield path


def _add_account(archive: tarfile.TarFile, path: Path, name: str) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".draft-") as folder:
        copy = Path(folder, LEDGER)
        with contextlib.closing(sqlite3.connect(path)) as live, contextlib.closing(sqlite3.connect(copy)) as kept:
            live.backup(kept)
        archive.add(copy, name, recursive=False)


class _Frames(io.RawIOBase):
    """A file to write to that encrypts what it is given, a frame at a time."""

    def __init__(self, file: IO[bytes], cipher: Cipher, identity: bytes) -> None:
        super().__init__()
        self._file, self._cipher, self._identity = file, cipher, identity
        self._held, self._index = bytearray(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))  # type: ignore[arg-type]  # any buffer, as of every file
        self._held += piece
        while len(self._held) > FRAME:
            self._put(bytes(self._held[:FRAME]), last=False)
            del self._held[:FRAME]
        return len(piece)

    def finish(self) -> None:
        """Write the last frame."""
        self._put(bytes(self._held), last=True)

    def _put(self, piece: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(piece, _context(self._identity, self._index, last))
        self._file.write(_LENGTH.pack(len(sealed)) + sealed)
        self._index += 1


def _head(file: IO[bytes]) -> tuple[bytes, bytes]:
    if file.read(len(MAGIC)) != MAGIC:
        raise _malformed()
    keystore = _exactly(file, _size(file, MAX_KEYSTORE))
    return keystore, _exactly(file, 16)


def _pieces(file: IO[bytes], cipher: Cipher, identity: bytes) -> Iterator[bytes]:
    index, more = 0, True
    while more:
        sealed = _exactly(file, _size(file, FRAME + 64))
        try:
            piece = cipher.decrypt(sealed, _context(identity, index, False))
        except DecryptionFailed:
            piece, more = cipher.decrypt(sealed, _context(identity, index, True)), False
        yield piece
        index += 1
    if file.read(1):
        raise _malformed()


def _size(file: IO[bytes], most: int) -> int:
    size = int(_LENGTH.unpack(_exactly(file, _LENGTH.size))[0])
    if size > most:
        raise _malformed()
    return size


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise _malformed()
    return data


def _context(identity: bytes, index: int, last: bool) -> bytes:
    return b"vault/backup/" + identity + index.to_bytes(8, "big") + (b"last" if last else b"more")


def _malformed() -> InvalidInputError:
    return InvalidInputError("backup_malformed", "this is no backup, or it was cut off", zh="不是备份文件,或已被截断")
