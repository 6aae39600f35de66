"""The worker: plans blocks from the queue, brings them to the network, and records what came of them.

Its order of work is what makes a crash harmless. (1) Transactions, nonces, the block's plan and `planned` are one
commit. (2) The network sees them. (3) Hash, receipts, events, read model and fates are one commit. Wherever it is cut
off, the journal says what to do next.
"""

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from marketplace.errors import MarketplaceError, PortError
from marketplace.ledger.blocks import SealedBlock
from marketplace.ledger.chain import Chain
from marketplace.ledger.embedded import EmbeddedChain
from marketplace.ledger.follower import record_block
from marketplace.ledger.journal import ProductSizes, has_intents, plan_deployment, plan_transactions
from marketplace.ledger.lease import WriterLease
from marketplace.ledger.profile import LedgerProfile, LedgerSettings, Start, store_profile, stored_profile
from marketplace.ledger.projection import ProjectionSession, Projectors
from marketplace.ledger.relayer import Relayer
from marketplace.ledger.tables import LedgerBlock
from marketplace.storage.engine import reading, session, session_of

log = logging.getLogger(__name__)

POLL_SECONDS = 0.05
PAUSE_SECONDS = 1.0
FIRST_TRANSACTIONS = 6
"""Of a long queue's first block; each further block may have half as many more. So the node has something to do at
once, we have something to record soon, and neither waits for the other; later blocks are large, because block times
grow by a second a block."""


class LedgerWorker:
    """Seals and follows. Use it as a thread (`start`, `stop`) or by hand (`open`, `step`, `close`).

    Args:
        engine: the store, migrated.
        settings: the ledger's settings.
        projectors: event name to the functions that keep the read model.
        clock: unix seconds.
        on_block: called after each recorded block, outside any transaction.
        sizes: of some orders, listings and assets, those of products made of several assets, and of how many.
    """

    def __init__(
        self,
        engine: Engine,
        settings: LedgerSettings,
        projectors: Projectors,
        *,
        clock: Callable[[], int] = lambda: int(time.time()),
        on_block: Callable[[SealedBlock], None] = lambda _block: None,
        sizes: ProductSizes = lambda _session, _names: {},
    ) -> None:
        self._engine, self._settings, self._projectors = engine, settings, projectors
        self._clock, self._on_block, self._sizes = clock, on_block, sizes
        self._relayer = Relayer(settings.relayer_key, settings.chain_id, settings.gas_price)
        self._lease = WriterLease(engine)
        self.chain = _chain(engine, settings)
        self._names: dict[str, str] = {}
        self._profile: LedgerProfile | None = None
        self._transactions = FIRST_TRANSACTIONS
        self._thread: threading.Thread | None = None
        self._stopping, self._bell = threading.Event(), threading.Event()
        self.problem: MarketplaceError | None = None

    @property
    def profile(self) -> LedgerProfile:
        """The ledger's profile; known once opened."""
        assert self._profile is not None, "open() or start() comes first"
        return self._profile

    def open(self, wait_seconds: float = 5.0) -> None:
        """Become the writer, found the ledger if there is none, compare network and journal, finish what was planned.

        Args:
            wait_seconds: how long another writer may take to go away.

        Raises:
            ConfigurationError: another writer runs, the settings describe another ledger, or the journal does not
            replay. PortError: the network cannot be reached.
        """
        self._lease.acquire(wait_seconds)
        try:
            self._profile = self._found()
            self._names = {address: name for name, address in self._profile.addresses.items()}
            self.chain.open()
            self._follow()
        except BaseException:
            self.close()
            raise

    def step(self) -> int:
        """Seal what is queued into blocks and record every new block.

        Returns:
            How many blocks were recorded.

        Raises:
            PortError: the network cannot be reached.
            VerificationError: what came back contradicts what was sent.
        """
        recorded = self._follow()
        if self._plan(blocks=2):
            recorded += self._follow()
        return recorded

    def drain(self, timeout_seconds: float = 60.0) -> None:
        """Step until every intent is decided.

        Raises:
            PortError: `ledger_slow`: it took longer than `timeout_seconds`.
        """
        deadline = time.monotonic() + timeout_seconds
        while self.step() or self._has_undecided():
            if time.monotonic() > deadline:
                raise PortError("ledger_slow", "the ledger did not take the queue in time", zh="账本未能及时处理队列")

    def close(self) -> None:
        """Let go of the network and of the right to write."""
        self.chain.close()
        self._lease.release()

    def start(self) -> None:
        """`open` in the caller's thread, so that its errors are the caller's; then step in a thread of its own."""
        self.open()
        self._thread = threading.Thread(target=self._run, name="ledger-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the step in hand, and close."""
        self._stopping.set()
        self._bell.set()
        if self._thread is not None:
            self._thread.join()
        self.close()

    def wake(self) -> None:
        """Something was queued: do not wait for the next look."""
        self._bell.set()

    def healthy(self) -> bool:
        """Whether intents are being sealed."""
        running = self._thread is None or self._thread.is_alive()
        return running and self.problem is None and self._profile is not None

    def _found(self) -> LedgerProfile:
        with reading(self._engine) as opened:
            profile = stored_profile(opened)
        if profile is None:
            return self._write_foundation(self.chain.start(self._clock()))
        profile.require_same(self._settings, self._relayer.address)
        return profile

    def _write_foundation(self, start: Start) -> LedgerProfile:
        profile = LedgerProfile.found(self._settings, self._relayer.address, start)
        with session(self._engine) as opened:
            self._lease.require(opened)
            store_profile(opened, profile)
            opened.add(LedgerBlock(number=start.number, timestamp=start.timestamp))
            opened.flush()
            plan_deployment(opened, profile, self._relayer, self.chain.plan_block(opened, self._clock()))
        return profile

    def _plan(self, blocks: int = 1) -> bool:
        """Plan the next blocks if there is something for them."""
        if not self._has_queued():
            self._transactions = FIRST_TRANSACTIONS
            return False
        now = self._clock()
        with session(self._engine) as opened:
            self._lease.require(opened)
            planned = [self._plan_block(opened, now) for _ in range(blocks)]
        return any(planned)

    def _plan_block(self, opened: Session, now: int) -> bool:
        if not has_intents(opened, "queued") or not self.chain.ready(opened, now):
            return False
        number = self.chain.plan_block(opened, now)
        limits = replace(
            self._settings.limits, transactions=min(self._settings.limits.transactions, self._transactions)
        )
        self._transactions += self._transactions // 2
        return plan_transactions(opened, self.profile, self._relayer, limits, number, sizes=self._sizes) > 0

    def _has_queued(self) -> bool:
        with reading(self._engine) as opened:
            return has_intents(opened, "queued")

    def _has_undecided(self) -> bool:
        """Whether an intent waits for its block; if so, only after a rest, because that block may be made by others."""
        with reading(self._engine) as opened:
            waiting = has_intents(opened, "queued", "planned")
        if waiting:
            time.sleep(POLL_SECONDS)
        return waiting

    def _follow(self) -> int:
        count = 0
        with _collector_paused():
            for sealed in self.chain.advance():
                self._plan()  # while the network makes the next block
                with session_of(ProjectionSession, self._engine) as opened:
                    self._lease.require(opened)
                    record_block(opened, sealed, self._names, self._projectors)
                self._on_block(sealed)
                count += 1
        return count

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._bell.clear()
            pause = self._step_guarded()
            self._bell.wait(pause)

    def _step_guarded(self) -> float:
        """One step that reports instead of raising; returns how long to rest, in seconds."""
        try:
            self.step()
            self.problem = None
        except PortError as error:
            log.exception("the ledger cannot be reached")
            self.problem = error
            return PAUSE_SECONDS
        except SQLAlchemyError as error:
            log.exception("the database did not take the ledger's rows; the step will be repeated")
            self.problem = _storage_problem(error)
            return PAUSE_SECONDS
        except MarketplaceError as error:
            log.critical("the ledger stops: %s (%s)", error, error.code)
            self.problem = error
            self._stopping.set()
        except Exception as error:  # a defect of ours; the thread must not end without anybody knowing
            log.exception("a defect stopped the ledger's step; it will be tried again")
            self.problem = _defect(error)
            return PAUSE_SECONDS
        return POLL_SECONDS


def _storage_problem(error: SQLAlchemyError) -> PortError:
    return PortError(
        "ledger_storage",
        f"the database does not take the ledger's rows: {type(error).__name__}",
        zh="数据库无法写入账本记录",
        hint="look at the service's log; it goes on by itself as soon as the database takes them",
        hint_zh="请查看服务日志；数据库恢复后会自动继续",
    )


def _defect(error: Exception) -> MarketplaceError:
    return MarketplaceError(
        "ledger_defect",
        f"the ledger's worker failed: {type(error).__name__}",
        zh="账本处理程序内部错误",
        hint="this is a defect; the service's log has the trace",
        hint_zh="这是程序缺陷；详情见服务日志",
    )


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A block makes many objects that live until its commit; searching them for garbage takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _chain(engine: Engine, settings: LedgerSettings) -> Chain:
    if not settings.rpc_url:
        return EmbeddedChain(engine, settings)
    from marketplace.ledger.external import ExternalChain  # noqa: PLC0415 - brings web3, a second of imports

    return ExternalChain(engine, settings)
