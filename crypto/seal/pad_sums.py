"""Sums over padded columns: integer additions modulo 2^w, without a key; every machine gets the same number.

Rows of one category lie side by side (they are sorted before sealing), so a question is a few runs of rows with one
weight each. A question with another weight for every row is runs of one row.

Assumes: nothing. Leaks: nothing of the values; runs and weights are public. Cost: one pass over the rows taken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crypto.errors import MalformedInput, ParameterError
from crypto.seal.pad_wire import CHUNK, PadChunk, PadProfile, Words, read_chunk

Integers = NDArray[np.int64]
_DENSE = 8  # with more than one run for so many rows, weights are spread over the rows


@dataclass(frozen=True, eq=False)
class Runs:
    """Rows of one column that a number takes.

    Args:
        starts, stops: int64, starts[j] < stops[j] <= starts[j+1]. weights: int64, of each run, none of them zero.
    Raises:
        ParameterError: no run, or not as above.
    """

    starts: Integers
    stops: Integers
    weights: Integers

    def __post_init__(self) -> None:
        arrays = (self.starts, self.stops, self.weights)
        if any(array.dtype != np.int64 or array.shape != (self.starts.size,) for array in arrays):
            raise ParameterError("runs: expected three int64 arrays of one length")
        if not self.starts.size or self.starts[0] < 0 or not self.weights.all():
            raise ParameterError("runs: expected at least one, from row 0 on, with weights other than zero")
        if (self.starts >= self.stops).any() or (self.stops[:-1] > self.starts[1:]).any():
            raise ParameterError("runs: expected rows in increasing order, no run empty")

    @classmethod
    def of(cls, *rows: range, weights: Sequence[int] = ()) -> "Runs":
        """Runs from ranges, each with weight one or the given one."""
        starts, stops = ([getattr(run, end) for run in rows] for end in ("start", "stop"))
        given = list(weights) or [1] * len(rows)
        return cls(*(np.array(part, dtype=np.int64) for part in (starts, stops, given)))

    @property
    def weight(self) -> int:
        """Sum over rows of the magnitudes of their weights: what a bound on a value is multiplied by."""
        largest = max(-int(self.weights.min()), int(self.weights.max()))
        if largest * int(self.lengths.sum()) < 1 << 63:
            return int(np.dot(self.lengths, np.abs(self.weights)))
        return sum(int(rows) * abs(int(weight)) for rows, weight in zip(self.lengths, self.weights, strict=True))

    def chunks(self) -> list[int]:
        """Numbers of the chunks in which rows are taken."""
        numbers = np.arange(self.starts[0] // CHUNK, (self.stops[-1] - 1) // CHUNK + 1)
        ended = np.searchsorted(self.stops, numbers * CHUNK, side="right")
        begun = np.searchsorted(self.starts, (numbers + 1) * CHUNK, side="left")
        found: list[int] = numbers[ended < begun].tolist()
        return found

    @property
    def lengths(self) -> Integers:
        """Rows of each run."""
        return self.stops - self.starts

    def ends(self) -> tuple[Integers, Integers]:
        """Every place where the weight changes (and some where it does not), in increasing order, and how much less it
        is from there on: the sum over the rows of weight * (F(row+1) - F(row)) is the sum of change * F over them."""
        if (self.stops[:-1] == self.starts[1:]).all():  # no gaps, as when every row has a weight of its own
            index, added = (
                np.append(self.starts, self.stops[-1]),
                np.negative(np.diff(self.weights, prepend=0, append=0)),
            )
            if 2 * np.count_nonzero(added) > added.size:
                return index, added  # picking out the changes would cost more than it saves
            return index[added != 0], added[added != 0]
        index = np.stack([self.starts, self.stops], axis=1).reshape(-1)
        change = np.stack([-self.weights, self.weights], axis=1).reshape(-1)
        firsts = np.flatnonzero(np.diff(index, prepend=-1))  # the end of a run may be the start of the next
        found, added = index[firsts], np.add.reduceat(change, firsts)
        return found[added != 0], added[added != 0]

    def times(self, factor: int) -> "Runs":
        """The same rows with every weight times a factor other than zero.

        Raises:
            ParameterError: the factor is zero, or a weight leaves 64 bits.
        """
        if not factor or int(np.abs(self.weights).max()) * abs(factor) >= 1 << 63:
            raise ParameterError("runs: expected weights other than zero, of 64 bits")
        return Runs(self.starts, self.stops, self.weights * factor)


def open_padded(profile: PadProfile, blobs: Iterable[bytes]) -> list[PadChunk]:
    """The chunks of one column, every blob checked.

    Raises:
        MalformedInput: a blob is not one of this profile, or they do not follow each other on one sheet.
    """
    chunks = [read_chunk(profile, blob) for blob in blobs]
    check_order(chunks)
    return chunks


def check_order(chunks: Sequence[PadChunk]) -> None:
    """Check that these are all chunks of one sheet, in order.

    Raises:
        MalformedInput: they are not.
    """
    for number, chunk in enumerate(chunks):
        if chunk.start != number * CHUNK or chunk.salt != chunks[0].salt:
            raise MalformedInput(f"padded column: expected chunk {number} of one sheet, got another one")
        if number + 1 < len(chunks) and chunk.count != CHUNK:
            raise MalformedInput(f"padded column: expected {CHUNK} values in every chunk but the last")


def evaluate_runs(profile: PadProfile, chunks: Sequence[PadChunk], runs: Runs) -> int:
    """The sum modulo 2^w of the padded values that the runs take, each times its weight: an integer in [0, 2^w).

    Raises:
        ParameterError: a run goes beyond the column, or a chunk is of another profile.
    """
    if not chunks or any(chunk.profile != profile for chunk in chunks):
        raise ParameterError(f"padded column: expected at least one chunk, all of {profile.name}")
    if runs.stops[-1] > chunks[-1].stop:
        raise ParameterError(f"runs: expected rows below {chunks[-1].stop}, got {runs.stops[-1]}")
    return sum(chunk_sum(chunks[number], runs) for number in runs.chunks()) % profile.modulus


def chunk_sum(chunk: PadChunk, runs: Runs) -> int:
    """What one chunk adds to `evaluate_runs`, not reduced: modulo 2^64, of which 2^w is a divisor."""
    low = int(np.searchsorted(runs.stops, chunk.start, side="right"))
    high = int(np.searchsorted(runs.starts, chunk.stop, side="left"))
    if low == high:
        return 0
    first = max(int(runs.starts[low]) - chunk.start, 0)
    last = min(int(runs.stops[high - 1]) - chunk.start, chunk.words.size)
    if last - first == high - low:  # one run a row, without a gap: no array is made
        return int(np.dot(chunk.words[first:last], runs.weights[low:high].view(np.uint64)))
    starts = np.maximum(runs.starts[low:high] - chunk.start, 0)
    stops = np.minimum(runs.stops[low:high] - chunk.start, chunk.words.size)
    weights = runs.weights[low:high].view(np.uint64)
    if starts.size == 1:
        return int(chunk.words[first:last].sum(dtype=np.uint64)) * int(weights[0])
    if starts.size * _DENSE > chunk.words.size:
        return _dense(chunk.words, starts, stops, weights)
    bounds = np.stack([starts, stops], axis=1).reshape(-1)
    sums = np.add.reduceat(chunk.words, bounds[bounds < chunk.words.size], dtype=np.uint64)[::2]
    return int(np.dot(sums, weights))


def _dense(words: Words, starts: Integers, stops: Integers, weights: NDArray[np.uint64]) -> int:
    changes = np.zeros(words.size + 1, dtype=np.uint64)
    np.add.at(changes, starts, weights)
    np.subtract.at(changes, stops, weights)
    return int(np.dot(words, np.cumsum(changes)[:-1]))
