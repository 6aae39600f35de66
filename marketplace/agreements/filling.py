"""Filling in a form: what each field takes, in words and as JSON, and a form that is still empty."""

from collections.abc import Callable, Mapping
from typing import Any

from marketplace.agreements.forms import WHOLE_BPS, Form
from marketplace.words import Words

_WHOLE = Words(f"{WHOLE_BPS} basis points in all", f"合计 {WHOLE_BPS} 基点")


def outline(form: Form) -> dict[str, Any]:
    """Every field of a form by name, empty, to be filled in.

    No empty value is one that its field takes, a list that may have no items neither (it is None): what nobody filled
    in is refused by its name. Fields with a "when" are there, too, to be removed where they do not apply.
    """
    return {name: _EMPTY.get(declared["kind"], lambda: None)() for name, declared in form.fields.items()}


def takes(declared: Mapping[str, Any]) -> Words:
    """What a field takes, in few words, and when it applies."""
    english, chinese = _TAKES[declared["kind"]](declared)
    conditions = declared.get("when", {}).items()
    if not conditions:
        return Words(english, chinese)
    return Words(
        f"{english} (if {' and '.join(f'{name} is {_either(values)}' for name, values in conditions)})",
        f"{chinese}（仅当 {' 且 '.join(f'{name} 为 {_either(values)}' for name, values in conditions)}）",
    )


def _either(values: list[str]) -> str:
    return "|".join(values)


def _codes(declared: Mapping[str, Any]) -> str:
    return " ".join(choice["value"] for choice in declared["choices"])


def _many(declared: Mapping[str, Any], english: str, chinese: str) -> Words:
    span = f"{declared['min']}..{declared['max']}"
    return Words(f"list of {span} {english}", f"{span} 项{chinese}的列表")


_EMPTY: dict[str, Callable[[], object]] = {
    "bilingual": lambda: {"en": "", "zh": ""},
    "choice": str,
    "split": lambda: {"partyA": None, "partyB": None},
}
"""Kind of field -> what it is while it is empty; of the others, None."""
_TAKES: dict[str, Callable[[Mapping[str, Any]], Words]] = {
    "bilingual": lambda field: Words(
        f"text in both languages, each up to {field['max']}", f"中英文本，各至多 {field['max']} 字"
    ),
    "integer": lambda field: Words(f"integer {field['min']}..{field['max']}", f"整数 {field['min']}..{field['max']}"),
    "money": lambda _: Words("amount in fen", "金额(分)"),
    "bps": lambda _: Words(f"basis points 0..{WHOLE_BPS}", f"基点 0..{WHOLE_BPS}"),
    "choice": lambda field: Words(f"one of {_codes(field)}", f"其一: {_codes(field)}"),
    "choices": lambda field: _many(field, f"of {_codes(field)}", f" {_codes(field)} "),
    "digests": lambda field: _many(field, "ids of data assets", "资产编号"),
    "regions": lambda field: _many(field, "regions, e.g. CN-SH", "地域(如 CN-SH)"),
    "plan": lambda _: Words("price plan, as of a listing", "价格方案，同挂牌"),
    "metrics": lambda field: _many(
        field, f'{{"metric", "limit"}}, of {_codes(field)}', f' {{"metric", "limit"}}（{_codes(field)}）'
    ),
    "instalments": lambda field: _many(
        field,
        f'{{"due", "bps"}}, {_WHOLE.en}, of {_codes(field)}',
        f' {{"due", "bps"}}（{_WHOLE.zh}；{_codes(field)}）',
    ),
    "split": lambda _: Words(f'{{"partyA", "partyB"}}, {_WHOLE.en}', f'{{"partyA", "partyB"}}，{_WHOLE.zh}'),
}
"""Kind of field -> what it takes."""
