"""Step 1: the profile that the bundle states, held against what the auditor pinned."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.canonical import from_hex
from crypto.errors import CryptoError, MalformedInput
from crypto.note import Verifier
from marketplace.deployment import Genesis
from marketplace.intents import CONTRACTS, Deployment

from .findings import Report
from .trust import Trust


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
    return Roots(deployment, verifier)


def _deployment(chain_id: object, contracts: object) -> Deployment:
    if type(chain_id) is not int or not isinstance(contracts, Mapping) or set(contracts) != set(CONTRACTS):
        raise MalformedInput(f"chainId and contracts ({', '.join(CONTRACTS)}) expected")
    for name, address in contracts.items():
        from_hex(address, 20, name)
    return Deployment(chain_id, dict(contracts))


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
    )
    for code, subject, pinned, found in pins:
        if pinned is not None:
            report.same(code, subject, pinned, found)
    derived = {"feeBps": genesis.fee_bps, "treasury": genesis.treasury, "registrar": genesis.registrar}
    for name, value in derived.items():
        if name in profile:
            report.same("profile_differs", f"profile {name}", value, profile[name])
