"""Data assets, shares and privacy budget: contracts/src/Rights.sol in Python, verb by verb.

None -> REGISTERED by register -> CONFIRMED by confirm; by mark CONFIRMED <-> SUSPENDED; either -> REVOKED or CANCELLED
for good when a registration case ends so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.documents.ids import asset_id
from marketplace.events import Event
from marketplace.participants.rules import Participants
from marketplace.procedures import CaseState, Kind, Step
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time, require_version
from marketplace.registrations import rules as registration_rules
from marketplace.registrations.records import Case, Registrations
from marketplace.rights.records import MAX_SHARE_HOLDERS, WHOLE_BPS, Asset, Rights, Share
from marketplace.rights.title_records import Titles
from marketplace.rights.titles import (
    hand_over,
    open_titles,
    require_no_part,
    require_passable,
    require_registrar,
    require_whole,
)
from marketplace.types import AssetStatus, Role

MAX_EPSILON_BUDGET = 1_000_000_000_000
MAX_LEVEL = 6
ALL_RIGHTS = 7
STANDING = (AssetStatus.CONFIRMED, AssetStatus.SUSPENDED)
MARKS = frozenset(
    (
        (AssetStatus.CONFIRMED, AssetStatus.SUSPENDED),
        (AssetStatus.SUSPENDED, AssetStatus.CONFIRMED),
    )
)


def register(state: Rights, participants: Participants, registration: Message, now: int) -> list[Event]:
    """Register sealed data with its claimed rights, level, privacy budget and revenue shares.

    Args:
        registration: the intent Register, signed by the holder.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    asset, holder = registration["assetId"], registration["holder"]
    require_in_time(registration, now)
    expected = asset_id(holder, registration["manifestDigest"])
    if asset != expected:
        raise refuse("RightsIdMismatch", expected=expected, got=asset)
    if asset in state.assets:
        raise refuse("RightsExists", assetId=asset)
    if not 1 <= registration["level"] <= MAX_LEVEL:
        raise refuse("RightsLevel", level=registration["level"])
    if not 1 <= registration["epsilonBudget"] <= MAX_EPSILON_BUDGET:
        raise refuse("RightsBudgetRange", epsilonBudget=registration["epsilonBudget"])
    participants.require_active(holder, Role.SUPPLIER)
    require_shares(registration["shareHolders"], registration["shareBps"])
    for share_holder in registration["shareHolders"]:
        if share_holder != holder:
            require_taker(participants, share_holder)

    pairs = zip(registration["shareHolders"], registration["shareBps"], strict=True)
    shares = [Share(share_holder, bps) for share_holder, bps in pairs]
    state.assets[asset] = Asset(
        holder, registration["level"], registration["claimDigest"], registration["epsilonBudget"], shares
    )
    return [Event("Rights", "Registered", {name: registration[name] for name in registration if name != "deadline"})]


@dataclass(frozen=True)
class AssetRegister:
    """What the rules of registration ask about an asset."""

    rights: Rights
    titles: Titles

    def standing_of(self, asset_id: str) -> tuple[AssetStatus, str, int]:
        """(status, registrant, end of validity); NONE, nobody and 0 for an unknown asset."""
        asset = self.rights.assets.get(asset_id)
        return (asset.status, asset.registrant, asset.valid_until) if asset else (AssetStatus.NONE, "", 0)

    def require_no_part(self, asset_id: str, account: str) -> None:
        """As `titles.require_no_part`."""
        require_no_part(self.titles, self.rights, asset_id, account)

    def note_party(self, asset_id: str, account: str) -> None:
        """`account` objected: it decides nothing about the asset any more."""
        self.rights.note_party(asset_id, account)

    def passing(self, asset_id: str, giver: str) -> int:
        """First titles that a transfer by `giver` would hand over, as bits."""
        return self.titles.passing(asset_id, giver)

    def end(self, asset_id: str, status: AssetStatus, by: str, reason: str, now: int) -> list[Event]:
        """End a registration: CANCELLED at its holder's wish, which has to hold all first titles free, with nothing of
        others' under them, or REVOKED.

        Raises:
            RuleError: it is not confirmed, or not its holder's alone to end; the state is then unchanged.
        """
        asset = self.rights.assets[asset_id]
        if asset.status not in STANDING:
            raise refuse("RightsMark", assetId=asset_id, current=int(asset.status), asked=int(status))
        if status is AssetStatus.CANCELLED:
            require_whole(self.titles, asset_id, asset.registrant, now)

        asset.status = status
        asset.version += 1
        args = {"assetId": asset_id, "status": int(status), "reasonDigest": reason, "registrar": by}
        return [Event("Rights", "Marked", args | {"version": asset.version})]


def confirm(
    state: Rights,
    confirmation: Message,
    now: int,
    *,
    titles: Titles,
    participants: Participants,
    registrations: Registrations,
) -> list[Event]:
    """Certify the deposited case of an asset. By the first, its registrant gets the first titles; by a later one it has
    another end (renewal), another holder (transfer), or another certificate alone (change, correction).

    Args:
        confirmation: the intent Confirm, signed by the registrar.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    asset_key, registrar = confirmation["assetId"], confirmation["registrar"]
    require_in_time(confirmation, now)
    asset = state.require_certifiable(asset_key)
    require_version(asset.version, confirmation)
    if asset.claim_digest != confirmation["claimDigest"]:
        raise refuse("RightsClaimMismatch", expected=asset.claim_digest, got=confirmation["claimDigest"])
    if not 1 <= confirmation["rights"] <= ALL_RIGHTS:
        raise refuse("RightsNone", rights=confirmation["rights"])
    if confirmation["validUntil"] <= now:
        raise refuse("RightsOver", validUntil=confirmation["validUntil"], time=now)
    require_registrar(titles, state, participants, asset_key, registrar)
    first = asset.status is AssetStatus.REGISTERED
    case = None if first else _require_later_case(asset, registrations, confirmation)
    passing = case if case is not None and case.kind is Kind.TRANSFER else None
    if passing is not None:
        left = titles.passing(asset_key, passing.applicant)
        if left != passing.passing:
            raise refuse("RightsTitlesChanged", assetId=asset_key, filed=passing.passing, left=left)
        require_passable(titles, asset_key, passing.applicant)
    certified = registration_rules.certify(registrations, confirmation)

    handed = hand_over(titles, asset_key, passing.applicant, passing.counterparty) if passing is not None else []
    asset.registrant = registrations.record_of(asset_key).holder
    asset.status, asset.valid_until = AssetStatus.CONFIRMED, confirmation["validUntil"]
    asset.version += 1
    names = ("assetId", "certificateDigest", "validUntil", "registrar")
    args = {name: confirmation[name] for name in names} | {"version": asset.version}
    holder, until = asset.registrant, asset.valid_until
    opened = open_titles(titles, asset_key, holder, until, confirmation["rights"]) if first else []
    return [Event("Rights", "Confirmed", args), *handed, *certified, *opened]


def _require_later_case(asset: Asset, registrations: Registrations, confirmation: Message) -> Case:
    """The deposited case of an asset that is confirmed already. A renewal alone gives it another end."""
    name, until = registrations.record_of(confirmation["assetId"]).latest_case, confirmation["validUntil"]
    case = registrations.cases[name]
    if case.state is not CaseState.DEPOSITED:
        raise refuse("RegistrationsStep", caseId=name, state=int(case.state), step=int(Step.CERTIFY))
    fits = until > asset.valid_until if case.kind is Kind.RENEWAL else until == asset.valid_until
    if not fits:
        raise refuse("RightsTerm", validUntil=until, present=asset.valid_until)
    return case


def mark(state: Rights, titles: Titles, participants: Participants, decision: Message, now: int) -> list[Event]:
    """Suspend or restore a confirmed registration.

    Args:
        decision: the intent Mark, signed by a registrar without a part in the asset.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    asset_key, registrar, asked = decision["assetId"], decision["registrar"], decision["status"]
    require_in_time(decision, now)
    asset = state.assets.get(asset_key)
    current = asset.status if asset else AssetStatus.NONE
    if asset is None or (current, asked) not in MARKS:
        raise refuse("RightsMark", assetId=asset_key, current=int(current), asked=asked)
    require_version(asset.version, decision)
    require_registrar(titles, state, participants, asset_key, registrar)

    asset.status = AssetStatus(asked)
    asset.version += 1
    names = ("assetId", "status", "reasonDigest", "registrar")
    return [Event("Rights", "Marked", {name: decision[name] for name in names} | {"version": asset.version})]


def commit_budget(state: Rights, asset_key: str, order: str, epsilon: int) -> list[Event]:
    """Commit privacy budget to an order; for the rules of orders alone."""
    state.require_budget(asset_key, epsilon)
    state.assets[asset_key].committed += epsilon
    return [Event("Rights", "BudgetCommitted", {"assetId": asset_key, "orderId": order, "amount": epsilon})]


def release_budget(state: Rights, asset_key: str, order: str, epsilon: int) -> list[Event]:
    """Give back what an order committed and did not spend; for the rules of settlement alone."""
    state.assets[asset_key].released += epsilon
    return [Event("Rights", "BudgetReleased", {"assetId": asset_key, "orderId": order, "amount": epsilon})]


def require_taker(participants: Participants, account: str) -> None:
    """Refuse to give a share unasked to whoever may decide: the giver would choose by that who decides."""
    participants.require_active(account)
    if participants.of(account).roles & Role.REGISTRAR:
        raise refuse("RightsToRegistrar", account=account)


def require_shares(holders: Sequence[str], bps: Sequence[int]) -> None:
    """Refuse shares that are not 1..16 distinct holders, each above zero, 10000 in sum."""
    counts = 1 <= len(holders) <= MAX_SHARE_HOLDERS and len(holders) == len(bps) == len(set(holders))
    if not counts or min(bps) == 0 or sum(bps) != WHOLE_BPS:
        raise refuse("RightsSharesInvalid")
