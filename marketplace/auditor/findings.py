"""What an audit says: steps, findings, counts, times and the verdict. Plain values; printing is done elsewhere."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from marketplace.auditor.messages import ADVICE, MESSAGES, NAMED, NOTES, OWN_ADVICE, STEPS
from marketplace.errors import RULES_VERSION

MAX_FINDINGS_PER_CODE = 50  # fifty examples of each kind describe a bundle that is wrong everywhere

MAX_SHOWN = 200  # characters of an expected or found value


@dataclass(frozen=True)
class Finding:
    """One thing that does not hold.

    Args:
        step: number of the step that found it, 1 to 11.
        code: stable slug.
        subject: what it is about: file and line, block, table with key and field, or a digest.
        expected: what the auditor derived, shortened to MAX_SHOWN characters.
        got: what the bundle says, shortened likewise.
        message: one English sentence.
        zh: the same in Chinese.
        rule: the rule that it breaks.
        hint: what to do next.
        hint_zh: the same in Chinese.
        rulebook: version of the rulebook that has the rule.
    """

    step: int
    code: str
    subject: str
    expected: str
    got: str
    message: str
    zh: str
    rule: str
    hint: str
    hint_zh: str
    rulebook: str = RULES_VERSION

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(self.__dict__)


@dataclass
class Report:
    """The whole outcome; grows while the steps run.

    Args:
        counts: per step, how many things of each name were checked.
        seconds: per step, wall-clock time.
        notes: remarks that a reader must not miss (code, English, Chinese), such as roots of trust that nobody pinned.
        named: what is held against panel nodes: (node, code) -> query -> the leaf that says so. No findings: evidence
            that an outvoted node lied is evidence in order.
    """

    findings: list[Finding] = field(default_factory=list)
    counts: defaultdict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: dict[int, float] = field(default_factory=dict)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    named: defaultdict[tuple[str, str], dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    _per_code: Counter[str] = field(default_factory=Counter)
    _step: int = 0
    _since: float = field(default_factory=perf_counter)

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self._per_code

    @property
    def total(self) -> int:
        """How many findings there were, shown or not."""
        return self._per_code.total()

    @property
    def unshown(self) -> int:
        """How many findings are only counted because their code has MAX_FINDINGS_PER_CODE already."""
        return self.total - len(self.findings)

    def ordered(self) -> list[Finding]:
        """The findings, step by step; within a step faults of form come after faults of content."""
        return sorted(self.findings, key=lambda finding: (finding.step, finding.code == "line_not_canonical"))

    @contextmanager
    def step(self, number: int) -> Iterator[None]:
        """Findings, counts and time inside belong to step `number`; an inner step stops the outer one's clock."""
        outer, now = self._step, perf_counter()
        self._charge(now)
        self._step = number
        try:
            yield
        finally:
            self._charge(perf_counter())
            self._step = outer

    def _charge(self, now: float) -> None:
        self.seconds[self._step] = self.seconds.get(self._step, 0.0) + now - self._since
        self._since = now

    def count(self, name: str, amount: int = 1) -> None:
        """Say that `amount` more things called `name` were checked in the current step."""
        self.counts[self._step][name] += amount

    def find(self, code: str, subject: object, *, expected: object = "", got: object = "") -> None:
        """Record that something does not hold."""
        self._per_code[code] += 1
        if self._per_code[code] > MAX_FINDINGS_PER_CODE:
            return
        told = (*MESSAGES[code], *OWN_ADVICE.get(code, ADVICE[self._step]))
        self.findings.append(Finding(self._step, code, str(subject), _short(expected), _short(got), *told))

    def same(self, code: str, subject: object, expected: object, got: object) -> bool:
        """Record a finding unless `expected` equals `got`; whether they are equal."""
        if _identical(expected, got):
            return True
        self.find(code, subject, expected=expected, got=got)
        return False

    def name(self, code: str, node: str, query: str, subject: str) -> None:
        """Hold something against a panel node, once for each query."""
        self.named[node, code].setdefault(query, subject)

    def note(self, code: str, **values: object) -> None:
        """Add a remark that must not be missed."""
        message, zh = NOTES[code]
        self.notes.append((code, message.format(**values), zh.format(**values)))

    def nodes(self) -> list[dict[str, Any]]:
        """What is held against each node, as plain values; `leaves` are the first MAX_FINDINGS_PER_CODE."""
        return [
            {
                "node": node,
                "code": code,
                "message": NAMED[code][0],
                "zh": NAMED[code][1],
                "count": len(queries),
                "leaves": list(queries.values())[:MAX_FINDINGS_PER_CODE],
            }
            for (node, code), queries in sorted(self.named.items())
        ]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values: verdict, steps with counts and seconds, notes, named nodes, findings."""
        return {
            "verdict": "passed" if self.passed else "failed",
            "findings_total": self.total,
            "findings": [finding.as_dict() for finding in self.ordered()],
            "notes": [{"code": code, "message": message, "zh": zh} for code, message, zh in self.notes],
            "nodes": self.nodes(),
            "steps": [
                {
                    "step": number,
                    "name": STEPS[number][0],
                    "zh": STEPS[number][1],
                    "seconds": round(self.seconds.get(number, 0.0), 6),
                    "checked": dict(self.counts.get(number, {})),
                }
                for number in STEPS
            ],
        }


def _identical(expected: object, got: object) -> bool:
    # 1 == True in Python, also inside containers; their text tells them apart.
    if type(expected) is not type(got) or expected != got:
        return False
    return not isinstance(expected, dict | list | tuple) or repr(_sorted(expected)) == repr(_sorted(got))


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return sorted((name, _sorted(item)) for name, item in value.items())
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value


def _short(value: object) -> str:
    text = "0x" + value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
