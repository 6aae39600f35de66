"""Who may call which operation, and whose object it touches: one table for all of them.

The guards in routes and services are checked against it, cell by cell and over HTTP (tests/integration/service/
test_access.py), and docs/security/authorisation.md is written from it. An operation without an entry fails a test.

To add an operation: add its name, that of the route's function, to ACCESS. If it is about one object (`Party`), say of
which kind and which relations may touch it, and tell the test how to ask for it (tests/integration/service/asking.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.types import OVERSEERS, Role

NOBODY = Role(0)


@dataclass(frozen=True)
class Anyone:
    """Needs no sign-in, and says the same to everybody."""


@dataclass(frozen=True)
class SignedIn:
    """Needs a sign-in, of whoever it may be; touches what is the caller's own alone.

    Args:
        lists: kind of object whose own rows it lists; "" where it lists none.
        all_for: roles that see all rows.
    """

    lists: str = ""
    all_for: Role = NOBODY


@dataclass(frozen=True)
class Joined:
    """Needs a sign-in by a participant, or by whoever has applied to be one; others get 404, no such participant.
    Touches what is the caller's own alone."""


@dataclass(frozen=True)
class Holds:
    """Needs an active participant with one of `roles`; everybody else gets 403 `role_missing`."""

    roles: Role


@dataclass(frozen=True)
class Party:
    """About one object. For its parties and for `roles`; for everybody else it does not exist: 404, as any other name.

    Args:
        kind: of the object.
        parties: relations to it, e.g. "buyer".
        roles: who else may, whatever the object.
        hidden: whoever has not signed in gets 404 too, since objects of other kinds are public here; else 401.
        needs: role that a party has to have besides, else 403 `role_missing`.
        note: what else there is to say, in English and Chinese.
    """

    kind: str
    parties: tuple[str, ...]
    roles: Role = NOBODY
    hidden: bool = False
    needs: Role = NOBODY
    note: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Signed:
    """Carries what its author signed; who relays it has no authority and needs none, not even a sign-in.

    Args:
        verb: what is signed: "<contract>.<verb>" of the ledger, which says who must have signed and as what.
        refusal: code for what its author did not sign.
    """

    verb: str
    refusal: str = "intent_signature_invalid"


Access = Anyone | SignedIn | Joined | Holds | Party | Signed
_ORDER = Party("order", ("buyer", "seller"), OVERSEERS)
_AGREEMENT = Party("agreement", ("party A", "party B"), OVERSEERS)
_PROPOSAL = Party("proposal", ("party A", "party B"))
_CASE = Party("case", ("applicant", "counterparty", "objector", "holder"), OVERSEERS)
_OWN_WEBHOOK = Party("webhook", ("owner",))

ACCESS: Mapping[str, Access] = {
    # session
    "make_sign_in_challenge": Anyone(),
    "sign_in": Signed("EIP-4361", "sign_in_refused"),
    "sign_out": SignedIn(),
    # OpenID Connect: what proves who somebody is are state, verifier and the provider's code
    "begin_oidc_sign_in": Anyone(),
    "sign_in_with_oidc": Anyone(),
    "prove_oidc_identity": Anyone(),
    "link_identity": Signed("EIP-4361", "sign_in_refused"),
    "list_identities": SignedIn(lists="identity"),
    "unlink_identity": Party("identity", ("account",)),
    "unlink_myself": SignedIn(),
    # participants
    "apply_to_join": Signed("Participants.admit"),
    "list_applications": Holds(Role.REGISTRAR),
    "get_application": Party("application", ("applicant",), Role.REGISTRAR),
    "admit_participant": Signed("Participants.admit"),
    "set_participant_status": Signed("Participants.setStatus"),
    "get_participant_agreement": Anyone(),
    "get_participant_agreement_page": Anyone(),
    "list_participants": Anyone(),
    "get_participant": Anyone(),
    "enter_application": Holds(Role.REGISTRAR),
    "leave": Signed("Participants.resign"),
    "add_key": Signed("Keys.addKey"),
    "end_key": Signed("Keys.endKey"),
    "rotate_key": Signed("Keys.rotateKey"),
    "set_guardians": Signed("Keys.setGuardians"),
    "recover": Signed("Keys.recover"),
    "veto_recovery": Signed("Keys.veto"),
    "complete_recovery": SignedIn(),
    "list_recoveries": Anyone(),
    "get_keys": Anyone(),
    "get_key_proof": Anyone(),
    # rights
    "register_asset": Signed("Rights.register"),
    "confirm_asset": Signed("Rights.confirm"),
    "reserve_status_place": Holds(Role.REGISTRAR),
    "get_status_list": Anyone(),
    "mark_asset": Signed("Rights.mark"),
    "transfer_title": Signed("Titles.transfer"),
    "grant_title": Signed("Titles.grant"),
    "surrender_title": Signed("Titles.surrender"),
    "revoke_title": Signed("Titles.revoke"),
    "pledge_title": Signed("Titles.pledge"),
    "release_pledge": Signed("Titles.releasePledge"),
    "permit_act": Signed("Titles.permit"),
    "enforce_pledge": Signed("Titles.enforce"),
    "encumber_title": Signed("Titles.encumber"),
    "transfer_share": Signed("Rights.transferShare"),
    "pledge_share": Signed("Rights.pledgeShare"),
    "release_share": Signed("Rights.releaseShare"),
    "enforce_share": Signed("Rights.enforceShare"),
    "encumber_share": Signed("Rights.encumberShare"),
    "list_assets": Anyone(),
    "list_titles": Anyone(),
    "get_asset": Anyone(),
    "get_certificate": Anyone(),
    "get_title": Anyone(),
    # registrations
    "file_case": Signed("Registrations.file"),
    "act_in_case": Signed("Registrations.act"),
    "decide_in_case": Signed("Registrations.decide"),
    "expire_period": _CASE,
    "adopt_rulebook": Signed("Registrations.adopt"),
    "give_code": Holds(Role.REGISTRAR),
    "list_cases": SignedIn(),
    "list_work": Holds(Role.REGISTRAR),
    "get_case": _CASE,
    "list_notices": Anyone(),
    "get_notice": Anyone(),
    "list_rulebooks": Anyone(),
    "get_rulebook": Anyone(),
    # listings
    "list_product": Signed("Listings.list"),
    "delist_product": Signed("Listings.delist"),
    "list_listings": Anyone(),
    "get_listing": Anyone(),
    # agreements
    "list_agreement_forms": Anyone(),
    "get_agreement_form": Anyone(),
    "propose_agreement": SignedIn(),
    "list_agreement_proposals": SignedIn(lists="proposal"),
    "get_agreement_proposal": _PROPOSAL,
    "sign_agreement_proposal": _PROPOSAL,
    "close_agreement_proposal": _PROPOSAL,
    "list_agreements": SignedIn(lists="agreement", all_for=OVERSEERS),
    "get_agreement": _AGREEMENT,
    "get_agreement_page": _AGREEMENT,
    # orders
    "quote_order": Anyone(),
    "place_order": Signed("Orders.fund"),
    "list_orders": SignedIn(lists="order", all_for=OVERSEERS),
    "get_order": _ORDER,
    "get_last_voucher": _ORDER,
    # calls: gateways are public, what was called is not
    "publish_gateway": Party("product", ("seller",)),
    "get_gateway": Anyone(),
    "hand_in_calls": Party("order", ("buyer", "seller")),
    "get_calls": _ORDER,
    "hand_in_service_record": Party("order", ("buyer", "seller")),
    "answer_service_record": Party("order", ("buyer", "seller")),
    # queries
    "ask_query": Party("order", ("buyer",), needs=Role.BUYER),
    "explain_query": Party("order", ("buyer",), hidden=True),
    "get_query": Party("query", ("buyer",)),
    "publish_panel_key": Holds(Role.PANEL),
    "list_panel_keys": Anyone(),
    "list_panel_standing": Anyone(),
    "take_panel_task": SignedIn(),
    "put_request": Party("query", ("node",)),
    "get_request": Party("request", ("vault", "custodian")),
    "hand_in_panel_result": Party("query", ("node",)),
    "take_vault_task": SignedIn(),
    "hand_in_release": Party("query", ("vault",)),
    "hand_in_refusal": Party("query", ("vault",)),
    "take_custodian_task": SignedIn(),
    "hand_in_custodian_release": Party("approved query", ("custodian",)),
    "hand_in_custodian_refusal": Party("approved query", ("custodian",)),
    # settlement
    "issue_money": Signed("SettlementToken.issue"),
    "close_order": Signed("Orders.settle"),
    "refund_order": Party(
        "order",
        ("buyer", "seller"),
        OVERSEERS,
        hidden=True,
        note=("anyone, three days after a term that passed unsettled", "期满三日仍未结的任何人均可"),
    ),
    "claim_order": Signed("Orders.claim"),
    "challenge_claim": Party(
        "order",
        ("buyer", "seller"),
        OVERSEERS,
        hidden=True,
        note=("anyone, with a higher voucher of the buyer's", "任何人，须持买方更高的凭证"),
    ),
    "finish_order": Party(
        "order",
        ("buyer", "seller"),
        OVERSEERS,
        hidden=True,
        note=("anyone, once the window of a claim is over", "主张窗口期届满后任何人均可"),
    ),
    "redeem_money": Signed("SettlementToken.redeem"),
    "pay_redemption": Signed("SettlementToken.payRedemption"),
    "reject_redemption": Signed("SettlementToken.rejectRedemption"),
    "expire_redemption": Party(
        "redemption",
        ("holder", "bank"),
        OVERSEERS,
        hidden=True,
        note=("anyone, once the bank's time is over", "银行期限届满后任何人均可"),
    ),
    "list_redemptions": SignedIn(lists="redemption", all_for=OVERSEERS),
    "get_redemption": Party("redemption", ("holder", "bank"), OVERSEERS),
    "list_issues": SignedIn(lists="issue", all_for=OVERSEERS),
    "get_balance": Party("balance", ("owner",), OVERSEERS | Role.BANK),
    "get_account_statement": Party("balance", ("owner",), OVERSEERS | Role.BANK),
    "get_statement": _ORDER,
    "get_invoice": Party("invoice", ("buyer", "seller"), OVERSEERS),
    "get_trade_voucher": _ORDER,
    # clearing: batches are public, what is in them is not
    "open_batch": Signed("Clearing.openBatch"),
    "owe": Signed("Clearing.owe"),
    "clear_order": Signed("Orders.clear"),
    "clear_orders": SignedIn(),
    "list_clearable_orders": SignedIn(),
    "close_batch": Signed("Clearing.closeBatch"),
    "confirm_batch": Signed("Clearing.confirmBatch"),
    "advance_batch": Holds(Role.EXCHANGE),
    "advance_overdue_batch": SignedIn(),
    "list_batches": Anyone(),
    "get_batch": Anyone(),
    "list_positions": SignedIn(lists="clearing position", all_for=OVERSEERS),
    "list_debts": SignedIn(lists="debt", all_for=OVERSEERS),
    # lineage
    "declare_lineage": Signed("Lineage.declare"),
    "give_consent": Signed("Lineage.consent"),
    "withdraw_consent": Signed("Lineage.withdraw"),
    "get_lineage": Anyone(),
    # deliveries
    "offer_delivery": Signed("Deliveries.offer"),
    "arrange_delivery": Signed("Deliveries.arrange"),
    "deliver_file": Signed("Deliveries.deliver"),
    "acknowledge_delivery": Signed("Deliveries.acknowledge"),
    "accept_delivery": Signed("Deliveries.accept"),
    "object_to_delivery": Signed("Deliveries.object"),
    "deem_delivery": Party(
        "delivery",
        ("buyer", "seller"),
        OVERSEERS,
        hidden=True,
        note=("anyone, once the inspection passed in silence", "检验期静默届满后任何人均可"),
    ),
    "lapse_delivery": Party(
        "delivery",
        ("buyer", "seller"),
        OVERSEERS,
        hidden=True,
        note=("anyone, once the time to deliver is over", "交付期限届满后任何人均可"),
    ),
    "list_deliveries": SignedIn(lists="delivery", all_for=OVERSEERS),
    "get_delivery_offer": Anyone(),
    "get_delivery": Party("delivery", ("buyer", "seller"), OVERSEERS),
    # identifiers: those of orders; all other kinds are public
    "resolve_identifier": Party("order", ("buyer", "seller"), OVERSEERS, hidden=True),
    "show_identifier": Party("order", ("buyer", "seller"), OVERSEERS, hidden=True),
    "get_object_did": Party("order", ("buyer", "seller"), OVERSEERS, hidden=True),
    "resolve_did": Party("order", ("buyer", "seller"), OVERSEERS, hidden=True),
    "get_exchange_did": Anyone(),
    # evidence
    "check_health": Anyone(),
    "check_readiness": Anyone(),
    "get_profile": Anyone(),
    "get_intent": Anyone(),
    "put_document": Holds(Role.SUPPLIER | Role.REGISTRAR | Role.EXCHANGE),
    "get_document": Party("document", ("reader",), OVERSEERS, hidden=True),
    "put_blob": Holds(Role.SUPPLIER),
    "get_blob": Anyone(),
    "get_checkpoint": Anyone(),
    "get_tile": Anyone(),
    "prove_inclusion": Anyone(),
    "prove_consistency": Anyone(),
    "get_evidence_bundle": Holds(OVERSEERS),
    # webhooks
    "register_webhook": Joined(),
    "list_webhooks": SignedIn(lists="webhook"),
    "list_webhook_types": Anyone(),
    "get_webhook": _OWN_WEBHOOK,
    "remove_webhook": _OWN_WEBHOOK,
    "rotate_webhook_secret": _OWN_WEBHOOK,
    "ping_webhook": _OWN_WEBHOOK,
    "replay_webhook": _OWN_WEBHOOK,
    "list_webhook_messages": _OWN_WEBHOOK,
}
