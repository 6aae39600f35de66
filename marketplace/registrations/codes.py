"""The code of a registration certificate: "SJ", region, registrar, year and month, number within the month. Pure.

Source: guide of 2026 (国数综政策〔2026〕35号), annex 6: 15 characters, 9,999 certificates a month and registrar. On the
ledger a code is its ASCII text in 32 bytes, filled up with zeros.
"""

from dataclasses import dataclass
from datetime import datetime

from crypto.canonical import from_hex, to_hex
from marketplace.documents.identifiers import is_certificate_code
from marketplace.errors import InvalidInputError, RuleError
from marketplace.rulebooks import Rulebook
from marketplace.rulebooks.calendar import SHANGHAI
from marketplace.words import Words

LENGTH = 15


@dataclass(frozen=True)
class Institution:
    """Who assigns codes.

    Args:
        region: two digits, as in GB/T 2260.
        number: one digit, the registrar's in that region.
    """

    region: str
    number: str


def make_code(book: Rulebook, institution: Institution, deposited_at: int, serial: int) -> str:
    """The code of the `serial`-th certificate of a month.

    Args:
        book: its table "code" has the scheme.
        deposited_at: unix seconds; its month in Shanghai counts.
    Raises:
        RuleError: `certificate_codes_exhausted`: the month's numbers are used up.
    """
    scheme = book.content["code"]
    if not scheme["first"] <= serial <= scheme["last"]:
        raise RuleError(
            "certificate_codes_exhausted",
            f"the {scheme['last']} codes of this month are used up",
            zh=f"本月 {scheme['last']} 个凭证编码已用尽",
            rule="registrations.code_capacity",
            rulebook=book.name,
            expected=scheme["last"],
            got=serial,
            hint="deposit and certify next month, or through another registrar",
            hint_zh="请于下月办理，或由另一登记机构办理",
        )
    month = datetime.fromtimestamp(deposited_at, SHANGHAI).strftime("%Y%m")
    return f"{scheme['prefix']}{institution.region}{institution.number}{month}{serial:0{scheme['serial_digits']}d}"


def month_prefix(book: Rulebook, institution: Institution, deposited_at: int) -> str:
    """What all codes of a registrar and month begin with."""
    scheme = book.content["code"]
    return make_code(book, institution, deposited_at, scheme["first"])[: -scheme["serial_digits"]]


def institution_of(code: str) -> str:
    """Region and number of the registrar whose certificate has this code: three digits."""
    return code[2:5]


def serial_of(code: str) -> int:
    """The number within the month."""
    return int(code[-4:])


def to_ledger(code: str) -> str:
    """A code as 32 bytes of hex.

    Raises:
        InvalidInputError: `certificate_code_malformed`.
    """
    if not is_certificate_code(code):
        raise _malformed(code)
    return to_hex(code.encode("ascii").ljust(32, b"\0"))


def from_ledger(value: str) -> str:
    """The text of a code that stands on the ledger; "" where there is none yet.

    Raises:
        InvalidInputError: `certificate_code_malformed`.
    """
    text = from_hex(value, 32).rstrip(b"\0")
    if text and not is_code(value):
        raise _malformed(value)
    return text.decode("ascii")


def is_code(value: str) -> bool:
    """Whether 32 bytes of hex are a code: "SJ", 13 digits of which the last four are not 0000, then zeros."""
    text = from_hex(value, 32)
    head, rest = text[:LENGTH].decode("latin-1"), text[LENGTH:]
    return is_certificate_code(head) and head[-4:] != "0000" and not any(rest)


def _malformed(code: str) -> InvalidInputError:
    return InvalidInputError(
        "certificate_code_malformed",
        f"{code} is no certificate code",
        zh=f"{code} 不是有效的凭证编码",
        expected=Words("SJ and 13 digits, e.g. SJ310202611 and 0001", "SJ 加 13 位数字，如 SJ310202611 加 0001"),
        got=code,
    )
