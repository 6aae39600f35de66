"""The read model of claims on orders as it must be, derived from the events that the replay derived."""

from collections.abc import Callable
from typing import Any

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
