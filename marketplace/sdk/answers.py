"""What a buyer gets: an answer that was checked step by step, or a refusal that the vault signed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from marketplace import documents
from marketplace.currencies import CNY
from marketplace.documents import Document, money_of
from marketplace.errors import MarketplaceError, RuleError
from marketplace.pricing import tariff_of
from marketplace.queries.answers.answer import Answer as Opened
from marketplace.queries.answers.answer import Papers, assemble
from marketplace.queries.answers.presentation import is_one_value
from marketplace.queries.language.terms import Term
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.protocol.panels import DISAGREED, FAILURES
from marketplace.queries.protocol.statements import check_refusal as check_signature
from marketplace.queries.protocol.statements import check_release
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.sdk.home.journal import Step
from marketplace.sdk.orders import Deal

if TYPE_CHECKING:  # half a second of every command's start, for what few of them give
    import pandas as pd

_CUSTODIAN = ("shares", "release")


@dataclass(frozen=True)
class Answer:
    """An answer and what it cost.

    Args:
        opened: groups, values, standard errors, released integers.
        price: minor units of `currency`, the order's (ISO 4217 code).
        left_order: epsilon left to the order, millionths.
        left_buyer: left to the buyer, or its group, over all orders, millionths; None where the terms set no cap.
        left_asset: epsilon left to the data set over all buyers, millionths.
        privacy: the unit of all these, as the manifest declares it.
        query: digest of the query document.
        plan: digest of the question; asking it again costs no epsilon.
    """

    opened: Opened
    price: int
    left_order: int
    left_buyer: int | None
    left_asset: int
    privacy: Mapping[str, str]
    query: str
    plan: str
    currency: str = CNY.code

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the group-by dimensions."""
        return self.opened.query.groups

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the computed columns: of what comes to one value in each group."""
        query = self.opened.query
        return tuple(query.heading(term) for term in query.terms if is_one_value(term))

    def rows(self) -> list[dict[str, Any]]:
        """One dict a released group: its categories, each value, and its standard error under "<name> ±"."""
        return [
            {f"{name[:-3]} ±" if name[-3:] == "_se" and name[:-3] in self.terms else name: row[name] for name in row}
            for row in self.opened.rows()
        ]

    def table(self) -> pa.Table:
        """One row a released group, as Arrow: its categories, each value, and its standard error under "<name>_se"."""
        return self.opened.table()

    def frame(self) -> "pd.DataFrame":
        """As `table`, for pandas."""
        return self.opened.frame()

    def listings(self) -> dict[str, list[dict[str, Any]]]:
        """Histograms, regressions and contingency tables, each by its name as a list of dicts."""
        return self.opened.listings()

    def tables(self) -> dict[str, pa.Table]:
        """As `listings`, as Arrow."""
        return self.opened.tables()

    def frames(self) -> "dict[str, pd.DataFrame]":
        """As `listings`, for pandas."""
        return self.opened.frames()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, also what the journal keeps; standard errors under "<name>_se"."""
        opened = self.opened
        cost: dict[str, Any] = {"price": self.price, "currency": self.currency}
        cost |= {"epsilon": opened.epsilon, "spentOrder": opened.spent_order}
        left = {"leftOrder": self.left_order, "leftBuyer": self.left_buyer, "leftAsset": self.left_asset}
        left |= {"spentBuyer": opened.spent_buyer, "spentAsset": opened.spent_asset}
        names = {"query": self.query, "plan": self.plan, "groupBy": list(self.groups), "terms": list(self.terms)}
        suppressed = [list(group) for group in opened.suppressed]
        numbers = [dict(numbers) for numbers in opened.numbers]
        return {
            **names,
            "rows": opened.rows(),
            "tables": opened.listings(),
            "suppressed": suppressed,
            **cost,
            **left,
            "privacy": dict(self.privacy),
            "numbers": numbers,
        }


def open_answer(client: Client, deal: Deal, step: Step, status: Mapping[str, Any], names: Mapping[Term, str]) -> Answer:
    """Fetch every document of a released query by its digest, check them all, and put the answer together.

    Args:
        names: headings of computations that the asker chose.

    Raises:
        VerificationError: the first check that fails.
    """
    names_of = {name: status[name] for name in ("result", "attestation", "shares", "release")}
    if status.get("custodianRelease"):
        names_of |= {f"custodian_{name}": status[f"custodian{name.title()}"] for name in _CUSTODIAN}
    sent = status.get("documents") or {}
    found = {name: client.take_document(digest, sent) for name, digest in names_of.items()}
    papers = Papers(manifest=deal.offer.manifest, terms=deal.offer.terms, query=step.query, **found)
    opened = assemble(papers, client.keys.x25519, client.deployment).named(names)
    plan = make_plan(deal.offer.manifest, step.query)
    left_order = deal.order["epsilonCap"] - opened.spent_order
    cap = deal.offer.terms["buyerCap"]
    return Answer(
        opened,
        tariff_of(deal.terms, deal.agreement).step(step.voucher["calls"]),
        left_order=left_order,
        left_buyer=None if cap is None else cap - opened.spent_buyer,
        left_asset=deal.offer.asset["epsilonBudget"] - opened.spent_asset,
        privacy=deal.offer.manifest["privacy"],
        query=step.query_digest,
        plan=plan.digest,
        currency=money_of(deal.offer.terms).code,
    )


def check_refusal(client: Client, deal: Deal, step: Step, status: Mapping[str, Any]) -> MarketplaceError:
    """The rule error of a refused query, after checking that the vault itself refused it, or the custodian did.

    Raises:
        VerificationError: the refusal is neither's, or is about another query.
    """
    if status["state"] == "failed" or not status.get("refusal"):
        return _failed(status)
    refusal = documents.validate_refusal(client.get_document(status["refusal"]))
    rule = "queries.refusal_is_the_vaults"
    expect((refusal["order"], refusal["query"]), (step.order, step.query_digest), "refusal_for_another", rule)
    by_custodian = refusal["signer"] == deal.offer.manifest["custodian"]
    signer = deal.offer.manifest["custodian" if by_custodian else "releaseKey"]
    check_signature(refusal, client.deployment, signer)
    return _rule_error(refusal)


def spent_by_withheld(client: Client, deal: Deal, step: Step, status: Mapping[str, Any]) -> dict[str, int]:
    """{"spentOrder"} where the vault had released, and so charged, what the custodian then refused; else nothing.

    Raises:
        VerificationError: the release is not the vault's, or is of another query.
    """
    if not status.get("release"):
        return {}
    release = documents.validate_release(client.get_document(status["release"]))
    rule = "queries.refusal_is_the_vaults"
    expect((release["order"], release["query"]), (step.order, step.query_digest), "refusal_for_another", rule)
    check_release(release, client.deployment, deal.offer.manifest["releaseKey"])
    return {"spentOrder": release["spentOrder"]}


def _rule_error(refusal: Document) -> RuleError:
    return RuleError(
        refusal["code"],
        refusal["message"]["en"],
        zh=refusal["message"]["zh"],
        rule=refusal["rule"],
        rulebook=refusal["rulebook"],
        expected=refusal["allowed"],
        got=refusal["found"],
        hint=refusal["hint"]["en"],
        hint_zh=refusal["hint"]["zh"],
    )


def _failed(status: Mapping[str, Any]) -> RuleError:
    code = status.get("failure")
    code = code if code in FAILURES else DISAGREED
    told = FAILURES[code]
    return RuleError(
        code, told.message, zh=told.zh, rule="queries.result_is_attested", hint=told.hint, hint_zh=told.hint_zh
    )
