"""Bech32m: bytes as text that people can copy, with a prefix that says what they are and six characters that check it.

Rules of this file:
  - The checksum covers the prefix too, so text of one kind never reads as text of another.
  - Lower case or upper case (which a QR code stores in fewer modules), never both in one text.
  - One text for given bytes: padding bits are zero and decoding refuses everything that encoding would not make.

Guarantees: any four wrong characters of at most 90 are found; of more, about one in 2^30 passes. It is no protection
against somebody who makes text on purpose.
Source: BIP-173 (alphabet, checksum code), BIP-350 (the constant of Bech32m).
"""

from crypto.errors import MalformedInput, ParameterError

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
MAX_LENGTH = 90
CHECKSUM = 6
_CONSTANT = 0x2BC830A3
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def encode(prefix: str, data: bytes) -> str:
    """The text of `data` under `prefix`, lower case: prefix, "1", five bits a character, checksum.

    Raises:
        ParameterError: the prefix is empty, not printable lower-case ASCII, or the text would exceed MAX_LENGTH.
    """
    if not prefix or prefix != prefix.lower() or not all("!" <= letter <= "~" for letter in prefix):
        raise ParameterError("prefix: expected printable lower-case ASCII")
    values = _to_fives(data)
    if len(prefix) + 1 + len(values) + CHECKSUM > MAX_LENGTH:
        raise ParameterError(f"data: the text would be longer than {MAX_LENGTH} characters")
    state = _polymod([*_expanded(prefix), *values, *([0] * CHECKSUM)]) ^ _CONSTANT
    check = [state >> 5 * (CHECKSUM - 1 - place) & 31 for place in range(CHECKSUM)]
    return f"{prefix}1{''.join(ALPHABET[value] for value in (*values, *check))}"


def decode(text: str) -> tuple[str, bytes]:
    """Prefix (lower case) and bytes of a text.

    Raises:
        MalformedInput: mixed case, a foreign character, too long, no separator, a wrong checksum, or padding that is
            not zero; the message says which, and repeats nothing.
    """
    lowered = _one_case(text)
    prefix, separator, rest = lowered.rpartition("1")
    if not (separator and prefix) or len(rest) < CHECKSUM:
        raise MalformedInput("expected a prefix, the digit 1, and at least six characters")
    foreign = sorted(set(rest) - set(ALPHABET))
    if foreign:
        raise MalformedInput(f"these characters do not occur: {' '.join(foreign)}")
    values = [ALPHABET.index(letter) for letter in rest]
    if _polymod([*_expanded(prefix), *values]) != _CONSTANT:
        raise MalformedInput("the checksum does not match: a character is wrong, missing or too many")
    return prefix, _from_fives(values[:-CHECKSUM])


def _one_case(text: str) -> str:
    if len(text) > MAX_LENGTH:
        raise MalformedInput(f"longer than {MAX_LENGTH} characters")
    if not all("!" <= letter <= "~" for letter in text):
        raise MalformedInput("expected printable ASCII without blanks")
    if text not in (text.lower(), text.upper()):
        raise MalformedInput("lower and upper case are mixed")
    return text.lower()


def _expanded(prefix: str) -> list[int]:
    codes = [ord(letter) for letter in prefix]
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(values: list[int]) -> int:
    """Remainder of the code's polynomial over GF(32), 30 bits."""
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            state ^= generator if top >> place & 1 else 0
    return state


def _to_fives(data: bytes) -> list[int]:
    bits = 8 * len(data)
    padding = -bits % 5
    number = int.from_bytes(data, "big") << padding
    return [number >> shift & 31 for shift in range(bits + padding - 5, -1, -5)]


def _from_fives(values: list[int]) -> bytes:
    size, padding = divmod(5 * len(values), 8)
    number = 0
    for value in values:
        number = number << 5 | value
    if padding >= 5 or number & ((1 << padding) - 1):
        raise MalformedInput("the bits after the last whole byte are not zero")
    return (number >> padding).to_bytes(size, "big")
