"""Certificates as the service keeps them: their places in the status lists, and the lists themselves."""

import secrets
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func
from sqlmodel import Session, col, select

from crypto import bitstring, credential
from marketplace.documents import Document
from marketplace.errors import NotFoundError
from marketplace.ledger.tables import LedgerBlock
from marketplace.procedures import CaseState
from marketplace.registrations.tables import RegisterEntry, RegistrationCase
from marketplace.rights import superseding
from marketplace.rights.service import get_asset
from marketplace.rights.standing import Standing, judge, list_paths
from marketplace.rights.status_lists import PURPOSES, entries_of, is_marked, list_path, make_list
from marketplace.rights.tables import Asset, StatusPlace, Title
from marketplace.settings import Settings
from marketplace.types import ZERO_DIGEST, AssetStatus

FULL = bitstring.BITS * 3 // 4  # beyond that a new list begins, so that drawing a free place stays short


def list_key(settings: Settings) -> Ed25519PrivateKey:
    """Who signs the lists: the log's key, which every reader has pinned already."""
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.log_key.get_secret_value()))


def reserve_place(session: Session, asset_id: str) -> StatusPlace:
    """The place of the certificate of an asset's latest case, drawn at random on first asking and the same ever after.

    Raises:
        NotFoundError: `asset_unknown`, or `case_unknown`: nothing was filed about it.
    """
    get_asset(session, asset_id)
    entry = session.get(RegisterEntry, asset_id)
    if entry is None:
        raise NotFoundError("case_unknown", f"nothing was filed about asset {asset_id}", zh="该资产尚未申请登记")
    row = session.get(StatusPlace, entry.latest_case)
    if row is None:
        number = session.exec(select(func.max(col(StatusPlace.number)))).one() or 0
        taken = session.exec(select(func.count()).where(col(StatusPlace.number) == number)).one()
        number += taken >= FULL
        place = _free_position(session, number)
        row = StatusPlace(case_id=entry.latest_case, asset_id=asset_id, number=number, position=place)
        session.add(row)
    return row


def _free_position(session: Session, number: int) -> int:
    while True:
        drawn = secrets.randbelow(bitstring.BITS)
        place = select(StatusPlace).where(StatusPlace.number == number, StatusPlace.position == drawn)
        if session.exec(place).first() is None:
            return drawn


def entries_for(session: Session, settings: Settings, asset_id: str) -> list[Document]:
    """`credentialStatus` for the certificate of an asset. Raises NotFoundError `asset_unknown`."""
    issuer = credential.did_key(list_key(settings).public_key().public_bytes_raw())
    row = reserve_place(session, asset_id)
    return entries_of(settings.public_url, issuer, row.number, row.position)


def status_list(session: Session, settings: Settings, purpose: str, number: int, now: int) -> Document:
    """A list as the ledger stands, signed. Raises NotFoundError `status_list_unknown`."""
    last = session.exec(select(func.max(col(StatusPlace.number)))).one()
    if purpose not in PURPOSES or not 0 <= number <= (last or 0):
        raise NotFoundError("status_list_unknown", "there is no such status list", zh="没有该状态列表")
    height = session.exec(select(func.max(col(LedgerBlock.number))).where(col(LedgerBlock.hash).is_not(None))).one()
    marked = _marked(session, purpose, number)
    key = list_key(settings)
    return make_list(key, settings.public_url, purpose, number, marked=marked, height=height or 0, now=now)


def every_list(session: Session, settings: Settings, now: int) -> Iterator[tuple[str, Document]]:
    """(path, list) of all lists, for the evidence bundle."""
    last = session.exec(select(func.max(col(StatusPlace.number)))).one() or 0
    for number in range(last + 1):
        for purpose in PURPOSES:
            yield list_path(purpose, number), status_list(session, settings, purpose, number, now)


def standing_of(session: Session, settings: Settings, certificate: Document, now: int) -> Standing:
    """What a confirmed asset's certificate is worth now."""
    places = [path.split("/")[-2:] for path in list_paths(certificate)]
    lists = [status_list(session, settings, purpose, int(number), now) for purpose, number in places]
    issuer = credential.public_of_did_key(certificate["issuer"]["id"])
    return judge(certificate, lists, issuer=issuer, now=now)


def _marked(session: Session, purpose: str, number: int) -> list[int]:
    """Positions whose bit is set. Most assets have nothing to say, so the store leaves them out."""
    moved = select(Title.asset_id).where(Title.parent == ZERO_DIGEST, Title.version > 1)
    told = (col(Asset.status) > AssetStatus.CONFIRMED) | (col(Asset.share_version) > 1)
    told |= col(RegisterEntry.disputes) > 0
    told |= col(RegisterEntry.certified_case) != StatusPlace.case_id
    query = (
        select(StatusPlace, Asset, RegisterEntry)
        .join(Asset, col(StatusPlace.asset_id) == Asset.asset_id)
        .join(RegisterEntry, col(RegisterEntry.asset_id) == Asset.asset_id)
        .join(RegistrationCase, col(RegistrationCase.case_id) == StatusPlace.case_id)
        .where(StatusPlace.number == number, RegistrationCase.state == int(CaseState.CERTIFIED))
    )
    found = []
    for place, asset, entry in session.exec(query.where(told | col(Asset.asset_id).in_(moved))):
        since = moved_since(session, asset, entry, is_present=entry.certified_case == place.case_id)
        if is_marked(purpose, asset.status, *since, disputes=entry.disputes):
            found.append(place.position)
    return found


def moved_since(
    session: Session, asset: Asset, entry: RegisterEntry, *, is_present: bool = True
) -> tuple[int, list[tuple[int, int]]]:
    """What has moved since an asset's present certificate was given, or an earlier one, as `is_marked` asks."""
    at = superseding.Moment(is_present, entry.share_version, entry.moves)
    return superseding.since(at, asset.share_version, first_titles(session, asset))


def first_titles(session: Session, asset: Asset) -> list[tuple[int, int]]:
    """(moves, marks) of an asset's first titles, as `is_marked` asks."""
    rows = session.exec(select(Title).where(Title.asset_id == asset.asset_id, Title.parent == ZERO_DIGEST))
    return [(row.moves, row.marks) for row in rows]
