"""Checkpoints of the log, their anchors on the ledger, tiles, and proofs.

The root of the log is anchored by an intent of the exchange itself. At most one anchor is under way at a time, so each
names the root that really stands on the ledger before it, also after a refusal or a crash.
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, select

from crypto import merkle, note, tlog
from crypto.canonical import to_hex
from crypto.errors import CryptoError
from crypto.typed_data import address_of
from marketplace.errors import InvalidInputError, NotFoundError
from marketplace.evidence import log
from marketplace.evidence.inbox import Statement, queue
from marketplace.evidence.tables import Anchor, Checkpoint
from marketplace.intents import Deployment, sign_intent
from marketplace.ledger.intake import pending_intents
from marketplace.ledger.profile import ledger_profile
from marketplace.ledger.tables import LedgerBlock
from marketplace.participants.service import roles_of
from marketplace.queries.tables import PanelKey
from marketplace.settings import Settings
from marketplace.types import ZERO_DIGEST, Role

ANCHOR_SECONDS = 3600  # life of an Anchor intent


class LogSigner:
    """The log's own key.

    Args:
        origin: the log's name.
        seed: Ed25519 secret, 32 bytes.
    """

    def __init__(self, origin: str, seed: bytes) -> None:
        self.origin = origin
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def verifier(self) -> note.Verifier:
        """What readers need to check the log's signatures."""
        return note.Verifier(self.origin, self._key.public_key().public_bytes_raw())

    def sign(self, size: int, root: bytes) -> str:
        """A signed checkpoint, as text."""
        return tlog.sign_checkpoint(tlog.Checkpoint(self.origin, size, root), self._key).decode()


def latest_checkpoint(session: Session) -> Checkpoint | None:
    """The checkpoint of the largest size."""
    return session.exec(select(Checkpoint).order_by(col(Checkpoint.size).desc()).limit(1)).first()


def make_checkpoint(session: Session, signer: LogSigner, now: int) -> Checkpoint:
    """Sign the log as it stands; a size that was signed before keeps its note."""
    size = log.size(session)
    known = session.get(Checkpoint, size)
    if known is not None:
        return known
    root = log.root(session, size)
    row = Checkpoint(size=size, root=to_hex(root), note=signer.sign(size, root), anchor_intent="", signed_at=now)
    session.add(row)
    session.flush()
    return row


def is_unanchored(session: Session) -> bool:
    """Whether the log has grown since it was last signed, or was signed and is not on the ledger yet."""
    last, head, size = _last_anchor(session), latest_checkpoint(session), log.size(session)
    return head is None or size > head.size or size > (last.size if last else 0)


def _last_anchor(session: Session) -> Anchor | None:
    return session.exec(select(Anchor).order_by(col(Anchor.size).desc()).limit(1)).first()


def anchor(session: Session, deployment: Deployment, signer: LogSigner, *, key: bytes, now: int) -> Checkpoint | None:
    """Sign the log and queue its root for the ledger, if the log grew and no anchor is under way.

    Args:
        key: the exchange's secp256k1 key, 32 bytes; nothing happens before it has been admitted with the role EXCHANGE.
    Returns:
        The checkpoint that is being anchored, or None where there is nothing to do.
    """
    last, exchange = _last_anchor(session), address_of(key)
    if log.size(session) <= (last.size if last else 0) or pending_intents(session, "Evidence", "anchor"):
        return None
    if not roles_of(session, exchange) & Role.EXCHANGE:
        return None
    row = make_checkpoint(session, signer, now)
    message = {
        "size": row.size,
        "root": row.root,
        "previousRoot": last.root if last else ZERO_DIGEST,
        "exchange": exchange,
        "deadline": now + ANCHOR_SECONDS,
    }
    signature = to_hex(sign_intent("Anchor", message, deployment, key))
    digest = Statement("Anchor", message, (signature,)).digest(deployment)
    queue(
        session, contract="Evidence", verb="anchor", arguments=[message, signature], digest=digest, by=exchange, now=now
    )
    row.anchor_intent = digest
    session.add(row)
    return row


def tile_bytes(session: Session, path: str) -> tuple[bytes, bool]:
    """A tile or entry bundle of the signed log, and whether it is full and so will never change.

    Args:
        path: below the log's prefix, e.g. "tile/0/000.p/12".
    Raises:
        NotFoundError: `tile_unknown`: not the path of a tile, or the signed log is too short for it.
    """
    head = latest_checkpoint(session)
    try:
        tile = tlog.parse_path(path)
    except CryptoError:
        tile = None
    if tile is None or head is None or not tlog.exists(tile, head.size):
        raise NotFoundError("tile_unknown", f"the log has no tile {path[:100]}", zh="日志没有该分片")
    if tile.level is None:
        return tlog.encode_entries(log.entries(session, tile.index * tlog.WIDTH, tile.width)), tile.width == tlog.WIDTH
    return tlog.encode_tile(tile, lambda level, index: log.node(session, level, index)), tile.width == tlog.WIDTH


def inclusion(session: Session, position: int, size: int) -> dict[str, Any]:
    """The proof that entry `position` is in the log of `size` entries. Raises InvalidInputError `proof_range`."""
    _check_size(session, position + 1, size)
    path = merkle.inclusion_proof(position, size, lambda level, index: log.node(session, level, index))
    return {
        "position": position,
        "size": size,
        "root": to_hex(log.root(session, size)),
        "path": [to_hex(item) for item in path],
    }


def consistency(session: Session, first: int, second: int) -> dict[str, Any]:
    """The proof that the log of `second` entries extends that of `first`. Raises InvalidInputError `proof_range`."""
    _check_size(session, first, second)
    path = merkle.consistency_proof(first, second, lambda level, index: log.node(session, level, index))
    roots = {"firstRoot": to_hex(log.root(session, first)), "secondRoot": to_hex(log.root(session, second))}
    return {"first": first, "second": second, **roots, "path": [to_hex(item) for item in path]}


def _check_size(session: Session, part: int, size: int) -> None:
    length = log.size(session)
    if not 1 <= part <= size <= length:
        raise InvalidInputError(
            "proof_range",
            "no such part of the log",
            zh="日志中没有该部分",
            expected=f"1 <= part <= size <= {length}",
            got=[part, size],
        )


def signer_of(settings: Settings) -> LogSigner:
    """The log's key as the operator's settings name it."""
    return LogSigner(settings.log_origin, bytes.fromhex(settings.log_key.get_secret_value()))


def exchange_of(settings: Settings) -> str:
    """The address of the exchange, which signs anchors."""
    return address_of(bytes.fromhex(settings.exchange_key.get_secret_value()))


def profile_json(session: Session, settings: Settings) -> dict[str, Any]:
    """What this market is: what clients pin on first use, and what an auditor compares with its own trust."""
    ledger, verifier = ledger_profile(session), signer_of(settings).verifier
    genesis = session.get(LedgerBlock, 0)
    nodes = session.exec(select(PanelKey).order_by(col(PanelKey.node)))
    return {
        "chainId": ledger.chain_id,
        "contracts": dict(ledger.addresses),
        "currencies": list(ledger.currencies),
        "genesisHash": genesis.hash if genesis else None,
        "registrar": ledger.registrar,
        "treasury": ledger.treasury,
        "feeBps": ledger.fee_bps,
        "rulebook": ledger.rulebook,
        "exchange": exchange_of(settings),
        "log": {"origin": verifier.name, "key": to_hex(verifier.public), "verifier": verifier.to_text()},
        "panel": [{"address": node.node, "bls": node.bls, "possession": node.possession} for node in nodes],
    }
