"""DIDs and their documents, held to DID Core and to the methods' own examples."""

import pytest

from crypto.multikey import parse_multikey
from marketplace.documents.dids import (
    AccountKeys,
    account_document,
    did_ethr,
    did_web,
    key_document,
    method_of,
    parse_did_ethr,
)
from marketplace.errors import InvalidInputError
from tests.did_core import check

ACCOUNT = "0xb9c5714089478a327f09197987f16f9e5d936e8a"


def test_an_address_s_document_is_the_method_s_default_one() -> None:
    """The example of ethr-did-resolver's specification, on chain 1."""
    did = did_ethr(1, ACCOUNT)
    found = account_document(did, 1, AccountKeys(ACCOUNT, *[[ACCOUNT]] * 4))
    check(found)
    (method,) = found["verificationMethod"]
    assert method.pop("blockchainAccountId").lower() == f"eip155:1:{ACCOUNT}"
    assert method == {"id": f"{did}#controller", "type": "EcdsaSecp256k1RecoveryMethod2020", "controller": did}
    assert found["authentication"] == found["assertionMethod"] == [f"{did}#controller"]


def test_an_account_s_document_lists_the_keys_that_sign_for_it() -> None:
    did, first, second = did_ethr(1, ACCOUNT), "0x" + "11" * 20, "0x" + "22" * 20
    found = account_document(did, 1, AccountKeys(ACCOUNT, [first, second], [first, second], [first], [first]))
    check(found)
    assert [item["id"] for item in found["verificationMethod"]] == [f"{did}#key-{first}", f"{did}#key-{second}"]
    assert [item["blockchainAccountId"].lower() for item in found["verificationMethod"]] == [
        f"eip155:1:{first}",
        f"eip155:1:{second}",
    ]
    assert found["authentication"] == [f"{did}#key-{first}"]
    assert found["assertionMethod"] == [f"{did}#key-{first}", f"{did}#key-{second}"]


@pytest.mark.parametrize(
    ("key", "uses"),
    [
        ("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", {"authentication", "assertionMethod"}),
        ("z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F", {"keyAgreement"}),
        ("zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", {"authentication", "capabilityInvocation"}),
    ],
)
def test_a_key_s_document_uses_it_for_what_it_can_do(key: str, uses: set[str]) -> None:
    found = key_document(parse_multikey(key))
    check(found)
    assert found["id"] == f"did:key:{key}"
    assert found["verificationMethod"][0]["id"] == f"did:key:{key}#{key}"
    assert uses <= set(found)
    assert ("keyAgreement" in found) == ("keyAgreement" in uses)
    assert "authentication" not in found or "keyAgreement" not in found


def test_a_port_of_a_did_web_is_encoded() -> None:
    assert did_web("https://data.example") == "did:web:data.example"
    assert did_web("http://127.0.0.1:8420/", "did", "data1q") == "did:web:127.0.0.1%3A8420:did:data1q"
    assert method_of(did_web("http://[::1]:8420")) == "web"


def test_a_did_ethr_is_read_as_written() -> None:
    assert parse_did_ethr(did_ethr(20260, ACCOUNT)) == (20260, ACCOUNT)
    assert parse_did_ethr(f"did:ethr:0x1:0x{ACCOUNT[2:].upper()}") == (1, ACCOUNT)


@pytest.mark.parametrize("did", ["did:ethr:0x1:0x12", f"did:ethr:1:{ACCOUNT}", f"did:ethr:{ACCOUNT}", "did:key:z6Mk"])
def test_what_is_no_did_ethr_of_a_chain_is_refused(did: str) -> None:
    with pytest.raises(InvalidInputError, match="did:ethr") as refused:
        parse_did_ethr(did)
    assert refused.value.code == "malformed_did"
    assert refused.value.zh


@pytest.mark.parametrize("did", ["", "did", "did:", "did:web", "did:web:", "DID:web:x", "did:web:a%3", "x" * 400])
def test_what_is_no_did_is_refused(did: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        method_of(did)
    assert refused.value.code == "malformed_did"
