"""One true bundle for all tests of the auditor; each test changes a copy."""

import pytest

from tests.bundles import Made, make_bundle


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A small market's story: admissions, refusals, titles and shares moved, orders settled, open and refunded."""
    return make_bundle(tmp_path_factory.mktemp("node"), orders=3, queries=1)
