"""Cases as the ledger says, the rulebook in force, and the dates that the next act of a case has to state."""

from sqlmodel import Session

from marketplace.errors import NotFoundError
from marketplace.participants.service import oversees
from marketplace.procedures import Step
from marketplace.registrations import clocks
from marketplace.registrations.projections import SUBJECT
from marketplace.registrations.records import case_from_json
from marketplace.registrations.tables import RegisterEntry, RegistrationCase, RulebookInForce
from marketplace.rulebooks import Rulebook, rulebook_of
from marketplace.types import ZERO_ADDRESS


def rulebook_in_force(session: Session) -> Rulebook:
    """The rulebook that a case filed now follows."""
    row = session.get(RulebookInForce, SUBJECT)
    if row is None:
        raise NotFoundError("rulebook_unknown", "no rulebook is in force yet", zh="尚无生效规则")
    return rulebook_of(row.rulebook_digest)


def get_case(session: Session, case_id: str) -> RegistrationCase:
    """A case as the ledger says. Raises NotFoundError `case_unknown`."""
    row = session.get(RegistrationCase, case_id)
    if row is None:
        raise unknown_case(case_id)
    return row


def visible_case(session: Session, case_id: str, account: str) -> RegistrationCase:
    """A case that `account` may see: as applicant, receiver, objector or holder, or because it oversees.

    Raises:
        NotFoundError: `case_unknown`: there is none, or it is not theirs.
    """
    row = get_case(session, case_id)
    entry = session.get(RegisterEntry, row.asset_id)
    parties = {row.applicant, row.counterparty, row.objector, entry.holder if entry else ""} - {ZERO_ADDRESS}
    if account not in parties and not oversees(session, account):
        raise unknown_case(case_id)
    return row


def dates_of(session: Session, book: Rulebook, case: RegistrationCase, step: Step, stated_at: int) -> clocks.Dates:
    """The dates that an act has to state."""
    entry = session.get(RegisterEntry, case.asset_id)
    return clocks.act_dates(book, case_from_json(case.as_json()), step, stated_at, entry.valid_until if entry else 0)


def unknown_case(case_id: str) -> NotFoundError:
    """The refusal of a case that there is not, or that is not the asker's."""
    return NotFoundError(
        "case_unknown",
        f"there is no registration case {case_id} for you",
        zh="没有您可查阅的该登记案件",
        hint="sign in as a party to it, or look at the public notices",
        hint_zh="请以当事人身份登录，或查阅公示",
    )
