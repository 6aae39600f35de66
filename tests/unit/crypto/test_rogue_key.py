"""The rogue-key attack on aggregated signatures: it works where nobody asks for proofs of possession, and only there.

One node of sixteen publishes x·g1 minus the sum of the others' keys. All keys then add up to x·g1, and its own
signature by x is the "aggregate" of all sixteen over whatever it likes.
"""

import pytest
from py_arkworks_bls12381 import G1Point

from crypto import bls
from crypto.bls_batch import Claim, refuted
from crypto.canonical import sha256, to_hex
from crypto.errors import InvalidProof
from marketplace.documents.market import validate_terms
from marketplace.errors import VerificationError
from marketplace.queries.protocol.statements import attested_message, check_attestation
from tests.sealed_market import keys

RESULT = "0x" + "ab" * 32
HONEST = [keys(f"node {index}") for index in range(15)]
ATTACKER = keys("attacker")


def _rogue() -> bytes:
    total = G1Point.from_compressed_bytes(bls.public_key(ATTACKER.bls_secret))
    for node in HONEST:
        total = total - G1Point.from_compressed_bytes(bls.public_key(node.bls_secret))
    return total.to_compressed_bytes()


ROGUE = _rogue()
PUBLICS = [*(bls.public_key(node.bls_secret) for node in HONEST), ROGUE]
FORGED = bls.sign(ATTACKER.bls_secret, attested_message(RESULT))


def test_without_proofs_one_node_signs_for_all_sixteen() -> None:
    """`verify_aggregate` says in its contract that it cannot know; this is what happens to those who do not listen."""
    bls.verify_aggregate(PUBLICS, attested_message(RESULT), FORGED)
    assert refuted([Claim(tuple(PUBLICS), attested_message(RESULT), FORGED)]) == []


@pytest.mark.parametrize(
    "proof",
    [
        bls.prove_possession(ATTACKER.bls_secret),  # of x, not of the published key
        bls.sign(ATTACKER.bls_secret, ROGUE),  # under the tag of signatures
        bls.prove_possession(HONEST[0].bls_secret),
        bls.aggregate([bls.prove_possession(node.bls_secret) for node in [*HONEST, ATTACKER]]),
    ],
)
def test_no_proof_of_the_rogue_key_can_be_made(proof: bytes) -> None:
    with pytest.raises(InvalidProof):
        bls.verify_possession(ROGUE, proof)


def test_with_proofs_the_forged_attestation_is_refused() -> None:
    nodes = [_node(node.address, bls.public_key(node.bls_secret), node.bls_secret) for node in HONEST]
    nodes.append(_node(ATTACKER.address, ROGUE, ATTACKER.bls_secret))
    signers = [node["address"] for node in nodes]
    attestation = {"type": "attestation", "version": 1, "result": RESULT, "signers": signers}
    with pytest.raises(VerificationError) as refused:
        check_attestation(attestation | {"signature": to_hex(FORGED)}, RESULT, _terms(nodes))
    assert refused.value.code == "attestation_signature"


def test_the_same_attestation_by_honest_keys_holds() -> None:
    everybody = [*HONEST, ATTACKER]
    nodes = [_node(node.address, bls.public_key(node.bls_secret), node.bls_secret) for node in everybody]
    signature = bls.aggregate([bls.sign(node.bls_secret, attested_message(RESULT)) for node in everybody])
    attestation = {"type": "attestation", "version": 1, "result": RESULT, "signature": to_hex(signature)}
    attestation |= {"signers": [node["address"] for node in nodes]}
    check_attestation(attestation, RESULT, _terms(nodes))


def _node(address: str, public: bytes, secret: bytes) -> dict[str, str]:
    return {"address": address, "bls": to_hex(public), "possession": to_hex(bls.prove_possession(secret))}


def _terms(nodes: list[dict[str, str]]) -> dict[str, object]:
    name = to_hex(sha256(b"anything"))
    return validate_terms(
        {
            **{"type": "terms", "version": 1, "title": {"en": "Any", "zh": "任意"}, "asset": name, "manifest": name},
            **{"computations": ["COUNT"], "purposes": ["TRANSPORT"], "regions": [], "price": 1},
            **{"epsilonPerQueryMax": 1, "buyerCap": None, "groups": [], "fields": [], "minimumCohort": 10},
            **{"panel": {"nodes": nodes, "threshold": 16}, "termEnd": "2030-01-01T00:00:00Z"},
        }
    )
