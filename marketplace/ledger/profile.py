"""What this ledger is: its network, its contracts and where they stand. Written once, compared at every start."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from sqlmodel import Session

from marketplace import artifacts
from marketplace.currencies import CNY
from marketplace.deployment import Genesis
from marketplace.errors import ConfigurationError
from marketplace.intents import CONTRACTS, Deployment
from marketplace.ledger.planning import Limits
from marketplace.ledger.tables import LedgerMeta

_KEY = "profile"


@dataclass(frozen=True)
class LedgerSettings:
    """What the operator decides about the ledger.

    Args:
        chain_id: EIP-155 chain id.
        relayer_key: secp256k1 secret, 32 bytes, that deploys and relays; it has no authority.
        registrar: the first registrar's address.
        treasury: where fees go.
        fee_bps: fee in basis points.
        rulebook: digest of the rulebook of registration that the exchange is founded with.
        currencies: ISO 4217 codes, CNY first.
        folder: where the embedded node may write.
        rpc_url: JSON-RPC of an outer network; empty for the embedded node.
        confirmations: blocks of an outer network that must stand on a block before it counts.
        gas_price: wei, on an outer network that charges.
        limits: sizes of transactions and blocks.
    """

    chain_id: int
    relayer_key: bytes = field(repr=False)
    registrar: str
    treasury: str
    fee_bps: int
    rulebook: str
    folder: Path
    rpc_url: str = ""
    confirmations: int = 0
    gas_price: int = 0
    limits: Limits = field(default_factory=Limits)
    currencies: tuple[str, ...] = (CNY.code,)


@dataclass(frozen=True)
class LedgerProfile:
    """A deployed market.

    Args:
        node: "embedded" or "external".
        version: what the node said it was when the ledger was founded.
        relayer: address that deployed the contracts with its first transactions, and relays.
        start_number: the block before the deployment; the journal's first.
        start_time: its timestamp, unix seconds.
        artifacts_digest: SHA-256 over the creation code of the contracts, "0x" hex.
        addresses: contract name to address.
    """

    chain_id: int
    node: str
    version: str
    relayer: str
    start_number: int
    start_time: int
    registrar: str
    treasury: str
    fee_bps: int
    rulebook: str
    artifacts_digest: str
    addresses: dict[str, str]

    @property
    def deployment(self) -> Deployment:
        """What signing needs to know."""
        return Deployment(self.chain_id, self.addresses)

    @property
    def currencies(self) -> tuple[str, ...]:
        """The codes of the market's currencies, CNY first; each has a token among the contracts."""
        return self.deployment.currencies

    @classmethod
    def found(cls, settings: LedgerSettings, relayer: str, start: "Start") -> Self:
        """The profile of a ledger that does not exist yet."""
        return cls(
            chain_id=settings.chain_id,
            node=start.node,
            version=start.version,
            relayer=relayer,
            start_number=start.number,
            start_time=start.timestamp,
            registrar=settings.registrar,
            treasury=settings.treasury,
            fee_bps=settings.fee_bps,
            rulebook=settings.rulebook,
            artifacts_digest=artifacts_digest(),
            addresses=Genesis(
                relayer,
                settings.registrar,
                settings.treasury,
                settings.fee_bps,
                settings.rulebook,
                settings.currencies,
            ).addresses(),
        )

    def require_same(self, settings: LedgerSettings, relayer: str) -> None:
        """Make sure that the settings still describe this ledger.

        Raises:
            ConfigurationError: `ledger_profile_differs`, naming the first difference.
        """
        node = "external" if settings.rpc_url else "embedded"
        wanted = {"chain_id": settings.chain_id, "relayer": relayer, "registrar": settings.registrar, "node": node}
        wanted |= {"treasury": settings.treasury, "fee_bps": settings.fee_bps, "artifacts_digest": artifacts_digest()}
        wanted |= {"rulebook": settings.rulebook, "currencies": settings.currencies}
        for name, value in wanted.items():
            if getattr(self, name) != value:
                raise ConfigurationError(
                    "ledger_profile_differs",
                    f"this database holds a ledger with another {name}",
                    zh="数据库中的账本与当前配置不一致",
                    expected=getattr(self, name),
                    got=value,
                    hint="restore the setting, or start with an empty database",
                    hint_zh="请恢复原配置，或使用空数据库",
                )

    @property
    def genesis(self) -> Genesis:
        """What the contracts were told when they were made."""
        return Genesis(self.relayer, self.registrar, self.treasury, self.fee_bps, self.rulebook, self.currencies)


@dataclass(frozen=True)
class Start:
    """Where a ledger begins on its network."""

    node: str
    version: str
    number: int
    timestamp: int


def artifacts_digest() -> str:
    """SHA-256 over the creation code of the contracts, "0x" hex."""
    codes = {name: artifacts.load(name).bytecode.hex() for name in CONTRACTS}
    return "0x" + hashlib.sha256(json.dumps(codes, sort_keys=True).encode()).hexdigest()


def stored_profile(session: Session) -> LedgerProfile | None:
    """The profile of the ledger in this database; None before the first start."""
    row = session.get(LedgerMeta, _KEY)
    return None if row is None else LedgerProfile(**row.value)


def ledger_profile(session: Session) -> LedgerProfile:
    """The profile of the ledger in this database.

    Raises:
        ConfigurationError: `ledger_not_founded`.
    """
    profile = stored_profile(session)
    if profile is None:
        raise ConfigurationError(
            "ledger_not_founded", "no ledger has been started on this database", zh="该数据库尚未建立账本"
        )
    return profile


def store_profile(session: Session, profile: LedgerProfile) -> None:
    """Write the profile, once."""
    session.add(LedgerMeta(key=_KEY, value=asdict(profile)))
