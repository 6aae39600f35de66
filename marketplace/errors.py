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

from typing import Any, ClassVar

from marketplace.words import Words

RULES_VERSION = "market/1"
"""Version of the rules that contracts and program share; every refusal names it beside its rule."""


class MarketplaceError(Exception):
    """Something was refused.

    What a place that refuses leaves out, its family says: RULE, HINT and HINT_ZH. A RuleError and a NotAuthorizedError
    state theirs themselves. docs/errors.md lists all codes.

    Args:
        code: stable slug, lower_snake_case; part of the public interface, with one meaning and of one family.
        message: what is wrong, in English, for a person.
        zh: the same in Chinese.
        rule: the rule that refuses, e.g. "orders.escrow_covers_one_call".
        expected: what would have been accepted; Words where a sentence or a name says it.
        got: what came, or how things stand; never a secret. Words as above.
        hint: what to do next, in English.
        hint_zh: the same in Chinese.
        rulebook: version of the rulebook that has the rule.
        expected_zh, got_zh: in Chinese, where they come apart, as over HTTP.
    """

    RULE: ClassVar[str] = "service.free_of_defects"
    HINT: ClassVar[str] = "this is a defect; report it with what was asked"
    HINT_ZH: ClassVar[str] = "这是程序缺陷；请连同所作请求一并反馈"

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
        rulebook: str = "",
        expected_zh: object = None,
        got_zh: object = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.zh = code, message, zh or message
        self.rule, self.rulebook = rule or self.RULE, rulebook or RULES_VERSION
        self.expected, self.expected_zh = _in_both(expected, expected_zh)
        self.got, self.got_zh = _in_both(got, got_zh)
        self.hint = hint or self.HINT
        self.hint_zh = hint_zh or hint or self.HINT_ZH  # who was told what to do in one language is not told less

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it can be raised again in another process."""
        return _again, (type(self), dict(vars(self)))

    def as_dict(self) -> dict[str, Any]:
        """The error as plain JSON values, without empty fields."""
        told = ("expected", "got", "expected_zh", "got_zh")
        names = ("code", "message", "zh", "rule", "rulebook", *told, "hint", "hint_zh")
        return {name: getattr(self, name) for name in names if getattr(self, name) not in (None, "")}


def _in_both(told: object, zh: object) -> tuple[object, object]:
    """What is told in English, and in Chinese; None where it is the same."""
    if isinstance(told, Words):
        return told.en, None if told.zh == told.en else told.zh
    return told, zh


def _again(kind: type[MarketplaceError], fields: dict[str, Any]) -> MarketplaceError:
    error = kind.__new__(kind, fields["message"])
    vars(error).update(fields)
    return error


class InvalidInputError(MarketplaceError):
    """The shape of what came is wrong."""

    RULE = "input.well_formed"
    HINT = "correct what is named, then send it again"
    HINT_ZH = "请更正所指之处后重新提交"


class NotFoundError(MarketplaceError):
    """It does not exist, or it is not yours."""

    RULE = "access.only_what_is_yours"
    HINT = "check the identifier and the key you act with: what is not yours looks like what does not exist"
    HINT_ZH = "请核对编号与所用密钥：不属于您的与不存在的答复相同"


class NotAuthorizedError(MarketplaceError):
    """Who you are does not allow it."""

    RULE = "access.by_key_and_role"
    HINT = "use the key, or ask for the role, that this needs"
    HINT_ZH = "请使用所需的密钥，或申请所需的角色"


class RuleError(MarketplaceError):
    """A rule of the market refuses."""

    RULE = "market.rules"
    HINT = "change what the rule names, then try again"
    HINT_ZH = "请按规则更正后重试"


class PortError(MarketplaceError):
    """The outside world failed.

    Args:
        retryable: whether the same call may go through later.
    """

    RULE = "service.available"
    HINT = "try again in a moment; tell the operator if it goes on"
    HINT_ZH = "请稍后重试；如持续出现请联系运营方"

    def __init__(self, code: str, message: str, *, retryable: bool = True, **details: Any) -> None:
        if not retryable and not details.get("hint"):
            details |= {"hint": "the same call will fail again; tell the operator", "hint_zh": "重试无效；请联系运营方"}
        super().__init__(code, message, **details)
        self.retryable = retryable


class VerificationError(MarketplaceError):
    """A piece of evidence does not hold."""

    RULE = "evidence.holds"
    HINT = "do not rely on it; keep what you received, and tell its sender or an auditor"
    HINT_ZH = "请勿据此行事；保留所收材料，并告知提供方或审计方"


class ConfigurationError(MarketplaceError):
    """The program refuses to start."""

    RULE = "configuration.complete"
    HINT = "correct it on this machine, then start again"
    HINT_ZH = "请在本机更正后重新启动"
