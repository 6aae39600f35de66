"""The report for a person: steps with what was checked and how long it took, notes, findings, verdict; or JSON."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from marketplace.auditor.findings import Finding, Report
from marketplace.auditor.messages import COUNTED, STEPS


class Surface(Protocol):
    """What the report is printed on; the console's `Run` is one."""

    as_json: bool

    def tr(self, en: str, zh: str) -> str:
        """The text in the chosen language."""

    def say(self, en: str, zh: str = "") -> None:
        """A line."""

    def notice(self, text: str) -> None:
        """A line that must not be missed."""

    def facts(self, data: Mapping[str, Any]) -> None:
        """Names and values."""

    def rows(
        self, rows: Sequence[Mapping[str, Any]], columns: Sequence[tuple[str, str, str, Callable[[Any], str]]]
    ) -> None:
        """A table."""

    def json(self, data: object) -> None:
        """JSON."""


def print_report(run: Surface, report: Report) -> None:
    """Print the report in the chosen language, or as JSON."""
    if run.as_json:
        run.json(report.as_dict())
        return
    run.rows([_step(run, report, number) for number in STEPS if number != 12], _COLUMNS)
    for _, message, zh in report.notes:
        run.notice(run.tr(message, zh))
    if report.named:
        run.rows([{**held, "message": run.tr(held["message"], held["zh"])} for held in report.nodes()], _NODES)
    print_findings(run, report)
    _print_verdict(run, report)


def print_findings(run: Surface, report: Report) -> None:
    """The findings, each with what was expected and what came."""
    for finding in report.ordered():
        _print_finding(run, finding)
    if report.unshown:
        run.say(f"… and {report.unshown} more of the same kinds", f"……以及另外 {report.unshown} 项同类问题")


def _step(run: Surface, report: Report, number: int) -> dict[str, Any]:
    found = sum(finding.step == number for finding in report.findings)
    counts = report.counts[number]
    checked = ", ".join(f"{amount:,} {run.tr(name, COUNTED[name])}" for name, amount in counts.items())
    return {
        "step": number,
        "name": run.tr(*STEPS[number]),
        "checked": checked,
        "seconds": report.seconds.get(number, 0.0),
        "findings": found,
    }


_COLUMNS = (
    ("step", "step", "步骤", str),
    ("name", "what", "内容", str),
    ("checked", "checked", "核查数量", str),
    ("seconds", "seconds", "秒", lambda value: f"{value:.3f}"),
    ("findings", "findings", "问题", lambda value: str(value) if value else "–"),
)


_NODES = (
    ("node", "node", "节点", str),
    ("code", "code", "代码", str),
    ("count", "queries", "查询数", str),
    ("leaves", "first leaf", "首个条目", lambda leaves: str(leaves[0])),
    ("message", "what is held against it", "所涉事项", str),
)


def _print_finding(run: Surface, finding: Finding) -> None:
    run.say(f"✗ {finding.step}. {finding.code}: {finding.message}", f"✗ {finding.step}. {finding.code}：{finding.zh}")
    fields = (
        (run.tr("subject", "对象"), finding.subject),
        (run.tr("expected", "应为"), finding.expected),
        (run.tr("got", "实际"), finding.got),
        (run.tr("rule", "规则"), f"{finding.rule} ({finding.rulebook})"),
        (run.tr("hint", "建议"), run.tr(finding.hint, finding.hint_zh)),
    )
    run.facts({name: value for name, value in fields if value})


def _print_verdict(run: Surface, report: Report) -> None:
    seconds = sum(report.seconds.get(number, 0.0) for number in STEPS)
    if report.passed:
        run.say(f"12. VERDICT: everything holds ({seconds:.1f} s)", f"12. 结论：全部成立（{seconds:.1f} 秒）")
    else:
        run.say(
            f"12. VERDICT: it does not hold; {report.total} findings ({seconds:.1f} s)",
            f"12. 结论：不成立，共 {report.total} 项问题（{seconds:.1f} 秒）",
        )
