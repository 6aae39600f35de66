"""From a text to the one object that it names, or a refusal; never to a guess."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from marketplace.documents.identifiers import (
    Identifier,
    Kind,
    identifier,
    is_certificate_code,
    is_hex_id,
    parse_identifier,
)
from marketplace.errors import NotFoundError, RuleError
from marketplace.evidence.inbox.naming import range_of
from marketplace.identifiers.tables import Named
from marketplace.orders.service import get_order
from marketplace.procedures import Step
from marketplace.registrations.tables import CertificateCode, RegisterEntry, RegistrationAct
from marketplace.rights.tables import Version


@dataclass(frozen=True)
class Found:
    """What a text names.

    Args:
        name: its identifier.
        row: the object's row; of a series, that of its first version.
    """

    name: Identifier
    row: Named

    @property
    def subject(self) -> str:
        """The full address, id or digest."""
        return self.row.subject


def find(session: Session, text: str, account: str | None) -> Found:
    """The object that `text` names: an identifier, a certificate's 15-character code, or an address, id or digest as
    the ledger writes it.

    Args:
        account: who asks; None for somebody who has not signed in.
    Raises:
        InvalidInputError: `malformed_identifier`.
        NotFoundError: `unknown_identifier`: there is no such object, or it is not theirs to see.
        RuleError: `identifier_ambiguous`: two objects have it, so it names neither.
    """
    if is_certificate_code(text):
        found = _by_code(session, text)
    else:
        found = _by_hex(session, text) if is_hex_id(text) else _by_name(session, parse_identifier(text), account)
    if found is None or not _is_visible(session, found, account):
        raise unknown(text)
    return found


def find_subject(session: Session, kind: Kind, subject: str) -> Found | None:
    """The object with this full id; None where the ledger has none."""
    row = session.get(Named, (subject, (Kind.DATA if kind is Kind.SERIES else kind).value))
    return None if row is None else Found(identifier(kind, subject), row)


def unknown(text: str) -> NotFoundError:
    """The error for an identifier that names nothing, or nothing that this reader may see."""
    return NotFoundError(
        "unknown_identifier",
        f"nothing that you may see has the identifier {text[:100]}",
        zh="没有您可查看的该标识",
        rule="identifiers.known",
        got=text[:100],
        hint="its form is right, so it was not mistyped; sign in as a party to it, or ask another exchange",
        hint_zh="标识形式无误;请以相关方身份登录,或向其他交易机构查询",
    )


def _by_hex(session: Session, text: str) -> Found | None:
    row = session.exec(select(Named).where(Named.subject == text)).first()
    return None if row is None else Found(identifier(Kind(row.kind), text), row)


def _by_code(session: Session, code: str) -> Found | None:
    """The certificate that has, or had, this code: of a later case the present one, of an earlier the superseded."""
    given = session.exec(select(CertificateCode).where(CertificateCode.code == code)).first()
    entry = session.exec(select(RegisterEntry).where(RegisterEntry.code == code)).first()
    case = given.case_id if given else entry.certified_case if entry else ""
    ended = select(RegistrationAct).where(RegistrationAct.case_id == case, RegistrationAct.step == int(Step.CERTIFY))
    act = session.exec(ended).first()
    return find_subject(session, Kind.CERTIFICATE, act.evidence_digest) if act else None


def _by_name(session: Session, name: Identifier, account: str | None) -> Found | None:
    kind = Kind.DATA if name.kind is Kind.SERIES else name.kind
    low, high = range_of(name)
    place = col(Named.subject)
    rows = session.exec(select(Named).where(Named.kind == kind.value, place >= low, place < high).limit(2)).all()
    if len(rows) > 1:
        theirs = [row for row in rows if _is_visible(session, Found(name, row), account)]
        if not theirs:
            return None
        raise RuleError(
            "identifier_ambiguous",
            f"two objects have the identifier {name}, so it names neither",
            zh=f"标识 {name} 对应两个对象,不予解析",
            rule="identifiers.unique",
            got=[row.subject for row in theirs],
            hint="name the object by its full id; somebody computed this on purpose: tell the operator and an auditor",
            hint_zh="请使用完整编号;此情形系人为构造,请告知运营方与审计方",
        )
    return Found(name, rows[0]) if rows else None


def _is_visible(session: Session, found: Found, account: str | None) -> bool:
    if found.name.kind is Kind.SERIES:  # a later version is in a series, but is not where one begins
        return session.get(Version, found.subject) is None
    if found.name.kind is Kind.ORDER:
        return account is not None and _is_theirs(session, found.subject, account)
    if found.name.kind is Kind.TRADE:
        return account is not None and _is_theirs(session, found.row.about, account)
    return True


def _is_theirs(session: Session, order: str, account: str) -> bool:
    try:
        get_order(session, order, account)
    except NotFoundError:
        return False
    return True
