"""Money goes back to the bank: redeem, payRedemption, rejectRedemption and expireRedemption of SettlementToken.sol.

What a holder wants back is locked at once, so that it can neither be spent nor asked back twice. It is destroyed when
the bank has paid, and returned when the bank rejects, or when its time is over and anybody says so. STATES is the whole
life of a redemption; nothing leads back.
"""

from dataclasses import dataclass, field

from marketplace.documents.ids import redemption_id
from marketplace.events import Event
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time
from marketplace.settlement.money import Accounts
from marketplace.types import RedemptionStatus, Role

NONE, LOCKED, PAID, REJECTED, EXPIRED = RedemptionStatus
#: verb: {status before: status after}
STATES = {
    "redeem": {NONE: LOCKED},
    "payRedemption": {LOCKED: PAID},
    "rejectRedemption": {LOCKED: REJECTED},
    "expireRedemption": {LOCKED: EXPIRED},
}
MIN_WAIT, MAX_WAIT = 86_400, 90 * 86_400  # seconds that a bank has at least, and may at most keep somebody waiting


@dataclass
class Redemption:
    """One redemption. `amount` in fen; `pay_by` in unix seconds: until then its bank may pay or reject undisturbed."""

    account: str
    bank: str
    amount: int
    pay_by: int
    status: RedemptionStatus = LOCKED


@dataclass
class Redemptions:
    """Redemptions by id."""

    records: dict[str, Redemption] = field(default_factory=dict)

    def status(self, name: str) -> RedemptionStatus:
        """How a redemption stands; NONE where nobody asked for it."""
        record = self.records.get(name)
        return record.status if record else NONE

    def require(self, name: str, verb: str) -> Redemption:
        """The redemption, refused unless `verb` leads on from its status."""
        current = self.status(name)
        if current not in STATES[verb]:
            raise refuse("SettlementTokenRedemptionStatus", redemptionId=name, current=int(current))
        return self.records[name]


def redeem(state: Redemptions, accounts: Accounts, participants: Participants, wish: Message, now: int) -> list[Event]:
    """Lock money that its holder wants back. It stays its own when it leaves or is expelled; a suspension holds it.

    Args:
        wish: the intent Redeem, signed by the holder.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(wish, now)
    name, account, amount = wish["redemptionId"], wish["account"], wish["amount"]
    expected = redemption_id(account, wish["currency"], wish["payoutDigest"])
    if expected != name:
        raise refuse("SettlementTokenRedemptionId", expected=expected, got=name)
    if (current := state.status(name)) not in STATES["redeem"]:
        raise refuse("SettlementTokenRedemptionStatus", redemptionId=name, current=int(current))
    if wish["bank"] == account:
        raise refuse("SettlementTokenOwnMatter", bank=wish["bank"])
    if amount == 0:
        raise refuse("SettlementTokenAmount", amount=0)
    if not now + MIN_WAIT <= wish["payBy"] <= now + MAX_WAIT:
        raise refuse("SettlementTokenPayBy", payBy=wish["payBy"], earliest=now + MIN_WAIT, latest=now + MAX_WAIT)
    participants.require_not_suspended(account)
    participants.require_active(wish["bank"], Role.BANK)
    accounts.require_balance(account, amount)

    state.records[name] = Redemption(account, wish["bank"], amount, wish["payBy"])
    names = ("redemptionId", "account", "amount", "payoutDigest", "bank", "payBy")
    requested = accounts.told("RedemptionRequested", {name: wish[name] for name in names})
    return [*accounts.lock(account, amount), requested]


def pay(state: Redemptions, accounts: Accounts, participants: Participants, payout: Message, now: int) -> list[Event]:
    """Destroy what was locked: the bank has paid.

    Args:
        payout: the intent PayRedemption, signed by the bank. Late is allowed while nobody has asked for the money back.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(payout, now)
    record = state.require(payout["redemptionId"], "payRedemption")
    _require_asked(record, participants, payout)
    if payout["ref"] in accounts.refs:
        raise refuse("SettlementTokenRefUsed", ref=payout["ref"])

    record.status = PAID
    accounts.refs.add(payout["ref"])
    args = {**_ended(record, payout["redemptionId"]), "ref": payout["ref"]}
    return [accounts.burn(record.amount), accounts.told("RedemptionPaid", args)]


def reject(
    state: Redemptions, accounts: Accounts, participants: Participants, answer: Message, now: int
) -> list[Event]:
    """Give back what was locked: the bank does not pay.

    Args:
        answer: the intent RejectRedemption, signed by the bank.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(answer, now)
    record = state.require(answer["redemptionId"], "rejectRedemption")
    _require_asked(record, participants, answer)

    record.status = REJECTED
    args = {**_ended(record, answer["redemptionId"]), "reasonDigest": answer["reasonDigest"]}
    rejected = accounts.told("RedemptionRejected", args)
    return [*accounts.unlock(record.account, record.amount), rejected]


def expire(state: Redemptions, accounts: Accounts, name: str, now: int) -> list[Event]:
    """After its bank's time, give back what was locked; anyone may ask.

    Raises:
        RuleError: nothing is locked, or the bank's time is not over; the state is then unchanged.
    """
    record = state.require(name, "expireRedemption")
    if now <= record.pay_by:
        raise refuse("SettlementTokenNotDue", redemptionId=name, payBy=record.pay_by)

    record.status = EXPIRED
    expired = accounts.told("RedemptionExpired", _ended(record, name))
    return [*accounts.unlock(record.account, record.amount), expired]


def _require_asked(record: Redemption, participants: Participants, answer: Message) -> None:
    if record.bank != answer["bank"]:
        raise refuse("SettlementTokenNotBank", redemptionId=answer["redemptionId"], bank=answer["bank"])
    participants.require_active(answer["bank"], Role.BANK)


def _ended(record: Redemption, name: str) -> dict[str, object]:
    return {"redemptionId": name, "account": record.account, "amount": record.amount, "bank": record.bank}
