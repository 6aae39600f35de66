"""Which way of delivery data may take: a rulebook, by the level and the origin of the data."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from marketplace.documents.common import LEVELS
from marketplace.errors import RuleError
from marketplace.refusals import refuse

CURRENT = "cn-2026.1"
FILE_DOWNLOAD = "FILE_DOWNLOAD"
_FOLDER = Path(__file__).parent / "rulebooks"


@cache
def rulebook() -> Mapping[str, Any]:
    """The rulebook in force."""
    found: Mapping[str, Any] = json.loads((_FOLDER / f"{CURRENT}.json").read_text(encoding="utf-8"))
    return found


def allowed(level: int, origin: str) -> list[str]:
    """The ways of delivery for data of this level and origin.

    Args:
        level: as on the ledger, 1 (GENERAL_1) to 6 (CORE). origin: one of documents.DATA_ORIGINS.
    """
    by_level, by_origin = rulebook()["levels"][LEVELS[level - 1]], rulebook()["origins"][origin]
    return [mode for mode in by_level if mode in by_origin]


def require_allowed(terms: Mapping[str, Any], level: int, origin: str) -> None:
    """Refuse terms whose way of delivery the data's level or origin forbids; terms without one are of sealed queries.

    Raises:
        RuleError: `delivery_mode_forbidden`.
    """
    mode = terms["delivery"]["mode"] if "delivery" in terms else "CIPHERTEXT_QUERY"
    ways = allowed(level, origin)
    if mode not in ways:
        raise RuleError(
            "delivery_mode_forbidden",
            f"{LEVELS[level - 1]} data of {origin} origin may not be delivered by {mode}",
            zh=f"{LEVELS[level - 1]} 级、来源为 {origin} 的数据不得以 {mode} 方式交付",
            rule="deliveries.mode_by_level",
            expected=", ".join(ways),
            got=mode,
            hint="offer sealed queries, or have the data regraded first",
            hint_zh="请提供密态查询，或先行重新定级",
        )


def require_file(terms: Mapping[str, Any], listing: str) -> None:
    """Refuse terms that name no file. Raises LedgerRuleError `delivery_not_offered`."""
    if "delivery" not in terms or terms["delivery"]["mode"] != FILE_DOWNLOAD:
        raise refuse("DeliveriesNotOffered", listingId=listing)


def require_offer(terms: Mapping[str, Any], offer: Mapping[str, Any]) -> None:
    """Refuse an offer of delivery that is not what its listing's terms say: files, for the price of the whole.

    Args:
        offer: at least "listingId" and "amount".
    Raises:
        LedgerRuleError: `delivery_not_offered`: the terms name no file. RuleError: `delivery_price`.
    """
    require_file(terms, offer["listingId"])
    if offer["amount"] != terms["price"]:
        raise RuleError(
            "delivery_price",
            f"acceptance would make {offer['amount']} fen due, the terms ask {terms['price']}",
            zh=f"验收应付 {offer['amount']} 分，条款价格为 {terms['price']} 分",
            rule="deliveries.due_is_the_price",
            expected=terms["price"],
            got=offer["amount"],
            hint="offer delivery for the price of the terms",
            hint_zh="请按条款价格提出交付条件",
        )
