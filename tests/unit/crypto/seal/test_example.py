"""The example in the room's map is true."""

import doctest

import crypto.seal


def test_the_example_of_the_map() -> None:
    result = doctest.testmod(crypto.seal)
    assert result.attempted > 0
    assert result.failed == 0
