"""A command that is written wrongly is refused in the reader's language, whatever is wrong with it."""

import json
import re
from typing import Any

import pytest

from marketplace import cli
from marketplace.console.command import OPTIONS
from marketplace.console.usage import CODES, BadValue, from_usage
from marketplace.console.values import parse_amount
from scripts.documentation.command_line import commands

CHINESE = re.compile("[\u4e00-\u9fff]")
COMMANDS = dict(commands())
ADDRESS = "0x" + "70" * 20
NO_ADDRESS = "应为地址：0x 加 40 位十六进制数，或主体标识 party1…"


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert cli.main(["--json", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    told: dict[str, Any] = json.loads(printed.err)
    assert told["code"] in {code for code, _ in CODES.values()}, told
    assert all(CHINESE.search(told[name]) for name in ("zh", "hint_zh")), told
    assert not CHINESE.search(told["message"].replace("—", "")) or "'" in told["message"]
    assert (told["rule"], told["exit"]) == ("cli.documented_usage", 2)
    assert told["hint"].isascii()
    return told


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_what_it_does_not_know(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(capsys, *name.split(), "--no-such-option")
    assert (told["code"], told["zh"]) == ("option_unknown", "没有选项 --no-such-option")
    assert f"marketplace {name} --help" in told["hint"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_value_that_is_no_value_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    own = [item for item in COMMANDS[name].params if item.name not in OPTIONS and item.name != "help"]
    for parameter in own:
        if parameter.param_type_name == "option" and not getattr(parameter, "is_flag", False):
            told = refusal(capsys, *name.split(), parameter.opts[0])
            assert told["code"] == "option_misused"
    if any(item.required for item in own):
        assert refusal(capsys, *name.split())["code"] == "argument_missing"


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_of_one_value_is_not_taken_twice(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option" and not (parameter.is_flag or parameter.multiple or parameter.count):
            option = parameter.opts[0]
            told = refusal(capsys, *name.split(), option, "1", option, "2")
            assert (told["code"], told["zh"]) == ("option_repeated", f"{option} 只能给出一次，实为 2 次")


@pytest.mark.parametrize(
    ("words", "code", "zh"),
    [
        (["nope"], "command_misused", "没有命令 nope"),
        (["rights", "confirmm"], "command_misused", "没有命令 confirmm，是否为 'confirm'"),
        (["resolve", "a", "b"], "command_misused", "多余的参数：b"),
        (["rights", "confirm", "0x12"], "argument_invalid", "ASSET 的值无效：应为摘要或编号：0x 加 64 位十六进制数"),
        (
            ["rights", "register", "/no/file", "--epsilon-budget", "1"],
            "argument_invalid",
            "manifest 的值无效：/no/file 不存在",
        ),
        (
            ["rights", "transfer-share", "0x" + "5f" * 32, "--to", "0x" + "70" * 20, "--bps", "0"],
            "argument_invalid",
            "--bps 的值无效：应不小于 1",
        ),
        (
            ["rights", "transfer-share", "0x" + "5f" * 32, "--to", "0x" + "70" * 20, "--bps", "x"],
            "argument_invalid",
            "--bps 的值无效：应为整数",
        ),
        (
            ["settlement", "issue", ADDRESS, "1.234"],
            "argument_invalid",
            "AMOUNT 的值无效：应为金额(元)，至多两位小数，如 2.50",
        ),
        (
            ["settlement", "issue", ADDRESS, "9" * 21],
            "argument_invalid",
            "AMOUNT 的值无效：应为不超过 90071992547409.91 的数",
        ),
        *(
            ([*words, "0x12"], "argument_invalid", f"{words[-1]} 的值无效：{NO_ADDRESS}")
            for words in (
                ["statements", "show", "--period", "2026-11", "--account"],
                ["invoices", "show", "--period", "2026-11", "--seller"],
                ["vault", "run", "--seller"],
                ["vault", "run", "--registrar"],
            )
        ),
        (["settlement", "balance", "0x12"], "argument_invalid", f"[ADDRESS] 的值无效：{NO_ADDRESS}"),
        (
            ["lineage", "declare", "0x" + "5f" * 32, "--input", "0x12:1", "--note", "joined"],
            "argument_invalid",
            "--input 的值无效：应为摘要或编号：0x 加 64 位十六进制数",
        ),
        (
            ["agreements", "render", "no-such-file", "--html", "agreement.html"],
            "argument_invalid",
            "WHAT 的值无效：应为摘要或编号：0x 加 64 位十六进制数",
        ),
    ],
)
def test_the_fault_is_named(words: list[str], code: str, zh: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(capsys, *words)
    assert (told["code"], told["zh"]) == (code, zh)


@pytest.mark.parametrize("where", [["--lang", "zh", "rights", "confirm"], ["rights", "confirm", "--lang=zh"]])
def test_the_language_is_the_one_asked_for(where: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(where) == 2
    assert capsys.readouterr().err.splitlines()[0] == "未通过: 缺少参数 ASSET"


def test_a_group_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rights"]) == 2
    printed = capsys.readouterr()
    assert "transfer-share" in printed.out + printed.err
    assert "refused" not in printed.err


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_ground_is_said_in_words(reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    for act in (["seize", "0x" + "7a" * 32, "--order"], ["suspend", "0x" + "5f" * 32, "--reason"]):
        assert cli.main(["--json", "rights", *act, reason]) == 2
        assert json.loads(capsys.readouterr().err)["code"] == "argument_invalid"


def test_an_amount_whose_currency_is_found_first_names_its_option() -> None:
    with pytest.raises(BadValue, match="yuan") as refused:
        parse_amount("--escrow", "1.234", "CNY")
    assert from_usage(refused.value).message.startswith("Invalid value for --escrow: yuan with at most two decimals")
    assert from_usage(refused.value).zh == "--escrow 的值无效：应为金额(元)，至多两位小数，如 2.50"
