"""Read an evidence bundle, a zip file or a folder, as hostile input.

Rules of this file:
  - A name is one to four parts of lower-case letters, digits, "_", "-" and ".", never starting with a dot; anything
    else (a drive, "..", a back slash, a name twice) refuses the bundle before a single file is opened.
  - Symbolic links, devices, encrypted members and compression other than deflate are refused.
  - Sizes are counted while bytes are read, never believed from a directory; each file, each line
    and the whole have caps.
  - JSON is canonical (RFC 8785), so no byte of it is without meaning.
Nothing is ever unpacked to disk.
"""

import os
import re
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crypto.errors import MalformedInput
from marketplace.errors import InvalidInputError
from marketplace.words import Words

_PART = r"[a-z0-9_-][a-z0-9_.-]{0,99}"
_NAME = re.compile(rf"{_PART}(?:/{_PART}){{0,3}}", re.ASCII)


@dataclass(frozen=True)
class Limits:
    """How much is read before a bundle is refused.

    Args:
        members: number of files.
        file_bytes: one file, unpacked.
        line_bytes: one line of a .jsonl file.
        total_bytes: everything that an audit reads, unpacked, repeated reading counted again.
        ratio: unpacked to packed size of one zip member of more than a megabyte; deflate itself cannot exceed 1032.
    """

    members: int = 2_000_000
    file_bytes: int = 8 << 30
    line_bytes: int = 8 << 20
    total_bytes: int = 256 << 30
    ratio: int = 1_000


# What zipfile raises on files it cannot make sense of; ValueError covers names that are not the UTF-8 they promise.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


class Bundle(ABC):
    """Named files, read within limits. Use as a context manager."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._read_bytes = 0

    def __enter__(self) -> "Bundle":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def names(self) -> frozenset[str]:
        """The name of every file in the bundle."""

    @abstractmethod
    def _open(self, name: str) -> IO[bytes]: ...

    @abstractmethod
    def close(self) -> None:
        """Release what the bundle holds open."""

    def read(self, name: str, max_bytes: int) -> bytes:
        """The bytes of one file.

        Raises:
            MalformedInput: no such file, longer than `max_bytes`, or its packing is damaged.
        """
        with self._opened(name) as stream:
            content = stream.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise MalformedInput(f"longer than {max_bytes} bytes")
        self._charge(len(content))
        return content

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of one text file, without their line feeds, read as a stream.

        Raises:
            MalformedInput: no such file, a line longer than the limit, an empty or unfinished line, or damaged packing.
        """
        total = 0
        with self._opened(name) as stream:
            while line := stream.readline(self.limits.line_bytes + 1):
                total += len(line)
                self._charge(len(line))
                if line[-1:] != b"\n" or len(line) == 1 or total > self.limits.file_bytes:
                    raise MalformedInput("a line is empty, unfinished, or longer than the limit")
                yield line[:-1]

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes]]:
        if name not in self.names():
            raise MalformedInput("the bundle has no such file")
        try:
            with self._open(name) as stream:
                yield stream
        except _UNREADABLE as error:
            raise MalformedInput(f"cannot be read: {error}") from None

    def _charge(self, size: int) -> None:
        self._read_bytes += size
        if self._read_bytes > self.limits.total_bytes:
            raise MalformedInput(f"the bundle holds more than {self.limits.total_bytes} bytes")


class FolderBundle(Bundle):
    """A bundle unpacked in a folder."""

    def __init__(self, root: Path, limits: Limits) -> None:
        super().__init__(limits)
        self._root = root
        self._names = frozenset(_checked_names(_walk(root), limits))

    def names(self) -> frozenset[str]:
        """As `Bundle.names`."""
        return self._names

    def close(self) -> None:
        """Nothing is held open between reads."""

    def _open(self, name: str) -> IO[bytes]:
        return os.fdopen(os.open(self._root / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


class ZipBundle(Bundle):
    """A bundle in a zip file."""

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(limits)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise _refused(Words(f"not a readable zip file: {error}", "不是可读取的 zip 文件")) from None
        members = self._zip.infolist()
        for member in members:
            _check_member(member, limits)
        files = (member.filename for member in members if not member.filename.endswith("/"))
        self._names = frozenset(_checked_names(files, limits))

    def names(self) -> frozenset[str]:
        """As `Bundle.names`."""
        return self._names

    def close(self) -> None:
        """Close the zip file."""
        self._zip.close()

    def _open(self, name: str) -> IO[bytes]:
        return self._zip.open(name)


def open_bundle(path: Path, limits: Limits | None = None) -> Bundle:
    """Open the bundle at `path`, a folder or a zip file.

    Raises:
        InvalidInputError: code bundle_unreadable: neither, or it breaks a rule of this file.
    """
    limits = limits or Limits()
    if path.is_dir():
        return FolderBundle(path, limits)
    if path.is_file():
        return ZipBundle(path, limits)
    raise _refused(Words(f"no folder or file at {path}", f"{path} 处没有目录或文件"))


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root, followlinks=False):
        for name in (*folders, *files):
            mode = (Path(folder) / name).lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise _refused(Words(f"{name[:100]!r} is a link or a device", f"{name[:100]!r} 是链接或设备"))
        for name in files:
            yield (Path(folder) / name).relative_to(root).as_posix()


def _checked_names(names: Iterator[str], limits: Limits) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if not _NAME.fullmatch(name) or name in seen:
            raise _refused(
                Words(f"{name[:100]!r} is not an accepted name, or stands twice", f"{name[:100]!r} 名称不可用或重复")
            )
        seen.add(name)
        if len(seen) > limits.members:
            raise _refused(Words(f"more than {limits.members} files", f"文件超过 {limits.members} 个"))
        yield name


def _check_member(member: zipfile.ZipInfo, limits: Limits) -> None:
    kind, shown = stat.S_IFMT(member.external_attr >> 16), repr(member.filename[:100])
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or member.flag_bits & 0x1:
        raise _refused(Words(f"{shown} is a link, a device or encrypted", f"{shown} 是链接、设备或已加密"))
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refused(Words(f"{shown} is packed by a method other than deflate", f"{shown} 的压缩方式不是 deflate"))
    too_dense = member.file_size > 1 << 20 and member.file_size > limits.ratio * max(member.compress_size, 1)
    if too_dense or member.file_size > limits.file_bytes:
        size = member.file_size
        raise _refused(Words(f"{shown} would unpack to {size} bytes", f"{shown} 解压后达 {size} 字节"))


def _refused(reason: Words) -> InvalidInputError:
    return InvalidInputError(
        "bundle_unreadable",
        f"The evidence bundle cannot be read: {reason.en}.",
        zh=f"无法读取证据包：{reason.zh}。",
        got=reason,
        hint="Fetch the bundle again: a zip file or folder with profile.json, ledger/, read_model/, log/, documents/.",
        hint_zh="请重新获取证据包：zip 文件或目录，内含 profile.json、ledger/、read_model/、log/、documents/。",
    )
