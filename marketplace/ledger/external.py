"""A network that others seal: we send what is signed until it is in a block, and read every block in order.

Which blocks count is a policy: `confirmations` blocks must stand on one before it is read (0 where the first block is
final, as with QBFT). A block whose parent is not the last recorded one means that finality was broken, and nothing is
recorded any more.
"""

import logging
import time
from collections.abc import Iterator

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from marketplace.errors import ConfigurationError, PortError
from marketplace.ledger.blocks import SealedBlock, header_of
from marketplace.ledger.journal import last_block
from marketplace.ledger.network import NetworkClient
from marketplace.ledger.profile import LedgerSettings, Start
from marketplace.ledger.relayer import Relayer
from marketplace.ledger.rpc import RpcRefusedError
from marketplace.ledger.tables import LedgerBlock, LedgerTransaction
from marketplace.storage.engine import reading

log = logging.getLogger(__name__)

RESEND_SECONDS = 30.0
PENDING = 200  # transactions that the network is given at a time
COMPARED = 64  # recorded blocks that are compared with the network at the start


class ExternalChain:
    """A network reached by JSON-RPC.

    Args:
        engine: the journal's store.
        settings: the ledger's settings.
    """

    def __init__(self, engine: Engine, settings: LedgerSettings) -> None:
        self._engine, self._settings = engine, settings
        self._rpc = NetworkClient(settings.rpc_url, timeout_seconds=30.0)
        self._sent: dict[int, float] = {}

    def start(self, now: int) -> Start:  # noqa: ARG002 (the network has its own time)
        """The network's head; the relayer must be unused, because addresses follow from its first nonces.

        Raises:
            ConfigurationError: `ledger_relayer_used` or `ledger_chain_differs`.
        """
        self._require_chain()
        relayer = Relayer(self._settings.relayer_key, self._settings.chain_id).address
        # What waits for a block counts, too: it would take the nonce of our first contract.
        if int(self._rpc.call("eth_getTransactionCount", relayer, "pending"), 16) != 0:
            raise ConfigurationError(
                "ledger_relayer_used",
                "the relayer's key has sent transactions on this network before",
                zh="该网络上此中继密钥已发送过交易",
                hint="use a fresh key: the contracts' addresses follow from its first transactions",
                hint_zh="请使用全新密钥",
            )
        head = self._block(self._head())
        return Start("external", str(self._rpc.call("web3_clientVersion")), head.number, head.timestamp)

    def open(self) -> None:
        """Compare the newest recorded blocks with the network's.

        Raises:
            ConfigurationError: `ledger_journal_differs` or `ledger_chain_differs`.
        """
        self._require_chain()
        self._sent.clear()
        with reading(self._engine) as session:
            recorded = select(LedgerBlock.number, LedgerBlock.hash).where(col(LedgerBlock.hash).is_not(None))
            newest = session.exec(recorded.order_by(col(LedgerBlock.number).desc()).limit(COMPARED)).all()
        for number, promised in newest:
            found = self._rpc.call("eth_getBlockByNumber", hex(number), False)
            if found is None or found["hash"] != promised:
                raise _differs(number, promised, found and found["hash"])

    def plan_block(self, session: Session, now: int) -> None:  # noqa: ARG002 (others plan)
        """Nothing: others make blocks."""
        return

    def ready(self, session: Session, now: int) -> bool:  # noqa: ARG002 (the network has its own time)
        """Whether the network has taken most of what it was given."""
        waiting = select(LedgerTransaction.nonce).where(col(LedgerTransaction.block).is_(None))
        return len(session.exec(waiting.limit(PENDING)).all()) < PENDING

    def advance(self) -> Iterator[SealedBlock]:
        """Send what is not in a block yet, then yield every block that has become final.

        Raises:
            NodeLostError: no answer.
            RpcRefusedError: the network does not take a transaction.
            PortError: `ledger_reorganised`.
        """
        self._send()
        final = self._head() - self._settings.confirmations
        with reading(self._engine) as session:
            last = last_block(session)
        number, parent = (last.number + 1, last.hash) if last.hash else (last.number, None)
        while number <= final:
            sealed = self._block(number)
            if parent is not None and sealed.parent != parent:
                raise _reorganised(number, parent, sealed.parent)
            yield sealed
            number, parent = number + 1, sealed.hash

    def alive(self) -> bool:
        """Whether the network answers."""
        try:
            self._head()
        except PortError:
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self._rpc.close()

    def _send(self) -> None:
        with reading(self._engine) as session:
            query = select(LedgerTransaction).where(col(LedgerTransaction.block).is_(None))
            rows = session.exec(query.order_by(col(LedgerTransaction.nonce)).limit(PENDING)).all()
        due = [row for row in rows if time.monotonic() - self._sent.get(row.nonce, -RESEND_SECONDS) >= RESEND_SECONDS]
        answers = self._rpc.try_batch([("eth_sendRawTransaction", ["0x" + row.raw.hex()]) for row in due])
        for row, answer in zip(due, answers, strict=True):
            if isinstance(answer, RpcRefusedError) and not self._is_known(row):
                raise answer
            self._sent[row.nonce] = time.monotonic()

    def _is_known(self, row: LedgerTransaction) -> bool:
        """Whether the network has this very transaction: then "already known" and "nonce too low" are successes."""
        return self._rpc.call("eth_getTransactionByHash", row.hash) is not None

    def _head(self) -> int:
        return int(self._rpc.call("eth_blockNumber"), 16)

    def _block(self, number: int) -> SealedBlock:
        tag = hex(number)
        block, receipts = self._rpc.batch([("eth_getBlockByNumber", [tag, False]), ("eth_getBlockReceipts", [tag])])
        return SealedBlock(header_of(block), receipts or [])

    def _require_chain(self) -> None:
        found = int(self._rpc.call("eth_chainId"), 16)
        if found != self._settings.chain_id:
            raise ConfigurationError(
                "ledger_chain_differs",
                "the network has another chain id",
                zh="网络的链编号不同",
                expected=self._settings.chain_id,
                got=found,
            )


def _differs(number: int, promised: str | None, got: object) -> ConfigurationError:
    return ConfigurationError(
        "ledger_journal_differs",
        f"the network's block {number} is not the recorded one",
        zh=f"网络上的第 {number} 块与记录不一致",
        expected=promised,
        got=got,
        hint="check that this is the same network; then raise the confirmations and rebuild from a backup",
        hint_zh="请确认是同一网络，再提高确认数并从备份重建",
    )


def _reorganised(number: int, expected: str, got: str) -> PortError:
    return PortError(
        "ledger_reorganised",
        f"block {number} does not stand on the recorded block before it",
        retryable=False,
        zh=f"第 {number} 块的父块与记录不一致",
        expected=expected,
        got=got,
        hint="the network gave up a block that counted as final; ask for more confirmations",
        hint_zh="网络放弃了被视为最终的区块，请要求更多确认数",
    )
