"""The unified social credit code of Chinese organisations (统一社会信用代码), whose last character checks the others.

Weights are the powers of 3 modulo 31; the alphabet has 31 characters, without the easily misread I, O, S, V and Z.
Source: GB 32100-2015.
"""

from marketplace.documents.shapes import refuse
from marketplace.words import Words

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH = 18


def check_character(body: str) -> str:
    """The check character of the first 17 characters, all of which are in ALPHABET."""
    total = sum(ALPHABET.index(letter) * pow(3, place, 31) for place, letter in enumerate(body))
    return ALPHABET[-total % 31]


def credit_code(value: object, path: str) -> None:
    """Check a credit code down to its check character; which one would fit is not told, or it would check nothing."""
    if not (isinstance(value, str) and len(value) == LENGTH and set(value) <= set(ALPHABET)):
        raise refuse(
            path,
            Words(
                f"a unified social credit code: {LENGTH} characters of {ALPHABET}",
                f"统一社会信用代码：{LENGTH} 位，取自 {ALPHABET}",
            ),
            value,
        )
    if value[-1] != check_character(value[:-1]):
        raise refuse(
            path,
            Words(
                "a unified social credit code whose last character checks the others: copy it from the licence",
                "校验位相符的统一社会信用代码，请照营业执照核对",
            ),
            value,
        )
