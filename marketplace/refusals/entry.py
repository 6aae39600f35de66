"""The form of one entry of the refusal tables, and how it is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any

from marketplace.quantities import epsilon as show_epsilon
from marketplace.words import NONE, Words, of_bits, of_moment, of_number, of_rights


@dataclass(frozen=True)
class Term:
    """What says a value in words.

    Args:
        words: of the value. of: its name, where the term has another.
    """

    words: Callable[[Any], Words]
    of: str = ""


def number(kind: type[IntEnum], of: str = "") -> Term:
    """The name of a state, kind or step."""
    return Term(lambda value: of_number(kind, value), of)


def bits(kind: type[IntFlag], nothing: Words = NONE) -> Term:
    """The names of a mask's bits."""
    return Term(lambda value: of_bits(kind, value, nothing))


def budget(of: str) -> Term:
    """A privacy budget in millionths, as a decimal."""
    return Term(lambda value: Words.alike(show_epsilon(value)), of)


MOMENTS = frozenset(
    (
        *("deadline", "time", "validFrom", "validUntil", "until", "present", "earliest", "latest", "slowest"),
        *("statedAt", "dueAt", "decideBy", "exitAt", "readyAt", "payBy", "closeBy"),
    )
)
"""Values of errors that are seconds of unix time, where they are whole numbers; people are told the moment."""
BUDGETS = frozenset(("epsilon", "epsilonCap", "epsilonBudget"))
"""Values of errors that are privacy budgets in millionths; people are told the decimal."""
RIGHTS = Term(of_rights)
"""A confirmation's rights as bits: 1 to hold, 2 to use, 4 to operate."""
NEITHER = Words("neither SEIZED nor CONTROLLED", "未被查封且未受行政管控")
OTHER_MARKS = Words(
    "SEIZED (16), CONTROLLED (32), both (48) or none (0), other than now",
    "查封（16）、行政管控（32）、两者（48）或无（0），且与现状不同",
)


@dataclass(frozen=True)
class Refusal:
    """What a custom error of the contracts means to a person and to a program.

    Args:
        error: the Solidity error's name.
        code: stable slug, part of the public interface.
        rule: the rule that refuses, "<stage>.<rule>".
        message, zh: what is wrong; {names} stand for the error's own values, or for its terms.
        hint, hint_zh: what to do next; {names} as in the message.
        expected, got: what would have been accepted, and what came or how things stand: the name of a value or term,
            or words with {names}; "" for none.
        terms: what says a value in words, by its name or by one of the term's own.
    """

    error: str
    code: str
    rule: str
    message: str
    zh: str
    hint: str
    hint_zh: str
    expected: str | Words = ""
    got: str | Words = ""
    terms: Mapping[str, Term] = field(default_factory=dict)

    def told(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What MarketplaceError takes besides the code.

        Args:
            values: the error's values by name, in the forms of `marketplace.events`.
        """
        words = {name: term.words(values[term.of or name]) for name, term in self.terms.items()}
        told = {name: _plain(name, value) for name, value in values.items()}
        en = {**told, **{name: item.en for name, item in words.items()}}
        zh = {**told, **{name: item.zh for name, item in words.items()}}
        exact: dict[str, Any] = {**values, **words}
        return {
            "message": self.message.format_map(en),
            "zh": self.zh.format_map(zh),
            "rule": self.rule,
            "expected": _one(self.expected, exact, en, zh),
            "got": _one(self.got, exact, en, zh),
            "hint": self.hint.format_map(en),
            "hint_zh": self.hint_zh.format_map(zh),
        }


def _plain(name: str, value: object) -> object:
    """A value as people read it."""
    if name in MOMENTS:
        return of_moment(value)
    return show_epsilon(value) if name in BUDGETS and isinstance(value, int) else value


def _one(wanted: str | Words, exact: Mapping[str, Any], en: Mapping[str, Any], zh: Mapping[str, Any]) -> object:
    """A value by its name stays what it is, for programs; a moment and a budget too."""
    if isinstance(wanted, Words):
        return Words(wanted.en.format_map(en), wanted.zh.format_map(zh))
    found = exact.get(wanted)
    return found.en if isinstance(found, Words) and found.en == found.zh else found
