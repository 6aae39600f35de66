"""The read model of deliveries as it must be, derived from the events that the replay derived."""

from collections.abc import Callable
from typing import Any

from marketplace.deliveries.rules import STATES
from marketplace.types import ZERO_DIGEST, DeliveryStatus

Row = dict[str, Any]
KEYS: dict[str, tuple[str, ...]] = {"delivery_offers": ("listingId",), "deliveries": ("orderId",)}
_OFFERED = ("listingId", "seller", "amount", "deliverWithin", "inspection", "correction", "corrections", "marks")
_NOTE = ("ciphertextDigest", "fingerprintId", "plaintextCommitment")
_NOTHING_YET: Row = {"rounds": 0, "acknowledged": 0, "deliveredAt": 0}
_NOTHING_YET |= dict.fromkeys(("noteHash", "defectsDigest", *_NOTE), ZERO_DIGEST)


def _offered(tables: Any, args: Row, at: Row) -> None:
    tables.put("delivery_offers", {name: args[name] for name in _OFFERED} | at)


def _arranged(tables: Any, args: Row, at: Row) -> None:
    own = {name: args[name] for name in ("orderId", "buyer", "receiveKey", "dueAt")}
    tables.put("deliveries", own | _NOTHING_YET | {"status": int(DeliveryStatus.ARRANGED)} | at)


def _delivered(tables: Any, args: Row, at: Row) -> None:
    values = {name: args[name] for name in ("noteHash", "dueAt", *_NOTE)}
    values |= {"rounds": args["round"], "acknowledged": 0, "defectsDigest": ZERO_DIGEST}
    values |= {"deliveredAt": args["(block time)"], "status": int(DeliveryStatus.INSPECTING)}
    tables.change("deliveries", (args["orderId"],), values | at)


def _changed(**fixed: int) -> Callable[[Any, Row, Row], None]:
    """Set fields to `fixed` values, and those that the event names to its own."""

    def change(tables: Any, args: Row, at: Row) -> None:
        own = {name: args[name] for name in ("defectsDigest", "dueAt", "status") if name in args}
        tables.change("deliveries", (args["orderId"],), own | fixed | at)

    return change


def order_ended(tables: Any, args: Row, at: Row) -> None:
    """A delivery that was neither accepted nor late ends with its order."""
    row = tables.rows["deliveries"].get((args["orderId"],))
    if row is not None and row["status"] in STATES["settle"]:
        tables.change("deliveries", (args["orderId"],), {"status": int(DeliveryStatus.ENDED)} | at)


CHANGES: dict[str, Callable[[Any, Row, Row], None]] = {
    "DeliveryOffered": _offered,
    "DeliveryArranged": _arranged,
    "Delivered": _delivered,
    "DeliveryAcknowledged": _changed(acknowledged=1),
    "DeliveryObjected": _changed(status=int(DeliveryStatus.OBJECTED)),
    "DeliveryAccepted": _changed(status=int(DeliveryStatus.ACCEPTED)),
    "DeliveryDeemed": _changed(status=int(DeliveryStatus.DEEMED)),
    "DeliveryLapsed": _changed(status=int(DeliveryStatus.LAPSED)),
}
