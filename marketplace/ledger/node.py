"""The embedded node: one anvil child on loopback that mines only when told, and dies with us.

It keeps nothing: no state file, no accounts, no history on disk. Given the same raw transactions and timestamps it
makes the same block hashes, so whatever it knows can be made again from the journal.
"""

import ctypes
import logging
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

from marketplace.errors import ConfigurationError, PortError
from marketplace.ledger.blocks import SealedBlock, header_hash, header_of
from marketplace.ledger.rpc import NodeLostError, RpcClient

log = logging.getLogger(__name__)

HARDFORK = "cancun"
BLOCK_GAS = 1_000_000_000
START_SECONDS = 30.0
_LISTENING = re.compile(r"Listening on (127\.0\.0\.1:\d+)")
_PLATFORMS = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class BlockDiffersError(NodeLostError):
    """The node made another block than the planned one."""


@dataclass(frozen=True)
class NodeSettings:
    """How to start the node. The same settings give the same genesis block.

    Args:
        chain_id: EIP-155 chain id.
        genesis_time: unix seconds of block 0.
        folder: where the child may write; it never writes to the home folder.
        binary: anvil; found among the installed npm packages or on PATH when None.
    """

    chain_id: int
    genesis_time: int
    folder: Path
    binary: Path | None = None


def find_anvil() -> Path:
    """The node's program: `MARKETPLACE_ANVIL`, the npm package for this platform, or the one on PATH, in that order.

    Raises:
        ConfigurationError: `ledger_node_missing`.
    """
    named = os.environ.get("MARKETPLACE_ANVIL")
    system = {"win32": "win32"}.get(sys.platform, sys.platform)
    package = f"anvil-{system}-{_PLATFORMS.get(platform.machine(), platform.machine())}"
    root = Path(__file__).resolve().parents[2]
    packaged = root / "contracts" / "node_modules" / "@foundry-rs" / package / "bin"
    on_path = shutil.which("anvil-native") or shutil.which("anvil")
    candidates = [Path(p) for p in (named, packaged / "anvil", packaged / "anvil.exe", on_path) if p]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise ConfigurationError(
        "ledger_node_missing",
        "the embedded ledger node (anvil) is not installed",
        zh="未安装内置账本节点 (anvil)",
        expected=str(packaged / "anvil"),
        hint="run scripts/lib/setup.sh, or set MARKETPLACE_ANVIL to the program",
        hint_zh="请运行 scripts/lib/setup.sh，或将 MARKETPLACE_ANVIL 设为程序路径",
    )


class Node:
    """A running anvil.

    Args:
        settings: how to start it.

    Raises:
        ConfigurationError: `ledger_node_missing`.
        PortError: `ledger_node_start`: it ended, or did not answer in time; the message holds its last words.
    """

    def __init__(self, settings: NodeSettings) -> None:
        settings.folder.mkdir(parents=True, exist_ok=True)
        self._last_words: deque[str] = deque(maxlen=20)
        self._address: Queue[str] = Queue()
        self._process = subprocess.Popen(  # noqa: S603 (the program is ours, arguments are numbers and a path)
            _command(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=settings.folder,
            process_group=0,  # Ctrl-C is for us; we then end the node in order
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 (one system call, loaded before the fork)
        )
        threading.Thread(target=self._listen, name="ledger-node-output", daemon=True).start()
        self.url = self._wait_until_listening()
        self.rpc = RpcClient(self.url)

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process runs and answers."""
        if self._process.poll() is not None:
            return False
        try:
            self.rpc.call("eth_chainId")
        except PortError:
            return False
        return True

    def block(self, number: int) -> SealedBlock:
        """The block at `number` with its receipts. Its hash is recomputed from its header.

        Raises:
            NodeLostError: no answer, or no such block, or its header does not hash to its hash.
        """
        block, receipts = self.rpc.batch(
            [("eth_getBlockByNumber", [hex(number), False]), ("eth_getBlockReceipts", [hex(number)])]
        )
        if block is None:
            raise BlockDiffersError(f"it has no block {number}")
        sealed = SealedBlock(header_of(block), receipts or [])
        if header_hash(sealed.header) != sealed.hash:
            raise BlockDiffersError(f"the header of block {number} does not hash to {sealed.hash}")
        return sealed

    def seal(self, number: int, timestamp: int, raws: Sequence[bytes], hashes: Sequence[str]) -> SealedBlock:
        """Make block `number` of exactly these transactions, in order.

        Raises:
            NodeLostError: it does not answer; as `BlockDiffersError`, it made something else.
            RpcRefusedError: it does not take a transaction, or the time.
        """
        self.rpc.batch([("eth_sendRawTransaction", ["0x" + raw.hex()]) for raw in raws])
        self.rpc.call("evm_mine", {"timestamp": timestamp})
        sealed = self.block(number)
        if sealed.timestamp != timestamp or [r["transactionHash"] for r in sealed.receipts] != list(hashes):
            raise BlockDiffersError(f"block {number} was not made as planned")
        return sealed

    def stop(self) -> None:
        """End the child; there is nothing in it worth a farewell."""
        self.rpc.close()
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        # The pipe is read to its end: a child that cannot write stops working.
        stream = self._process.stdout
        assert stream is not None
        with stream:
            for line in stream:
                self._last_words.append(line.rstrip())
                if found := _LISTENING.search(line):
                    self._address.put(found[1])
        self._address.put("")

    def _wait_until_listening(self) -> str:
        try:
            address = self._address.get(timeout=START_SECONDS)
        except Empty:
            address = ""
        if address:
            return f"http://{address}"
        self._process.kill()
        self._process.wait()
        words = " / ".join(line for line in self._last_words if line)[-500:]
        raise PortError("ledger_node_start", f"the ledger node did not start: {words}", zh="账本节点未能启动")


def node_version(binary: Path) -> str:
    """The first line that the program says about its version."""
    asked = subprocess.run(  # noqa: S603 (our own program)
        [str(binary), "--version"], capture_output=True, text=True, timeout=START_SECONDS, check=True
    )
    return asked.stdout.splitlines()[0].strip()


def _command(settings: NodeSettings) -> list[str]:
    flags = {
        "--host": "127.0.0.1",
        "--port": 0,
        "--chain-id": settings.chain_id,
        "--hardfork": HARDFORK,
        "--timestamp": settings.genesis_time,
        "--gas-limit": BLOCK_GAS,
        "--gas-price": 0,
        "--base-fee": 0,
        "--accounts": 0,
        "--order": "fifo",
        "--cache-path": settings.folder / "node-cache",
    }
    switches = ["--no-mining", "--prune-history", "--disable-default-create2-deployer", "--no-request-size-limit"]
    pairs = [text for flag, value in flags.items() for text in (flag, str(value))]
    return [str(settings.binary or find_anvil()), *pairs, *switches, "--no-cors"]


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux: ask the kernel to kill the child when the thread that started it ends, however it ends."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def prepare() -> None:
        prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # we died before the request
            os._exit(1)

    return prepare
