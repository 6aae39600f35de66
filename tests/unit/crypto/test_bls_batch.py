"""Batch verification says exactly what one-by-one verification says."""

import random

import pytest

from crypto import bls, bls_batch
from crypto.bls_batch import Claim
from crypto.errors import CryptoError

SECRETS = [bls.secret_key(bytes([n]) * 32) for n in range(1, 5)]
PUBLICS = [bls.public_key(secret) for secret in SECRETS]


def _claim(signers: tuple[int, ...], message: bytes) -> Claim:
    signature = bls.aggregate([bls.sign(SECRETS[index], message) for index in signers])
    return Claim(tuple(PUBLICS[index] for index in signers), message, signature)


CLAIMS = [_claim(signers, b"message %d" % number) for number, signers in enumerate([(0, 1, 2), (0, 1), (1, 2, 3)] * 3)]


def _one_by_one(claims: list[Claim]) -> list[int]:
    wrong = []
    for index, claim in enumerate(claims):
        try:
            bls.verify_aggregate(claim.publics, claim.message, claim.signature)
        except CryptoError:
            wrong.append(index)
    return wrong


def test_true_claims_pass_and_none_is_none() -> None:
    assert bls_batch.refuted(CLAIMS) == []
    assert bls_batch.refuted([]) == []


SPOILS = {
    "message": lambda claim: Claim(claim.publics, claim.message + b"!", claim.signature),
    "signature of another": lambda claim: Claim(claim.publics, claim.message, CLAIMS[-1].signature),
    "no point": lambda claim: Claim(claim.publics, claim.message, b"\xff" * 96),
    "identity": lambda claim: Claim(claim.publics, claim.message, b"\xc0" + bytes(95)),
    "short": lambda claim: Claim(claim.publics, claim.message, claim.signature[:-1]),
    "key missing": lambda claim: Claim(claim.publics[:-1], claim.message, claim.signature),
    "key twice": lambda claim: Claim((*claim.publics, claim.publics[0]), claim.message, claim.signature),
    "no key": lambda claim: Claim((), claim.message, claim.signature),
    "bad key": lambda claim: Claim((b"\xff" * 48,), claim.message, claim.signature),
}


@pytest.mark.parametrize("name", SPOILS)
@pytest.mark.parametrize("position", [0, 4])
def test_a_spoiled_claim_is_named_and_the_rest_pass(name: str, position: int) -> None:
    claims = list(CLAIMS)
    claims[position] = SPOILS[name](claims[position])
    assert bls_batch.refuted(claims) == [position] == _one_by_one(claims)


def test_two_signatures_that_cancel_each_other_are_both_found() -> None:
    # The attack on a batch without random coefficients: move a point from one signature to another, the sum stays.
    left, right = (bls._signature(CLAIMS[index].signature) for index in (0, 3))
    claims = list(CLAIMS)
    moved = bls._signature(CLAIMS[1].signature)
    claims[0] = Claim(claims[0].publics, claims[0].message, (left + moved).to_compressed_bytes())
    claims[3] = Claim(claims[3].publics, claims[3].message, (right - moved).to_compressed_bytes())
    assert bls_batch.refuted(claims) == [0, 3]


def test_several_wrong_ones_are_all_found() -> None:
    chosen = sorted(random.Random(1).sample(range(len(CLAIMS)), 4))
    claims = [SPOILS["message"](claim) if index in chosen else claim for index, claim in enumerate(CLAIMS)]
    assert bls_batch.refuted(claims) == chosen
