"""Documents by digest: canonical JSON, named by its SHA-256, never changed, never renamed.

A document is public, or it has readers. Whoever is not a reader is told the same as about a document that does not
exist.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import LargeBinary, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, select

from crypto.canonical import canonical_json, load_canonical, sha256, to_hex
from marketplace.errors import NotFoundError, PortError

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class StoredDocument(SQLModel, table=True):
    """One document. `body` is its canonical bytes; `public` wins over readers."""

    __tablename__ = "documents"
    digest: str = Field(primary_key=True)
    type: str = Field(index=True)
    body: bytes = Field(sa_type=LargeBinary)
    public: bool = False
    stored_at: int = 0


class DocumentReader(SQLModel, table=True):
    """`account` may read `digest`."""

    __tablename__ = "document_readers"
    digest: str = Field(primary_key=True)
    account: str = Field(primary_key=True)


def store_document(
    session: Session, document: dict[str, Any], *, now: int, public: bool = False, readers: Iterable[str] = ()
) -> str:
    """Keep `document` and return its digest; storing it again only adds readers, or makes it public.

    Raises:
        crypto.errors.ParameterError: it has no canonical form.
    """
    body = canonical_json(document)
    digest = to_hex(sha256(body))
    row = session.get(StoredDocument, digest)
    if row is None:
        row = StoredDocument(digest=digest, type=str(document.get("type", "")), body=body, stored_at=now)
    row.public = row.public or public
    session.add(row)
    _let_read(session, digest, readers)
    return digest


def read_document(session: Session, digest: str) -> dict[str, Any]:
    """The document named `digest`, whoever asks; re-hashed, so a changed row cannot pass.

    Raises:
        NotFoundError: it is not here.
        PortError: `document_altered`: the stored bytes no longer have that digest.
    """
    document: dict[str, Any] = load_canonical(document_body(session, digest))
    return document


def document_body(session: Session, digest: str) -> bytes:
    """The canonical bytes of the document named `digest`. Raises as `read_document`."""
    row = session.get(StoredDocument, digest)
    if row is None:
        raise _not_found(digest)
    return _checked_body(row)


def visible_body(session: Session, digest: str, account: str | None, *, sees_all: bool = False) -> bytes:
    """The bytes of a document that `account` may read.

    Args:
        account: who asks; None for somebody who has not signed in.
        sees_all: an auditor's right.
    Raises:
        NotFoundError: it is not here, or not theirs.
    """
    row = session.get(StoredDocument, digest)
    readable = row is not None and (row.public or sees_all or _is_reader(session, digest, account))
    if not readable:
        raise _not_found(digest)
    return document_body(session, digest)


def visible_documents(
    session: Session, digests: Iterable[str], account: str | None, *, sees_all: bool = False
) -> dict[str, dict[str, Any]]:
    """Those of the documents that are here and that `account` may read, by digest; arguments as `visible_body`.

    Raises:
        PortError: `document_altered`, as `read_document`.
    """
    query = select(StoredDocument).where(col(StoredDocument.digest).in_(sorted(set(digests))))
    if not sees_all:
        reader = select(DocumentReader).where(DocumentReader.digest == StoredDocument.digest)
        reads = reader.where(DocumentReader.account == account).exists()
        query = query.where(or_(col(StoredDocument.public), reads))
    rows = session.exec(query).all()
    return {row.digest: load_canonical(_checked_body(row)) for row in rows}


def has_document(session: Session, digest: str) -> bool:
    """Whether the document named `digest` is stored."""
    return session.exec(select(StoredDocument.digest).where(StoredDocument.digest == digest)).first() is not None


def _checked_body(row: StoredDocument) -> bytes:
    if to_hex(sha256(row.body)) != row.digest:
        raise PortError(
            "document_altered",
            f"the stored document {row.digest} has been changed",
            retryable=False,
            zh="已存储的文档被改动",
            hint="restore the document from a copy; its name is its SHA-256",
            hint_zh="请从副本恢复该文档；其名称即 SHA-256 摘要",
        )
    return row.body


def _is_reader(session: Session, digest: str, account: str | None) -> bool:
    return account is not None and session.get(DocumentReader, (digest, account)) is not None


def _let_read(session: Session, digest: str, readers: Iterable[str]) -> None:
    """Add readers, in one statement; who is one already stays one."""
    rows = [{"digest": digest, "account": account} for account in sorted(set(readers))]
    if rows:
        insert = _INSERTS[session.get_bind().dialect.name]
        session.execute(insert(DocumentReader).on_conflict_do_nothing(), rows)


def _not_found(digest: str) -> NotFoundError:
    return NotFoundError(
        "document_not_found",
        f"there is no document {digest} for you",
        zh="没有您可读取的该文档",
        hint="sign in as a party to it, or check the digest",
        hint_zh="请以相关方身份登录,或核对摘要",
    )
