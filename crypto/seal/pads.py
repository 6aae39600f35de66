"""Keyed pads: sealed values of which sums can be computed in the open, by addition modulo 2^w alone.

    c[i]   = v[i] + F(i+1) - F(i)                     mod 2^w     F: words of an AES-256-CTR keystream, w = 24, 40 or 64
    sum    = sum of weight * c over runs of rows       mod 2^w     by anybody: it is what `c0` is for a sealed number
    share  = noise - sum of weight * (F(end) - F(start))  mod 2^w  by the holder of the key, two words a run
    number = sum + share                               mod 2^w     by the recipient, read as a signed integer

The differences telescope, so that a share costs the same however many rows a run has. F(0), ..., F(n) are independent
and uniform if the keystream is, and then so are the n differences: c is a one-time pad of the whole column.

One key never pads two columns: every sheet (a column of a batch) has a key of its own by HKDF, from the block, the name
of the column and a salt that is drawn for every sealing. A block number alone would not do, because a draft that was
given up may have used it. A key has two parts that both pad every value; of a split key each holder answers for one.

Assumes: AES-256 is a pseudorandom permutation and HKDF-SHA256 a key derivation; the operating system's generator;
a fresh salt for every sealing: two different columns on one sheet give away their difference, value by value.
Leaks: to who stores the blobs, how many values there are, no more. To the recipient, the number plus noise and nothing
else: the share is that number less the public sum, so there is no error to hide and no smudging, and half a split key
is independent of the values. To the holder, which rows were asked for. A holder never looks at a ciphertext: no chosen
ciphertext can make it reveal more. It must approve the question, since a share for every row would open the column.
Integrity: none. Whoever changes c changes the number by just as much, unseen. It comes from the registered digests of
the blobs and from recomputing the sum (panel, vault, auditor).
Cost: w/8 bytes a value; one addition a value to evaluate; one AES block for each end of a run to release.
No refresh: halves of such a key cannot be moved to other halves while the sealed data stay (splitting.py can).
Source: ASHE in Papadimitriou et al., "Big Data Analytics over Encrypted Datasets with Seabed", OSDI 2016, section 3.1;
Burkhalter et al., "TimeCrypt", NSDI 2020, section 4.2; NIST SP 800-38A (CTR), RFC 5869 (HKDF).
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from crypto.errors import ParameterError
from crypto.seal.headroom import noise_bound
from crypto.seal.pad_keys import PadKey, Sheet
from crypto.seal.pad_sums import Runs
from crypto.seal.pad_wire import CHUNK, MAX_VALUES, PadChunk, PadProfile, write_chunk


@dataclass(frozen=True)
class PadProof:
    """What was proven of one number: bounds on |true total| and on |privacy noise|, the latter exceeded with
    probability below 2^-64."""

    total: int
    noise: int


def prove_pads(
    profile: PadProfile,
    weight: int,
    low: int,
    high: int,
    *,
    total: int | None = None,
    scale: Fraction | int = 0,
    shares: int = 1,
) -> PadProof:
    """Proves that a sum with its noise cannot wrap: |total| + |noise| < 2^(w-1). There is no error that could grow.

    Args:
        profile: the parameter set.
        weight: sum of the magnitudes of the weights; of a plain sum, how many values.
        low, high: declared bounds of a value.
        total: a tighter bound on |sum|, if one is known.
        scale: scale of the discrete Laplace noise that will be added; 0 for none.
        shares: how many holders of keys add that noise.

    Raises:
        ParameterError: with the bound that fails, expected and got.
    """
    if weight < 1 or low > high or (total is not None and total < 0):
        raise ParameterError(f"declared bounds: expected weight >= 1 and low <= high, got {weight}, {low} and {high}")
    most = weight * max(abs(low), abs(high))
    magnitude, noise = most if total is None else min(total, most), shares * noise_bound(Fraction(scale))
    if magnitude + noise >= profile.half:
        raise ParameterError(
            f"the total could wrap: expected |total| + |noise| < {profile.half}, got {magnitude} + {noise}"
        )
    return PadProof(magnitude, noise)


def seal_padded(key: PadKey, sheet: Sheet, start: int, values: NDArray[np.int64]) -> bytes:
    """Seals one chunk of a column, as a blob (see `pad_wire`).

    Args:
        key: a whole one. sheet: of the column, for this one sealing.
        start: index of the first value in the column, a multiple of CHUNK.
        values: 1 to CHUNK integers in (-2^(w-1), 2^(w-1)); fewer than CHUNK only in the last chunk.

    Raises:
        ParameterError: an argument is not as above. The message holds no value.
    """
    profile = key.profile
    if not key.is_whole:
        raise ParameterError("padded values: expected a whole key, got a half")
    if values.ndim != 1 or not 1 <= values.size <= CHUNK or values.dtype.kind not in "iu":
        raise ParameterError(f"padded values: expected 1 to {CHUNK} integers, got {values.dtype} {values.shape}")
    if start % CHUNK or not 0 <= start <= MAX_VALUES - values.size:
        raise ParameterError(f"padded values: expected a first index that is a multiple of {CHUNK}, got {start}")
    if int(values.max()) >= profile.half or int(values.min()) <= -profile.half:
        raise ParameterError(f"padded values: expected magnitudes below {profile.half}, got a larger one")
    pads = np.diff(key.words(sheet, start, values.size + 1))
    words = values.astype(np.int64).view(np.uint64) + pads  # wraps around modulo 2^64, a multiple of 2^w
    return write_chunk(PadChunk(profile, sheet.salt, start, words & profile.mask))


def release_padded(key: PadKey, taken: list[tuple[Sheet, Runs]], noise: int, proven: PadProof) -> int:
    """A holder's share of one number.

    Args:
        key: the whole key, or the holder's half.
        taken: the runs of rows that an approved question takes of each sheet.
        noise: privacy noise to add to the number.
        proven: of this number, by `prove_pads`: without it there is no release.

    Returns:
        A residue in [0, 2^w).

    Raises:
        ParameterError: the noise is beyond what was proven.
    """
    if abs(noise) > proven.noise:
        raise ParameterError("noise: expected a magnitude that the proof of the number allows for")
    return (noise - sum(_pad_of(key, sheet, runs) for sheet, runs in taken)) % key.profile.modulus


def combine_padded(profile: PadProfile, total: int, shares: list[int]) -> int:
    """The released number, a signed integer in [-2^(w-1), 2^(w-1)).

    Args:
        profile: the columns' parameter set. total: the public sum (pad_sums.evaluate_runs).
        shares: one of every holder.

    Raises:
        ParameterError: a residue is out of range, or there is no share.
    """
    if not shares or not all(0 <= residue < profile.modulus for residue in (total, *shares)):
        raise ParameterError(f"sum and shares: expected residues below 2^{profile.bits}")
    number = (total + sum(shares)) % profile.modulus
    return number - profile.modulus if number >= profile.half else number


def _pad_of(key: PadKey, sheet: Sheet, runs: Runs) -> int:
    """What the pads of the runs add up to: weights times F at the end less F at the start; equal neighbours cancel."""
    index, factors = runs.ends()
    words = key.words_at(sheet, index)
    return int(np.dot(words, factors.view(np.uint64)))
