"""Hostile bytes at every reader: what comes out is a value, or an error of ours; nothing else, whatever the bytes.

Bounded on purpose, so that it runs with every change; `scripts/fuzz` looks longer, guided by coverage.
"""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import mutate
from tests.fuzz.targets import TARGETS, run

_SLOW = {"wire": 60, "bls": 60, "bundle": 80, "table": 80}
_EXAMPLES = 200


@pytest.mark.parametrize("name", TARGETS)
def test_changed_artefacts(name: str) -> None:
    @settings(max_examples=_SLOW.get(name, _EXAMPLES), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(TARGETS[name].seeds()) - 1), st.integers(0, 2**32))
    def check(seed: int, choice: int) -> None:
        run(name, mutate(name, TARGETS[name].seeds()[seed], Random(choice)))

    check()


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes(name: str) -> None:
    @settings(max_examples=_SLOW.get(name, _EXAMPLES) // 2, deadline=None)
    @given(st.binary(max_size=300))
    def check(data: bytes) -> None:
        run(name, data)

    check()


@pytest.mark.parametrize("name", TARGETS)
def test_real_artefacts_are_read(name: str) -> None:
    """Otherwise the mutations would only ever meet the first check."""
    assert any(run(name, seed) for seed in TARGETS[name].seeds())
