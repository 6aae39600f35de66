"""How an identity is named, what links it, and where a sign-in may send people."""

import pytest

from crypto import siwe
from marketplace.participants.identities import (
    challenge_of,
    identity_of,
    is_identity,
    is_link_statement,
    link_statement,
)
from marketplace.participants.service.openid import is_registered
from marketplace.types import Act

SECRET = bytes(range(32))


def test_an_identity_is_of_one_issuer_one_subject_and_one_operator() -> None:
    name = identity_of(SECRET, "https://a.example", "alice")
    assert name == identity_of(SECRET, "https://a.example", "alice")
    assert is_identity(name)
    assert not is_identity("0x" + "11" * 20)
    others = (
        identity_of(SECRET, "https://a.example", "alicf"),
        identity_of(SECRET, "https://a.example/", "alice"),
        identity_of(SECRET, "https://a.exampl", "ealice"),
        identity_of(SECRET[::-1], "https://a.example", "alice"),
    )
    assert len({name, *others}) == 5


def test_the_statement_fits_a_wallets_message_and_says_everything() -> None:
    text = link_statement("0x" + "5f" * 32, Act.READ | Act.AGREEMENTS, 1_795_000_000)
    message = siwe.SignIn(
        domain="a.example",
        address="0x" + "11" * 20,
        uri="https://a.example",
        chain_id=1,
        nonce="n" * 32,
        issued_at="2026-01-01T00:00:00Z",
        statement=text,
    )
    assert siwe.parse(message.to_text()).statement == text
    assert "READ AGREEMENTS" in text
    assert "2026-11-18T" in text
    assert is_link_statement(text)
    assert not is_link_statement("Sign in to the trusted data marketplace.")
    assert not is_link_statement(None)


REGISTERED = ("https://portal.example/back", "http://127.0.0.1/callback", "http://[::1]/callback")


@pytest.mark.parametrize(
    "uri",
    [
        *REGISTERED,
        "http://127.0.0.1:49152/callback",
        "http://[::1]:49152/callback",
    ],
)
def test_where_people_may_be_sent_back_to(uri: str) -> None:
    assert is_registered(uri, REGISTERED)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://portal.example/back/",
        "https://portal.example/back?next=x",
        "https://portal.example:444/back",
        "https://portal.example.evil.example/back",
        "https://127.0.0.1/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://evil.example@127.0.0.1/callback",
        "http://127.0.0.1:80/callback#x",
        "http://127.0.0.1:80/callback?x=y",
        "http://127.0.0.1:80/callback/../other",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.2/callback",
        "http://localhost:80/callback",
        "http://127.0.0.1:80/callbacks",
    ],
)
def test_where_nobody_is_sent_back_to(uri: str) -> None:
    assert not is_registered(uri, REGISTERED)


def test_only_registered_loopback_takes_any_port() -> None:
    assert not is_registered("http://127.0.0.1:49152/callback", ("https://portal.example/back",))


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
