"""How an object stands, in one vocabulary for all kinds: its status, whether it is in force, and since when it is not.

Nothing leaves the ledger, so what is over still has its identifier, and says that it is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.types import AssetStatus, ListingStatus, OrderStatus, ParticipantStatus

NAMES = {
    "active": {"en": "active", "zh": "有效"},
    "suspended": {"en": "suspended", "zh": "已暂停"},
    "leaving": {"en": "leaving: winds up and starts nothing new", "zh": "退出中：了结存量，不开展新业务"},
    "exited": {"en": "has left", "zh": "已退出"},
    "expelled": {"en": "expelled", "zh": "已除名"},
    "registered": {"en": "registered, not yet confirmed", "zh": "已登记,待确权"},
    "confirmed": {"en": "confirmed", "zh": "已确权"},
    "revoked": {"en": "revoked", "zh": "已撤销"},
    "cancelled": {"en": "cancelled by its holder", "zh": "已注销"},
    "superseded": {
        "en": "superseded: a later certificate stands, or a title or share it names has moved",
        "zh": "已被取代:另有新证,或所载权利、份额已变动",
    },
    "blocked": {
        "en": "listed, and cannot be bought now",
        "zh": "已挂牌，目前不可购买",
    },
    "listed": {"en": "on offer", "zh": "挂牌中"},
    "delisted": {"en": "delisted", "zh": "已摘牌"},
    "valid": {"en": "valid", "zh": "有效"},
    "expired": {"en": "expired", "zh": "已到期"},
    "funded": {"en": "funded", "zh": "已托管"},
    "claimed": {"en": "claimed by one side, not yet paid", "zh": "单方已主张，尚未付款"},
    "settled": {"en": "settled", "zh": "已结算"},
    "refunded": {"en": "refunded", "zh": "已退款"},
}
IN_FORCE = frozenset({"active", "registered", "confirmed", "listed", "valid", "funded", "claimed"})
BY_ITSELF = frozenset({"expired"})  # over by the passing of time, by no act of anybody


_OF_PARTIES = {
    ParticipantStatus.ACTIVE: "active",
    ParticipantStatus.SUSPENDED: "suspended",
    ParticipantStatus.EXITING: "leaving",
    ParticipantStatus.EXPELLED: "expelled",
}


@dataclass(frozen=True)
class Standing:
    """Args:
    status: one of NAMES.
    valid_until: unix seconds after which it is over by itself; 0 for no such moment.
    reason: why it is blocked, {"code", "message", "zh"} as the ledger would refuse; None for any other status.
    """

    status: str
    valid_until: int = 0
    reason: Mapping[str, str] | None = None

    @property
    def in_force(self) -> bool:
        """Whether it can be relied on now."""
        return self.status in IN_FORCE


OF_TRADE = Standing("valid")  # it tells of what was done; nothing undoes that


def of_party(status: int) -> Standing:
    """A participant's standing. Whoever applies again after its exit has still left until it is admitted."""
    return Standing(_OF_PARTIES.get(ParticipantStatus(status), "exited"))


def of_data(status: int, valid_until: int, now: int) -> Standing:
    """A registered data set's standing at `now` (unix seconds)."""
    if status < AssetStatus.CONFIRMED:
        return Standing("registered")
    over = now > valid_until
    checks = (
        ("revoked", status == AssetStatus.REVOKED),
        ("cancelled", status == AssetStatus.CANCELLED),
        ("expired", over),
        ("suspended", status == AssetStatus.SUSPENDED),
    )
    return Standing(next((word for word, holds in checks if holds), "confirmed"), valid_until)


def of_certificate(status: int, valid_until: int, now: int, *, moved: bool) -> Standing:
    """A certificate's standing at `now`, in the order in which rights/standing.py judges one offline.

    Args:
        status: its asset's.
        moved: whether a title or a share that it names has another holder.
    """
    of_asset = of_data(status, valid_until, now).status
    if moved and of_asset not in ("revoked", "cancelled"):
        return Standing("superseded", valid_until)
    return Standing("valid" if of_asset == "confirmed" else of_asset, valid_until)


def of_product(status: int, valid_until: int, now: int, *, sold: bool) -> Standing:
    """A listing's standing at `now`.

    Args:
        sold: whether the ledger would take an order of it now (evidence.inbox.outlook).
    """
    checks = (
        ("delisted", status == ListingStatus.DELISTED),
        ("expired", now > valid_until),
        ("blocked", not sold),
    )
    return Standing(next((word for word, holds in checks if holds), "listed"), valid_until)


def of_order(status: int, valid_until: int) -> Standing:
    """An order's standing. One that nobody closed in its term stays funded until somebody asks for the refund."""
    return Standing(OrderStatus(status).name.lower(), valid_until)
