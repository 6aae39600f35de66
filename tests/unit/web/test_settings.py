"""The program refuses to start with what is missing, published or open, and never repeats a secret."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from marketplace.errors import ConfigurationError
from marketplace.settings import KEY_NAMES, PUBLISHED_KEYS, Settings, load_settings, make_operator_keys

REGISTRAR = "0x" + "12" * 20


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MARKETPLACE_SECRETS_DIR", "MARKETPLACE_HOST", "MARKETPLACE_PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)


def given(**changes: Any) -> dict[str, Any]:
    """Settings that are good, but for `changes`."""
    keys = {name: secrets.token_hex(32) for name in KEY_NAMES}
    return {**keys, "genesis_registrar": REGISTRAR, **changes}


def test_complete_settings_are_taken() -> None:
    settings = load_settings(**given(port=9000))
    assert settings.public_url == "http://127.0.0.1:9000"
    assert settings.sign_in_domain == "127.0.0.1:9000"
    assert settings.database.startswith("sqlite:////")


@pytest.mark.parametrize("name", [*KEY_NAMES, "genesis_registrar"])
def test_there_is_no_default_for_what_must_be_chosen(name: str) -> None:
    incomplete = {key: value for key, value in given().items() if key != name}
    with pytest.raises(ConfigurationError) as refused:
        load_settings(**incomplete)
    assert name in refused.value.message


BAD_KEYS = ["", "00" * 32, "0102" * 16, "zz" * 32, "ab" * 31, sorted(PUBLISHED_KEYS)[0]]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_guessable_or_published_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(**given(relayer_key=key))
    assert "relayer_key" in refused.value.message
    assert not key or key not in str(refused.value.as_dict())


def test_two_functions_need_two_keys() -> None:
    key = secrets.token_hex(32)
    with pytest.raises(ConfigurationError, match="three different keys"):
        load_settings(**given(relayer_key=key, log_key=key))


@pytest.mark.parametrize(
    "changes",
    [{"host": "0.0.0.0"}, {"public_url": "http://exchange.example"}, {"public_url": "ftp://127.0.0.1"}],
)
def test_tokens_never_travel_in_the_clear_outside_this_machine(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        load_settings(**given(**changes))
    assert load_settings(**given(host="0.0.0.0", public_url="https://exchange.example"))


def test_secrets_do_not_show() -> None:
    chosen = given()
    settings = Settings(**chosen)
    assert not any(chosen[name] in repr(settings) + str(settings.model_dump()) for name in KEY_NAMES)


def test_made_keys_are_private_files_that_settings_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = make_operator_keys(tmp_path / "secrets")
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o600] * 3
    monkeypatch.setenv("MARKETPLACE_SECRETS_DIR", str(tmp_path / "secrets"))
    settings = load_settings(genesis_registrar=REGISTRAR)
    assert settings.log_key.get_secret_value() == paths[2].read_text()
    with pytest.raises(ConfigurationError) as refused:
        make_operator_keys(tmp_path / "secrets")
    assert refused.value.code == "key_exists"


def test_every_setting_has_a_line_in_the_documentation() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"`{name.upper()}`" not in page] == []
    assert set(Settings.model_fields) <= set((Settings.__doc__ or "").replace(":", " ").split())


OIDC = {"oidc_issuer": "https://id.example", "oidc_client_id": "exchange"}


def test_a_provider_is_off_until_it_is_named() -> None:
    assert load_settings(**given()).oidc_issuer == ""
    settings = load_settings(**given(**OIDC, oidc_redirect_uris="https://a.example/back http://[::1]/callback"))
    assert settings.redirects == ("https://a.example/back", "http://[::1]/callback")


@pytest.mark.parametrize(
    "changes",
    [
        {"oidc_client_id": ""},
        {"oidc_redirect_uris": " "},
        {"oidc_issuer": "http://id.example"},
        {"oidc_issuer": "https://id.example#a"},
        {"oidc_issuer": "https://id.example?tenant=a"},
        {"oidc_issuer": "https://user@id.example"},
        {"oidc_issuer": "https://"},
        {"oidc_redirect_uris": "http://a.example/back"},
        {"oidc_redirect_uris": "https://a.example/back javascript:alert(1)"},
    ],
)
def test_a_provider_that_cannot_be_trusted_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(**given(**{**OIDC, **changes}))
    assert refused.value.code == "settings_invalid"


def test_the_clients_secret_is_never_repeated() -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(**given(**OIDC, oidc_client_secret="hush hush", oidc_redirect_uris="ftp://x"))
    assert "hush" not in str(refused.value.as_dict())
    assert "hush" not in repr(load_settings(**given(**OIDC, oidc_client_secret="hush hush")))
