"""The form of one entry of the refusal tables."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """What a custom error of the contracts means to a person and to a program.

    Args:
        error: the Solidity error's name.
        code: stable slug, part of the public interface.
        rule: the rule that refuses, "<stage>.<rule>".
        message, zh: what is wrong; {names} stand for the error's own values.
        hint, hint_zh: what to do next; {names} as in the message.
        expected, got: which of the error's values was wanted and which came; "" for none.
    """

    error: str
    code: str
    rule: str
    message: str
    zh: str
    hint: str
    hint_zh: str
    expected: str = ""
    got: str = ""
