"""Signing in with a real OpenID Connect provider over HTTP, and everything that must not sign anybody in."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.security import HTTPAuthorizationCredentials
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from marketplace.errors import NotAuthorizedError, PortError
from marketplace.participants.identities import identity_of, link_statement
from marketplace.sdk import oidc, participants, persons, webhooks
from marketplace.sdk.client import Client
from marketplace.sdk.http.session import SavedSession
from marketplace.types import Act, Address, ParticipantStatus
from marketplace.web.openid.provider import MAX_TALKS
from marketplace.web.openid.tokens import MAX_AGE_SECONDS, SKEW_SECONDS
from marketplace.web.principal import acting
from tests.integration.service.test_panel import eventually
from tests.integration.service.test_persons import Clock, add, refused
from tests.integration.service.town import EXCHANGE_KEY, Town, running, town_settings
from tests.openid_provider import CLIENT, SECRET, Claims, OpenIdProvider, serving
from tests.sealed_market import keys

BACK = "http://127.0.0.1:9/callback"  # nobody listens there: the test reads the address itself
DAY = 86_400


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def issuer(clock: Clock) -> Iterator[OpenIdProvider]:
    with serving(clock) as provider:
        yield provider


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, clock: Clock, issuer: OpenIdProvider) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("openid")
    chosen = {"oidc_issuer": issuer.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    with running(town_settings(folder / "service", **chosen), clock) as context:
        made = Town(context.settings.public_url, folder, context)
        for name in ("registrar", "buyer", "rival", "stranger", "leaver"):
            made.clients[name] = Client(made.url, keys(name), now=clock)
        made.join("exchange", "buyer", "rival")
        yield made
        made.close()


@pytest.fixture
def provider(issuer: OpenIdProvider) -> Iterator[OpenIdProvider]:
    """Honest again after each test."""
    issuer.be_honest()
    yield issuer
    issuer.be_honest()


@pytest.fixture
def guest(town: Town) -> Iterator[Client]:
    """Somebody without keys."""
    with Client(town.url) as client:
        yield client


@pytest.fixture
def linked(town: Town, guest: Client, provider: OpenIdProvider) -> Iterator[str]:
    """Alice signs in for the buyer."""
    identity = str(link(town["buyer"])["identity"])
    yield identity
    if identity in [row["identity"] for row in oidc.list_links(town["buyer"])]:
        oidc.unlink(town["buyer"], identity)


def browse(begun: oidc.Begun) -> str:
    """What the browser's address line says in the end."""
    answer = httpx.get(begun.url)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def link(client: Client, acts: Act = Act.READ, days: int = 30) -> dict[str, Any]:
    begun = oidc.begin(client, BACK)
    return oidc.link(client, begun, browse(begun), acts, days)


def login(guest: Client) -> dict[str, Any]:
    begun = oidc.begin(guest, BACK)
    return oidc.sign_in(guest, begun, browse(begun))


@contextmanager
def reading(town: Town, found: dict[str, Any]) -> Iterator[Client]:
    """A client with the session of a sign-in."""
    saved = SavedSession(town.url, found["token"], found["account"], found["expires_at"])
    with Client(town.url, signed_in=saved) as client:
        yield client


# -- the way itself ---------------------------------------------------------------------------------------------------


def test_a_linked_person_reads_for_the_account_and_signs_nothing(
    town: Town, guest: Client, linked: str, provider: OpenIdProvider
) -> None:
    found = login(guest)
    assert found["account"] == town["buyer"].address
    with reading(town, found) as client:
        assert client.address == town["buyer"].address
        assert [row["identity"] for row in oidc.list_links(client)] == [linked]
        assert client.get(f"/settlement/balances/{client.address}")["account"] == client.address
        assert refused(lambda: webhooks.register(client, "https://example.org/hooks")) == "act_not_permitted"
        assert refused(lambda: oidc.unlink(client, linked)) == "act_not_permitted"
        assert refused(lambda: participants.leave(client)) == "keys_missing"
        assert refused(lambda: oidc.unlink_myself(town["buyer"])) == "identity_unknown", "a key is no link"
        client.sign_out()
        assert refused(lambda: client.get("/session/oidc/links")) == "not_signed_in"
    with reading(town, found) as client:
        assert refused(lambda: oidc.list_links(client)) == "session_over"


def test_of_a_person_a_keyed_hash_is_stored_and_nothing_else(town: Town, linked: str, provider: OpenIdProvider) -> None:
    assert linked == identity_of(bytes.fromhex(EXCHANGE_KEY), provider.issuer, "alice")
    stored = json.dumps(oidc.list_links(town["buyer"]))
    assert "alice" not in stored
    assert linked in stored


def test_the_links_statement_is_what_the_key_signed(town: Town, linked: str) -> None:
    row = oidc.list_links(town["buyer"])[0]
    assert link_statement(linked, Act.READ, row["validUntil"]) in row["message"]
    assert row["linkedBy"] == town["buyer"].keys.address


def test_what_a_link_permits_its_session_may_change(town: Town, guest: Client, provider: OpenIdProvider) -> None:
    identity = link(town["buyer"], Act.READ | Act.ADMINISTER)["identity"]
    with reading(town, login(guest)) as client:
        made = webhooks.register(client, "https://example.org/buyer")["endpoint"]
        webhooks.remove(client, made)
        oidc.unlink(client, identity)
        assert refused(lambda: oidc.list_links(client)) == "session_over"


def test_a_linked_person_may_end_its_own_link(town: Town, guest: Client, linked: str) -> None:
    with reading(town, login(guest)) as client:
        assert oidc.unlink_myself(client) == {"identity": linked}
        assert refused(lambda: oidc.list_links(client)) == "session_over"
    assert refused(lambda: login(guest)) == "identity_not_linked"


def test_what_a_link_registered_ends_with_it(town: Town, guest: Client, provider: OpenIdProvider, clock: Clock) -> None:
    buyer = town["buyer"]
    own = webhooks.register(buyer, "https://example.org/own")["endpoint"]

    def known() -> list[str]:
        return sorted(row["endpoint"] for row in webhooks.endpoints(buyer))

    ends: list[Callable[[str], object]] = [lambda name: oidc.unlink(buyer, name), lambda _: link(buyer)]
    for end in ends:
        identity = link(buyer, Act.READ | Act.ADMINISTER, days=1)["identity"]
        with reading(town, login(guest)) as client:
            made = webhooks.register(client, "https://example.org/linked")["endpoint"]
        assert known() == sorted((own, made))
        clock.ahead += 1
        end(identity)
        eventually(lambda: known() == [own])
    webhooks.remove(buyer, own)


def test_a_provider_that_uses_rsa(
    town: Town, guest: Client, linked: str, provider: OpenIdProvider, clock: Clock
) -> None:
    clock.ahead += 11
    for algorithm in ("RS256", "PS256"):
        before, name = provider.signing, provider.rotate(RSAKey.generate_key(2048))
        provider.header = {"alg": algorithm}
        assert login(guest)["account"] == town["buyer"].address
        del provider.keys[name]
        provider.signing, provider.header = before, {}
        clock.ahead += 11


# -- what signs nobody in ---------------------------------------------------------------------------------------------

LIES: dict[str, Claims] = {
    "another issuer": {"iss": "https://elsewhere.example"},
    "the issuer with a slash": {"iss": "/"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "somebody else"},
    "an audience besides us": {"aud": [CLIENT, "somebody else"]},
    "no audience": {"aud": None},
    "another authorised party": {"azp": "somebody else"},
    "another nonce": {"nonce": "n" * 43},
    "no nonce": {"nonce": None},
    "a nonce that is no text": {"nonce": 1},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject too long": {"sub": "a" * 256},
    "no end": {"exp": None},
    "an end that is text": {"exp": "2999"},
    "expired": {"exp": -SKEW_SECONDS - 1},
    "from the future": {"iat": SKEW_SECONDS + 30},
    "not yet good": {"nbf": SKEW_SECONDS + 30},
    "made long ago": {"iat": -MAX_AGE_SECONDS - 30},
}
RELATIVE = ("exp", "iat", "nbf")


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_says_something_else(
    guest: Client, linked: str, provider: OpenIdProvider, clock: Clock, lie: str
) -> None:
    """Each names the linked person, is signed by the provider, and is wrong in one thing."""
    now = clock()
    changed = {
        name: now + value if name in RELATIVE and type(value) is int else value for name, value in LIES[lie].items()
    }
    if changed.get("iss") == "/":
        changed["iss"] = provider.issuer + "/"
    provider.claims = changed
    with pytest.raises(NotAuthorizedError, match="ID token") as caught:
        login(guest)
    assert caught.value.code == "oidc_refused"
    assert caught.value.zh.startswith("身份提供方登录未通过验证：ID 令牌"), "the reason, in Chinese, too"
    provider.claims = {}
    assert login(guest)["account"]


def by_hand(provider: OpenIdProvider, claims: Claims, algorithm: str, secret: bytes | None) -> str:
    """A token as no library would make it."""
    header = {"alg": algorithm, "kid": provider.signing}
    said = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)
    )
    mac = hmac.new(secret, said.encode(), hashlib.sha256).digest() if secret is not None else b""
    return f"{said}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def by_public_key(provider: OpenIdProvider, claims: Claims) -> str:
    """The public key as the secret of an HMAC, which everybody knows."""
    public = provider.keys[provider.signing]
    assert isinstance(public, ECKey)
    return by_hand(provider, claims, "HS256", public.as_pem(private=False))


def tampered(provider: OpenIdProvider, claims: Claims) -> str:
    head, _, seal_ = provider.sign({**claims, "sub": "mallory"}).split(".")
    return ".".join((head, provider.sign(claims).split(".")[1], seal_))


FORGERIES: dict[str, Callable[[OpenIdProvider, Claims], str]] = {
    "alg none": lambda provider, claims: by_hand(provider, claims, "none", None),
    "HMAC with the client's secret": lambda provider, claims: by_hand(provider, claims, "HS256", SECRET.encode()),
    "HMAC with the public key": by_public_key,
    "somebody else's key under the provider's id": lambda provider, claims: provider.sign(
        claims, ECKey.generate_key("P-256")
    ),
    "a key that brings itself": lambda provider, claims: provider.sign(
        claims, own := ECKey.generate_key("P-256"), kid="mine", jwk=own.as_dict(private=False)
    ),
    "another algorithm than the key's": lambda provider, claims: provider.sign(
        claims, RSAKey.generate_key(2048), kid=provider.signing
    ),
    "another curve": lambda provider, claims: provider.sign(claims, ECKey.generate_key("P-384"), alg="ES384"),
    "an extension that must be understood": lambda provider, claims: provider.sign(claims, crit=["b64"], b64=True),
    "other claims under the signature": tampered,
    "no token": lambda provider, claims: "token",
    "too long": lambda provider, claims: provider.sign({**claims, "more": "x" * 20_000}),
    "nested too deep": lambda provider, claims: provider.sign({**claims, "more": json.loads("[" * 500 + "]" * 500)}),
    "no object": lambda provider, claims: provider.sign([claims]),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_token_that_the_provider_did_not_sign_so(
    guest: Client, linked: str, provider: OpenIdProvider, forgery: str
) -> None:
    provider.token = lambda claims: FORGERIES[forgery](provider, claims)
    assert refused(lambda: login(guest)) == "oidc_refused"


def test_a_token_of_an_earlier_sign_in_is_of_no_use(guest: Client, linked: str, provider: OpenIdProvider) -> None:
    kept: list[str] = []

    def keep(claims: Claims) -> str:
        kept.append(provider.sign(claims))
        return kept[0]

    provider.token = keep
    login(guest)
    assert refused(lambda: login(guest)) == "oidc_refused"
    assert len(kept) == 2


def test_a_sign_in_ends_once(town: Town, guest: Client, linked: str, provider: OpenIdProvider) -> None:
    begun = oidc.begin(guest, BACK)
    address = browse(begun)
    oidc.sign_in(guest, begun, address)
    assert refused(lambda: oidc.sign_in(guest, begun, address)) == "oidc_refused"
    assert refused(lambda: oidc.sign_in(guest, begun, browse(begun))) == "oidc_refused", "with a fresh code"
    assert refused(lambda: oidc.link(town["buyer"], begun, browse(begun), Act.READ, 1)) == "oidc_refused"


def test_a_code_ends_the_sign_in_of_whoever_began_it_and_no_other(
    guest: Client, linked: str, provider: OpenIdProvider
) -> None:
    """A code pushed upon a victim, and one that leaked: only state, verifier and code of one sign-in fit together."""
    mine, theirs = oidc.begin(guest, BACK), oidc.begin(guest, BACK)
    address = browse(theirs)
    assert refused(lambda: oidc.sign_in(guest, mine, address)) == "redirect_differs"
    code = parse_qs(urlsplit(address).query)["code"][0]
    stolen = {"state": theirs.state, "code": code, "codeVerifier": mine.verifier, "iss": provider.issuer}
    assert refused(lambda: guest.post("/session/oidc", stolen, signed=False)) == "oidc_refused"
    swapped = {**stolen, "state": mine.state}
    assert refused(lambda: guest.post("/session/oidc", swapped, signed=False)) == "oidc_refused", "the provider: PKCE"
    theirs_again = oidc.begin(guest, BACK)
    assert oidc.sign_in(guest, theirs_again, browse(theirs_again))["account"]


def test_a_stranger_does_not_burn_somebodys_sign_in(guest: Client, linked: str, provider: OpenIdProvider) -> None:
    begun = oidc.begin(guest, BACK)
    address = browse(begun)
    wrong = {"state": begun.state, "code": "x", "codeVerifier": "v" * 43, "iss": provider.issuer}
    assert refused(lambda: guest.post("/session/oidc", wrong, signed=False)) == "oidc_refused"
    assert oidc.sign_in(guest, begun, address)["account"]


@pytest.mark.parametrize("named", ["https://elsewhere.example", None])
def test_a_code_of_another_provider_is_not_redeemed(
    guest: Client, linked: str, provider: OpenIdProvider, named: str | None
) -> None:
    """The mix-up attack: the code would be handed to a provider that did not give it (RFC 9207)."""
    provider.names_issuer = named
    before = provider.asked.count("/token")
    assert refused(lambda: login(guest)) == "oidc_refused"
    assert provider.asked.count("/token") == before


def test_a_sign_in_has_ten_minutes(guest: Client, linked: str, provider: OpenIdProvider, clock: Clock) -> None:
    begun = oidc.begin(guest, BACK)
    address = browse(begun)
    clock.ahead += 601
    assert refused(lambda: oidc.sign_in(guest, begun, address)) == "oidc_refused"


def test_nobody_is_sent_to_an_address_that_is_not_registered(guest: Client, provider: OpenIdProvider) -> None:
    for address in ("https://evil.example/callback", "http://127.0.0.1:9/other", "http://localhost:9/callback"):
        assert refused(lambda address=address: oidc.begin(guest, address)) == "redirect_uri_unregistered"  # type: ignore[misc]


def test_the_person_may_say_no(guest: Client, provider: OpenIdProvider) -> None:
    begun = oidc.begin(guest, BACK)
    said = f"{BACK}?error=access_denied&state={begun.state}"
    assert refused(lambda: oidc.sign_in(guest, begun, said)) == "oidc_denied"


# -- keys of the provider ---------------------------------------------------------------------------------------------


def test_the_provider_rotates_its_keys(
    town: Town, guest: Client, linked: str, provider: OpenIdProvider, clock: Clock
) -> None:
    login(guest)
    clock.ahead += 11
    old = provider.signing
    provider.rotate()
    assert login(guest)["account"] == town["buyer"].address
    provider.signing = old
    assert login(guest)["account"], "still published"

    withdrawn = provider.keys.pop(old)
    provider.header = {"kid": old}
    provider.token = lambda claims: provider.sign(claims, withdrawn)
    clock.ahead += 601
    assert refused(lambda: login(guest)) == "oidc_refused"
    provider.be_honest()
    provider.signing = next(iter(provider.keys))
    assert login(guest)["account"]


def test_unknown_key_ids_do_not_make_us_ask_all_day(
    guest: Client, linked: str, provider: OpenIdProvider, clock: Clock
) -> None:
    clock.ahead += 601
    login(guest)
    before = provider.asked.count("/keys")
    for number in range(5):
        provider.header = {"kid": f"unknown {number}"}
        assert refused(lambda: login(guest)) == "oidc_refused"
    assert provider.asked.count("/keys") == before


def test_a_weak_key_is_none(guest: Client, linked: str, provider: OpenIdProvider, clock: Clock) -> None:
    before = provider.signing
    with pytest.warns(SecurityWarning):
        provider.rotate(RSAKey.generate_key(1024))
    clock.ahead += 11
    assert refused(lambda: login(guest)) == "oidc_refused"
    del provider.keys[provider.signing]
    provider.signing = before


# -- bytes of the provider --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b'{"id_token": ' + b" " * 300_000 + b'"x"}'),
        (200, {}, b"[" * 5_000),
        (200, {}, b"[]"),
        (200, {}, b'{"id_token": "x", "id_token": "y"}'),
        (200, {"content-encoding": "gzip"}, b"{}"),
        (302, {"location": "http://127.0.0.1:1/"}, b""),
        (500, {}, b"down"),
    ],
    ids=["too long", "too deep", "no object", "a name twice", "packed", "a redirect", "down"],
)
def test_an_unusable_answer_ends_the_sign_in_and_nothing_else(
    guest: Client, linked: str, provider: OpenIdProvider, answer: tuple[int, dict[str, str], bytes]
) -> None:
    provider.answer = {"/token": answer}
    with pytest.raises(PortError) as caught:
        login(guest)
    assert caught.value.code == "oidc_unreachable"
    assert caught.value.zh.startswith("身份提供方未给出可用的答复："), "what was wrong with it, in Chinese, too"
    provider.answer = {}
    assert login(guest)["account"]


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ],
)
def test_a_provider_that_describes_somebody_else(
    guest: Client, provider: OpenIdProvider, clock: Clock, said: dict[str, Any]
) -> None:
    provider.discovery = said
    clock.ahead += 3601
    assert refused(lambda: oidc.begin(guest, BACK)) == "oidc_unreachable"
    provider.discovery = {}
    assert oidc.begin(guest, BACK).issuer == provider.issuer


def test_a_provider_that_does_not_answer_holds_up_nobody_else(
    town: Town, guest: Client, linked: str, provider: OpenIdProvider
) -> None:
    """Whoever comes may begin a sign-in: with more of them than the service has threads it still answers others."""
    begun = [oidc.begin(guest, BACK) for _ in range(2 * MAX_TALKS)]
    addresses = [browse(one) for one in begun]
    endings: list[str] = []

    def end(number: int) -> None:
        with Client(town.url) as client:
            endings.append(refused(lambda: oidc.sign_in(client, begun[number], addresses[number])))

    provider.answer = {"/token": (500, {}, b"down")}
    with ThreadPoolExecutor(len(begun)) as pool, provider.silence():
        waiting = [pool.submit(end, number) for number in range(len(begun))]
        assert len(list(islice(as_completed(waiting, timeout=4), MAX_TALKS))) == MAX_TALKS, "sent away at once"
        assert provider.asked[-MAX_TALKS:] == ["/token"] * MAX_TALKS
        assert httpx.get(f"{town.url}/profile", timeout=2).status_code == 200
    for one in waiting:
        one.result()
    assert set(endings) == {"oidc_unreachable"}
    provider.answer = {}
    assert login(guest)["account"] == town["buyer"].address


# -- links ------------------------------------------------------------------------------------------------------------


def test_whom_nobody_linked_gets_nothing(guest: Client, provider: OpenIdProvider) -> None:
    provider.subject = "mallory"
    assert refused(lambda: login(guest)) == "identity_not_linked"


def test_a_person_is_linked_to_one_account(town: Town, guest: Client, linked: str, provider: OpenIdProvider) -> None:
    assert refused(lambda: link(town["rival"])) == "identity_taken"
    assert login(guest)["account"] == town["buyer"].address
    oidc.unlink(town["buyer"], linked)
    assert link(town["rival"])["identity"] == linked
    assert login(guest)["account"] == town["rival"].address
    assert refused(lambda: oidc.unlink(town["buyer"], linked)) == "identity_unknown"
    oidc.unlink(town["rival"], linked)


def test_a_session_ends_with_its_link(town: Town, guest: Client, linked: str, clock: Clock) -> None:
    found = login(guest)
    with reading(town, found) as client:
        assert oidc.list_links(client)
        oidc.unlink(town["buyer"], linked)
        assert refused(lambda: oidc.list_links(client)) == "session_over"
        link(town["buyer"], days=1)
        assert refused(lambda: oidc.list_links(client)) == "session_over", "another link opens no old session"
    with reading(town, login(guest)) as client:
        clock.ahead += DAY
        assert refused(lambda: oidc.list_links(client)) == "session_over"
    assert refused(lambda: login(guest)) == "identity_not_linked"


def test_a_session_that_ends_while_it_asks_may_nothing(town: Town, guest: Client, linked: str) -> None:
    """Signed out, unlinked or over between the two looks of one request: it is no session of the account itself."""
    found = login(guest)
    bearer = HTTPAuthorizationCredentials(scheme="Bearer", credentials=found["token"])
    with reading(town, found) as client:
        client.sign_out()
    permitted = acting(Act.ADMINISTER)
    assert refused(lambda: permitted(town.context, Address(found["account"]), bearer)) == "session_over"


def test_a_link_made_anew_opens_no_session_of_the_one_before(town: Town, guest: Client, linked: str) -> None:
    with reading(town, login(guest)) as client:
        assert oidc.list_links(client)
        link(town["buyer"], Act.READ | Act.ADMINISTER)
        assert refused(lambda: oidc.list_links(client)) == "session_over"


def test_a_dead_link_keeps_nobody_from_another_account(
    town: Town, guest: Client, provider: OpenIdProvider, clock: Clock
) -> None:
    with Client(town.url, keys("administrator who left"), now=clock) as second:
        add(town["buyer"], second, Act.ADMINISTER | Act.READ)
        identity = link(second)["identity"]
        assert refused(lambda: link(town["rival"])) == "identity_taken"
        persons.end_key(town["buyer"], second.keys.address, "left")
    assert link(town["rival"])["identity"] == identity
    assert login(guest)["account"] == town["rival"].address
    oidc.unlink(town["rival"], identity)


def test_a_link_lives_no_longer_than_the_key_that_made_it(
    town: Town, guest: Client, provider: OpenIdProvider, clock: Clock
) -> None:
    with Client(town.url, keys("second administrator"), now=clock) as second:
        add(town["buyer"], second, Act.ADMINISTER | Act.READ)
        identity = link(second)["identity"]
        with reading(town, login(guest)) as client:
            assert oidc.list_links(client)
            persons.end_key(town["buyer"], second.keys.address, "left")
            assert refused(lambda: oidc.list_links(client)) == "session_over"
    assert refused(lambda: login(guest)) == "identity_not_linked"
    oidc.unlink(town["buyer"], identity)


def test_a_key_links_no_more_than_it_may_itself(
    town: Town, guest: Client, provider: OpenIdProvider, clock: Clock
) -> None:
    with Client(town.url, keys("reader"), now=clock) as reader, Client(town.url, keys("clerk"), now=clock) as clerk:
        add(town["buyer"], reader, Act.READ)
        assert refused(lambda: link(reader)) == "identity_link_beyond_key"
        add(town["buyer"], clerk, Act.READ | Act.ADMINISTER)
        assert refused(lambda: link(clerk, Act.READ | Act.AGREEMENTS)) == "identity_link_beyond_key"
    assert refused(lambda: link(town["buyer"], Act.ADMINISTER)) == "identity_link_term"
    assert refused(lambda: link(town["buyer"], days=400)) == "identity_link_term"
    assert refused(lambda: link(town["stranger"])) == "participant_not_served"
    assert refused(lambda: login(guest)) == "identity_not_linked"


def test_suspended_and_expelled_participants_get_nothing(town: Town, guest: Client, provider: OpenIdProvider) -> None:
    town.join("leaver")
    registrar, account = town["registrar"], town["leaver"].address
    identity = link(town["leaver"])["identity"]
    with reading(town, login(guest)) as client:
        participants.set_status(registrar, account, ParticipantStatus.SUSPENDED, "unpaid")
        assert refused(lambda: oidc.list_links(client)) == "session_over"
        assert refused(lambda: login(guest)) == "identity_not_linked"
        participants.set_status(registrar, account, ParticipantStatus.ACTIVE, "paid")
        assert login(guest)["account"] == account
        participants.set_status(registrar, account, ParticipantStatus.EXPELLED, "forged")
    assert refused(lambda: login(guest)) == "identity_not_linked"
    assert refused(lambda: link(town["leaver"])) == "participant_not_served"
    oidc.unlink(town["leaver"], identity)


def proven(client: Client) -> tuple[oidc.Begun, str]:
    begun = oidc.begin(client, BACK)
    ended = oidc.ending(begun, browse(begun))
    return begun, str(client.post("/session/oidc/identity", ended, signed=False)["identity"])


def test_a_link_is_for_what_was_signed_and_shown(
    town: Town, guest: Client, linked: str, provider: OpenIdProvider, clock: Clock
) -> None:
    rival, until = town["rival"], clock() + 40 * DAY
    provider.subject = "bob"
    begun, identity = proven(guest)
    base: dict[str, Any] = {"state": begun.state, "codeVerifier": begun.verifier, "identity": identity}
    base |= {"acts": int(Act.READ), "validUntil": until}

    def attempt(statement: str, **changed: Any) -> str:
        body = base | changed | rival.sign_message(statement)
        return refused(lambda: rival.post("/session/oidc/links", body, signed=False))

    honest = link_statement(identity, Act.READ, until)
    assert attempt("Sign in to the trusted data marketplace.") == "identity_link_differs"
    assert attempt(honest, acts=int(Act.READ | Act.ADMINISTER)) == "identity_link_differs"
    assert attempt(honest, validUntil=until + 1) == "identity_link_differs"
    assert attempt(link_statement(linked, Act.READ, until), identity=linked) == "oidc_refused", "never shown"
    assert attempt(honest, codeVerifier="v" * 43) == "oidc_refused"
    body = base | rival.sign_message(honest)
    rival.post("/session/oidc/links", body, signed=False)
    assert refused(lambda: rival.post("/session/oidc/links", body, signed=False)) == "sign_in_refused", "the nonce"
    assert attempt(honest) == "oidc_refused", "the sign-in is spent"
    oidc.unlink(rival, identity)


def test_a_link_message_signs_nobody_in(town: Town, guest: Client, clock: Clock) -> None:
    body = town["buyer"].sign_message(link_statement("0x" + "11" * 32, Act.READ, clock() + DAY))
    assert refused(lambda: guest.post("/session", body, signed=False)) == "sign_in_refused"
