"""Files of a participant: written whole or not at all, readable by their owner only."""

import os
import tempfile
from pathlib import Path

from marketplace.errors import ConfigurationError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def make_private_folder(path: Path) -> Path:
    """Create `path` and its parents; a folder made here is closed to others (mode 0700)."""
    if not path.is_dir():
        path.mkdir(parents=True, mode=PRIVATE_FOLDER, exist_ok=True)
        path.chmod(PRIVATE_FOLDER)
    return path


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, mode 0600: a crash leaves the old file or the new one, never a part of it."""
    make_private_folder(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(PRIVATE_FILE)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def refuse_shared(path: Path) -> None:
    """Refuse a secret file that others may read or write.

    Raises:
        ConfigurationError: a permission bit of group or others is set.
    """
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise ConfigurationError(
            "file_not_private",
            f"{path} can be reached by other users",
            zh=f"{path} 可被其他用户访问",
            rule="home.secrets_are_private",
            expected="0600",
            got=f"{mode:04o}",
            hint=f"close it with: chmod 600 {path}",
            hint_zh=f"请执行 chmod 600 {path}",
        )


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
