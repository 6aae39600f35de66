"""Calls and events to and from ABI bytes."""

import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import to_hex
from marketplace import calls
from marketplace.abi import IrregularError
from marketplace.calls import (
    VERBS,
    batch_members,
    decode_call,
    decode_event,
    encode_batch,
    encode_call,
    parameters_of,
    signers_of,
)
from marketplace.deployment import Genesis, created_address
from marketplace.errors import InvalidInputError
from marketplace.intents import CONTRACTS, INTENTS

ADDRESS = "0x" + "ab" * 20
DIGEST = "0x" + "cd" * 32


IRREGULAR: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, -1, 2**96, 2**256, 1.0, "", "0x", "0xa", "0x ", ADDRESS.upper(), ADDRESS[2:], [], {}]),
    st.sampled_from([ADDRESS.replace("a", "A"), DIGEST.replace("c", "C"), DIGEST[:-2] + "  ", DIGEST[:-1], [1, None]]),
    st.text(alphabet="0xabAB 1", max_size=70),
    st.binary(max_size=40),
    st.integers(0, 2**256),
)


def _values(kind: str) -> st.SearchStrategy[Any]:
    if kind.endswith("[]"):
        return st.lists(_values(kind[:-2]), max_size=4)
    if kind == "address":
        return st.binary(min_size=20, max_size=20).map(to_hex)
    if kind.startswith("bytes"):
        size = int(kind[5:]) if kind[5:] else None
        return st.binary(min_size=size or 0, max_size=size or 100).map(to_hex)
    return st.integers(0, 2 ** int(kind[4:]) - 1)


def _arguments(contract: str, verb: str) -> st.SearchStrategy[list[Any]]:
    parts = [
        st.fixed_dictionaries({field.name: _values(field.kind) for field in item.fields})
        if item.struct
        else _values(item.kind)
        for item in parameters_of(contract, verb)
    ]
    return st.tuples(*parts).map(list)


@given(data=st.data())
def test_calls_come_back_as_they_went(data: st.DataObject) -> None:
    contract = data.draw(st.sampled_from(CONTRACTS))
    verb = data.draw(st.sampled_from(VERBS[contract]))
    arguments = data.draw(_arguments(contract, verb))
    assert decode_call(contract, encode_call(contract, verb, arguments)) == (verb, arguments)


@given(data=st.data())
def test_calls_are_what_eth_abi_makes_of_them(data: st.DataObject) -> None:
    """Also where one value is of another spelling or outside its type: the same bytes, or refused by both."""
    contract = data.draw(st.sampled_from(CONTRACTS))
    verb = data.draw(st.sampled_from(VERBS[contract]))
    arguments = data.draw(_arguments(contract, verb))
    place = data.draw(st.integers(-1, len(arguments) - 1))
    if place >= 0 and isinstance(arguments[place], dict):
        name = data.draw(st.sampled_from(sorted(arguments[place])))
        arguments[place] = {**arguments[place], name: data.draw(IRREGULAR)}
    elif place >= 0:
        arguments[place] = data.draw(IRREGULAR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calls, "_quick_encoder", lambda _contract, _verb: _leave_to_eth_abi)
        expected = _encoded(contract, verb, arguments)
    assert _encoded(contract, verb, arguments) == expected


def _leave_to_eth_abi(_arguments: object) -> bytes:
    raise IrregularError


def _encoded(contract: str, verb: str, arguments: list[Any]) -> bytes | None:
    try:
        return encode_call(contract, verb, arguments)
    except InvalidInputError:
        return None


@given(st.lists(st.binary(max_size=100), max_size=5))
def test_a_batch_is_what_eth_abi_makes_of_it(members: list[bytes]) -> None:
    assert encode_batch(members)[4:] == encode(["bytes[]"], [members])


@given(st.binary(max_size=400))
def test_foreign_calldata_is_read_or_refused(data: bytes) -> None:
    for contract in CONTRACTS:
        for prefix in (b"", encode_call("Orders", "refund", [DIGEST])[:4], encode_batch([])[:4]):
            with suppress(InvalidInputError):
                assert decode_call(contract, prefix + data)[0] in (*VERBS[contract], "submit")


@given(st.lists(st.binary(max_size=100), max_size=5), st.binary(max_size=40))
def test_a_batch_is_read_member_by_member(members: list[bytes], behind: bytes) -> None:
    assert list(batch_members(encode_batch(members) + behind)) == members


@given(st.lists(st.integers(0, 9).map(lambda number: (32 * number).to_bytes(32, "big")), max_size=12))
def test_a_foreign_batch_is_read_as_any_other_calldata(words: list[bytes]) -> None:
    data = encode_batch([])[:4] + b"".join(words) + bytes(512)
    with suppress(InvalidInputError):
        (members,) = decode_call("Evidence", data)[1]
        assert [to_hex(member) for member in batch_members(data)] == members


@pytest.mark.parametrize("cut", [4, 5, 36, 67, 68, 100, 131, 133])
def test_a_batch_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        batch_members(encode_batch([b"member"])[:cut])
    assert caught.value.code == "call_malformed"


def test_members_that_lie_over_each_other_are_never_held_together() -> None:
    """2,000 members in one place: 128 KB of calldata that would be a quarter of a gigabyte of hex text."""
    count, size = 2_000, 64_000
    heads = [32, count, *([32 * count] * count), size]
    data = encode_batch([])[:4] + b"".join(head.to_bytes(32, "big") for head in heads) + bytes(size)
    tracemalloc.start()
    try:
        total = sum(len(member) for member in batch_members(data))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == count * size
    assert peak < 4 * len(data)


def test_a_batch_is_a_call_with_the_members_calldata() -> None:
    member = encode_call("Orders", "refund", [DIGEST])
    assert decode_call("Orders", encode_batch([member, b""])) == ("submit", [[to_hex(member), "0x"]])


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("refund", []),
        ("refund", [DIGEST[:-2]]),
        ("refund", [DIGEST.upper()]),
        ("refund", [7]),
        ("nothing", []),
        ("fund", [{}, "0x"]),
        ("settle", [{"orderId": DIGEST}, "0x", {}, "0x"]),
    ],
)
def test_calls_of_another_form_are_refused(verb: str, arguments: list[Any]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        encode_call("Orders", verb, arguments)
    assert caught.value.code == "call_malformed"


def test_values_outside_their_type_are_refused() -> None:
    anchor = {"size": 2**64, "root": DIGEST, "previousRoot": DIGEST, "exchange": ADDRESS, "deadline": 1}
    with pytest.raises(InvalidInputError):
        encode_call("Evidence", "anchor", [anchor, "0x"])


def test_signers_come_in_signature_order() -> None:
    handover = {"titleId": DIGEST, "from": ADDRESS, "to": "0x" + "01" * 20, "version": 1, "deadline": 2}
    found = signers_of("Titles", "transfer", [handover, "0x01", "0x02"])
    assert [(name, signer, signature) for name, _, signer, signature, _ in found] == [
        ("Transfer", ADDRESS, b"\x01"),
        ("Transfer", "0x" + "01" * 20, b"\x02"),
    ]


def test_a_voucher_is_signed_by_the_buyer_that_the_caller_knows() -> None:
    voucher = {"orderId": DIGEST, "amount": 1, "epsilon": 1, "calls": 1, "callsRoot": DIGEST}
    closing = {"orderId": DIGEST, "voucherHash": DIGEST, "seller": ADDRESS, "deadline": 1}
    found = signers_of("Orders", "settle", [voucher, "0x0a", closing, "0x0b"], "0x" + "02" * 20)
    assert [(name, signer) for name, _, signer, _, _ in found] == [("Voucher", "0x" + "02" * 20), ("Close", ADDRESS)]


def test_every_intent_names_its_signers_for_every_verb() -> None:
    for contract, verbs in VERBS.items():
        for verb in verbs:
            structs = [item.struct for item in parameters_of(contract, verb) if item.struct]
            signatures = [item for item in parameters_of(contract, verb) if item.kind == "bytes"]
            assert len(signatures) == sum(len(INTENTS[name].signers) or 1 for name in structs)


def test_an_unknown_event_is_refused() -> None:
    for topics in ([], [bytes(32)]):
        with pytest.raises(InvalidInputError):
            decode_event("Orders", topics, b"")


def test_created_addresses_follow_the_yellow_paper() -> None:
    # Vector: go-ethereum, crypto/crypto_test.go, TestNewContractAddress.
    deployer = "0x970e8128ab834e8eac17ab8e3812f010678cf791"
    assert [created_address(deployer, nonce) for nonce in (0, 1, 2)] == [
        "0x333c3310824b7c685133f2bedb2ca4b8b4df633d",
        "0x8bda78331c916a08481428e4b07c96d3e916d165",
        "0xc9ddedf451bc62ce88bf9292afb13df35b670699",
    ]
    with pytest.raises(ValueError, match="first 128"):
        created_address(deployer, 128)


def test_the_six_contracts_stand_at_distinct_addresses() -> None:
    assert len(set(Genesis(ADDRESS, ADDRESS, ADDRESS, 0, "0x" + "00" * 32).addresses().values())) == len(CONTRACTS)
