"""Canonical JSON: what has a form, what is refused, and that only one form is accepted."""

import json
from typing import Any

import pytest

from crypto import canonical
from crypto.errors import MalformedInput, ParameterError
from tests.unit.crypto.vectors import load

FLOATS = ("structures", "values")


@pytest.mark.parametrize(
    "case", [case for case in load("jcs") if case["name"] not in FLOATS], ids=lambda case: case["name"]
)
def test_published_values_have_the_published_bytes(case: dict[str, Any]) -> None:
    value = canonical.load_json(case["input"].encode())
    assert canonical.canonical_json(value).hex() == case["canonical"]
    assert canonical.load_canonical(bytes.fromhex(case["canonical"])) == value


@pytest.mark.parametrize("name", FLOATS)
def test_published_values_with_floats_are_refused_though_rfc_8785_has_a_form_for_them(name: str) -> None:
    (text,) = (case["input"] for case in load("jcs") if case["name"] == name)
    with pytest.raises(MalformedInput, match="not an integer"):
        canonical.load_json(text.encode())


def test_keys_are_ordered_by_utf16_units_not_by_code_points() -> None:
    assert canonical.canonical_json({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


def test_digest_is_sha256_of_the_canonical_form() -> None:
    assert canonical.digest_json({"b": 1, "a": [True, None, "é"]}) == canonical.sha256(
        '{"a":[true,null,"é"],"b":1}'.encode()
    )


def test_keccak_is_ethereums_not_sha3() -> None:
    assert canonical.keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (1.0, "$"),
        ({"a": [1, 0.5]}, "$.a[1]"),
        (float("nan"), "$"),
        (2**53, "$"),
        (-(2**53), "$"),
        (b"bytes", "$"),
        ({1: 2}, "$"),
        ("\ud800", "$"),
        ({"\udfff": 1}, "$"),
        ({"a": {"b": object()}}, "$.a.b"),
    ],
)
def test_values_without_a_form_are_refused_by_path(value: Any, path: str) -> None:
    with pytest.raises(ParameterError) as refusal:
        canonical.canonical_json(value)
    assert str(refusal.value).startswith(f"{path}: ")


def test_largest_integers_have_a_form() -> None:
    assert canonical.canonical_json([2**53 - 1, -(2**53) + 1]) == b"[9007199254740991,-9007199254740991]"


def test_depth_is_capped_on_both_ways() -> None:
    deepest = json.loads("[" * 32 + "]" * 32)
    assert canonical.load_json(canonical.canonical_json(deepest)) == deepest
    with pytest.raises(ParameterError, match="deeper"):
        canonical.canonical_json([deepest])
    with pytest.raises(MalformedInput, match="deeper"):
        canonical.load_json(b"[" * 33 + b"]" * 33)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1.0",
        b"1e3",
        b"9007199254740992",
        b"1" * 5000,
        b'"\\ud800"',
        b'{"\\udc00":1}',
        b'"\xff"',
        b'\xef\xbb\xbf"a"',
        b'"\x01"',
        b"[1,]",
        b"[1] x",
        b"{'a':1}",
        b"",
        b"\xfe\xff\x00[\x00]",
        b"[" * 100_000,
    ],
)
def test_hostile_json_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        canonical.load_json(data)
    with pytest.raises(MalformedInput):
        canonical.load_canonical(data)


def test_too_long_input_is_refused_before_parsing() -> None:
    with pytest.raises(MalformedInput, match="at most 3 bytes"):
        canonical.load_json(b"not json", max_bytes=3)


@pytest.mark.parametrize("data", [b'{"b":1,"a":2}', b"[1, 2]", b"-0", b'"\\u0061"', b'"\\/"', b"[]\n"])
def test_another_spelling_of_the_same_value_is_not_canonical(data: bytes) -> None:
    canonical.load_json(data)
    with pytest.raises(MalformedInput, match="canonical form"):
        canonical.load_canonical(data)


def test_canonical_input_is_returned() -> None:
    assert canonical.load_canonical(b'{"a":[1,"x",null]}') == {"a": [1, "x", None]}


@pytest.mark.parametrize("text", ["", "0X00", "0xA0", "0x0", "0x 00", "00", "0x0g", None, 7, b"0x00"])
def test_other_spellings_of_hex_are_refused_by_name(text: object) -> None:
    with pytest.raises(ParameterError, match=r"^colour: "):
        canonical.from_hex(text, None, "colour")


def test_hex_goes_there_and_back_and_has_its_size_checked() -> None:
    assert canonical.from_hex(canonical.to_hex(b"\x00\xab"), 2) == b"\x00\xab"
    with pytest.raises(ParameterError, match="expected 3 bytes, got 2"):
        canonical.from_hex("0x00ab", 3)
