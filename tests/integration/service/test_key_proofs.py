"""Accounts with several keys, over HTTP to a real vault: persons ask, keys rotate and are recovered, ended ones are
refused, papers and agreements count by when they were signed, and the auditor finds the same."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crypto.canonical import to_hex
from crypto.keystore import Keys
from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.documents import voucher_message
from marketplace.errors import RuleError, VerificationError
from marketplace.evidence.projections import PROJECTORS
from marketplace.intents import sign_intent
from marketplace.ledger import rebuild
from marketplace.participants.service import proving
from marketplace.sdk import agreements, evidence, orders, persons, queries, settlement
from marketplace.sdk.client import Client
from marketplace.sdk.keyproofs import book_of
from marketplace.types import Act, OrderStatus
from marketplace.vault.agent import VaultAgent
from tests.agreements import filled_in
from tests.integration.service.test_persons import DAY, Clock, add
from tests.integration.service.test_way import MINUTE, Workers
from tests.integration.service.town import NODES, PRICE, ROLES, Town, running, town_settings
from tests.sealed_market import keys

SQL = "SELECT origin, COUNT(*) FROM data GROUP BY origin"
JFK = "SELECT COUNT(*) FROM data WHERE origin = 'JFK'"
Person = Callable[..., Client]


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("key proofs")
    settings = town_settings(folder / "service")
    with running(settings, clock) as context:
        made = Town(settings.public_url, folder, context)
        for name in ("registrar", *ROLES):  # they sign in again when the clock was moved
            made.clients[name] = Client(made.url, keys(name), now=clock)
        made.open_market()
        for name in ("buyer", "rival"):
            settlement.issue(made["bank"], made[name].address, 20_000)
        yield made
        made.close()


@pytest.fixture(scope="module")
def person(town: Town, clock: Clock) -> Iterator[Person]:
    """A client with keys of that name, perhaps acting for another account."""
    made: list[Client] = []

    def make(name: str, account: str | None = None) -> Client:
        made.append(Client(town.url, keys(name), account=account, now=clock))
        return made[-1]

    yield make
    for client in made:
        client.close()


def vault(town: Town, clock: Clock) -> VaultAgent:
    agent = town.vault()
    return VaultAgent(agent.client, agent.vault, agent.notice, now=clock)


def ask(town: Town, clock: Clock, client: Client, order: str, sql: str = SQL) -> int:
    """The price of one answered call."""
    with Workers(*(town.node(name).step for name in NODES), vault(town, clock).step):
        return queries.ask(client, order, sql, 1_000, wait_seconds=MINUTE).price


@pytest.fixture(scope="module")
def asked(town: Town, clock: Clock, person: Person) -> str:
    """An order, of which a clerk of the buyer asked a question."""
    clerk = person("clerk of the buyer")
    add(town["buyer"], clerk, Act.QUERIES | Act.READ, limit=PRICE)
    order = town.facts["order"]
    assert ask(town, clock, clerk, order) == PRICE
    with pytest.raises(RuleError) as caught:  # vouchers are cumulative: the second is over twice the price
        queries.ask(clerk, str(order), JFK, 1_000, wait_seconds=MINUTE)
    assert caught.value.code == "act_over_limit"
    return str(order)


@pytest.fixture(scope="module")
def rotated(town: Town, person: Person, asked: str) -> Client:
    """The buyer, with another key since."""
    persons.rotate_key(town["buyer"], keys("the buyer's second key"))
    return person("the buyer's second key", town["buyer"].address)


def handed(town: Town, clock: Clock, rotated: Client, order: str) -> dict[str, Any]:
    """A task of a fresh query of the new key's, as the vault is handed it."""
    with Workers(*(town.node(name).step for name in NODES)), pytest.raises(Exception, match="no outcome yet"):
        queries.ask(rotated, order, JFK, 1_000, wait_seconds=8)
    task: dict[str, Any] = town["supplier"].post("/vault/tasks", {"requests": False})["task"]
    return task


def by(task: dict[str, Any], signer: Keys, town: Town) -> dict[str, Any]:
    """The same task, its voucher signed by another key."""
    signature = sign_intent("Voucher", voucher_message(task["voucher"]), town["buyer"].deployment, signer.signing_key)
    return {**task, "voucher": {**task["voucher"], "signature": to_hex(signature)}}


def test_a_rotated_key_asks_and_the_ended_one_is_refused_by_the_vault(
    town: Town, clock: Clock, rotated: Client
) -> None:
    order = str(orders.fund(rotated, town.facts["listing"], **wish())["orderId"])
    task, decider = handed(town, clock, rotated, order), vault(town, clock).vault
    ended = decider.decide(by(task, keys("buyer"), town), clock())
    assert ended.refusal is not None
    assert ended.refusal["code"] == "voucher_signature"
    hidden = by({**task, "keys": {**task["keys"], "steps": []}}, keys("buyer"), town)
    left_out = decider.decide(hidden, clock())
    assert left_out.refusal is not None
    assert left_out.refusal["code"] == "keys_left_out"
    answer = decider.decide(task, clock())
    assert answer.release is not None
    vault(town, clock).hand_in(answer)
    released = queries.resume(rotated, order, MINUTE)
    assert released is not None
    settlement.close(town["supplier"], order)
    assert orders.get(rotated, order)["status"] == OrderStatus.SETTLED


def wish() -> dict[str, Any]:
    until = int(time.time()) + 60 * DAY
    return {"escrow": 3_000, "epsilon_cap": 100_000, "valid_until": until, "purpose": "TRANSPORT", "region": "CN-SH"}


def test_a_voucher_outlives_its_key_for_the_seller(town: Town, rotated: Client, asked: str) -> None:
    clerk = keys("clerk of the buyer").address
    persons.end_key(rotated, clerk, "left the company")
    settlement.close(town["supplier"], asked)
    assert orders.get(rotated, asked)["status"] == OrderStatus.SETTLED


def test_a_buyer_that_recovered_asks_under_the_order_of_before(town: Town, clock: Clock, person: Person) -> None:
    order, account = town.fund(town.facts["listing"], "rival", valid_until=wish()["valid_until"]), town["rival"].address
    persons.set_guardians(town["rival"], [town["collector"].address], 1, 1)
    fresh = person("the rival's new key", account)
    offer = persons.offer_recovery(fresh, account, town["collector"].address, "laptop lost")
    persons.approve_recovery(town["collector"], offer)
    (notice,) = [row for row in persons.list_recoveries(fresh) if row["account"] == account]
    clock.ahead += DAY + 60
    persons.complete_recovery(town["collector"], notice["recoveryId"])
    assert ask(town, clock, fresh, order) == PRICE
    settlement.close(town["supplier"], order)


def test_an_agreement_shows_the_keys_that_signed_it_then(town: Town, clock: Clock, person: Person) -> None:
    supplier, clerk = town["supplier"], person("clerk of the supplier")
    add(supplier, clerk, Act.AGREEMENTS | Act.READ)
    other, now = town["collector"].address, clock()
    filled = agreements.fill_in(
        "GF-2025-2615",
        filled_in("GF-2025-2615"),
        party_a=supplier.address,
        party_b=other,
        valid_until=now + 30 * DAY,
    )
    proposed = agreements.propose(clerk, filled, deadline=now + 3_600)
    collector = town["collector"]
    agreements.sign(collector, proposed["proposal"])
    persons.end_key(supplier, clerk.keys.address, "left the company")
    found = agreements.get(collector, str(proposed["agreementId"]))
    assert found["keys"] == {supplier.address: clerk.keys.address, other: other}


def test_what_cannot_be_shown_whole_is_not_shown_as_unchanged(
    town: Town, rotated: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More changes than a proof may have: its first address, which was ended, must not sign again."""
    supplier, account = town["supplier"], rotated.address
    assert book_of(supplier, account).keys_at(account, supplier.now()) == [rotated.keys.address]
    monkeypatch.setattr(proving, "MAX_STEPS", 0)
    with pytest.raises(VerificationError) as caught:
        book_of(supplier, account)
    assert caught.value.code == "key_proof_absent"


def test_the_read_model_and_the_auditor_say_the_same(town: Town, person: Person, rotated: Client) -> None:
    assert rotated.address == town["buyer"].address
    assert rebuild.check(town.context.engine, PROJECTORS).rows > 0
    path = town.folder / "bundle.zip"
    evidence.download_bundle(person("auditor"), path)
    with open_bundle(path) as bundle:
        report = audit(bundle, Trust())
    assert report.findings == []
