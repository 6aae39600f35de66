"""Canonical JSON: one form per value, and no bytes whatever make the parser fail in another way than it says."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from crypto import canonical
from crypto.errors import MalformedInput

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER), TEXT)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=20,
)
JSON_LIKE = st.text(st.sampled_from('[]{}",:\\0123456789eE.-+truefalsn u\u00e9\ud7ff\x00 \n'), max_size=60)


@given(VALUES)
def test_value_survives_its_canonical_form_which_is_a_fixed_point(value: Any) -> None:
    data = canonical.canonical_json(value)
    assert canonical.load_canonical(data) == value
    assert canonical.canonical_json(canonical.load_json(data)) == data


@given(VALUES)
def test_the_form_is_that_of_the_reference_implementation(value: Any) -> None:
    assert canonical.canonical_json(value) == rfc8785.dumps(value)


ODD = st.text(st.sampled_from('\x00\x08\x1f\x7f"\\/\u2028é\ud7ff\ue000\uffff\U00010000\U0010ffff'), max_size=4)


@given(st.dictionaries(ODD, st.one_of(ODD, st.lists(ODD, max_size=2)), max_size=5))
def test_keys_are_ordered_and_texts_escaped_as_by_the_reference_implementation(value: dict[str, Any]) -> None:
    assert canonical.canonical_json(value) == rfc8785.dumps(value)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_every_other_spelling_has_the_same_form(value: Any, ascii_only: bool, indent: int | None) -> None:
    spelled = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert canonical.canonical_json(canonical.load_json(spelled)) == canonical.canonical_json(value)


@given(st.dictionaries(TEXT, SCALARS, max_size=6), st.randoms())
def test_order_of_keys_does_not_matter(value: dict[str, Any], random: Any) -> None:
    items = list(value.items())
    random.shuffle(items)
    assert canonical.digest_json(dict(items)) == canonical.digest_json(value)


@given(st.one_of(st.binary(max_size=60), JSON_LIKE.map(str.encode)))
def test_any_bytes_are_a_value_with_a_form_or_malformed(data: bytes) -> None:
    try:
        value = canonical.load_json(data)
    except MalformedInput:
        with pytest.raises(MalformedInput):
            canonical.load_canonical(data)
        return
    if canonical.canonical_json(value) == data:
        assert canonical.load_canonical(data) == value
    else:
        with pytest.raises(MalformedInput):
            canonical.load_canonical(data)
