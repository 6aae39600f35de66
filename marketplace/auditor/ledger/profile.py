"""Step 1: the profile that the bundle states, held against what the auditor pinned."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from crypto import bls
from crypto.canonical import from_hex, to_hex
from crypto.errors import CryptoError, MalformedInput
from crypto.note import Verifier
from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.chain import Block
from marketplace.auditor.lines import unknown_fields
from marketplace.auditor.readmodel.rows import Key, Row, Tables
from marketplace.auditor.trust import Trust
from marketplace.deployment import Genesis
from marketplace.intents import CONTRACTS, Deployment, names_contracts
from marketplace.types import Role

_FIELDS = frozenset(
    {
        "chainId",
        "contracts",
        "currencies",
        "genesisHash",
        "registrar",
        "treasury",
        "feeBps",
        "rulebook",
        "exchange",
        "log",
        "panel",
    }
)
_LOG_FIELDS = frozenset({"origin", "key", "verifier"})


class Domains(Deployment):
    """A deployment whose signing domains are computed once: an audit needs them for every signature."""

    def domain(self, contract: str) -> bytes:
        """As `Deployment.domain`."""
        return _domain(self.chain_id, self.addresses[contract])


@lru_cache(maxsize=64)
def _domain(chain_id: int, address: str) -> bytes:
    return Deployment(chain_id, {"": address}).domain("")


@dataclass(frozen=True)
class Roots:
    """What the later steps stand on.

    Args:
        deployment: chain id and contract addresses.
        log: the log's name and key.
    """

    deployment: Deployment
    log: Verifier


def establish(profile: Mapping[str, Any], trust: Trust, report: Report) -> Roots | None:
    """The roots of trust: pinned ones where there are any, else the profile's, loudly. None where neither has them."""
    _compare_with_pins(profile, trust, report)
    contracts = trust.contracts if trust.contracts is not None else profile.get("contracts")
    chain_id = trust.chain_id if trust.chain_id is not None else profile.get("chainId")
    log = _log(profile)
    try:
        deployment = _deployment(chain_id, contracts)
        origin, key = trust.log_origin or log.get("origin"), trust.log_key or log.get("key")
        verifier = Verifier(str(origin), from_hex(key, 32, "log key"))
    except CryptoError as error:
        report.find("profile_malformed", "profile.json", got=error)
        return None
    unknown_fields(log, _LOG_FIELDS, "profile log", report)
    if "verifier" in log:
        report.same("profile_differs", "profile log.verifier", verifier.to_text(), log["verifier"])
    return Roots(deployment, verifier)


def _deployment(chain_id: object, contracts: object) -> Deployment:
    if type(chain_id) is not int or not isinstance(contracts, Mapping) or not names_contracts(contracts):
        raise MalformedInput(f"chainId and contracts ({', '.join(CONTRACTS)}) expected")
    for name, address in contracts.items():
        from_hex(address, 20, name)
    return Domains(chain_id, dict(contracts))


def _log(profile: Mapping[str, Any]) -> dict[str, Any]:
    log = profile.get("log")
    return log if isinstance(log, dict) else {}


def _compare_with_pins(profile: Mapping[str, Any], trust: Trust, report: Report) -> None:
    stated = {
        "chain_id": profile.get("chainId"),
        "contracts": profile.get("contracts"),
        "log_origin": _log(profile).get("origin"),
        "log_key": _log(profile).get("key"),
    }
    for name, value in stated.items():
        pinned = getattr(trust, name)
        if pinned is not None:
            report.same("profile_pinned", f"profile {name}", dict(pinned) if name == "contracts" else pinned, value)
    loose = [name for name in (*stated, "registrar") if getattr(trust, name) is None]
    if loose:
        report.note("trust_from_bundle", names=", ".join(loose))


def compare_with_genesis(profile: Mapping[str, Any], trust: Trust, genesis: Genesis, report: Report) -> None:
    """Step 4, last part: the constructor arguments are the pinned ones, and what the profile says."""
    pins = (
        ("registrar_pinned", "registrar", trust.registrar, genesis.registrar),
        ("treasury_pinned", "treasury", trust.treasury, genesis.treasury),
        ("fee_pinned", "fee in basis points", trust.fee_bps, genesis.fee_bps),
        ("rulebook_pinned", "founding rulebook", trust.rulebook, genesis.rulebook),
    )
    for code, subject, pinned, found in pins:
        if pinned is not None:
            report.same(code, subject, pinned, found)
    derived = {
        "currencies": list(genesis.currencies),
        "feeBps": genesis.fee_bps,
        "rulebook": genesis.rulebook,
        "treasury": genesis.treasury,
        "registrar": genesis.registrar,
    }
    for name, value in derived.items():
        report.same("profile_differs", f"profile {name}", value, profile.get(name))
    unknown_fields(profile, _FIELDS, "profile", report)


def compare_with_ledger(
    profile: Mapping[str, Any], blocks: Mapping[int, Block], tables: Tables, report: Report
) -> None:
    """Step 6, last part: what else the profile says of the ledger is true: first block, exchange, panel keys."""
    if 0 in blocks:
        report.same("profile_differs", "profile genesisHash", to_hex(blocks[0].header.hash), profile.get("genesisHash"))
    accounts = tables.rows["participants"]
    if profile.get("exchange") is not None:
        _check_role(profile["exchange"], Role.EXCHANGE, "profile exchange", accounts, report)
    panel = profile.get("panel")
    for node in panel if isinstance(panel, list) else ():
        try:
            _check_role(node["address"], Role.PANEL, "profile panel", accounts, report)
            bls.verify_possession(from_hex(node["bls"], 48), from_hex(node["possession"], 96))
            if set(node) != {"address", "bls", "possession"}:
                raise MalformedInput(f"unexpected fields {sorted(node)}")
        except (CryptoError, TypeError, KeyError) as error:
            report.find("panel_key", f"profile panel {node}", got=error)


def _check_role(account: Any, role: Role, subject: str, accounts: Mapping[Key, Row], report: Report) -> None:
    row = accounts.get((account,)) if isinstance(account, str) else None
    if row is None or not row["roles"] & role:
        report.find("profile_differs", subject, expected=f"a participant with the role {role.name}", got=account)
