"""A PostgreSQL server for the length of a test run, from the binaries that the operating system has installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


def binaries() -> Path | None:
    """The folder of the newest installed server; None if there is none."""
    on_path = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = installed[-1] if installed else Path(on_path) if on_path else None
    return found.parent if found else None


@contextmanager
def server(folder_of_programs: Path) -> Iterator[str]:
    """Run a server on a socket of its own and yield the socket's folder. Root runs it as the user `postgres`."""
    folder = Path(tempfile.mkdtemp(prefix="marketplace-postgres-"))
    owner: dict[str, str] = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
    if owner:
        shutil.chown(folder, **owner)
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        command = [str(folder_of_programs / program), *arguments]
        output = subprocess.DEVNULL  # a pipe would stay open for as long as the server lives
        subprocess.run(command, check=True, stdout=output, stderr=output, cwd=folder, **owner)  # type: ignore[call-overload]

    run("initdb", "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
    options = f"-k {folder} -c listen_addresses='' -c max_connections=50"
    try:
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield str(folder)
    finally:
        run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def create_database(socket_folder: str, name: str) -> str:
    """Create a database; returns its SQLAlchemy URL."""
    with psycopg.connect(f"host={socket_folder} user=postgres dbname=postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"postgresql://postgres@/{name}?host={socket_folder}"
