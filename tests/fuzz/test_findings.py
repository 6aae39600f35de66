"""What fuzzing found, each input that once broke a reader; it must be refused by an error of ours now."""

import json
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import canonical_json, keccak256
from crypto.errors import MalformedInput
from marketplace.auditor.bundle import Limits, ZipBundle
from marketplace.refusals import FAILED, from_revert
from tests.fuzz.targets import TARGETS, run

_REFUSED = next(seed for seed in TARGETS["event"].seeds() if seed[:2] == b"\x00\x02")  # two topics, then bytes
_HUGE = (1 << 200).to_bytes(32, "big")
_PROFILE: dict[str, Any] = json.loads(TARGETS["profile"].seeds()[0])
_TERMS = next(held for held in map(json.loads, TARGETS["document"].seeds()) if held["type"] == "terms")
_UPLOAD: dict[str, Any] = json.loads(TARGETS["panel"].seeds()[1])["task"]


def _panel(**changes: Any) -> tuple[str, bytes]:
    return "panel", canonical_json({"task": {**_UPLOAD, **changes}})


FINDINGS = [
    ("table", b"\x00\xba\xbd,delay\n1,2\n"),  # a header line in GBK ended in UnicodeDecodeError
    ("profile", json.dumps({**_PROFILE, "chainId": float("inf")}).encode()),  # OverflowError of int()
    ("profile", json.dumps({**_PROFILE, "feeBps": 7}).replace("7}", "1e999}").encode()),  # the same, spelled otherwise
    ("document", canonical_json({**_TERMS, "version": []})),  # the version chose the shape: TypeError
    ("event", _REFUSED[:66] + (32).to_bytes(32, "big") + _HUGE),  # OverflowError of a read
    _panel(manifest=[]),  # each of these ended a panel node's loop with a TypeError or KeyError
    _panel(requests=[{}]),
    _panel(requests=7),
    _panel(digest=None),
]


@pytest.mark.parametrize(("name", "data"), FINDINGS)
def test_it_is_refused(name: str, data: bytes) -> None:
    assert not run(name, data)


def test_revert_data_of_a_text_beyond_all_memory_is_an_unexplained_failure() -> None:
    """ "Never raises" ended in OverflowError."""
    selector = keccak256(b"StringTooLong(string)")[:4]
    assert from_revert(selector + _HUGE + bytes(96)).code == FAILED
    assert from_revert(selector + (32).to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\xff" + bytes(31))


def test_a_bundle_whose_file_is_named_otherwise_inside_is_malformed(tmp_path: Path) -> None:
    """A member's own header promised a UTF-8 name and held another: UnicodeDecodeError of zipfile."""
    held = bytearray(TARGETS["bundle"].seeds()[0])
    held[held.index(b"PK\x03\x04") + 7] |= 0x08
    held[held.index(b"PK\x03\x04") + 30] = 0xFF
    path = tmp_path / "bundle.zip"
    path.write_bytes(held)
    with ZipBundle(path, Limits()) as bundle, pytest.raises(MalformedInput):
        bundle.read("profile.json", 1000)
