"""RFC 3339 times: one way of writing, one strict reading."""

import pytest

from crypto import timestamps
from crypto.errors import MalformedInput, ParameterError


def test_seconds_go_there_and_back() -> None:
    assert timestamps.to_text(1_769_846_400) == "2026-01-31T08:00:00Z"
    assert timestamps.from_text("2026-01-31T08:00:00Z").timestamp() == 1_769_846_400
    assert timestamps.from_text("2026-01-31T16:00:00.500+08:00").timestamp() == 1_769_846_400.5


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "2026-01-31T08:00:00",
        "2026-01-31 08:00:00Z",
        "2026-01-31t08:00:00z",
        "2026-02-30T08:00:00Z",
        "2026-01-31T24:00:01Z",
        "2026-06-30T23:59:60Z",
        "20260131T080000Z",
        "2026-01-31T08:00:00Z\n",
        "２０２６-01-31T08:00:00Z",
        "",
        None,
        0,
    ],
)
def test_other_forms_and_times_are_refused_by_name(text: object) -> None:
    with pytest.raises(MalformedInput, match=r"^created: "):
        timestamps.from_text(text, "created")


@pytest.mark.parametrize("seconds", [-1, 253_402_300_800, 1.0, True, "1"])
def test_other_seconds_are_refused(seconds: object) -> None:
    with pytest.raises(ParameterError):
        timestamps.to_text(seconds)  # type: ignore[arg-type]
