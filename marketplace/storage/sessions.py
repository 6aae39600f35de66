"""Sign-in challenges and sessions. Of a token only the SHA-256 is stored, so a copy of the database signs nobody in."""

import hashlib
import secrets

from sqlalchemy import BigInteger, delete
from sqlmodel import Field, Session, SQLModel, col


class SignInNonce(SQLModel, table=True):
    """A challenge that was given out and not yet used. `expires_at` is unix seconds."""

    __tablename__ = "sign_in_nonces"
    nonce: str = Field(primary_key=True)
    expires_at: int = Field(sa_type=BigInteger)


class SignIn(SQLModel, table=True):
    """Somebody who proved to hold `key`, or to be that linked identity, which reads for `account`, until `expires_at`
    (unix seconds)."""

    __tablename__ = "sign_ins"
    token_hash: str = Field(primary_key=True)
    account: str = Field(index=True)
    key: str
    expires_at: int = Field(sa_type=BigInteger)


def make_nonce(session: Session, now: int, seconds: int) -> SignInNonce:
    """A fresh challenge; challenges that ran out are swept on the way."""
    session.execute(delete(SignInNonce).where(col(SignInNonce.expires_at) < now))
    row = SignInNonce(nonce=secrets.token_hex(16), expires_at=now + seconds)
    session.add(row)
    return row


def use_nonce(session: Session, nonce: str, now: int) -> bool:
    """Whether `nonce` was given out and unused; it is used from now on. One statement, so two callers cannot both
    win."""
    statement = delete(SignInNonce).where(col(SignInNonce.nonce) == nonce, col(SignInNonce.expires_at) >= now)
    used: int = session.execute(statement).rowcount  # type: ignore[attr-defined]
    return used == 1


def open_session(session: Session, account: str, key: str, now: int, seconds: int) -> tuple[str, int]:
    """A bearer token of 256 random bits for `account`, opened with `key`, and when it ends."""
    session.execute(delete(SignIn).where(col(SignIn.expires_at) < now))
    token = secrets.token_urlsafe(32)
    session.add(SignIn(token_hash=_hash(token), account=account, key=key, expires_at=now + seconds))
    return token, now + seconds


def holder_of(session: Session, token: str, now: int) -> tuple[str, str] | None:
    """The account that `token` reads for, and the key that opened it; None where nobody does any more."""
    row = session.get(SignIn, _hash(token))
    return (row.account, row.key) if row is not None and row.expires_at >= now else None


def close_session(session: Session, token: str) -> None:
    """Forget `token`."""
    session.execute(delete(SignIn).where(col(SignIn.token_hash) == _hash(token)))


def close_sessions_of(session: Session, key: str) -> None:
    """Forget every session that `key`, or a linked identity, has opened."""
    session.execute(delete(SignIn).where(col(SignIn.key) == key))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
