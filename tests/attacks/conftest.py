"""One sealed data set for all attacks on streets."""

import pytest

from tests.attacks.scene import anew, open_streets
from tests.sealed_market import Market


@pytest.fixture(scope="session")
def sealed_streets(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_streets(tmp_path_factory.mktemp("streets"))


@pytest.fixture
def streets(sealed_streets: Market, tmp_path_factory: pytest.TempPathFactory) -> Market:
    """The streets with an account of their own."""
    return anew(sealed_streets, tmp_path_factory.mktemp("account"))
