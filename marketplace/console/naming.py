"""Formatters of columns that hold the ledger's numbers or a document's codes: each is shown in words of the reader's
language, while --json keeps what it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

from marketplace.words import Words, of_bits, table_of

NOTHING = Words("–", "–")


@dataclass(frozen=True)
class Named:
    """What a number or a code is called.

    Args:
        table: its words. spell: how the English one is written.
    """

    table: Mapping[Any, Words]
    spell: Callable[[str], str] = str.lower

    def __call__(self, code: Any) -> Words:
        """The words; a code that the table does not have stands for itself."""
        found = self.table.get(code, Words(str(code), str(code)))
        return Words(self.spell(found.en), found.zh)


@dataclass(frozen=True)
class Listed:
    """What the bits of a mask are called, one after the other.

    Args:
        nothing: for no bit.
    """

    kind: type[IntFlag]
    nothing: Words = NOTHING

    def __call__(self, bits: int) -> Words:
        """The words."""
        return of_bits(self.kind, bits, self.nothing)


def named(kind: type[IntEnum] | Mapping[str, str], spell: Callable[[str], str] = str.lower) -> Named:
    """The formatter of an enumeration's numbers and names, or of codes that have Chinese words."""
    if isinstance(kind, Mapping):
        return Named({code: Words(code, chinese) for code, chinese in kind.items()}, spell)
    return Named(table_of(kind), spell)


def placed(words: Mapping[str, str], spell: Callable[[str], str] = str) -> Named:
    """The formatter of places in a list of codes, counted from 1."""
    return Named({place: Words(*pair) for place, pair in enumerate(words.items(), 1)}, spell)


def yes_no(is_so: object) -> Words:
    """Yes or no."""
    return Words("yes", "是") if is_so else Words("no", "否")


def said(words: Words) -> Words:
    """The formatter of what is in words already."""
    return words
