"""A term that rests on another is given as asked or refused; nothing is shortened unsaid."""

import pytest

from marketplace.errors import RuleError
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk.terms import DAY, end_within
from tests.unit.sdk.exchange import NOW


@pytest.mark.parametrize(("seconds", "latest"), [(90 * DAY, 0), (90 * DAY, NOW + 90 * DAY), (1, NOW + 1)])
def test_a_term_within_what_it_rests_on_is_given(seconds: int, latest: int) -> None:
    assert end_within(NOW, Duration(seconds=seconds), latest) == NOW + seconds


@pytest.mark.parametrize(
    ("seconds", "left", "expected", "got"),
    [
        (90 * DAY, 90 * DAY - 1, "at most 89d", "90d"),
        (DAY, DAY - 1, "at most 86399s", "1d"),
        (60, 59, "at most 59s", "60s"),
        (60, -5, "at most 0s", "60s"),
    ],
)
def test_a_longer_one_is_refused_with_the_longest(seconds: int, left: int, expected: str, got: str) -> None:
    with pytest.raises(RuleError) as refused:
        end_within(NOW, Duration(seconds=seconds), NOW + left)
    assert (refused.value.code, refused.value.expected, refused.value.got) == (
        "term_beyond_registration",
        expected,
        got,
    )
    assert refused.value.hint.startswith(f"give --term {expected.removeprefix('at most ')} or less")
