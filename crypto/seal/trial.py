"""A foreign blob loaded into SEAL and read back, once."""

from crypto.seal.cells import open_chunk
from crypto.seal.engine import engine
from crypto.seal.parameters import Profile
from crypto.seal.products import open_rows


def trial(profile: Profile, data: bytes) -> None:
    """Open the blob as an evaluation would, transform it, and read its polynomials back; the result is thrown away.

    Arithmetic is left out: a product of ciphertexts costs ten times as much, and sees only words below their primes.

    Raises:
        MalformedInput: it is no blob of this profile; nothing of it came to SEAL then.
    """
    made = engine(profile)
    if profile.plain_prime:
        opened = made.to_ntt(open_rows(profile, data).ciphertext)
    else:
        opened = open_chunk(profile, data).ciphertext
    made.polynomials(made.from_ntt(opened))
