"""Terms that a seller's own program refuses to sign."""

import pytest

from marketplace.errors import InvalidInputError
from marketplace.sdk.deliveries import Terms


def test_corrections_need_time() -> None:
    with pytest.raises(InvalidInputError) as caught:
        Terms(3, 7, 0, corrections=1)
    assert caught.value.code == "delivery_no_time_to_correct"
    Terms(3, 7, 1, corrections=1)
    Terms(3, 7)
