"""Whether an order may still call: asked of the exchange again and again, and refused when it cannot be known."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.api.rules import is_api
from marketplace.documents import Document
from marketplace.documents.ids import title_id
from marketplace.errors import NotFoundError, PortError, RuleError
from marketplace.participants.keybook import KeyBook
from marketplace.queries.permission.pricing import lasts
from marketplace.sdk import listings, orders
from marketplace.sdk.client import Client
from marketplace.sdk.keyproofs import book_of
from marketplace.types import OrderStatus, TitleKind
from marketplace.words import Words, word

FRESH_SECONDS = 5
STALE_SECONDS = 60
UNKNOWN_SECONDS, MOST_UNKNOWN = 30, 10_000
CLOSING_SECONDS = 3600
"""So long before an order's term nothing is answered any more: that is the time to close it in. After the term what is
paid are the vouchers that are presented within three days, and else the whole escrow is refunded."""


@dataclass(frozen=True)
class Standing:
    """An order of this seller's calls.

    Args:
        order: as the ledger says. terms: that it is billed by. purpose: of its agreement.
        book: what signs for its buyer.
        refusal: why it may not call, or None. asked: when the exchange was asked, by a clock that never goes back.
    """

    order: Mapping[str, Any]
    terms: Document
    purpose: str
    book: KeyBook
    refusal: RuleError | None
    asked: float


class Standings:
    """Standings of orders, each at most FRESH_SECONDS old, or STALE_SECONDS while the exchange is away.

    Args:
        client: signed in as the seller. listing: the one that this gateway answers for.
        fresh_seconds: how old a standing may be before the exchange is asked again.
        buyers: accounts that are served; everybody with an order if there is none.
    """

    def __init__(
        self,
        client: Client,
        listing: str,
        *,
        fresh_seconds: float = FRESH_SECONDS,
        buyers: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client, self.listing, self._buyers = client, listing, frozenset(buyers)
        self._fresh, self._clock = fresh_seconds, clock
        self._known: dict[str, Standing] = {}
        self._unknown: dict[str, float] = {}

    def of(self, order: str) -> Standing:
        """The standing of an order.

        Raises:
            NotFoundError: `order_unknown`: none of this listing. PortError: nobody knows.
        """
        known, now = self._known.get(order), self._clock()
        if now - self._unknown.get(order, now - UNKNOWN_SECONDS) < UNKNOWN_SECONDS:
            raise _unknown(order)
        if known is not None and now - known.asked < self._fresh:
            return known
        try:
            found = self._ask(order, now)
        except NotFoundError:
            if len(self._unknown) >= MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[order] = now
            raise
        except PortError:
            if known is None or now - known.asked >= STALE_SECONDS:
                raise
            return known
        self._known[order] = found
        return found

    def _ask(self, order: str, now: float) -> Standing:
        deal = orders.inspect(self.client, order)
        if deal.order["listingId"] != self.listing or not is_api(deal.offer.terms):
            raise _unknown(order)
        book = book_of(self.client, deal.order["buyer"])
        refusal = self._why_not(deal.order, max(self.client.now(), book.time))
        return Standing(deal.order, deal.terms, deal.agreement["purpose"], book, refusal, now)

    def is_closing(self, standing: Standing, voucher: Document) -> bool:
        """Whether an open order has to be closed now by its last voucher: its term is near, or the voucher's key has
        ended and it will soon count no more. A buyer that goes on calling brings one by a living key before."""
        now = self.client.now()
        near = now > standing.order["validUntil"] - CLOSING_SECONDS
        ends = near or not lasts(standing.order["buyer"], voucher, standing.book, now)
        return standing.order["status"] == OrderStatus.FUNDED and ends

    def _why_not(self, order: Mapping[str, Any], now: int) -> RuleError | None:
        if self._buyers and order["buyer"] not in self._buyers:
            return RuleError(
                "buyer_not_accepted",
                "this gateway answers buyers whom its seller named, and this one is not among them",
                zh="该网关仅为卖方指明的买方服务",
                rule="api.buyers_are_named",
                got=order["buyer"],
                hint="ask the seller; whoever knows its buyers names them: marketplace gateway run --buyer",
                hint_zh="请联系卖方；卖方可用 marketplace gateway run --buyer 指明买方",
            )
        until = order["validUntil"] - CLOSING_SECONDS
        if order["status"] != OrderStatus.FUNDED or now > until:
            return RuleError(
                "calls_over",
                f"order {order['orderId']} has ended, or ends within the time that closing it takes",
                zh=f"订单 {order['orderId']} 已结束，或剩余期限不足以完成结算",
                rule="api.calls_of_open_orders",
                expected=Words(f"FUNDED, until {until}", f"托管中，至 {until}"),
                got=word(OrderStatus(order["status"])),
                hint="fund another order to call on",
                hint_zh="请另下订单后继续调用",
            )
        for title, holder in self._titles(order):
            found = self.client.get(f"/rights/titles/{title}", signed=False)
            standing = found["standing"]
            if standing["cause"] or standing["encumbered"] or found["holder"] != holder:
                return RuleError(
                    "title_not_in_force",
                    f"title {title} is not in force: nothing is delivered under it",
                    zh=f"权利 {title} 现非有效状态，不得据以交付",
                    rule="api.titles_are_in_force",
                    expected=Words(
                        f"in force, neither seized nor under control, held by {holder}",
                        f"有效、未被查封或管控、由 {holder} 持有",
                    ),
                    got=[standing["word"], standing["encumbered"], found["holder"]],
                    hint="ask the seller and the registrar; what was answered so far is paid as agreed",
                    hint_zh="请向卖方与登记机构查询；已答复的调用仍按约结算",
                )
        return None

    def _titles(self, order: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The buyer's title to use, and the seller's to operate, each with who has to hold it."""
        used = title_id(order["assetId"], TitleKind.USE, order["orderId"])
        listing = listings.get(self.client, self.listing)
        return [(used, order["buyer"]), (str(listing["titleId"]), listing["seller"])]


def _unknown(order: str) -> NotFoundError:
    return NotFoundError("order_unknown", f"there is no order {order} of yours", zh="没有您的该订单")
