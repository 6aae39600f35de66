"""Every statement that a participant signs: its fields, its contract, who signs it. The one list that all rooms share.

A message is a plain dict keyed by the field names below: addresses and bytes32 as "0x" lower-case hex text, integers
as int, arrays as list. Hashing and signing follow EIP-712; the contracts in contracts/src check the same structures,
and a test compares the type strings.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from crypto import typed_data
from marketplace.currencies import TOKEN, code_of, currency_at, token_of, unknown
from marketplace.types import Act


@dataclass(frozen=True)
class IntentType:
    """One EIP-712 structure.

    Args:
        name: structure name.
        contract: the contract whose address is the domain's verifyingContract.
        fields: (name, Solidity type) in order.
        signers: names of the fields that hold the signers' addresses, in signature order; empty where another
            document decides who signs (a voucher is signed by the order's buyer).
        act: what a key must be permitted to sign it for the account that a signer's field names.
        amount: name of the field with the money that is signed for, in minor units, to which the key's limit
            applies; or "".
        grace: seconds for which the signature outlives its key.
        alone: signers who sign as the very key that the field names, whomever that key may sign for.
    """

    name: str
    contract: str
    fields: tuple[tuple[str, str], ...]
    signers: tuple[str, ...]
    act: Act
    amount: str = ""
    grace: int = 0
    alone: tuple[str, ...] = ()

    @property
    def type_string(self) -> str:
        """The EIP-712 encodeType text."""
        return f"{self.name}({','.join(f'{kind} {name}' for name, kind in self.fields)})"


# So long a voucher outlives the key that signed it, or a buyer could take its answers and then end the key.
VOUCHER_GRACE_SECONDS = 3 * 86_400
# So long a claimed order waits for a higher voucher before the claim moves money.
CHALLENGE_SECONDS = 3 * 86_400
# So long after its term an order waits for a voucher before its escrow goes back.
REFUND_GRACE_SECONDS = 3 * 86_400


def _intent(
    contract: str,
    signature: str,
    *signers: str,
    act: Act,
    amount: str = "",
    grace: int = 0,
    alone: tuple[str, ...] = (),
) -> IntentType:
    name, _, inner = signature.rstrip(")").partition("(")
    fields = tuple((field, kind) for kind, field in (part.split(" ") for part in inner.split(",")))
    return IntentType(name, contract, fields, signers, act, amount, grace, alone)


INTENTS: dict[str, IntentType] = {
    intent.name: intent
    for intent in (
        _intent(
            "Participants",
            "Join(address account,uint32 roles,bytes32 identityDigest,uint64 deadline)",
            "account",
            act=Act.ADMINISTER,
        ),
        _intent(
            "Participants",
            "Admit(address account,uint32 roles,bytes32 identityDigest,uint64 version,"
            "address registrar,uint64 deadline)",
            "registrar",
            act=Act.REGISTRY,
        ),
        _intent(
            "Participants",
            "SetStatus(address account,uint8 status,bytes32 reasonDigest,uint64 version,"
            "address decider,uint64 deadline)",
            "decider",
            act=Act.REGISTRY,
        ),
        _intent(
            "Participants",
            "Leave(address account,uint64 version,uint64 deadline)",
            "account",
            act=Act.ADMINISTER,
        ),
        _intent(
            "Rights",
            "Register(bytes32 assetId,address holder,bytes32 manifestDigest,bytes32 ciphertextRoot,"
            "bytes32 claimDigest,uint8 level,"
            "uint64 epsilonBudget,address[] shareHolders,uint16[] shareBps,uint64 deadline)",
            "holder",
            act=Act.TITLES,
        ),
        _intent(
            "Rights",
            "Confirm(bytes32 assetId,bytes32 claimDigest,bytes32 certificateDigest,bytes32 code,uint8 rights,"
            "uint64 validUntil,address registrar,uint64 version,uint64 deadline)",
            "registrar",
            act=Act.REGISTRY,
        ),
        _intent(
            "Titles",
            "Transfer(bytes32 titleId,address from,address to,uint64 version,uint64 deadline)",
            "from",
            "to",
            act=Act.TITLES,
        ),
        _intent(
            "Titles",
            "Grant(bytes32 titleId,bytes32 parent,uint8 kind,address grantor,address grantee,uint32 purposes,"
            "bytes32 fields,uint48 territories,uint64 validFrom,uint64 validUntil,uint8 marks,bytes32 termsDigest,"
            "uint64 version,uint64 deadline)",
            "grantor",
            "grantee",
            act=Act.TITLES,
        ),
        _intent(
            "Titles",
            "Surrender(bytes32 titleId,address holder,bytes32 reasonDigest,uint64 version,uint64 deadline)",
            "holder",
            act=Act.TITLES,
        ),
        _intent(
            "Titles",
            "RevokeTitle(bytes32 titleId,address registrar,bytes32 reasonDigest,uint64 version,uint64 deadline)",
            "registrar",
            act=Act.REGISTRY,
        ),
        _intent(
            "Titles",
            "Encumber(bytes32 titleId,uint8 marks,bytes32 orderDigest,address registrar,uint64 version,"
            "uint64 deadline)",
            "registrar",
            act=Act.REGISTRY,
        ),
        _intent(
            "Titles",
            "Pledge(bytes32 titleId,address holder,address pledgee,bytes32 debtDigest,uint64 version,uint64 deadline)",
            "holder",
            "pledgee",
            act=Act.TITLES,
        ),
        _intent(
            "Titles",
            "ReleasePledge(bytes32 titleId,address pledgee,uint64 version,uint64 deadline)",
            "pledgee",
            act=Act.TITLES,
        ),
        _intent(
            "Titles",
            "Permit(bytes32 titleId,bytes32 act,address pledgee,uint64 version,uint64 deadline)",
            "pledgee",
            act=Act.TITLES,
        ),
        _intent(
            "Titles",
            "Enforce(bytes32 titleId,bytes32 rulingDigest,address registrar,uint64 version,uint64 deadline)",
            "registrar",
            act=Act.REGISTRY,
        ),
        _intent(
            "Rights",
            "TransferShare(bytes32 assetId,address from,address to,uint16 bps,uint64 version,uint64 deadline)",
            "from",
            act=Act.TITLES,
        ),
        _intent(
            "Rights",
            "PledgeShare(bytes32 assetId,address holder,address pledgee,uint16 bps,bytes32 debtDigest,uint64 version,"
            "uint64 deadline)",
            "holder",
            "pledgee",
            act=Act.TITLES,
        ),
        _intent(
            "Rights",
            "ReleaseShare(bytes32 assetId,address holder,address pledgee,uint64 version,uint64 deadline)",
            "pledgee",
            act=Act.TITLES,
        ),
        _intent(
            "Rights",
            "EnforceShare(bytes32 assetId,address holder,bytes32 rulingDigest,address registrar,uint64 version,"
            "uint64 deadline)",
            "registrar",
            act=Act.REGISTRY,
        ),
        _intent(
            "Rights",
            "EncumberShare(bytes32 assetId,address holder,uint8 marks,bytes32 orderDigest,address registrar,"
            "uint64 version,uint64 deadline)",
            "registrar",
            act=Act.REGISTRY,
        ),
        _intent(
            "Rights",
            "Mark(bytes32 assetId,uint8 status,bytes32 reasonDigest,address registrar,uint64 version,uint64 deadline)",
            "registrar",
            act=Act.REGISTRY,
        ),
        _intent(
            "Registrations",
            "File(bytes32 caseId,bytes32 assetId,uint8 kind,uint8 procedure,address applicant,address counterparty,"
            "bytes32 formDigest,bytes32 nonPublicationDigest,bytes32 depositDigest,bytes32 rulebookDigest,"
            "uint64 statedAt,uint64 dueAt,uint64 decideBy,uint64 deadline)",
            "applicant",
            act=Act.TITLES,
        ),
        _intent(
            "Registrations",
            "Act(bytes32 caseId,uint8 step,bytes32 evidenceDigest,uint64 statedAt,uint64 dueAt,uint64 decideBy,"
            "address actor,uint64 version,uint64 deadline)",
            "actor",
            act=Act.TITLES,
        ),
        _intent(
            "Registrations",
            "Decide(bytes32 caseId,uint8 step,bytes32 evidenceDigest,uint64 statedAt,uint64 dueAt,uint64 decideBy,"
            "address actor,uint64 version,uint64 deadline)",
            "actor",
            act=Act.REGISTRY,
        ),
        _intent(
            "Registrations",
            "Adopt(bytes32 rulebookDigest,bytes32 entryBounds,bytes32 besideBounds,bytes32 termBounds,"
            "bytes32 previousDigest,address exchange,uint64 deadline)",
            "exchange",
            act=Act.ADMINISTER,
        ),
        _intent(
            "Listings",
            "List(bytes32 listingId,bytes32 assetId,bytes32 titleId,address seller,bytes32 termsDigest,uint32 purposes,"
            "bytes32 fields,uint48 territories,uint96 price,uint16 currency,uint64 validUntil,uint64 deadline)",
            "seller",
            act=Act.LISTINGS,
        ),
        _intent(
            "Listings",
            "Delist(bytes32 listingId,address seller,uint64 version,uint64 deadline)",
            "seller",
            act=Act.LISTINGS,
        ),
        _intent(
            "Agreements",
            "Agree(bytes32 agreementId,address partyA,address partyB,bytes32 agreementDigest,uint64 validUntil,"
            "uint64 deadline)",
            "partyA",
            "partyB",
            act=Act.AGREEMENTS,
        ),
        _intent(
            "Agreements",
            "AmendAgreement(bytes32 previousId,bytes32 agreementId,address partyA,address partyB,"
            "bytes32 agreementDigest,uint64 validUntil,uint64 deadline)",
            "partyA",
            "partyB",
            act=Act.AGREEMENTS,
        ),
        _intent(
            "Agreements",
            "RetireAgreement(bytes32 agreementId,address partyA,address partyB,uint64 deadline)",
            "partyA",
            "partyB",
            act=Act.AGREEMENTS,
        ),
        _intent(
            "SettlementToken",
            "Issue(address account,uint256 amount,uint16 currency,bytes32 ref,address bank,uint64 deadline)",
            "bank",
            act=Act.MONEY,
            amount="amount",
        ),
        _intent(
            "SettlementToken",
            "Redeem(bytes32 redemptionId,address account,uint96 amount,uint16 currency,bytes32 payoutDigest,"
            "address bank,uint64 payBy,uint64 deadline)",
            "account",
            act=Act.MONEY,
            amount="amount",
        ),
        _intent(
            "SettlementToken",
            "PayRedemption(bytes32 redemptionId,uint16 currency,bytes32 ref,address bank,uint64 deadline)",
            "bank",
            act=Act.MONEY,
        ),
        _intent(
            "SettlementToken",
            "RejectRedemption(bytes32 redemptionId,uint16 currency,bytes32 reasonDigest,address bank,uint64 deadline)",
            "bank",
            act=Act.MONEY,
        ),
        _intent(
            "Orders",
            "Fund(bytes32 orderId,bytes32 listingId,address buyer,uint96 escrow,uint16 currency,uint64 epsilonCap,"
            "uint64 validUntil,bytes32 agreementDigest,bytes32 agreementId,uint64 deadline)",
            "buyer",
            act=Act.ORDERS,
            amount="escrow",
        ),
        _intent(
            "Orders",
            "Voucher(bytes32 orderId,uint96 amount,uint64 epsilon,uint32 calls,bytes32 callsRoot)",
            act=Act.QUERIES,
            amount="amount",
            grace=VOUCHER_GRACE_SECONDS,
        ),
        _intent(
            "Orders",
            "Close(bytes32 orderId,bytes32 voucherHash,address seller,uint64 deadline)",
            "seller",
            act=Act.SETTLEMENT,
        ),
        _intent(
            "Orders",
            "Clear(bytes32 orderId,bytes32 voucherHash,bytes32 batchId,address seller,uint64 deadline)",
            "seller",
            act=Act.SETTLEMENT,
        ),
        _intent(
            "Orders",
            "Claim(bytes32 orderId,bytes32 voucherHash,address by,uint64 deadline)",
            "by",
            act=Act.SETTLEMENT,
        ),
        _intent(
            "Lineage",
            "DeclareLineage(bytes32 assetId,address holder,bytes32[] inputs,bytes32[] titles,uint16[] bps,"
            "bytes32 agreementDigest,uint64 deadline)",
            "holder",
            act=Act.TITLES,
        ),
        _intent(
            "Lineage",
            "GiveConsent(bytes32 assetId,bytes32 inputId,bytes32 titleId,address holder,uint16 bps,"
            "uint64 validUntil,uint64 version,uint64 deadline)",
            "holder",
            act=Act.TITLES,
        ),
        _intent(
            "Lineage",
            "WithdrawConsent(bytes32 assetId,bytes32 inputId,address holder,uint64 version,uint64 deadline)",
            "holder",
            act=Act.TITLES,
        ),
        _intent(
            "Deliveries",
            "OfferDelivery(bytes32 listingId,address seller,uint96 amount,uint32 deliverWithin,uint32 inspection,"
            "uint32 correction,uint8 corrections,uint8 marks,uint64 deadline)",
            "seller",
            act=Act.LISTINGS,
        ),
        _intent(
            "Deliveries",
            "Arrange(bytes32 orderId,bytes32 receiveKey,address buyer,uint64 deadline)",
            "buyer",
            act=Act.ORDERS,
        ),
        _intent(
            "Deliveries",
            "Deliver(bytes32 orderId,address seller,uint8 round,bytes32 ciphertextDigest,bytes32 fingerprintId,"
            "bytes32 plaintextCommitment,uint64 deadline)",
            "seller",
            act=Act.SETTLEMENT,
        ),
        _intent(
            "Deliveries",
            "Acknowledge(bytes32 orderId,bytes32 noteHash,address buyer,uint64 deadline)",
            "buyer",
            act=Act.ORDERS,
        ),
        _intent(
            "Deliveries",
            "AcceptDelivery(bytes32 orderId,bytes32 noteHash,address buyer,uint64 deadline)",
            "buyer",
            act=Act.ORDERS,
        ),
        _intent(
            "Deliveries",
            "ObjectToDelivery(bytes32 orderId,bytes32 noteHash,bytes32 defectsDigest,address buyer,uint64 deadline)",
            "buyer",
            act=Act.ORDERS,
        ),
        _intent(
            "Clearing",
            "OpenBatch(bytes32 batchId,address exchange,uint48 number,uint16 currency,uint64 closeBy,uint64 deadline)",
            "exchange",
            act=Act.CLEARING,
        ),
        _intent(
            "Clearing",
            "Owe(bytes32 debtId,bytes32 batchId,address debtor,address creditor,uint64 amount,uint16 currency,"
            "bytes32 ref,uint64 deadline)",
            "debtor",
            act=Act.CLEARING,
            amount="amount",
        ),
        _intent(
            "Clearing",
            "CloseBatch(bytes32 batchId,uint32 legs,uint64 payBy,address exchange,uint64 deadline)",
            "exchange",
            act=Act.CLEARING,
        ),
        _intent(
            "Clearing",
            "ConfirmBatch(bytes32 batchId,bytes32 payoutsDigest,address exchange,uint64 deadline)",
            "exchange",
            act=Act.CLEARING,
        ),
        _intent(
            "Evidence",
            "Anchor(uint48 size,bytes32 root,bytes32 previousRoot,address exchange,uint64 deadline)",
            "exchange",
            act=Act.EVIDENCE,
        ),
        _intent(
            "Rights",
            "Release(bytes32 orderId,bytes32 queryDigest,bytes32 resultDigest,bytes32 shareDigest,"
            "uint64 epsilon,uint64 spentOrder,uint64 spentBuyer,"
            "uint64 spentAsset)",
            act=Act.QUERIES,
        ),
        _intent("Deliveries", "SellerStatement(bytes32 subject,bytes32 documentDigest)", act=Act.SETTLEMENT),
        _intent("Deliveries", "BuyerStatement(bytes32 subject,bytes32 documentDigest)", act=Act.QUERIES),
        _intent(
            "Keys",
            "AddKey(address account,address key,uint32 acts,uint64 limit,uint64 validUntil,bytes32 personDigest,"
            "address by,uint64 version,uint64 deadline)",
            "by",
            "key",
            act=Act.ADMINISTER,
            alone=("by", "key"),
        ),
        _intent(
            "Keys",
            "EndKey(address account,address key,bytes32 reasonDigest,address by,uint64 version,uint64 deadline)",
            "by",
            act=Act.ADMINISTER,
            alone=("by",),
        ),
        _intent(
            "Keys",
            "RotateKey(address account,address oldKey,address newKey,uint64 version,uint64 deadline)",
            "oldKey",
            "newKey",
            act=Act.ADMINISTER,
            alone=("oldKey", "newKey"),
        ),
        _intent(
            "Keys",
            "SetGuardians(address account,address[] guardians,uint8 threshold,uint64 delay,address by,"
            "uint64 version,uint64 deadline)",
            "by",
            act=Act.ADMINISTER,
            alone=("by",),
        ),
        _intent(
            "Keys",
            "Recover(address account,address newKey,bytes32 reasonDigest,address by,uint64 version,uint64 deadline)",
            "by",
            "newKey",
            act=Act.RECOVERY,
            alone=("newKey",),
        ),
        _intent(
            "Keys",
            "Veto(bytes32 recoveryId,address account,address by,uint64 deadline)",
            "by",
            act=Act.ADMINISTER,
            alone=("by",),
        ),
    )
}

CONTRACTS = (
    "Participants",
    "Rights",
    "Titles",
    "Listings",
    "Agreements",
    "SettlementToken",
    "Orders",
    "Evidence",
    "Clearing",
    "Keys",
    "Registrations",
    "Deliveries",
    "Lineage",
)


OFF_LEDGER = frozenset({"Release", "SellerStatement", "BuyerStatement"})
"""What no contract takes: vaults, and the two sides of an order, sign it for each other and for auditors."""


@dataclass(frozen=True)
class Deployment:
    """Where the contracts stand: enough to compute every signing domain.

    Args:
        chain_id: EIP-155 chain id.
        addresses: contract name to "0x" lower-case hex address, one for each of CONTRACTS, and the tokens of further
            currencies.
    """

    chain_id: int
    addresses: Mapping[str, str]

    @property
    def currencies(self) -> tuple[str, ...]:
        """The codes of the market's currencies: CNY, then the others as its contracts name them."""
        return tuple(currency.code for currency in map(currency_at, self.addresses) if currency)

    def domain(self, contract: str) -> bytes:
        """The EIP-712 domain separator of `contract`, 32 bytes."""
        return typed_data.domain_separator("Marketplace", "1", self.chain_id, self.addresses[contract])


def struct_hash(name: str, message: Mapping[str, Any]) -> bytes:
    """EIP-712 hashStruct of `message` as the intent `name`, 32 bytes.

    Raises:
        crypto.errors.ParameterError: a field is missing, unknown, or outside its type's range.
    """
    return _hasher(name)(message)


@cache
def _hasher(name: str) -> Callable[[Mapping[str, Any]], bytes]:
    return typed_data.struct_hasher(INTENTS[name].name, INTENTS[name].fields)


def contract_of(name: str, message: Mapping[str, Any]) -> str:
    """The contract that a message of the intent `name` is for: of the tokens, that of the currency it names."""
    contract = INTENTS[name].contract
    return token_of(message["currency"]) if contract == TOKEN else contract


def names_contracts(names: Collection[str]) -> bool:
    """Whether these are the names of a market's contracts: CONTRACTS, and tokens of further currencies if any."""
    return set(CONTRACTS) <= set(names) and all(currency_at(name) for name in set(names) - set(CONTRACTS))


def intent_digest(name: str, message: Mapping[str, Any], deployment: Deployment) -> bytes:
    """What is signed: keccak256(0x1901 || domain || struct hash), 32 bytes.

    Raises:
        InvalidInputError: `currency_unknown`: the market has no such currency. crypto.errors.ParameterError: as
            `struct_hash`.
    """
    contract = contract_of(name, message)
    if contract not in deployment.addresses:
        raise unknown(code_of(message["currency"]), deployment.currencies)
    return typed_data.signing_digest(deployment.domain(contract), struct_hash(name, message))


def sign_intent(name: str, message: Mapping[str, Any], deployment: Deployment, private_key: bytes) -> bytes:
    """65-byte signature (r, s, v with v 27 or 28) of `message` by a secp256k1 key of 32 bytes."""
    return typed_data.sign(intent_digest(name, message, deployment), private_key)


def recover_intent(name: str, message: Mapping[str, Any], deployment: Deployment, signature: bytes) -> str:
    """The address of the key that signed `message`; whom it may sign for, `marketplace.participants.keys` knows.

    Raises:
        crypto.errors.InvalidSignature: the signature is malformed or malleable.
    """
    return typed_data.recover(intent_digest(name, message, deployment), signature)


def verify_intent(name: str, message: Mapping[str, Any], deployment: Deployment, signer: str, signature: bytes) -> None:
    """Check that `signer` (address) signed `message`.

    Raises:
        crypto.errors.InvalidSignature: another key signed, or the signature is malformed or malleable.
    """
    typed_data.verify(intent_digest(name, message, deployment), signer, signature)
