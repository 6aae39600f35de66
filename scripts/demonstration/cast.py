"""Who takes part, and how each is set up: a folder, a password, a keystore, a pinned service."""

import socket
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts.demonstration.processes import Party, wait_until

ROLES = {
    "bank": ("BANK", "Bank of the Exchange", "交易所结算银行"),
    "exchange": ("EXCHANGE", "City Data Exchange", "城市数据交易所"),
    "supplier": ("SUPPLIER", "Airport Data Company", "机场数据公司"),
    "collector": ("SUPPLIER", "Flight Record Collectors", "航班记录采集方"),
    "buyer": ("BUYER", "Ground Transport Planners", "地面交通规划院"),
    "rival": ("BUYER", "Another Planning Office", "另一家规划院"),
    "node-1": ("PANEL", "Panel node one", "计算节点一"),
    "node-2": ("PANEL", "Panel node two", "计算节点二"),
    "node-3": ("PANEL", "Panel node three", "计算节点三"),
    "auditor": ("AUDITOR", "City Audit Office", "市审计局"),
}
CUSTODIAN = "custodian"  # holds the other half of the sealing key; it has no role on the ledger
NODES = ("node-1", "node-2", "node-3")


@dataclass
class Cast:
    """All parties by name, their ledger addresses, and where the service listens."""

    parties: dict[str, Party]
    addresses: dict[str, str]
    url: str

    def __getitem__(self, name: str) -> Party:
        return self.parties[name]

    def together(self, act: Callable[[str], object], names: Iterable[str]) -> None:
        """Let several parties act at the same time, as they would."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(act, names))

    def stop(self) -> None:
        """End every process that any party runs; the service last, so that the others end in peace."""
        for name, party in self.parties.items():
            if name != "exchange":
                party.stop()
        self.parties["exchange"].stop()


def gather(stage: Path) -> Cast:
    """Make every party's folder and keystore, side by side."""
    parties = {name: Party(name, stage) for name in ("registrar", CUSTODIAN, *ROLES)}
    url = f"http://127.0.0.1:{_free_port()}"
    with ThreadPoolExecutor(4) as pool:
        made = pool.map(lambda party: party.call("keys", "new", "--work-factor", "14"), parties.values())
        addresses = dict(zip(parties, (keys["address"] for keys in made), strict=True))
    for party in parties.values():
        party.extra["MARKETPLACE_URL"] = url
    return Cast(parties, addresses, url)


def open_exchange(cast: Cast) -> dict[str, str]:
    """Make the operator's keys and start `marketplace serve`, which starts the ledger node; wait until it answers."""
    exchange = cast["exchange"]
    secrets = exchange.home / "secrets"
    keys: dict[str, str] = exchange.call("operator", "keys", str(secrets))
    exchange.extra |= {
        "MARKETPLACE_SECRETS_DIR": str(secrets),
        "MARKETPLACE_DATA_DIR": str(exchange.home / "data"),
        "MARKETPLACE_GENESIS_REGISTRAR": cast.addresses["registrar"],
        "MARKETPLACE_PORT": cast.url.rsplit(":", 1)[1],
        "MARKETPLACE_PUBLIC_URL": cast.url,
        "MARKETPLACE_RULEBOOK": "evaluation",
    }
    process = exchange.start("serve")
    wait_until("the exchange", lambda: _answers(f"{cast.url}/readyz"), process)
    return keys


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
            return bool(answer.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
