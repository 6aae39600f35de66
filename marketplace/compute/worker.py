"""A worker: it opens the blobs that a piece names, evaluates, and answers with sealed numbers. It holds no key.

As a program (`python -m marketplace.compute.worker DESCRIPTOR`) it takes errands from the socket that it inherited and
ends when the other side is gone, however that ended. Ctrl-C and SIGTERM reach the whole group of processes; a worker
leaves it to its parent what they mean.
"""

import signal
import sys
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock

from crypto.canonical import from_hex
from crypto.errors import CryptoError
from crypto.seal.confined import confined_loader
from marketplace.compute.columns import Errand, failed
from marketplace.errors import MarketplaceError, NotFoundError
from marketplace.queries.evaluation import evaluate_piece
from marketplace.queries.evaluation.data import SealedColumns
from marketplace.queries.protocol.opening import Sealed

_lock = Lock()  # a Dask worker has several threads; they would only wait for each other inside SEAL


def run_errand(errand: Errand) -> list[Sealed]:
    """The numbers of an errand.

    Raises:
        NotFoundError: `blob_not_here`. VerificationError: as `evaluate_piece`.
        PortError: `compute_failed`, anything else; an error of another family might not even be known over there.
    """
    try:
        with _lock:
            return list(evaluate_piece(errand.piece, _columns(errand.folder, errand.foreign)))
    except (MarketplaceError, CryptoError):
        raise
    except Exception as error:
        raise failed(error) from error


@lru_cache(maxsize=8)
def _columns(folder: str, foreign: bool) -> SealedColumns:
    """Chunks stay open for the next errand."""

    def fetch(name: str) -> bytes:
        path = Path(folder) / from_hex(name, 32, "blob").hex()
        try:
            return path.read_bytes()
        except FileNotFoundError:
            message = f"the worker finds no blob {name} in {folder}"
            raise NotFoundError("blob_not_here", message, zh=f"计算进程找不到密文 {name}", got=name) from None

    return SealedColumns(fetch, probe=confined_loader().check if foreign else None)


def serve(pipe: Connection) -> None:
    """Do errands until the other side closes or dies."""
    while True:
        try:
            errand = pipe.recv()
        except (EOFError, ConnectionError):
            return
        try:
            answer: object = run_errand(errand)
        except (MarketplaceError, CryptoError) as error:
            answer = error
        try:
            pipe.send(answer)
        except (BrokenPipeError, ConnectionError):
            return


def main() -> None:
    """Serve the descriptor that the command names."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    serve(Connection(int(sys.argv[1])))


if __name__ == "__main__":
    main()
