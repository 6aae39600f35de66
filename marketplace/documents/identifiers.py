"""Persistent identifiers: one text for every participant, data set, product, certificate and order, for print and for
the telephone.

An identifier renders what the ledger already commits to: the kind as a word, and 20 bytes, in Bech32m. The bytes are a
participant's address, or the first 20 of an id or digest. Nobody allocates one, so nobody can squat one; an id is never
reused on the ledger, so neither is its identifier; and whoever has the object can work its identifier out.

kind         stands for
party        a participant: its address
data         one registered version of a data set: its asset id
series       all versions of a data set: the asset id of the first
product      a listing: its id
certificate  a registration certificate: its digest
order        an order: its id
trade        a trade voucher: its id, which follows from its order's

Collisions: the kind is under the checksum, so none across kinds. Within a kind, addresses are whole; of ids 160 bits
are kept, as strong as an address: among a billion objects two agree by chance with probability below 2^-100, and
whoever wants two of its own to agree has to compute 2^80 hashes. The service refuses the second (`identifier_taken`),
and the resolver answers neither (`identifier_ambiguous`).
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from crypto import bech32
from crypto.canonical import from_hex, to_hex
from crypto.errors import MalformedInput
from marketplace.errors import InvalidInputError
from marketplace.words import Words

BODY = 20  # bytes
GROUP = 4  # characters that a person reads at once
_SEPARATORS = re.compile(r"[\s-]+")
_CERTIFICATE_CODE = re.compile("SJ[0-9]{13}", re.ASCII)
_HEX = re.compile("0x(?:[0-9a-f]{40}|[0-9a-f]{64})")


class Kind(StrEnum):
    """What an identifier stands for; the value is its prefix."""

    PARTY = "party"
    DATA = "data"
    SERIES = "series"
    PRODUCT = "product"
    CERTIFICATE = "cert"
    ORDER = "order"
    TRADE = "trade"


KIND_NAMES = {
    Kind.PARTY: {"en": "participant", "zh": "参与方"},
    Kind.DATA: {"en": "data set (one version)", "zh": "数据资产(一个版本)"},
    Kind.SERIES: {"en": "data series", "zh": "数据系列"},
    Kind.PRODUCT: {"en": "product", "zh": "数据产品"},
    Kind.CERTIFICATE: {"en": "registration certificate", "zh": "登记凭证"},
    Kind.ORDER: {"en": "order", "zh": "订单"},
    Kind.TRADE: {"en": "trade voucher", "zh": "交易凭证"},
}


@dataclass(frozen=True)
class Identifier:
    """A parsed identifier.

    Args:
        kind: what it stands for.
        body: BODY bytes.
    """

    kind: Kind
    body: bytes

    def __str__(self) -> str:
        return bech32.encode(self.kind, self.body)

    @property
    def grouped(self) -> str:
        """The text in groups of GROUP characters after the kind, for print and for reading aloud."""
        head, _, rest = str(self).partition("1")
        return "-".join([f"{head}1", *(rest[i : i + GROUP] for i in range(0, len(rest), GROUP))])

    @property
    def prefix(self) -> str:
        """The body as "0x" hex: a participant's address, or what the full id begins with."""
        return to_hex(self.body)

    def names(self, subject: str) -> bool:
        """Whether this is the identifier of `subject` (an address, id or digest as "0x" hex)."""
        return self == identifier(self.kind, subject)


def identifier(kind: Kind, subject: str) -> Identifier:
    """The identifier of an object.

    Args:
        subject: "0x" lower-case hex: the address of a party (20 bytes), else the id or digest (32 bytes).
    Raises:
        crypto.errors.ParameterError: another length.
    """
    return Identifier(kind, from_hex(subject, BODY if kind is Kind.PARTY else 32, kind)[:BODY])


def parse_identifier(text: str) -> Identifier:
    """Read an identifier; groups may be set apart by hyphens or blanks.

    Raises:
        InvalidInputError: `malformed_identifier`, saying what is wrong.
    """
    try:
        prefix, body = bech32.decode(_SEPARATORS.sub("", text[: 4 * bech32.MAX_LENGTH]))
    except MalformedInput as error:
        raise malformed(text, str(error)) from None
    if prefix not in set(Kind):
        raise malformed(text, f"there is no kind {prefix!r}", f"没有 {prefix!r} 这一类别")
    if len(body) != BODY:
        raise malformed(text, f"expected {BODY} bytes after the kind, got {len(body)}")
    return Identifier(Kind(prefix), body)


def is_hex_id(text: str) -> bool:
    """Whether `text` is an address, id or digest as the ledger writes it."""
    return _HEX.fullmatch(text) is not None


def is_certificate_code(text: str) -> bool:
    """Whether `text` is the code of a registration certificate as people write it (registrations/codes.py)."""
    return _CERTIFICATE_CODE.fullmatch(text) is not None


def malformed(text: str, wrong: str, zh: str = "") -> InvalidInputError:
    """The error for text that is no identifier."""
    return InvalidInputError(
        "malformed_identifier",
        f"this is no identifier: {wrong}",
        zh=f"不是有效的标识:{zh or '字符有误、缺漏或多余,请核对'}",
        rule="identifiers.form",
        expected=Words(
            f"one of {', '.join(Kind)}, the digit 1, 32 characters and 6 that check them",
            f"{'、'.join(Kind)} 之一、数字 1、32 个字符及 6 个校验字符",
        ),
        got=text[:100],
        hint="copy it again, or scan its code; a mistyped identifier is refused, never guessed",
        hint_zh="请重新复制或扫描二维码;输入有误的标识不会被猜测解析",
    )
