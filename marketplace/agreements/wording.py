"""An agreement as people read it: the form's clauses with the fields in place, in Chinese and English. Pure; HTML and
PDF (marketplace.agreements.html, .printing) lay the same paper out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.agreements.forms import Form, applies, form_of
from marketplace.documents import Document, digest
from marketplace.documents.ids import agreement_id
from marketplace.pricing.words import plan_words
from marketplace.quantities import money

Bilingual = tuple[str, str]  # Chinese, English
NONE: Bilingual = ("无", "none")
_UNITS: dict[str, Callable[[int], Bilingual]] = {
    "MILLIONTHS": lambda limit: (f"{_percent(limit, 10_000)} %", f"{_percent(limit, 10_000)} %"),
    "SECONDS": lambda limit: (f"{limit:,} 秒", f"{limit:,} s"),
    "MILLISECONDS": lambda limit: (f"{limit:,} 毫秒", f"{limit:,} ms"),
    "MONTHS": lambda limit: (f"{limit:,} 个月", f"{limit:,} months"),
}
_DIRECTIONS = {"AT_MOST": ("不高于", "at most"), "AT_LEAST": ("不低于", "at least")}


@dataclass(frozen=True)
class Article:
    """One article: its number, title, and clauses."""

    number: int
    title: Bilingual
    clauses: tuple[Bilingual, ...]


@dataclass(frozen=True)
class Paper:
    """Everything that a printed agreement says.

    Args:
        title, note: the form's title, and where it comes from.
        digest: of the agreement: what both sides sign, printed on every page.
        agreement_id: its id on the ledger. amends: id of the version before it, or None.
        form: form and version. form_digest: digest of the form's text.
        parties: label and address of both sides.
        articles: the text. annex: the quality annex, (metric, limit); empty where there is none.
    """

    title: Bilingual
    note: Bilingual
    digest: str
    agreement_id: str
    amends: str | None
    form: str
    form_digest: str
    parties: tuple[tuple[Bilingual, str], ...]
    articles: tuple[Article, ...]
    annex: tuple[tuple[Bilingual, Bilingual], ...]


def write_out(agreement: Document) -> Paper:
    """The paper of a valid agreement on a form.

    Raises:
        NotFoundError: `form_unknown`. VerificationError: `form_differs`.
    """
    form, name = form_of(agreement), digest(agreement)
    words = _all_words(form, agreement)
    content = form.content
    return Paper(
        title=_two(content["title"]),
        note=_two(content["source"]),
        digest=name,
        agreement_id=agreement_id(agreement["partyA"], agreement["partyB"], name),
        amends=agreement["amends"],
        form=f"{content['form']} · {content['version']}",
        form_digest=form.digest,
        parties=tuple((_two(content[side]), agreement[side]) for side in ("partyA", "partyB")),
        articles=tuple(_article(number, item, words, agreement) for number, item in enumerate(content["articles"], 1)),
        annex=_annex(form, agreement["fields"]),
    )


def _article(number: int, item: Mapping[str, Any], words: Mapping[str, Bilingual], agreement: Document) -> Article:
    fitting = [clause for clause in item["clauses"] if applies(clause, agreement["fields"])]
    chinese = {name: pair[0] for name, pair in words.items()}
    english = {name: pair[1] for name, pair in words.items()}
    # Every clause is the form's own; what the parties wrote is only ever put in for a name, never read as a pattern.
    clauses = tuple((clause["zh"].format_map(chinese), clause["en"].format_map(english)) for clause in fitting)
    return Article(number, _two(item["title"]), clauses)


def _all_words(form: Form, agreement: Document) -> dict[str, Bilingual]:
    end = agreement["validUntil"].replace("T", " ").replace("Z", " UTC")
    words = {name: field_words(form.fields[name], value) for name, value in agreement["fields"].items()}
    return words | {"valid_until": (end, end)}


def field_words(declared: Mapping[str, Any], value: Any) -> Bilingual:
    """A field's value in Chinese and English."""
    return _WORDS[declared["kind"]](declared, value)


def _choices(declared: Mapping[str, Any], values: list[str]) -> Bilingual:
    if not values:
        return NONE
    known = {choice["value"]: _two(choice) for choice in declared["choices"]}
    return "、".join(known[value][0] for value in values), ", ".join(known[value][1] for value in values)


def _list(values: list[str], empty: Bilingual) -> Bilingual:
    return ("、".join(values), ", ".join(values)) if values else empty


def _instalments(declared: Mapping[str, Any], value: list[Mapping[str, Any]]) -> Bilingual:
    known = {choice["value"]: _two(choice) for choice in declared["choices"]}
    return (
        "；".join(f"{known[item['due']][0]} {_percent(item['bps'], 100)} %" for item in value),
        "; ".join(f"{known[item['due']][1]} {_percent(item['bps'], 100)} %" for item in value),
    )


def _annex(form: Form, values: Mapping[str, Any]) -> tuple[tuple[Bilingual, Bilingual], ...]:
    lines = []
    for name, declared in form.fields.items():
        if declared["kind"] == "metrics":
            known = {choice["value"]: choice for choice in declared["choices"]}
            lines += [_metric(known[item["metric"]], item["limit"]) for item in values[name]]
    return tuple(lines)


def _metric(choice: Mapping[str, Any], limit: int) -> tuple[Bilingual, Bilingual]:
    direction, amount = _DIRECTIONS[choice["direction"]], _UNITS[choice["unit"]](limit)
    return _two(choice), (f"{direction[0]} {amount[0]}", f"{direction[1]} {amount[1]}")


def _two(item: Mapping[str, Any]) -> Bilingual:
    return item["zh"], item["en"]


def _percent(value: int, unit: int) -> str:
    """`value` in units of 1/`unit` percent, without superfluous zeros."""
    whole, rest = divmod(value, unit)
    return f"{whole}.{rest:0{len(str(unit)) - 1}d}".rstrip("0").rstrip(".")


def _same(words: str) -> Bilingual:
    return words, words


_WORDS: dict[str, Callable[[Mapping[str, Any], Any], Bilingual]] = {
    "bilingual": lambda _, value: _two(value),
    "integer": lambda _, value: _same(f"{value:,}"),
    "money": lambda _, value: (f"{money(value)} 元", f"{money(value)} yuan"),
    "bps": lambda _, value: _same(f"{_percent(value, 100)} %"),
    "choice": lambda declared, value: _choices(declared, [value]),
    "choices": _choices,
    "digests": lambda _, value: _list(value, NONE),
    "regions": lambda _, value: _list(value, ("不限", "anywhere")),
    "plan": lambda _, value: (plan_words(value)[1], plan_words(value)[0]),
    "metrics": lambda _, value: (f"见附件（{len(value)} 项）", f"see the annex ({len(value)})"),
    "instalments": _instalments,
    "split": lambda _, value: _same(" : ".join(f"{_percent(value[side], 100)} %" for side in ("partyA", "partyB"))),
}
