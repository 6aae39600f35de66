"""Evaluating numbers in the form of padded rows: one pass of additions over the places that a number takes.

The holders of the keys know from the plan what a number takes, so of the evaluation they need nothing (no "c1").
"""

from collections.abc import Iterator, Sequence

from crypto.seal.pad_sums import chunk_sum
from crypto.seal.pad_wire import pad_profile
from marketplace.queries.evaluation.data import Data
from marketplace.queries.planning.forms.reach import Reach, Reaches
from marketplace.queries.planning.forms.rows import runs_of
from marketplace.queries.planning.numbers import Number
from marketplace.queries.protocol.opening import PaddedNumber
from marketplace.queries.timings import part


def evaluate_rows(data: Data, numbers: Sequence[Number], reach: Reaches) -> Iterator[PaddedNumber]:
    """The padded sums, in order."""
    for number in numbers:
        yield PaddedNumber(_total(data, number, reach(number)))


def add_padded(name: str, parts: Sequence[PaddedNumber]) -> PaddedNumber:
    """The sum of padded sums under the parameter set of this name."""
    return PaddedNumber(sum(number.c0 for number in parts) % pad_profile(name).modulus)


def _total(data: Data, number: Number, reach: Reach) -> int:
    """Chunk by chunk, so that no more than one is in use at a time; chunks that are not touched are not fetched."""
    chosen, runs, total = pad_profile(data.profile), runs_of(data.manifest, data.form, reach), 0
    for column, factor in number.parts:
        weighted = runs.times(factor)
        for batch in data.manifest["batches"]:
            for place in filter(data.share.takes, weighted.chunks()):
                with part("opening"):
                    chunk = data.padded_chunk(batch, column, place)
                with part("arithmetic"):
                    total += chunk_sum(chunk, weighted)
    return total % chosen.modulus
