"""Panel nodes that attest what they like, and what they make of a vault that believes them.

The share of a number is (s*c1)[N-1] with smudging below 2^120 and the noise, encoded at 2^122. A c1 that holds
2^128 * 4^j at chosen places makes a share that writes as many coefficients of s as there is room for, one in each two
bits above both.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crypto.canonical import sha256, to_hex
from crypto.seal.evaluate import SealedNumber
from crypto.seal.parameters import Profile
from marketplace.documents import Document
from marketplace.errors import PortError
from marketplace.queries.evaluation import number_entry, result_document
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.protocol.handover import VaultTask
from marketplace.queries.protocol.opening import Sealed
from marketplace.queries.protocol.statements import attest, sign_result
from tests.sealed_market import Market, Order

LOWEST = 128
DIGITS = 25


class Uploads:
    """Requests by digest, as nodes upload them for a vault that takes their word."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, request: bytes) -> None:
        self.kept[to_hex(sha256(request))] = request

    def get(self, _query: str, name: str) -> bytes:
        if name not in self.kept:
            raise PortError("request_unknown", "not uploaded yet", zh="尚未上传")
        return self.kept[name]


def lie(
    market: Market, order: Order, query: Document, numbers: Sequence[Sealed], uploads: Uploads, *, liars: int
) -> VaultTask:
    """A task whose result is not the query's: `numbers`, attested by the first nodes of the panel."""
    for number in numbers:
        if number.request_digest() is not None:
            uploads.put(number.request())
    result = result_document(query, make_plan(market.manifest, query), map(number_entry, numbers))
    statements = [sign_result(result, node.keys.address, node.keys.bls_secret) for node in market.nodes[:liars]]
    return market.task(order, query, result=result, attestation=attest(statements))


def probe(profile: Profile, first: int, lowest: int = LOWEST, digits: int = DIGITS) -> SealedNumber:
    """A number that is no sum of anything: it asks for coefficients `first`, `first` + 1, … of the key."""
    c1 = np.zeros((len(profile.data_primes), profile.degree), dtype=np.uint64)
    for place in range(min(digits, profile.degree - first)):
        scale = 1 << (lowest + 2 * place)
        c1[:, profile.degree - 1 - first - place] = [scale % prime for prime in profile.data_primes]
    return SealedNumber(profile, 0, c1)


def coefficients(profile: Profile, share: int, lowest: int = LOWEST, digits: int = DIGITS) -> list[int]:
    """What the share of a probe says: digits of base four, -1 to 2."""
    signed = share - profile.modulus if share > profile.modulus // 2 else share
    left, found = (signed + (1 << lowest >> 1)) >> lowest, []
    for _ in range(digits):
        digit = (left + 1) % 4 - 1
        found.append(digit)
        left = (left - digit) // 4
    return found


def as_key(digits: Sequence[int], profile: Profile) -> NDArray[np.int8]:
    """The coefficients of a key out of those read, one after the other."""
    return np.array(digits[: profile.degree], dtype=np.int8)
