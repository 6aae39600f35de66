"""The model forms: data files that declare fields and clauses; an agreement fills one in and names it by its digest.

A file is never changed once it was released: another wording is another version. So a signed agreement, which holds
form, version and the form's digest, gives the same text for ever.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from marketplace.documents import Document, digest, validate_form_agreement
from marketplace.documents.common import MONEY, REGION, itself
from marketplace.documents.plans import plan_shape
from marketplace.documents.shapes import DIGEST, Check, array, integer, one_of, record, refuse, text
from marketplace.errors import NotFoundError, VerificationError
from marketplace.words import Words

WHOLE_BPS = 10_000
_FOLDER = Path(__file__).parent / "model_forms"


@dataclass(frozen=True)
class Form:
    """One version of a model form.

    Args:
        content: the file's content.
        digest: its digest, which agreements carry.
    """

    content: Mapping[str, Any]
    digest: str

    @property
    def fields(self) -> Mapping[str, Mapping[str, Any]]:
        """Declared fields by name, in the file's order."""
        return {item["name"]: item for item in self.content["fields"]}

    @property
    def covers_orders(self) -> bool:
        """Whether orders may be made under an agreement on this form."""
        return bool(self.content["coversOrders"])


@cache
def all_forms() -> tuple[Form, ...]:
    """Every version of every form, sorted by name and version."""
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(_FOLDER.glob("*.json"))]
    return tuple(Form(content, digest(content)) for content in contents)


def get_form(name: str, version: str | None = None) -> Form:
    """A form by name, e.g. "GF-2025-2615".

    Args:
        version: e.g. "2025.1"; the newest when None.
    Raises:
        NotFoundError: `form_unknown`.
    """
    fitting = [
        form for form in all_forms() if form.content["form"] == name and version in (None, form.content["version"])
    ]
    if not fitting:
        known = ", ".join(f"{form.content['form']} {form.content['version']}" for form in all_forms())
        raise NotFoundError(
            "form_unknown",
            f"there is no form {name} {version or ''}".rstrip(),
            zh=f"没有合同示范文本 {name} {version or ''}".rstrip(),
            rule="agreements.form_is_known",
            expected=known,
            got=f"{name} {version or ''}".rstrip(),
            hint="see what there is: marketplace agreements forms",
            hint_zh="可用文本见 marketplace agreements forms",
        )
    return fitting[-1]


def form_of(agreement: Mapping[str, Any]) -> Form:
    """The form that an agreement fills in.

    Raises:
        NotFoundError: `form_unknown`.
        VerificationError: `form_differs`: the form with that name and version has another digest.
    """
    form = get_form(agreement["form"], agreement["formVersion"])
    if form.digest != agreement["formDigest"]:
        raise VerificationError(
            "form_differs",
            f"the agreement names another text of {agreement['form']} {agreement['formVersion']} than this one",
            zh="协议所载示范文本摘要与本版本不符",
            rule="agreements.form_by_digest",
            expected=form.digest,
            got=agreement["formDigest"],
            hint="fill in the form that this release carries",
            hint_zh="请使用本版本所附的示范文本",
        )
    return form


def validate_agreement_on_form(value: object) -> Document:
    """An agreement on a form: its shape, and every field as its form declares it.

    Raises:
        InvalidInputError: `malformed_document`, with the path of the fault, what was expected and what came.
        NotFoundError: `form_unknown`. VerificationError: `form_differs`.
    """
    agreement = validate_form_agreement(value)
    form = form_of(agreement)
    check_fields(form, agreement["fields"])
    return agreement


def check_fields(form: Form, values: Mapping[str, Any]) -> None:
    """Every declared field that applies is there and fits; nothing else is.

    Raises:
        InvalidInputError: `malformed_document`, naming the first field that does not fit.
    """
    for name in values:
        if name not in form.fields:
            raise refuse(
                f"fields.{name}",
                Words(
                    "no field besides those of the form: " + ", ".join(form.fields),
                    "仅限示范文本所列字段：" + "、".join(form.fields),
                ),
                name,
            )
    for name, declared in form.fields.items():
        if not applies(declared, values):
            if name in values:
                raise refuse(f"fields.{name}", _nothing_unless(declared), values[name])
        elif name not in values:
            raise refuse(f"fields.{name}", _labelled(declared), None)
        else:
            _KINDS[declared["kind"]](declared)(values[name], f"fields.{name}")


def applies(item: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether a field or clause with this "when" has a place, given the fields' values."""
    return all(values.get(name) in accepted for name, accepted in item.get("when", {}).items())


def _nothing_unless(declared: Mapping[str, Any]) -> Words:
    conditions = declared["when"].items()
    return Words(
        "nothing, unless " + " and ".join(f"{name} is {' or '.join(values)}" for name, values in conditions),
        "不填，除非" + "且".join(f" {name} 为 {' 或 '.join(values)} " for name, values in conditions),
    )


def _labelled(declared: Mapping[str, Any]) -> Words:
    label, kind = declared["label"], declared["kind"]
    return Words(f"{label['en']} ({kind})", f"{label['zh']}（{kind}）")


def _values(declared: Mapping[str, Any]) -> list[object]:
    return [choice["value"] for choice in declared["choices"]]


def _metric(declared: Mapping[str, Any]) -> Check:
    return record({"metric": one_of(_values(declared)), "limit": integer(0, 10**9)})


def _first(name: str) -> Callable[[object], object]:
    return lambda item: item[name] if isinstance(item, dict) else item


def _instalments(declared: Mapping[str, Any]) -> Check:
    shape = array(
        record({"due": one_of(_values(declared)), "bps": integer(1, WHOLE_BPS)}),
        declared["max"],
        declared["min"],
        _first("due"),
    )

    def check(value: object, path: str) -> None:
        shape(value, path)
        _sum_to_whole([item["bps"] for item in value] if isinstance(value, list) else [], path)

    return check


def _split(_: Mapping[str, Any]) -> Check:
    shape = record({"partyA": integer(0, WHOLE_BPS), "partyB": integer(0, WHOLE_BPS)})

    def check(value: object, path: str) -> None:
        shape(value, path)
        _sum_to_whole(list(value.values()) if isinstance(value, dict) else [], path)

    return check


def _sum_to_whole(parts: list[int], path: str) -> None:
    if sum(parts) != WHOLE_BPS:
        raise refuse(
            path, Words(f"parts that sum to {WHOLE_BPS} basis points", f"合计 {WHOLE_BPS} 基点的份额"), sum(parts)
        )


_KINDS: dict[str, Callable[[Mapping[str, Any]], Check]] = {
    "bilingual": lambda field: record({"en": text(field["max"]), "zh": text(field["max"])}),
    "integer": lambda field: integer(field["min"], field["max"]),
    "money": lambda _: MONEY,
    "bps": lambda _: integer(0, WHOLE_BPS),
    "choice": lambda field: one_of(_values(field)),
    "choices": lambda field: array(one_of(_values(field)), field["max"], field["min"], itself),
    "digests": lambda field: array(DIGEST, field["max"], field["min"], itself),
    "regions": lambda field: array(REGION, field["max"], field["min"], itself),
    "plan": lambda _: plan_shape,
    "metrics": lambda field: array(_metric(field), field["max"], field["min"], _first("metric")),
    "instalments": _instalments,
    "split": _split,
}
