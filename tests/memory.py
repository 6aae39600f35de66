"""A bundle in memory, so that a test can change one byte of it and audit it again."""

import io
from collections.abc import Mapping
from typing import IO

from marketplace.auditor.bundle import Bundle, Limits


class MemoryBundle(Bundle):
    """Files by name."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(Limits())
        self._files, self._names = files, frozenset(files)

    def names(self) -> frozenset[str]:
        """As `Bundle.names`."""
        return self._names

    def close(self) -> None:
        """Nothing is open."""

    def _open(self, name: str) -> IO[bytes]:
        return io.BytesIO(self._files[name])
