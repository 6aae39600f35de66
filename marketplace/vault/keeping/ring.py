"""The secrets of a data set: for each form of sealing a key of its own, or one holder's half of it.

The keys are drawn independently, not derived from one another: parameter sets differ from form to form, and a key that
is given away or worn out says nothing about the others. A ring is written down as its keys one after the other, in the
order of the manifest's forms, which also say how long each is.

How a form keeps its key stands in KEY_KINDS; a form whose keys are made, written and split in other ways is another
row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any, Protocol

from crypto.errors import InvalidKey
from crypto.seal.keys import SealingKey
from crypto.seal.pad_keys import HOLDERS, PART_BYTES, PadKey
from crypto.seal.pad_wire import pad_profile
from crypto.seal.parameters import profile as profile_named
from crypto.seal.splitting import HalfKey, join, split, split_zero

FormKey = SealingKey | HalfKey | PadKey
Forms = Sequence[Mapping[str, Any]]
"""The forms of a manifest."""


class KeyKind(Protocol):
    """How the keys of one form are made, written, split and moved.

    Arguments named `profile` are the parameter set that the manifest names.
    """

    @property
    def profile(self) -> str:
        """Parameter set of new keys."""

    def generate(self, profile: str) -> FormKey:
        """A fresh whole key."""

    def size(self, profile: str, half: bool) -> int:
        """Bytes of a key, or of half of one."""

    def read(self, profile: str, data: bytes, half: bool) -> FormKey:
        """The key that `to_bytes` gave, or the half. Raises InvalidKey."""

    def split(self, key: FormKey) -> tuple[FormKey, FormKey]:
        """Two halves of a whole key."""

    def join(self, one: FormKey, other: FormKey) -> FormKey:
        """The key of two halves. Raises InvalidKey."""

    def zero(self, profile: str) -> tuple[FormKey, FormKey]:
        """What two holders add to their halves to refresh them."""

    def plus(self, one: FormKey, other: FormKey) -> FormKey:
        """A half moved by another."""

    @property
    def moves(self) -> bool:
        """Whether halves can be moved while the sealed data stay."""


@dataclass(frozen=True)
class BfvKeys:
    """Keys of SEAL's scheme. `square`: halves hold a half of the key's square too, for releases of products."""

    profile: str
    square: bool
    moves: bool = True

    def generate(self, profile: str) -> FormKey:
        return SealingKey.generate(profile_named(profile))

    def size(self, profile: str, half: bool) -> int:
        named = profile_named(profile)
        return (8 * named.words << self.square) if half else named.degree // 4

    def read(self, profile: str, data: bytes, half: bool) -> FormKey:
        return (HalfKey if half else SealingKey).from_bytes(profile_named(profile), data)

    def split(self, key: FormKey) -> tuple[FormKey, FormKey]:
        assert isinstance(key, SealingKey)
        return split(key, square=self.square)

    def join(self, one: FormKey, other: FormKey) -> FormKey:
        return join(*_halves(one, other))

    def zero(self, profile: str) -> tuple[FormKey, FormKey]:
        return split_zero(profile_named(profile), square=self.square)

    def plus(self, one: FormKey, other: FormKey) -> FormKey:
        mine, theirs = _halves(one, other)
        return mine.plus(theirs)


@dataclass(frozen=True)
class PadKeys:
    """Keys of pads: two independent parts, of which each holder keeps one for as long as the data stay sealed."""

    profile: str
    moves: bool = False

    def generate(self, profile: str) -> FormKey:
        return PadKey.generate(pad_profile(profile))

    def size(self, profile: str, half: bool) -> int:  # noqa: ARG002 - the same for every width
        return PART_BYTES if half else HOLDERS * PART_BYTES

    def read(self, profile: str, data: bytes, half: bool) -> FormKey:  # noqa: ARG002 - the length says it
        return PadKey.from_bytes(pad_profile(profile), data)

    def split(self, key: FormKey) -> tuple[FormKey, FormKey]:
        assert isinstance(key, PadKey)
        return key.split()

    def join(self, one: FormKey, other: FormKey) -> FormKey:
        assert isinstance(one, PadKey)
        assert isinstance(other, PadKey)
        return one.join(other)

    def zero(self, profile: str) -> tuple[FormKey, FormKey]:
        zero = PadKey.zero(pad_profile(profile))
        return zero, zero

    def plus(self, one: FormKey, other: FormKey) -> FormKey:
        assert isinstance(one, PadKey)
        assert isinstance(other, PadKey)
        return one.moved(other)


KEY_KINDS: dict[str, KeyKind] = {
    "rows": PadKeys("pads-64-1"),
    "cells": BfvKeys("bfv-8192-cells-1", square=False),
    "products": BfvKeys("bfv-8192-products-1", square=True),
}


@dataclass(frozen=True)
class KeyRing:
    """The keys, or halves, of a data set's forms. Its repr shows none of them.

    Args:
        forms: (form, parameter set) of each. keys: of each. is_half: whether they are one holder's halves.
    """

    forms: tuple[tuple[str, str], ...]
    keys: tuple[FormKey, ...]
    is_half: bool = False

    def __repr__(self) -> str:
        return f"KeyRing({len(self.keys)} keys, secret)"

    @property
    def moves(self) -> bool:
        """Whether all halves can be moved while the sealed data stay."""
        return all(KEY_KINDS[form].moves for form, _ in self.forms)

    def __getitem__(self, form: int) -> Any:
        """The key of the form at this position; of what kind it is, the form knows."""
        return self.keys[form]

    @classmethod
    def generate(cls, forms: Forms) -> "KeyRing":
        """Fresh whole keys."""
        named = _named(forms)
        return cls(named, tuple(KEY_KINDS[form].generate(profile) for form, profile in named))

    @classmethod
    def reader(cls, forms: Forms, *, half: bool) -> Callable[[bytes], "KeyRing"]:
        """A function that reads what `to_bytes` gave; it raises InvalidKey, without key material in the message.

        Whatever else can go wrong does so here, before there is a secret that a traceback could show.

        Raises:
            crypto.errors.ParameterError: no such parameter set.
        """
        named = _named(forms)
        sizes = [KEY_KINDS[form].size(profile, half) for form, profile in named]
        return partial(_read, named, sizes, half)

    def to_bytes(self) -> bytes:
        """The keys themselves, one after the other. Secret."""
        return b"".join(key.to_bytes() for key in self.keys)

    def split(self) -> tuple["KeyRing", "KeyRing"]:
        """Fresh halves of whole keys. Forget the keys afterwards."""
        pairs = [KEY_KINDS[form].split(key) for (form, _), key in zip(self.forms, self.keys, strict=True)]
        return self._pair(pairs)

    def join(self, other: "KeyRing") -> "KeyRing":
        """The whole keys of two holders' halves, for as long as it takes to seal more under them.

        Raises:
            InvalidKey: they do not belong together.
        """
        return KeyRing(self.forms, self._with(other, "join"))

    def zero(self) -> tuple["KeyRing", "KeyRing"]:
        """What the two holders add to refresh their halves."""
        return self._pair([KEY_KINDS[form].zero(profile) for form, profile in self.forms])

    def plus(self, other: "KeyRing") -> "KeyRing":
        """These halves moved by others.

        Raises:
            InvalidKey, crypto.errors.ParameterError: they are of other forms.
        """
        return KeyRing(self.forms, self._with(other, "plus"), is_half=True)

    def _with(self, other: "KeyRing", action: str) -> tuple[FormKey, ...]:
        if self.forms != other.forms or not (self.is_half and other.is_half):
            raise InvalidKey("halves of keys: expected two of the same forms")
        named = zip(self.forms, self.keys, other.keys, strict=True)
        return tuple(getattr(KEY_KINDS[form], action)(mine, theirs) for (form, _), mine, theirs in named)

    def _pair(self, pairs: Sequence[tuple[FormKey, FormKey]]) -> tuple["KeyRing", "KeyRing"]:
        one, other = (tuple(pair[side] for pair in pairs) for side in (0, 1))
        return KeyRing(self.forms, one, is_half=True), KeyRing(self.forms, other, is_half=True)


def _read(named: tuple[tuple[str, str], ...], sizes: Sequence[int], half: bool, data: bytes) -> KeyRing:
    if sum(sizes) != len(data):
        raise InvalidKey(f"keys of a data set: expected {sum(sizes)} bytes, got {len(data)}")
    ends = list(accumulate(sizes))
    pieces = zip(named, sizes, ends, strict=True)
    keys = [KEY_KINDS[form].read(profile, data[end - size : end], half) for (form, profile), size, end in pieces]
    return KeyRing(named, tuple(keys), half)


def _named(forms: Forms) -> tuple[tuple[str, str], ...]:
    return tuple((str(item["form"]), str(item["profile"])) for item in forms)


def _halves(one: FormKey, other: FormKey) -> tuple[HalfKey, HalfKey]:
    assert isinstance(one, HalfKey)
    assert isinstance(other, HalfKey)
    return one, other
