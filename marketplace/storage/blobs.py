"""Content-addressed store: a blob is named by the SHA-256 of its bytes, so a reader can tell that it is the one.

On a local folder a blob appears whole or not at all, also after a power cut: written aside, flushed, renamed, folder
flushed. On any other file system that fsspec knows (S3 and its kin) one object is one atomic put. Names are sharded by
their first two bytes: `ab/cd/abcd…`.
"""

import hashlib
import os
import re
import uuid
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from marketplace.errors import InvalidInputError, NotFoundError, PortError

MAXIMUM_BLOB_BYTES = 64 * 1024 * 1024
_NAME = re.compile(r"0x[0-9a-f]{64}")


class BlobStore:
    """Blobs by their digest.

    Args:
        url: a folder, or any URL that fsspec opens (`s3://bucket/prefix`, `memory://name`).
        maximum_bytes: the largest blob accepted and returned.
    """

    def __init__(self, url: str, maximum_bytes: int = MAXIMUM_BLOB_BYTES) -> None:
        self._files, root = fsspec.core.url_to_fs(url)
        self._root = root.rstrip("/")
        self._maximum_bytes = maximum_bytes

    def put(self, blob: bytes) -> str:
        """Store `blob` and return its name, "0x" and 64 hex digits. Again is harmless, and mends a spoiled copy.

        Raises:
            InvalidInputError: `blob_too_large`.
        """
        if len(blob) > self._maximum_bytes:
            raise InvalidInputError(
                "blob_too_large",
                f"a blob has at most {self._maximum_bytes} bytes",
                zh=f"数据块不得超过 {self._maximum_bytes} 字节",
                expected=self._maximum_bytes,
                got=len(blob),
            )
        digest = "0x" + hashlib.sha256(blob).hexdigest()
        if not self._is_sound(digest):
            self._write(self._path(digest), blob)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes whose SHA-256 is `digest`, hashed again before they are returned.

        Raises:
            NotFoundError: `blob_unknown`.
            InvalidInputError: `digest_malformed`.
            PortError: `blob_corrupt`: what is stored is not what was stored.
        """
        path = self._path(digest)
        try:
            with self._files.open(path, "rb") as file:
                blob = bytes(file.read(self._maximum_bytes + 1))
        except FileNotFoundError:
            raise NotFoundError("blob_unknown", f"there is no blob {digest}", zh="没有该数据块", got=digest) from None
        found = "0x" + hashlib.sha256(blob).hexdigest()
        if found != digest:
            raise PortError(
                "blob_corrupt",
                f"the stored blob {digest} has been changed",
                retryable=False,
                zh=f"已存储的数据块 {digest} 被改动",
                expected=digest,
                got=found,
                hint="store the blob again from a copy; its name is its SHA-256",
                hint_zh="请用副本恢复；名称即其 SHA-256",
            )
        return blob

    def has(self, digest: str) -> bool:
        """Whether a blob of that name is stored."""
        return bool(self._files.exists(self._path(digest)))

    def _is_sound(self, digest: str) -> bool:
        try:
            self.get(digest)
        except (NotFoundError, PortError):
            return False
        return True

    def _path(self, digest: str) -> str:
        if not _NAME.fullmatch(digest):
            raise InvalidInputError(
                "digest_malformed", "a digest is 0x and 64 lower-case hex digits", zh="摘要格式不正确", got=digest[:80]
            )
        name = digest[2:]
        return f"{self._root}/{name[:2]}/{name[2:4]}/{name}"

    def _write(self, path: str, blob: bytes) -> None:
        if isinstance(self._files, LocalFileSystem):
            _write_durably(Path(path), blob)
        else:
            self._files.pipe_file(path, blob)


def _write_durably(path: Path, blob: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with aside.open("xb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    for folder in path.parents[:3]:  # the shard, its parent, and the root that lists them
        _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
