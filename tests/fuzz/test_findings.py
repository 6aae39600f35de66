"""What fuzzing found, each input that once broke a reader; it must be refused by an error of ours now."""

import pytest

from tests.fuzz.targets import run

FINDINGS = [
    ("table", b"\x00\xba\xbd,delay\n1,2\n"),  # a header line in GBK ended in UnicodeDecodeError
]


@pytest.mark.parametrize(("name", "data"), FINDINGS)
def test_it_is_refused(name: str, data: bytes) -> None:
    assert not run(name, data)
