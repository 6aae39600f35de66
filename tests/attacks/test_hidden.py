"""Hidden dimensions, answered from products of ciphertexts: differencing by a hidden category, and a lying panel that
asks the vault for pairs of its own.

Guards: the same cohorts, on true counts of logical cells; the vault's own evaluation. A mask or a size that the form
makes public tells the rows of public cells only.
"""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crypto.seal.keys import SealingKey
from crypto.seal.parameters import PRODUCTS
from crypto.seal.products import SealedProduct
from marketplace.panel.evaluate import PanelNode
from marketplace.queries.evaluation.data import SealedColumns
from marketplace.queries.plan import make_plan
from marketplace.queries.shares import open_shares
from marketplace.vault.cases import Decision, Word
from marketplace.vault.release import Vault
from marketplace.vault.secrecy import Cipher
from marketplace.vault.store import PrivacyStore
from tests.attacks.chance import best_guess, most_by_chance
from tests.attacks.liars import Uploads, coefficients, lie
from tests.attacks.scene import EXACT, GUARDED, UNGUARDED, Ask, anew, asker, open_alone, refused, rich_order, totals
from tests.attacks.test_shares import ROOM, product_probe
from tests.sealed_market import DEPLOYMENT, Market, Order, Row, keys

WARDS = [str(number) for number in range(12)]
COMMON, HIGHEST = 20, 50
ALL = "SELECT ward, SUM(cost) FROM f GROUP BY ward"
REST = "SELECT ward, SUM(cost) FROM f WHERE kind = 'common' GROUP BY ward"
LOWEST = PRODUCTS.smudging_bits + 2
SCHEMA: dict[str, Any] = {
    "title": {"en": "Wards", "zh": "病区"},
    "minimumCohort": 1,
    "forms": ["cells", "products"],
    "dimensions": [
        {"name": "ward", "categories": WARDS},
        {"name": "kind", "categories": ["common", "rare"], "hidden": True},
    ],
    "measures": [{"name": "cost", "unit": "yuan", "scale": 0, "low": 0, "high": HIGHEST}],
}


def make_wards() -> list[Row]:
    """In every ward twenty of the common kind and one of the rare."""
    drawn = random.Random(11)
    people = [(ward, kind) for ward in WARDS for kind in ["common"] * COMMON + ["rare"]]
    return [{"ward": ward, "kind": kind, "cost": str(drawn.randint(0, HIGHEST))} for ward, kind in people]


RARE = [int(row["cost"]) for row in make_wards() if row["kind"] == "rare"]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_alone(tmp_path_factory.mktemp("wards"), SCHEMA, make_wards())


@pytest.fixture
def market(sealed: Market, tmp_path: Path) -> Market:
    return anew(sealed, tmp_path)


def difference(ask: Ask) -> list[int]:
    """Each ward's total, from its cell, less its total of the common kind, from a product."""
    return [a - b for a, b in zip(totals(ask(ALL), "sum:cost"), totals(ask(REST), "sum:cost"), strict=True)]


def test_the_rare_kind_is_the_difference_where_there_is_no_cohort(market: Market) -> None:
    assert difference(asker(market, rich_order(market, **UNGUARDED))) == RARE


def test_cohorts_count_the_hidden_categories(market: Market) -> None:
    """And sizes of public cells count as answered: the rest alone is refused before the whole was asked."""
    ask = asker(market, rich_order(market, **GUARDED))
    assert refused(ask(REST)) == "cohort_difference_too_small"
    totals(ask(ALL), "sum:cost")
    assert refused(ask(REST)) == "cohort_difference_too_small"
    assert refused(ask("SELECT ward, SUM(cost) FROM f WHERE kind = 'rare' GROUP BY ward")) == "cohort_too_small"


def test_noise_alone_keeps_the_difference_at_chance(market: Market) -> None:
    found = difference(asker(market, rich_order(market, **UNGUARDED), 1_000_000))
    right = sum(mine == true for mine, true in zip(found, RARE, strict=True))
    assert right <= most_by_chance(len(WARDS), best_guess(HIGHEST + 1, 1))


# -- a lying panel


def of_three(market: Market, folder: Path, word: Word | None) -> Market:
    """The wards before a panel of three, with a vault that takes its word or not."""
    columns = SealedColumns(market.dataset.blob)
    nodes = [PanelNode(keys(f"node {number}"), columns) for number in range(3)]
    store = PrivacyStore(folder / "panel.sqlite", Cipher(market.supplier.seed))
    vault = Vault(market.supplier, market.vault.folder, store, DEPLOYMENT, word=word)
    return replace(market, nodes=nodes, vault=vault)


def probed(market: Market, uploads: Uploads) -> tuple[Order, Decision]:
    """A permitted count by the hidden kind, answered with pairs that ask for the key."""
    order = rich_order(market, **UNGUARDED)
    query = market.query(order, "SELECT ward, COUNT(*) FROM f WHERE kind = 'common' GROUP BY ward", EXACT)
    assert market.manifest["forms"][make_plan(market.manifest, query).form]["form"] == "products"
    pairs = [product_probe(1 + ROOM * place, LOWEST, ROOM) for place in range(len(WARDS))]
    numbers = [SealedProduct(PRODUCTS, 0, c1, c2) for c1, c2 in pairs]
    return order, market.decide(lie(market, order, query, numbers, uploads, liars=2))


def test_a_lying_majority_reads_the_key_of_products_too(market: Market, tmp_path: Path) -> None:
    uploads = Uploads()
    order, decision = probed(of_three(market, tmp_path, Word(uploads.get)), uploads)
    assert decision.shares is not None, decision.refusal
    shares = open_shares(decision.shares, order.buyer.x25519)
    found = [digit for place in sorted(shares) for digit in coefficients(PRODUCTS, shares[place], LOWEST, ROOM)]
    key = market.dataset.ring[1]
    assert isinstance(key, SealingKey)
    assert found == key.coefficients().tolist()[1 : 1 + len(found)]
    assert len(found) == len(WARDS) * ROOM


def test_a_vault_that_evaluates_products_itself_gives_no_share(market: Market, tmp_path: Path) -> None:
    _, decision = probed(of_three(market, tmp_path, None), Uploads())
    assert decision.shares is None
    assert decision.refusal is not None
    assert decision.refusal["code"] == "result_not_reproduced"
