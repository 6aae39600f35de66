"""One town for all tests of this folder: setting it up takes seconds, and what it has done stays true."""

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from crypto import keystore
from marketplace.cli import main
from marketplace.sdk.client import Client
from marketplace.sdk.home.files import write_private
from tests.integration.service.late import Late
from tests.integration.service.town import ROLES, Shown, Town, running, town_settings
from tests.sealed_market import keys


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


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Late]:
    """A town with a clock of its own."""
    folder, later = tmp_path_factory.mktemp("late"), [0]
    settings = town_settings(folder / "service")
    with running(settings, lambda: int(time.time()) + later[0]) as context:
        made = Late(Town(settings.public_url, folder, context), later)
        town = made.town
        for name in (*ROLES, "registrar"):
            town.clients[name] = Client(town.url, keys(name), now=made.now)
        town.open_market()
        yield made
        town.close()


@pytest.fixture
def shown(town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shown:
    """Runs a command as one of the town's parties and gives what it prints for a person; `code` as it must end."""
    password = "a long password"
    monkeypatch.setenv("MARKETPLACE_PASSWORD", password)
    monkeypatch.setattr("marketplace.sdk.opening.close_process", lambda: None)

    def run(name: str, *words: str, code: int = 0) -> str:
        home = town.folder / f"home-{name}"
        if not home.exists():
            sealed = keystore.encrypt(town[name].keys, password, keystore.MIN_WORK_FACTOR)
            write_private(home / "keystore.json", json.dumps(sealed).encode())
        capsys.readouterr()
        assert main([*words, "--home", str(home), "--url", town.url]) == code, capsys.readouterr().err
        return capsys.readouterr().out

    return run


@pytest.fixture(scope="package")
def http(town: Town) -> Iterator[httpx.Client]:
    """Plain HTTP, signed in as nobody."""
    with httpx.Client(base_url=town.url) as client:
        yield client
