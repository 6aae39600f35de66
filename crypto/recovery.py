"""The address behind a signature, by the C functions of the libsecp256k1 that coincurve brings.

coincurve's own method makes five objects and copies for one recovery, 2 us beside the library's 27, and for every
voucher somebody waits for it. C looks at no length: whoever calls here has looked. Nothing is kept between calls but
addresses, so threads do not meet, and the library lets others run while it works.
"""

from functools import lru_cache

from coincurve import PublicKey
from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from crypto.canonical import keccak256
from crypto.errors import InvalidSignature


def recover_address(digest: bytes, signature: bytes, parity: int) -> str:
    """The address whose key made a signature, "0x" and 40 lower-case hex digits.

    Args:
        digest: 32 bytes. signature: r || s first, at least 64 bytes, both in range. parity: 0 or 1, of the point's y.
    Raises:
        InvalidSignature: it is of no key.
    Source: SEC 1 section 4.1.6.
    """
    given, point = ffi.new("secp256k1_ecdsa_recoverable_signature *"), ffi.new("secp256k1_pubkey *")
    context = GLOBAL_CONTEXT.ctx
    if not (
        lib.secp256k1_ecdsa_recoverable_signature_parse_compact(context, given, signature, parity)
        and lib.secp256k1_ecdsa_recover(context, point, given, digest)
    ):
        raise InvalidSignature("the signature is of no key")
    return _address(bytes(ffi.buffer(point)))


def address_of_key(key: PublicKey) -> str:
    """The address of a public key, the last 20 bytes of its hash. Source: Ethereum yellow paper, appendix F."""
    return "0x" + keccak256(key.format(compressed=False)[1:])[12:].hex()


@lru_cache(maxsize=1024)  # the same few keys sign voucher after voucher
def _address(point: bytes) -> str:
    """Of a point as the library holds it: within one process the same bytes are the same key."""
    return address_of_key(PublicKey(ffi.from_buffer("secp256k1_pubkey *", point)))
