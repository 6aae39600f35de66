"""How the test of the authorisation matrix asks for each operation: real objects, and a request for any of them.

A new operation about one object needs a line in REQUESTS: its path, method and body for the object that is asked for.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from marketplace.documents import digest, voucher_message
from marketplace.documents.dids import did_web
from marketplace.documents.identifiers import Kind, identifier
from marketplace.participants.tables import IdentityLink
from marketplace.queries.tables import PanelTask, QueryRow
from marketplace.sdk import agreements, participants, redemptions, settlement
from marketplace.storage.documents import read_document
from marketplace.storage.sessions import open_session
from marketplace.types import Act, ParticipantStatus, Role
from tests.agreements import filled_in
from tests.integration.service.calling import offer_calls
from tests.integration.service.delivering import offer_file, order_file
from tests.integration.service.test_refusals import Asking
from tests.integration.service.town import ESCROW, NODES, Town
from tests.sealed_market import keys

UNKNOWN, REQUEST = "0x" + "9d" * 32, "0x" + "7c" * 32
ROLES = {"without-a-role": Role(0), **{f"lone-{role.name}": role for role in Role}}
SUSPENDED = "suspended"
STRANGERS = ("stranger", *ROLES, SUSPENDED)
"""Whoever has no part in any object: a key that never joined, a participant without a role, one of each role, and one
of all roles that is suspended."""


@dataclass
class World:
    """A town in which a question was answered, and people who have nothing to do with it.

    Args:
        relations: kind of object -> relation -> name of a party in the town.
        objects: kind of object -> its id.
        tokens: name -> sign-in token.
    """

    town: Town
    body: dict[str, Any] = field(default_factory=dict)
    relations: dict[str, dict[str, str]] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, name: str) -> str:
        """A sign-in of `name`."""
        if name not in self.tokens:
            account = self.town[name].address
            with self.town.context.writing() as session:
                self.tokens[name], _ = open_session(session, account, account, int(time.time()), 3600)
        return self.tokens[name]

    def ask(self, http: httpx.Client, operation: str, caller: str | None, target: str) -> httpx.Response:
        """One request for `target`; None asks without having signed in."""
        method, path, body = REQUESTS[operation](self, target)
        headers = {} if caller is None else {"authorization": f"Bearer {self.token(caller)}"}
        content = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        return http.request(method, path, headers=headers, **content)

    def identity(self) -> str:
        """An identity that the buyer has linked; the town has no provider, so the row is put there."""
        identity = "0x" + secrets.token_hex(32)
        account = self.town["buyer"].address
        with self.town.context.writing() as session:
            session.add(
                IdentityLink(
                    identity=identity,
                    account=account,
                    acts=int(Act.READ),
                    valid_until=2**40,
                    linked_by=account,
                    message="",
                    signature="",
                    linked_at=0,
                )
            )
        return identity

    def webhook(self) -> str:
        """A fresh endpoint of the buyer's."""
        url = f"https://hooks.example/{time.monotonic_ns()}"
        return str(self.town["buyer"].post("/webhooks", {"url": url})["endpoint"])


def make_world(town: Town) -> World:
    """Everybody joins, and one question is asked, evaluated and released."""
    for name, role in {**ROLES, SUSPENDED: Role(sum(Role))}.items():
        participants.join(town[name], role, name, "某某")
        participants.admit(town["registrar"], town[name].address)
    participants.set_status(town["registrar"], town[SUSPENDED].address, ParticipantStatus.SUSPENDED, "test")
    settlement.issue(town["bank"], town["buyer"].address, ESCROW)
    order = town.fund(town.facts["listing"])
    asking = Asking(town, order)
    asking.query = {**asking.query, "epsilon": 950}
    name = asking.post()["digest"]
    assert all(town.node(node).step(5) for node in NODES)
    assert town.vault().step(5)
    world = World(town)
    with town.context.reading() as session:
        row = session.get_one(QueryRow, name)
        task = session.get_one(PanelTask, (name, town[NODES[0]].address))
        digests = {"result": task.result_digest, "statement": task.statement_digest, "voucher": row.voucher_digest}
        digests |= {"release": row.release_digest, "shares": row.shares_digest}
        world.body = {part: read_document(session, str(of)) for part, of in digests.items()}
    world.body["query"] = asking.query
    parties = {"buyer": "buyer", "seller": "supplier"}
    world.relations = {
        "order": parties,
        "delivery": parties,
        "product": {"seller": "supplier"},
        "query": {"buyer": "buyer", "node": NODES[0], "vault": "supplier"},
        "request": {},  # requests and custodians: tests/integration/service/test_attested.py, test_custodian.py
        "approved query": {},
        "balance": {"owner": "buyer"},
        "redemption": {"holder": "buyer", "bank": "bank"},
        "invoice": parties,
        "document": {"reader": "buyer"},
        "webhook": {"owner": "buyer"},
        "identity": {"account": "buyer"},
        "agreement": {"party A": "supplier", "party B": "buyer"},
        "proposal": {"party A": "supplier", "party B": "buyer"},
        "case": {"applicant": "supplier"},
        "application": {"applicant": "newcomer"},
    }
    agreement = town["buyer"].get(f"/orders/{order}")["agreementDigest"]
    world.objects = {"order": order, "query": name, "request": name, "approved query": name, "document": agreement}
    bank = town["bank"].address
    wish = redemptions.redeem(town["buyer"], bank, 1, beneficiary="Buyer", account_number="62220200")
    world.objects["redemption"] = wish["redemptionId"]
    world.objects["invoice"] = f"{town['supplier'].address}/{town['buyer'].address}"
    world.objects |= {"balance": town["buyer"].address, "webhook": world.webhook(), "identity": world.identity()}
    world.objects |= dict(zip(("agreement", "proposal"), _agree(town), strict=True))
    world.objects["case"] = town.facts["case"]
    participants.join(town["newcomer"], Role.BUYER, "Newcomer", "新来者")
    world.objects["application"] = town["newcomer"].address
    world.objects["delivery"] = order_file(town, offer_file(town))
    world.objects["product"] = offer_calls(town)
    return world


def _agree(town: Town) -> tuple[str, str]:
    """An agreement of supplier and buyer, and another one that the buyer did not sign yet."""
    now, proposed = int(time.time()), []
    for _ in range(2):
        filled = agreements.fill_in(
            "GF-2025-2615",
            filled_in("GF-2025-2615"),
            party_a=town["supplier"].address,
            party_b=town["buyer"].address,
            valid_until=now + 86_400,
        )
        proposed.append(agreements.propose(town["supplier"], filled, deadline=now + 3_600))
    agreements.sign(town["buyer"], proposed[0]["proposal"])
    return str(proposed[0]["agreementId"]), str(proposed[1]["proposal"])


UNKNOWNS = dict.fromkeys(("balance", "application"), keys("nobody-of-this-town").address)
UNKNOWNS["webhook"] = "we_" + "9d" * 12
UNKNOWNS["invoice"] = "/".join(keys(f"nobody-{side}").address for side in ("who-sells", "who-buys"))


def _refusal(world: World, query: str) -> dict[str, Any]:
    zero = dict.fromkeys(("spentOrder", "leftOrder", "spentBuyer", "leftBuyer", "spentAsset", "leftAsset"), 0)
    refusal = {"type": "refusal", "version": 1, "order": UNKNOWN, "query": query, "code": "no_reason", "rule": "a.rule"}
    refusal |= {"rulebook": "a/1", "hint": {"en": "ask", "zh": "请询问"}}
    refusal |= {
        "message": {"en": "no", "zh": "否"},
        "allowed": "",
        "found": "",
        "signer": world.town["supplier"].address,
    }
    return {"refusal": {**refusal, **zero, "signature": "0x" + "11" * 65}}


def _release(world: World, query: str) -> dict[str, Any]:
    release, shares = world.body["release"], world.body["shares"]
    return {"release": release if query == world.objects["query"] else {**release, "query": query}, "shares": shares}


def _result(world: World, query: str) -> dict[str, Any]:
    result, statement = world.body["result"], world.body["statement"]
    if query != world.objects["query"]:
        result = {**result, "query": query}
        statement = {**statement, "result": digest(result)}
    return {"result": result, "statement": statement}


def _gateway(world: World, listing: str) -> dict[str, Any]:
    body = {"type": "gateway", "version": 1, "listing": listing, "url": "https://data.example/", "number": 1}
    return {**body, "seller": world.town["supplier"].address, "signature": "0x" + "11" * 65}


def _question(world: World, order: str) -> dict[str, Any]:
    own = order == world.objects["order"]
    query = world.body["query"] if own else {**world.body["query"], "order": order}
    return {"query": query, "voucher": world.body["voucher"]}


def _challenge(world: World, order: str) -> dict[str, Any]:
    voucher = voucher_message(world.body["voucher"]) | {"orderId": order}
    return {"voucher": voucher, "buyerSignature": world.body["voucher"]["signature"]}


def _order_did(world: World, order: str) -> str:
    return quote(did_web(world.town.url, "did", _order_name(order)), safe="")


def _order_name(order: str) -> str:
    return str(identifier(Kind.ORDER, order))


Request = tuple[str, str, Any]
REQUESTS: Mapping[str, Callable[[World, str], Request]] = {
    "unlink_identity": lambda _, identity: ("DELETE", f"/session/oidc/links/{identity}", None),
    "get_application": lambda _, account: ("GET", f"/participants/applications/{account}", None),
    "get_case": lambda _, case: ("GET", f"/registrations/cases/{case}", None),
    "expire_period": lambda _, case: ("POST", f"/registrations/cases/{case}/expiry", {}),
    "get_order": lambda _, order: ("GET", f"/orders/{order}", None),
    "publish_gateway": lambda world, name: ("POST", f"/gateways/{name}", {"gateway": _gateway(world, name)}),
    "hand_in_calls": lambda _, order: ("POST", f"/orders/{order}/calls", {"records": [], "voucher": None}),
    "get_calls": lambda _, order: ("GET", f"/orders/{order}/calls", None),
    "hand_in_service_record": lambda _, order: ("POST", f"/orders/{order}/service-records", {"record": {}}),
    "answer_service_record": lambda _, order: ("POST", f"/orders/{order}/service-answers", {"answer": {}}),
    "get_delivery": lambda _, order: ("GET", f"/deliveries/{order}", None),
    "deem_delivery": lambda _, order: ("POST", "/deliveries/deemed", {"order": order}),
    "lapse_delivery": lambda _, order: ("POST", "/deliveries/lapses", {"order": order}),
    "get_last_voucher": lambda _, order: ("GET", f"/orders/{order}/voucher", None),
    "get_invoice": lambda _, pair: ("GET", f"/settlement/invoices/{pair}/2026-11", None),
    "get_trade_voucher": lambda _, order: ("GET", f"/settlement/trade-vouchers/{order}", None),
    "get_statement": lambda _, order: ("GET", f"/settlement/statements/{order}", None),
    "refund_order": lambda _, order: ("POST", "/settlement/refunds", {"order": order}),
    "challenge_claim": lambda world, order: ("POST", "/settlement/challenges", _challenge(world, order)),
    "finish_order": lambda _, order: ("POST", "/settlement/finishes", {"order": order}),
    "ask_query": lambda world, order: ("POST", "/queries", _question(world, order)),
    "explain_query": lambda _, order: (
        "POST",
        "/queries/explanations",
        {"sql": "SELECT COUNT(*) FROM data", "order": order, "epsilon": 1000},
    ),
    "get_query": lambda _, query: ("GET", f"/queries/{query}", None),
    "put_request": lambda _, query: ("PUT", f"/queries/{query}/requests/{REQUEST}", b"x"),
    "get_request": lambda _, query: ("GET", f"/queries/{query}/requests/{REQUEST}", None),
    "hand_in_panel_result": lambda world, query: ("POST", "/panel/results", _result(world, query)),
    "hand_in_release": lambda world, query: ("POST", "/vault/releases", _release(world, query)),
    "hand_in_refusal": lambda world, query: ("POST", "/vault/refusals", _refusal(world, query)),
    "hand_in_custodian_release": lambda world, query: ("POST", "/custodian/releases", _release(world, query)),
    "hand_in_custodian_refusal": lambda world, query: ("POST", "/custodian/refusals", _refusal(world, query)),
    "expire_redemption": lambda _, name: ("POST", "/settlement/redemptions/expiries", {"redemption": name}),
    "get_redemption": lambda _, name: ("GET", f"/settlement/redemptions/{name}", None),
    "get_balance": lambda _, owner: ("GET", f"/settlement/balances/{owner}", None),
    "get_account_statement": lambda _, owner: ("GET", f"/settlement/accounts/{owner}/statements/2026-11", None),
    "resolve_identifier": lambda _, order: ("GET", f"/identifiers/{_order_name(order)}", None),
    "show_identifier": lambda _, order: ("GET", f"/identifiers/{order}/page", None),
    "get_object_did": lambda _, order: ("GET", f"/did/{_order_name(order)}/did.json", None),
    "resolve_did": lambda world, order: ("GET", f"/did/{_order_did(world, order)}", None),
    "get_document": lambda _, name: ("GET", f"/documents/{name}", None),
    "get_agreement_proposal": lambda _, name: ("GET", f"/agreements/proposals/{name}", None),
    "sign_agreement_proposal": lambda _, name: (
        "POST",
        f"/agreements/proposals/{name}/signature",
        {"signature": "0x" + "11" * 65},
    ),
    "close_agreement_proposal": lambda _, name: ("DELETE", f"/agreements/proposals/{name}", None),
    "get_agreement": lambda _, name: ("GET", f"/agreements/{name}", None),
    "get_agreement_page": lambda _, name: ("GET", f"/agreements/{name}/paper.html", None),
    "get_webhook": lambda _, name: ("GET", f"/webhooks/{name}", None),
    "remove_webhook": lambda _, name: ("DELETE", f"/webhooks/{name}", None),
    "rotate_webhook_secret": lambda _, name: ("POST", f"/webhooks/{name}/secret", None),
    "ping_webhook": lambda _, name: ("POST", f"/webhooks/{name}/ping", None),
    "replay_webhook": lambda _, name: ("POST", f"/webhooks/{name}/replay", {}),
    "list_webhook_messages": lambda _, name: ("GET", f"/webhooks/{name}/messages", None),
}
