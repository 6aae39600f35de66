"""What a vault signs when it refuses: the rule, and what is spent and left.

A refusal carries the vault's signature, so no figure in it may be somebody's invention: what is left is stated only
where the order's papers prove cap and budget, and is zero otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.keystore import Keys
from marketplace.documents import Document, digest, series_of
from marketplace.errors import MarketplaceError, VerificationError
from marketplace.intents import Deployment
from marketplace.participants.keybook import KeyBook
from marketplace.queries.permission.chain import check_papers
from marketplace.queries.permission.pricing import buyer_account
from marketplace.queries.protocol.handover import VaultTask
from marketplace.queries.protocol.statements import sign_refusal
from marketplace.vault.keeping.store import Account

MOST = 2**53 - 1  # the ledger's integers may be larger than a document's
GIVEN_UP = "custodian_absent"
"""Code of the refusal by which a vault gives up an answer that it released (`marketplace vault abandon`)."""


@dataclass(frozen=True)
class Promised:
    """What the papers of an order prove: the series, its budget, the order's own cap, its buyer and its terms."""

    series: str
    budget: int
    cap: int
    buyer: str
    terms: Document


def budget_of(task: VaultTask) -> int:
    """The data set's budget as the holder's Register has it, in millionths."""
    registration = task.papers.registration
    return min(int(registration.message["epsilonBudget"]), MOST) if registration else 0


def promised(task: VaultTask, manifest: Mapping[str, Any], budget: int, book: KeyBook, now: int) -> Promised | None:
    """What the papers prove of the query's order; None where they are of another order or asset.

    Args:
        budget: of the series, by the papers and the key holder's own limit.
        book: what signs for whom. now: unix seconds.
    Raises:
        VerificationError: the papers do not hold.
    """
    papers, query = task.papers, task.query
    check_papers(papers, manifest, book, task.keys.times, now)
    if (papers.order, papers.asset) != (query["order"], query["asset"]):
        return None
    fund = papers.fund.message
    return Promised(series_of(manifest), budget, min(int(fund["epsilonCap"]), MOST), str(fund["buyer"]), papers.terms)


def figures_of(account: Account, task: VaultTask, proven: Promised | None) -> dict[str, int | None]:
    """What order, buyer and series have spent and have left, for a refusal; of order and series alone, and with nothing
    left, where the papers prove nothing."""
    spent_order = account.spent(task.query["order"])
    if proven is None:
        nothing = {"leftOrder": 0, "spentBuyer": 0, "leftBuyer": 0, "spentAsset": 0, "leftAsset": 0}
        return {"spentOrder": spent_order, **nothing}
    buyer = buyer_account(proven.terms, proven.buyer, lambda who: account.spent_buyer(proven.series, who))
    budget, spent = account.budget(proven.series, proven.budget), account.spent_series(proven.series)
    return {
        "spentOrder": spent_order,
        "leftOrder": max(0, proven.cap - spent_order),
        "spentBuyer": buyer.spent,
        "leftBuyer": buyer.left,
        "spentAsset": spent,
        "leftAsset": max(0, budget - spent),
    }


def check_given_up(refusal: Mapping[str, Any]) -> None:
    """Check that a refusal by the vault ends a query that the vault released. One that it signed before, say because a
    voucher was too small, does not: shown again after the query was answered after all, it would make a call unpaid.

    Raises:
        VerificationError: `not_given_up`.
    """
    if refusal["code"] != GIVEN_UP:
        raise VerificationError(
            "not_given_up",
            "a refusal from before an answer does not take the answer back",
            zh="答复之前的拒绝不能撤销该答复",
            rule="vault.withheld",
            expected=GIVEN_UP,
            got=refusal["code"],
        )


def signed_refusal(
    query: Mapping[str, Any],
    error: MarketplaceError,
    figures: Mapping[str, int | None],
    keys: Keys,
    deployment: Deployment,
) -> Document:
    """The refusal document of `query` for `error`."""
    body: dict[str, Any] = {"type": "refusal", "version": 1, "order": query["order"], "query": digest(query)}
    body |= {"code": error.code, "rule": error.rule, "rulebook": error.rulebook}
    body |= {"message": {"en": _line(error) or error.code, "zh": _line(error.zh) or error.code}}
    body |= {"hint": {"en": _line(error.hint), "zh": _line(error.hint_zh)}}
    body |= {"allowed": _line(error.expected), "found": _line(error.got), **figures, "signer": keys.address}
    return sign_refusal(body, deployment, keys.signing_key)


def _line(value: object) -> str:
    text = " ".join(str("" if value is None else value).split())
    return "".join(letter for letter in text if letter.isprintable())[:600].strip()
