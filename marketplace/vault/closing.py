"""What a vault does for its seller beside answering: it closes an order by its last voucher before that counts no more.

A voucher outlives its key by three days. A buyer could have its answers, end its key, wait so long and claim its order
for nothing. One that goes on asking brings a voucher by a living key before, which covers what was answered.
"""

import time
from collections.abc import Callable

from crypto.errors import CryptoError
from marketplace.errors import MarketplaceError, PortError
from marketplace.queries.permission.pricing import lasts
from marketplace.sdk import settlement
from marketplace.sdk.client import Client
from marketplace.sdk.http.polling import Notice
from marketplace.sdk.keyproofs import book_of
from marketplace.types import OrderStatus
from marketplace.vault.keeping.store import PrivacyStore

EVERY_SECONDS = 3_600


class Closing:
    """Looks at the seller's open orders, once an hour.

    Args:
        client: signed in as the seller. store: the vault's.
        notice: told what is closed, and what could not be: a key without the act SETTLEMENT closes nothing.
        now: unix seconds.
    """

    def __init__(
        self, client: Client, store: PrivacyStore, notice: Notice, now: Callable[[], float] = time.time
    ) -> None:
        self._client, self._store, self._notice, self._now = client, store, notice, now
        self._due = 0.0

    def step(self) -> None:
        """Close what has to be closed, unless it was looked at within the hour.

        Raises:
            PortError: the service is away.
        """
        if self._now() < self._due:
            return
        for order in self._client.pages("/orders"):
            if order["status"] == OrderStatus.FUNDED and order["seller"] == self._client.address:
                self._look(order["orderId"], order["buyer"])
        self._due = self._now() + EVERY_SECONDS

    def _look(self, order: str, buyer: str) -> None:
        """One order, which keeps neither the others from their end nor the vault from its work."""
        voucher = self._store.last_voucher(order)
        try:
            if voucher is None or lasts(buyer, voucher, book_of(self._client, buyer), int(self._now())):
                return
            settlement.close(self._client, order, voucher)
        except PortError:
            raise
        except (MarketplaceError, CryptoError) as error:
            self._notice(f"{order} could not be looked at or closed: {error}", f"{order} 未能核查或结算：{error}")
        else:
            self._notice(f"{order} is closed: its voucher's key has ended", f"{order} 凭证密钥已终止，已结算")
