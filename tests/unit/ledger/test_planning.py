"""Intents become transactions and blocks: nothing is lost, turned round, or too big."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from marketplace.calls import decode_call, selector_of
from marketplace.ledger.planning import (
    SPLIT_GAS,
    SPLITTING,
    WALK_GAS,
    WALKING,
    Limits,
    QueuedCall,
    make_batches,
    next_timestamp,
)

CONTRACTS = ("Orders", "Rights", "Participants")
CALLS = st.lists(st.tuples(st.sampled_from(CONTRACTS), st.integers(4, 2_000), st.booleans()), max_size=80)
LIMITS = st.builds(
    Limits,
    calls=st.integers(1, 6),
    transactions=st.integers(1, 6),
    block_gas=st.integers(1_000_000, 30_000_000),
    data_bytes=st.integers(100, 6_000),
)


def queue_of(calls: list[tuple[str, int, bool]]) -> list[QueuedCall]:
    return [QueuedCall(i, name, bytes(size), alone) for i, (name, size, alone) in enumerate(calls)]


@given(CALLS, LIMITS)
def test_a_block_is_the_head_of_the_queue_in_order(calls: list[tuple[str, int, bool]], limits: Limits) -> None:
    queue = queue_of(calls)
    taken = [call for batch in make_batches(queue, limits) for call in batch.calls]
    assert taken == queue[: len(taken)]
    assert bool(taken) == bool(queue)


@given(CALLS, LIMITS)
def test_nothing_outgrows_its_limits(calls: list[tuple[str, int, bool]], limits: Limits) -> None:
    batches = make_batches(queue_of(calls), limits)
    assert len(batches) <= limits.transactions
    for batch in batches:
        assert {call.contract for call in batch.calls} == {batch.contract}
        assert len(batch.calls) <= limits.calls
        assert len(batch.calls) == 1 or not any(call.alone for call in batch.calls)
        assert len(batch.calls) == 1 or sum(len(call.calldata) for call in batch.calls) <= limits.data_bytes
        # `submit` lends each call an equal part of what is left.
        assert all((batch.gas - 100_000) // len(batch.calls) >= call.gas for call in batch.calls)
    if sum(len(batch.calls) for batch in batches) > 1:
        assert sum(batch.gas for batch in batches) <= limits.block_gas


@given(CALLS, LIMITS)
def test_what_stayed_behind_would_not_have_fitted(calls: list[tuple[str, int, bool]], limits: Limits) -> None:
    queue = queue_of(calls)
    batches = make_batches(queue, limits)
    rest = queue[sum(len(batch.calls) for batch in batches) :]
    if not rest:
        return
    joins = batches[-1].has_room(rest[0], limits)
    gas = sum(batch.gas for batch in batches[: -1 if joins else None])
    gas += batches[-1].gas_with(rest[0]) if joins else 100_000 + rest[0].gas
    assert gas > limits.block_gas or (not joins and len(batches) == limits.transactions)


@given(CALLS)
def test_repeating_it_empties_the_queue(calls: list[tuple[str, int, bool]]) -> None:
    queue, seen = queue_of(calls), []
    while queue:
        taken = [call for batch in make_batches(queue, Limits(calls=3, transactions=2)) for call in batch.calls]
        seen += taken
        queue = queue[len(taken) :]
    assert [call.sequence for call in seen] == list(range(len(calls)))


def test_a_transaction_carries_its_calls_as_submit() -> None:
    (batch,) = make_batches([QueuedCall(i, "Orders", bytes([i]) * 40) for i in range(3)], Limits())
    verb, arguments = decode_call("Orders", batch.data)
    assert verb == "submit"
    assert arguments == [["0x" + bytes([i]).hex() * 40 for i in range(3)]]


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_block_times_grow_even_if_the_clock_goes_back(now: int, last: int) -> None:
    found = next_timestamp(now, last)
    assert found > last
    assert found >= now
    assert found in (now, last + 1)


def test_the_default_limits_hold_a_thousand_ordinary_calls() -> None:
    queue = [QueuedCall(i, "Orders", bytes(500)) for i in range(5_000)]
    assert sum(len(batch.calls) for batch in make_batches(queue, Limits())) > 1_000


def test_what_divides_money_is_lent_gas_for_all_its_holders() -> None:
    settle, fund = (QueuedCall(1, "Orders", selector_of("Orders", verb) + bytes(600)) for verb in ("settle", "fund"))
    assert fund.gas < 1_000_000 < settle.gas
    assert replace(settle, assets=16).gas - settle.gas == 15 * SPLIT_GAS
    assert all(QueuedCall(1, name, selector_of(name, verb)).splits for name in SPLITTING for verb in SPLITTING[name])


def test_what_asks_every_input_of_a_product_is_lent_gas_for_all_of_them() -> None:
    name, other = bytes([7]) * 32, bytes([8]) * 32
    for contract, verbs in WALKING.items():
        for verb, place in verbs.items():
            call = QueuedCall(1, contract, selector_of(contract, verb) + other * place + name + other * 4)
            assert call.names == "0x" + name.hex()
            assert replace(call, assets=16).gas - call.gas == 15 * WALK_GAS
    assert QueuedCall(1, "Orders", selector_of("Orders", "refund") + name).names == ""


def test_a_receipt_that_may_accept_is_lent_what_acceptance_is() -> None:
    """Where quality shows at once, `acknowledge` concludes the order in the same call (see Deliveries.sol)."""
    receipt, acceptance = (
        QueuedCall(1, "Deliveries", selector_of("Deliveries", verb) + bytes(288), assets=16)
        for verb in ("acknowledge", "accept")
    )
    assert receipt.gas == acceptance.gas > 16 * SPLIT_GAS
