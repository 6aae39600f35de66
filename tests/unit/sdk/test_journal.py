"""The journal: a step is written before it is signed, keeps its content, and survives a crash."""

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.errors import ConfigurationError, RuleError
from marketplace.sdk.home.journal import Journal, SeenCheckpoint, Step

ORDER = "0x" + "01" * 32
STEP = Step(ORDER, 1, "0x" + "aa" * 32, {"sequence": 1}, {"amount": 200, "calls": 1}, "pending", None)


def test_the_same_step_again_is_answered_with_what_stands_there() -> None:
    journal = Journal()
    assert journal.reserve(STEP) == journal.reserve(STEP) == STEP


@pytest.mark.parametrize("change", [{"query_digest": "0x" + "bb" * 32}, {"voucher": {"amount": 400, "calls": 1}}])
def test_one_step_never_has_two_contents(change: dict[str, object]) -> None:
    journal = Journal()
    journal.reserve(STEP)
    with pytest.raises(RuleError) as caught:
        journal.reserve(replace(STEP, **change))  # type: ignore[arg-type]
    assert caught.value.code == "step_already_signed"


def test_a_finished_step_cannot_be_signed_again_with_another_content() -> None:
    journal = Journal()
    journal.reserve(STEP)
    journal.finish(ORDER, 1, "refused", {"code": "cohort_too_small"})
    with pytest.raises(RuleError) as caught:
        journal.reserve(replace(STEP, query_digest="0x" + "bb" * 32))
    assert caught.value.code == "step_already_signed"


def test_only_one_step_of_an_order_is_under_way() -> None:
    journal = Journal()
    journal.reserve(STEP)
    with pytest.raises(RuleError) as caught:
        journal.reserve(replace(STEP, sequence=2, query_digest="0x" + "bb" * 32))
    assert caught.value.code == "step_pending"
    journal.reserve(replace(STEP, order="0x" + "02" * 32, query_digest="0x" + "cc" * 32))


def test_an_outcome_is_recorded_once() -> None:
    journal = Journal()
    journal.reserve(STEP)
    journal.finish(ORDER, 1, "released", {"epsilon": 5})
    journal.finish(ORDER, 1, "refused", {"code": "late"})
    found = journal.step(ORDER, 1)
    assert found is not None
    assert (found.status, found.outcome) == ("released", {"epsilon": 5})


def test_not_even_sql_changes_a_steps_content(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.reserve(STEP)
    with sqlite3.connect(tmp_path / "journal.db") as db, pytest.raises(sqlite3.IntegrityError, match="never changes"):
        db.execute("UPDATE steps SET voucher = '{}'")
    db.close()
    journal.close()


def test_two_processes_cannot_both_take_a_step(tmp_path: Path) -> None:
    first, second = Journal(tmp_path / "journal.db"), Journal(tmp_path / "journal.db")
    first.reserve(STEP)
    with pytest.raises(RuleError):
        second.reserve(replace(STEP, query_digest="0x" + "bb" * 32))
    first.close()
    second.close()


def test_a_killed_process_leaves_its_step_pending(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from marketplace.sdk.home.journal import Journal, Step\n"
        f"journal = Journal(Path(sys.argv[1])); journal.reserve(Step({ORDER!r}, 1, {STEP.query_digest!r},"
        " {'sequence': 1}, {'amount': 200, 'calls': 1}, 'pending', None)); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "journal.db")], check=False)
    assert done.returncode == -9
    journal = Journal(tmp_path / "journal.db")
    assert journal.pending(ORDER) == STEP
    with pytest.raises(RuleError):
        journal.reserve(replace(STEP, query_digest="0x" + "bb" * 32))
    journal.close()


def test_a_damaged_journal_is_refused_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"not a database, but longer than a header of one hundred bytes" * 4)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError) as caught:
        Journal(path)
    assert caught.value.code == "journal_unreadable"
    assert path.read_bytes().startswith(b"not a database")


def test_a_smaller_checkpoint_never_replaces_a_larger_one() -> None:
    journal = Journal()
    journal.accept_checkpoint("log", SeenCheckpoint(5, "0x05", "note 5"))
    journal.accept_checkpoint("log", SeenCheckpoint(3, "0x03", "note 3"))
    assert journal.checkpoint("log") == SeenCheckpoint(5, "0x05", "note 5")
    assert journal.checkpoint("another") is None
