"""Files of a participant: written whole or not at all, readable by their owner only."""

import os
import tempfile
from pathlib import Path
from typing import Any

from crypto.canonical import load_json
from crypto.errors import MalformedInput
from marketplace.errors import ConfigurationError, InvalidInputError

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


def read_json_file(path: Path, max_bytes: int = 1 << 16) -> dict[str, Any]:
    """A small JSON object that somebody passed on.

    Raises:
        InvalidInputError: `passed_file_unreadable`: there is none, it is too large, or not an object.
    """
    try:
        if path.stat().st_size <= max_bytes:
            found = load_json(path.read_bytes())
            if isinstance(found, dict):
                return found
    except (OSError, MalformedInput):
        pass
    raise InvalidInputError(
        "passed_file_unreadable",
        f"{path} is not a JSON object of at most {max_bytes} bytes",
        zh=f"{path} 不是不超过 {max_bytes} 字节的 JSON 对象",
        rule="client.file_is_json",
        hint="name the file as it was passed on",
        hint_zh="请指定收到的原文件",
    )


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
