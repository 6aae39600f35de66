"""Refusals on a terminal: code, rule, expected, got, hint in both languages; an exit code a family; no tracebacks."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import marketplace.sdk.commands as keys_commands
from crypto import keystore
from crypto.errors import CryptoError, DecryptionFailed, InvalidSignature
from marketplace import cli, errors
from marketplace.errors import (
    ConfigurationError,
    InvalidInputError,
    MarketplaceError,
    NotAuthorizedError,
    NotFoundError,
    PortError,
    RuleError,
    VerificationError,
)
from marketplace.sdk.home.keys import create_keystore
from marketplace.types import ParticipantStatus
from marketplace.words import word

REFUSAL = RuleError(
    "escrow_too_small",
    "the escrow does not pay for one call",
    zh="托管金额不足以支付一次查询",
    rule="orders.escrow_covers_one_call",
    expected=">= 200",
    got=100,
    hint="fund at least 2.00 yuan",
    hint_zh="请至少托管 2.00 元",
)
Fails = Callable[[Exception], None]


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Fails:
    """Make `marketplace keys show` raise an error."""

    def install(error: Exception) -> None:
        def raises(_: object) -> None:
            raise error

        monkeypatch.setattr(keys_commands, "open_keys", raises)

    monkeypatch.delenv("MARKETPLACE_LANG", raising=False)
    monkeypatch.setenv("LC_ALL", "C")
    return install


def test_a_refusal_in_english(fails: Fails, capsys: pytest.CaptureFixture[str]) -> None:
    fails(REFUSAL)
    assert cli.main(["keys", "show"]) == 5
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "refused: the escrow does not pay for one call",
        "  code: escrow_too_small",
        "  rule: orders.escrow_covers_one_call (market/1)",
        "  expected: >= 200",
        "  got: 100",
        "  hint: fund at least 2.00 yuan",
    ]


@pytest.mark.parametrize("arguments", [["keys", "show", "--lang", "zh"], ["--lang", "zh", "keys", "show"]])
def test_a_refusal_in_chinese(arguments: list[str], fails: Fails, capsys: pytest.CaptureFixture[str]) -> None:
    fails(REFUSAL)
    assert cli.main(arguments) == 5
    assert capsys.readouterr().err.splitlines() == [
        "未通过: 托管金额不足以支付一次查询",
        "  代码: escrow_too_small",
        "  规则: orders.escrow_covers_one_call (market/1)",
        "  要求: >= 200",
        "  实际: 100",
        "  建议: 请至少托管 2.00 元",
    ]


@pytest.mark.parametrize(
    ("language", "expected", "got"),
    [("en", "  expected: SUSPENDED", "  got: ACTIVE"), ("zh", "  要求: 暂停", "  实际: 有效")],
)
def test_what_words_say_is_said_in_the_readers_language(
    language: str, expected: str, got: str, fails: Fails, capsys: pytest.CaptureFixture[str]
) -> None:
    words = word(ParticipantStatus.SUSPENDED), word(ParticipantStatus.ACTIVE)
    fails(
        RuleError("a_code", "m", zh="有误", rule="a.rule", expected=words[0], got=words[1], hint="h", hint_zh="请更正")
    )
    assert cli.main(["keys", "show", "--lang", language]) == 5
    assert {expected, got} <= set(capsys.readouterr().err.splitlines())


@pytest.mark.parametrize(("name", "value"), [("MARKETPLACE_LANG", "zh"), ("LC_ALL", "zh_CN.UTF-8")])
def test_the_language_follows_the_environment(
    name: str, value: str, fails: Fails, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(REFUSAL)
    monkeypatch.setenv(name, value)
    assert cli.main(["keys", "show"]) == 5
    assert capsys.readouterr().err.startswith("未通过")


@pytest.mark.parametrize("arguments", [["keys", "show", "--json"], ["--json", "keys", "show"]])
def test_a_refusal_for_programs_is_one_json_object(
    arguments: list[str], fails: Fails, capsys: pytest.CaptureFixture[str]
) -> None:
    fails(REFUSAL)
    assert cli.main(arguments) == 5
    printed = capsys.readouterr()
    assert printed.out == ""
    assert json.loads(printed.err) == {**REFUSAL.as_dict(), "exit": 5}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInputError("a_code", "m"), 2),
        (NotFoundError("a_code", "m"), 3),
        (NotAuthorizedError("a_code", "m"), 4),
        (RuleError("a_code", "m"), 5),
        (PortError("a_code", "m"), 6),
        (VerificationError("a_code", "m"), 7),
        (ConfigurationError("a_code", "m"), 8),
        (DecryptionFailed(), 9),
        (InvalidSignature("m"), 9),
        (MarketplaceError("a_code", "m"), 1),
        (ZeroDivisionError("m"), 1),
    ],
)
def test_each_family_has_its_exit_code(
    error: Exception, code: int, fails: Fails, capsys: pytest.CaptureFixture[str]
) -> None:
    fails(error)
    assert cli.main(["keys", "show"]) == code
    assert "Traceback" not in capsys.readouterr().err


def test_the_table_of_exit_codes_is_complete_and_tells_families_apart() -> None:
    families = {kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__base__ is MarketplaceError}
    assert set(cli.EXIT_CODES) == families | {CryptoError}
    assert len(set(cli.EXIT_CODES.values())) == len(cli.EXIT_CODES)
    assert not {0, cli.EXIT_UNEXPECTED, cli.EXIT_INTERRUPTED} & set(cli.EXIT_CODES.values())


def test_a_wrong_password_says_so_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_keystore(tmp_path / "keystore.json", "right horse", keystore.MIN_WORK_FACTOR)
    monkeypatch.setenv("MARKETPLACE_PASSWORD", "wrong horse")
    assert cli.main(["keys", "show", "--home", str(tmp_path), "--json"]) == 9
    printed = capsys.readouterr().err
    assert json.loads(printed)["code"] == "decryption_failed"
    assert "horse" not in printed


def test_an_interrupt_ends_quietly(fails: Fails, capsys: pytest.CaptureFixture[str]) -> None:
    fails(KeyboardInterrupt())  # type: ignore[arg-type]
    assert cli.main(["keys", "show"]) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("language", "told"), [("en", "refused: /nowhere/x.pdf: No such"), ("zh", "无法读写文件 /nowhere/x.pdf")]
)
def test_a_file_that_cannot_be_used_is_no_defect_of_ours(
    language: str, told: str, fails: Fails, capsys: pytest.CaptureFixture[str]
) -> None:
    fails(FileNotFoundError(2, "No such file or directory", "/nowhere/x.pdf"))
    assert cli.main(["--lang", language, "keys", "show"]) == 8
    printed = capsys.readouterr().err
    assert told in printed
    assert "file_unusable" in printed
    fails(OSError("nobody knows which"))
    assert cli.main(["keys", "show"]) == 1
