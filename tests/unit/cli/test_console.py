"""Quantities as people write them, and keys as they are made on the command line."""

import json
from datetime import datetime
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from marketplace import cli, quantities
from marketplace.console import values


@pytest.mark.parametrize(
    ("text", "fen"), [("0", 0), ("2", 200), ("2.5", 250), ("2.50", 250), ("1000000.01", 100000001)]
)
def test_money_is_read_exactly(text: str, fen: int) -> None:
    assert values.parse_money(text) == fen


@pytest.mark.parametrize("text", ["", "-1", "2.505", "1e3", "NaN", "１", "2,50", " 2", "0x10"])
def test_what_is_not_money_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        values.parse_money(text)


@given(st.integers(min_value=0, max_value=10**12))
def test_money_and_epsilon_survive_being_shown(amount: int) -> None:
    assert values.parse_money(quantities.money(amount).replace(",", "")) == amount
    assert values.parse_epsilon(quantities.epsilon(amount)) == amount


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("90d", "2026-11-26T12:00:00+08:00", "2027-02-24T12:00:00+08:00"),
        ("30s", "2026-11-26T12:00:00+08:00", "2026-11-26T12:00:30+08:00"),
        ("5m", "2026-11-26T12:00:00+08:00", "2026-11-26T12:05:00+08:00"),
        ("2h", "2026-11-26T12:00:00+08:00", "2026-11-26T14:00:00+08:00"),
        # two years over 29 February 2028 have 731 days
        ("2y", "2026-11-26T12:00:00+08:00", "2028-11-26T12:00:00+08:00"),
        ("1y", "2028-02-29T12:00:00+08:00", "2029-02-28T12:00:00+08:00"),
        ("4y", "2028-02-29T12:00:00+08:00", "2032-02-29T12:00:00+08:00"),
        ("1mo", "2027-01-31T12:00:00+08:00", "2027-02-28T12:00:00+08:00"),
        # by the date in Shanghai, where the day is another than in UTC
        ("1mo", "2027-02-01T03:00:00+08:00", "2027-03-01T03:00:00+08:00"),
    ],
)
def test_durations(text: str, begins: str, ends: str) -> None:
    start, end = (int(datetime.fromisoformat(moment).timestamp()) for moment in (begins, ends))
    duration = values.parse_duration(text)
    assert (duration.after(start), duration.seconds_from(start)) == (end, end - start)


@pytest.mark.parametrize(("text", "told"), [("24mo", "2y"), ("18mo", "18mo"), ("48h", "2d"), ("90m", "5400s")])
def test_a_duration_is_told_in_its_largest_unit(text: str, told: str) -> None:
    assert str(values.parse_duration(text)) == told


def test_what_lies_a_month_before() -> None:
    end, start = (int(datetime.fromisoformat(f"2027-{day}T12:00:00+08:00").timestamp()) for day in ("03-31", "02-28"))
    assert values.parse_duration("1mo").before(end) == start


@pytest.mark.parametrize("text", ["90", "d", "1.5d", "-1d", "1w", "101y", "1201mo"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        values.parse_duration(text)


def test_a_share_names_a_holder_and_its_part() -> None:
    address = "0x" + "aB" * 20
    assert values.parse_share(f"{address}:9000") == (address.lower(), 9000)
    for text in (address, f"{address}:0", f"{address}:10001", "0x12:100"):
        with pytest.raises(typer.BadParameter):
            values.parse_share(text)


def test_keys_are_made_shown_and_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKETPLACE_PASSWORD", "correct horse")
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path / "home"))
    assert cli.main(["keys", "new", "--work-factor", "12", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home" / "keystore.json").stat().st_mode & 0o777 == 0o600
    assert cli.main(["keys", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["address"] == made["address"]
    assert cli.main(["keys", "new", "--work-factor", "12", "--json"]) == 8
    assert json.loads(capsys.readouterr().err)["code"] == "keystore_exists"


def test_a_password_file_must_be_private(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "password"
    secret.write_text("correct horse\n")
    monkeypatch.delenv("MARKETPLACE_PASSWORD", raising=False)
    monkeypatch.setenv("MARKETPLACE_PASSWORD_FILE", str(secret))
    secret.chmod(0o644)
    arguments = ["keys", "new", "--work-factor", "12", "--json", "--home", str(tmp_path / "home")]
    assert cli.main(arguments) == 8
    assert json.loads(capsys.readouterr().err)["code"] == "file_not_private"
    secret.chmod(0o600)
    assert cli.main(arguments) == 0


def test_without_a_password_and_a_person_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MARKETPLACE_PASSWORD", raising=False)
    monkeypatch.delenv("MARKETPLACE_PASSWORD_FILE", raising=False)
    assert cli.main(["keys", "new", "--json", "--home", str(tmp_path)]) == 8
    refusal = json.loads(capsys.readouterr().err)
    assert (refusal["code"], "MARKETPLACE_PASSWORD_FILE" in refusal["hint"]) == ("password_missing", True)


def test_without_keys_a_command_says_how_to_make_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["orders", "list", "--json", "--home", str(tmp_path)]) == 8
    assert json.loads(capsys.readouterr().err)["code"] == "keystore_missing"


def test_a_service_that_is_away_is_not_a_defect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["listings", "list", "--json", "--home", str(tmp_path), "--url", "http://127.0.0.1:9"]
    assert cli.main(arguments) == 6
    assert json.loads(capsys.readouterr().err)["code"] == "service_unreachable"
