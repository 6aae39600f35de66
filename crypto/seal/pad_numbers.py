"""One number over padded columns: the public sum for the recipient, and what a holder needs to answer for it.

A number takes runs of rows from some sheets, one for every column and batch. A holder that has the plan knows sheets
and runs itself, so nothing but the number's digest need travel, and no ciphertext can make it answer for anything else.

Assumes, leaks: as `pads`. Cost: one pass over the rows taken; a request has 24 bytes a run and sheet.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from crypto.errors import ParameterError
from crypto.seal.pad_keys import PadKey, Sheet
from crypto.seal.pad_sums import Runs, evaluate_runs
from crypto.seal.pad_wire import PadChunk, PadProfile
from crypto.seal.pads import PadProof, release_padded

_DOMAIN = b"sealed number, pads, version 1\n"
Taken = tuple[Sheet, Runs]
"""Runs of rows of one column of one batch."""


@dataclass(frozen=True, eq=False)
class PadNumber:
    """The sum of padded values, each times its weight.

    Attributes:
        profile: its parameter set.
        c0: that sum, an integer in [0, 2^w). Goes to the recipient.
        taken: of which rows. Public; what the holders of the keys answer for.
    """

    profile: PadProfile
    c0: int
    taken: tuple[Taken, ...]

    def request(self) -> bytes:
        """What is asked of a holder: a domain line, the parameter set's digest, and for each sheet its block, salt,
        column (length and text) and runs, all numbers little-endian."""
        parts = [_DOMAIN, self.profile.digest, len(self.taken).to_bytes(4, "little")]
        for sheet, runs in self.taken:
            column = sheet.column.encode()
            parts += [sheet.block.to_bytes(4, "little"), sheet.salt, len(column).to_bytes(2, "little"), column]
            parts.append(runs.request())
        return b"".join(parts)

    def request_digest(self) -> bytes:
        """SHA-256 of `request`."""
        return hashlib.sha256(self.request()).digest()

    def share(self, key: PadKey) -> int:
        """A holder's share of the number, still without noise: it must not leave so (pads.add_pad_noise)."""
        return release_padded(key, list(self.taken), 0, PadProof(0, 0))


def evaluate_padded(profile: PadProfile, taken: Sequence[tuple[Sheet, Runs, Sequence[PadChunk]]]) -> PadNumber:
    """The number that adds up runs of rows of some columns.

    Args:
        taken: sheet, runs and chunks of each column of each batch.

    Raises:
        ParameterError: nothing is taken, a run goes beyond its column, or chunks are of another parameter set or sheet.
    """
    if not taken:
        raise ParameterError("padded number: expected at least one column")
    total = 0
    for sheet, runs, chunks in taken:
        if any(chunk.salt != sheet.salt for chunk in chunks):
            raise ParameterError("padded number: expected chunks of the sheet that is named")
        total += evaluate_runs(profile, chunks, runs)
    return PadNumber(profile, total % profile.modulus, tuple((sheet, runs) for sheet, runs, _ in taken))
