"""Records of where a query's time goes."""

import json
import logging

import pytest

from marketplace.queries import timings


def test_parts_add_up_in_the_record_of_their_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "marketplace.timings"), timings.record("panel", {"digest": "0xab"}):
        for _ in range(2):
            with timings.part("arithmetic"):
                pass
    found = json.loads(caplog.messages[0])
    assert (found["timing"], found["query"], list(found["milliseconds"])) == ("panel", "0xab", ["arithmetic"])
    assert found["began"] <= found["ended"]


def test_nothing_is_recorded_unasked(caplog: pytest.LogCaptureFixture) -> None:
    with timings.record("vault", "not a task"), timings.part("noise"):
        pass
    assert not caplog.messages
