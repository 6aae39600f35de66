"""Redemptions: a holder asks, its bank pays or rejects, and after the bank's time anyone may undo."""

from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from marketplace.calls import act_digest
from marketplace.currencies import currency_of, token_of
from marketplace.documents import Document, digest, validate_payout
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue
from marketplace.evidence.inbox.submitting import submit
from marketplace.intents import Deployment
from marketplace.participants.service import oversees
from marketplace.settlement.tables import Redemption
from marketplace.storage.documents import store_document
from marketplace.types import Digest


def redeem(session: Session, deployment: Deployment, wish: Statement, payout: Document, now: int) -> Digest:
    """Queue the lock of money that its holder wants back.

    Args:
        wish: the Redeem.
        payout: the document whose digest it names; kept for holder, bank and whoever oversees.
    Raises:
        InvalidInputError: `payout_differs`, the two do not say the same.
        RuleError: as the rules of settlement say.
    """
    name, message = wish.digest(deployment), wish.message
    if is_under_way(session, name):
        return name
    check_statement(wish, deployment, now)
    validate_payout(payout)
    stated = (payout["account"], payout["bank"], digest(payout))
    signed = (message["account"], message["bank"], message["payoutDigest"])
    if stated != signed:
        raise InvalidInputError(
            "payout_differs",
            "the payout document does not name this holder, bank and digest",
            zh="收款文件与签署内容不一致",
            expected=signed,
            got=stated,
        )
    arguments = [dict(message), wish.signatures[0]]
    contract = token_of(message["currency"])
    precheck.run(session, contract, "redeem", arguments, now)
    store_document(session, payout, now=now, readers=(message["account"], message["bank"]))
    by = message["account"]
    return queue(session, contract=contract, verb="redeem", arguments=arguments, digest=name, by=by, now=now)


def answer(session: Session, deployment: Deployment, verb: str, said: Statement, now: int) -> Digest:
    """Queue what a bank says about a redemption.

    Args:
        verb: "payRedemption" or "rejectRedemption"; `said` is the intent of that name.
    Raises:
        RuleError: as the rules of settlement say.
    """
    return submit(session, deployment, said, verb, now)


def expire(session: Session, deployment: Deployment, redemption: str, account: str | None, now: int) -> Digest:
    """Queue the return of what a silent bank has locked; nobody has to sign it.

    Args:
        account: who asks, None for whoever has not signed in. Only those who may see it are told why it cannot be yet.
    Raises:
        NotFoundError: `redemption_unknown`. RuleError: as the rules of settlement say.
    """
    row = session.get(Redemption, redemption)
    if row is None:
        raise _unknown(redemption)
    contract, verb = currency_of(row.currency).contract, "expireRedemption"
    name = act_digest(verb, [redemption], deployment.domain(contract))
    if is_under_way(session, name):
        return name
    try:
        precheck.run(session, contract, verb, [redemption], now)
    except RuleError:
        if account is None or not (account in (row.account, row.bank) or oversees(session, account)):
            raise _unknown(redemption) from None
        raise
    by = row.account
    return queue(session, contract=contract, verb=verb, arguments=[redemption], digest=name, by=by, now=now)


def redemptions_of(session: Session, account: str) -> SelectOfScalar[Redemption]:
    """The redemptions that `account` asked for, or is asked to pay; all of them for whoever oversees."""
    if oversees(session, account):
        return select(Redemption)
    return select(Redemption).where(or_(col(Redemption.account) == account, col(Redemption.bank) == account))


def get_redemption(session: Session, redemption: str, account: str) -> Redemption:
    """A redemption that `account` may see. Raises NotFoundError `redemption_unknown`."""
    query = redemptions_of(session, account).where(Redemption.redemption_id == redemption)
    row = session.exec(query).one_or_none()
    if row is None:
        raise _unknown(redemption)
    return row


def _unknown(redemption: str) -> NotFoundError:
    return NotFoundError("redemption_unknown", f"there is no redemption {redemption} of yours", zh="没有您的该赎回")
