"""The auditor's own Ethereum code against the libraries that everybody uses: `rlp`, `trie`, eth-account."""

import random
from typing import Any

import pytest
import rlp as rlp_library
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from crypto.errors import CryptoError, MalformedInput
from marketplace.auditor.ethereum import headers, hexadecimal, receipts, rlp, transactions, tries

ITEMS = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=6), max_leaves=20)
ACCOUNT = Account.from_key(b"\x01" * 32)


def _depth(item: Any) -> int:
    return 0 if isinstance(item, bytes) else 1 + max(map(_depth, item), default=0)


@given(ITEMS)
def test_rlp_is_that_of_the_library_both_ways(item: Any) -> None:
    encoded = rlp.encode(item)
    assert encoded == rlp_library.encode(item)
    if _depth(item) <= rlp.MAX_DEPTH:
        assert rlp.decode(encoded) == item


@given(st.binary(max_size=120))
def test_rlp_accepts_only_what_it_would_write(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except MalformedInput:
        return
    assert rlp.encode(item) == data


@pytest.mark.parametrize(
    "data", ["", "8100", "b800", "f800", "c180ff", "83aabb", "f90000", "b90001aa", "c283aa", "bf" + "ff" * 8]
)
def test_rlp_refuses_forms_that_are_not_the_shortest(data: str) -> None:
    with pytest.raises(MalformedInput):
        rlp.decode(bytes.fromhex(data))


def test_rlp_refuses_deep_nesting() -> None:
    data = b"\xc0"
    for _ in range(rlp.MAX_DEPTH):
        data = rlp.encode_parts([data])
    with pytest.raises(MalformedInput):
        rlp.decode(data)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 16, 17, 127, 128, 129, 255, 256, 257, 700])
def test_index_root_is_that_of_the_trie_package(size: int) -> None:
    generator = random.Random(size)
    values = [generator.randbytes(generator.choice((1, 5, 31, 32, 33, 300))) for _ in range(size)]
    reference = HexaryTrie({})
    for index, value in enumerate(values):
        reference[rlp_library.encode(index)] = value
    assert tries.index_root(values) == reference.root_hash


def _typed(kind: int) -> dict[str, Any]:
    common: dict[str, Any] = {
        "chainId": 20260,
        "nonce": 7,
        "gas": 21_000,
        "to": b"\xab" * 20,
        "value": 5,
        "data": b"\x00\xff",
    }
    if kind == 2:
        return common | {"type": 2, "maxFeePerGas": 9, "maxPriorityFeePerGas": 2}
    if kind == 1:
        access = [{"address": "0x" + "cd" * 20, "storageKeys": ["0x" + "00" * 32]}]
        return common | {"type": 1, "gasPrice": 3, "accessList": access}
    return common | {"gasPrice": 3}


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_transactions_decode_as_signed(kind: int) -> None:
    signed = ACCOUNT.sign_transaction(_typed(kind))
    found = transactions.decode(bytes(signed.raw_transaction))
    assert (found.kind, found.chain_id, found.nonce, found.value, found.data) == (kind, 20260, 7, 5, b"\x00\xff")
    assert (found.sender, found.to, found.hash) == (ACCOUNT.address.lower(), "0x" + "ab" * 20, bytes(signed.hash))
    assert found.gas_price(1) == 3
    assert found.created is None


def test_a_created_contract_has_the_address_of_its_creator_and_nonce() -> None:
    # Source: ethereum.stackexchange.com question 760.
    assert transactions.contract_address("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0", 0) == (
        "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    )


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_flipped_byte_never_keeps_the_sender(kind: int) -> None:
    raw = bytes(ACCOUNT.sign_transaction(_typed(kind)).raw_transaction)
    for position in range(len(raw)):
        for flip in (0x01, 0x80):
            changed = raw[:position] + bytes([raw[position] ^ flip]) + raw[position + 1 :]
            try:
                found = transactions.decode(changed)
            except CryptoError:
                continue
            assert found.sender != ACCOUNT.address.lower()


@pytest.mark.parametrize("raw", ["", "03c0", "7fc0", "80", "02c0", "c0", "02" + "80"])
def test_what_is_no_transaction_is_refused(raw: str) -> None:
    with pytest.raises(MalformedInput):
        transactions.decode(bytes.fromhex(raw))


@pytest.mark.parametrize("value", ["0x", "0X1", "0x01", "1", 1, None, "0xA", "0x1 ", "0x" + "f" * 65])
def test_quantities_have_one_form(value: object) -> None:
    with pytest.raises(MalformedInput):
        hexadecimal.quantity(value)


@pytest.mark.parametrize("value", ["0xa", "0XAA", "0xAA", "aa", None, b"", "0xaa "])
def test_data_has_one_form(value: object) -> None:
    with pytest.raises(MalformedInput):
        hexadecimal.data(value)


# Source: block 0 of anvil 1.7.1 with the Cancun rules, which computes the hash with alloy; other blocks are compared
# while the node runs, in test_chain.py.
CANCUN_GENESIS: dict[str, Any] = {
    "hash": "0x012b498f17db24b62df4faac87ff9570614ced9fe04f189f052430182b55a366",
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x" + "00" * 20,
    "stateRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x0",
    "number": "0x0",
    "gasLimit": "0x3b9aca00",
    "gasUsed": "0x0",
    "timestamp": "0x6553f100",
    "extraData": "0x",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000000",
    "baseFeePerGas": "0x0",
    "withdrawalsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "blobGasUsed": "0x0",
    "excessBlobGas": "0x0",
    "parentBeaconBlockRoot": "0x" + "00" * 32,
}


def test_a_header_hashes_as_the_node_says() -> None:
    header = headers.from_rpc(CANCUN_GENESIS)
    assert header.hash == header.claimed_hash
    assert header.transactions_root == tries.EMPTY_ROOT


@pytest.mark.parametrize("field", headers.NAMES[:20])
def test_every_header_field_is_in_the_hash(field: str) -> None:
    value = CANCUN_GENESIS[field]
    changed = {**CANCUN_GENESIS, field: value[:-1] + ("1" if value[-1] != "1" else "2")} if value != "0x" else None
    changed = changed or {**CANCUN_GENESIS, field: "0x00"}
    header = headers.from_rpc(changed)
    assert header.hash != header.claimed_hash


@pytest.mark.parametrize("field", headers.NAMES[:20])
def test_a_header_without_a_field_is_refused_or_has_another_hash(field: str) -> None:
    changed = {name: value for name, value in CANCUN_GENESIS.items() if name != field}
    try:
        header = headers.from_rpc(changed)
    except MalformedInput:
        return
    assert header.hash != header.claimed_hash


def test_the_bloom_of_an_address_and_a_topic() -> None:
    from eth_hash.auto import keccak

    log = receipts.Log("0x" + "11" * 20, (b"\x22" * 32,), b"")
    bits = 0
    for value in (b"\x11" * 20, b"\x22" * 32):
        digest = keccak(value)
        for i in (0, 2, 4):
            bits |= 1 << (int.from_bytes(digest[i : i + 2], "big") & 2047)
    assert receipts.bloom_of([log]) == bits.to_bytes(256, "big")
    assert receipts.bloom_of([]) == bytes(256)
