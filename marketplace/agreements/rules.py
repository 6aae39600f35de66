"""What two parties agreed: contracts/src/Agreements.sol in Python, verb by verb.

STATES is the whole life of one version of an agreement. The time ends it, too: after `valid_until` a signed one is no
longer in force, and nothing can be done with it. An amendment is another record, one version higher.
"""

from dataclasses import dataclass, field

from marketplace.documents.ids import agreement_id
from marketplace.events import Event
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time
from marketplace.rights.title_records import LAST_MOMENT
from marketplace.types import AgreementStatus

NONE, SIGNED = AgreementStatus.NONE, AgreementStatus.SIGNED
AMENDED, RETIRED = AgreementStatus.AMENDED, AgreementStatus.RETIRED

# verb -> {status before: status after}; what is not in the table is refused.
STATES = {"agree": {NONE: SIGNED}, "amend": {SIGNED: AMENDED}, "retire": {SIGNED: RETIRED}}


@dataclass
class Agreement:
    """One version of an agreement. `valid_until` in unix seconds, `version` from 1."""

    party_a: str
    party_b: str
    valid_until: int
    version: int = 1
    status: AgreementStatus = STATES["agree"][NONE]


@dataclass
class Agreements:
    """The state of the contract: agreements by id."""

    records: dict[str, Agreement] = field(default_factory=dict)

    def require_in_force(self, agreement: str, now: int) -> Agreement:
        """The agreement, refused unless it is signed and its term runs."""
        record = self.records.get(agreement)
        current = record.status if record else NONE
        if record is None or current is not SIGNED:
            raise refuse("AgreementsNotInForce", agreementId=agreement, current=int(current))
        if now > record.valid_until:
            raise refuse("AgreementsExpired", agreementId=agreement, validUntil=record.valid_until)
        return record

    def require_between(self, agreement: str, one: str, other: str, now: int) -> None:
        """Refuse unless the agreement is in force between these two, whichever side each is on."""
        record = self.require_in_force(agreement, now)
        sides = {record.party_a, record.party_b}
        if one not in sides:
            raise refuse("AgreementsNotParty", agreementId=agreement, account=one)
        if other == one or other not in sides:
            raise refuse("AgreementsNotParty", agreementId=agreement, account=other)


def agree(state: Agreements, participants: Participants, deal: Message, now: int) -> list[Event]:
    """Enter an agreement.

    Args:
        deal: the intent Agree, signed by both parties.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(deal, now)
    _require_new(state, deal)
    _require_able(participants, deal, now)

    state.records[deal["agreementId"]] = Agreement(deal["partyA"], deal["partyB"], deal["validUntil"])
    return [Event("Agreements", "Agreed", {name: deal[name] for name in deal if name != "deadline"})]


def amend(state: Agreements, participants: Participants, change: Message, now: int) -> list[Event]:
    """Put a new version in the place of an agreement in force.

    Args:
        change: the intent AmendAgreement, signed by both parties.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(change, now)
    _require_new(state, change)
    previous = _require_sides(state, change["previousId"], change, now)
    _require_able(participants, change, now)

    previous.status = STATES["amend"][previous.status]
    version = previous.version + 1
    state.records[change["agreementId"]] = Agreement(change["partyA"], change["partyB"], change["validUntil"], version)
    args = {name: change[name] for name in change if name != "deadline"} | {"version": version}
    return [Event("Agreements", "AgreementAmended", args)]


def retire(state: Agreements, end: Message, now: int) -> list[Event]:
    """End an agreement in force; orders that are funded run on.

    Args:
        end: the intent RetireAgreement, signed by both parties.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(end, now)
    record = _require_sides(state, end["agreementId"], end, now)

    record.status = STATES["retire"][record.status]
    return [Event("Agreements", "AgreementRetired", {"agreementId": end["agreementId"]})]


def _require_new(state: Agreements, deal: Message) -> None:
    expected = agreement_id(deal["partyA"], deal["partyB"], deal["agreementDigest"])
    if expected != deal["agreementId"]:
        raise refuse("AgreementsIdMismatch", expected=expected, got=deal["agreementId"])
    if expected in state.records:
        raise refuse("AgreementsExists", agreementId=expected)


def _require_able(participants: Participants, deal: Message, now: int) -> None:
    if deal["partyA"] == deal["partyB"]:
        raise refuse("AgreementsOneParty", account=deal["partyA"])
    participants.require_active(deal["partyA"])
    participants.require_active(deal["partyB"])
    if deal["validUntil"] <= now:
        raise refuse("AgreementsTerm", validUntil=deal["validUntil"], time=now)
    if deal["validUntil"] > LAST_MOMENT:
        raise refuse("AgreementsTerm", validUntil=deal["validUntil"], time=LAST_MOMENT)


def _require_sides(state: Agreements, agreement: str, deal: Message, now: int) -> Agreement:
    record = state.require_in_force(agreement, now)
    for side, party in (("partyA", record.party_a), ("partyB", record.party_b)):
        if deal[side] != party:
            raise refuse("AgreementsNotParty", agreementId=agreement, account=deal[side])
    return record
