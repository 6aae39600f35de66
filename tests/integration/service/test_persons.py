"""Keys of several persons, rotation and recovery, over HTTP against a real service; its clock is moved for notices."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine

from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.documents.dids import did_ethr
from marketplace.errors import MarketplaceError, NotAuthorizedError
from marketplace.evidence.projections import PROJECTORS
from marketplace.ledger import rebuild
from marketplace.sdk import evidence, identifiers, persons, settlement, webhooks
from marketplace.sdk.client import Client
from marketplace.types import NO_LIMIT, Act
from tests import did_core
from tests.integration.service.town import Town, running, town_settings
from tests.sealed_market import keys

DAY = 86_400


class Clock:
    """The service's time, which a test moves on."""

    ahead = 0

    def __call__(self) -> int:
        return int(time.time()) + self.ahead


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("persons")
    settings = town_settings(folder / "service")
    with running(settings, clock) as context:
        made = Town(settings.public_url, folder, context)
        made.join("exchange", "bank", "supplier", "collector", "buyer", "rival", "auditor")
        yield made
        made.close()


@pytest.fixture
def person(town: Town, clock: Clock) -> Iterator[Callable[..., Client]]:
    """A client with keys of that name, perhaps acting for another account."""
    made: list[Client] = []

    def make(name: str, account: str | None = None) -> Client:
        made.append(Client(town.url, keys(name), account=account, now=clock))
        return made[-1]

    yield make
    for client in made:
        client.close()


def add(admin: Client, holder: Client, acts: Act, limit: int = NO_LIMIT, days: int = 0) -> None:
    proposal = persons.propose_key(admin, holder.keys.address, acts, name="Li Lei", limit=limit, days=days)
    persons.accept_key(holder, proposal)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(MarketplaceError) as caught:
        call()
    return caught.value.code


def test_a_clerk_of_the_bank_issues_up_to_its_limit(town: Town, person: Callable[..., Client]) -> None:
    clerk = person("clerk")
    add(town["bank"], clerk, Act.MONEY | Act.READ, limit=5_000)
    assert clerk.address == town["bank"].address
    buyer = town["buyer"].address
    settlement.issue(clerk, buyer, 5_000)
    assert settlement.balance(town["buyer"])["balance"] == 5_000
    assert refused(lambda: settlement.issue(clerk, buyer, 5_001)) == "act_over_limit"
    assert refused(lambda: persons.end_key(clerk, town["bank"].address, "mine now")) == "key_not_administrator"

    persons.end_key(town["bank"], clerk.keys.address, "left the company")
    assert refused(lambda: settlement.issue(clerk, buyer, 1)) in ("intent_signature_invalid", "session_over")
    with pytest.raises(NotAuthorizedError):
        person("clerk", town["bank"].address).get("/participants/applications")


def test_a_key_for_one_kind_of_act_signs_no_other(town: Town, person: Callable[..., Client]) -> None:
    typist = person("typist")
    add(town["supplier"], typist, Act.LISTINGS | Act.READ)
    fields = {"assetId": "0x" + "11" * 32, "from": typist.address, "to": town["buyer"].address, "bps": 1, "version": 1}
    fields["deadline"] = typist.deadline()
    body = {"transferShare": fields, "signature": typist.sign("TransferShare", fields)}
    assert refused(lambda: typist.submit("/rights/shares/transfers", body)) in ("act_not_permitted", "not_found")
    desk = [("/vault/tasks", {"requests": False}), ("/custodian/tasks", {"requests": False}), ("/panel/tasks", {})]
    assert {refused(partial(typist.post, path, body)) for path, body in desk} == {"act_not_permitted"}
    assert town["supplier"].post("/vault/tasks", {"requests": False}) == {"task": None}


def test_a_key_that_only_reads_uploads_nothing(town: Town, person: Callable[..., Client]) -> None:
    account = town["supplier"]
    reader, lister = person("reader"), person("lister")
    add(account, reader, Act.READ | Act.QUERIES)
    add(account, lister, Act.READ | Act.TITLES)
    assert refused(lambda: reader.put_blob(b"sealed")) == "act_not_permitted"
    assert refused(lambda: reader.put_document({"type": "terms"})) == "act_not_permitted"
    assert refused(lambda: lister.put_document({"type": "terms"})) != "act_not_permitted"
    for key in (reader, lister):
        persons.end_key(account, key.keys.address, "tested")


def test_a_file_that_is_not_what_its_maker_signed_is_refused_in_words(
    town: Town, person: Callable[..., Client]
) -> None:
    holder = person("somebody new")
    whole = persons.propose_key(town["bank"], holder.keys.address, Act.READ, name="Li Lei")
    lost = person("lost key")
    offer = persons.offer_recovery(lost, town["bank"].address, town["supplier"].address, "laptop lost")
    broken: list[dict[str, Any]] = [
        {"message": None},
        {"message": []},
        {"message": {}},
        {"signature": None},
        {"signature": "0x12"},
        {"signature": "0x" + "00" * 65},
    ]
    takes = ((whole, partial(persons.accept_key, holder)), (offer, partial(persons.approve_recovery, town["supplier"])))
    for paper, take in takes:
        changes = [*broken, {"message": {**paper["message"], "deadline": "soon"}}]
        assert {refused(partial(take, {**paper, **change})) for change in changes} == {"key_file_malformed"}
        assert refused(partial(take, {**paper, "type": "other"})) == "proposal_differs"
    assert refused(lambda: persons.accept_key(holder, {**whole, "person": 7})) == "proposal_differs"
    assert refused(lambda: persons.accept_key(holder, {**whole, "person": {"a": 1.5}})) == "key_file_malformed"


def test_a_key_that_only_reads_changes_nothing_off_the_ledger_either(town: Town, person: Callable[..., Client]) -> None:
    """Or a clerk could take over the account's webhooks, whose secret is what the account's systems believe."""
    exchange, clerk = town["exchange"], person("clerk of the exchange")
    made = webhooks.register(exchange, "https://example.org/hooks")["endpoint"]
    add(exchange, clerk, Act.READ | Act.MONEY)
    assert [row["endpoint"] for row in webhooks.endpoints(clerk)] == [made]
    changes: list[Callable[[], object]] = [
        lambda: webhooks.register(clerk, "https://clerk.example.org/hooks"),
        lambda: webhooks.rotate(clerk, made),
        lambda: webhooks.ping(clerk, made),
        lambda: webhooks.replay(clerk, made),
        lambda: webhooks.remove(clerk, made),
        lambda: clerk.delete("/agreements/proposals/0x" + "11" * 32),
        lambda: clerk.post(f"/clearing/batches/0x{'11' * 32}/advance", {}),
    ]
    assert [refused(change) for change in changes] == ["act_not_permitted"] * len(changes)
    webhooks.remove(exchange, made)


def test_rotation_keeps_the_account(town: Town, person: Callable[..., Client]) -> None:
    fresh = keys("collector's second")
    account = town["collector"].address
    persons.rotate_key(town["collector"], fresh)
    again = person("collector's second", account)
    assert again.get("/participants/" + account)["status"] == 1
    persons.set_guardians(again, [town["supplier"].address, town["bank"].address], 2, 3)
    assert refused(lambda: persons.rotate_key(person("collector"), keys("third"))) in (
        "key_not_live",
        "sign_in_refused",
    )


def test_guardians_recover_after_the_notice(town: Town, person: Callable[..., Client], clock: Clock) -> None:
    account = town["rival"].address
    persons.set_guardians(town["rival"], [town["supplier"].address, town["bank"].address], 2, 3)
    lost = person("rival's new key")
    for name in ("supplier", "bank"):
        persons.approve_recovery(town[name], persons.offer_recovery(lost, account, town[name].address, "laptop lost"))
    (notice,) = [row for row in persons.list_recoveries(town["buyer"]) if row["account"] == account]
    assert notice["readyAt"] > 0
    name = notice["recoveryId"]
    assert refused(lambda: persons.complete_recovery(town["buyer"], name)) == "recovery_not_ready"

    clock.ahead += 3 * DAY + 60
    persons.complete_recovery(person("buyer"), name)
    assert person("rival's new key", account).get(f"/settlement/balances/{account}")["account"] == account
    with pytest.raises(MarketplaceError):
        person("rival").get(f"/settlement/balances/{account}")


def test_the_present_key_vetoes_a_registrar(town: Town, person: Callable[..., Client]) -> None:
    account, registrar = town["supplier"].address, person("registrar")
    offer = persons.offer_recovery(person("thief"), account, registrar.address, "they say it was lost")
    persons.approve_recovery(registrar, offer)
    (notice,) = [row for row in persons.list_recoveries(registrar) if row["account"] == account]
    persons.veto(person("supplier"), notice["recoveryId"])
    assert refused(lambda: persons.complete_recovery(registrar, notice["recoveryId"])) == "recovery_status"


def test_nobody_recovers_itself(town: Town, person: Callable[..., Client]) -> None:
    registrar = person("registrar")
    offer = persons.offer_recovery(person("sock puppet"), registrar.address, registrar.address, "mine")
    assert refused(lambda: persons.approve_recovery(registrar, offer)) == "recovery_own_matter"


def test_a_did_document_lists_the_keys_of_now(town: Town, person: Callable[..., Client]) -> None:
    """The bank's clerk was ended, the supplier's typist signs still, the collector's first key was rotated."""
    client, chain = person("auditor"), town["bank"].deployment.chain_id

    def listed(account: str) -> dict[str, list[str]]:
        found = identifiers.resolve_did(client, did_ethr(chain, account))
        did_core.check(found)
        party = identifiers.resolve_did(client, account)
        did_core.check(party)
        ids = {item["id"].partition("#")[2]: item["blockchainAccountId"] for item in found["verificationMethod"]}
        assert ids == {
            item["id"].partition("#")[2]: item["blockchainAccountId"] for item in party["verificationMethod"]
        }
        uses = ("verificationMethod", "capabilityInvocation")
        return {
            use: [(item if isinstance(item, str) else item["id"]).partition("#")[2] for item in party[use]]
            for use in uses
        }

    account, typist = town["supplier"].address, keys("typist").address
    assert listed(town["bank"].address)["verificationMethod"] == ["controller"]
    assert listed(account)["verificationMethod"] == ["controller", f"key-{typist}"]
    assert listed(account)["capabilityInvocation"] == ["controller"]
    rotated = keys("collector's second").address
    assert listed(town["collector"].address)["verificationMethod"] == [f"key-{rotated}"]


def test_the_exchange_s_did_document_lists_the_keys_of_registrars_of_now(
    person: Callable[..., Client],
) -> None:
    registrar, officer, reader = person("registrar"), person("officer"), person("reader of the registrar")
    add(registrar, officer, Act.REGISTRY | Act.READ)
    add(registrar, reader, Act.READ)

    def asserting() -> set[str]:
        ids = registrar.get("/.well-known/did.json", signed=False)["assertionMethod"]
        return {item.partition("#registrar-")[2] for item in ids} - {""}

    account, clerk, found = registrar.address, officer.keys.address, asserting()
    assert {account, clerk} <= found
    assert reader.keys.address not in found
    persons.end_key(registrar, clerk, "left")
    assert asserting() == found - {clerk}


def test_the_read_model_and_the_auditor_say_the_same(town: Town, person: Callable[..., Client]) -> None:
    engine: Engine = town.context.engine
    assert rebuild.check(engine, PROJECTORS).rows > 0
    path = town.folder / "bundle.zip"
    evidence.download_bundle(person("auditor"), path)
    with open_bundle(path) as bundle:
        report = audit(bundle, Trust())
    assert not report.findings
    rows = persons.keys_of(person("buyer"), town["bank"].address)["keys"]
    assert [row["validUntil"] == NO_LIMIT for row in rows] == [True, False]
