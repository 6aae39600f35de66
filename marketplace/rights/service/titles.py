"""Titles: acts on them are queued, and they are shown with scope, marks and standing."""

from typing import Any

from sqlmodel import Session

from marketplace.documents.scopes import (
    YEARS,
    fields_of,
    name_of,
    purposes_of,
    rulebook_name,
    territories_of,
    words_of,
)
from marketplace.errors import NotFoundError
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue
from marketplace.intents import INTENTS, Deployment
from marketplace.rights.service import get_asset, manifest_of
from marketplace.rights.tables import Asset, Title
from marketplace.rights.title_records import ASSET_NOT_CONFIRMED, ENDED, EXPIRED, NOT_BEGUN
from marketplace.types import ZERO_DIGEST, AssetStatus, Digest, TitleKind, TitleMark

WORDS = {
    0: "in_force",
    ENDED: "ended",
    EXPIRED: "expired",
    NOT_BEGUN: "not_begun",
    ASSET_NOT_CONFIRMED: "asset_not_confirmed",
}


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
    get_title(session, message["parent"] if verb == "grant" else message["titleId"])
    arguments = [dict(message), *deed.signatures]
    precheck.run(session, "Titles", verb, arguments, now)
    by = message[INTENTS[deed.name].signers[0]]
    return queue(session, contract="Titles", verb=verb, arguments=arguments, digest=name, by=by, now=now)


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
        "standing": standing_json(session, title, asset, now),
    }


def standing_json(session: Session, title: Title, asset: Asset, now: int) -> dict[str, Any]:
    """{"cause", "word", "ancestor", "encumbered"}: why a title is not in force and which ancestor that comes from, and
    which ancestors are seized or controlled. The same walk as contracts/src/Titles.sol `standing`."""
    chain = _chain(session, title)
    heavy = [row.title_id for row in chain if row.marks & TitleMark.ENCUMBRANCES]
    cause, ancestor = _why_over(chain, now)
    if not cause and asset.status != AssetStatus.CONFIRMED:
        cause, ancestor = ASSET_NOT_CONFIRMED, chain[-1].title_id
    if not cause and now > asset.valid_until:
        cause, ancestor = EXPIRED, chain[-1].title_id
    return {"cause": cause, "word": WORDS[cause], "ancestor": ancestor or None, "encumbered": heavy}


def _chain(session: Session, title: Title) -> list[Title]:
    chain = [title]
    while chain[-1].parent != ZERO_DIGEST:
        chain.append(get_title(session, chain[-1].parent))
    return chain


def _why_over(chain: list[Title], now: int) -> tuple[int, str]:
    waiting = (0, "")
    for row in chain:
        if row.marks & TitleMark.ENDED:
            return ENDED, row.title_id
        if row.parent != ZERO_DIGEST and now > row.valid_until:
            return EXPIRED, row.title_id
        if now < row.valid_from and not waiting[0]:
            waiting = (NOT_BEGUN, row.title_id)
    return waiting
