"""What a vault signs when it refuses: the rule, and what is spent and left.

A refusal carries the vault's signature, so no figure in it may be somebody's invention: what is left is stated only
where the order's papers prove cap and budget, and is zero otherwise.
"""

from collections.abc import Mapping
from typing import Any

from crypto.keystore import Keys
from marketplace.documents import Document, digest
from marketplace.errors import MarketplaceError
from marketplace.intents import Deployment
from marketplace.queries.handover import VaultTask
from marketplace.queries.permission import check_papers
from marketplace.queries.statements import sign_refusal
from marketplace.vault.store import Account

MOST = 2**53 - 1  # the ledger's integers may be larger than a document's
NOTHING_PROVEN = (0, 0)


def budget_of(task: VaultTask) -> int:
    """The data set's budget as the holder's Register has it, in millionths."""
    registration = task.papers.registration
    return min(int(registration.message["epsilonBudget"]), MOST) if registration else 0


def promised(task: VaultTask, manifest: Mapping[str, Any], deployment: Deployment) -> tuple[int, int]:
    """(epsilon cap of the query's order, budget of its data set); zeros where the papers are of another order or asset.

    Raises:
        VerificationError: the papers do not hold.
    """
    papers, query = task.papers, task.query
    check_papers(papers, manifest, deployment)
    if (papers.order, papers.asset) != (query["order"], query["asset"]):
        return NOTHING_PROVEN
    return min(int(papers.fund.message["epsilonCap"]), MOST), budget_of(task)


def figures_of(account: Account, query: Mapping[str, Any], cap: int, budget: int) -> dict[str, int]:
    """What order and data set have spent and have left, for a refusal."""
    spent_order, spent = account.spent(query["order"]), account.spent_asset(query["asset"])
    if budget:
        budget, spent = account.asset(query["asset"], budget)
    return {
        "spentOrder": spent_order,
        "leftOrder": max(0, cap - spent_order),
        "spentAsset": spent,
        "leftAsset": max(0, budget - spent),
    }


def signed_refusal(
    query: Mapping[str, Any], error: MarketplaceError, figures: Mapping[str, int], keys: Keys, deployment: Deployment
) -> Document:
    """The refusal document of `query` for `error`."""
    body: dict[str, Any] = {"type": "refusal", "version": 1, "order": query["order"], "query": digest(query)}
    body |= {"code": error.code, "rule": error.rule or "vault.input"}
    body |= {"message": {"en": _line(error) or error.code, "zh": _line(error.zh) or error.code}}
    body |= {"allowed": _line(error.expected), "found": _line(error.got), **figures, "signer": keys.address}
    return sign_refusal(body, deployment, keys.signing_key)


def _line(value: object) -> str:
    text = " ".join(str("" if value is None else value).split())
    return "".join(letter for letter in text if letter.isprintable())[:600].strip()
