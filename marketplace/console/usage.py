"""A command that is written wrongly is refused like anything else: code, rule, hint, English and Chinese.

typer states its faults in English alone; here they become ours. Its sentences have no keys, so they are told apart by
their class, by pydantic's kind of error behind them, and where there is neither by their words.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import typer
from typer.exceptions import TyperException

from marketplace.console.run import Run, choose_language
from marketplace.errors import InvalidInputError
from marketplace.refusals.shapes import shape_fault

RULE = "cli.documented_usage"
HELP = "NoArgsIsHelpError"
"""typer's name for a group that was called alone: its help is the answer."""


class BadValue(typer.BadParameter):
    """The value of an argument or option is not what is expected.

    Args:
        message: what is expected, in English.
        zh: the same in Chinese.
        name: of the argument or option, where a command finds the fault and not the parser of one value.
    """

    def __init__(self, message: str, zh: str, name: str | None = None) -> None:
        super().__init__(message, param_hint=name)
        self.zh = zh


class RepeatedOption(BadValue):
    """An option that takes one value is given several times; which of them is meant nobody can tell."""

    def __init__(self, name: str, times: int, context: Any) -> None:
        super().__init__(f"{name} takes one value, and is given {times} times", f"{name} 只能给出一次，实为 {times} 次")
        self.ctx = context


WORDS: Sequence[tuple[str, str]] = (
    (r"\w+ '(.*)' does not exist\.", "{0} 不存在"),
    (r"\w+ '(.*)' is a file\.", "{0} 是文件，应为目录"),
    (r"\w+ '(.*)' is a directory\.", "{0} 是目录，应为文件"),
    (r"\w+ '(.*)' is not readable\.", "{0} 无法读取"),
    (r"\w+ '(.*)' is not writable\.", "{0} 无法写入"),
    (r"No such command '(.*?)'\. Did you mean (.*)\?", "没有命令 {0}，是否为 {1}"),
    (r"No such command '(.*?)'\.", "没有命令 {0}"),
    (r"Got unexpected extra argument\(s\) \((.*)\)", "多余的参数：{0}"),
    (r"Option '(.*)' requires an argument\.", "选项 {0} 需要一个值"),
    (r"Option '(.*)' requires (\d+) arguments\.", "选项 {0} 需要 {1} 个值"),
    (r"Option '(.*)' does not take a value\.", "选项 {0} 不带值"),
    (r"No such option: (.*)", "没有选项 {0}"),
    (r"Missing command\.", "缺少命令"),
)
CODES: dict[str, tuple[str, tuple[str, str]]] = {
    "MissingParameter": ("argument_missing", ("an argument or option is missing", "缺少参数")),
    "BadParameter": ("argument_invalid", ("the value of an argument or option is not one", "参数的值无效")),
    "RepeatedOption": (
        "option_repeated",
        ("an option that takes one value is given several times", "只能给出一次的选项重复出现"),
    ),
    "NoSuchOption": ("option_unknown", ("there is no such option", "没有该选项")),
    "BadOptionUsage": ("option_misused", ("an option lacks its value, or takes none", "选项缺少值，或不带值")),
    "UsageError": (
        "command_misused",
        ("there is no such command, or a word too many", "没有该命令，或参数过多"),
    ),
}
"""typer's class of fault -> (our code, what it means in English and Chinese)."""


def from_usage(error: TyperException) -> InvalidInputError:
    """The refusal that a fault in the use of a command is."""
    kind = next((name.__name__ for name in type(error).__mro__ if name.__name__ in CODES), "UsageError")
    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context else "marketplace"
    return InvalidInputError(
        CODES[kind][0],
        error.format_message(),
        zh=_chinese(error, kind),
        rule=RULE,
        expected=list(possible) if (possible := getattr(error, "possibilities", None)) else None,
        hint=f"see `{path} --help`",
        hint_zh=f"用法见 `{path} --help`",
    )


def run_of(arguments: Sequence[str]) -> Run:
    """The context of a call that came to nothing before one was made: how and in which language to say so."""
    asked = [second for first, second in pairwise(arguments) if first == "--lang"]
    asked += [argument.partition("=")[2] for argument in arguments if argument.startswith("--lang=")]
    return Run(as_json="--json" in arguments, language=choose_language(asked[-1] if asked else None))


def _chinese(error: Any, kind: str) -> str:
    if kind == "MissingParameter":
        return f"缺少参数 {_name(error)}"
    fault = error.zh if isinstance(error, BadValue) else _fault(error)
    return f"{_name(error)} 的值无效：{fault}" if kind == "BadParameter" else fault


def _fault(error: Any) -> str:
    behind = error.__cause__
    if hasattr(behind, "errors"):  # pydantic's
        first = behind.errors()[0]
        return shape_fault(first["type"], first.get("ctx", {}))
    matches = ((re.fullmatch(pattern, error.message, re.DOTALL), zh) for pattern, zh in WORDS)
    return next((zh.format(*match.groups()) for match, zh in matches if match), "用法不正确")


def _name(error: Any) -> str:
    hint = error.param_hint or (error.param.get_error_hint() if error.param is not None else "")
    return str(hint if isinstance(hint, str) else " / ".join(hint)).strip("'\"")
