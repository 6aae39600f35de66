"""The report: bounded, bilingual, complete; the verifier's list, the steps and the documentation say the same."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.auditor import trust, verifier
from marketplace.auditor.findings import MAX_FINDINGS_PER_CODE, MAX_SHOWN, Report
from marketplace.auditor.messages import COUNTED, MESSAGES, NOTES, STEPS
from marketplace.auditor.trust import Trust
from marketplace.errors import ConfigurationError
from tests.bundles import Made
from tests.unit.auditor.forger import Forger

ROOT = Path(__file__).resolve().parents[3]


def test_findings_are_bounded_and_counted() -> None:
    report = Report()
    with report.step(6):
        for number in range(MAX_FINDINGS_PER_CODE + 7):
            report.find("row_extra", f"orders[{number}]", got="x" * 1000)
    assert (len(report.findings), report.total, report.unshown) == (MAX_FINDINGS_PER_CODE, MAX_FINDINGS_PER_CODE + 7, 7)
    assert len(report.findings[0].got) == MAX_SHOWN
    assert report.as_dict()["verdict"] == "failed"


def test_an_inner_step_stops_the_outer_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr("marketplace.auditor.findings.perf_counter", lambda: float(next(ticks)))
    report = Report()
    with report.step(8), report.step(10):
        report.count("vouchers")
    assert (report.seconds[8], report.seconds[10]) == (2.0, 1.0)
    assert report.counts[10]["vouchers"] == 1


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (1, True, False),
        (1, 1, True),
        ({"a": 1}, {"a": True}, False),
        ([1], [1], True),
        ("1", 1, False),
        (b"a", b"a", True),
    ],
)
def test_sameness_tells_true_from_one(expected: object, got: object, same: bool) -> None:
    assert Report().same("row_field", "x", expected, got) is same


def test_every_message_is_in_both_languages_and_every_step_in_the_verifier() -> None:
    for messages in (MESSAGES, NOTES, STEPS):
        for en, zh in messages.values():
            assert en.isascii()
            assert re.search("[\u4e00-\u9fff]", zh)
    documented = re.findall(r"^ *(\d+)\. ", verifier.audit.__doc__ or "", re.MULTILINE)
    assert [int(number) for number in documented] == list(STEPS)


def test_every_code_that_is_used_has_a_message_and_none_is_idle() -> None:
    folder = ROOT / "marketplace" / "auditor"
    files = [path for path in folder.rglob("*.py") if path.name != "messages.py"]
    # The auditor reports the rules' own codes where an offer of delivery does not fit its terms,
    # and where inputs do not fit the source of the data.
    rules = [ROOT / "marketplace" / "deliveries" / "modes.py", ROOT / "marketplace" / "lineage" / "sources.py"]
    source = "".join(path.read_text("utf-8") for path in [*files, *rules])
    elsewhere = ("certificate_differs", "delivery_not_offered")
    idle = [code for code in MESSAGES if f'"{code}"' not in source and code not in elsewhere]
    assert idle == []
    used = re.findall(r'report\.(?:find|same)\(\s*"([a-z_]+)"', source)
    assert set(used) <= set(MESSAGES)


def _counted() -> Iterator[str]:
    """What the auditor's source counts; each name is written out where it is counted."""
    for path in (ROOT / "marketplace" / "auditor").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "count":
                assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno}: write the name out"
                yield str(node.args[0].value)


def test_everything_that_is_counted_has_words_in_both_languages_and_no_words_are_idle(made: Made) -> None:
    assert set(_counted()) == set(COUNTED)
    assert all(name.isascii() and re.search("[\u4e00-\u9fff]", zh) for name, zh in COUNTED.items())
    report = Forger(made).report(full=True)
    assert {name for counts in report.counts.values() for name in counts} <= set(COUNTED)


def test_the_documentation_lists_every_code() -> None:
    text = (ROOT / "docs" / "audit.md").read_text("utf-8")
    listed = set(re.findall(r"`([a-z_]+)`", text))
    assert set(MESSAGES) <= listed


def test_trust_files(tmp_path: Path) -> None:
    path = tmp_path / "trust.toml"
    path.write_text('chain_id = 5\nregistrar = "0xab"\n', "utf-8")
    assert trust.load(path) == Trust(chain_id=5, registrar="0xab")
    for content in ("chain_id = ", 'chain_id = "5"', "colour = 1", '[contracts]\nOrders = "0x"', "chain_id = true"):
        path.write_text(content, "utf-8")
        with pytest.raises(ConfigurationError) as refused:
            trust.load(path)
        assert refused.value.code == "trust_unreadable"
    with pytest.raises(ConfigurationError):
        trust.load(tmp_path / "nothing.toml")
