"""The noise that buyers get has the distribution it claims, measured where they get it: after sealing, the panel's
evaluation, the vault's decision (and a custodian's), HPKE, and the buyer's own arithmetic.

A released number less the truth is one draw. Every group of one answer has a number of its own, so one decision gives
hundreds. A true build fails a comparison with probability about ALPHA; there are fourteen, besides twenty-one of
correlation, whose limit is rarer still. The distributions are exact probability masses, of two draws where two holders
add noise.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from marketplace.queries.answers.answer import Answer, assemble
from marketplace.queries.planning.selection import Group
from marketplace.queries.protocol.handover import VaultTask
from marketplace.queries.protocol.statements import attest, sign_result
from marketplace.vault.keeping.custody import Deposit, card_of
from tests.sealed_market import DEPLOYMENT, SCHEMA, Market, Row, keys, open_market, voucher
from tests.split_market import SplitMarket, open_custodian
from tests.unit.crypto.seal.goodness import fit_p, gaussian_masses, laplace_masses, of_two

ALPHA = 1e-6
GROUPS = (8, 16, 4)
FEWER = (4, 16, 2)  # of products, which cost fifty times as much
LARGEST = 24  # magnitude of a value: the sensitivity of its sum
BUDGET = 4_000_000  # shared by COUNT(*) and SUM(value): two units each
EACH = BUDGET / 2 / 1_000_000
DEVIATION = math.sqrt(1 / (2 * EACH))  # of Gaussian noise at sensitivity 1
SQL = "SELECT a, b, c, COUNT(*), SUM(value) FROM t GROUP BY a, b, c"
HIDDEN = SQL.replace(" GROUP", " WHERE h = 'x' GROUP")
Masses = Mapping[int, float]


def names(size: int) -> list[str]:
    return [f"k{index}" for index in range(size)]


def groups_of(form: str) -> tuple[int, int, int]:
    return FEWER if form == "products" else GROUPS


def rows(form: str = "cells") -> list[Row]:
    """One row for each group, its value known; of products as many again of another hidden category."""
    found = list(enumerate(itertools.product(*map(names, groups_of(form)))))
    plain = [{"a": a, "b": b, "c": c, "value": str(index % 49 - 24)} for index, (a, b, c) in found]
    if form != "products":
        return plain
    return [{**row, "h": "x"} for row in plain] + [{**row, "h": "y", "value": "7"} for row in plain]


def schema(measure: str, form: str) -> dict[str, Any]:
    dimensions: list[dict[str, Any]] = [
        {"name": name, "categories": names(size)} for name, size in zip("abc", groups_of(form), strict=True)
    ]
    privacy = {"measure": measure} | ({"delta": "1e-9"} if measure == "zcdp" else {})
    value = {"name": "value", "unit": "1", "scale": 0, "low": -LARGEST, "high": LARGEST}
    sealed: dict[str, Any] = {"forms": [form]}
    if form == "rows":
        sealed |= {"rows": {"perCell": 2}}
    if form == "products":
        dimensions.append({"name": "h", "categories": ["x", "y"], "hidden": True})
    plain = {**SCHEMA, "minimumCohort": 1, "dimensions": dimensions, "measures": [value], "privacy": privacy}
    return plain | sealed


def opened(home: Path, measure: str, holders: int, form: str) -> Market:
    told, data = schema(measure, form), rows(form)
    if holders == 1:
        return open_market(home, told, data)
    own = keys("custodian")
    made = open_market(home, told, data, deposit=Deposit(card_of(own), keys("supplier")))
    split = SplitMarket(**vars(made))
    split.custodian = open_custodian(home, split, own)
    return split


def answered(market: Market, sql: str) -> Answer:
    """The question all the way to the buyer. One node evaluates and two sign, which halves the time."""
    order = market.order(cap=2 * BUDGET, epsilonPerQueryMax=BUDGET, minimumCohort=1)
    query = market.query(order, sql, BUDGET)
    result = market.nodes[0].evaluate(market.manifest, query).result
    signers = [node.keys for node in market.nodes[:2]]
    attestation = attest([sign_result(result, signer.address, signer.bls_secret) for signer in signers])
    task = VaultTask(query, voucher(order, query), result, attestation, order.papers)
    if not isinstance(market, SplitMarket):
        return assemble(market.received(order, task, market.decide(task)), order.buyer.x25519, DEPLOYMENT)
    waiting = market.approved(task)
    return market.answer(order, waiting, market.add(waiting))


def draws_of(answer: Answer, form: str) -> tuple[list[int], list[int]]:
    """Released less true, for the counts and for the sums."""
    taken = [row for row in rows(form) if row.get("h") != "y"]
    truth: dict[Group, tuple[int, int]] = {(row["a"], row["b"], row["c"]): (1, int(row["value"])) for row in taken}
    assert set(answer.groups) == set(truth)
    found = [
        (numbers["rows"] - truth[group][0], numbers["sum:value"] - truth[group][1])
        for group, numbers in zip(answer.groups, answer.numbers, strict=True)
    ]
    counts, sums = zip(*found, strict=True)
    return list(counts), list(sums)


def claimed(measure: str, holders: int) -> tuple[Masses, Masses]:
    """What the manifest, the budget and the sensitivities 1 and LARGEST claim, by the formulas of docs/security."""
    if measure == "pure":
        plain = laplace_masses(1 / EACH), laplace_masses(LARGEST / EACH)
    else:
        plain = gaussian_masses(DEVIATION), gaussian_masses(LARGEST * DEVIATION)
    return plain if holders == 1 else (of_two(plain[0]), of_two(plain[1]))


@pytest.mark.parametrize(
    ("form", "measure", "holders"),
    [
        *itertools.product(["rows"], ["pure", "zcdp"], [1, 2]),
        *(("cells", "pure", 2), ("cells", "zcdp", 1), ("products", "zcdp", 2)),
    ],
)
def test_released_noise_is_what_is_claimed(form: str, measure: str, holders: int, tmp_path: Path) -> None:
    draws = draws_of(answered(opened(tmp_path, measure, holders, form), HIDDEN if form == "products" else SQL), form)
    for found, masses in zip(draws, claimed(measure, holders), strict=True):
        assert p_value(found, masses) > ALPHA
    limit = 6.5 / math.sqrt(len(draws[0]))  # six and a half deviations of independent draws
    assert abs(correlation(draws[0], draws[1])) < limit, "a group's two numbers share noise"
    for found in draws:
        assert abs(correlation(found[1:], found[:-1])) < limit, "neighbouring groups share noise"


def p_value(draws: Sequence[int], masses: Masses) -> float:
    return fit_p(draws, masses, least=min(50, len(draws) // 10))


def correlation(one: Sequence[int], other: Sequence[int]) -> float:
    """Pearson's r, without taking a mean away: claimed noise has mean zero."""
    products = sum(x * y for x, y in zip(one, other, strict=True))
    return products / math.sqrt(sum(x * x for x in one) * sum(y * y for y in other))


def rounded_laplace(random: Random, scale: float) -> int:
    """What a floating-point sampler with rounding would give: close, and not the claimed distribution."""
    return round(random.choice((-1, 1)) * random.expovariate(1 / scale))


FALSE_NOISE: dict[str, tuple[str, int, Callable[[Random], int]]] = {
    "none": ("pure", 0, lambda random: 0),
    "rounded continuous Laplace": ("pure", 0, lambda random: rounded_laplace(random, 1 / EACH)),
    "Laplace at half the scale": ("pure", 1, lambda random: rounded_laplace(random, LARGEST / EACH / 2)),
    "Laplace where Gaussian is claimed": ("zcdp", 1, lambda random: rounded_laplace(random, LARGEST / EACH)),
    "rounded continuous Gaussian": ("zcdp", 0, lambda random: round(random.gauss(0, DEVIATION))),
    "Gaussian at half the deviation": ("zcdp", 1, lambda random: round(random.gauss(0, LARGEST * DEVIATION / 2))),
    "never negative": ("pure", 1, lambda random: abs(rounded_laplace(random, LARGEST / EACH))),
}


@pytest.mark.parametrize("name", FALSE_NOISE)
def test_the_same_comparison_refuses_false_noise(name: str) -> None:
    """As many draws as one answer gives, seeded: the comparison above has the power that it is there for."""
    measure, place, draw = FALSE_NOISE[name]
    random = Random(20260)
    draws = [draw(random) for _ in range(math.prod(GROUPS))]
    assert p_value(draws, claimed(measure, 1)[place]) < ALPHA


@pytest.mark.parametrize("measure", ["pure", "zcdp"])
def test_noise_of_one_holder_where_two_are_claimed_is_refused(measure: str) -> None:
    """And the other way round."""
    random = Random(20260)
    for one, two in zip(claimed(measure, 1), claimed(measure, 2), strict=True):
        for drawn, stated in ((one, two), (two, one)):
            draws = random.choices(list(drawn), list(drawn.values()), k=math.prod(GROUPS))
            assert p_value(draws, drawn) > ALPHA
            assert p_value(draws, stated) < 100 * ALPHA


def test_shared_noise_is_seen() -> None:
    random = Random(20261)
    draws = [rounded_laplace(random, 8) for _ in range(math.prod(GROUPS) // 2)]
    doubled = [draw for draw in draws for _ in range(2)]
    assert abs(correlation(doubled[1:], doubled[:-1])) > 6.5 / math.sqrt(len(doubled))
