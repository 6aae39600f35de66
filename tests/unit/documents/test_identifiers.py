"""Identifiers: one text an object, of which a mistyped one is refused with what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import ParameterError
from marketplace.documents.identifiers import (
    KIND_NAMES,
    Identifier,
    Kind,
    identifier,
    is_hex_id,
    parse_identifier,
)
from marketplace.errors import InvalidInputError

KINDS = st.sampled_from(list(Kind))
BODIES = st.binary(min_size=20, max_size=20)
ACCOUNT = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"


def test_the_text_of_an_address_never_changes() -> None:
    """Printed certificates carry it: another rendering would orphan them."""
    found = identifier(Kind.PARTY, ACCOUNT)
    assert str(found) == "party1wzvhjux9rqfdcwspp37srdgwp5tac7wg34c2jp"
    assert found.grouped == "party1-wzvh-jux9-rqfd-cwsp-p37s-rdgw-p5ta-c7wg-34c2-jp"
    assert found.prefix == ACCOUNT


@given(KINDS, BODIES)
def test_an_identifier_is_read_as_written_grouped_and_in_capitals(kind: Kind, body: bytes) -> None:
    made = Identifier(kind, body)
    assert len(str(made)) == len(kind) + 39
    for text in (str(made), made.grouped, made.grouped.replace("-", " "), made.grouped.upper()):
        assert parse_identifier(text) == made


@given(KINDS, KINDS, BODIES, st.binary(min_size=12, max_size=12), st.binary(min_size=12, max_size=12))
def test_kinds_never_share_an_identifier(kind: Kind, other: Kind, body: bytes, one: bytes, two: bytes) -> None:
    assert (str(Identifier(kind, body)) == str(Identifier(other, body))) == (kind is other)
    if Kind.PARTY not in (kind, other):
        assert identifier(kind, "0x" + (body + one).hex()).names("0x" + (body + two).hex())


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "prefix"),
        ("party1wzvhjux9rqfdcwspp37srdgwp5tac7wg34c2jq", "checksum"),
        ("data1wzvhjux9rqfdcwspp37srdgwp5tac7wg34c2jp", "checksum"),
        ("Party1wzvhjux9rqfdcwspp37srdgwp5tac7wg34c2jp", "case"),
        ("party1wzvhjux9rqfdcwspp37srdgwp5tac7wg34c2jb", "do not occur: b"),
        ("party1" + "q" * 100, "longer"),
        ("a1lqfn3a", "no kind 'a'"),
        ("0x" + "ab" * 32, "prefix"),
        ("参与方", "ASCII"),
    ],
)
def test_a_refusal_says_what_is_wrong_in_both_languages(text: str, wrong: str) -> None:
    with pytest.raises(InvalidInputError, match=wrong) as refused:
        parse_identifier(text)
    assert refused.value.code == "malformed_identifier"
    assert refused.value.zh
    assert refused.value.hint
    assert refused.value.hint_zh


def test_a_body_of_another_length_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="20 bytes"):
        parse_identifier(str(Identifier(Kind.DATA, bytes(21))))


@pytest.mark.parametrize(("kind", "subject"), [(Kind.PARTY, "0x" + "11" * 32), (Kind.DATA, ACCOUNT)])
def test_an_address_is_a_party_and_an_id_is_none(kind: Kind, subject: str) -> None:
    with pytest.raises(ParameterError):
        identifier(kind, subject)


def test_every_kind_has_a_name_and_hex_ids_are_known() -> None:
    assert set(KIND_NAMES) == set(Kind)
    assert is_hex_id(ACCOUNT)
    assert is_hex_id("0x" + "ab" * 32)
    assert not is_hex_id(ACCOUNT.upper())
