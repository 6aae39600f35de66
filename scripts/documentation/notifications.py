"""docs/webhook-events.md: every kind of event that webhooks tell, to whom, and what is told of every change of state.

Three tables of decisions stand here: of every verb of the ledger, of every event that is sent to nobody (that one is
marketplace.webhooks.rules.UNCONCERNED), and of every table that the service itself writes. A test fails when a verb, an
event, a leaf or a table is in none of them.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from marketplace import artifacts
from marketplace.currencies import TOKEN, kind_of
from marketplace.events import Event
from marketplace.intents import CONTRACTS
from marketplace.webhooks import rules
from marketplace.webhooks.service.facts import FALLS, IN_BATCH

INTRODUCTION = """# What webhooks tell

Written by `scripts/generate-docs` from the contracts' events, `marketplace/webhooks` and the decisions in
`scripts/documentation/notifications.py`; do not edit it by hand. A message goes to the parties of its object and to
nobody else; where it has sums, `currency` says of which currency they are minor
units. How it is sent: [webhooks](architecture/webhooks.md). 事件类型与接收方：仅发送给标的的当事方。

`marketplace webhooks register ADDRESS --event KIND` takes a kind or a stage (all before the full stop).
"""
VERBS = """
## Every act on the ledger

What is told when an act is taken. One that is refused is told to whoever signed it, as `<stage>.refused`. Acts that
move money also give a `settlement.transfer` for each payment.

| contract | act | told as |
| --- | --- | --- |"""
TABLES = """
## What the service keeps beside the ledger

| table | told as, or why not |
| --- | --- |"""
SILENT = """
## Never sent

| event | why |
| --- | --- |"""

# (contract, verb) -> events
CHANGES: dict[tuple[str, str], tuple[str, ...]] = {
    ("Participants", "requestAdmission"): ("Applied",),
    ("Participants", "admit"): ("Admitted",),
    ("Participants", "setStatus"): ("StatusChanged",),
    ("Participants", "resign"): ("Leaving",),
    ("Rights", "register"): ("Registered",),
    ("Rights", "confirm"): ("Confirmed", "Titles.TitleGranted"),
    ("Rights", "transferShare"): ("ShareTransferred",),
    ("Rights", "pledgeShare"): ("SharePledged",),
    ("Rights", "releaseShare"): ("ShareReleased",),
    ("Rights", "enforceShare"): ("ShareEnforced",),
    ("Rights", "encumberShare"): ("ShareEncumbered",),
    ("Rights", "mark"): ("Marked",),
    ("Titles", "transfer"): ("TitleTransferred",),
    ("Titles", "grant"): ("TitleDerived",),
    ("Titles", "surrender"): ("TitleEnded",),
    ("Titles", "revoke"): ("TitleEnded",),
    ("Titles", "encumber"): ("TitleEncumbered",),
    ("Titles", "pledge"): ("TitlePledged",),
    ("Titles", "releasePledge"): ("PledgeReleased",),
    ("Titles", "permit"): ("ActPermitted",),
    ("Titles", "enforce"): ("PledgeEnforced",),
    ("Lineage", "declare"): ("LineageDeclared",),
    ("Lineage", "consent"): ("ConsentGiven",),
    ("Lineage", "withdraw"): ("ConsentWithdrawn",),
    ("Listings", "list"): ("Listed",),
    ("Listings", "delist"): ("Delisted",),
    ("Agreements", "agree"): ("Agreed",),
    ("Agreements", "amend"): ("AgreementAmended",),
    ("Agreements", "retire"): ("AgreementRetired",),
    ("SettlementToken", "issue"): ("Issued",),
    ("SettlementToken", "redeem"): ("RedemptionRequested",),
    ("SettlementToken", "payRedemption"): ("RedemptionPaid",),
    ("SettlementToken", "rejectRedemption"): ("RedemptionRejected",),
    ("SettlementToken", "expireRedemption"): ("RedemptionExpired",),
    ("Orders", "fund"): ("Funded", "Rights.BudgetCommitted", "Titles.TitleGranted"),
    ("Orders", "settle"): ("Settled", "SharePaid", "Rights.BudgetReleased"),
    ("Orders", "clear"): ("Settled", "SharePaid", "Rights.BudgetReleased", "Clearing.Entered"),
    ("Orders", "refund"): ("Refunded",),
    ("Orders", "claim"): ("Claimed",),
    ("Orders", "challenge"): ("Challenged",),
    ("Orders", "finish"): ("Settled", "SharePaid", "Rights.BudgetReleased"),
    ("Clearing", "openBatch"): ("BatchOpened",),
    ("Clearing", "owe"): ("Owed",),
    ("Clearing", "closeBatch"): ("BatchClosed",),
    ("Clearing", "closeOverdue"): ("BatchClosed",),
    ("Clearing", "collect"): ("Collected",),
    ("Clearing", "drop"): ("Dropped",),
    ("Clearing", "confirmBatch"): ("BatchConfirmed", "BatchSettled"),
    ("Clearing", "confirmOverdue"): ("BatchConfirmed", "BatchSettled"),
    ("Clearing", "pay"): ("PaidOut", "BatchSettled"),
    ("Evidence", "anchor"): ("Anchored",),
    ("Keys", "addKey"): ("KeyAdded",),
    ("Keys", "endKey"): ("KeyEnded",),
    ("Keys", "rotateKey"): ("KeyRotated",),
    ("Keys", "setGuardians"): ("GuardiansSet",),
    ("Keys", "recover"): ("RecoveryApproved",),
    ("Keys", "veto"): ("RecoveryVetoed",),
    ("Keys", "completeRecovery"): ("Recovered",),
    ("Registrations", "file"): ("Filed",),
    ("Registrations", "act"): ("Acted", "DisputeMarked"),
    ("Registrations", "decide"): ("Acted", "Certified", "DisputeMarked"),
    ("Registrations", "expire"): ("Expired",),
    ("Registrations", "adopt"): ("RulebookAdopted",),
    ("Deliveries", "offer"): ("DeliveryOffered",),
    ("Deliveries", "arrange"): ("DeliveryArranged",),
    ("Deliveries", "deliver"): ("Delivered",),
    ("Deliveries", "acknowledge"): ("DeliveryAcknowledged",),
    ("Deliveries", "accept"): ("DeliveryAccepted",),
    ("Deliveries", "object"): ("DeliveryObjected",),
    ("Deliveries", "deem"): ("DeliveryDeemed",),
    ("Deliveries", "lapse"): ("DeliveryLapsed",),
}

#: table that the service writes -> kinds, or why nothing is told of it
KEPT: dict[str, tuple[str, ...] | str] = {
    "agreement_proposals": (rules.PROPOSED, rules.WITHDRAWN, rules.DECLINED, "agreements.agreed"),
    "answered_calls": "what an order's next voucher is made over; each answer is told",
    "api_gateways": ("api.gateway",),
    "api_orders": ("api.voucher", rules.QUOTA),
    "api_batches": ("api.calls",),
    "api_service": ("api.service", "api.answer"),
    "applications": (rules.APPLIED, "participants.admitted", "participants.status_changed"),
    "certificate_codes": ("registrations.certified",),
    "checkpoints": "signed roots of the log; `evidence.anchored` puts them on the ledger, and concerns nobody alone",
    "custodian_tasks": "work that a custodian polls for, under a signed session",
    "document_readers": "who may read a document follows from what it is named by, which is told",
    "documents": "named by digest in what is told",
    "identity_links": (rules.LINKED, rules.UNLINKED),
    "ledger_block": "the ledger itself",
    "ledger_event": "the ledger itself: every event is told",
    "ledger_intent": "what waits for the ledger; its outcome is told as an event or as `<stage>.refused`",
    "ledger_meta": "the service's own",
    "ledger_transaction": "the ledger itself",
    "log_entries": "every leaf is told, as its type",
    "log_nodes": "the log's own tree",
    "notices": "the rows that notices are told from",
    "panel_facts": ("panel.divergence", "panel.equivocation", "panel.late", "panel.absence"),
    "panel_keys": "a node publishes its own key; nobody waits for it",
    "panel_tasks": "work that a node polls for, under a signed session",
    "provider_sign_ins": "a sign-in under way, of the one who signs in",
    "queries": (
        "query.accepted",
        "query.released",
        "query.refused",
        "query.withheld",
        "query.failed",
    ),
    "request_wishes": "a vault's own wish",
    "requests_due": "work that a node polls for",
    "sign_in_nonces": "a sign-in under way, of the one who signs in",
    "sign_ins": "sessions, of the one who signed in",
    "signed_statements": "the signed act behind an event, which is told",
    "status_places": "where a certificate stands in the status lists; changes of status are told as `rights.marked`",
    "uploaded_requests": "kept until its query has an outcome, which is told",
    "versions": "the service's note of documents; the registration is told",
    "webhook_cursors": "the webhooks' own",
    "webhook_endpoints": "the webhooks' own",
    "webhook_messages": "the webhooks' own",
}

OBJECTS = {
    "orderId": "both sides of the order",
    "order": "both sides of the order",
    "listingId": "the listing's seller",
    "assetId": "who registered, holds or may list the asset",
    "inputId": "the same of the input",
    "inputs": "the same of each input",
    "titleId": "the title's holder and pledgee",
    "caseId": "the parties of the case",
    "agreementId": "both sides of the agreement",
    "debtId": "who owes and who is owed",
    "query": "the query's buyer, seller and vault",
    "node": "the node",
}
# Of what is no event of a contract.
OTHERS: dict[str, str] = {
    **dict.fromkeys(rules.LEAVES, "both sides of the order"),
    **{kind: "the query's buyer, seller and vault" for kind in rules.LEAVES if kind.startswith("query.")},
    **{kind: "the node; the query's buyer, seller and vault" for kind in rules.LEAVES if kind.startswith("panel.")},
    "api.gateway": "the listing's seller",
    rules.STATEMENT: "the account, when a month is over in which its money moved",
    rules.INVOICE: "the seller and the buyer, when a month is over in which their orders were settled",
    rules.TRADE_VOUCHER: "both sides of the order, when it is paid: at its settlement, or its batch's",
    rules.WINDOW_ENDING: "both sides of the order, a day before anyone may finish it",
    rules.TERM_ENDING: "both sides of the order, a day before its term is over",
    rules.DELIVERY_ENDING: "both sides of the order, a day before the time to deliver, correct or object is over",
    rules.PAYOUT_ENDING: "the holder and the bank, a day before the bank's time is over",
    rules.PAY_IN_ENDING: "everybody in the batch, a day before the time to pay in is over",
    rules.PING: "the endpoint itself, when asked",
    rules.APPLIED: "the applicant, registrars",
    rules.LINKED: "the account",
    rules.UNLINKED: "the account",
    rules.PROPOSED: "both sides of the agreement",
    rules.WITHDRAWN: "both sides of the agreement",
    rules.DECLINED: "both sides of the agreement",
    rules.QUOTA: "both sides of the order, when nine tenths of a period's quota are used",
}
BESIDES = {
    **dict.fromkeys(FALLS, "holders of all titles below it"),
    **dict.fromkeys(IN_BATCH, "everybody in the batch"),
    "Marked": "who has a title, a share or a pledge; who declared a product of it",
    "ShareEncumbered": "the share's pledgee",
    "Refused": "whoever signed",
}


def page() -> str:
    """The whole page."""
    kinds = dict(sorted({**dict(ledger_kinds()), **OTHERS}.items()))
    lines = [INTRODUCTION, "| kind | told to |", "| --- | --- |"]
    lines += [f"| `{kind}` | {told} |" for kind, told in kinds.items()]
    verbs = [f"| `{contract}` | `{verb}` | {_named(kinds_of(contract, verb))} |" for contract, verb in CHANGES]
    kept = [f"| `{name}` | {what if isinstance(what, str) else _named(what)} |" for name, what in sorted(KEPT.items())]
    silent = [f"| `{name}` | {why} |" for name, why in rules.UNCONCERNED.items()]
    return "\n".join([*lines, VERBS, *verbs, TABLES, *kept, SILENT, *silent]) + "\n"


def names(contract: str, verb: str, events: Iterable[Event]) -> bool:
    """Whether CHANGES names all events that an act gave; payments go without saying."""
    said = {place: f"{kind_of(contract)}.{place}" for place in CHANGES[kind_of(contract), verb]}
    allowed = {place if "." in place else full for place, full in said.items()} | {f"{TOKEN}.Transfer"}
    return {f"{kind_of(event.contract)}.{event.name}" for event in events} <= allowed


def kinds_of(contract: str, verb: str) -> list[str]:
    """As what an act is told; none for what is sent to nobody."""
    places = (name.rpartition(".") for name in CHANGES[contract, verb])
    return [rules.type_of(place or contract, name) for place, _, name in places if name not in rules.UNCONCERNED]


def ledger_kinds() -> Iterator[tuple[str, str]]:
    """Every kind that is an event of a contract, with whom it is told to."""
    for contract in CONTRACTS:
        for entry in artifacts.load(contract).entries("event"):
            if entry["name"] not in rules.UNCONCERNED:
                yield rules.type_of(contract, entry["name"]), "; ".join(dict.fromkeys(_told(entry)))


def _told(entry: dict[str, Any]) -> Iterator[str]:
    for argument in entry["inputs"]:
        for item in (argument, *argument.get("components", ())):
            if item["type"].startswith("address"):
                yield f"`{item['name']}`"
            elif item["name"] in OBJECTS:
                yield OBJECTS[item["name"]]
    if entry["name"] in BESIDES:
        yield BESIDES[entry["name"]]


def _named(kinds: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{kind}`" for kind in kinds) or "nobody"
