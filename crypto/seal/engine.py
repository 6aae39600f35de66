"""The only module that knows SEAL. Polynomials go in and out as numpy arrays; parameters come from an allowed Profile,
never from bytes.

`tenseal.sealapi` saves to and loads from paths only. Each call here uses a memory file of its own, so nothing touches
a disk, threads and forked processes cannot meet in one file, and a saved key disappears with the descriptor.

SEAL's wire format (4.x): 16-byte header (magic 0xA15E, header size, version, compression, total size), then the
members. What SEAL wrote in this process is trusted; foreign bytes reach `ciphertext` only as arrays that `wire` has
range-checked.
"""

import os
import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import tenseal.sealapi as seal
import zstandard
from numpy.typing import NDArray

from crypto.errors import ParameterError
from crypto.seal.parameters import Profile

_HEADER = struct.Struct("<HBBBBHQ")  # magic, header size, version major, minor, compression, zero, total size
_PLAINTEXT = struct.Struct("<32sQd")  # parms id, coefficient count, scale
_CIPHERTEXT = struct.Struct("<32sBQQQdQ")  # parms id, NTT form, polynomials, N, primes, scale, correction factor
_MAGIC, _UNCOMPRESSED, _ZSTD, _BLAKE2XB = 0xA15E, 0, 2, b"\x01"
_ARRAY_OVERHEAD = _HEADER.size + 8


class Engine:
    """SEAL's objects for one profile. Holds no key."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.context = _context(profile)
        self.evaluator = seal.Evaluator(self.context)
        self._version = _version(seal.Plaintext(1))
        self._parms_id = b"".join(word.to_bytes(8, "little") for word in self.context.first_parms_id())

    def plaintext(self, coefficients: NDArray[np.uint64]) -> Any:
        """A BFV plaintext whose polynomial has these coefficients, each below t."""
        array = np.ascontiguousarray(coefficients, dtype="<u8")
        members = _PLAINTEXT.pack(bytes(32), array.size, 1.0) + self._array(array)
        return self._load(seal.Plaintext(), self._wrap(members))

    def weights(self, coefficients: NDArray[np.uint64]) -> Any:
        """The same polynomial in NTT form, ready to multiply an NTT-form ciphertext."""
        plain = self.plaintext(coefficients)
        self.evaluator.transform_to_ntt_inplace(plain, self.context.first_parms_id())
        return plain

    def slots(self, values: NDArray[np.uint64]) -> Any:
        """The plaintext whose N slots hold these residues: products of such polynomials are products slot by slot."""
        plain = seal.Plaintext()
        seal.BatchEncoder(self.context).encode(values.tolist(), plain)
        return plain

    def coefficients(self, plain: Any) -> NDArray[np.uint64]:
        """The N coefficients of a plaintext (SEAL drops leading zeros; they are put back)."""
        members = _members(_dump(plain), 8 * self.profile.degree)
        _, count, _ = _PLAINTEXT.unpack_from(members)
        out = np.zeros(self.profile.degree, dtype=np.uint64)
        out[:count] = np.frombuffer(members, dtype="<u8", count=count, offset=_PLAINTEXT.size + _ARRAY_OVERHEAD)
        return out

    def secret_key(self, ternary: NDArray[np.int8]) -> Any:
        """SEAL's form of the secret key whose coefficients are -1, 0 and 1."""
        plain = self.plaintext((ternary.astype(np.int64) % self.profile.plain_modulus).astype(np.uint64))
        self.evaluator.transform_to_ntt_inplace(plain, self.context.key_parms_id())
        return self._load(seal.SecretKey(), _dump(plain))

    def encrypt(self, secret_key: Any, coefficients: NDArray[np.uint64]) -> tuple[bytes, NDArray[np.uint64]]:
        """A fresh symmetric encryption: the 64-byte seed of c1, and c0 as uint64 [primes, N]."""
        sealed = seal.Encryptor(self.context, secret_key).encrypt_symmetric(self.plaintext(coefficients))
        members = _members(_dump(sealed), 16 * self.profile.words)
        start = _CIPHERTEXT.size + _ARRAY_OVERHEAD
        c0 = np.frombuffer(members, dtype="<u8", count=self.profile.words, offset=start)
        return members[-64:], c0.reshape(len(self.profile.data_primes), self.profile.degree)

    def ciphertext(self, seed: bytes, c0: NDArray[np.uint64]) -> Any:
        """The ciphertext (c0, expand(seed)), in coefficient form. c0 must already be range-checked."""
        profile = self.profile
        fields = _CIPHERTEXT.pack(self._parms_id, 0, 2, profile.degree, len(profile.data_primes), 1.0, 1)
        members = fields + self._array(c0) + self._wrap(_BLAKE2XB + seed)
        return self._load(seal.Ciphertext(), self._wrap(members))

    def to_ntt(self, ciphertext: Any) -> Any:
        """The ciphertext in NTT form; changes and returns its argument."""
        self.evaluator.transform_to_ntt_inplace(ciphertext)
        return ciphertext

    def from_ntt(self, ciphertext: Any) -> Any:
        """The ciphertext in coefficient form; changes and returns its argument."""
        self.evaluator.transform_from_ntt_inplace(ciphertext)
        return ciphertext

    def add(self, ciphertexts: list[Any]) -> Any:
        """The sum of one or more ciphertexts of one form. A single one is returned as it is, not copied."""
        if len(ciphertexts) == 1:
            return ciphertexts[0]
        total = seal.Ciphertext()
        self.evaluator.add(ciphertexts[0], ciphertexts[1], total)
        for other in ciphertexts[2:]:
            self.evaluator.add_inplace(total, other)
        return total

    def subtract(self, ciphertext: Any, other: Any) -> Any:
        """Takes `other` from the ciphertext; changes and returns its first argument."""
        self.evaluator.sub_inplace(ciphertext, other)
        return ciphertext

    def multiply(self, ciphertext: Any, weights: Any) -> Any:
        """A new ciphertext: the NTT-form ciphertext times weights that are not all zero."""
        product = seal.Ciphertext()
        self.evaluator.multiply_plain(ciphertext, weights, product)
        return product

    def weighted_sum(self, terms: Iterable[tuple[Any, Any]]) -> Any:
        """A new ciphertext: the sum of one or more NTT-form ciphertexts, each times weights that are not all zero."""
        (ciphertext, weights), *others = terms
        total, product = self.multiply(ciphertext, weights), seal.Ciphertext()
        for other, factor in others:
            self.evaluator.multiply_plain(other, factor, product)
            self.evaluator.add_inplace(total, product)
        return total

    def multiply_together(self, ciphertext: Any, other: Any) -> Any:
        """The product of two ciphertexts in coefficient form: three polynomials, not relinearised."""
        product = seal.Ciphertext()
        self.evaluator.multiply(ciphertext, other, product)
        return product

    def polynomials(self, ciphertext: Any) -> NDArray[np.uint64]:
        """The coefficients of a ciphertext of two or three polynomials, uint64 [polynomials, primes, N]."""
        members = _members(_dump(ciphertext), 32 * self.profile.words)
        shape = (ciphertext.size(), len(self.profile.data_primes), self.profile.degree)
        return np.frombuffer(members, dtype="<u8", offset=_CIPHERTEXT.size + _ARRAY_OVERHEAD).reshape(shape)

    def decrypt(self, secret_key: Any, ciphertext: Any) -> NDArray[np.uint64]:
        """All N coefficients of the message, in [0, t)."""
        plain = seal.Plaintext()
        seal.Decryptor(self.context, secret_key).decrypt(ciphertext, plain)
        return self.coefficients(plain)

    def _array(self, array: NDArray[np.uint64]) -> bytes:
        words = np.ascontiguousarray(array, dtype="<u8")
        return self._wrap(struct.pack("<Q", words.size) + words.tobytes())

    def _wrap(self, members: bytes) -> bytes:
        major, minor = self._version
        size = _HEADER.size + len(members)
        return _HEADER.pack(_MAGIC, _HEADER.size, major, minor, _UNCOMPRESSED, 0, size) + members

    def _load(self, target: Any, data: bytes) -> Any:
        with os.fdopen(os.memfd_create("seal"), "wb") as file:
            file.write(data)
            file.flush()
            target.load(self.context, f"/proc/self/fd/{file.fileno()}")
        return target


@lru_cache
def engine(profile: Profile) -> Engine:
    """The engine of a profile, made once per process."""
    return Engine(profile)


def seal_version() -> tuple[int, int]:
    """Major and minor version of the SEAL inside the installed wheel, as it writes it on the wire."""
    return _version(seal.Plaintext(1))


def _context(profile: Profile) -> Any:
    parameters = seal.EncryptionParameters(seal.SCHEME_TYPE.BFV)
    parameters.set_poly_modulus_degree(profile.degree)
    parameters.set_coeff_modulus([seal.Modulus(p) for p in (*profile.data_primes, *profile.special_primes)])
    parameters.set_plain_modulus(profile.plain_modulus)
    context = seal.SEALContext(parameters, True, seal.SEC_LEVEL_TYPE.TC128)
    if not context.parameters_set():
        raise ParameterError(f"profile {profile.name}: {context.parameters_error_message()}")
    return context


def _version(saved: Any) -> tuple[int, int]:
    _, _, major, minor, *_ = _HEADER.unpack_from(_dump(saved))
    return major, minor


def _dump(source: Any) -> bytes:
    with os.fdopen(os.memfd_create("seal"), "rb") as file:
        source.save(f"/proc/self/fd/{file.fileno()}")
        return file.read()


def _members(data: bytes, limit: int) -> bytes:
    compression = _HEADER.unpack_from(data)[4]
    if compression == _ZSTD:
        return zstandard.ZstdDecompressor().decompress(data[_HEADER.size :], max_output_size=limit + 4096)
    return data[_HEADER.size :]
