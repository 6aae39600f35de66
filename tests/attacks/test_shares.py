"""What a share tells of the key that made it, if its owner answers anything, or answers without smudging: of sums, and
of products of ciphertexts.

Guards: smudging, 2^120 or 2^164 wide, in every share; and above it, that a vault answers only what it derived itself,
since smudging hides nothing of a request that is chosen large (test_panel.py has the vault).
"""

import secrets

import numpy as np
import pytest
from numpy.typing import NDArray

from crypto.seal.cells import open_chunk, seal_chunk
from crypto.seal.evaluate import evaluate_sum
from crypto.seal.headroom_products import prove_product
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import CELLS, PRODUCTS
from crypto.seal.products import release_product
from crypto.seal.release import release_share
from tests.attacks.chance import most_by_chance
from tests.attacks.liars import coefficients, probe

PRIME = CELLS.data_primes[0]
DEGREE = CELLS.degree
SMALL = 50
"""Coefficients asked for at once, below the smudging: 4^50 = 2^100."""


@pytest.fixture(scope="module")
def key() -> SealingKey:
    return SealingKey.generate(CELLS)


def no_smudging(bound: int) -> int:
    """In place of the generator: the middle, so that the smudging is zero."""
    return bound // 2


# -- a c1 of somebody's choosing, with small coefficients


def chosen(key: SealingKey, count: int) -> int:
    """How many of the first coefficients of the key the shares of small chosen c1 tell."""
    found: list[int] = []
    for first in range(0, count, SMALL):
        share = release_share(key, probe(CELLS, first, lowest=0, digits=SMALL).c1, 0)
        found += coefficients(CELLS, share, lowest=0, digits=SMALL)
    true = key.coefficients().tolist()
    return sum(mine == theirs for mine, theirs in zip(found, true[:count], strict=True))


def test_a_chosen_c1_without_smudging_is_the_key(key: SealingKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", no_smudging)
    assert chosen(key, 8000) == 8000


def test_smudging_hides_the_key_from_a_small_chosen_c1(key: SealingKey) -> None:
    """A coefficient of the key is one of three, so a blind guess is right a third of the time."""
    assert chosen(key, 8000) <= most_by_chance(8000, 1 / 3)


# -- products: a share answers (s*c1 + s^2*c2)[0]

ROOM = 16
"""Coefficients that fit above the smudging of products and below half their modulus."""


def chosen_product(key: SealingKey, count: int, lowest: int, digits: int) -> int:
    """How many coefficients of the key, from the second on, the shares of chosen pairs tell."""
    proven, found = prove_product(PRODUCTS, rows=1, chunks=1, indicators=1, total=1), list[int]()
    for first in range(1, count, digits):
        c1, c2 = product_probe(first, lowest, digits)
        found += coefficients(PRODUCTS, release_product(key, c1, c2, 0, proven), lowest, digits)
    true = key.coefficients().tolist()[1:]
    return sum(mine == theirs for mine, theirs in zip(found, true, strict=False))


def product_probe(first: int, lowest: int, digits: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """A pair that is no product of anything: -2^(lowest + 2j) at X^(N - i) brings s_i, i = first + j, to X^0."""
    c1 = np.zeros((len(PRODUCTS.data_primes), PRODUCTS.degree), dtype=np.uint64)
    for place in range(digits):
        scale = 1 << (lowest + 2 * place)
        c1[:, PRODUCTS.degree - first - place] = [-scale % prime for prime in PRODUCTS.data_primes]
    return c1, np.zeros_like(c1)


@pytest.fixture(scope="module")
def product_key() -> SealingKey:
    return SealingKey.generate(PRODUCTS)


def test_a_chosen_pair_without_smudging_is_the_key(product_key: SealingKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", no_smudging)
    assert chosen_product(product_key, 8000, 0, SMALL) == 8000


def test_smudging_hides_the_key_from_a_small_chosen_pair(product_key: SealingKey) -> None:
    assert chosen_product(product_key, 8000, 0, SMALL) <= most_by_chance(8000, 1 / 3)


def test_smudging_hides_nothing_from_a_large_chosen_pair(product_key: SealingKey) -> None:
    """Why a key's owner evaluates for itself: the guard is that it is asked nothing else."""
    assert chosen_product(product_key, 160, PRODUCTS.smudging_bits + 2, ROOM) == 160


# -- approved sums only: every cell of a chunk on its own, by an operator that has all of c0 and c1


def product_of(key: SealingKey, c1: NDArray[np.uint64]) -> list[int]:
    """s*c1 modulo the first prime, coefficient by coefficient, from the shares of the chunk's cells one at a time."""
    found = []
    for cell in range(DEGREE):
        share = release_share(key, shifted(c1, DEGREE - 1 - cell), 0)
        found.append(share % PRIME)
    return found


def shifted(c1: NDArray[np.uint64], places: int) -> NDArray[np.uint64]:
    """c1 * X^places modulo X^N + 1: the c1 of a sum over one cell."""
    primes = np.array(CELLS.data_primes, dtype=np.uint64)[:, None]
    turned = (primes - c1[:, DEGREE - places :]) % primes
    return np.concatenate([turned, c1[:, : DEGREE - places]], axis=1)


def transform(values: list[int], root: int) -> list[int]:
    """Values of a polynomial at the powers of a root of unity modulo PRIME."""
    if len(values) == 1:
        return values
    square = root * root % PRIME
    even, odd = transform(values[::2], square), transform(values[1::2], square)
    twisted, power = [], 1
    for value in odd:
        twisted.append(value * power % PRIME)
        power = power * root % PRIME
    sums = [(a + b) % PRIME for a, b in zip(even, twisted, strict=True)]
    return sums + [(a - b) % PRIME for a, b in zip(even, twisted, strict=True)]


def divided(product: list[int], by: list[int]) -> list[int]:
    """The quotient of two polynomials modulo X^N + 1 and PRIME, by number-theoretic transforms."""
    psi = root_of_minus_one()
    powers = [pow(psi, place, PRIME) for place in range(DEGREE)]
    root = psi * psi % PRIME
    twisted = [[value * power % PRIME for value, power in zip(one, powers, strict=True)] for one in (product, by)]
    top, bottom = (transform(values, root) for values in twisted)
    quotient = [a * pow(b, -1, PRIME) % PRIME for a, b in zip(top, bottom, strict=True)]
    back, scale = transform(quotient, pow(root, -1, PRIME)), pow(DEGREE, -1, PRIME)
    return [value * scale * pow(power, -1, PRIME) % PRIME for value, power in zip(back, powers, strict=True)]


def root_of_minus_one() -> int:
    """A number whose N-th power is -1 modulo PRIME."""
    candidates = (pow(base, (PRIME - 1) // (2 * DEGREE), PRIME) for base in range(2, 100))
    return next(found for found in candidates if pow(found, DEGREE, PRIME) == PRIME - 1)


def stolen(key: SealingKey) -> int:
    """How many coefficients of the key come out of dividing s*c1 by c1."""
    chunk = open_chunk(CELLS, seal_chunk(key, np.arange(DEGREE, dtype=np.int64)))
    whole = evaluate_sum(CELLS, [chunk], [DEGREE - 1])
    one = evaluate_sum(CELLS, [chunk], [5])
    assert (one.c1 == shifted(whole.c1, DEGREE - 1 - 5)).all(), "what a sum over one cell asks for"
    found = divided(product_of(key, whole.c1), [int(value) for value in whole.c1[0]])
    signed = [value - PRIME if value > PRIME // 2 else value for value in found]
    return sum(mine == true for mine, true in zip(signed, key.coefficients().tolist(), strict=True))


def test_shares_of_single_cells_without_smudging_are_the_key(key: SealingKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", no_smudging)
    assert stolen(key) == DEGREE


def test_smudging_makes_the_quotient_noise(key: SealingKey) -> None:
    """The quotient is spread over 2^60 residues; even one coefficient that fits is beyond chance."""
    assert stolen(key) <= most_by_chance(DEGREE, 3 / PRIME)
