"""Titles: acts on them are queued, and they are shown with scope, marks and standing."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from marketplace.documents.scopes import (
    YEARS,
    fields_of,
    name_of,
    purposes_of,
    rulebook_name,
    territories_of,
    words_of,
)
from marketplace.errors import NotFoundError, RuleError
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue
from marketplace.intents import INTENTS, Deployment
from marketplace.refusals import refuse
from marketplace.rights.service import get_asset, manifest_of
from marketplace.rights.service.standings import standings
from marketplace.rights.tables import Asset, Title
from marketplace.types import Digest, TitleKind, TitleMark


def get_title(session: Session, title_id: str) -> Title:
    """A title as the ledger says. Raises NotFoundError `title_unknown`."""
    row = session.get(Title, title_id)
    if row is None:
        raise NotFoundError("title_unknown", f"there is no title {title_id}", zh="没有该权证")
    return row


def act(session: Session, deployment: Deployment, verb: str, deed: Statement, now: int) -> Digest:
    """Queue one of the verbs of titles, signed by whom it needs.

    Raises:
        NotFoundError: `title_unknown`. RuleError: as the rules say.
    """
    name, message = deed.digest(deployment), deed.message
    if is_under_way(session, name):
        return name
    check_statement(deed, deployment, now)
    title = get_title(session, message["parent"] if verb == "grant" else message["titleId"])
    arguments = [dict(message), *deed.signatures]
    try:
        precheck.run(session, "Titles", verb, arguments, now)
    except RuleError as refused:
        if refused.code == "intent_stale" and _awaits_permit(title, verb, message):
            raise refuse("TitlesPledged", titleId=title.title_id, pledgee=title.pledgee) from refused
        raise
    by = message[INTENTS[deed.name].signers[0]]
    return queue(session, contract="Titles", verb=verb, arguments=arguments, digest=name, by=by, now=now)


def _awaits_permit(title: Title, verb: str, message: Mapping[str, Any]) -> bool:
    """Whether an act is for the version that a pledged title has once its pledgee has permitted it."""
    permitted = verb in ("transfer", "surrender") or (verb == "grant" and message["marks"] & TitleMark.EXCLUSIVE)
    return bool(permitted and title.marks & TitleMark.PLEDGED and message["version"] == title.version + 1)


def titles_json(session: Session, titles: Sequence[Title], now: int) -> list[dict[str, Any]]:
    """Titles for a list, each with its standing; asks a number of times that does not grow with theirs."""
    found = session.exec(select(Asset).where(col(Asset.asset_id).in_({title.asset_id for title in titles})))
    stand = standings(session, titles, {asset.asset_id: asset for asset in found}, now)
    return [title.as_json() | {"standing": stand[title.title_id]} for title in titles]


def title_json(session: Session, title: Title, now: int) -> dict[str, Any]:
    """A title with its scope and marks in words, its names, and whether it is in force.

    An order's use has its listing's scope, so none is said here.
    """
    asset = get_asset(session, title.asset_id)
    kind = TitleKind(title.kind)
    return {
        **title.as_json(),
        "scope": {
            "purposes": purposes_of(title.purposes),
            "fields": fields_of(manifest_of(session, asset), title.fields),
            "territories": territories_of(title.territories),
            "rulebook": rulebook_name(),
        },
        "markWords": words_of(title.marks),
        "names": {year: {"zh": name_of(kind, "zh", year), "en": name_of(kind, "en", year)} for year in YEARS},
        "standing": standings(session, [title], {asset.asset_id: asset}, now)[title.title_id],
    }
