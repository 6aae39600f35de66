"""Files that are on disk when the call returns."""

import os
from pathlib import Path


def write_file(path: Path, data: bytes) -> None:
    """Write a new file, readable by its owner alone, and flush it to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Write a file, new or in place of another: after a crash it has the old or the new content, whole."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    write_file(part, data)
    part.rename(path)


def sync_tree(path: Path) -> None:
    """Flush the entries of a folder and of the folders directly in it, so that names survive a crash too."""
    for folder in (*(item for item in path.iterdir() if item.is_dir()), path):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
