"""The quick way to Keccak-256 is held to pycryptodome's own, also where several threads hash at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import keccak


@given(st.binary(max_size=600))
def test_the_quick_way_gives_the_same(data: bytes) -> None:
    assert keccak.quick(data) == keccak.plain(data)


def test_the_quick_way_is_taken() -> None:
    assert keccak.keccak256 is keccak.quick


def test_threads_do_not_meet_in_one_state() -> None:
    texts = [bytes([number]) * (number * 37) for number in range(64)]
    expected = [keccak.plain(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        rounds = pool.map(lambda _: [keccak.quick(text) for text in texts], range(50))
        assert all(found == expected for found in rounds)


@pytest.mark.parametrize("wrong", [lambda data: data, lambda _data: keccak._gone(), lambda _data: bytes(32)])  # type: ignore[attr-defined]
def test_another_library_is_noticed(wrong: keccak.Hash) -> None:
    assert keccak.choose(wrong) is keccak.plain
