"""Bech32m against the vectors of BIP-350, and what its checksum promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.bech32 import ALPHABET, decode, encode
from crypto.errors import MalformedInput, ParameterError

# BIP-350, "Test vectors for Bech32m". Their values are five bits each; those of WHOLE are also whole bytes.
WHOLE = (
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
)
BROKEN_BYTES = ("11" + "l" * 82 + "ludsr8",)
INVALID = (
    *("\x201xj0phk", "\x7f1g6xzxy", "\x801vctc34", "qyrz8wqd2c9m", "1qyrz8wqd2c9m", "y1b0jsk6g", "lt1igcx5c0"),
    *("in1muywd", "mm1crxm3i", "au1s5cgom", "M1VUXWEZ", "16plkw9", "1p2gdwpf"),
    "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
    *("A12UEL5L", "a12uel5l", "A1lqfn3a", ""),  # Bech32 without m; mixed case; nothing
)
PREFIXES = st.sampled_from(["party", "data", "series", "product", "cert", "order", "a1b"])
BODIES = st.binary(min_size=20, max_size=20)


@pytest.mark.parametrize("text", WHOLE)
def test_the_standard_s_texts_are_read_and_written(text: str) -> None:
    prefix, data = decode(text)
    assert encode(prefix, data) == text.lower()


def test_the_standard_s_longest_values_are_those_that_it_lists() -> None:
    assert (
        decode("abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx")[1].hex() == "ffbbcdeb38bdab49ca307b9ac5a928398a418820"
    )


@pytest.mark.parametrize("text", BROKEN_BYTES)
def test_what_checks_but_is_no_whole_bytes_is_refused_for_that(text: str) -> None:
    with pytest.raises(MalformedInput, match="bits after the last whole byte"):
        decode(text)


@pytest.mark.parametrize("text", INVALID)
def test_the_standard_s_invalid_texts_are_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        decode(text)


@given(PREFIXES, st.binary(max_size=40))
def test_what_is_written_is_read_again_in_either_case(prefix: str, data: bytes) -> None:
    text = encode(prefix, data)
    assert decode(text) == decode(text.upper()) == (prefix, data)


@given(PREFIXES, BODIES, st.data())
def test_up_to_four_wrong_characters_are_always_found(prefix: str, data: bytes, draw: st.DataObject) -> None:
    text = encode(prefix, data)
    first = len(prefix) + 1
    places = draw.draw(st.sets(st.integers(first, len(text) - 1), min_size=1, max_size=4))
    wrong = list(text)
    for place in places:
        wrong[place] = draw.draw(st.sampled_from(sorted(set(ALPHABET) - {text[place]})))
    with pytest.raises(MalformedInput, match="checksum"):
        decode("".join(wrong))


@given(PREFIXES, PREFIXES, BODIES)
def test_text_of_one_prefix_never_reads_as_text_of_another(prefix: str, other: str, data: bytes) -> None:
    if prefix != other:
        with pytest.raises(MalformedInput):
            decode(other + encode(prefix, data).removeprefix(prefix))


@pytest.mark.parametrize(("prefix", "size"), [("", 20), ("Data", 20), ("d ta", 20), ("数", 20), ("data", 60)])
def test_what_has_no_text_is_refused(prefix: str, size: int) -> None:
    with pytest.raises(ParameterError):
        encode(prefix, bytes(size))
