"""The evidence bundle: everything that an auditor needs who trusts nobody, from one consistent snapshot, streamed as a
zip.

    profile.json                 what GET /profile says: chain, contracts, first registrar, treasury, fee, log key
    ledger/headers.jsonl         every block header as JSON-RPC names its fields, from block 0 on
    ledger/transactions.jsonl    {"block": n, "raw": "0x…"} in the ledger's order
    ledger/receipts.jsonl        every receipt as JSON-RPC returned it, in the ledger's order
    read_model/<table>.jsonl     the service's rows, see below
    log/entries.jsonl            every leaf of the log, one canonical JSON object a line
    log/checkpoint               a signed checkpoint that covers every leaf above
    log/checkpoints.jsonl        {"size": n, "note": "…"} of every checkpoint on record, and of this one
    documents/<digest hex>.json  every document in canonical form
    blobs/<digest hex>           every sealed blob that a manifest names
    status/<purpose>-<n>.json    every status list of certificates, signed, as of the last block

Rows are objects whose members are the columns of the read model, and "event": {"block": n, "logIndex": i, "intent":
digest} of the row's last change (intent is null for what the deployment did). Addresses and digests are "0x" hex,
everything else integers:

    participants   account roles status identityDigest version exitAt
    account_rings  account version since generation guardians guardiansNumber threshold delay
    account_keys   account key acts limitFen validFrom validUntil generation personDigest grantedBy
    recoveries     recoveryId account newKey status threshold delay guardians approved readyAt reasonDigest
    assets         assetId holder manifestDigest ciphertextRoot claimDigest level status certificateDigest
                   validUntil version shareVersion epsilonBudget epsilonCommitted epsilonReleased
    titles         titleId assetId kind holder orderId validUntil version
    shares         assetId holder bps                    (no row for a holder of nothing)
    share_encumbrances  assetId holder pledgee bps debtDigest marks version
    listings       listingId assetId seller termsDigest price validUntil status version
    agreements     agreementId partyA partyB agreementDigest validUntil status version previousId
    orders         orderId listingId assetId buyer escrow epsilonCap validUntil agreementDigest agreementId
                   status amount epsilon calls callsRoot fee refund
    order_claims   orderId claimedBy voucherHash amount epsilon calls callsRoot until
    payouts        orderId assetId holder amount
    balances       account balance
    issues         ref account amount bank issuedAt
    redemptions    redemptionId account amount payoutDigest bank payBy status ref reasonDigest requestedAt endedAt
    anchors        size root previousRoot
    clearing_batches    batchId exchange number status legs closeBy payBy confirmedBy payoutsDigest
    clearing_positions  batchId party credit debit collected paid
    clearing_debts      debtId batchId debtor creditor amount ref place status
    cleared_orders      orderId batchId
    delivery_offers     listingId seller amount deliverWithin inspection correction corrections marks
    lineage_declarations  assetId holder agreementDigest
    lineage_inputs        assetId inputId place titleId bps
    lineage_consents      assetId inputId holder titleId validUntil status version
    deliveries     orderId buyer receiveKey dueAt status rounds acknowledged noteHash ciphertextDigest fingerprintId
                   plaintextCommitment deliveredAt defectsDigest
    registration_cases  caseId assetId applicant counterparty objector kind procedure state formDigest
                   nonPublicationDigest depositDigest rulebookDigest filedAt acceptedAt statedAt dueAt decideBy
                   pausedAt noticeEnd depositedAt extended version
    registration_acts   caseId version step state actor evidenceDigest statedAt dueAt decideBy
    register_entries    assetId holder validUntil disputes upheld latestCase certificateDigest code (text)
                   certifiedCase formDigest shareVersion moves
    rulebook_in_force   subject rulebookDigest

Every JSON line is canonical (RFC 8785) and ends in a line feed. There is no secret in a bundle, but there are query
texts, vouchers and the participants' profiles: only registrars, auditors, regulators and the exchange get one.
"""

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from crypto.canonical import canonical_json, to_hex
from marketplace.agreements.tables import Agreement
from marketplace.clearing.tables import ClearedOrder, ClearingBatch, ClearingDebt, ClearingPosition
from marketplace.deliveries.tables import Delivery, DeliveryOffer
from marketplace.documents import blob_digests
from marketplace.evidence import log
from marketplace.evidence.tables import Anchor, Checkpoint, LogEntry
from marketplace.ledger.tables import LedgerBlock, LedgerTransaction
from marketplace.lineage.tables import LineageConsent, LineageDeclaration, LineageInput
from marketplace.listings.tables import Listing
from marketplace.orders.tables import Order, OrderClaim
from marketplace.participants.tables import AccountKey, AccountRing, Participant, Recovery
from marketplace.registrations.tables import RegisterEntry, RegistrationAct, RegistrationCase, RulebookInForce
from marketplace.rights.tables import Asset, Share, ShareEncumbrance, Title
from marketplace.settlement.tables import Balance, Issue, Payout, Redemption
from marketplace.storage.blobs import BlobStore
from marketplace.storage.documents import StoredDocument, document_body, read_document
from marketplace.storage.engine import reading
from marketplace.storage.projected import ProjectedRow

READ_MODEL: tuple[type[ProjectedRow], ...] = (
    Participant,
    AccountRing,
    AccountKey,
    Recovery,
    Asset,
    Title,
    Share,
    ShareEncumbrance,
    Listing,
    Agreement,
    Order,
    OrderClaim,
    Payout,
    Balance,
    Issue,
    Redemption,
    Anchor,
    ClearingBatch,
    ClearingPosition,
    ClearingDebt,
    ClearedOrder,
    LineageDeclaration,
    LineageInput,
    LineageConsent,
    DeliveryOffer,
    Delivery,
    RegistrationCase,
    RegistrationAct,
    RegisterEntry,
    RulebookInForce,
)
CHUNK = 500
FLUSH_BYTES = 1 << 16
_EPOCH = (1980, 1, 1, 0, 0, 0)  # members carry no time of their own, so the same evidence gives the same bytes


class _Pipe:
    """A write-only file that hands over what was written since it was last emptied."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.waiting = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.waiting += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def empty(self) -> bytes:
        data, self._parts, self.waiting = b"".join(self._parts), [], 0
        return data


def stream_bundle(
    engine: Engine,
    blobs: BlobStore,
    profile: Mapping[str, Any],
    sign: Callable[[int, bytes], str],
    lists: Callable[[Session], Iterable[tuple[str, Mapping[str, Any]]]] = lambda _: (),
) -> Iterator[bytes]:
    """The bytes of the zip, piece by piece, in bounded memory; everything in it is of one moment.

    Args:
        profile: what GET /profile says.
        sign: gives the log's signed checkpoint of a size and root. The log may have grown since it was last signed.
        lists: gives the status lists of certificates as of this moment, each with its path.
    """
    pipe = _Pipe()
    with reading(engine) as session, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for name, parts in _members(session, blobs, profile, sign):
            with archive.open(_info(name), "w", force_zip64=True) as member:
                for part in parts:
                    member.write(part)
                    if pipe.waiting >= FLUSH_BYTES:
                        yield pipe.empty()
            yield pipe.empty()
        for path, listed in lists(session):
            archive.writestr(_info(f"status/{'-'.join(path.split('/')[-2:])}.json"), canonical_json(dict(listed)))
            yield pipe.empty()
    yield pipe.empty()


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    # Ciphertext does not shrink; squeezing it would only cost time.
    info.compress_type = zipfile.ZIP_STORED if name.startswith("blobs/") else zipfile.ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    return info


def _members(
    session: Session, blobs: BlobStore, profile: Mapping[str, Any], sign: Callable[[int, bytes], str]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    yield "profile.json", iter([canonical_json(dict(profile))])
    yield "ledger/headers.jsonl", _headers(session)
    yield "ledger/transactions.jsonl", _transactions(session)
    yield "ledger/receipts.jsonl", _receipts(session)
    for table in READ_MODEL:
        yield f"read_model/{table.__tablename__}.jsonl", _rows(session, table)
    yield "log/entries.jsonl", _entries(session)
    size = log.size(session)
    note = sign(size, log.root(session, size))
    yield "log/checkpoint", iter([note.encode()])
    yield "log/checkpoints.jsonl", _checkpoints(session, size, note)
    for digest in session.exec(select(StoredDocument.digest).order_by(col(StoredDocument.digest))).all():
        yield f"documents/{digest[2:]}.json", iter([document_body(session, digest)])
    for digest in _blob_names(session):
        yield f"blobs/{digest[2:]}", iter([blobs.get(digest)])


def _line(value: Mapping[str, Any]) -> bytes:
    return canonical_json(dict(value)) + b"\n"


def _blocks(session: Session) -> Iterator[LedgerBlock]:
    """Every sealed block in order, a chunk at a time."""
    statement = select(LedgerBlock).where(col(LedgerBlock.hash).is_not(None)).order_by(col(LedgerBlock.number))
    for block in session.exec(statement.execution_options(yield_per=CHUNK)):
        yield block
        session.expunge(block)


def _headers(session: Session) -> Iterator[bytes]:
    return (_line(block.header) for block in _blocks(session) if block.header is not None)


def _receipts(session: Session) -> Iterator[bytes]:
    return (_line(receipt) for block in _blocks(session) for receipt in block.receipts or ())


def _transactions(session: Session) -> Iterator[bytes]:
    sealed = select(LedgerBlock.number).where(col(LedgerBlock.hash).is_not(None))
    statement = select(LedgerTransaction).where(col(LedgerTransaction.block).in_(sealed))
    statement = statement.order_by(col(LedgerTransaction.block), col(LedgerTransaction.transaction_index))
    for row in session.exec(statement.execution_options(yield_per=CHUNK)):
        yield _line({"block": row.block, "raw": to_hex(row.raw)})


def _rows(session: Session, table: type[ProjectedRow]) -> Iterator[bytes]:
    keys = table.__table__.primary_key.columns  # type: ignore[attr-defined]
    for row in session.exec(select(table).order_by(*keys).execution_options(yield_per=CHUNK)):
        yield _line(row.as_json())


def _entries(session: Session) -> Iterator[bytes]:
    statement = select(LogEntry.leaf).order_by(col(LogEntry.position))
    for leaf in session.exec(statement.execution_options(yield_per=CHUNK)):
        yield leaf + b"\n"


def _checkpoints(session: Session, size: int, note: str) -> Iterator[bytes]:
    for row in session.exec(select(Checkpoint).where(Checkpoint.size < size).order_by(col(Checkpoint.size))):
        yield _line({"size": row.size, "note": row.note})
    yield _line({"size": size, "note": note})


def _blob_names(session: Session) -> list[str]:
    """Digests of every blob that a registered manifest names, each once, sorted."""
    manifests = session.exec(select(Asset.manifest_digest)).all()
    return sorted({to_hex(name) for manifest in manifests for name in blob_digests(read_document(session, manifest))})
