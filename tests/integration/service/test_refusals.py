"""Every refusal names its code before anything reaches the ledger; the same intent twice is one intent."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from crypto import envelope
from crypto.canonical import to_hex
from marketplace import documents
from marketplace.currencies import CNY
from marketplace.documents import ids, voucher_document
from marketplace.documents.scopes import scope_of_terms
from marketplace.errors import MarketplaceError
from marketplace.evidence.inbox import Statement
from marketplace.intents import Deployment, sign_intent
from marketplace.orders import service as orders_service
from marketplace.queries.language.sql import parse_sql
from marketplace.queries.permission.pricing import next_voucher
from marketplace.queries.protocol.statements import sign_result
from marketplace.queries.tables import PanelTask
from marketplace.sdk import listings, orders, participants, queries, rights, settlement
from marketplace.sdk.client import Client
from marketplace.types import ZERO_DIGEST, Role, TitleKind
from tests.integration.service.town import BUDGET, ESCROW, NODES, Town

ANY = "0x" + "cd" * 32


def code_of(act: Callable[[], object]) -> str:
    """The code that `act` is refused with."""
    with pytest.raises(MarketplaceError) as refused:
        act()
    assert refused.value.code
    return refused.value.code


def fund_message(town: Town, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A Fund that would be accepted, but for `changes`, and its agreement."""
    buyer, listing = town["buyer"], listings.get(town["buyer"], town.facts["listing"])
    agreement = {"type": "agreement", "version": 1, "listing": listing["listingId"], "terms": listing["termsDigest"]}
    agreement |= {"buyer": buyer.address, "purpose": "TRANSPORT", "region": "CN", "nonce": to_hex(bytes(32))}
    agreement |= changes.pop("agreement", {})
    digest = documents.digest(agreement)
    message = {
        "orderId": ids.order_id(buyer.address, listing["listingId"], digest),
        "listingId": listing["listingId"],
        "buyer": buyer.address,
        "escrow": ESCROW,
        "currency": CNY.number,
        "epsilonCap": 1000,
        "validUntil": int(time.time()) + 86_400,
        "agreementDigest": digest,
        "agreementId": ZERO_DIGEST,
        "deadline": buyer.deadline(),
    }
    return {**message, **changes}, agreement


def place(town: Town, message: dict[str, Any], agreement: dict[str, Any], signature: str = "") -> Any:
    """Post an order as it is."""
    body = {"fund": message, "signature": signature or town["buyer"].sign("Fund", message), "agreement": agreement}
    return town["buyer"].post("/orders", body)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"escrow": 499}, "escrow_too_small"),
        ({"currency": 344}, "currency_differs"),
        ({"escrow": 1_000_000}, "balance_insufficient"),
        ({"epsilonCap": 0}, "order_epsilon_zero"),
        ({"epsilonCap": BUDGET}, "budget_exceeded"),
        ({"validUntil": 1}, "order_term"),
        ({"orderId": ANY}, "order_id_mismatch"),
        ({"listingId": ANY}, "listing_unknown"),
        ({"deadline": 1}, "intent_expired"),
        ({"agreement": {"purpose": "HEALTHCARE"}}, "purpose_not_permitted"),
        ({"agreement": {"region": "US"}}, "region_not_permitted"),
        ({"agreementDigest": ANY}, "agreement_differs"),
    ],
)
def test_an_order_outside_the_rules_is_refused_at_once(town: Town, changes: dict[str, Any], code: str) -> None:
    message, agreement = fund_message(town, **changes)
    assert code_of(lambda: place(town, message, agreement)) == code


def test_a_strangers_signature_is_refused(town: Town) -> None:
    message, agreement = fund_message(town)
    signature = town["rival"].sign("Fund", message)
    assert code_of(lambda: place(town, message, agreement, signature)) == "intent_signature_invalid"


def test_a_signature_for_another_chain_or_contract_is_refused(town: Town) -> None:
    message, agreement = fund_message(town)
    here = town["buyer"].deployment
    elsewhere = (
        Deployment(here.chain_id + 1, here.addresses),
        Deployment(1, dict.fromkeys(here.addresses, "0x" + "11" * 20)),
    )
    for deployment in elsewhere:
        signature = to_hex(sign_intent("Fund", message, deployment, town["buyer"].keys.signing_key))
        assert code_of(partial(place, town, message, agreement, signature)) == "intent_signature_invalid"


def test_the_same_intent_twice_is_one_intent(town: Town) -> None:
    message = {"account": town["rival"].address, "amount": 5, "ref": to_hex(b"\x05" * 32), "bank": town["bank"].address}
    message |= {"currency": CNY.number, "deadline": town["bank"].deadline()}
    body = {"issue": message, "signature": town["bank"].sign("Issue", message)}
    before = settlement.balance(town["rival"])["balance"]
    first = town["bank"].submit("/settlement/issues", body)
    again = town["bank"].submit("/settlement/issues", body)
    assert again == first
    assert settlement.balance(town["rival"])["balance"] == before + 5


def test_an_order_has_one_funding_at_a_time(town: Town) -> None:
    """Else the vault could be shown terms that the buyer signed and the ledger refused, such as a later end."""
    client, now = town["buyer"], int(time.time())
    message, agreement = fund_message(town, agreement={"nonce": to_hex(b"\x07" * 32)}, escrow=500)
    longer = {**message, "validUntil": message["validUntil"] + 86_400}
    first, second = (Statement("Fund", item, (client.sign("Fund", item),)) for item in (message, longer))
    settlement.issue(town["bank"], client.address, 500)
    with town.context.writing() as session:  # nothing is sealed meanwhile
        for _ in range(2):  # again is harmless
            orders_service.place(session, client.deployment, first, agreement, now)
        again = partial(orders_service.place, session, client.deployment, second, agreement, now)
        assert code_of(again) == "statement_under_way"


def test_admission_follows_the_application(town: Town) -> None:
    newcomer = town["auditor"]
    version = participants.get(newcomer, newcomer.address)["version"]
    message = {"account": newcomer.address, "roles": int(Role.BANK), "identityDigest": ANY, "version": version}
    message |= {"registrar": town["registrar"].address, "deadline": newcomer.deadline()}
    body = {"admit": message, "signature": town["registrar"].sign("Admit", message)}
    assert code_of(lambda: town["registrar"].post("/participants/admissions", body)) == "application_unknown"


def test_who_applies_again_waits_for_a_registrar_again(town: Town) -> None:
    rival, registrar = town["rival"], town["registrar"]
    version = participants.get(rival, rival.address)["version"]
    assert rival.address not in [item["join"]["account"] for item in participants.list_applications(registrar)]
    participants.join(rival, Role.BUYER | Role.SUPPLIER, "Rival", "某某")
    participants.admit(registrar, rival.address)
    shown = participants.get(rival, rival.address)
    assert (shown["version"], shown["roles"]) == (version + 1, int(Role.BUYER | Role.SUPPLIER))
    town.join("rival")  # and back


def test_nobody_is_admitted_without_having_signed_the_participant_agreement(town: Town) -> None:
    rival, registrar = town["rival"], town["registrar"]
    profile = participants.join(rival, Role.BUYER, "Rival", "某某")["profile"]
    agreement = rival.get("/participants/agreement")
    assert profile["membership"] == {name: agreement[name] for name in ("version", "digest")}
    unknown = partial(rival.get, "/participants/agreement", version="1999.1")
    assert code_of(unknown) == "membership_agreement_unknown"
    del profile["membership"]
    join = {"account": rival.address, "roles": int(Role.BUYER), "identityDigest": documents.digest(profile)}
    message = join | {"deadline": rival.deadline()}
    body = {"join": message, "signature": rival.sign("Join", message), "document": profile}
    rival.post("/participants/applications", body)
    assert code_of(lambda: participants.admit(registrar, rival.address)) == "membership_unsigned"
    admission = join | {"version": participants.get(rival, rival.address)["version"], "registrar": registrar.address}
    admission |= {"deadline": registrar.deadline()}
    body = {"admit": admission, "signature": registrar.sign("Admit", admission)}
    assert code_of(lambda: registrar.post("/participants/admissions", body)) == "membership_unsigned"
    town.join("rival")  # and back


def test_a_profile_that_says_otherwise_is_refused(town: Town) -> None:
    client = town["rival"]
    profile = {"type": "profile", "version": 1, "account": client.address, "roles": ["BANK"], "creditCode": None}
    profile |= {"name": {"en": "Rival", "zh": "某"}, "nonce": ANY}
    profile |= {"kind": "NATURAL_PERSON", "merchantClasses": [], "evidence": []}
    message = {"account": client.address, "roles": int(Role.BUYER), "identityDigest": documents.digest(profile)}
    message |= {"deadline": client.deadline()}
    body = {"join": message, "signature": client.sign("Join", message), "document": profile}
    assert code_of(lambda: client.post("/participants/applications", body)) == "profile_differs"


def test_a_registration_must_be_its_documents(town: Town) -> None:
    supplier, dataset = town["supplier"], town.facts["dataset"]
    claim = rights.make_claim(
        dataset.manifest,
        level="GENERAL_1",
        source_class="DERIVED",
        origin="PUBLIC",
        shares=[(supplier.address, 10_000)],
    )
    asset = rights.get_asset(supplier, town.facts["asset"])
    message = {name: asset[name] for name in ("assetId", "holder", "manifestDigest", "ciphertextRoot", "epsilonBudget")}
    message |= {
        "claimDigest": documents.digest(claim),
        "level": 1,
        "shareHolders": [supplier.address],
        "shareBps": [10_000],
    }
    message |= {"deadline": supplier.deadline()}

    def register(**changes: Any) -> Any:
        changed = {**message, **changes}
        body = {"register": changed, "signature": supplier.sign("Register", changed)}
        return supplier.post("/rights/registrations", body)

    assert code_of(register) == "document_missing"
    supplier.put_document(claim)
    assert code_of(lambda: register(ciphertextRoot=ANY)) == "registration_differs"
    assert code_of(register) == "asset_exists"  # the asset itself is there already


def test_terms_must_be_the_listing(town: Town) -> None:
    supplier, listing = town["supplier"], listings.get(town["supplier"], town.facts["listing"])
    terms = {**listing["terms"], "price": 7}
    supplier.put_document(terms)
    digest = documents.digest(terms)
    message = {"listingId": ids.listing_id(supplier.address, listing["assetId"], digest), "assetId": listing["assetId"]}
    message |= {"seller": supplier.address, "termsDigest": digest, "price": 8, "validUntil": listing["validUntil"]}
    message |= {"titleId": ids.title_id(listing["assetId"], TitleKind.OPERATE), "deadline": supplier.deadline()}
    message |= {"currency": CNY.number}
    message |= scope_of_terms(terms, town.facts["dataset"].manifest)
    body = {"list": message, "signature": supplier.sign("List", message)}
    assert code_of(lambda: supplier.post("/listings", body)) == "terms_differ"


def test_roles_are_asked_of_the_ledger(town: Town) -> None:
    assert code_of(lambda: settlement.issue(town["bank"], town["bank"].address, 5)) == "issue_own_matter"
    assert code_of(lambda: settlement.issue(town["buyer"], town["rival"].address, 5)) == "participant_not_active"
    assert code_of(lambda: settlement.refund(town["buyer"], town.facts["order"])) == "refund_not_due"
    assert code_of(lambda: settlement.refund(town["rival"], town.facts["order"])) == "order_unknown"


class Asking:
    """A buyer's question with a voucher that a test may spoil."""

    def __init__(self, town: Town, order: str) -> None:
        self.client, self.deal = town["buyer"], orders.inspect(town["buyer"], order)
        typed = parse_sql("SELECT COUNT(*) FROM data", self.deal.offer.manifest)
        self.query = typed.document(
            order=order,
            asset=self.deal.offer.listing["assetId"],
            ciphertext_root=self.deal.offer.asset["ciphertextRoot"],
            epsilon=1000,
            recipient=to_hex(envelope.public_key(self.client.keys.x25519)),
            sequence=1,
        )

    def post(self, client: Client | None = None, signer: Client | None = None, **voucher: Any) -> Any:
        account = queries.account_of(self.client, self.deal)
        message = {**next_voucher(account, documents.digest(self.query), 1000), **voucher}
        signature = bytes.fromhex((signer or self.client).sign("Voucher", message)[2:])
        body = {"query": self.query, "voucher": voucher_document(message, self.client.address, signature)}
        return (client or self.client).post("/queries", body)


@pytest.fixture(scope="module")
def asking(town: Town) -> Asking:
    """A question under an order of its own."""
    return Asking(town, town.fund(town.facts["listing"]))


@pytest.mark.parametrize(
    ("voucher", "code"),
    [
        ({"amount": 499}, "voucher_too_small"),
        ({"amount": ESCROW + 1}, "escrow_exceeded"),
        ({"calls": 2}, "voucher_calls"),
        ({"callsRoot": ANY}, "voucher_calls"),
        ({"epsilon": 0}, "voucher_epsilon"),
        ({"orderId": ANY}, "voucher_order"),
    ],
)
def test_a_voucher_must_pay_for_exactly_this_call(asking: Asking, voucher: dict[str, Any], code: str) -> None:
    assert code_of(lambda: asking.post(**voucher)) == code


def test_a_voucher_of_somebody_else_is_refused(town: Town, asking: Asking) -> None:
    assert code_of(lambda: asking.post(signer=town["rival"])) == "voucher_signature"


def test_nobody_asks_under_anothers_order(town: Town, asking: Asking) -> None:
    assert code_of(lambda: asking.post(client=town["rival"])) == "order_unknown"


def test_a_query_waits_for_its_vault_and_says_so(town: Town, asking: Asking) -> None:
    """Also: posting again is harmless, the next question waits, and a node that differs is named with its evidence."""
    shown = asking.post()
    assert (shown["state"], shown["waitingFor"]) == ("accepted", "panel")
    assert asking.post() == shown

    task = town["node-3"].post("/panel/tasks", {})["task"]
    assert task["digest"] == shown["digest"]
    assert town["node-3"].post("/panel/tasks", {})["task"] is None  # leased
    _equivocate(town, _lie(town, task))
    for name in NODES[:2]:
        assert town.node(name).step(5)
    waiting = town["buyer"].get(f"/queries/{shown['digest']}")
    assert (waiting["state"], waiting["waitingFor"]) == ("attested", "vault")
    assert town["buyer"].get_document(waiting["attestation"])["signers"] == sorted(
        town[name].address for name in NODES[:2]
    )
    assert town.leaves("panel.divergence")[-1]["node"] == town["node-3"].address

    asking.query = {**asking.query, "sequence": 2}
    assert code_of(asking.post) == "query_in_flight"
    assert town.vault().step(5)
    assert town["buyer"].get(f"/queries/{shown['digest']}", wait=5)["state"] == "released"


def _lie(town: Town, task: dict[str, Any]) -> dict[str, Any]:
    """Node three signs a result in which one residue is another; returns the true one."""
    node = town.node("node-3").node
    honest = node.result(town["node-3"].get_document(task["manifest"]), task["query"])
    false = {**honest, "numbers": [{**honest["numbers"][0], "c0": ANY}, *honest["numbers"][1:]]}
    statement = _statement(town["node-3"], false)
    answer = town["node-3"].post("/panel/results", {"result": false, "statement": statement})
    assert answer["state"] in ("evaluating", "failed")
    return honest


def _equivocate(town: Town, honest: dict[str, Any]) -> None:
    """Then it signs the true one as well: it is refused, and what was refused is kept."""
    body = {"result": honest, "statement": _statement(town["node-3"], honest)}
    for _ in range(2):  # again is harmless
        assert code_of(lambda: town["node-3"].post("/panel/results", body)) == "statement_changed"
    leaf = town.leaves("panel.equivocation")[-1]
    assert leaf["node"] == town["node-3"].address
    assert leaf["otherStatement"] == documents.digest(body["statement"])
    assert leaf["otherResult"] != leaf["result"]
    assert len([one for one in town.leaves("panel.equivocation") if one["query"] == honest["query"]]) == 1


def test_a_panel_that_cannot_agree_fails_the_query_and_costs_nothing(town: Town) -> None:
    listing = town.list_product(town.facts["asset"], threshold=3)
    asking = Asking(town, town.fund(listing))
    name = asking.post()["digest"]
    task = town["node-3"].post("/panel/tasks", {})["task"]
    with town.context.writing() as session:  # the lease of a node that vanished runs out
        held = session.get_one(PanelTask, (name, town["node-3"].address))
        assert held.lease_until > time.time()
        held.lease_until = 0
    assert town["node-3"].post("/panel/tasks", {})["task"]["digest"] == task["digest"]
    _lie(town, task)
    assert town.node("node-1").step(5)
    assert town["buyer"].get(f"/queries/{name}")["state"] == "failed"
    assert town.leaves("query.failed")[-1]["query"] == name
    assert code_of(lambda: town["supplier"].get(f"/orders/{asking.query['order']}/voucher")) == "voucher_unknown"
    asking.query = {**asking.query, "sequence": 2}
    name = asking.post()["digest"]  # the next question may be asked
    assert all(town.node(node).step(5) for node in NODES)
    assert town.vault().step(5)
    assert town["buyer"].get(f"/queries/{name}")["state"] == "released"


def _statement(client: Client, result: dict[str, Any]) -> Any:
    return sign_result(result, client.address, client.keys.bls_secret)


def test_a_statement_is_checked_against_the_nodes_own_key(town: Town, asking: Asking) -> None:
    node = town.node("node-1")
    done = node.node.evaluate(town.facts["dataset"].manifest, asking.query)
    body = {"result": done.result, "statement": done.statement}
    assert code_of(lambda: town["node-1"].post("/panel/results", body)) == "task_unknown"
