"""Registration cases: contracts/src/Registrations.sol in Python, verb by verb.

The tables of steps are in procedures.py, the dates that acts have to state in clocks.py. As on the ledger, the rules
here keep
order, roles and the ends of periods; whether a stated date is the rulebook's is asked by the service before and by the
auditor after.
"""

from typing import Protocol

from marketplace.documents.ids import case_id
from marketplace.events import Event
from marketplace.participants.rules import Participants
from marketplace.procedures import (
    BESIDE,
    ENDING,
    FINAL,
    KINDS,
    SETTLING,
    UNSIGNED,
    WAIVABLE,
    WHOSE,
    CaseState,
    Kind,
    Party,
    Procedure,
    Step,
    is_after,
    is_within,
    next_state,
    opens_period,
)
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time, require_version
from marketplace.registrations.codes import is_code
from marketplace.registrations.records import Case, Record, Registrations
from marketplace.rulebooks.bounds import Bounds, Lane
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST, AssetStatus, Role

MAX_AHEAD_SECONDS = 20 * 365 * 86_400  # no period of any rulebook is longer


class Register(Protocol):
    """What these rules ask the register of rights."""

    def standing_of(self, asset_id: str) -> tuple[AssetStatus, str, int]:
        """(status, registrant, end of validity) of an asset; NONE, nobody and 0 for an unknown one."""

    def require_no_part(self, asset_id: str, account: str) -> None:
        """Refuse whoever registered the asset, shares in its revenue, has a first title, or ever was a party."""

    def note_party(self, asset_id: str, account: str) -> None:
        """`account` objected: it decides nothing about the asset any more."""

    def passing(self, asset_id: str, giver: str) -> int:
        """First titles that a transfer by `giver` would hand over, as bits."""

    def end(self, asset_id: str, status: AssetStatus, by: str, reason: str, now: int) -> list[Event]:
        """End a registration for good, or refuse to; `reason` is the digest of the decision's paper."""


#: steps whose period a rulebook bounds from below
BOUNDED = {
    Step.REQUEST_CORRECTION: Lane.CORRECTION,
    Step.REQUEST_SUPPLEMENT: Lane.SUPPLEMENT,
    Step.OPEN_NOTICE: Lane.NOTICE,
}


def found(state: Registrations, rulebook: str, bounds: Bounds) -> list[Event]:
    """The exchange is founded with a rulebook."""
    state.rulebook, state.bounds[rulebook] = rulebook, bounds
    args = {"rulebookDigest": rulebook, "entryBounds": bounds.entry, "besideBounds": bounds.beside}
    args["termBounds"] = bounds.term
    args |= {"previousDigest": ZERO_DIGEST, "exchange": ZERO_ADDRESS}
    return [Event("Registrations", "RulebookAdopted", args)]


def file(
    state: Registrations, participants: Participants, register: Register, filing: Message, now: int
) -> list[Event]:
    """File a case.

    Args:
        filing: the intent File, signed by the applicant.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    name, asset_key = filing["caseId"], filing["assetId"]
    require_in_time(filing, now)
    state.require_time(filing["statedAt"], 0, now)
    expected = case_id(asset_key, filing["applicant"], filing["formDigest"], filing["statedAt"])
    if name != expected:
        raise refuse("RegistrationsIdMismatch", expected=expected, got=name)
    if name in state.cases:
        raise refuse("RegistrationsExists", caseId=name)
    _require_kind(filing)
    if filing["rulebookDigest"] != state.rulebook:
        raise refuse("RegistrationsRulebook", expected=state.rulebook, got=filing["rulebookDigest"])
    _require_filing_dates(state, filing)
    _require_parties(state, participants, register, filing, now)
    kind, procedure = Kind(filing["kind"]), Procedure(filing["procedure"])
    record = state.record_of(asset_key)
    latest = state.cases.get(record.latest_case)
    if procedure not in BESIDE and latest is not None and latest.state not in FINAL:
        raise refuse("RegistrationsOpenCase", assetId=asset_key, caseId=record.latest_case)

    state.cases[name] = Case(
        asset_key,
        filing["applicant"],
        kind,
        procedure,
        CaseState.DRAFT if kind is Kind.TRANSFER else CaseState.SUBMITTED,
        filing["formDigest"],
        filing["rulebookDigest"],
        filing["statedAt"],
        filing["dueAt"],
        filing["decideBy"],
        filing["nonPublicationDigest"] != ZERO_DIGEST or kind in WAIVABLE,
        filing["counterparty"],
        passing=register.passing(asset_key, filing["applicant"]) if kind is Kind.TRANSFER else 0,
    )
    if procedure not in BESIDE:
        record.latest_case = name
        state.records[asset_key] = record
    if kind is Kind.LATE_OBJECTION:
        register.note_party(asset_key, filing["applicant"])
    return [Event("Registrations", "Filed", {"filing": dict(filing)})]


def act(state: Registrations, participants: Participants, register: Register, deed: Message, now: int) -> list[Event]:
    """Take a step in a case as one of its parties.

    Args:
        deed: the intent Act, signed by its actor.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks of `_step`, in their order; the state is then unchanged.
    """
    return _step(state, participants, register, deed, now, decides=False)


def decide(
    state: Registrations, participants: Participants, register: Register, decision: Message, now: int
) -> list[Event]:
    """Decide a step in a case as a registrar.

    Args:
        decision: the intent Decide, signed by the registrar.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks of `_step`, in their order; the state is then unchanged.
    """
    return _step(state, participants, register, decision, now, decides=True)


def _step(
    state: Registrations, participants: Participants, register: Register, deed: Message, now: int, *, decides: bool
) -> list[Event]:
    name = deed["caseId"]
    require_in_time(deed, now)
    case, following = _require_step(state, name, deed["step"])
    step = Step(deed["step"])
    require_version(case.version, deed)
    state.require_time(deed["statedAt"], case.stated_at, now)
    _require_actor(state, participants, register, deed, decides=decides)
    _require_period(name, case, step, deed["statedAt"])
    _require_dates(state, case, deed)
    if step is Step.EXTEND and case.extended:
        raise refuse("RegistrationsExtended", caseId=name)
    if step is Step.WAIVE_NOTICE and not case.may_waive:
        raise refuse("RegistrationsNoWaiver", caseId=name)

    ended = _end(register, case, deed, now) if following is CaseState.ENDED else []
    before = case.state
    _note_clock(case, step, deed)
    _take(state, case, following, deed)
    if step is Step.OBJECT:
        register.note_party(case.asset_id, deed["actor"])
    names = ("caseId", "step", "actor", "evidenceDigest", "statedAt", "dueAt", "decideBy")
    args = {item: deed[item] for item in names}
    args |= {"assetId": case.asset_id, "state": int(following), "version": case.version}
    return [Event("Registrations", "Acted", args), *_count_dispute(state, name, before), *ended]


def _end(register: Register, case: Case, deed: Message, now: int) -> list[Event]:
    status = AssetStatus.CANCELLED if case.kind is Kind.CANCELLATION else AssetStatus.REVOKED
    return register.end(case.asset_id, status, deed["actor"], deed["evidenceDigest"], now)


def expire(state: Registrations, name: str, now: int) -> list[Event]:
    """Anyone states that a period ended unused: silence accepts, a correction that did not come ends the case.

    Raises:
        RuleError: there is no such period, or it has not ended; the state is then unchanged.
    """
    case = state.cases.get(name)
    current = case.state if case else CaseState.NONE
    step = Step.DEEM_NOT_FILED if current is CaseState.CORRECTION_REQUESTED else Step.ACCEPT_BY_SILENCE
    following = next_state(case.procedure, current, step) if case else CaseState.NONE
    if case is None or following is CaseState.NONE:
        raise refuse("RegistrationsStep", caseId=name, state=int(current), step=int(step))
    if now <= case.due_at:
        raise refuse("RegistrationsEarly", caseId=name, dueAt=case.due_at, statedAt=now)

    case.state = following
    case.version += 1
    args = {"caseId": name, "assetId": case.asset_id, "step": int(step), "state": int(following)}
    return [Event("Registrations", "Expired", args | {"version": case.version})]


def adopt(state: Registrations, participants: Participants, adoption: Message, now: int) -> list[Event]:
    """Choose the rulebook of later cases; running ones keep theirs.

    Args:
        adoption: the intent Adopt, signed by an exchange.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(adoption, now)
    previous, chosen = adoption["previousDigest"], adoption["rulebookDigest"]
    if previous != state.rulebook:
        raise refuse("RegistrationsRulebook", expected=state.rulebook, got=previous)
    if chosen in (state.rulebook, ZERO_DIGEST):
        raise refuse("RegistrationsRulebook", expected=state.rulebook, got=chosen)
    participants.require_active(adoption["exchange"], Role.EXCHANGE)
    words = {name: adoption[name] for name in ("entryBounds", "besideBounds", "termBounds")}
    bounds, known = Bounds(*words.values()), state.bounds.get(chosen)
    if (known is not None and known != bounds) or ZERO_DIGEST in words.values():
        raise refuse("RegistrationsBounds", **words)

    state.rulebook, state.bounds[chosen] = chosen, bounds
    args = {name: adoption[name] for name in adoption if name != "deadline"}
    return [Event("Registrations", "RulebookAdopted", args)]


def certify(state: Registrations, confirmation: Message) -> list[Event]:
    """End the latest case of an asset in a certificate; for the rules of rights alone.

    Args:
        confirmation: the intent Confirm.
    Raises:
        RuleError: the case is not deposited, or the certificate does not fit it; the state is then unchanged.
    """
    record = state.record_of(confirmation["assetId"])
    name, code, until = record.latest_case, confirmation["code"], confirmation["validUntil"]
    case, _ = _require_step(state, name, Step.CERTIFY)
    if confirmation["registrar"] == case.counterparty:
        raise refuse("RegistrationsOwnMatter", caseId=name, account=confirmation["registrar"])
    if until > case.due_at:
        raise refuse("RegistrationsTerm", validUntil=until, latest=case.due_at)
    if not is_code(code):
        raise refuse("RegistrationsCode", code=code)
    if code in state.codes:
        raise refuse("RegistrationsCodeUsed", code=code)

    case.state = CaseState.CERTIFIED
    case.version += 1
    record.holder = case.counterparty if case.kind is Kind.TRANSFER else case.applicant
    record.valid_until, record.code = until, code
    record.certificate_digest = confirmation["certificateDigest"]
    state.codes[code] = name
    names = ("assetId", "code", "certificateDigest", "validUntil", "registrar")
    args = {item: confirmation[item] for item in names}
    args |= {"caseId": name, "holder": record.holder, "version": case.version}
    return [Event("Registrations", "Certified", args), *_settle_disputes(record, case, args)]


def _settle_disputes(record: Record, case: Case, certified: Message) -> list[Event]:
    """An entry that was changed, or passed to another, is not what the objections that were upheld spoke against."""
    if not record.upheld or case.kind not in SETTLING:
        return []
    record.disputes -= record.upheld
    record.upheld = 0
    return [_marked(case.asset_id, certified["caseId"], record)]


def _marked(asset_key: str, name: str, record: Record) -> Event:
    args = {"assetId": asset_key, "caseId": name, "disputes": record.disputes, "upheld": record.upheld}
    return Event("Registrations", "DisputeMarked", args)


def _require_kind(filing: Message) -> None:
    procedure, kind = filing["procedure"], filing["kind"]
    if procedure not in KINDS or kind not in KINDS[procedure]:
        raise refuse("RegistrationsKind", kind=kind, procedure=procedure)


def _require_filing_dates(state: Registrations, filing: Message) -> None:
    if not filing["statedAt"] < filing["dueAt"] < filing["decideBy"] <= filing["statedAt"] + MAX_AHEAD_SECONDS:
        raise refuse("RegistrationsDates", dueAt=filing["dueAt"], decideBy=filing["decideBy"])
    if filing["procedure"] == Procedure.REVOCATION:  # until then the holder of what is to be revoked is heard
        case = (filing["rulebookDigest"], Procedure.REVOCATION)
        state.require_length(case, Lane.NOTICE, filing["statedAt"], filing["dueAt"])
    public = filing["procedure"] == Procedure.PUBLIC_DATA
    if public != (filing["depositDigest"] != ZERO_DIGEST):
        raise refuse("RegistrationsDepositProof", depositDigest=filing["depositDigest"])


def _require_parties(
    state: Registrations, participants: Participants, register: Register, filing: Message, now: int
) -> None:
    kind, applicant, other = Kind(filing["kind"]), filing["applicant"], filing["counterparty"]
    if (kind is Kind.TRANSFER) != (other != ZERO_ADDRESS) or other == applicant:
        raise refuse("RegistrationsCounterparty", counterparty=other)
    participants.require_active(applicant, Role.REGISTRAR if kind is Kind.REVOCATION else Role(0))
    if kind is Kind.TRANSFER:  # else nobody could join it, and meanwhile it bars every other case of the asset
        participants.require_active(other)
    asset_key = filing["assetId"]
    status, registrant, valid_until = register.standing_of(asset_key)
    first = kind is Kind.FIRST
    fitting = (AssetStatus.REGISTERED,) if first else (AssetStatus.CONFIRMED, AssetStatus.SUSPENDED)
    if status not in fitting:
        raise refuse("RegistrationsAsset", assetId=asset_key, status=int(status))
    if not first and now > valid_until:
        raise refuse("RegistrationsLapsed", assetId=asset_key, validUntil=valid_until)
    if kind is Kind.RENEWAL:
        _require_renewable(state, filing, valid_until)
    if kind is Kind.REVOCATION:
        register.require_no_part(asset_key, applicant)
        return
    holder = registrant if first else state.record_of(asset_key).holder
    if kind is Kind.LATE_OBJECTION and applicant == holder:
        raise refuse("RegistrationsOwnMatter", caseId=filing["caseId"], account=applicant)
    if kind is not Kind.LATE_OBJECTION and applicant != holder:
        raise refuse("RegistrationsNotParty", caseId=filing["caseId"], account=applicant)
    if not first and kind is not Kind.LATE_OBJECTION:
        _require_same_procedure(state, filing)


def _require_renewable(state: Registrations, filing: Message, valid_until: int) -> None:
    """No window for renewal opens longer before the end than its rulebook's bound."""
    lead = state.bound(filing["rulebookDigest"], Procedure(filing["procedure"]), Lane.RENEWAL)
    if lead and filing["statedAt"] + lead < valid_until:
        args = {"dueAt": valid_until - lead, "statedAt": filing["statedAt"]}
        raise refuse("RegistrationsEarly", caseId=filing["caseId"], **args)


def _require_same_procedure(state: Registrations, filing: Message) -> None:
    """An entry stays with the procedure that it was made by."""
    latest = state.cases[state.record_of(filing["assetId"]).latest_case]
    if latest.procedure != filing["procedure"]:
        raise refuse("RegistrationsKind", kind=filing["kind"], procedure=filing["procedure"])


def _require_step(state: Registrations, name: str, step: int) -> tuple[Case, CaseState]:
    case = state.cases.get(name)
    following = next_state(case.procedure, case.state, step) if case else CaseState.NONE
    other = Step.DEPOSIT if case is not None and case.kind in ENDING else Step.END  # what ends an entry has no deposit
    if case is None or following is CaseState.NONE or step == other:
        current = case.state if case else CaseState.NONE
        raise refuse("RegistrationsStep", caseId=name, state=int(current), step=int(step))
    return case, following


def _require_actor(
    state: Registrations, participants: Participants, register: Register, deed: Message, *, decides: bool
) -> None:
    name, actor, step = deed["caseId"], deed["actor"], Step(deed["step"])
    case = state.cases[name]
    if step in UNSIGNED or (WHOSE[step] is Party.REGISTRAR) is not decides:
        raise refuse("RegistrationsNotParty", caseId=name, account=actor)
    if decides:
        _require_registrar(state, participants, register, name, actor)
        return
    participants.require_active(actor)
    if step is Step.OBJECT:
        if actor in (case.applicant, case.counterparty):
            raise refuse("RegistrationsOwnMatter", caseId=name, account=actor)
        if (name, actor) in state.objected:
            raise refuse("RegistrationsObjected", caseId=name, account=actor)
        return
    if actor != party_of(case, state.record_of(case.asset_id), step):
        raise refuse("RegistrationsNotParty", caseId=name, account=actor)


def party_of(case: Case, record: Record, step: Step) -> str:
    """Whose a step of the applicant's side is."""
    if step is Step.JOIN:
        return case.counterparty
    if step is Step.REPLY and case.procedure in BESIDE:
        return record.holder
    return case.applicant


def _require_registrar(
    state: Registrations, participants: Participants, register: Register, name: str, actor: str
) -> None:
    """A revocation is the registrar's own application: it has no part in the asset, but files and decides."""
    case = state.cases[name]
    applies = actor == case.applicant and case.kind is not Kind.REVOCATION
    if applies or actor == case.counterparty:
        raise refuse("RegistrationsOwnMatter", caseId=name, account=actor)
    register.require_no_part(case.asset_id, actor)
    participants.require_active(actor, Role.REGISTRAR)


def _require_period(name: str, case: Case, step: Step, stated_at: int) -> None:
    if is_within(case.procedure, step) and stated_at > case.due_at:
        raise refuse("RegistrationsLate", caseId=name, dueAt=case.due_at, statedAt=stated_at)
    if is_after(case.state, step) and stated_at <= case.due_at:
        raise refuse("RegistrationsEarly", caseId=name, dueAt=case.due_at, statedAt=stated_at)
    if step is Step.EXTEND and stated_at > case.decide_by:  # what has ended cannot be made longer
        raise refuse("RegistrationsLate", caseId=name, dueAt=case.decide_by, statedAt=stated_at)


def _require_dates(state: Registrations, case: Case, deed: Message) -> None:
    step, due, end = Step(deed["step"]), deed["dueAt"], deed["decideBy"]
    due_fits = due > deed["statedAt"] if opens_period(case.procedure, step) else due == 0
    end_fits = end > deed["statedAt"] if step is Step.ACCEPT else end >= case.decide_by
    latest = deed["statedAt"] + MAX_AHEAD_SECONDS
    if not due_fits or not end_fits or max(due, end) > latest:
        raise refuse("RegistrationsDates", dueAt=due, decideBy=end)
    if step is Step.DEPOSIT and case.kind in (Kind.FIRST, Kind.RENEWAL):
        state.require_term(case, deed["statedAt"], due)
    if step in BOUNDED:
        state.require_length((case.rulebook_digest, case.procedure), BOUNDED[step], deed["statedAt"], due)


def _note_clock(case: Case, step: Step, deed: Message) -> None:
    """What the contract need not remember and the clocks do: since when a case stands still, and until when notice
    runs.
    """
    if step in (Step.REQUEST_SUPPLEMENT, Step.OBJECT):
        case.paused_at = deed["statedAt"]
    if step in (Step.SUPPLEMENT, Step.REJECT):
        case.paused_at = 0
    if step in (Step.OPEN_NOTICE, Step.REJECT):
        case.notice_end = deed["dueAt"]


def _take(state: Registrations, case: Case, following: CaseState, deed: Message) -> None:
    step = Step(deed["step"])
    case.state, case.stated_at, case.decide_by = following, deed["statedAt"], deed["decideBy"]
    case.due_at = deed["dueAt"] or case.due_at
    if step is Step.RESUBMIT:
        case.form_digest = deed["evidenceDigest"]
    if step is Step.EXTEND:
        case.extended = True
    if step is Step.DEPOSIT:
        case.deposited_at = deed["statedAt"]
    if step is Step.OBJECT:
        case.objector = deed["actor"]
        state.objected.add((deed["caseId"], deed["actor"]))
    case.version += 1


def _count_dispute(state: Registrations, name: str, before: CaseState) -> list[Event]:
    """The mark goes on when a case becomes disputed or is upheld, and off when it is neither any more."""
    case = state.cases[name]
    changed = _is_disputed(case.state) - _is_disputed(before)
    upheld = case.state is CaseState.UPHELD
    if not changed and not upheld:
        return []
    record = state.records[case.asset_id]
    record.disputes += changed
    record.upheld += upheld
    return [_marked(case.asset_id, name, record)]


def _is_disputed(state: CaseState) -> bool:
    """Whether a late objection in this state puts a mark on the entry."""
    return state in (CaseState.DISPUTED, CaseState.UPHELD)
