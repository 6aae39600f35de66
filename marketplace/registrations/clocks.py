"""When every period of a case ends, by its rulebook. Pure: the time of an act in, the dates that it has to state out.

Whoever signs an act asks here, the service compares before it queues the act, and the auditor compares afterwards.
The day of an
event is not counted; the whole case's clock stands still for a supplement, the public notice and an objection (guide,
art. 28).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from marketplace.procedures import BESIDE, Kind, Procedure, Step
from marketplace.registrations.records import Case
from marketplace.rulebooks import Period, Rulebook

NAMES: dict[Procedure, str] = {
    Procedure.ORDINARY: "ordinary",
    Procedure.PUBLIC_DATA: "public_data",
    Procedure.LATE_OBJECTION: "late_objection",
    Procedure.REVOCATION: "revocation",
}


@dataclass(frozen=True)
class Dates:
    """What an act states, unix seconds.

    Args:
        due_at: end of the period that it opens; 0 if it opens none.
        decide_by: end of the whole case after it.
    """

    due_at: int
    decide_by: int


def filing_dates(book: Rulebook, procedure: Procedure, stated_at: int) -> Dates:
    """Until when an application is to be accepted, and until when decided, should the registrar keep silent.

    Silence counts as acceptance on the first working day after the period (guide, art. 17). A revocation is not
    accepted by anybody: until then its holder is heard.
    """
    name = NAMES[procedure]
    accept = book.period(name, "hearing" if procedure is Procedure.REVOCATION else "accept")
    review = book.period(name, "review")
    due = book.end(stated_at, accept)
    return Dates(due, book.end(book.next_start(due, accept.unit), review))


def act_dates(book: Rulebook, case: Case, step: Step, stated_at: int, valid_until: int = 0) -> Dates:
    """The dates that `step` has to state in `case`.

    Args:
        case: as it stands before the act.
        valid_until: the present certificate's end, for kinds that keep it or begin there; 0 before the first.
    """
    if step is Step.DEPOSIT:
        return Dates(_validity(book, case, stated_at, valid_until), case.decide_by)
    rule = _RULES.get(step)
    return rule(book, case, stated_at) if rule is not None else Dates(0, case.decide_by)


def _again(book: Rulebook, case: Case, stated_at: int) -> Dates:
    dates = filing_dates(book, case.procedure, stated_at)
    return Dates(dates.due_at, max(dates.decide_by, case.decide_by))


def _accepted(book: Rulebook, case: Case, stated_at: int) -> Dates:
    return Dates(0, book.end(stated_at, book.period(NAMES[case.procedure], "review")))


def _extended(book: Rulebook, case: Case, _stated_at: int) -> Dates:
    return Dates(0, book.end(case.decide_by, book.period(NAMES[case.procedure], "extension")))


def _supplemented(book: Rulebook, case: Case, stated_at: int) -> Dates:
    return Dates(0, _resumed(book, case, case.decide_by, stated_at))


def _rejected(book: Rulebook, case: Case, stated_at: int) -> Dates:
    """The notice goes on for what was left of it; what runs beside other cases has none."""
    if case.procedure in BESIDE:
        return Dates(0, case.decide_by)
    ends = (_resumed(book, case, end, stated_at) for end in (case.notice_end, case.decide_by))
    return Dates(*ends)


def _opened(name: str) -> Callable[[Rulebook, Case, int], Dates]:
    def dates(book: Rulebook, case: Case, stated_at: int) -> Dates:
        return Dates(book.end(stated_at, book.period(NAMES[case.procedure], name)), case.decide_by)

    return dates


def _noticed(book: Rulebook, case: Case, stated_at: int) -> Dates:
    """The whole case's clock stands still until the notice has ended."""
    due = _opened("notice")(book, case, stated_at).due_at
    return Dates(due, book.shift(case.decide_by, stated_at, due, _unit(book, case)))


_RULES: Mapping[Step, Callable[[Rulebook, Case, int], Dates]] = {
    Step.JOIN: _again,
    Step.RESUBMIT: _again,
    Step.ACCEPT: _accepted,
    Step.EXTEND: _extended,
    Step.REQUEST_CORRECTION: _opened("correct"),
    Step.REQUEST_SUPPLEMENT: _opened("supplement"),
    Step.SUPPLEMENT: _supplemented,
    Step.OPEN_NOTICE: _noticed,
    Step.OBJECT: _opened("objection"),
    Step.REJECT: _rejected,
}


def _resumed(book: Rulebook, case: Case, end: int, stated_at: int) -> int:
    return book.shift(end, case.paused_at, stated_at, _unit(book, case))


def _unit(book: Rulebook, case: Case) -> str:
    return book.period(NAMES[case.procedure], "review").unit


def is_renewable(book: Rulebook, procedure: Procedure, valid_until: int, now: int) -> bool:
    """Whether a renewal may be asked for now: the window before the end that the rulebook gives."""
    opens, closes = renewal_window(book, procedure, valid_until)
    return opens <= now <= closes


def renewal_window(book: Rulebook, procedure: Procedure, valid_until: int) -> tuple[int, int]:
    """First and last moment for asking for renewal, unix seconds."""
    name = NAMES[procedure]
    opens = book.begin_before(valid_until, book.period(name, "renewal_opens"))
    return opens, book.begin_before(valid_until, book.period(name, "renewal_closes"))


def term_start(book: Rulebook, case: Case, deposited_at: int, valid_until: int) -> int:
    """From when the new term of a first registration or a renewal counts: its deposit, or where the last one ended."""
    runs_on = case.kind is Kind.RENEWAL and book.content[NAMES[case.procedure]]["renewal_from_previous_end"]
    return valid_until if runs_on else deposited_at


def _validity(book: Rulebook, case: Case, stated_at: int, valid_until: int) -> int:
    """The latest end of what is deposited: a new term for a first registration and a renewal, the present one
    otherwise.
    """
    if case.kind not in (Kind.FIRST, Kind.RENEWAL):
        return valid_until
    period: Period = book.period(NAMES[case.procedure], "validity")
    return book.end(term_start(book, case, stated_at, valid_until), period)
