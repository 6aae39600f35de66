"""The papers of registration cases: an application form, and what goes with a step in writing.

What a form's fields may hold is for the rulebook that the form names (marketplace/registrations/forms.py).
"""

from collections.abc import Mapping

from marketplace.documents.common import Document, checked
from marketplace.documents.shapes import array, document, hex_bytes, matching, nullable, one_of, refuse, text
from marketplace.words import Words

ADDRESS, DIGEST = hex_bytes(20), hex_bytes(32)
KINDS = ("FIRST", "TRANSFER", "CHANGE", "CORRECTION", "RENEWAL", "CANCELLATION", "REVOCATION", "LATE_OBJECTION")
PROCEDURES = ("ORDINARY", "PUBLIC_DATA", "LATE_OBJECTION", "REVOCATION")
MAX_FIELDS = 60
_REASON = text(1000)


def _fields(value: object, path: str) -> None:
    ok = isinstance(value, Mapping) and len(value) <= MAX_FIELDS
    if not ok or not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values()):
        raise refuse(
            path, Words(f"at most {MAX_FIELDS} fields, each a text", f"至多 {MAX_FIELDS} 个字段，均为文本"), value
        )


_FORM = document(
    "registration_form",
    {
        **{"kind": one_of(KINDS), "procedure": one_of(PROCEDURES), "asset": DIGEST, "applicant": ADDRESS},
        **{"rulebook": DIGEST, "fields": _fields, "nonPublication": nullable(_REASON), "deposit": nullable(_REASON)},
    },
)
_PAPER = document(
    "registration_paper",
    {
        **{"case": DIGEST, "step": matching("[A-Z_]{1,40}", Words("a step's name", "步骤名称")), "text": text(4000)},
        **{
            "ground": nullable(matching("[A-Z_]{1,40}", Words("a ground's code", "事由代码"))),
            "evidence": array(DIGEST, 100),
        },
    },
)


def validate_form(value: object) -> Document:
    """Check the shape of an application form. Raises InvalidInputError."""
    return checked(_FORM, value, "registration_form")


def validate_paper(value: object) -> Document:
    """Check the shape of a paper. Raises InvalidInputError."""
    return checked(_PAPER, value, "registration_paper")
