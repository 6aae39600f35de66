"""Claims on orders: the read model as it must be, derived from the events that the replay derived; and what an order
was settled with against what the log says was answered.
"""

from collections.abc import Callable, Mapping
from typing import Any

from marketplace.auditor.findings import Report
from marketplace.intents import CHALLENGE_SECONDS
from marketplace.types import OrderStatus

Row = dict[str, Any]
KEYS: dict[str, tuple[str, ...]] = {"order_claims": ("orderId",)}
_STANDING = ("voucherHash", "amount", "epsilon", "calls", "callsRoot")


def _claimed(tables: Any, args: Row, at: Row) -> None:
    own = {name: args[name] for name in ("orderId", "until", *_STANDING)}
    tables.put("order_claims", own | {"claimedBy": args["by"]} | at)
    tables.change("orders", (args["orderId"],), {"status": int(OrderStatus.CLAIMED)} | at)


def _challenged(tables: Any, args: Row, at: Row) -> None:
    tables.change("order_claims", (args["orderId"],), {name: args[name] for name in _STANDING} | at)


CHANGES: dict[str, Callable[[Any, Row, Row], None]] = {"Claimed": _claimed, "Challenged": _challenged}


def check_settled(tables: Any, row: Row, billed: Mapping[str, Any], report: Report) -> None:
    """An order was settled with its last voucher. Of one that a side claimed alone the ledger knows no more than what
    was presented, so the settlement is not to blame for the figures that stood:

    - Lower than that voucher's: who had it presented it to nobody, or answered when it was too late.
    - Others: the buyer signed a voucher for them that pays for no answer. As high in money and calls, none can be
      presented against it.
    """
    subject, figures = f"order {row['orderId']}", ("amount", "epsilon", "calls", "callsRoot")
    claim = tables.rows["order_claims"].get((row["orderId"],))
    if claim is not None and _is_below(row, billed):
        expected, got = ({name: values[name] for name in figures[:3]} for values in (billed, row))
        report.find("claim_unchallenged", subject, expected=expected, got=got)
    elif claim is not None and all(row[name] == claim[name] for name in figures):
        expected, got = ({name: values[name] for name in figures} for values in (billed, row))
        if expected != got:
            report.find("claim_unearned", f"{subject} claimed by {claim['claimedBy']}", expected=expected, got=got)
    else:
        for name in figures:
            report.same("settled_differs", f"{subject} {name}", billed[name], row[name])


def check_refunded(row: Row, voucher: Mapping[str, Any] | None, report: Report) -> None:
    """Nothing was refunded that the last voucher in the log, if there is one, pays for."""
    if voucher is not None and voucher["amount"] > 0:
        report.find("refund_despite_voucher", f"order {row['orderId']}", expected=voucher["amount"], got=0)


def _is_below(row: Row, billed: Mapping[str, Any]) -> bool:
    """Whether a voucher would have been taken for higher than what an order was settled with."""
    led = (billed["amount"], billed["calls"]) > (row["amount"], row["calls"])
    return bool(led or billed["epsilon"] > row["epsilon"])


def claimed_at(tables: Any, order: str) -> int | None:
    """When one side claimed the order, unix seconds; None if nobody did."""
    row = tables.rows["order_claims"].get((order,))
    return None if row is None else row["until"] - CHALLENGE_SECONDS
