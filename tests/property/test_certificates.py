"""No bit of a certificate, of a list or of a QR code can be turned without being noticed."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.canonical import canonical_json
from marketplace.errors import InvalidInputError
from marketplace.rights import compact
from marketplace.rights.standing import judge
from tests.certificates import REGISTRAR, certificate, lists, public
from tests.unit.sdk.exchange import NOW

ISSUER = public(REGISTRAR)
CERTIFICATE, LISTS = certificate(), lists()
CERTIFICATE_BYTES, LIST_BYTES = canonical_json(CERTIFICATE), canonical_json(LISTS[0])
CODE = compact.pack(CERTIFICATE)


def _flipped(content: bytes, bit: int) -> Any:
    """The JSON with one bit turned; None where it is no JSON object any more."""
    turned = bytearray(content)
    turned[bit // 8] ^= 1 << bit % 8
    try:
        found = json.loads(turned)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@settings(max_examples=300, deadline=None)
@given(bit=st.integers(0, 8 * len(CERTIFICATE_BYTES) - 1))
def test_a_flipped_certificate_is_refused(bit: int) -> None:
    found = _flipped(CERTIFICATE_BYTES, bit)
    if found is not None:
        with pytest.raises(InvalidInputError):
            judge(found, LISTS, issuer=ISSUER, now=NOW)


@settings(max_examples=300, deadline=None)
@given(bit=st.integers(0, 8 * len(LIST_BYTES) - 1))
def test_a_flipped_list_never_makes_a_certificate_valid(bit: int) -> None:
    found = _flipped(LIST_BYTES, bit)
    if found is None:
        return
    if found.get("id") != LISTS[0]["id"]:  # it claims to be another list, and is passed over
        verdict = judge(CERTIFICATE, [found, *LISTS[1:]], issuer=ISSUER, now=NOW)
        assert verdict.code == "certificate_status_unknown"
        return
    with pytest.raises(InvalidInputError):
        judge(CERTIFICATE, [found, *LISTS[1:]], issuer=ISSUER, now=NOW)


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, len(CODE) - 1), letter=st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"))
def test_a_changed_code_is_refused(place: int, letter: str) -> None:
    changed = CODE[:place] + letter + CODE[place + 1 :]
    if changed == CODE:
        return
    with pytest.raises(InvalidInputError):
        judge(compact.unpack(changed), LISTS, issuer=ISSUER, now=NOW)


@given(text=st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for given_text in (text, compact.PREFIX + text):
        with pytest.raises(InvalidInputError):
            compact.unpack(given_text)
