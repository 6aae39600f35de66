"""Step 1: what the auditor takes for granted. Everything else is derived from these few values and the bundle.

A trust file (TOML) pins them. Whatever it does not pin is taken from the bundle, and then the report says so loudly:
an audit against the bundle's own roots shows that the bundle agrees with itself, not that it is this market's.

    chain_id = 20260
    registrar = "0x…"            # the first registrar, from whom every admission descends
    log_origin = "…"             # the log's name, first line of each checkpoint
    log_key = "0x…"              # the log's Ed25519 key, 32 bytes
    genesis_hash = "0x…"         # optional
    treasury = "0x…"             # optional
    fee_bps = 200                # optional

    [contracts]                  # optional; the addresses follow from the deployer
    Participants = "0x…"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from marketplace.errors import ConfigurationError
from marketplace.intents import CONTRACTS, names_contracts
from marketplace.refusals.reasons import reason_of
from marketplace.words import Words

MAX_TRUST_FILE = 64 << 10


@dataclass(frozen=True)
class Trust:
    """Roots of trust; None is "not pinned".

    Args:
        chain_id: EIP-155 chain id.
        registrar: address of the first registrar, a constructor argument of Participants.
        log_origin: the log's name.
        log_key: its Ed25519 key, "0x" hex of 32 bytes.
        genesis_hash: hash of block 0.
        treasury: address where fees go, a constructor argument of Orders.
        fee_bps: the exchange's fee in basis points, a constructor argument of Orders.
        rulebook: digest of the rulebook that the exchange was founded with, a constructor argument of Registrations.
        contracts: contract name to address.
    """

    chain_id: int | None = None
    registrar: str | None = None
    log_origin: str | None = None
    log_key: str | None = None
    genesis_hash: str | None = None
    treasury: str | None = None
    fee_bps: int | None = None
    rulebook: str | None = None
    contracts: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Seen:
    """What the auditor has seen with its own eyes before or elsewhere; a rewritten history contradicts it.

    Args:
        checkpoints: size and root of the log, with where it was seen.
        blocks: block number and hash ("0x" hex), with where it was seen.
    """

    checkpoints: tuple[tuple[int, bytes, str], ...] = ()
    blocks: tuple[tuple[int, str, str], ...] = ()


def load(path: Path) -> Trust:
    """Read a trust file.

    Raises:
        ConfigurationError: code trust_unreadable: no such file, not TOML, or a key or value that is not one of Trust's.
    """
    try:
        if path.stat().st_size > MAX_TRUST_FILE:
            raise _unreadable(path, Words("it is too large", "文件过大"))
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, reason_of(error)) from None
    return from_mapping(values, path)


def from_mapping(values: Mapping[str, Any], source: object) -> Trust:
    """Trust from plain values; `source` is named in errors.

    Raises:
        ConfigurationError: code trust_unreadable.
    """
    known = {field.name for field in fields(Trust)}
    if unknown := sorted(values.keys() - known):
        raise _unreadable(
            source,
            Words(
                f"unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}",
                f"没有 {unknown[0]!r} 一项；可用的有 {'、'.join(sorted(known))}",
            ),
        )
    for name, value in values.items():
        wanted = {"chain_id": int, "fee_bps": int, "contracts": dict}.get(name, str)
        if type(value) is not wanted:
            raise _unreadable(
                source, Words(f"{name} must be {wanted.__name__}", f"{name} 的类型须为 {wanted.__name__}")
            )
    contracts = values.get("contracts")
    if contracts is not None and not names_contracts(contracts):
        raise _unreadable(
            source,
            Words(
                f"contracts must name {', '.join(CONTRACTS)}, and tokens of further currencies alone",
                f"contracts 须列出 {'、'.join(CONTRACTS)}，此外仅可列出其他货币的代币",
            ),
        )
    return Trust(**values)


def _unreadable(source: object, reason: Words) -> ConfigurationError:
    return ConfigurationError(
        "trust_unreadable",
        f"The trust file {source} cannot be used: {reason.en}.",
        zh=f"信任文件 {source} 无法使用：{reason.zh}。",
        got=reason,
    )
