"""No two objects of a kind may have the same identifier: the second is refused before it reaches the ledger.

An identifier keeps 160 bits of an id, so this refuses only what somebody computed on purpose.
"""

from sqlmodel import Session, col, select

from marketplace.documents.identifiers import Identifier, Kind, identifier
from marketplace.errors import RuleError
from marketplace.evidence.tables import SignedStatement
from marketplace.identifiers.tables import Named
from marketplace.words import Words

KIND_OF = {"Register": Kind.DATA, "List": Kind.PRODUCT, "Fund": Kind.ORDER}
"""The statement that brings an object into being, by whose name it is remembered until the ledger has it."""


def range_of(name: Identifier) -> tuple[str, str]:
    """Ids from the first (inclusive) to the second (exclusive) have this identifier: "g" follows every hex digit."""
    return name.prefix, name.prefix + "g"


def require_free(session: Session, kind: Kind, subject: str) -> None:
    """Refuse an id whose identifier another one has, on the ledger or on its way there.

    Raises:
        RuleError: `identifier_taken`.
    """
    name = identifier(kind, subject)
    low, high = range_of(name)
    place = col(Named.subject)
    known = select(place).where(Named.kind == kind.value, place >= low, place < high, place != subject)
    waiting = [statement for statement, of in KIND_OF.items() if of is kind]
    place = col(SignedStatement.subject)
    coming = select(place).where(col(SignedStatement.name).in_(waiting), place >= low, place < high, place != subject)
    other = session.exec(known).first() or session.exec(coming).first()
    if other is None:
        return
    raise RuleError(
        "identifier_taken",
        f"another object has the identifier {name}",
        zh=f"标识 {name} 已被占用",
        rule="identifiers.unique",
        expected=Words("an id with an identifier of its own", "标识不与他者重复的编号"),
        got=other,
        hint="change the document by a word: its digest, and so the id and the identifier, will be others",
        hint_zh="请对文档稍作改动:其摘要、编号与标识都会随之改变",
    )
