"""The parameter sets that sealed data may use. A name in, fixed numbers out; nothing here is ever negotiated.

Assumes: ring-LWE with ternary secrets at the sizes of the Homomorphic Encryption Standard's table for 128 bits of
classical security (N = 4096: 109 bits of modulus, N = 8192: 218 bits); `engine` asks SEAL to enforce the same table.

Source: Albrecht et al., Homomorphic Encryption Standard (2018), table 1; Fan and Vercauteren, eprint 2012/144 (BFV).
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from crypto.errors import ParameterError


@dataclass(frozen=True)
class Profile:
    """One allowed parameter set.

    Attributes:
        name: its public name; appears in manifests.
        degree: N, the number of values in one chunk.
        data_primes: the primes whose product is q, the modulus of ciphertexts.
        special_primes: primes SEAL sets aside for key switching. We never switch keys; a chain of several primes must
            have one.
        plain_bits: log2 of t, rounded up. Sealed values and released totals are integers in (-t/2, t/2).
        max_cells: the most values one sum may add up.
        smudging_bits: a released share carries a uniform integer from [-2^smudging_bits, 2^smudging_bits).
        tail_bits: None if the error of a sum is bounded with certainty; k if it is bounded except with probability
            2^-k over the coins of an honest sealer.
        plain_prime: t, where values stand in slots: a prime with t = 1 mod 2N. 0 where t is a power of two and values
            stand in coefficients.
    """

    name: str
    degree: int
    data_primes: tuple[int, ...]
    special_primes: tuple[int, ...]
    plain_bits: int
    max_cells: int
    smudging_bits: int
    tail_bits: int | None
    plain_prime: int = 0

    @cached_property
    def modulus(self) -> int:
        """q, the product of the data primes."""
        product = 1
        for prime in self.data_primes:
            product *= prime
        return product

    @property
    def plain_modulus(self) -> int:
        """t, the modulus of the values."""
        return self.plain_prime or 1 << self.plain_bits

    @property
    def half(self) -> int:
        """t/2: every value and every released total is smaller than this in magnitude."""
        return self.plain_modulus >> 1

    @property
    def words(self) -> int:
        """Number of 64-bit words in one polynomial modulo q."""
        return self.degree * len(self.data_primes)

    @cached_property
    def digest(self) -> bytes:
        """16 bytes that name the numbers themselves, so that one name can never stand for two parameter sets."""
        primes = ",".join(map(str, (*self.data_primes, 0, *self.special_primes)))
        layout, t = ("slots", self.plain_prime) if self.plain_prime else ("coefficients", f"2^{self.plain_bits}")
        text = f"bfv/{layout}/1 name={self.name} n={self.degree} primes={primes} t={t}"
        return hashlib.sha256(text.encode()).digest()[:16]


# 180 bits of ciphertext modulus, 198 in all, of the 218 the table allows. Every sum of up to 2^26 cells has a certain
# error bound, and a released share hides it by far more than 40 bits (headroom.release_margin).
CELLS = Profile(
    name="bfv-8192-cells-1",
    degree=8192,
    data_primes=(0xFFFFFFFFFFD8001, 0xFFFFFFFFFFE8001, 0xFFFFFFFFFFFC001),
    special_primes=(0x28001,),
    plain_bits=58,
    max_cells=1 << 26,
    smudging_bits=119,
    tail_bits=None,
)

# 60 of the 109 bits the table allows: 8 bytes a value at rest. Too narrow to hide the error of a sum, so nothing is
# released from it (headroom.release_margin); its sums are for the key's owner.
ROWS = Profile(
    name="bfv-4096-rows-1",
    degree=4096,
    data_primes=(0xFFFFFFFFFFFC001,),
    special_primes=(),
    plain_bits=40,
    max_cells=1 << 22,
    smudging_bits=18,
    tail_bits=64,
)

# 200 bits of ciphertext modulus, 218 in all: as wide as the table allows. Values stand in slots, so that ciphertexts
# multiply value by value. Every number of up to 2^22 rows has a certain error bound (headroom_products).
PRODUCTS = Profile(
    name="bfv-8192-products-1",
    degree=8192,
    data_primes=(0x3FFFFFFFFC001, 0x3FFFFFFFCC001, 0x3FFFFFFEF4001, 0x3FFFFFFE94001),
    special_primes=(0x28001,),
    plain_bits=34,
    max_cells=1 << 22,
    smudging_bits=163,
    tail_bits=None,
    plain_prime=0x3FFFE4001,
)

PROFILES = {p.name: p for p in (CELLS, ROWS, PRODUCTS)}


def profile(name: str) -> Profile:
    """The parameter set of that name.

    Raises:
        ParameterError: no such profile is allowed.
    """
    try:
        return PROFILES[name]
    except KeyError:
        raise ParameterError(f"unknown profile: expected one of {sorted(PROFILES)}, got {name!r}") from None
