"""What an analyst looks at, as pandas frames: offers, schema, budget, history, and what an explanation says.

Money and budgets are text, exact as people write them; noise and errors are floats.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from marketplace.currencies import CNY
from marketplace.documents import missing_counts, money_of, row_count
from marketplace.quantities import epsilon, money
from marketplace.queries.language.query import Query
from marketplace.queries.language.terms import shown
from marketplace.sdk.home.journal import Step
from marketplace.sdk.listings import Offer
from marketplace.sdk.queries import Explanation

OFFERS = ["listing", "title", "标题", "rows", "computations", "purposes", "regions", "price (yuan)", "status"]
SCHEMA = ["name", "kind", "unit", "low", "high", "categories", "missing"]
HISTORY = ["call", "computations", "status", "epsilon", "yuan so far", "refused because"]
REFUSALS = ["code", "message", "zh", "rule"]


def offers(found: Iterable[Offer]) -> pd.DataFrame:
    """One row a listing: id, title in both languages, rows, computations, purposes, regions, price, standing."""
    return pd.DataFrame([_offer(offer) for offer in found], columns=OFFERS)


def schema(manifest: Mapping[str, Any]) -> pd.DataFrame:
    """One row a dimension and a measure, by name, with bounds in the measure's unit."""
    missing = missing_counts(manifest)
    dimensions = [_dimension(item) for item in manifest["dimensions"]]
    measures = [_measure(item, missing[item["name"]]) for item in manifest["measures"]]
    frame = pd.DataFrame([*dimensions, *measures], columns=SCHEMA).set_index("name")
    return frame.astype({"categories": "Int64", "missing": "Int64"})


def budget(lines: Iterable[tuple[str, int, int]], privacy: Mapping[str, str]) -> pd.DataFrame:
    """One row an account of the privacy budget: (whose, the whole, what is left), both in millionths."""
    rows = [
        {"whose": whose, "budget": epsilon(whole), "spent": epsilon(whole - left), "left": epsilon(left)}
        for whose, whole, left in lines
    ]
    return pd.DataFrame(rows).assign(measure=privacy["measure"]).set_index("whose")


def history(steps: Iterable[Step], currency: str = CNY.code) -> pd.DataFrame:
    """One row a call: what was asked, what became of it and why; where released, its budget and the voucher's total."""
    found = pd.DataFrame([_step(step, currency) for step in steps], columns=HISTORY)
    return found.rename(columns=lambda name: _headed(name, currency)).set_index("call").fillna("")


def costs(found: Explanation) -> pd.Series:
    """What a question would cost, by name."""
    details = found.details
    taken: Mapping[str, Any] = next((form for form in details.get("forms", ()) if form["form"] == details["form"]), {})
    facts: dict[str, Any] = {_headed("price (yuan)", found.currency): money(found.price, found.currency)}
    facts |= {"epsilon": epsilon(found.charge)}
    facts |= {"left": epsilon(found.left), "numbers": details.get("numbers", 0)}
    facts |= {"rows behind each, at least": found.minimum_cohort, "form": details.get("form", "")}
    facts |= {"sealed values": taken.get("cells", 0), "bytes": taken.get("bytes", 0)}
    return pd.Series(facts, name="cost", dtype=object)


def noise(details: Mapping[str, Any]) -> pd.DataFrame:
    """One row a released number: by how much one row of data can move it, and the noise's standard deviation."""
    rows = [
        {"number": item["name"], "sensitivity": item["sensitivity"], "noise": float(details["noise"][item["name"]])}
        for item in details.get("statistics", ())
    ]
    return pd.DataFrame(rows, columns=["number", "sensitivity", "noise"]).set_index("number")


def errors(details: Mapping[str, Any]) -> pd.DataFrame:
    """One row a value of the answer: its expected standard error, and whether that is known or assumed."""
    rows = [
        {"computation": item["computation"], "of": item["part"], "error": float(item["error"]), "exact": item["exact"]}
        for item in details.get("expected", ())
    ]
    return pd.DataFrame(rows, columns=["computation", "of", "error", "exact"]).set_index("computation")


def refusals(found: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a reason against a question; no row where there is none."""
    return pd.DataFrame([{name: item.get(name) for name in REFUSALS} for item in found], columns=REFUSALS)


def _offer(offer: Offer) -> dict[str, Any]:
    terms = offer.terms
    row = {"listing": offer.listing["listingId"], "title": terms["title"]["en"], "标题": terms["title"]["zh"]}
    row |= {"rows": row_count(offer.manifest), "computations": ", ".join(terms["computations"])}
    row |= {"purposes": ", ".join(terms["purposes"]), "regions": ", ".join(terms["regions"]) or "any"}
    return {**row, "price (yuan)": _priced(terms), "status": offer.listing["status"]}


def _priced(terms: Mapping[str, Any]) -> str:
    """The price, with its currency where that is not the yuan of the heading."""
    found = money_of(dict(terms))
    return money(terms["price"], found.code) + ("" if found is CNY else f" {found.code}")


def _headed(name: str, currency: str) -> str:
    return name if currency == CNY.code else name.replace("yuan", currency)


def _dimension(item: Mapping[str, Any]) -> dict[str, Any]:
    words = [word for word, is_so in (("ordered", item["ordered"]), ("hidden", item["hidden"])) if is_so]
    return {"name": item["name"], "kind": " ".join([*words, "dimension"]), "categories": len(item["categories"])}


def _measure(item: Mapping[str, Any], missing: int) -> dict[str, Any]:
    bounds = {name: shown(item[name], item["scale"]) for name in ("low", "high")}
    return {"name": item["name"], "kind": "measure", "unit": item["unit"], **bounds, "missing": missing}


def _step(step: Step, currency: str) -> dict[str, Any]:
    outcome = step.outcome or {}
    asked = ", ".join(term.label for term in Query.from_document(step.query).terms)
    row = {"call": step.sequence, "computations": asked, "status": step.status}
    if step.status == "released":
        row |= {"epsilon": epsilon(outcome["epsilon"]), "yuan so far": money(step.voucher["amount"], currency)}
    return {**row, "refused because": outcome.get("code") if step.status == "refused" else None}
