"""The fixed numbers of the profiles: SEAL's own primes, inside the 128-bit table, on the SEAL we know."""

import pytest
import tenseal.sealapi as seal

from crypto.errors import ParameterError
from crypto.seal import parameters
from crypto.seal.engine import engine, seal_version
from tests.unit.crypto.seal.samples import BOTH, CELLS, ROWS

TABLE_128_BITS = {4096: 109, 8192: 218}


def test_the_installed_seal_is_the_one_whose_wire_format_and_sampler_we_rely_on() -> None:
    assert seal_version() == (4, 3)


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_all_primes_together_stay_inside_the_128_bit_table(profile: parameters.Profile) -> None:
    bits = sum(prime.bit_length() for prime in (*profile.data_primes, *profile.special_primes))
    assert bits <= TABLE_128_BITS[profile.degree]
    assert engine(profile).context.parameters_set()


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_primes_are_those_seal_makes_for_these_sizes(profile: parameters.Profile) -> None:
    chain = (*profile.data_primes, *profile.special_primes)
    made = seal.CoeffModulus.Create(profile.degree, [prime.bit_length() for prime in chain])
    assert tuple(m.value() for m in made) == chain
    assert tuple(m.value() for m in engine(profile).context.first_context_data().parms().coeff_modulus()) == (
        profile.data_primes
    )


def test_a_profile_is_known_by_its_name_only() -> None:
    assert parameters.profile("bfv-8192-cells-1") is CELLS
    with pytest.raises(ParameterError, match=r"expected one of .*bfv-4096-rows-1.*got 'ckks'"):
        parameters.profile("ckks")


def test_parameter_digests_differ() -> None:
    assert CELLS.digest != ROWS.digest
    assert len(CELLS.digest) == len(ROWS.digest) == 16
