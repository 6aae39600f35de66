"""The embedded network: blocks are planned in the journal, then made by a node that remembers nothing by itself."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from sqlalchemy import Engine
from sqlmodel import Session

from marketplace.errors import ConfigurationError
from marketplace.ledger.blocks import SealedBlock
from marketplace.ledger.journal import PlannedBlock, last_block, planned_blocks
from marketplace.ledger.node import BlockDiffersError, Node, NodeSettings, find_anvil, node_version
from marketplace.ledger.planning import next_timestamp
from marketplace.ledger.profile import LedgerSettings, Start, ledger_profile
from marketplace.ledger.rpc import NodeLostError, RpcRefusedError
from marketplace.ledger.tables import LedgerBlock
from marketplace.storage.engine import reading

log = logging.getLogger(__name__)

MAXIMUM_AHEAD_SECONDS = 60
"""Block times grow by a second a block, however fast blocks are made; so far they may run ahead of the clock."""

RESTARTS = 3


class EmbeddedChain:
    """One node of our own.

    Args:
        engine: the journal's store.
        settings: the ledger's settings.
    """

    def __init__(self, engine: Engine, settings: LedgerSettings) -> None:
        self._engine, self._settings = engine, settings
        self._node: Node | None = None

    @property
    def node(self) -> Node:
        """The running node.

        Raises:
            NodeLostError: none runs.
        """
        if self._node is None:
            raise NodeLostError("it is not running")
        return self._node

    def start(self, now: int) -> Start:
        """Block 0, a second before the first plan."""
        return Start("embedded", node_version(find_anvil()), 0, now - 1)

    def open(self) -> None:
        """Start a node and replay the journal in it.

        Raises:
            ConfigurationError: `ledger_journal_differs`.
        """
        self.close()
        with reading(self._engine) as session:
            profile = ledger_profile(session)
            self._node = Node(NodeSettings(profile.chain_id, profile.start_time, self._settings.folder))
            log.info("ledger node %d listens on %s", self.node.pid, self.node.url)
            count = 0
            for planned in planned_blocks(session, sealed=True):
                self._replay(planned)
                count += 1
        log.info("replayed %d blocks; every hash is the one promised", count)

    def plan_block(self, session: Session, now: int) -> int:
        """The next number, with a time later than the last block's."""
        last = last_block(session)
        session.add(LedgerBlock(number=last.number + 1, timestamp=next_timestamp(now, last.timestamp)))
        session.flush()
        return last.number + 1

    def ready(self, session: Session, now: int) -> bool:
        """Whether block times are not too far ahead of the clock."""
        return next_timestamp(now, last_block(session).timestamp) - now <= MAXIMUM_AHEAD_SECONDS

    def advance(self) -> Iterator[SealedBlock]:
        """Make every planned block. A node that dies meanwhile is replaced and brought up to the journal.

        Raises:
            NodeLostError: it died again and again.
        """
        waiting = self._waiting()
        if not waiting:
            return
        # The node makes the next block while the caller plans the one after it and records the last one.
        with ThreadPoolExecutor(1, "ledger-node") as pool:
            coming = pool.submit(self._make, waiting[0])
            while waiting:
                planned = waiting.pop(0)
                sealed = self._make_surely(planned, coming.result)
                waiting = waiting or self._waiting(planned.number)
                if waiting:
                    coming = pool.submit(self._make, waiting[0])
                yield sealed

    def alive(self) -> bool:
        """Whether the node answers."""
        return self._node is not None and self._node.alive()

    def close(self) -> None:
        """End the node."""
        if self._node is not None:
            self._node.stop()
        self._node = None

    def _waiting(self, made: int = -1) -> list[PlannedBlock]:
        """The blocks to make. Args: made: the last one that is made, though not recorded yet."""
        with reading(self._engine) as session:
            return [planned for planned in planned_blocks(session, sealed=False) if planned.number > made]

    def _make_surely(self, planned: PlannedBlock, attempt: Callable[[], SealedBlock]) -> SealedBlock:
        for _ in range(RESTARTS):
            try:
                return attempt()
            except (NodeLostError, RpcRefusedError) as error:
                # Whatever it still knows is not worth asking: the journal has the plan, and a fresh node makes the same
                # block of it.
                log.warning("block %d was not made (%s); starting another node", planned.number, error)
                self.open()
                attempt = partial(self._make, planned)
        return attempt()

    def _make(self, planned: PlannedBlock) -> SealedBlock:
        if planned.number == 0:
            return self.node.block(0)
        return self.node.seal(planned.number, planned.timestamp, planned.raws, planned.hashes)

    def _replay(self, planned: PlannedBlock) -> None:
        try:
            got = self._make(planned).hash
        except (BlockDiffersError, RpcRefusedError) as error:
            got = str(error)
        if got == planned.hash:
            return
        self.close()
        raise ConfigurationError(
            "ledger_journal_differs",
            f"block {planned.number} does not come back as it was: another journal, or another node version",
            zh=f"第 {planned.number} 块重放结果不一致：日志被改动，或节点版本不同",
            expected=planned.hash,
            got=got,
            hint="restore the database from a backup, and run the node version named in the ledger's profile",
            hint_zh="请从备份恢复数据库，并使用账本档案所记的节点版本",
        )
