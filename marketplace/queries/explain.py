"""What a question would cost and how exact its answer would be, from public documents alone; nothing is asked of
anybody's data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.documents import Document
from marketplace.errors import MarketplaceError
from marketplace.queries.accuracy import deviations
from marketplace.queries.permission import OrderPapers, SignedIntent, check_permitted
from marketplace.queries.plan import Plan, make_plan
from marketplace.queries.query import Query
from marketplace.queries.sql import parse_sql

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


def plan_of(question: Question, order: str, asset: str, root: str, manifest: Document) -> tuple[Plan, Document]:
    """The plan of a question, and the question as a document of `order`, NOBODY if there is none yet.

    Raises:
        InvalidInputError: outside the algebra, or a name that the data set does not have.
        RuleError: nothing or too much would be released.
    """
    frame = {"type": "query", "version": 1, "order": order, "asset": asset, "ciphertextRoot": root}
    frame |= {"epsilon": question.epsilon, "recipient": NOBODY, "sequence": 1}
    if question.query is None:
        typed = parse_sql(question.sql, manifest)
        document = typed.document(
            order=order, asset=asset, ciphertext_root=root, epsilon=question.epsilon, recipient=NOBODY, sequence=1
        )
    else:
        document = {**dict(question.query), **frame}
        Query.from_document(document)
    return make_plan(manifest, document), document


def explanation(plan: Plan, document: Document, manifest: Document, papers: OrderPapers, now: int) -> dict[str, Any]:
    """A plan in plain values: what would be released, its price (fen), epsilon (millionths), noise, and what speaks
    against it.

    The noise of a column is its standard deviation in the column's own integer unit, as decimal text; the standard
    error of a COUNT or SUM is that of its column, that of a MEAN or VARIANCE follows from the answer.
    """
    terms = papers.terms
    return {
        "plan": plan.digest,
        "query": {name: document[name] for name in ("select", "where", "groupBy")},
        "numbers": len(plan.numbers),
        "groups": [list(group) for group in plan.groups],
        "columns": list(plan.names),
        "price": terms["price"],
        "epsilon": plan.epsilon,
        "minimumCohort": max(terms["minimumCohort"], manifest["minimumCohort"]),
        "noise": {column: f"{deviation:.6g}" for column, deviation in deviations(manifest, plan).items()},
        "refusals": refusals_of(lambda: check_permitted(papers, document, manifest, now)),
    }


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
