"""What a question would cost and how exact its answer would be, from public documents alone; nothing is asked of
anybody's data, and no order is needed.

What nobody can tell beforehand is whether the vault will find too few rows behind a group, or behind its difference to
an earlier answer: only the vault has true counts. An explanation says what minimum it will apply.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.documents import Document, money_of, row_count
from marketplace.errors import MarketplaceError, RuleError
from marketplace.queries.answers.accuracy import deviations
from marketplace.queries.answers.expectation import ASSUMPTION, expected_errors
from marketplace.queries.language.query import Query
from marketplace.queries.language.sql import parse_sql
from marketplace.queries.permission.papers import OrderPapers, SignedIntent
from marketplace.queries.permission.use import check_permitted
from marketplace.queries.planning.forms import Survey, survey
from marketplace.queries.planning.noise import sensitivities, share_of_epsilon
from marketplace.queries.planning.numbers import Plan
from marketplace.queries.planning.plan import make_plan
from marketplace.words import Words

NOBODY = "0x" + "00" * 32


@dataclass(frozen=True)
class Question:
    """A question that is not bound to an order yet.

    Args:
        sql: its text; empty where `query` is given.
        query: "select", "where" and "groupBy" of a query document; None where `sql` is given.
        epsilon: millionths to spend on it.
    """

    sql: str
    query: Mapping[str, Any] | None
    epsilon: int


def document_of(question: Question, order: str, asset: str, root: str, manifest: Document) -> Document:
    """The question as a document of `order`, NOBODY if there is none yet.

    Raises:
        InvalidInputError: outside the algebra, or a name that the data set does not have.
    """
    if question.query is None:
        typed = parse_sql(question.sql, manifest)
        return typed.document(
            order=order, asset=asset, ciphertext_root=root, epsilon=question.epsilon, recipient=NOBODY, sequence=1
        )
    frame = {"type": "query", "version": 1, "order": order, "asset": asset, "ciphertextRoot": root}
    frame |= {"epsilon": question.epsilon, "recipient": NOBODY, "sequence": 1}
    document = {**dict(question.query), **frame}
    Query.from_document(document)
    return document


def plan_or_refusal(manifest: Document, document: Document) -> tuple[Plan | None, list[dict[str, Any]]]:
    """The plan of a question, or why there is none.

    Raises:
        InvalidInputError: a name that the data set does not have.
    """
    try:
        return make_plan(manifest, document), []
    except RuleError as error:
        return None, [error.as_dict()]


def explanation(
    plan: Plan | None, document: Document, manifest: Document, papers: OrderPapers, now: int
) -> dict[str, Any]:
    """A question in plain values: what would be released, its price and currency, epsilon (millionths), noise and
    errors, and what speaks against it.

    Args:
        plan: None where there is none; then only price, epsilon and refusals can be told.
    """
    terms = papers.terms
    minimum = max(terms["minimumCohort"], manifest["minimumCohort"])
    refusals = refusals_of(
        lambda: check_permitted(papers, document, manifest, now), lambda: _check_rows(manifest, minimum)
    )
    facts = {
        "query": {name: document[name] for name in ("select", "where", "groupBy")},
        "price": terms["price"],
        "currency": money_of(terms).code,
        "epsilon": document["epsilon"],
        "minimumCohort": minimum,
        "refusals": refusals,
    }
    nothing: dict[str, Any] = {"plan": None, "numbers": 0, "groups": [], "columns": [], "noise": {}}
    return {**facts, **(nothing if plan is None else {"plan": plan.digest, **described(manifest, document, plan)})}


def described(manifest: Document, document: Document, plan: Plan) -> dict[str, Any]:
    """What follows from a plan alone. Deviations and errors are decimal text.

    `privacy` says in which measure the budget counts, `epsilonEach` what each statistic (or family of bins) gets of it;
    `noise` is the standard deviation of the noise on each number of a column, in the column's own integer unit; a
    custodian's noise is in it. `expected` are the standard errors of the answer's values, in their own units.
    """
    noise = deviations(manifest, plan)
    moved = sensitivities(manifest, plan.numbers, plan.statistics)
    statistics = [
        {"name": item.name, "parts": [list(part) for part in item.parts], "sensitivity": moved[item.name]}
        for item in plan.statistics
    ]
    errors = [
        {"computation": item.computation, "part": item.part, "error": _text(item.error), "exact": item.exact}
        for item in expected_errors(manifest, Query.from_document(document), plan)
    ]
    return {
        "numbers": len(plan.numbers),
        "groups": [list(group) for group in plan.groups],
        "columns": list(plan.names),
        "statistics": statistics,
        "privacy": dict(manifest["privacy"]),
        "epsilonEach": share_of_epsilon(plan.statistics, plan.epsilon),
        "noise": {name: _text(deviation) for name, deviation in noise.items()},
        "expected": errors,
        "assumed": ASSUMPTION,
        **_work(manifest, plan),
    }


def _work(manifest: Document, plan: Plan) -> dict[str, Any]:
    forms = survey(manifest, plan.numbers, plan.statistics, plan.epsilon)
    return {"form": manifest["forms"][plan.form]["form"], "forms": [_form(manifest, item) for item in forms]}


def _form(manifest: Document, item: Survey) -> dict[str, Any]:
    """One form: what answering in it takes, or why it cannot."""
    named = {name: manifest["forms"][item.form].get(name) for name in ("form", "profile", "prefix")}
    if item.refusal is not None:
        return {**named, "able": False, "reason": item.refusal.as_dict()}
    assert item.cost is not None
    cost = {"cells": item.cost.cells, "operations": item.cost.operations, "bytes": item.cost.fetched}
    return {**named, "able": True, **cost, "microseconds": item.cost.microseconds}


def _check_rows(manifest: Document, minimum: int) -> None:
    rows = row_count(manifest)
    if rows < minimum:
        raise RuleError(
            "cohort_too_small",
            f"the data set has {rows} rows; every number rests on at least {minimum}",
            zh=f"数据集共 {rows} 行,每个数值至少须涉及 {minimum} 行",
            rule="queries.minimum_cohort",
            expected=Words(f"at least {minimum} rows", f"至少 {minimum} 行"),
            got=rows,
            hint="choose a data set with more rows, or a listing with a smaller minimum cohort",
            hint_zh="请选择行数更多的数据集，或最小群体更低的挂牌",
        )


def refusals_of(*checks: Callable[[], None]) -> list[dict[str, Any]]:
    """What each check that fails would say."""
    found = []
    for check in checks:
        try:
            check()
        except MarketplaceError as error:
            found.append(error.as_dict())
    return found


def nobodys_papers(listing: Mapping[str, Any], terms: Document) -> OrderPapers:
    """Papers of an order that would accept the terms as they are, for whoever only looks.

    Args:
        listing: the ledger's row of the listing, by its JSON names.
    """
    unsigned = b""
    agreement = {"purpose": terms["purposes"][0], "region": next(iter(terms["regions"]), "")}
    fund = {"orderId": NOBODY, "validUntil": listing["validUntil"]}
    return OrderPapers(SignedIntent(listing, unsigned), SignedIntent(fund, unsigned), terms, agreement)


def _text(value: float | None) -> str | None:
    return None if value is None else f"{value:.6g}"
