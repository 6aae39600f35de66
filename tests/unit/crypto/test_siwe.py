"""EIP-4361 messages: the reference implementation's published cases, and what a relying party must refuse."""

from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from crypto import siwe, timestamps, typed_data
from crypto.canonical import from_hex
from crypto.errors import InvalidSignature, MalformedInput, ParameterError
from tests.unit.crypto.vectors import load

KEY = bytes(range(1, 33))
NOW = 1_790_000_000
MESSAGE = siwe.SignIn(
    domain="exchange.example:8443",
    address=typed_data.address_of(KEY),
    uri="https://exchange.example:8443/session",
    chain_id=31337,
    nonce="k9Zq27Wb4TfR",
    issued_at=timestamps.to_text(NOW),
    expiration_time=timestamps.to_text(NOW + 300),
)
EXPECTED: dict[str, Any] = {"domain": MESSAGE.domain, "nonce": MESSAGE.nonce, "chain_id": 31337, "now": NOW}
TEXT = MESSAGE.to_text()
NAMES = {"issuedAt": "issued_at", "expirationTime": "expiration_time", "notBefore": "not_before", "chainId": "chain_id"}


def published(case: dict[str, Any]) -> siwe.SignIn:
    """The message that a published verification case gives by its fields."""
    used = ("domain", "address", "statement", "uri", "nonce", "issuedAt", "chainId", "expirationTime", "notBefore")
    fields = {NAMES.get(name, name): case[name] for name in used if name in case}
    return siwe.SignIn(**{**fields, "address": fields["address"].lower()})


def signed_at(case: dict[str, Any]) -> int:
    return int(timestamps.from_text(case.get("time", "2023-01-01T00:00:00Z")).timestamp())


def verify_published(case: dict[str, Any]) -> None:
    text = published(case).to_text()
    siwe.verify(
        text,
        from_hex(case["signature"]),
        domain=case.get("domainBinding", case["domain"]),
        nonce=case.get("matchNonce", case["nonce"]),
        chain_id=1,
        now=signed_at(case),
    )


@pytest.mark.parametrize(("name", "case"), load("siwe-parsing-positive").items())
def test_published_message_is_read_and_written_again(name: str, case: dict[str, Any]) -> None:
    message = siwe.parse(case["message"])
    assert message.to_text() == case["message"]
    fields = case["fields"]
    assert (message.domain, message.uri, message.nonce) == (fields["domain"], fields["uri"], fields["nonce"])
    assert siwe.checksum_address(message.address) == fields["address"]
    assert (message.chain_id, message.issued_at) == (fields["chainId"], fields["issuedAt"])
    assert (message.statement, list(message.resources or [])) == (fields.get("statement"), fields.get("resources", []))


@pytest.mark.parametrize(("name", "text"), load("siwe-parsing-negative").items())
def test_published_malformed_message_is_refused(name: str, text: str) -> None:
    with pytest.raises(MalformedInput):
        siwe.parse(text)


@pytest.mark.parametrize(("name", "case"), load("siwe-verification-positive").items())
def test_published_signature_verifies(name: str, case: dict[str, Any]) -> None:
    verify_published(case)


@pytest.mark.parametrize(("name", "case"), load("siwe-verification-negative").items())
def test_published_wrong_signature_or_claim_is_refused(name: str, case: dict[str, Any]) -> None:
    with pytest.raises((InvalidSignature, ParameterError)):
        verify_published(case)


def test_example_of_the_eip_is_read() -> None:
    text = (
        "service.org wants you to sign in with your Ethereum account:\n"
        "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2\n\n"
        "I accept the ServiceOrg Terms of Service: https://service.org/tos\n\n"
        "URI: https://service.org/login\nVersion: 1\nChain ID: 1\nNonce: 32891756\nIssued At: 2021-09-30T16:25:24Z\n"
        "Resources:\n- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/\n"
        "- https://example.com/my-web2-claim.json"
    )
    message = siwe.parse(text)
    assert message.resources is not None
    assert message.resources[1] == "https://example.com/my-web2-claim.json"
    assert message.to_text() == text


@pytest.mark.parametrize(
    "address",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0xde709f2102306220921060314715629080e2fb77",
    ],
)
def test_checksums_of_the_eip_55_examples(address: str) -> None:
    assert siwe.checksum_address(address.lower()) == address


def test_signature_is_the_personal_sign_of_eth_account() -> None:
    theirs = Account.sign_message(encode_defunct(text=TEXT), KEY)
    assert siwe.sign(TEXT, KEY) == bytes(theirs.signature)
    assert siwe.personal_digest(TEXT) == bytes(theirs.message_hash)


def test_own_message_verifies() -> None:
    assert siwe.verify(TEXT, siwe.sign(TEXT, KEY), **EXPECTED) == MESSAGE


@pytest.mark.parametrize(
    ("name", "value"),
    [("domain", "evil.example"), ("nonce", "anotherNonce1"), ("chain_id", 1), ("now", NOW + 300), ("now", NOW + 10**6)],
)
def test_another_expectation_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidSignature):
        siwe.verify(TEXT, siwe.sign(TEXT, KEY), **{**EXPECTED, name: value})


def test_message_is_not_valid_before_its_time() -> None:
    text = replace(MESSAGE, not_before=timestamps.to_text(NOW + 10)).to_text()
    with pytest.raises(InvalidSignature, match="not valid before"):
        siwe.verify(text, siwe.sign(text, KEY), **EXPECTED)
    siwe.verify(text, siwe.sign(text, KEY), **{**EXPECTED, "now": NOW + 10})


def test_another_signer_or_text_is_refused() -> None:
    with pytest.raises(InvalidSignature):
        siwe.verify(TEXT, siwe.sign(TEXT, bytes(31) + b"\x02"), **EXPECTED)
    with pytest.raises(InvalidSignature):
        siwe.verify(TEXT.replace("Issued At: 2026", "Issued At: 2025"), siwe.sign(TEXT, KEY), **EXPECTED)
    for length in (0, 64, 66):
        with pytest.raises(InvalidSignature):
            siwe.verify(TEXT, bytes(length), **EXPECTED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0x6370eF2f4Db3611D657b90667De398a2Cc2a370C", "0x6370ef2f4db3611d657b90667de398a2cc2a370c"),
        ("Chain ID: 31337", "Chain ID: 031337"),
        ("Chain ID: 31337", "Chain ID: -1"),
        ("Nonce: k9Zq27Wb4TfR", "Nonce: short12"),
        ("Nonce: k9Zq27Wb4TfR", "Nonce: k9Zq27Wb-TfR"),
        ("Version: 1", "Version: 2"),
        ("account:\n", "account:\r\n"),
        ("\n\n\n", "\n\n数据\n\n"),
        ("\n\n\n", "\n\ntwo\nlines\n\n"),
        ("exchange.example:8443 wants", "exchange.example:844333 wants"),
        ("exchange.example:8443 wants", "[::1::2] wants"),
        ("exchange.example:8443 wants", "a b wants"),
        ("Issued At: 2026", "Issued At: 2026-13"),
        ("Expiration Time: 2026-09-21T", "Expiration Time: 2026-09-31T"),
        ("URI: https:", "URI: 1https:"),
        ("URI: https://exchange.example:8443/session", "URI: https://[zz]/"),
    ],
)
def test_message_outside_the_grammar_is_refused(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(MalformedInput):
        siwe.parse(TEXT.replace(old, new, 1))


def test_trailing_newline_too_many_resources_and_length_are_refused() -> None:
    for text in (TEXT + "\n", TEXT + "\nResources:" + "\n- a:b" * 33, TEXT + "\nRequest ID: " + "x" * 8192):
        with pytest.raises(MalformedInput):
            siwe.parse(text)
    assert len(siwe.parse(TEXT + "\nResources:" + "\n- a:b" * 32).resources or ()) == 32
    assert siwe.parse(TEXT + "\nResources:").resources == ()


def test_long_hostile_text_is_refused_quickly() -> None:
    """The grammar's expressions must not backtrack: each of these is as long as allowed."""
    for part in ("a", "%41", "a@", "x://", "%4"):
        with pytest.raises(MalformedInput):
            siwe.parse(part * (8000 // len(part)))
        with pytest.raises(MalformedInput):
            siwe.parse(TEXT.replace("URI: https:", "URI: https://" + part * (7000 // len(part)) + "<"))


def test_message_with_a_field_that_poses_as_another_line_is_never_written() -> None:
    hostile: tuple[tuple[str, Any], ...] = (
        ("statement", "ok\n\nURI: https://evil.example"),
        ("statement", ""),
        ("uri", "https://a/\nVersion: 1"),
        ("nonce", "12345678\nIssued At: x"),
        ("request_id", "a\nResources:"),
        ("resources", ("https://a\n- https://b",)),
        ("domain", "a wants you"),
        ("issued_at", "today"),
        ("chain_id", -1),
    )
    for name, value in hostile:
        with pytest.raises(ParameterError):
            replace(MESSAGE, **{name: value}).to_text()
