"""Identities of a provider that sign in for an account: sessions of them, links and their end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, func, select

from crypto.siwe import SignIn
from marketplace.documents import iso_time
from marketplace.errors import NotAuthorizedError, NotFoundError, RuleError
from marketplace.evidence.inbox.notices import tell
from marketplace.participants.identities import MAX_LINK_SECONDS, MAX_LINKS, SERVED, link_statement
from marketplace.participants.service.keyring import account_for
from marketplace.participants.service.openid import Ending, begun_by, prove
from marketplace.participants.tables import IdentityLink, Participant
from marketplace.storage.sessions import close_sessions_of, open_session
from marketplace.types import Act, Digest
from marketplace.web.context import Context
from marketplace.web.openid.fetching import refused
from marketplace.webhooks.rules import LINKED, UNLINKED
from marketplace.words import Words, of_bits


@dataclass(frozen=True)
class Wish:
    """A link as its account wants it.

    Args:
        acts: bits of types.Act.
        valid_until: unix seconds, not included.
        message, signature: the EIP-4361 text that says so, and its signature.
    """

    identity: str
    acts: int
    valid_until: int
    message: str
    signature: str


def sign_in(here: Context, ending: Ending) -> dict[str, str]:
    """End a sign-in with a session: {"token", "account", "expires_at"}.

    Raises:
        NotAuthorizedError: `oidc_refused`, `identity_not_linked`.
    """
    identity, now = prove(here, ending), here.clock()
    with here.writing() as session:
        account = account_for(session, identity, now, Act.READ)
        if account is None:
            raise NotAuthorizedError(
                "identity_not_linked",
                "the provider knows you, but no participant in good standing has linked you",
                zh="身份提供方已确认您的身份，但没有状态正常的参与方与之关联",
                rule="access.oidc",
                hint="have an administrator of the account link you: `marketplace session link`",
                hint_zh="请由账户管理人执行 `marketplace session link` 建立关联",
            )
        token, expires_at = open_session(session, account, identity, now, here.settings.session_seconds)
    return {"token": token, "account": account, "expires_at": iso_time(expires_at)}


def prove_for_link(here: Context, ending: Ending) -> Digest:
    """End a sign-in with the name of the identity, which a key may then link with the same state and verifier."""
    identity = prove(here, ending)
    with here.writing() as session:
        begun_by(session, ending.state, ending.verifier, here.clock()).identity = identity
    return identity


def link(here: Context, signed: SignIn, wish: Wish, state: str, verifier: str) -> IdentityLink:
    """Link an identity to the account of a key.

    Args:
        signed: what the key signed, verified.
        state, verifier: of the sign-in that showed whose identity it is.
    Raises:
        NotAuthorizedError: `oidc_refused`: that sign-in is over, somebody else's, or did not show this identity.
        RuleError: `identity_link_differs`, `identity_link_term`, `identity_link_beyond_key`, `participant_not_served`,
            `identity_taken`, `identities_too_many`.
    """
    now = here.clock()
    with here.writing() as session:
        account = _administered(session, signed, wish, now)
        begun = begun_by(session, state, verifier, now)
        if not begun.identity or begun.identity != wish.identity:
            raise refused(Words("this sign-in did not show that identity", "该次登录并未证明此身份"))
        _check_free(session, account, wish.identity, now)
        session.delete(begun)
        close_sessions_of(session, wish.identity)  # of a link before this one
        row = IdentityLink(
            identity=wish.identity,
            account=account,
            acts=wish.acts,
            valid_until=wish.valid_until,
            linked_by=signed.address,
            message=wish.message,
            signature=wish.signature,
            linked_at=now,
        )
        row = session.merge(row)
        tell(session, LINKED, (account,), now, account=account, identity=wish.identity, acts=wish.acts)
        return row


def _administered(session: Session, signed: SignIn, wish: Wish, now: int) -> str:
    """The account that the key may link for what is wished."""
    stated = link_statement(wish.identity, wish.acts, wish.valid_until)
    if signed.statement != stated:
        raise _unfit(
            "identity_link_differs", "another link was signed", "签署内容与请求不一致", stated, signed.statement
        )
    if not wish.acts & Act.READ or not now < wish.valid_until <= now + MAX_LINK_SECONDS:
        latest = Words(f"READ, and an end within {MAX_LINK_SECONDS} s", f"含 READ，且期限在 {MAX_LINK_SECONDS} 秒以内")
        raise _unfit(
            "identity_link_term", "a link reads, and has an end", "关联须含 READ 并有期限", latest, wish.valid_until
        )
    wanted = Act.ADMINISTER | Act(wish.acts)
    account = account_for(session, signed.address, now, wanted)
    if account is None:
        raise _unfit(
            "identity_link_beyond_key",
            "a link is made by a key that may administer its account, and gives nothing that the key may not do",
            "关联须由可管理账户的密钥签署，且权限不得超出该密钥",
            of_bits(Act, wanted),
            signed.address,
        )
    participant = session.get(Participant, account)
    if participant is None or participant.status not in SERVED:
        standing = Words("a participant in good standing", "状态正常的参与方")
        raise _unfit("participant_not_served", f"{account} is not active", "该参与方状态异常", standing, account)
    return account


def _check_free(session: Session, account: str, identity: str, now: int) -> None:
    known = session.get(IdentityLink, identity)
    is_mine = known is not None and known.account == account
    # A link that opens no session any more, since its key ended or its participant left, keeps nobody from another.
    if not is_mine and account_for(session, identity, now, Act.READ) is not None:
        raise _unfit(
            "identity_taken",
            "another account has linked it",
            "该身份已关联其他账户",
            Words("an identity of no account", "未关联任何账户的身份"),
        )
    count = select(func.count()).select_from(IdentityLink).where(IdentityLink.account == account)
    if not is_mine and session.exec(count).one() >= MAX_LINKS:
        raise _unfit("identities_too_many", "the account has enough", "关联数量已达上限", MAX_LINKS)


def _unfit(code: str, message: str, zh: str, expected: object, got: object = None) -> RuleError:
    return RuleError(
        code,
        message,
        zh=zh,
        rule="access.identity_links",
        expected=expected,
        got=got,
        hint="see `marketplace session links` and docs/architecture/participants.md",
        hint_zh="请查看 `marketplace session links` 与 docs/architecture/participants.md",
    )


def unlink(session: Session, account: str, identity: str, now: int) -> None:
    """End a link and every session that it opened; endpoints that it registered go when the notice is handed out.

    Raises:
        NotFoundError: `identity_unknown`.
    """
    row = session.get(IdentityLink, identity)
    if row is None or row.account != account:
        raise NotFoundError("identity_unknown", f"{account} has not linked {identity}", zh="没有该身份关联")
    session.delete(row)
    close_sessions_of(session, identity)
    tell(session, UNLINKED, (account,), now, account=account, identity=identity)


def link_json(row: IdentityLink) -> Mapping[str, Any]:
    """A link as its account sees it."""
    names = {"identity": row.identity, "account": row.account, "acts": row.acts, "validUntil": row.valid_until}
    return names | {"linkedBy": row.linked_by, "linkedAt": row.linked_at, "message": row.message}
