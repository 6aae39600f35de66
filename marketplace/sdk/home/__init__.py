"""The folder a participant works from: its keystore, what it knows about the service, and its journal.

    keystore.json   the encrypted seed (Ethereum V3), mode 0600
    config.toml     the service's url and, from the first use on, the pinned profile: chain id, contracts, log key
    session.json    a session without keys, from `marketplace session login`, mode 0600
    journal.db      vouchers, answers, the last seen checkpoint (sdk/home/journal.py)

The profile is trusted on first use and pinned; a service that later names another chain, another contract or another
log key is refused, because every signature and every proof depends on them.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace.errors import ConfigurationError
from marketplace.sdk.home import files

DEFAULT_URL = "http://127.0.0.1:8420"


@dataclass(frozen=True)
class Pin:
    """What must never change between two conversations with the same service.

    Args:
        chain_id: EIP-155 id of the ledger.
        contracts: contract name to "0x" lower-case address.
        log_origin: the log's name in its signed checkpoints.
        log_key: Ed25519 public key of the log, "0x" hex.
    """

    chain_id: int
    contracts: Mapping[str, str]
    log_origin: str
    log_key: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values, contracts in name order."""
        contracts = dict(sorted(self.contracts.items()))
        return {
            "chain_id": self.chain_id,
            "contracts": contracts,
            "log_origin": self.log_origin,
            "log_key": self.log_key,
        }

    def differences(self, other: "Pin") -> list[str]:
        """Names of the facts that differ, for a person."""
        mine, theirs = self.as_dict(), other.as_dict()
        return [name for name in mine if mine[name] != theirs[name]]


class Home:
    """One participant's folder.

    Args:
        path: the folder; it is made, closed to others, when something is first written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def locate(cls, path: Path | None = None) -> "Home":
        """`path`, else MARKETPLACE_HOME, else ~/.marketplace."""
        chosen = path or Path(os.environ.get("MARKETPLACE_HOME") or "~/.marketplace")
        return cls(chosen.expanduser().absolute())

    @property
    def keystore(self) -> Path:
        """The encrypted seed."""
        return self.path / "keystore.json"

    @property
    def config(self) -> Path:
        """Service address and pin."""
        return self.path / "config.toml"

    @property
    def session(self) -> Path:
        """A session that was opened without keys."""
        return self.path / "session.json"

    @property
    def journal(self) -> Path:
        """The SQLite journal."""
        return self.path / "journal.db"

    def url(self, given: str | None = None) -> str:
        """`given`, else MARKETPLACE_URL, else the configured url, else the local default; without a trailing slash."""
        chosen = given or os.environ.get("MARKETPLACE_URL") or self.read_config().get("url") or DEFAULT_URL
        return str(chosen).rstrip("/")

    def read_config(self) -> dict[str, Any]:
        """config.toml as plain values; empty when there is none.

        Raises:
            ConfigurationError: the file is not TOML.
        """
        if not self.config.is_file():
            return {}
        try:
            return tomllib.loads(self.config.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                "config_unreadable",
                f"{self.config} is not valid TOML: {error}",
                zh=f"{self.config} 不是有效的 TOML 文件",
                hint="repair it or restore a copy; do not delete it blindly: it holds the pinned profile",
                hint_zh="请修复或恢复备份；其中保存着已固定的链配置, 勿随意删除",
            ) from error

    def pin(self) -> Pin | None:
        """The pinned profile, if there is one.

        Raises:
            ConfigurationError: the pin is incomplete.
        """
        table = self.read_config().get("profile")
        if table is None:
            return None
        try:
            contracts = {str(name): str(address) for name, address in table["contracts"].items()}
            return Pin(int(table["chain_id"]), contracts, str(table["log_origin"]), str(table["log_key"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigurationError(
                "pin_incomplete", f"the pinned profile in {self.config} is incomplete", zh="已固定的链配置不完整"
            ) from error

    def account(self) -> str | None:
        """MARKETPLACE_ACCOUNT, else the account that this folder acts for; None for its keys' own address."""
        chosen = os.environ.get("MARKETPLACE_ACCOUNT") or self.read_config().get("account")
        return str(chosen).lower() if chosen else None

    def registrars(self) -> list[str]:
        """MARKETPLACE_REGISTRARS: accounts of registrars whose recoveries of accounts count, with blanks between."""
        return os.environ.get("MARKETPLACE_REGISTRARS", "").lower().split()

    def write(self, url: str, pin: Pin, account: str | None = None) -> None:
        """Remember the service, its pin and the account that is acted for, atomically, mode 0600."""
        files.write_private(self.config, _toml(url, pin, account or self.read_config().get("account")).encode())


def check_pin(known: Pin, offered: Pin) -> None:
    """Refuse a service whose pinned facts changed.

    Raises:
        ConfigurationError: `profile_changed`, naming what changed.
    """
    changed = known.differences(offered)
    if not changed:
        return
    before, now = known.as_dict(), offered.as_dict()
    raise ConfigurationError(
        "profile_changed",
        f"the service is not the one this folder knows: {', '.join(changed)} changed",
        zh=f"服务端与本目录首次使用时记录的不一致：{', '.join(changed)} 已改变",
        rule="client.profile_is_pinned",
        expected={name: before[name] for name in changed},
        got={name: now[name] for name in changed},
        hint="sign nothing; ask the operator by another channel, and use a new home folder for a new marketplace",
        hint_zh="请勿签署任何内容；通过其他渠道向运营方核实，新的市场请使用新的目录",
    )


def _toml(url: str, pin: Pin, account: str | None) -> str:
    # JSON string escapes are a subset of TOML's basic strings, so json.dumps quotes them right.
    lines = [
        "# Written by marketplace. The profile was trusted on first use and is compared on every later one.",
        f"url = {json.dumps(url)}",
        *([f"account = {json.dumps(account)}"] if account else []),
        "",
        "[profile]",
        f"chain_id = {pin.chain_id}",
        f"log_origin = {json.dumps(pin.log_origin)}",
        f"log_key = {json.dumps(pin.log_key)}",
        "",
        "[profile.contracts]",
        *(f"{json.dumps(name)} = {json.dumps(address)}" for name, address in sorted(pin.contracts.items())),
    ]
    return "\n".join(lines) + "\n"
