"""Joining, admission and standing: what the ledger says about a participant, and what it is asked to say next."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from marketplace.documents import Document, digest, validate_profile
from marketplace.errors import InvalidInputError, NotAuthorizedError, NotFoundError, RuleError
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue
from marketplace.evidence.inbox.notices import tell
from marketplace.intents import Deployment
from marketplace.ledger.profile import ledger_profile
from marketplace.listings.tables import Listing
from marketplace.orders.rules import IN_ESCROW
from marketplace.orders.tables import Order
from marketplace.participants.membership import require_signed
from marketplace.participants.tables import Application, Participant
from marketplace.storage.documents import read_document, store_document
from marketplace.types import Digest, ListingStatus, ParticipantStatus, Role

OVERSEERS = Role.REGISTRAR | Role.AUDITOR | Role.EXCHANGE


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


def apply(session: Session, deployment: Deployment, wish: Statement, profile: Document, now: int) -> Application:
    """Take an application: a signed Join over the digest of the applicant's profile.

    Args:
        wish: the Join.
        profile: the document whose digest it names; kept for the applicant and whoever oversees.
    Raises:
        InvalidInputError: `profile_differs`, profile and Join do not say the same.
    """
    join = wish.message
    validate_profile(profile)
    check_statement(wish, deployment, now)
    stated = (profile["account"], int(sum(Role[name] for name in profile["roles"])), digest(profile))
    wanted = (join["account"], join["roles"], join["identityDigest"])
    if stated != wanted:
        raise InvalidInputError(
            "profile_differs",
            "profile and Join do not name the same account, roles and digest",
            zh="申请资料与签署内容不一致",
            expected=wanted,
            got=stated,
        )
    store_document(session, profile, now=now, readers=(join["account"],))
    row = session.get(Application, join["account"]) or Application(
        account=join["account"], join={}, signature="", document_digest="", applied_at=now
    )
    is_new = row.document_digest != join["identityDigest"]
    if is_new:  # another wish than the one that was granted is open again
        row.admission, row.applied_at = None, now
    row.join, row.signature, row.document_digest = dict(join), wish.signatures[0], join["identityDigest"]
    session.add(row)
    if is_new:
        told = {"account": join["account"], "roles": join["roles"], "identityDigest": join["identityDigest"]}
        tell(session, "participants.applied", (join["account"], *registrars(session)), now, **told)
    return row


def registrars(session: Session) -> list[str]:
    """Everybody who may admit now."""
    active = select(Participant).where(Participant.status == ParticipantStatus.ACTIVE)
    return [row.account for row in session.exec(active).all() if row.roles & Role.REGISTRAR]


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
    """Queue what a registrar decided about an application or a participant. Raises RuleError as the rules say."""
    name = change.digest(deployment)
    if is_under_way(session, name):
        return name
    check_statement(change, deployment, now)
    arguments = [dict(change.message), change.signatures[0]]
    precheck.run(session, "Participants", "setStatus", arguments, now)
    if change.message["status"] == ParticipantStatus.EXITED:
        require_no_obligations(session, change.message["account"])
    by = change.message["registrar"]
    return queue(session, contract="Participants", verb="setStatus", arguments=arguments, digest=name, by=by, now=now)


def enter_application(session: Session, account: str, by: str, now: int) -> Digest:
    """Queue the entry of an open application on the ledger, where its review is then written down.

    Raises:
        NotFoundError: `application_unknown`.
        RuleError: what the rules say.
    """
    application = session.get(Application, account)
    if application is None or application.admission is not None:
        raise NotFoundError(
            "application_unknown",
            f"{account} has no open application",
            zh=f"{account} 没有待审申请",
            hint="read GET /participants/applications again",
            hint_zh="请重新读取 GET /participants/applications",
        )
    deployment = ledger_profile(session).deployment
    name = Statement("Join", application.join, (application.signature,)).digest(deployment)
    if is_under_way(session, name):
        return name
    arguments = [application.join, application.signature]
    precheck.run(session, "Participants", "requestAdmission", arguments, now)
    return queue(
        session, contract="Participants", verb="requestAdmission", arguments=arguments, digest=name, by=by, now=now
    )


def leave(session: Session, deployment: Deployment, wish: Statement, now: int) -> Digest:
    """Queue a participant's exit, unless it still owes somebody something.

    Raises:
        RuleError: `exit_with_obligations`, or as the rules say.
    """
    name, account = wish.digest(deployment), wish.message["account"]
    if is_under_way(session, name):
        return name
    check_statement(wish, deployment, now)
    arguments = [dict(wish.message), wish.signatures[0]]
    precheck.run(session, "Participants", "resign", arguments, now)
    require_no_obligations(session, account)  # names an order: only once it is known that the account asks
    return queue(session, contract="Participants", verb="resign", arguments=arguments, digest=name, by=account, now=now)


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
            expected="no funded order and no listed product",
            got=found[0],
            hint="settle or refund the orders and delist the products, then leave",
            hint_zh="请先结算或退款相关订单并摘牌产品",
        )


def application_json(row: Application) -> Mapping[str, Any]:
    """An application as registrars see it."""
    return {"join": row.join, "signature": row.signature, "document": row.document_digest, "appliedAt": row.applied_at}


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
