"""Registration cases in numbers and words of contracts/src/interfaces/IRegistrations.sol, and their state tables: for
each procedure, which step leads from which state to which. Pure data.

contracts/src/Procedures.sol is the same in Solidity; a test compares every cell. The documents' diagrams are drawn
from here.

Sources: guide of 2026 (国数综政策〔2026〕35号) art. 14-37; measures for public data (发改数据规〔2025〕26号) art. 8-15.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum


class Procedure(IntEnum):
    """Which state table a case follows: guide of 2026, measures for public data of 2025, an objection after the fact,
    or a registrar's own case for taking an entry back.
    """

    NONE = 0
    ORDINARY = 1
    PUBLIC_DATA = 2
    LATE_OBJECTION = 3
    REVOCATION = 4


class Kind(IntEnum):
    """初次、转让、变更、更正、续期、注销、撤销登记, and an objection to what was registered (异议)."""

    NONE = 0
    FIRST = 1
    TRANSFER = 2
    CHANGE = 3
    CORRECTION = 4
    RENEWAL = 5
    CANCELLATION = 6
    REVOCATION = 7
    LATE_OBJECTION = 8


KIND_WORDS = {
    "FIRST": "初次登记",
    "TRANSFER": "转让登记",
    "CHANGE": "变更登记",
    "CORRECTION": "更正登记",
    "RENEWAL": "续期登记",
    "CANCELLATION": "注销登记",
    "REVOCATION": "撤销登记",
    "LATE_OBJECTION": "事后异议",
}


class CaseState(IntEnum):
    """Where a case stands."""

    NONE = 0
    DRAFT = 1
    SUBMITTED = 2
    CORRECTION_REQUESTED = 3
    UNDER_REVIEW = 4
    SUPPLEMENT_REQUESTED = 5
    PUBLIC_NOTICE = 6
    OBJECTION_PENDING = 7
    CLEARED = 8
    DEPOSITED = 9
    CERTIFIED = 10
    REFUSED = 11
    TERMINATED = 12
    DEEMED_NOT_FILED = 13
    WITHDRAWN = 14
    DISPUTED = 15
    UPHELD = 16
    DISMISSED = 17
    ENDED = 18


class Step(IntEnum):
    """What is done in a case."""

    NONE = 0
    JOIN = 1
    ACCEPT = 2
    ACCEPT_BY_SILENCE = 3
    REQUEST_CORRECTION = 4
    RESUBMIT = 5
    DEEM_NOT_FILED = 6
    REQUEST_SUPPLEMENT = 7
    SUPPLEMENT = 8
    EXTEND = 9
    REFUSE = 10
    TERMINATE = 11
    WITHDRAW = 12
    OPEN_NOTICE = 13
    WAIVE_NOTICE = 14
    OBJECT = 15
    REPLY = 16
    UPHOLD = 17
    REJECT = 18
    DEPOSIT = 19
    CERTIFY = 20
    MARK_DISPUTED = 21
    END = 22


#: states in which nothing can happen any more
FINAL = frozenset(
    (
        *(CaseState.CERTIFIED, CaseState.REFUSED, CaseState.TERMINATED, CaseState.DEEMED_NOT_FILED),
        *(CaseState.WITHDRAWN, CaseState.UPHELD, CaseState.DISMISSED, CaseState.ENDED, CaseState.NONE),
    )
)
#: kinds that need no public notice: what corrects or ends an entry. Others need the applicant's reasons.
WAIVABLE = frozenset((Kind.CORRECTION, Kind.CANCELLATION))
#: kinds whose certificate takes off the marks of objections that were upheld: the entry is another, or another's, now
SETTLING = frozenset((Kind.CHANGE, Kind.CORRECTION, Kind.TRANSFER))
#: procedures whose cases run beside the asset's others: nobody can keep them out by a case of one's own
BESIDE = frozenset((Procedure.LATE_OBJECTION, Procedure.REVOCATION))

S = CaseState
Table = Mapping[tuple[S, Step], S]


class Party(StrEnum):
    """Whose a step is."""

    APPLICANT = "applicant"
    COUNTERPARTY = "counterparty"
    REGISTRAR = "registrar"
    OBJECTOR = "objector"
    HOLDER = "holder"
    ANYONE = "anyone"


WHOSE: Mapping[Step, Party] = {
    Step.JOIN: Party.COUNTERPARTY,
    Step.RESUBMIT: Party.APPLICANT,
    Step.SUPPLEMENT: Party.APPLICANT,
    Step.WITHDRAW: Party.APPLICANT,
    Step.REPLY: Party.APPLICANT,  # to a late objection or a revocation: the holder
    Step.OBJECT: Party.OBJECTOR,
    Step.ACCEPT_BY_SILENCE: Party.ANYONE,
    Step.DEEM_NOT_FILED: Party.ANYONE,
    **dict.fromkeys(
        (
            *(Step.ACCEPT, Step.REQUEST_CORRECTION, Step.REQUEST_SUPPLEMENT, Step.EXTEND, Step.REFUSE, Step.TERMINATE),
            *(Step.OPEN_NOTICE, Step.WAIVE_NOTICE, Step.UPHOLD, Step.REJECT, Step.DEPOSIT, Step.CERTIFY),
            *(Step.MARK_DISPUTED, Step.END),
        ),
        Party.REGISTRAR,
    ),
}

_CORRECTION: Table = {
    (S.SUBMITTED, Step.REQUEST_CORRECTION): S.CORRECTION_REQUESTED,
    (S.CORRECTION_REQUESTED, Step.RESUBMIT): S.SUBMITTED,
    (S.CORRECTION_REQUESTED, Step.DEEM_NOT_FILED): S.DEEMED_NOT_FILED,
}
_CASE: Table = {
    (S.DRAFT, Step.JOIN): S.SUBMITTED,
    (S.SUBMITTED, Step.ACCEPT): S.UNDER_REVIEW,
    **_CORRECTION,
    (S.UNDER_REVIEW, Step.REQUEST_SUPPLEMENT): S.SUPPLEMENT_REQUESTED,
    (S.SUPPLEMENT_REQUESTED, Step.SUPPLEMENT): S.UNDER_REVIEW,
    (S.SUPPLEMENT_REQUESTED, Step.TERMINATE): S.TERMINATED,
    (S.UNDER_REVIEW, Step.REFUSE): S.REFUSED,
    (S.UNDER_REVIEW, Step.TERMINATE): S.TERMINATED,
    (S.UNDER_REVIEW, Step.OPEN_NOTICE): S.PUBLIC_NOTICE,
    (S.UNDER_REVIEW, Step.WAIVE_NOTICE): S.CLEARED,
    (S.PUBLIC_NOTICE, Step.OBJECT): S.OBJECTION_PENDING,
    (S.OBJECTION_PENDING, Step.REPLY): S.OBJECTION_PENDING,
    (S.OBJECTION_PENDING, Step.UPHOLD): S.REFUSED,
    (S.OBJECTION_PENDING, Step.REJECT): S.PUBLIC_NOTICE,
    (S.PUBLIC_NOTICE, Step.DEPOSIT): S.DEPOSITED,
    (S.CLEARED, Step.DEPOSIT): S.DEPOSITED,
    **{(state, Step.END): S.ENDED for state in (S.PUBLIC_NOTICE, S.CLEARED)},
    (S.DEPOSITED, Step.CERTIFY): S.CERTIFIED,
    (S.DEPOSITED, Step.TERMINATE): S.TERMINATED,
}
_PENDING = (
    *(S.DRAFT, S.SUBMITTED, S.CORRECTION_REQUESTED, S.UNDER_REVIEW, S.SUPPLEMENT_REQUESTED, S.PUBLIC_NOTICE),
    *(S.OBJECTION_PENDING, S.CLEARED),
)
ORDINARY: Table = {
    **_CASE,
    (S.SUBMITTED, Step.ACCEPT_BY_SILENCE): S.UNDER_REVIEW,
    (S.UNDER_REVIEW, Step.EXTEND): S.UNDER_REVIEW,
    **{(state, Step.WITHDRAW): S.WITHDRAWN for state in _PENDING},
}
PUBLIC_DATA: Table = {
    **{cell: state for cell, state in _CASE.items() if cell != (S.DRAFT, Step.JOIN)},
    **{(state, Step.WITHDRAW): S.WITHDRAWN for state in _PENDING if state is not S.DRAFT},
}
LATE_OBJECTION: Table = {
    (S.SUBMITTED, Step.ACCEPT): S.UNDER_REVIEW,
    **_CORRECTION,
    (S.UNDER_REVIEW, Step.REPLY): S.UNDER_REVIEW,
    (S.UNDER_REVIEW, Step.MARK_DISPUTED): S.DISPUTED,
    (S.DISPUTED, Step.REPLY): S.DISPUTED,
    **{(state, Step.UPHOLD): S.UPHELD for state in (S.UNDER_REVIEW, S.DISPUTED)},
    **{(state, Step.REJECT): S.DISMISSED for state in (S.UNDER_REVIEW, S.DISPUTED)},
    **{
        (state, Step.WITHDRAW): S.WITHDRAWN
        for state in (S.SUBMITTED, S.CORRECTION_REQUESTED, S.UNDER_REVIEW, S.DISPUTED)
    },
}
#: The holder is heard, or has been silent for as long as it was given, before anything is decided.
REVOCATION: Table = {
    (S.SUBMITTED, Step.REPLY): S.UNDER_REVIEW,
    (S.SUBMITTED, Step.ACCEPT_BY_SILENCE): S.UNDER_REVIEW,
    (S.UNDER_REVIEW, Step.REPLY): S.UNDER_REVIEW,
    (S.UNDER_REVIEW, Step.END): S.ENDED,
    (S.UNDER_REVIEW, Step.REJECT): S.DISMISSED,
    **{(state, Step.WITHDRAW): S.WITHDRAWN for state in (S.SUBMITTED, S.UNDER_REVIEW)},
}
TABLES: Mapping[Procedure, Table] = {
    Procedure.ORDINARY: ORDINARY,
    Procedure.PUBLIC_DATA: PUBLIC_DATA,
    Procedure.LATE_OBJECTION: LATE_OBJECTION,
    Procedure.REVOCATION: REVOCATION,
}
_ENTRIES = (Kind.FIRST, Kind.CHANGE, Kind.RENEWAL, Kind.CANCELLATION)
#: kinds that a procedure takes. The measures for public data know no transfer, and the guide no correction: there a
#: mistake is put right by a change
KINDS: Mapping[Procedure, frozenset[Kind]] = {
    Procedure.ORDINARY: frozenset((*_ENTRIES, Kind.TRANSFER)),
    Procedure.PUBLIC_DATA: frozenset((*_ENTRIES, Kind.CORRECTION)),
    Procedure.LATE_OBJECTION: frozenset((Kind.LATE_OBJECTION,)),
    Procedure.REVOCATION: frozenset((Kind.REVOCATION,)),
}
#: kinds that end the entry, without a deposit, instead of certifying it anew
ENDING = frozenset((Kind.CANCELLATION, Kind.REVOCATION))
#: steps that are no signed act
UNSIGNED = frozenset((Step.ACCEPT_BY_SILENCE, Step.DEEM_NOT_FILED, Step.CERTIFY))


def next_state(procedure: int, state: S, step: int) -> S:
    """Where a step leads; NONE where the table has no such step."""
    table = TABLES.get(Procedure(procedure), {})
    return table.get((state, Step(step)), S.NONE) if step in Step.__members__.values() else S.NONE


def is_within(procedure: Procedure, step: Step) -> bool:
    """Whether a step has to come within the open period. Where silence accepts, nobody can accept after it."""
    in_time = (Step.RESUBMIT, Step.SUPPLEMENT, Step.OBJECT)
    return step in in_time or (procedure is Procedure.ORDINARY and step in (Step.ACCEPT, Step.REQUEST_CORRECTION))


def is_after(state: S, step: Step) -> bool:
    """Whether a step has to wait for the end of the open period."""
    enters = step in (Step.DEPOSIT, Step.END)
    return (state is S.PUBLIC_NOTICE and enters) or (state, step) == (S.SUPPLEMENT_REQUESTED, Step.TERMINATE)


def opens_period(procedure: Procedure, step: Step) -> bool:
    """Whether a step opens a period, whose end it states."""
    if step is Step.REJECT:
        return procedure not in BESIDE
    return step in (
        *(Step.JOIN, Step.RESUBMIT, Step.REQUEST_CORRECTION, Step.REQUEST_SUPPLEMENT, Step.OPEN_NOTICE),
        *(Step.OBJECT, Step.DEPOSIT),
    )
