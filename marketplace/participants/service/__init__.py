"""Admission and standing: what the ledger says about a participant, and what it is asked to say next."""

from sqlalchemy import or_
from sqlmodel import Session, col, select

from marketplace.errors import NotAuthorizedError, NotFoundError, RuleError
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue
from marketplace.intents import Deployment
from marketplace.listings.tables import Listing
from marketplace.orders.rules import IN_ESCROW
from marketplace.orders.tables import Order
from marketplace.participants.membership import require_signed
from marketplace.participants.tables import Application, Participant
from marketplace.storage.documents import read_document
from marketplace.types import OVERSEERS, Digest, ListingStatus, ParticipantStatus, Role
from marketplace.words import Words


def roles_of(session: Session, account: str | None) -> Role:
    """The roles that `account` may act in now; none for a stranger or a suspended participant."""
    row = session.get(Participant, account) if account else None
    return Role(row.roles) if row is not None and row.status == ParticipantStatus.ACTIVE else Role(0)


def oversees(session: Session, account: str | None) -> bool:
    """Whether `account` may see what is not its own: registrars, auditors and the exchange."""
    return bool(roles_of(session, account) & OVERSEERS)


def require_role(session: Session, account: str, roles: Role) -> None:
    """Refuse whoever has none of `roles`.

    Raises:
        NotAuthorizedError: `role_missing`.
    """
    if not roles_of(session, account) & roles:
        names = "|".join(role.name or "" for role in Role if role & roles)
        raise NotAuthorizedError(
            "role_missing",
            f"this needs an active participant with the role {names}",
            zh=f"需要具有 {names} 角色且状态正常的参与方",
            rule="participants.role",
            expected=names,
            got=account,
            hint="apply for the role, or sign in with another key",
            hint_zh="请申请该角色,或换用其他密钥登录",
        )


def get_participant(session: Session, account: str) -> Participant:
    """A participant as the ledger says. Raises NotFoundError `participant_unknown`."""
    row = session.get(Participant, account)
    if row is None:
        raise NotFoundError("participant_unknown", f"there is no participant {account}", zh="没有该参与方")
    return row


def admit(session: Session, deployment: Deployment, admission: Statement, now: int) -> Digest:
    """Queue an admission of an open application.

    Raises:
        NotFoundError: `application_unknown`.
        RuleError: `membership_unsigned`, or what the rules of admission say.
    """
    name, message = admission.digest(deployment), admission.message
    if is_under_way(session, name):
        return name
    check_statement(admission, deployment, now)
    application = session.get(Application, message["account"])
    if application is None or application.document_digest != message["identityDigest"]:
        raise NotFoundError(
            "application_unknown",
            f"{message['account']} has not applied with this identity digest",
            zh="没有与该身份摘要相符的申请",
            hint="read GET /participants/applications again",
            hint_zh="请重新读取 GET /participants/applications",
        )
    require_signed(read_document(session, application.document_digest))
    arguments = [application.join, application.signature, dict(message), admission.signatures[0]]
    precheck.run(session, "Participants", "admit", arguments, now)
    return queue(
        session,
        contract="Participants",
        verb="admit",
        arguments=arguments,
        digest=name,
        by=message["registrar"],
        now=now,
    )


def set_status(session: Session, deployment: Deployment, change: Statement, now: int) -> Digest:
    """Queue what a registrar or a regulator decided about an application or a participant.

    Raises:
        RuleError: as the rules say.
    """
    name = change.digest(deployment)
    if is_under_way(session, name):
        return name
    check_statement(change, deployment, now)
    arguments = [dict(change.message), change.signatures[0]]
    precheck.run(session, "Participants", "setStatus", arguments, now)
    if change.message["status"] == ParticipantStatus.EXITED:
        require_no_obligations(session, change.message["account"])
    by = change.message["decider"]
    return queue(session, contract="Participants", verb="setStatus", arguments=arguments, digest=name, by=by, now=now)


def leave(session: Session, deployment: Deployment, wish: Statement, now: int) -> Digest:
    """Queue a participant's exit, unless it still owes somebody something.

    Raises:
        RuleError: `exit_while_suspended`, `exit_with_obligations`, or as the rules say.
    """
    name, account = wish.digest(deployment), wish.message["account"]
    if is_under_way(session, name):
        return name
    check_statement(wish, deployment, now)
    _require_not_suspended(session, account)
    arguments = [dict(wish.message), wish.signatures[0]]
    precheck.run(session, "Participants", "resign", arguments, now)
    require_no_obligations(session, account)  # names an order: only once it is known that the account asks
    return queue(session, contract="Participants", verb="resign", arguments=arguments, digest=name, by=account, now=now)


def _require_not_suspended(session: Session, account: str) -> None:
    """The ledger lets nobody leave a suspension by an exit; say what comes first."""
    row = session.get(Participant, account)
    if row is not None and row.status == ParticipantStatus.SUSPENDED:
        raise RuleError(
            "exit_while_suspended",
            f"{account} is suspended and cannot leave now",
            zh=f"{account} 已被暂停，现不能退出",
            rule="participants.no_exit_out_of_a_suspension",
            expected=ParticipantStatus.ACTIVE.name,
            got=ParticipantStatus.SUSPENDED.name,
            hint="settle or refund the orders that are open, delist the products, and ask a registrar to restore the "
            "account for its exit (`marketplace participants restore`); then run `marketplace participants leave`",
            hint_zh="请先结算或退款未了结的订单并摘牌产品，再请登记机构为办理退出恢复账户"
            "（`marketplace participants restore`），然后执行 `marketplace participants leave`",
        )


def require_no_obligations(session: Session, account: str) -> None:
    """Refuse while an order of the account, as buyer or as seller, is in escrow, or a product of it is on offer.

    Raises:
        RuleError: `exit_with_obligations`.
    """
    sold = select(Listing.listing_id).where(Listing.seller == account)
    mine = or_(col(Order.buyer) == account, col(Order.listing_id).in_(sold))
    owed = select(Order.order_id).where(col(Order.status).in_(IN_ESCROW), mine).limit(1)
    offered = select(Listing.listing_id).where(Listing.seller == account, Listing.status == ListingStatus.LISTED)
    found = [*session.exec(owed), *session.exec(offered.limit(1))]
    if found:
        raise RuleError(
            "exit_with_obligations",
            f"{account} still has an order in escrow or a product on offer",
            zh=f"{account} 仍有托管中的订单或挂牌中的产品",
            rule="participants.no_exit_with_obligations",
            expected=Words("no funded order and no listed product", "没有托管中的订单，也没有挂牌中的产品"),
            got=found[0],
            hint="settle or refund the orders and delist the products, then leave",
            hint_zh="请先结算或退款相关订单并摘牌产品",
        )


def require_active(session: Session, account: str, role: Role, code: str, *, hint: str, hint_zh: str) -> None:
    """Refuse unless `account`, named in a document, is an active participant with `role`. Raises RuleError with
    `code`."""
    if not roles_of(session, account) & role:
        raise RuleError(
            code,
            f"{account} is not an active participant with the role {role.name}",
            zh=f"{account} 不是具有 {role.name} 角色的有效参与方",
            rule="participants.active",
            expected=role.name,
            got=account,
            hint=hint,
            hint_zh=hint_zh,
        )
