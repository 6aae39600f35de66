"""One town for all tests of this folder: setting it up takes seconds, and what it has done stays true."""

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.service.town import Town, running, town_settings


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A running service with a funded order on it."""
    folder = tmp_path_factory.mktemp("town")
    settings = town_settings(folder / "service", currencies="CNY,HKD")
    with running(settings) as context:
        made = Town(settings.public_url, folder, context)
        made.open_market()
        yield made
        made.close()


@pytest.fixture(scope="package")
def http(town: Town) -> Iterator[httpx.Client]:
    """Plain HTTP, signed in as nobody."""
    with httpx.Client(base_url=town.url) as client:
        yield client
