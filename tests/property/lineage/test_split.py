"""I-28: whatever products are made of, and whoever shares in them, what is paid sums to what there is."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from marketplace.lineage.rules import Input, Lineage, parts_of, tree_of
from marketplace.rights.records import Asset, Rights, Share

WHOLE = 10_000


def assets(count: int) -> list[str]:
    return [f"0x{number:064x}" for number in range(1, count + 1)]


@st.composite
def cuts(draw: st.DrawFn, parts: int) -> list[int]:
    """Basis points that sum to the whole, zeros among them."""
    places = sorted(draw(st.lists(st.integers(0, WHOLE), min_size=parts - 1, max_size=parts - 1)))
    return [high - low for low, high in zip([0, *places], [*places, WHOLE], strict=True)]


@st.composite
def markets(draw: st.DrawFn) -> tuple[Lineage, Rights, str]:
    """Up to six assets, each made of some before it."""
    lineage, rights, names = Lineage(), Rights(), assets(draw(st.integers(1, 6)))
    for place, name in enumerate(names):
        holders = draw(st.integers(1, 16))
        shares = [Share(f"0x{number:040x}", bps) for number, bps in enumerate(draw(cuts(holders)))]
        rights.assets[name] = Asset("0x" + "01" * 20, 1, "0x" + "02" * 32, 1, shares)
        below = draw(st.lists(st.sampled_from(names[:place]), max_size=8, unique=True)) if place else []
        bps = draw(cuts(len(below) + 1))[:-1]
        inputs = tuple(Input(key, "0x" + "03" * 32, part) for key, part in zip(below, bps, strict=True))
        lineage.trees[name] = tree_of(lineage, inputs)
    return lineage, rights, names[-1]


@given(markets(), st.integers(0, 2**53 - 1))
def test_parts_sum_exactly(market: tuple[Lineage, Rights, str], net: int) -> None:
    lineage, rights, product = market
    parts = parts_of(lineage, rights, product, net)
    assert sum(part.amount for part in parts) == net
    assert all(part.amount >= 0 for part in parts)


@given(markets(), st.integers(0, 2**53 - 1))
def test_no_asset_is_further_from_its_exact_part_than_a_unit_a_level(
    market: tuple[Lineage, Rights, str], net: int
) -> None:
    lineage, rights, product = market
    paid: dict[str, int] = {}
    for part in parts_of(lineage, rights, product, net):
        paid[part.asset_id] = paid.get(part.asset_id, 0) + part.amount
    due: dict[str, Fraction] = {}
    uses: dict[str, int] = {}

    def divide(name: str, amount: Fraction) -> None:
        inputs = lineage.tree(name).inputs
        own = amount * (WHOLE - sum(item.bps for item in inputs)) / WHOLE
        due[name], uses[name] = due.get(name, Fraction(0)) + own, uses.get(name, 0) + 1
        for item in inputs:
            if item.bps:
                divide(item.asset_id, amount * item.bps / WHOLE)

    divide(product, Fraction(net))
    levels = lineage.tree(product).depth + 1
    assert all(abs(paid.get(name, 0) - exact) <= levels * uses[name] for name, exact in due.items())
    assert set(paid) <= set(due)


@given(markets(), st.integers(0, 2**53 - 1))
def test_an_asset_without_inputs_pays_its_own_share_holders_alone(
    market: tuple[Lineage, Rights, str], net: int
) -> None:
    lineage, rights, _ = market
    first = assets(1)[0]
    parts = parts_of(lineage, rights, first, net)
    assert [part.holder for part in parts] == [share.holder for share in rights.assets[first].payees()]
