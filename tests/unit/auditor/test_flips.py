"""Any single changed byte, anywhere in the bundle's files, is found."""

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


@pytest.mark.parametrize("kind", ["cut", "grown", "emptied", "removed"])
def test_any_cut_grown_emptied_or_removed_file_is_found(made: Made, kind: str) -> None:
    for name, content in made.files.items():
        forger = Forger(made)
        forger.files[name] = {"cut": content[:-1], "grown": content + b"x", "emptied": b"", "removed": b""}[kind]
        if kind == "removed":
            del forger.files[name]
        assert not forger.report().passed, name
