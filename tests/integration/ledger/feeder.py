"""A process to kill: it puts orders on the ledger as fast as it can and promises, line by line, what it has committed.

    python -m tests.integration.ledger.feeder DATABASE_URL FOLDER

Lines: "node PID", then "queued FROM TO" after each committed business transaction and "sealed NUMBER HASH" after each
recorded block.
"""

import random
import sys
import time
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session

from marketplace.evidence.projections import PROJECTORS
from marketplace.ledger.embedded import EmbeddedChain
from marketplace.ledger.worker import LedgerWorker
from marketplace.storage.engine import make_engine, reading, session
from tests.integration.ledger.market import Market, ledger_settings

TERM = 30 * 86_400


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def next_order(opened: Session) -> int:
    return int(opened.execute(text("SELECT coalesce(max(number), -1) + 1 FROM feeder_orders")).scalar_one())


def main(url: str, folder: Path) -> None:
    engine = make_engine(url)
    chance = random.Random()
    worker = LedgerWorker(
        engine, ledger_settings(folder), PROJECTORS, on_block=lambda b: say("sealed", b.number, b.hash)
    )
    worker.open()
    assert isinstance(worker.chain, EmbeddedChain)
    say("node", worker.chain.node.pid)
    market = Market(worker.profile.deployment)
    until = int(time.time()) + TERM
    with reading(engine) as opened:
        first = next_order(opened)
    while True:
        numbers = range(first, first + chance.randint(1, 25))
        calls = [(n, call) for n in numbers for call in (market.fund(n, until), market.settle(n))]
        with session(engine) as opened:
            for number, call in calls:
                call.queue(opened, int(time.time()))
                if call.verb == "fund":
                    opened.execute(text("INSERT INTO feeder_orders (number) VALUES (:n)"), {"n": number})
        say("queued", numbers.start, numbers.stop)
        worker.step()
        first = numbers.stop


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
