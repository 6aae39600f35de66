"""A column of any length as chunks of N values; squares as limbs; rows sorted by group.

Limbs: a non-negative value wider than a sum may carry is sealed as several columns, value = sum of limb_i *
2^(bits*i); the sums of the limbs are put together after release. Group layout: rows are sorted by group before
sealing, so that each group is one range of cells and a group-by costs one pass over the column whatever the number of
groups. The sizes of the groups are then public.

Assumes / leaks: as `cells`; the number of rows, and of rows per group in the group layout, are public.
Cost: one chunk in memory at a time.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from crypto.errors import ParameterError
from crypto.seal.cells import SealedChunk, open_chunk, seal_chunk
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import Profile


def seal_column(key: SealingKey, values: NDArray[np.int64]) -> Iterator[bytes]:
    """The blobs of a column in order, made one at a time.

    Args:
        key: the sealing key.
        values: one-dimensional, each in (-t/2, t/2).

    Raises:
        ParameterError: the column is empty or a value is out of range.
    """
    if not len(values):
        raise ParameterError("column: expected at least one value, got none")
    for start in range(0, len(values), key.profile.degree):
        yield seal_chunk(key, values[start : start + key.profile.degree])


def open_column(profile: Profile, blobs: Iterable[bytes]) -> list[SealedChunk]:
    """The chunks of a column, every blob checked.

    Raises:
        MalformedInput: a blob is not one of this profile.
    """
    return [open_chunk(profile, blob) for blob in blobs]


def split_limbs(values: NDArray[np.int64], bits: int, limbs: int) -> list[NDArray[np.int64]]:
    """Columns of `bits`-bit limbs, lowest first.

    Raises:
        ParameterError: a value is negative or does not fit `limbs` limbs of `bits` bits (at most 63 bits in all).
    """
    if not 1 <= bits * limbs <= 63:
        raise ParameterError(f"limbs: expected 1 to 63 bits in all, got {bits} x {limbs}")
    if len(values) and (int(values.min()) < 0 or int(values.max()) >> (bits * limbs)):
        raise ParameterError(f"limbs: expected values in [0, 2^{bits * limbs})")
    return [(values >> (bits * i)) & ((1 << bits) - 1) for i in range(limbs)]


def join_limbs(totals: Sequence[int], bits: int) -> int:
    """The total of a column from the totals of its limbs, lowest first. Exact, of any size."""
    return sum(total << (bits * i) for i, total in enumerate(totals))


def group_rows(groups: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], list[range]]:
    """The order in which to seal rows so that each group is one range of cells.

    Args:
        groups: group number of each row, 0..count-1.
        count: number of groups.

    Returns:
        (order, ranges): seal `values[order]`; the rows of group g are then the cells `ranges[g]`.

    Raises:
        ParameterError: a group number is out of range.
    """
    if len(groups) and not 0 <= int(groups.min()) <= int(groups.max()) < count:
        raise ParameterError(
            f"groups: expected numbers 0 to {count - 1}, got {int(groups.min())} to {int(groups.max())}"
        )
    ends = np.cumsum(np.bincount(groups, minlength=count)).tolist()
    return np.argsort(groups, kind="stable"), [range(a, b) for a, b in zip([0, *ends], ends, strict=False)]
