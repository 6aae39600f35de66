"""Errors that cross a room's border. Each carries a stable code and says what was expected, what came, what to do next.

MarketplaceError
├─ InvalidInputError    the shape is wrong
├─ NotFoundError        it does not exist, or it is not yours (the two are not told apart)
├─ NotAuthorizedError   who you are does not allow it
├─ RuleError            the domain says no; names the rule
├─ PortError            the outside world failed; `retryable` says whether the same call may go through later
├─ VerificationError    an auditor's, buyer's or vault's finding: evidence does not hold
└─ ConfigurationError   refuses to start

HTTP status codes live in `app.py` alone, exit codes in `cli.py` alone.
"""

from typing import Any


class MarketplaceError(Exception):
    """Something was refused.

    Args:
        code: stable slug, lower_snake_case; part of the public interface.
        message: what is wrong, in English, for a person.
        zh: the same in Chinese.
        rule: the rule that refuses, e.g. "orders.escrow_covers_one_call"; empty where only the shape is wrong.
        expected: what would have been accepted.
        got: what came; never a secret.
        hint: what to do next, in English.
        hint_zh: the same in Chinese.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        zh: str = "",
        rule: str = "",
        expected: object = None,
        got: object = None,
        hint: str = "",
        hint_zh: str = "",
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.zh, self.rule = code, message, zh, rule
        self.expected, self.got, self.hint, self.hint_zh = expected, got, hint, hint_zh

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it can be raised again in another process."""
        return _again, (type(self), dict(vars(self)))

    def as_dict(self) -> dict[str, Any]:
        """The error as plain JSON values, without empty fields."""
        names = ("code", "message", "zh", "rule", "expected", "got", "hint", "hint_zh")
        return {name: getattr(self, name) for name in names if getattr(self, name) not in (None, "")}


def _again(kind: type[MarketplaceError], fields: dict[str, Any]) -> MarketplaceError:
    error = kind.__new__(kind, fields["message"])
    vars(error).update(fields)
    return error


class InvalidInputError(MarketplaceError):
    """The shape of what came is wrong."""


class NotFoundError(MarketplaceError):
    """It does not exist, or it is not yours."""


class NotAuthorizedError(MarketplaceError):
    """Who you are does not allow it."""


class RuleError(MarketplaceError):
    """A rule of the market refuses."""


class PortError(MarketplaceError):
    """The outside world failed.

    Args:
        retryable: whether the same call may go through later.
    """

    def __init__(self, code: str, message: str, *, retryable: bool = True, **details: Any) -> None:
        super().__init__(code, message, **details)
        self.retryable = retryable


class VerificationError(MarketplaceError):
    """A piece of evidence does not hold."""


class ConfigurationError(MarketplaceError):
    """The program refuses to start."""
