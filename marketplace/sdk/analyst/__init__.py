"""A buyer's analyst at a notebook: the market, a product, an order, each giving pandas frames.

    with Analyst.connect() as market:
        product = market.product(market.offers()["listing"].iloc[0])
        order = product.buy(escrow="20.00", epsilon_cap="2", purpose="TRANSPORT", region="CN-SH")
        answer = order.ask("SELECT origin, AVG(arr_delay) FROM flights GROUP BY origin", epsilon="0.5")

Everything is checked as by the other verbs of this room, which it calls; it adds nothing but tables. Money and budgets
come in as people write them, as text ("20.00" yuan, "0.5"), and are shown so: never as binary fractions.
"""

import getpass
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd

from marketplace.currencies import CNY
from marketplace.documents import Document, money_of
from marketplace.errors import InvalidInputError
from marketplace.quantities import money, parse_epsilon, parse_money
from marketplace.queries.language.query import Query
from marketplace.queries.language.terms import Count
from marketplace.queries.permission.pricing import OrderAccount
from marketplace.sdk import listings, orders, queries
from marketplace.sdk.analyst import tables
from marketplace.sdk.answers import Answer
from marketplace.sdk.client import Client
from marketplace.sdk.opening import open_client
from marketplace.sdk.queries import Explanation
from marketplace.types import MICRO

DAY_SECONDS = 86_400


@dataclass
class Surroundings:
    """Where an analyst works: a home folder and a service, and a notebook or terminal that can ask for the password."""

    home: Path | None = None
    url: str | None = None

    def notice(self, text: str) -> None:
        """Tell the analyst something, apart from results."""
        sys.stderr.write(f"{text}\n")

    def ask_secret(self, en: str, zh: str = "") -> str | None:
        """Ask for the keystore's password; None where nobody can type."""
        try:
            return getpass.getpass(f"{en} {zh}".strip() + ": ")
        except (EOFError, NotImplementedError):
            return None


class Analyst:
    """A signed-in buyer and the market before it. Close it, or use it as a context manager."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @classmethod
    def connect(cls, url: str | None = None, home: str | Path | None = None) -> Self:
        """Open the keys of a home folder and greet the service, whose identity must be the pinned one.

        Args:
            url: the service; MARKETPLACE_URL or the folder's setting when None. home: MARKETPLACE_HOME or the default
                folder when None.
        Raises:
            ConfigurationError: no keys, no password, or another service than the pinned one.
        """
        client = open_client(Surroundings(None if home is None else Path(home), url))
        try:
            _ = client.profile
        except BaseException:
            client.close()
            raise
        return cls(client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back connections and the journal."""
        self.client.close()

    def offers(self) -> pd.DataFrame:
        """One row a listing: id, title in both languages, rows, computations, purposes, price in yuan, standing."""
        found = [listings.inspect(self.client, item["listingId"]) for item in listings.list_all(self.client)]
        return tables.offers(found)

    def product(self, listing: str) -> "Product":
        """A listing with its terms and manifest, each checked against the ledger's digest of it.

        Raises:
            NotFoundError: there is none. VerificationError: a document is not the one that was registered.
        """
        return Product(self.client, listing, listings.inspect(self.client, listing))

    def order(self, order: str) -> "Order":
        """An order funded earlier.

        Raises:
            NotFoundError: there is none, or it is not yours.
        """
        deal = orders.inspect(self.client, order)
        return Order(order, Product(self.client, deal.order["listingId"], deal.offer))


@dataclass(frozen=True)
class Product:
    """One listing: what may be asked of which data, at what price. `offer` holds the checked documents."""

    client: Client
    listing: str
    offer: listings.Offer

    @property
    def manifest(self) -> Document:
        """What was sealed, as registered."""
        return self.offer.manifest

    def schema(self) -> pd.DataFrame:
        """One row a dimension and a measure: kind, unit, bounds in the measure's unit, categories, missing values."""
        return tables.schema(self.manifest)

    def labels(self, dimension: str) -> list[str]:
        """The categories of a dimension, in the order in which they were declared.

        Raises:
            InvalidInputError: `unknown_dimension`.
        """
        known = {item["name"]: list(item["categories"]) for item in self.manifest["dimensions"]}
        if dimension not in known:
            raise InvalidInputError(
                "unknown_dimension",
                f"the data set has no dimension {dimension!r}",
                zh=f"数据集没有维度 {dimension}",
                expected=", ".join(known),
                got=dimension,
            )
        return known[dimension]

    def explain(self, question: str | Query, epsilon: str) -> "Explained":
        """What a question would cost and how exact its answer would be; nothing is asked or bought.

        Raises:
            InvalidInputError: it is outside the algebra, or `epsilon` is not a decimal.
        """
        return Explained(queries.explain(self.client, self.listing, question, parse_epsilon(epsilon)))

    def budget(self) -> pd.DataFrame:
        """The privacy budget, as decimals: a row for the data set, whose budget all buyers share, and one for you where
        the terms cap what a buyer may spend over all its orders."""
        found = queries.explain(self.client, self.listing, Query.select(Count()), MICRO)
        lines = [("data set, all buyers", self.offer.asset["epsilonBudget"], found.left)]
        if found.left_buyer is not None:
            lines.append(("you, all orders", self.offer.terms["buyerCap"], found.left_buyer))
        return tables.budget(lines, found.privacy)

    @property
    def currency(self) -> str:
        """ISO 4217 code of the money that it is sold for."""
        return money_of(self.offer.terms).code

    def buy(self, escrow: str, epsilon_cap: str, purpose: str, region: str, days: int = 30) -> "Order":
        """Accept the terms and fund an order; what is not used of the escrow comes back when the order ends.

        Args:
            escrow: to set aside, in the listing's currency. epsilon_cap: the most privacy budget for it.
            days: how long the order is valid; at most as long as the listing.
        Raises:
            RuleError: purpose or region are not permitted, the balance is too small, the budget is spent.
        """
        funded = orders.fund(
            self.client,
            self.listing,
            escrow=parse_money(escrow, self.currency),
            currency=self.currency,
            epsilon_cap=parse_epsilon(epsilon_cap),
            purpose=purpose,
            region=region,
            valid_until=self.client.now() + days * DAY_SECONDS,
        )
        return Order(str(funded["orderId"]), self)


@dataclass(frozen=True)
class Explained:
    """What a question would cost and how exact its answer would be. `found` has it in full."""

    found: Explanation

    def costs(self) -> pd.Series:
        """Price in yuan, budget, numbers released, smallest cohort, form, sealed values and bytes touched."""
        return tables.costs(self.found)

    def noise(self) -> pd.DataFrame:
        """One row a released number: by how much one row of data can move it, and the noise's standard deviation."""
        return tables.noise(self.found.details)

    def errors(self) -> pd.DataFrame:
        """One row a value of the answer: its expected standard error, and whether that is known or assumed."""
        return tables.errors(self.found.details)

    def refusals(self) -> pd.DataFrame:
        """One row a reason why it would be refused: code, message in both languages, rule."""
        return tables.refusals(self.found.refusals)


@dataclass(frozen=True)
class Order:
    """A funded order. `id` is what `marketplace queries ask` takes too; both keep the same journal."""

    id: str
    product: Product

    def ask(self, question: str | Query, epsilon: str, wait_seconds: float = queries.WAIT_SECONDS) -> Answer:
        """Ask a question, pay for it by voucher, and put the checked answer together; see `queries.ask`.

        Raises:
            RuleError: it is refused, and costs nothing. PortError: no outcome yet; asking again carries on.
        """
        return queries.ask(self.product.client, self.id, question, parse_epsilon(epsilon), wait_seconds)

    def budget(self) -> pd.DataFrame:
        """As `Product.budget`, with a first row for this order, from your own journal."""
        account = self._account()
        mine = [("this order", account.cap, account.cap - account.spent)]
        return pd.concat([tables.budget(mine, self.product.manifest["privacy"]), self.product.budget()])

    def escrow(self) -> pd.Series:
        """Money set aside, promised by vouchers so far, and left."""
        account = self._account()
        facts = {"escrow": account.escrow, "promised": account.amount, "left": account.escrow - account.amount}
        code = self.product.currency
        name = "yuan" if code == CNY.code else code
        return pd.Series({what: money(amount, code) for what, amount in facts.items()}, name=name)

    def history(self) -> pd.DataFrame:
        """One row a call: what was asked, what became of it, what it cost; from your own journal."""
        return tables.history(queries.history(self.product.client, self.id), self.product.currency)

    def _account(self) -> OrderAccount:
        return queries.account_of(self.product.client, orders.inspect(self.product.client, self.id))
