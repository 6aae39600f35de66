"""Agreements on model forms, filled in for tests."""

from typing import Any

from marketplace.agreements.forms import get_form
from marketplace.documents import Document
from marketplace.documents.plans import flat_plan

PARTY_A, PARTY_B = "0x" + "a1" * 20, "0x" + "b2" * 20
FORMS = ("GF-2025-2615", "GF-2025-2616", "GF-2025-2617", "GF-2025-2618")
_INSTALMENTS = [
    {"due": "SIGNING", "bps": 3_334},
    {"due": "DELIVERY", "bps": 3_333},
    {"due": "ACCEPTANCE", "bps": 3_333},
]


def filled_in(form: str, **changes: Any) -> dict[str, Any]:
    """A value that fits for every field of a form that applies; the first choice of every choice."""
    values: dict[str, Any] = {}
    for name, declared in get_form(form).fields.items():
        values[name] = changes.get(name, _value(name, declared))
        if any(values[other] not in accepted for other, accepted in declared.get("when", {}).items()):
            del values[name]
    return values


def agreement_on(form: str = "GF-2025-2615", *, amends: str | None = None, **changes: Any) -> Document:
    """A valid agreement; `changes` are fields of the document, or, under "fields", of the form."""
    found = get_form(form)
    return {
        "type": "form_agreement",
        "version": 1,
        "form": form,
        "formVersion": found.content["version"],
        "formDigest": found.digest,
        "partyA": PARTY_A,
        "partyB": PARTY_B,
        "amends": amends,
        "validUntil": "2030-01-31T08:00:00Z",
        "fields": filled_in(form, **changes.pop("fields", {})),
        "nonce": "0x" + "07" * 32,
        **changes,
    }


def _value(name: str, declared: dict[str, Any] | Any) -> Any:
    kind = declared["kind"]
    if kind == "choices":
        return [choice["value"] for choice in declared["choices"][: declared["max"]]]
    if kind == "choice":
        return declared["choices"][0]["value"]
    if kind == "metrics":
        return [{"metric": choice["value"], "limit": 995_000} for choice in declared["choices"]]
    simple: dict[str, Any] = {
        "bilingual": {"en": f"<{name}>", "zh": f"{name} 之内容"},
        "integer": declared.get("min", 0) + 1,
        "money": 1_234_567,
        "bps": 125,
        "digests": ["0x" + "da" * 32],
        "regions": ["CN-SH"],
        "plan": flat_plan(250),
        "instalments": _INSTALMENTS,
        "split": {"partyA": 6_000, "partyB": 4_000},
    }
    return simple[kind]
