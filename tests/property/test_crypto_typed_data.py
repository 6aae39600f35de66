"""Typed data hashes, signs and recovers exactly as eth-account does, for any flat structure."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import typed_data
from crypto.errors import InvalidSignature
from marketplace.intents import INTENTS, IntentType

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda data: "0x" + data.hex())
KEYS = st.integers(1, typed_data.GROUP_ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
DOMAINS = st.tuples(st.text(max_size=20), st.text(max_size=5), st.integers(0, 2**256 - 1), ADDRESSES)
PLAIN = ["bytes32", "address", "bool", "bytes", "string", *(f"uint{bits}" for bits in range(8, 257, 8))]


def values(kind: str) -> st.SearchStrategy[Any]:
    """Values of a Solidity type in the form that our messages have."""
    if kind.endswith("[]"):
        return st.lists(values(kind[:-2]), max_size=5)
    if kind.startswith("uint"):
        limit = 2 ** int(kind[4:])
        return st.one_of(st.integers(0, limit - 1), st.sampled_from([0, limit - 1]))
    hexes = {"bytes32": (32, 32), "bytes": (0, 70)}
    if kind in hexes:
        low, high = hexes[kind]
        return st.binary(min_size=low, max_size=high).map(lambda data: "0x" + data.hex())
    return {"address": ADDRESSES, "bool": st.booleans(), "string": st.text(max_size=20)}[kind]


@st.composite
def structures(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]], dict[str, Any]]:
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    kinds = st.sampled_from(PLAIN + [f"{kind}[]" for kind in PLAIN])
    fields = [(name, draw(kinds)) for name in names]
    return (
        draw(NAMES.filter(lambda name: name != "EIP712Domain")),
        fields,
        {name: draw(values(kind)) for name, kind in fields},
    )


@st.composite
def intents(draw: st.DrawFn) -> tuple[IntentType, dict[str, Any]]:
    intent = draw(st.sampled_from(list(INTENTS.values())))
    return intent, {name: draw(values(kind)) for name, kind in intent.fields}


def theirs(
    domain: tuple[str, str, int, str], name: str, fields: list[tuple[str, str]], message: dict[str, Any]
) -> SignableMessage:
    domain_data = dict(zip(("name", "version", "chainId", "verifyingContract"), domain, strict=True))
    types = {name: [{"name": field, "type": kind} for field, kind in fields]}
    return encode_typed_data(domain_data, types, message)


@given(DOMAINS, structures())
@settings(deadline=None)
def test_any_flat_structure_hashes_as_in_eth_account(
    domain: tuple[str, str, int, str], structure: tuple[str, list[tuple[str, str]], dict[str, Any]]
) -> None:
    signable = theirs(domain, *structure)
    assert typed_data.domain_separator(*domain) == signable.header
    assert typed_data.struct_hash(*structure) == signable.body


@given(DOMAINS, intents(), KEYS)
@settings(deadline=None)
def test_every_intent_is_signed_and_recovered_as_in_eth_account(
    domain: tuple[str, str, int, str], intent: tuple[IntentType, dict[str, Any]], key: bytes
) -> None:
    kind, message = intent
    signable = theirs(domain, kind.name, list(kind.fields), message)
    hashed = typed_data.struct_hash(kind.name, kind.fields, message)
    digest = typed_data.signing_digest(typed_data.domain_separator(*domain), hashed)
    signature = typed_data.sign(digest, key)
    signed = Account.sign_message(signable, key)
    assert digest == bytes(signed.message_hash)
    assert signature == bytes(signed.signature)
    assert typed_data.recover(digest, signature) == Account.from_key(key).address.lower()
    typed_data.verify(digest, typed_data.address_of(key), signature)


@st.composite
def signatures(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A digest, and a signature of it: as it was made, with a bit flipped, of another digest, its mirror image, another
    v, numbers out of range, cut short, too long, or nothing but bytes.
    """
    digest, key = draw(st.binary(min_size=32, max_size=32)), draw(KEYS)
    made = typed_data.sign(digest, key)
    mirror = (typed_data.GROUP_ORDER - int.from_bytes(made[32:64], "big")).to_bytes(32, "big")
    edges = st.sampled_from([0, 1, typed_data.GROUP_ORDER // 2, typed_data.GROUP_ORDER - 1, typed_data.GROUP_ORDER])
    edge = draw(edges | st.integers(0, 2**256 - 1)).to_bytes(32, "big")
    place = draw(st.integers(0, 519))
    flipped = bytearray(made)
    flipped[place // 8] ^= 1 << place % 8
    cases = [
        *(made, bytes(flipped), typed_data.sign(bytes(32), key), made[:64] + bytes([55 - made[64]])),
        *(made[:32] + mirror + bytes([55 - made[64]]), made[:64] + bytes([draw(st.integers(0, 255))])),
        *(edge + made[32:], made[:32] + edge + made[64:], made[:64], made + b"\\x1b", draw(st.binary(max_size=70))),
    ]
    return digest, draw(st.sampled_from(cases))


@given(signatures())
@settings(deadline=None)
def test_verdicts_are_eth_accounts_but_for_second_spellings(case: tuple[bytes, bytes]) -> None:
    """The same address or a refusal by both. Ours refuses besides what says the same in another way: the mirror image
    of a signature, and a v that eth-account would put right.
    """
    digest, signature = case
    ours, expected = _ours(digest, signature), _eth_accounts(digest, signature)
    assert _ours(digest, signature) == ours  # from the memory of addresses, too
    low = 0 < int.from_bytes(signature[32:64], "big") <= typed_data.GROUP_ORDER // 2
    if low and len(signature) == 65 and signature[64] in {27, 28}:
        assert ours == expected
    else:
        assert ours is None


def test_threads_and_more_keys_than_are_remembered_change_no_verdict() -> None:
    digests = [number.to_bytes(32, "big") for number in range(1, 1_101)]
    signed = [(digest, typed_data.sign(digest, digest), typed_data.address_of(digest)) for digest in digests]
    with ThreadPoolExecutor(4) as pool:
        for order in (signed, signed[::-1]):
            found = pool.map(lambda case: typed_data.recover(*case[:2]) == case[2], order)
            assert all(found)


def _ours(digest: bytes, signature: bytes) -> str | None:
    try:
        return typed_data.recover(digest, signature)
    except InvalidSignature:
        return None


def _eth_accounts(digest: bytes, signature: bytes) -> str | None:
    try:
        return str(Account._recover_hash(digest, signature=signature)).lower()
    except Exception:  # whatever it raises is its refusal
        return None
