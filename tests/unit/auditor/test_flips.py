"""Any single changed byte, anywhere in the bundle's files, is found."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bundles import Made
from tests.unit.auditor.forger import Forger


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_found(made: Made, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(name for name, held in made.files.items() if held)))
    content = bytearray(made.files[name])
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    forger = Forger(made)
    forger.files[name] = bytes(content)
    report = forger.report()
    assert not report.passed
    assert report.findings[0].message


#: what is named once for each participant, case or redemption: of each type one is changed
OF_MANY = ("profile", "payout", "registration_form", "registration_paper")
#: what may be left out as personal, which is no finding and is said
PERSONAL = {"profile": "profiles_withheld", "payout": "payouts_withheld"}


def _type(name: str, content: bytes) -> str:
    return str(json.loads(content).get("type")) if name.startswith("documents/") else name


def _files(made: Made) -> Iterator[tuple[str, bytes, str]]:
    """Each file with its document's type."""
    done: set[str] = set()
    for name, content in made.files.items():
        kind = _type(name, content)
        if kind not in OF_MANY or kind not in done:
            done.add(kind)
            yield name, content, kind


@pytest.mark.parametrize("kind", ["cut", "grown", "emptied", "removed"])
def test_any_cut_grown_emptied_or_removed_file_is_found(made: Made, kind: str) -> None:
    for name, content, type_ in _files(made):
        forger = Forger(made)
        forger.files[name] = {"cut": content[:-1], "grown": content + b"x", "emptied": b"", "removed": b""}[kind]
        if kind == "removed":
            del forger.files[name]
        report = forger.report()
        said = {note for note, _, _ in report.notes}
        assert not report.passed or (kind == "removed" and PERSONAL.get(type_) in said), name
