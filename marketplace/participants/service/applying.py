"""Applications: who may make one, what is kept of it, and how it comes onto the ledger for its review."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, select

from marketplace.documents import Document, digest, validate_profile
from marketplace.errors import InvalidInputError, NotFoundError, RuleError
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue
from marketplace.evidence.inbox.notices import tell
from marketplace.intents import Deployment
from marketplace.ledger.profile import ledger_profile
from marketplace.participants.service import roles_of
from marketplace.participants.tables import Application, Participant
from marketplace.storage.documents import store_document
from marketplace.types import Digest, ParticipantStatus, Role
from marketplace.words import Words, word


def apply(session: Session, deployment: Deployment, wish: Statement, profile: Document, now: int) -> Application:
    """Take an application: a signed Join over the digest of the applicant's profile.

    Args:
        wish: the Join.
        profile: the document whose digest it names; kept for the applicant and whoever oversees.
    Raises:
        InvalidInputError: `profile_differs`, profile and Join do not say the same.
        RuleError: as `require_may_apply` says.
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
    require_may_apply(join["account"], _status(session, join["account"]))
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


def require_may_apply(account: str, status: ParticipantStatus) -> None:
    """Refuse an application that no registrar could ever admit, as the ledger's table of states has it.

    Args:
        status: where the account stands now.
    Raises:
        RuleError: `participant_expelled`, `participant_suspended`, `participant_exiting`.
    """
    if status is ParticipantStatus.EXPELLED:
        raise _no_application(
            "participant_expelled",
            f"{account} was expelled, which is for good",
            f"{account} 已被除名，且不可恢复",
            status,
            hint="no admission will follow: whoever contests the expulsion appeals to the registrar that signed it; "
            "another legal person applies from an account of its own",
            hint_zh="不会再获准入：对除名有异议的，向作出决定的登记机构申诉；其他法人请以自己的账户申请",
        )
    if status is ParticipantStatus.SUSPENDED:
        raise _no_application(
            "participant_suspended",
            f"{account} is suspended",
            f"{account} 已被暂停",
            status,
            hint="remove the ground of the suspension and ask a registrar to restore the account "
            "(`marketplace participants restore`); then apply for what is missing",
            hint_zh="请消除暂停事由并请登记机构恢复（`marketplace participants restore`），之后再申请",
        )
    if status is ParticipantStatus.EXITING:
        raise _no_application(
            "participant_exiting",
            f"{account} is leaving",
            f"{account} 正在退出",
            status,
            hint="wait until a registrar has completed the exit (`marketplace participants release`), then apply anew",
            hint_zh="请待登记机构办结退出（`marketplace participants release`）后重新申请",
        )


def _no_application(
    code: str, message: str, zh: str, status: ParticipantStatus, *, hint: str, hint_zh: str
) -> RuleError:
    return RuleError(
        code,
        message,
        zh=zh,
        rule="participants.who_may_apply",
        expected=Words(
            "a newcomer, an applicant, an active participant, or one that has left",
            "新申请人、在审申请人、有效参与方或已退出者",
        ),
        got=word(status),
        hint=hint,
        hint_zh=hint_zh,
    )


def _status(session: Session, account: str) -> ParticipantStatus:
    row = session.get(Participant, account)
    return ParticipantStatus(row.status) if row is not None else ParticipantStatus.NONE


def registrars(session: Session) -> list[str]:
    """Everybody who may admit now."""
    active = select(Participant).where(Participant.status == ParticipantStatus.ACTIVE)
    return [row.account for row in session.exec(active).all() if row.roles & Role.REGISTRAR]


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


def visible_application(session: Session, account: str, asker: str) -> Application:
    """The open application of `account`, for itself and for registrars.

    Raises:
        NotFoundError: `application_unknown`: there is none, or it is not theirs.
    """
    row = session.get(Application, account)
    may = asker == account or bool(roles_of(session, asker) & Role.REGISTRAR)
    if row is None or row.admission is not None or not may:
        raise NotFoundError(
            "application_unknown",
            f"there is no open application of {account} for you",
            zh="没有您可查阅的待审申请",
            hint="sign in as its applicant or as a registrar; what was admitted is no longer open",
            hint_zh="请以申请人或登记机构身份登录；已准入的申请不再待审",
        )
    return row


def application_json(row: Application) -> Mapping[str, Any]:
    """An application as its applicant and registrars see it."""
    return {"join": row.join, "signature": row.signature, "document": row.document_digest, "appliedAt": row.applied_at}
