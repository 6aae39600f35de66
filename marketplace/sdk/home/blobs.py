"""An own copy of sealed blobs, by digest, for a panel node or a custodian.

Downloads are checked before they are kept, and reads too.
"""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

from crypto.canonical import from_hex, sha256
from marketplace.errors import VerificationError

MAX_BLOB = 1 << 24


class BlobCache:
    """Blobs in a folder; a missing or damaged one is downloaded again.

    Args:
        folder: where to keep them. download: asks elsewhere for the blob with this digest.
    """

    def __init__(self, folder: Path, download: Callable[[str], bytes]) -> None:
        self._folder, self._download = folder, download
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str) -> bytes:
        """The blob with this digest ("0x" hex).

        Raises:
            VerificationError: `blob_altered`, the download has another digest or is too large.
        """
        wanted = from_hex(name, 32, "blob")
        path = self._folder / wanted.hex()
        if path.exists() and sha256(kept := path.read_bytes()) == wanted:
            return kept
        data = self._download(name)
        if len(data) > MAX_BLOB or sha256(data) != wanted:
            message = f"the download of blob {name} has another digest"
            raise VerificationError("blob_altered", message, zh=f"下载的密文 {name} 摘要不符", expected=name)
        self._keep(path, data)
        return data

    def _keep(self, path: Path, data: bytes) -> None:
        with NamedTemporaryFile(dir=self._folder, delete=False) as file:
            file.write(data)
        os.replace(file.name, path)  # noqa: PTH105 - one atomic step, whether or not a damaged copy is there
