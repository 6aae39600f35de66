"""Every refusal of the ledger, really raised: nothing in its texts is left to fill in."""

import re

import pytest

from marketplace.refusals import REFUSALS, from_revert, refuse, to_revert
from tests.refusals import left_open, sample_values

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("error", REFUSALS)
def test_a_refusal_leaves_nothing_to_fill_in(error: str) -> None:
    for place in range(4):
        refused = refuse(error, **sample_values(error, place))
        assert not left_open(refused)
        assert CHINESE.search(refused.zh)
        assert CHINESE.search(refused.hint_zh)
        assert from_revert(to_revert(refused)).as_dict() == refused.as_dict()
