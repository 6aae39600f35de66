"""Keccak-256 as Ethereum uses it (the padding before FIPS 202).

The code is pycryptodome's, asked for in half the time: its C functions are called on states that are kept, where its
own interface makes an object and a state for each hash. Those functions are not promised to stay, so they are tried
against the interface when this module is loaded, and it is used if they are not what they were.
"""

from collections.abc import Callable
from typing import Any

from Crypto.Hash import keccak
from Crypto.Util import _raw_api

_library: Any = getattr(keccak, "_raw_keccak_lib", None)
_types: Any = _raw_api

Hash = Callable[[bytes], bytes]

_SIZE, _ROUNDS, _PADDING = 32, 24, 1
_TRIED = (b"", b"abc", bytes(135), bytes(136), bytes(range(256)) * 3)
_states: list[Any] = []  # whoever hashes takes one away, so neither a thread nor an interruption meets another's


def plain(data: bytes) -> bytes:
    """By pycryptodome's interface."""
    return keccak.new(digest_bits=256, data=data).digest()


def quick(data: bytes) -> bytes:
    """By its functions."""
    try:
        state = _states.pop()
    except IndexError:
        state = _make_state()
    digest = _types.create_string_buffer(_SIZE)
    failed = _library.keccak_absorb(state, data, _types.c_size_t(len(data)))
    failed = failed or _library.keccak_digest(state, digest, _types.c_size_t(_SIZE), _types.c_ubyte(_PADDING))
    if failed or _library.keccak_reset(state):
        raise MemoryError("keccak")  # the state is not given back
    _states.append(state)
    return bytes(digest)


def choose(candidate: Hash) -> Hash:
    """`candidate` if it gives what the interface gives; else the interface."""
    try:
        fits = all(candidate(data) == plain(data) for data in _TRIED for _ in range(2))
    except (AttributeError, TypeError, ValueError, MemoryError):
        fits = False
    return candidate if fits else plain


def _make_state() -> Any:
    pointer = _types.VoidPointer()
    if _library.keccak_init(pointer.address_of(), _types.c_size_t(2 * _SIZE), _types.c_ubyte(_ROUNDS)):
        raise MemoryError("keccak")
    return pointer.get()


keccak256: Hash = choose(quick)
