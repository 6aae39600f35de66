"""Who must sign what on the ledger, and as what: for every verb each signer, and what is asked of it.

Contracts and rules are asked cell by cell (tests/integration/contracts/test_signers.py), and docs/security/
authorisation.md is written from it. A verb without an entry fails a test: add it here, with its checks in their order.
Besides, a signature that is not its signer's is refused everywhere (`intent_signature_invalid`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.types import Role

NOBODY = Role(0)


@dataclass(frozen=True)
class Active:
    """Is an active participant with all of `roles` or with `or_role`, else `ParticipantsNotActive`."""

    roles: Role = NOBODY
    or_role: Role = NOBODY


@dataclass(frozen=True)
class Is:
    """Has this relation to the object, else the error.

    Args:
        relation, zh: in words.
        error: name of the Solidity error.
        or_role: an active participant with this role need not.
    """

    relation: str
    zh: str
    error: str
    or_role: Role = NOBODY


@dataclass(frozen=True)
class Fresh:
    """Is neither an account nor a key of one, and never was, else the error."""

    error: str


@dataclass(frozen=True)
class NotSuspended:
    """Is not suspended, else the error; need not be a participant."""

    error: str


Check = Active | Is | Fresh | NotSuspended


@dataclass(frozen=True)
class Signer:
    """One signer of a verb.

    Args:
        intent: what it signs.
        field: the field that names it; "" where another record does.
        checks: what is asked of it, in order; empty where anybody may sign for himself.
        own: error where the act is about the signer itself; "" where it may be.
    """

    intent: str
    field: str
    checks: tuple[Check, ...] = ()
    own: str = ""


_TITLE = Is("holder of the title", "该权利的持有人", "TitlesNotHolder")
_PLEDGEE = Is("pledgee of the title", "该权利的质权人", "TitlesNotPledgee")
_SHARE = Is("holder of such a share", "持有该份额者", "RightsShareTooSmall")
_SHARE_PLEDGEE = Is("pledgee of the share", "该份额的质权人", "RightsNotPledgee")
_SELLER = Is("seller of the order's listing", "该订单所属挂牌的卖方", "OrdersNotSeller")
_SIDE = Is("buyer or seller of the order", "该订单的买方或卖方", "OrdersNotParty")
_ASKED = Is("bank that the holder has asked", "持有人所指定的银行", "SettlementTokenNotBank")
_PARTY = Is("this side of the agreement", "该协议的本方当事人", "AgreementsNotParty")
_ADMINISTRATOR = Is("key of the account that may administer it", "可管理该账户的密钥", "KeysNotAdministrator")
_BUYER = Is("key of the order's buyer", "订单买方的密钥", "IntentBatchSignatureInvalid")
_DERIVER = Is("registrant of the asset", "该资产的登记申请人", "LineageNotRegistrant")
_CONSENTER = Is("giver of the consent", "作出同意的一方", "LineageNotConsenter")
_DELIVERER = Is("seller of the listing", "该挂牌的卖方", "DeliveriesNotSeller")
_RECEIVER = Is("buyer of the order", "该订单的买方", "DeliveriesNotBuyer")
_REGISTRAR, _EXCHANGE = (Active(Role.REGISTRAR),), (Active(Role.EXCHANGE),)
_DECIDER = (Active(Role.REGISTRAR, or_role=Role.REGULATOR),)

SIGNERS: Mapping[tuple[str, str], tuple[Signer, ...]] = {
    ("Participants", "admit"): (
        Signer("Join", "account", (NotSuspended("ParticipantsStatus"),)),
        Signer("Admit", "registrar", _REGISTRAR, own="ParticipantsOwnMatter"),
    ),
    ("Participants", "requestAdmission"): (Signer("Join", "account", (Fresh("ParticipantsStatus"),)),),
    ("Participants", "resign"): (Signer("Leave", "account", (Active(),)),),
    ("Participants", "setStatus"): (Signer("SetStatus", "decider", _DECIDER, own="ParticipantsOwnMatter"),),
    ("Rights", "register"): (Signer("Register", "holder", (Active(Role.SUPPLIER),)),),
    ("Rights", "confirm"): (Signer("Confirm", "registrar", _REGISTRAR, own="RightsOwnMatter"),),
    ("Rights", "mark"): (Signer("Mark", "registrar", _REGISTRAR, own="RightsOwnMatter"),),
    ("Rights", "transferShare"): (Signer("TransferShare", "from", (Active(), _SHARE)),),
    ("Rights", "pledgeShare"): (
        Signer("PledgeShare", "holder", (Active(), _SHARE)),
        Signer("PledgeShare", "pledgee", (Active(),)),
    ),
    ("Rights", "releaseShare"): (Signer("ReleaseShare", "pledgee", (_SHARE_PLEDGEE,)),),
    ("Rights", "enforceShare"): (Signer("EnforceShare", "registrar", _REGISTRAR, own="RightsOwnMatter"),),
    ("Rights", "encumberShare"): (Signer("EncumberShare", "registrar", _REGISTRAR, own="RightsOwnMatter"),),
    ("Titles", "transfer"): (
        Signer("Transfer", "from", (_TITLE, Active())),
        Signer("Transfer", "to", (Active(),)),
    ),
    ("Registrations", "file"): (
        Signer(
            "File",
            "applicant",
            (Active(), Is("registrant or holder of the entry", "登记申请人或登记权利人", "RegistrationsNotParty")),
        ),
    ),
    ("Registrations", "act"): (
        Signer("Act", "actor", (Active(), Is("whose step it is", "该步骤的当事人", "RegistrationsNotParty"))),
    ),
    ("Registrations", "decide"): (Signer("Decide", "actor", _REGISTRAR),),
    ("Registrations", "adopt"): (Signer("Adopt", "exchange", _EXCHANGE),),
    ("Titles", "grant"): (
        Signer("Grant", "grantor", (_TITLE, Active())),
        Signer("Grant", "grantee", (Active(),)),
    ),
    ("Titles", "surrender"): (Signer("Surrender", "holder", (_TITLE, Active())),),
    ("Titles", "revoke"): (Signer("RevokeTitle", "registrar", _REGISTRAR, own="RightsOwnMatter"),),
    ("Titles", "encumber"): (Signer("Encumber", "registrar", _REGISTRAR, own="RightsOwnMatter"),),
    ("Titles", "pledge"): (
        Signer("Pledge", "holder", (_TITLE, Active())),
        Signer("Pledge", "pledgee", (Active(),)),
    ),
    ("Titles", "releasePledge"): (Signer("ReleasePledge", "pledgee", (_PLEDGEE,)),),
    ("Titles", "permit"): (Signer("Permit", "pledgee", (_PLEDGEE,)),),
    ("Titles", "enforce"): (Signer("Enforce", "registrar", _REGISTRAR, own="RightsOwnMatter"),),
    ("Listings", "list"): (Signer("List", "seller", (Active(), _TITLE)),),
    ("Listings", "delist"): (
        Signer("Delist", "seller", (Is("seller of the listing", "该挂牌的卖方", "ListingsNotSeller"),)),
    ),
    ("Agreements", "agree"): (Signer("Agree", "partyA", (Active(),)), Signer("Agree", "partyB", (Active(),))),
    ("Agreements", "amend"): (
        Signer("AmendAgreement", "partyA", (_PARTY, Active())),
        Signer("AmendAgreement", "partyB", (_PARTY, Active())),
    ),
    ("Agreements", "retire"): (
        Signer("RetireAgreement", "partyA", (_PARTY,)),
        Signer("RetireAgreement", "partyB", (_PARTY,)),
    ),
    ("SettlementToken", "issue"): (Signer("Issue", "bank", (Active(Role.BANK),), own="SettlementTokenOwnMatter"),),
    ("SettlementToken", "redeem"): (Signer("Redeem", "account", (NotSuspended("ParticipantsNotActive"),)),),
    ("SettlementToken", "payRedemption"): (Signer("PayRedemption", "bank", (_ASKED, Active(Role.BANK))),),
    ("SettlementToken", "rejectRedemption"): (Signer("RejectRedemption", "bank", (_ASKED, Active(Role.BANK))),),
    ("Orders", "fund"): (Signer("Fund", "buyer", (Active(Role.BUYER),)),),
    ("Orders", "settle"): (Signer("Voucher", "", (_BUYER,)), Signer("Close", "seller", (_SELLER,))),
    ("Orders", "clear"): (Signer("Voucher", "", (_BUYER,)), Signer("Clear", "seller", (_SELLER,))),
    ("Orders", "claim"): (Signer("Voucher", "", (_BUYER,)), Signer("Claim", "by", (_SIDE,))),
    ("Orders", "challenge"): (Signer("Voucher", "", (_BUYER,)),),
    ("Evidence", "anchor"): (Signer("Anchor", "exchange", _EXCHANGE),),
    ("Clearing", "openBatch"): (Signer("OpenBatch", "exchange", _EXCHANGE),),
    ("Clearing", "owe"): (Signer("Owe", "debtor", (Active(),)),),
    ("Clearing", "closeBatch"): (Signer("CloseBatch", "exchange", _EXCHANGE),),
    ("Clearing", "confirmBatch"): (Signer("ConfirmBatch", "exchange", _EXCHANGE),),
    ("Keys", "addKey"): (Signer("AddKey", "by", (_ADMINISTRATOR,)), Signer("AddKey", "key", (Fresh("KeysTaken"),))),
    ("Keys", "endKey"): (Signer("EndKey", "by", (_ADMINISTRATOR,)),),
    ("Keys", "rotateKey"): (
        Signer("RotateKey", "oldKey", (Is("live key of the account", "该账户的有效密钥", "KeysNotLive"),)),
        Signer("RotateKey", "newKey", (Fresh("KeysTaken"),)),
    ),
    ("Keys", "setGuardians"): (Signer("SetGuardians", "by", (_ADMINISTRATOR,)),),
    ("Keys", "recover"): (
        Signer(
            "Recover",
            "by",
            (Is("guardian of the account", "该账户的监护人", "KeysNotGuardian", or_role=Role.REGISTRAR),),
        ),
        Signer("Recover", "newKey", (Fresh("KeysTaken"),)),
    ),
    ("Keys", "veto"): (Signer("Veto", "by", (_ADMINISTRATOR,)),),
    ("Lineage", "declare"): (Signer("DeclareLineage", "holder", (_DERIVER, Active())),),
    ("Lineage", "consent"): (Signer("GiveConsent", "holder", (Active(), _TITLE)),),
    ("Lineage", "withdraw"): (Signer("WithdrawConsent", "holder", (_CONSENTER,)),),
    ("Deliveries", "offer"): (Signer("OfferDelivery", "seller", (_DELIVERER, Active())),),
    ("Deliveries", "arrange"): (Signer("Arrange", "buyer", (_RECEIVER,)),),
    ("Deliveries", "deliver"): (Signer("Deliver", "seller", (_DELIVERER,)),),
    ("Deliveries", "acknowledge"): (Signer("Acknowledge", "buyer", (_RECEIVER,)),),
    ("Deliveries", "accept"): (Signer("AcceptDelivery", "buyer", (_RECEIVER,)),),
    ("Deliveries", "object"): (Signer("ObjectToDelivery", "buyer", (_RECEIVER,)),),
}
UNSIGNED: Mapping[tuple[str, str], tuple[str, str]] = {
    ("Orders", "refund"): ("anyone, three days after the order's term", "期满三日后任何人"),
    ("Orders", "finish"): ("anyone, once the window of a claim is over", "主张窗口期届满后任何人"),
    ("SettlementToken", "expireRedemption"): ("anyone, once the bank's time is over", "银行期限届满后任何人"),
    ("Clearing", "closeOverdue"): ("anyone, once the exchange's time is over", "交易所期限届满后任何人"),
    ("Clearing", "collect"): ("anyone", "任何人"),
    ("Clearing", "drop"): ("anyone", "任何人"),
    ("Clearing", "confirmOverdue"): ("anyone, once the exchange's time is over", "交易所期限届满后任何人"),
    ("Clearing", "pay"): ("anyone", "任何人"),
    ("Registrations", "expire"): ("anyone, once the period has ended", "期限届满后任何人"),
    ("Deliveries", "deem"): ("anyone, once the inspection passed in silence", "检验期静默届满后任何人"),
    ("Deliveries", "lapse"): ("anyone, once the time to deliver is over", "交付期限届满后任何人"),
    ("Keys", "completeRecovery"): ("anyone, once the notice is over", "公告期满后任何人"),
}
"""Verbs that nobody signs, because they can do but one thing: who may send them."""
