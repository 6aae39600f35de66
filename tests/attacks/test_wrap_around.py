"""Wrap-around: totals that leave the range in which they are decoded come back as other numbers, and nothing in the
ciphertext tells.

Guards: sealing refuses bounds that so many rows could exceed; the planner proves for every number, noise and weights
included, that it stays inside, before anything is sold.
"""

from pathlib import Path
from typing import Any

import pytest

from crypto.errors import ParameterError
from crypto.seal.cells import open_chunk, seal_chunk
from crypto.seal.evaluate import evaluate_sum
from crypto.seal.headroom import Headroom, prove_headroom
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import CELLS
from crypto.seal.release import open_number
from marketplace.documents import ciphertext_root
from marketplace.errors import InvalidInputError, RuleError, VerificationError
from marketplace.queries.explain import NOBODY, Question, document_of, plan_or_refusal
from marketplace.vault.sealing.ranges import RANGES
from tests.attacks.scene import EXACT, UNGUARDED, answered, nothing, open_alone, rich_order
from tests.sealed_market import Market

WIDE = 1 << 28
VALUE = WIDE * 9 // 10
SQUARES = "SELECT VARIANCE(load) FROM f"
WEIGHTED = "SELECT WSUM(load, place, 'a', 999999999, 'b', 1000000000) FROM f"


def proven(*_: object, **__: object) -> Headroom:
    """In place of the proof: anything goes."""
    return Headroom(0, CELLS.half, 0, 99)


def open_loads(home: Path, high: int) -> Market:
    """Four rows in two places, each nine tenths of 2^28 where that is within the bounds."""
    schema: dict[str, Any] = {
        "title": {"en": "Loads", "zh": "负荷"},
        "minimumCohort": 1,
        "dimensions": [{"name": "place", "categories": ["a", "b"]}],
        "measures": [{"name": "load", "unit": "watt", "scale": 0, "low": 0, "high": high}],
    }
    value = str(min(VALUE, high))
    return open_alone(home, schema, [{"place": place, "load": value} for place in "abab"])


def too_wide(home: Path, monkeypatch: pytest.MonkeyPatch) -> Market:
    """A data set sealed without the check of bounds."""
    monkeypatch.setitem(RANGES, "cells", nothing)
    return open_loads(home, WIDE)


def ask(market: Market, sql: str) -> dict[str, int]:
    (numbers,) = answered(market.ask(rich_order(market, **UNGUARDED), sql, EXACT)).numbers
    return dict(numbers)


def explained(market: Market, sql: str) -> list[str]:
    """Why a question would be refused, from public documents, before there is an order."""
    root = ciphertext_root(market.manifest)
    document = document_of(Question(sql, None, EXACT), NOBODY, market.asset, root, market.manifest)
    _, refusals = plan_or_refusal(market.manifest, document)
    return [str(refusal["code"]) for refusal in refusals]


def refused(market: Market, sql: str) -> str:
    with pytest.raises(RuleError) as caught:
        ask(market, sql)
    return caught.value.code


def test_a_sum_of_squares_comes_back_as_another_number_where_nothing_is_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attested by the panel, derived anew by the vault, and off by 2^58. Squares that came back negative the buyer
    refuses by itself, a second line; where the range has room for what came round, as below, it cannot."""
    market = too_wide(tmp_path, monkeypatch)
    monkeypatch.setattr("marketplace.queries.planning.forms.cells.prove_headroom", proven)
    with pytest.raises(VerificationError):
        ask(market, SQUARES)
    monkeypatch.setattr("marketplace.queries.answers.answer.check_plausible", nothing)
    truth, found = 4 * VALUE * VALUE, ask(market, SQUARES)["sumsq:load"]
    assert found < 0 < truth
    assert abs(found - (truth - CELLS.plain_modulus)) < CELLS.half // 8, "but for noise"


def test_bounds_that_the_rows_could_exceed_are_not_sealed(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        open_loads(tmp_path, WIDE)
    assert caught.value.code == "bounds_too_wide"
    assert list((tmp_path / "vault" / "datasets").iterdir()) == []


def test_the_planner_refuses_what_was_sealed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    market = too_wide(tmp_path, monkeypatch)
    assert explained(market, SQUARES) == ["result_may_wrap"]
    assert refused(market, SQUARES) == "result_may_wrap"


def test_weights_take_a_total_out_of_its_range_where_nothing_is_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bounds of a hundred million are fine for sums and squares; with weights of a billion four rows are too many."""
    market = open_loads(tmp_path, 10**8)
    monkeypatch.setattr("marketplace.queries.planning.forms.cells.prove_headroom", proven)
    truth = 2 * 10**8 * (999_999_999 + 1_000_000_000)
    (found,) = ask(market, WEIGHTED).values()
    assert abs(found - (truth - CELLS.plain_modulus)) < CELLS.half // 8, "but for noise"


def test_weights_are_part_of_the_proof(tmp_path: Path) -> None:
    market = open_loads(tmp_path, 10**8)
    assert explained(market, WEIGHTED) == ["result_may_wrap"]
    assert refused(market, WEIGHTED) == "result_may_wrap"
    assert explained(market, SQUARES) == []


def test_two_cells_wrap_in_the_ciphertext_itself() -> None:
    """What the proof is about, without any of the market: the sum of two values within range is their sum modulo t."""
    key, value = SealingKey.generate(CELLS), CELLS.half - 1
    chunk = open_chunk(CELLS, seal_chunk(key, [value, value]))
    assert open_number(key, evaluate_sum(CELLS, [chunk], [0, 1])) == 2 * value - CELLS.plain_modulus
    with pytest.raises(ParameterError, match="could wrap"):
        prove_headroom(CELLS, 2, -value, value)
