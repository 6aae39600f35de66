"""BLS signatures: the published suite's rules, and the same bytes as py_ecc."""

import pytest
from eth_typing import BLSPubkey, BLSSignature
from py_ecc.bls.ciphersuites import G2ProofOfPossession as Oracle

from crypto import bls
from crypto.errors import InvalidKey, InvalidProof, InvalidSignature, ParameterError

SECRETS = [bls.secret_key(bytes([number]) * 32) for number in range(1, 6)]
PUBLICS = [bls.public_key(secret) for secret in SECRETS]
MESSAGE = b"marketplace/attestation/v1" + bytes(32)
SIGNATURES = [bls.sign(secret, MESSAGE) for secret in SECRETS]

G1_IDENTITY, G2_IDENTITY = b"\xc0" + bytes(47), b"\xc0" + bytes(95)
# x = 4 lies on the curve, but outside the subgroup of prime order (cofactor of G1 is not 1).
G1_OUTSIDE = b"\x80" + bytes(46) + b"\x04"

FIELD = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB


def negated(point: bytes) -> bytes:
    return bytes([point[0] ^ 0x20]) + point[1:]


def test_keys_signatures_and_possession_proofs_are_py_eccs_bytes() -> None:
    seed = bytes([1]) * 32
    secret = Oracle.KeyGen(seed)
    assert SECRETS[0] == secret.to_bytes(32, "big")
    assert PUBLICS[0] == Oracle.SkToPk(secret)
    assert SIGNATURES[0] == Oracle.Sign(secret, MESSAGE)
    assert bls.prove_possession(SECRETS[0]) == Oracle.PopProve(secret)


def test_py_ecc_accepts_our_aggregate() -> None:
    together = bls.aggregate(SIGNATURES[:2])
    assert together == Oracle.Aggregate([BLSSignature(signature) for signature in SIGNATURES[:2]])
    assert Oracle.FastAggregateVerify([BLSPubkey(key) for key in PUBLICS[:2]], MESSAGE, BLSSignature(together))


def test_eip_2333_key_generation_vector() -> None:
    """Master key of EIP-2333's first test case: its hkdf_mod_r is the same KeyGen."""
    seed = bytes.fromhex(
        "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"
    )
    assert int.from_bytes(bls.secret_key(seed), "big") == (
        6083874454709270928345386274498605044986640685124978867557563392430687146096
    )


def test_signature_verifies_for_its_key_and_message_only() -> None:
    bls.verify(PUBLICS[0], MESSAGE, SIGNATURES[0])
    for public, message, signature in (
        (PUBLICS[1], MESSAGE, SIGNATURES[0]),
        (PUBLICS[0], MESSAGE + b"x", SIGNATURES[0]),
        (PUBLICS[0], MESSAGE, negated(SIGNATURES[0])),
    ):
        with pytest.raises(InvalidSignature):
            bls.verify(public, message, signature)


def test_aggregate_verifies_in_any_order_and_for_exactly_its_signers() -> None:
    together = bls.aggregate(SIGNATURES[:3])
    assert bls.aggregate(SIGNATURES[2::-1]) == together
    bls.verify_aggregate(PUBLICS[:3], MESSAGE, together)
    bls.verify_aggregate(PUBLICS[2::-1], MESSAGE, together)
    for publics in (PUBLICS[:2], PUBLICS[:4], PUBLICS[1:4]):
        with pytest.raises(InvalidSignature):
            bls.verify_aggregate(publics, MESSAGE, together)


def test_no_key_too_many_keys_or_a_repeated_key_is_refused() -> None:
    for publics in ([], [PUBLICS[0], PUBLICS[0]], PUBLICS[:1] * 1025):
        with pytest.raises(ParameterError):
            bls.verify_aggregate(publics, MESSAGE, SIGNATURES[0])
    with pytest.raises(ParameterError):
        bls.aggregate([])


def test_keys_that_add_up_to_the_identity_are_refused() -> None:
    with pytest.raises(InvalidKey, match="identity"):
        bls.verify_aggregate([PUBLICS[0], negated(PUBLICS[0])], MESSAGE, SIGNATURES[0])
    with pytest.raises(InvalidSignature, match="identity"):
        bls.aggregate([SIGNATURES[0], negated(SIGNATURES[0])])


def test_rogue_key_forges_an_aggregate_but_cannot_prove_possession() -> None:
    """Why possession must be proved: pk2 = g*s - pk1 needs no signature of key 1."""
    from py_arkworks_bls12381 import G1Point

    honest, own = G1Point.from_compressed_bytes(PUBLICS[0]), G1Point.from_compressed_bytes(PUBLICS[1])
    rogue = (own - honest).to_compressed_bytes()
    bls.verify_aggregate([PUBLICS[0], rogue], MESSAGE, SIGNATURES[1])
    with pytest.raises(InvalidProof):
        bls.verify_possession(rogue, bls.prove_possession(SECRETS[1]))


def test_possession_proof_is_no_signature_and_is_bound_to_its_key() -> None:
    proof = bls.prove_possession(SECRETS[0])
    bls.verify_possession(PUBLICS[0], proof)
    with pytest.raises(InvalidProof):
        bls.verify_possession(PUBLICS[1], proof)
    with pytest.raises(InvalidProof):
        bls.verify_possession(PUBLICS[0], bls.sign(SECRETS[0], PUBLICS[0]))
    with pytest.raises(InvalidSignature):
        bls.verify(PUBLICS[0], PUBLICS[0], proof)


@pytest.mark.parametrize(
    "public",
    [
        b"",
        bytes(48),
        G1_IDENTITY,
        b"\xc0" + bytes(46) + b"\x01",
        b"\xe0" + bytes(47),
        b"\xff" * 48,
        b"\x9f" + b"\xff" * 47,
        bytes([PUBLICS[0][0] & 0x7F]) + PUBLICS[0][1:],
        PUBLICS[0] + b"\x00",
        PUBLICS[0][:-1],
        G1_OUTSIDE,
        b"\x80" + bytes(46) + b"\x01",
    ],
    ids=[
        "empty",
        "zero",
        "identity",
        "identity with a bit",
        "identity with a sign",
        "all ones",
        "x not below p",
        "not marked compressed",
        "long",
        "short",
        "outside the subgroup",
        "on no point",
    ],
)
def test_invalid_public_key_encodings_are_refused(public: bytes) -> None:
    with pytest.raises(InvalidKey):
        bls.verify(public, MESSAGE, SIGNATURES[0])
    with pytest.raises(InvalidKey):
        bls.verify_possession(public, SIGNATURES[0])
    with pytest.raises(InvalidKey):
        bls.verify_aggregate([PUBLICS[0], public], MESSAGE, SIGNATURES[0])


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(96),
        G2_IDENTITY,
        b"\xff" * 96,
        SIGNATURES[0] + b"\x00",
        SIGNATURES[0][:-1],
        b"\x80" + bytes(95),
        SIGNATURES[0][:48] + bytes([SIGNATURES[0][48] | 0x80]) + SIGNATURES[0][49:],
        SIGNATURES[0][:48] + (int.from_bytes(SIGNATURES[0][48:], "big") + FIELD).to_bytes(48, "big"),
    ],
    ids=[
        "empty",
        "zero",
        "identity",
        "all ones",
        "long",
        "short",
        "outside the subgroup",
        "second flag",
        "above the field",
    ],
)
def test_invalid_signature_encodings_are_refused(signature: bytes) -> None:
    with pytest.raises(InvalidSignature):
        bls.verify(PUBLICS[0], MESSAGE, signature)
    with pytest.raises(InvalidSignature):
        bls.aggregate([SIGNATURES[0], signature])
    with pytest.raises(InvalidProof):
        bls.verify_possession(PUBLICS[0], signature)


def test_test_point_lies_on_the_curve_outside_the_subgroup() -> None:
    from py_arkworks_bls12381 import G1Point

    assert not G1Point.from_compressed_bytes_unchecked(G1_OUTSIDE).is_in_subgroup()


@pytest.mark.parametrize("secret", [b"", bytes(32), bls.GROUP_ORDER.to_bytes(32, "big"), b"\x01" * 31, b"\xff" * 32])
def test_invalid_secrets_are_refused(secret: bytes) -> None:
    with pytest.raises(InvalidKey):
        bls.sign(secret, MESSAGE)
    with pytest.raises(InvalidKey):
        bls.public_key(secret)


def test_short_seed_and_long_message_are_refused() -> None:
    with pytest.raises(ParameterError):
        bls.secret_key(bytes(31))
    with pytest.raises(ParameterError):
        bls.sign(SECRETS[0], bytes(bls.MAX_MESSAGE_BYTES + 1))
