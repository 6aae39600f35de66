"""`marketplace session` as it is typed, with a real provider and a browser that the test plays."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from crypto import keystore
from marketplace.errors import MarketplaceError
from marketplace.sdk import oidc
from marketplace.sdk.home.files import write_private
from marketplace.sdk.http.session import SavedSession
from tests.integration.service.test_openid import link, login, reading
from tests.integration.service.town import Town, running, town_settings
from tests.openid_provider import CLIENT, SECRET, OpenIdProvider, serving
from tests.sealed_market import keys

PASSWORD = "a long password"


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    with serving() as made:
        yield made


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, provider: OpenIdProvider) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("openid commands")
    chosen = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    with running(town_settings(folder / "service", **chosen)) as context:
        made = Town(context.settings.public_url, folder, context)
        made.join("exchange", "rival")
        yield made
        made.close()


def typed(folder: Path, town: Town, *words: str, opens: bool = False) -> Any:
    """Run a command; `opens` plays the browser: it follows the address that the command prints."""
    command = [sys.executable, "-m", "marketplace.cli", *words, "--json", "--home", str(folder), "--url", town.url]
    environment = {"MARKETPLACE_PASSWORD": PASSWORD, "PATH": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as run:
        assert run.stderr is not None
        if opens:
            asked = json.loads(run.stderr.readline())["open"]
            back = parse_qs(urlsplit(asked).query)["redirect_uri"][0]
            for said in ("", "?code=x", "?code=x&state=another", "?" + "&".join(f"{n}=" for n in range(50))):
                assert httpx.get(back + said).status_code == 404, "another page of the browser calls the port"
            page = httpx.get(asked, follow_redirects=True)
            assert "可关闭此页面" in page.text
        out, err = run.communicate(timeout=60)
    return json.loads(out or err.splitlines()[-1])


def test_the_way_by_command_line(town: Town, tmp_path: Path, provider: OpenIdProvider) -> None:
    provider.subject = "carol"
    admin, analyst = tmp_path / "admin", tmp_path / "analyst"
    admin.mkdir(mode=0o700)
    document = keystore.encrypt(keys("rival"), PASSWORD, keystore.MIN_WORK_FACTOR)
    write_private(admin / "keystore.json", json.dumps(document).encode())

    made = typed(admin, town, "session", "link", "--days", "30", opens=True)
    assert made["account"] == town["rival"].address
    signed_in = typed(analyst, town, "session", "login", opens=True)
    assert signed_in["account"] == town["rival"].address
    assert "token" not in signed_in
    assert (analyst / "session.json").stat().st_mode & 0o777 == 0o600
    assert [row["identity"] for row in typed(analyst, town, "session", "links")] == [made["identity"]]
    assert typed(analyst, town, "orders", "list") == []
    assert typed(analyst, town, "participants", "leave")["code"] == "keys_missing"
    typed(admin, town, "session", "unlink", made["identity"])
    assert typed(analyst, town, "session", "links")["code"] == "session_over"


def test_ending_one_s_own_link_by_command_line(town: Town, provider: OpenIdProvider, tmp_path: Path) -> None:
    provider.subject = "erin"
    made = link(town["rival"])
    assert typed(tmp_path, town, "session", "unlink", "--me")["code"] == "argument_invalid"
    found = login(town["rival"])
    SavedSession(town.url, found["token"], found["account"], found["expires_at"]).save(tmp_path / "session.json")
    tmp_path.chmod(0o700)
    assert typed(tmp_path, town, "session", "unlink")["code"] == "argument_invalid"
    assert typed(tmp_path, town, "session", "unlink", "--me") == {"identity": made["identity"]}
    assert not (tmp_path / "session.json").exists()
    assert made["identity"] not in [row["identity"] for row in oidc.list_links(town["rival"])]


def test_signing_out_by_command_line(town: Town, provider: OpenIdProvider, tmp_path: Path) -> None:
    provider.subject = "dave"
    link(town["rival"])
    found = login(town["rival"])
    saved = SavedSession(town.url, found["token"], found["account"], found["expires_at"])
    saved.save(tmp_path / "session.json")
    tmp_path.chmod(0o700)
    assert typed(tmp_path, town, "session", "logout")["account"] == town["rival"].address
    assert not (tmp_path / "session.json").exists()
    with reading(town, found) as client, pytest.raises(MarketplaceError):
        oidc.list_links(client)
