"""Keccak-256 is held to pycryptodome's, also where several threads hash at once."""

from concurrent.futures import ThreadPoolExecutor

from Crypto.Hash import keccak
from hypothesis import example, given
from hypothesis import strategies as st

from crypto.canonical import keccak256


@given(st.binary(max_size=600))
@example(bytes(135))
@example(bytes(136))
def test_the_same_as_another_library(data: bytes) -> None:
    assert keccak256(data) == _pycryptodomes(data)


def test_threads_do_not_disturb_each_other() -> None:
    texts = [bytes([number]) * (number * 370) for number in range(64)]  # from 2 KiB on the library lets others run
    expected = [_pycryptodomes(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: [keccak256(text) for text in texts] == expected, range(50)))


def _pycryptodomes(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()
