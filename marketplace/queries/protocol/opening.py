"""How the numbers of each form of sealing travel: from panel to key holder, and from the holders' shares to the buyer.

A form is a row of OPENERS. What a number of it looks like in between is the form's own affair; here it has a residue
for the buyer, and a request for the key's holders, named by its SHA-256, unless they need nothing of the number.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from crypto.errors import MalformedInput
from crypto.seal.evaluate import SealedNumber, read_request
from crypto.seal.pad_wire import pad_profile
from crypto.seal.pads import combine_padded
from crypto.seal.parameters import profile
from crypto.seal.products import combine_product, read_product
from crypto.seal.release import combine, join_shares


class Sealed(Protocol):
    """A number that was evaluated and that nobody can read yet."""

    @property
    def c0(self) -> int:
        """The residue that goes to the buyer, at most 32 bytes."""

    def request(self) -> bytes:
        """What the key's holders need of it."""

    def request_digest(self) -> bytes | None:
        """SHA-256 of `request`; None where they need nothing."""


@dataclass(frozen=True)
class Opener:
    """One form. Both functions take the name of the parameter set first.

    Args:
        read: a number that others evaluated, from its residue and its request (empty where it has none); raises
            CryptoError where it is none.
        combine: the released number from its residue and the share of each holder; raises CryptoError where one is out
            of range.
    """

    read: Callable[[str, int, bytes], Sealed]
    combine: Callable[[str, int, Sequence[int]], int]


def opener(manifest: Any, form: int) -> Opener:
    """The opener of the form at this position."""
    return OPENERS[manifest["forms"][form]["form"]]


def _read_cells(name: str, c0: int, request: bytes) -> Sealed:
    return SealedNumber(profile(name), c0, read_request(profile(name), request))


def _combine_cells(name: str, c0: int, shares: Sequence[int]) -> int:
    return combine(profile(name), c0, join_shares(profile(name), shares))


def _read_product(name: str, c0: int, request: bytes) -> Sealed:
    return read_product(profile(name), c0, request)


def _combine_product(name: str, c0: int, shares: Sequence[int]) -> int:
    return combine_product(profile(name), c0, join_shares(profile(name), shares))


@dataclass(frozen=True)
class PaddedNumber:
    """A sum of padded values. The keys' holders know from the plan what it takes, so they need nothing of it."""

    c0: int

    def request(self) -> bytes:
        """Nothing."""
        return b""

    def request_digest(self) -> None:
        """There is no request."""


def _read_padded(name: str, c0: int, request: bytes) -> Sealed:
    if request or not 0 <= c0 < pad_profile(name).modulus:
        raise MalformedInput(f"padded number: expected a residue below 2^{pad_profile(name).bits} and no request")
    return PaddedNumber(c0)


def _combine_padded(name: str, c0: int, shares: Sequence[int]) -> int:
    return combine_padded(pad_profile(name), c0, list(shares))


OPENERS = {
    "cells": Opener(_read_cells, _combine_cells),
    "rows": Opener(_read_padded, _combine_padded),
    "products": Opener(_read_product, _combine_product),
}
