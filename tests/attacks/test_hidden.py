"""Hidden dimensions, answered from products of ciphertexts: differencing by a hidden category, refusals that tell the
category of a row that is alone in its public cell, and a lying panel that asks the vault for pairs of its own.

Guards: the same cohorts, on true counts of logical cells; rows of small public cells that do not count where their
categories are told apart; the vault's own evaluation. A mask or a size that the form makes public tells the rows of
public cells only.
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
from marketplace.queries.answers.answer import Answer
from marketplace.queries.cohort.small_cells import SmallCells
from marketplace.queries.evaluation.data import SealedColumns
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.protocol.shares import open_shares
from marketplace.vault.decisions.cases import Decision, Word
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from tests.attacks.chance import best_guess, most_by_chance
from tests.attacks.liars import Uploads, coefficients, lie
from tests.attacks.scene import (
    COHORT,
    EXACT,
    GUARDED,
    UNGUARDED,
    Ask,
    anew,
    asker,
    open_alone,
    refused,
    rich_order,
    totals,
)
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


# -- rows that are alone in a public cell

LARGE, EDGE, ALLEYS = "large", "edge", [f"alley {number}" for number in range(10)]
STREET_SCHEMA: dict[str, Any] = SCHEMA | {
    "dimensions": [{"name": "ward", "categories": [LARGE, EDGE, *ALLEYS]}, SCHEMA["dimensions"][1]]
}
KINDS = random.Random(5).choices(["common", "rare"], k=len(ALLEYS))


def make_alleys() -> list[Row]:
    """A large ward of both kinds, one with a common row too few for a cohort, and alleys of one row each."""
    people = (
        [(LARGE, "common"), (LARGE, "rare")] * COMMON + [(EDGE, "common")] * (COHORT - 1) + [(EDGE, "rare")] * COMMON
    )
    return [{"ward": ward, "kind": kind, "cost": "7"} for ward, kind in [*people, *zip(ALLEYS, KINDS, strict=True)]]


@pytest.fixture(scope="module")
def sealed_alleys(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_alone(tmp_path_factory.mktemp("alleys"), STREET_SCHEMA, make_alleys())


def told(ask: Ask, ward: str) -> list[str]:
    """What is said of the common rows of a ward and of each alley with it: a code, or that there is an answer."""
    of = "SELECT COUNT(*) FROM f WHERE kind = 'common' AND ward IN "
    outcomes = [ask(f"{of} ('{ward}')")] + [ask(f"{of} ('{ward}', '{alley}')") for alley in ALLEYS]
    return ["answered" if isinstance(found, Answer) else str(found["code"]) for found in outcomes[1:]]


def read_kinds(ask: Ask) -> tuple[list[str], list[str]]:
    """The attack, twice: with a large ward one common row too many is refused, with the other it is missed."""
    beside = ["common" if said == "cohort_difference_too_small" else "rare" for said in told(ask, LARGE)]
    edge = ["rare" if said == "cohort_too_small" else "common" for said in told(ask, EDGE)]
    return beside, edge


def test_refusals_tell_the_kind_of_a_row_alone_in_its_cell(
    sealed_alleys: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = SmallCells.of
    monkeypatch.setattr(SmallCells, "of", lambda counts, _: found(counts, 1))
    ask = asker(anew(sealed_alleys, tmp_path), rich_order(sealed_alleys, **GUARDED))
    assert read_kinds(ask) == (KINDS, KINDS)


def test_rows_alone_in_a_cell_do_not_decide_what_is_refused(sealed_alleys: Market, tmp_path: Path) -> None:
    ask = asker(anew(sealed_alleys, tmp_path), rich_order(sealed_alleys, **GUARDED))
    assert set(told(ask, LARGE)) == {"cohort_difference_too_small"}
    assert set(told(ask, EDGE)) == {"cohort_too_small"}
    # All kinds of all alleys together are a public cohort of their own, and are answered as before.
    totals(ask(f"SELECT COUNT(*) FROM f WHERE ward IN ({', '.join(map(repr, ALLEYS))})"), "rows")


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
