"""A foreign blob taken once through everything that SEAL will do with it."""

import numpy as np

from crypto.seal.cells import open_chunk
from crypto.seal.engine import engine
from crypto.seal.parameters import Profile
from crypto.seal.products import open_rows


def trial(profile: Profile, data: bytes) -> None:
    """Open the blob and multiply it, as an evaluation would; the result is thrown away.

    Raises:
        MalformedInput: it is no blob of this profile; nothing of it came to SEAL then.
    """
    made = engine(profile)
    if profile.plain_prime:
        rows = open_rows(profile, data).ciphertext
        made.polynomials(made.multiply_together(rows, rows))
        return
    weights = np.zeros(profile.degree, dtype=np.uint64)
    weights[-1] = 1
    chunk = open_chunk(profile, data).ciphertext
    made.polynomials(made.from_ntt(made.multiply(chunk, made.weights(weights))))
