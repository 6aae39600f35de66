"""A rulebook: what the law may change about registration, as data with its sources. Pure.

Every period, list, form and code scheme is in a file beside this one. A rulebook is named by its digest, which covers
its file, the file that it extends, what it adds to that, and its calendar; cases carry that digest on the ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.canonical import digest_json, to_hex
from marketplace.documents.cases import KINDS
from marketplace.documents.shapes import array, boolean, integer, mapping, matching, one_of, record, refuse, text
from marketplace.errors import InvalidInputError
from marketplace.rulebooks.calendar import Calendar, day_of, end_of, load_calendar, shift_months, start_of
from marketplace.words import Words

UNITS = {"working_days": "个工作日", "days": "日", "months": "个月", "years": "年", "seconds": "秒"}  # and in Chinese
PROCEDURES = ("ordinary", "public_data", "late_objection", "revocation")

_DATE = matching(r"\d{4}-\d{2}-\d{2}", Words("a date such as 2026-07-01", "日期，如 2026-07-01"))
_BILINGUAL = record({"en": text(400), "zh": text(400)})
_PERIOD = record(
    {"amount": integer(0, 10_000), "unit": one_of(UNITS), "source": text(40), "article": text(80, 0)},
)
_BARE = {"kinds": array(one_of(KINDS), len(KINDS), 1), "review": _PERIOD}
_COMMON = {**_BARE, "accept": _PERIOD, "correct": _PERIOD}
_CASE = record(
    {
        **_COMMON,
        "notice_unneeded": array(one_of(KINDS), len(KINDS)),
        **dict.fromkeys(("extension", "supplement", "notice", "objection", "validity"), _PERIOD),
        **{"renewal_opens": _PERIOD, "renewal_closes": _PERIOD},
        **{"renewal_from_previous_end": boolean, "deposit_first": boolean},
    }
)
_FIELD = record(
    {
        **{"longest": integer(1, 10_000), "required": boolean, "en": text(200), "zh": text(200)},
        "choices": array(text(60), 40),
    },
    {"required_in": array(one_of(PROCEDURES), len(PROCEDURES), 1)},
)
_FIELD_NAME = matching("[a-z][A-Za-z]{0,39}", Words("a field name such as dataName", "字段名称，如 dataName"))


def _check_form(value: object, path: str) -> None:
    """A form: from 1 to 60 fields by name."""
    if not isinstance(value, Mapping) or not 1 <= len(value) <= 60:
        raise refuse(path, Words("1 to 60 fields by name", "1 至 60 个具名字段"), value)
    for name, field in value.items():
        _FIELD_NAME(name, path)
        _FIELD(field, f"{path}.{name}")


_SCHEMA = record(
    {
        **{
            "id": matching("[a-z0-9-]{1,40}", Words("a short name", "简短名称")),
            "version": integer(1, 10_000),
            "lawful": boolean,
        },
        **{"effective_from": _DATE, "calendar": text(40, 0), "title": _BILINGUAL, "extends": text(40, 0)},
        "retention_years": record({"value": integer(1, 100), "source": text(40), "article": text(80, 0)}),
        "sources": mapping(record({"title": text(200), "number": text(80, 0), "date": _DATE}), 40),
        **{"ordinary": _CASE, "public_data": _CASE, "late_objection": record(_COMMON)},
        "revocation": record({**_BARE, "hearing": _PERIOD}),
        "code": record(
            {
                **{"prefix": text(4), "region_digits": integer(1, 4), "institution_digits": integer(1, 4)},
                **{"month_digits": integer(6, 6), "serial_digits": integer(1, 8)},
                **{"first": integer(1, 10**8), "last": integer(1, 10**8), "source": text(40), "article": text(80, 0)},
            }
        ),
        "published": record({"fields": array(text(40), 40, 1), "source": text(40), "article": text(80, 0)}),
        "grounds": array(
            record({"code": text(40), "article": text(80), "source": text(40), "en": text(400), "zh": text(400)}), 60, 1
        ),
        "forms": record(dict.fromkeys(KINDS, _check_form)),
    },
    {"exit": record({"registrar": _PERIOD, "exchange": _PERIOD})},
)


@dataclass(frozen=True)
class Period:
    """A time limit.

    Args:
        amount, unit: e.g. 5 working_days.
    """

    amount: int
    unit: str


@dataclass(frozen=True)
class Rulebook:
    """One version of the rules of registration.

    Args:
        content: the merged, checked content of its files.
        calendar: its working days; None where every clock counts seconds.
    """

    content: Mapping[str, Any]
    calendar: Calendar | None
    digest: str

    @property
    def name(self) -> str:
        """E.g. "cn-2026 v1"."""
        return f"{self.content['id']} v{self.content['version']}"

    @property
    def slug(self) -> str:
        """Its name where one version is chosen, e.g. "cn-2026-v1"."""
        return f"{self.content['id']}-v{self.content['version']}"

    @property
    def is_lawful(self) -> bool:
        """Whether it claims to follow the national rules; an evaluation rulebook does not."""
        return bool(self.content["lawful"])

    def has(self, procedure: str, kind: str) -> bool:
        """Whether `procedure` registers `kind`."""
        return kind in self.content[procedure]["kinds"]

    def asked(self, procedure: str, kind: str) -> list[str]:
        """The fields of the form of `kind` that `procedure` requires."""
        form = self.content["forms"][kind]
        return [name for name, field in form.items() if _is_required(field, procedure)]

    def period(self, procedure: str, name: str) -> Period:
        """A time limit, e.g. of "ordinary" "notice"."""
        found = self.content[procedure][name]
        return Period(found["amount"], found["unit"])

    def exit_notice(self, role: str) -> Period:
        """The notice of a "registrar" or an "exchange" that leaves; none before version 2."""
        found = self.content.get("exit", {}).get(role, {"amount": 0, "unit": "days"})
        return Period(found["amount"], found["unit"])

    def end(self, start: int, period: Period) -> int:
        """When a period that begins with an event at `start` ends, unix seconds, itself still inside."""
        if period.unit == "seconds":
            return start + period.amount
        if period.unit == "days":
            return start + period.amount * 86_400
        if period.unit in ("months", "years"):
            return shift_months(start, period.amount * (12 if period.unit == "years" else 1))
        return end_of(self._days.add(day_of(start), period.amount))

    def begin_before(self, end: int, period: Period) -> int:
        """The moment that lies `period` before `end`; for periods of days, months and years."""
        back = Period(-period.amount, period.unit)
        return self.end(end, back)

    def next_start(self, end: int, unit: str) -> int:
        """The beginning of the first working day after a period that ended at `end`."""
        return end + 1 if unit == "seconds" else start_of(self._days.add(day_of(end), 1))

    def shift(self, end: int, paused: int, resumed: int, unit: str) -> int:
        """The end of a period whose clock stood still from `paused` to `resumed`; never earlier than `end`."""
        if unit == "seconds":
            return end + max(resumed - paused, 0)
        standing = self._days.between(day_of(paused), day_of(resumed))
        return end_of(self._days.add(day_of(end), standing)) if standing else end

    def is_provisional(self, moment: int) -> bool:
        """Whether a date lies beyond the State Council's notices, so that holidays could not be counted."""
        return self.calendar is not None and not self.calendar.is_known(day_of(moment))

    @property
    def _days(self) -> Calendar:
        if self.calendar is None:
            raise InvalidInputError(
                "rulebook_without_calendar", "this rulebook counts no working days", zh="无工作日历"
            )
        return self.calendar


def make_rulebook(content: Mapping[str, Any]) -> Rulebook:
    """Check a rulebook's merged content and name it by its digest.

    Raises:
        InvalidInputError: `document_malformed`: a field is missing, unknown or out of range; `rulebook_unsourced`.
    """
    whole = {"extends": "", **content}
    forms = {
        kind: {name: {"choices": [], **field} for name, field in form.items()}
        for kind, form in content["forms"].items()
    }
    whole["forms"] = forms
    _SCHEMA(whole, "rulebook")
    _require_sources(whole)
    calendar = load_calendar(whole["calendar"]) if whole["calendar"] else None
    days = calendar.content if calendar else {}
    return Rulebook(whole, calendar, to_hex(digest_json({"rulebook": whole, "calendar": days})))


def _is_required(field: Mapping[str, Any], procedure: str) -> bool:
    return bool(field["required"]) or procedure in field.get("required_in", ())


def _require_sources(whole: Mapping[str, Any]) -> None:
    """Every number names a source that the file lists."""
    for path, source in _sources(whole, "rulebook"):
        if source not in whole["sources"]:
            raise InvalidInputError(
                "rulebook_unsourced",
                f"{path}: the source {source!r} is not listed",
                zh=f"{path}：来源 {source!r} 未列出",
                expected=sorted(whole["sources"]),
                got=source,
            )


def _sources(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, list):
        return [found for i, item in enumerate(value) for found in _sources(item, f"{path}[{i}]")]
    if not isinstance(value, Mapping):
        return []
    own = [(path, value["source"])] if isinstance(value.get("source"), str) else []
    return own + [found for name, item in value.items() for found in _sources(item, f"{path}.{name}")]
