"""A file on offer in the town, and an order of it."""

import time
from random import Random

from marketplace.sdk import deliveries, settlement
from tests.integration.service.town import YEAR, Town

PRICE = 900
TERMS = deliveries.Terms(2, 3, 1, corrections=1, silence_accepts=True)


def offer_file(town: Town, terms: deliveries.Terms = TERMS, term_end: int | None = None) -> str:
    """List the town's data set as a file and offer its delivery; returns the listing's id.

    Args:
        term_end: unix seconds; makes the listing another one.
    """
    listing = town.list_product(
        town.facts["asset"],
        computations=[],
        price=None,
        plan=deliveries.full_set(PRICE),
        delivery=deliveries.file_terms(["id"], {"delay": "1"}),
        term_end=term_end or int(time.time()) + YEAR // 3,
    )
    deliveries.offer(town["supplier"], listing, terms)
    return listing


def order_file(town: Town, listing: str, buyer: str = "buyer") -> str:
    """Order it, with money for it; returns the order's id."""
    settlement.issue(town["bank"], town[buyer].address, PRICE)
    return str(deliveries.order(town[buyer], listing, purpose="TRANSPORT", region="CN-SH")["orderId"])


def a_file(seed: int = 5) -> bytes:
    """CSV with enough numbers to carry marks."""
    random = Random(seed)
    return "\n".join(["id,delay", *(f"{i},{random.randint(-20, 90)}" for i in range(1_500))]).encode()
