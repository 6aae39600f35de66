"""The whole ledger in Python: the rules of all stages over one state.

The service asks it before a call is queued; the auditor feeds it every signed intent in the ledger's order and must get
every event, with nothing but this file, the stages' rules and the shared vocabulary.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crypto.errors import CryptoError
from marketplace import calls
from marketplace.agreements import rules as agreement_rules
from marketplace.clearing import rules as clearing_rules
from marketplace.currencies import TOKEN, Currency, currency_of, kind_of
from marketplace.deliveries import rules as delivery_rules
from marketplace.deployment import Genesis
from marketplace.errors import MarketplaceError
from marketplace.events import Event
from marketplace.evidence import rules as evidence_rules
from marketplace.intents import INTENTS, contract_of
from marketplace.lineage import rules as lineage_rules
from marketplace.listings import rules as listing_rules
from marketplace.orders import rules as order_rules
from marketplace.participants import keys as key_rules
from marketplace.participants import rules as participant_rules
from marketplace.participants.keys import require_signer
from marketplace.refusals import refuse
from marketplace.registrations import rules as registration_rules
from marketplace.registrations.records import Registrations
from marketplace.rights import encumbrances as encumbrance_rules
from marketplace.rights import rules as right_rules
from marketplace.rights import shares as share_rules
from marketplace.rights import titles as title_rules
from marketplace.rights.records import Rights
from marketplace.rights.title_records import Titles
from marketplace.settlement import claims as claim_rules
from marketplace.settlement import redemptions as redemption_rules
from marketplace.settlement import rules as settlement_rules
from marketplace.settlement.money import Accounts

# The address of the key that made a signature, e.g. marketplace.intents.recover_intent for one deployment; CryptoError
# where it is of no key.
RecoverKey = Callable[[str, Mapping[str, Any], bytes], str]


@dataclass(frozen=True)
class Outcome:
    """What one call of a transaction did.

    Args:
        index: its place in the batch; 0 for a call alone.
        verb: the contract's function; "" where the calldata names none.
        arguments: as in `marketplace.calls`; empty where it was refused.
        events: what it left, in order; empty where it was refused.
        refusal: why it was refused, or None.
    """

    index: int
    verb: str
    arguments: list[Any]
    events: list[Event] = field(default_factory=list)
    refusal: MarketplaceError | None = None


@dataclass(frozen=True)
class Token:
    """The state of one currency's token."""

    accounts: Accounts
    redemptions: redemption_rules.Redemptions


def _token(addresses: Mapping[str, str], money: Currency) -> Token:
    accounts = Accounts(addresses["Orders"], addresses[money.contract], currency=money)
    return Token(accounts, redemption_rules.Redemptions())


class LedgerState:
    """The state of all contracts.

    Args:
        genesis: how the contracts were deployed.
    """

    def __init__(self, genesis: Genesis) -> None:
        self.participants = participant_rules.Participants()
        self.rights = Rights()
        self.registrations = Registrations()
        self.titles = Titles(registrations=self.registrations)
        self.lineage = lineage_rules.Lineage()
        self.listings = listing_rules.Listings()
        self.agreements = agreement_rules.Agreements()
        self.orders = order_rules.Orders()
        addresses = genesis.addresses()
        #: by the name of its contract
        self.tokens = {money.contract: _token(addresses, money) for money in map(currency_of, genesis.currencies)}
        self.accounts, self.redemptions = self.tokens[TOKEN].accounts, self.tokens[TOKEN].redemptions
        self.accounts.further = {
            token.accounts.currency.number: token.accounts for name, token in self.tokens.items() if name != TOKEN
        }
        self.batches = clearing_rules.Batches(addresses["Clearing"])
        self.deliveries = delivery_rules.Deliveries()
        self.anchors = evidence_rules.Anchors()
        self._terms = settlement_rules.FeeTerms(genesis.treasury, genesis.fee_bps)
        #: events that the deployment itself leaves
        self.founding = [
            *participant_rules.found(self.participants, genesis.registrar),
            *registration_rules.found(self.registrations, genesis.rulebook, genesis.bounds),
        ]

    def apply(self, contract: str, verb: str, arguments: Sequence[Any], now: int) -> list[Event]:
        """Run one call whose signatures the caller has checked.

        Args:
            arguments: as in `marketplace.calls`; signatures among them are not looked at.
            now: the block's time, unix seconds.
        Raises:
            RuleError: refused; the state is unchanged.
            InvalidInputError: no such verb, or another number of arguments.
        """
        parameters = calls.parameters_of(contract, verb)
        kind, token = kind_of(contract), self.tokens.get(contract)
        if len(arguments) != len(parameters) or (kind, verb) not in _VERBS or (kind == TOKEN and token is None):
            raise calls.malformed(f"{contract}.{verb}: expected {len(parameters)} arguments of a single call")
        pairs = zip(parameters, arguments, strict=True)
        values = [value for item, value in pairs if item.kind != "bytes"]
        return _VERBS[kind, verb](self, *([token] if token else []), *values, now)

    def signers_of(self, contract: str, verb: str, arguments: Sequence[Any]) -> list[calls.Signed]:
        """`marketplace.calls.signers_of`, with the buyer of the order that a voucher is for.

        Raises:
            RuleError: the voucher's order is not in escrow, or a token is told of another currency; the contracts, too,
                say so before they look at signatures.
        """
        if contract in self.tokens and arguments and isinstance(arguments[0], Mapping):
            self.tokens[contract].accounts.require_currency(arguments[0]["currency"])
        by_voucher = contract == "Orders" and verb in ("settle", "clear", "claim", "challenge")
        buyer = self.orders.require(arguments[0]["orderId"], verb).buyer if by_voucher else ""
        return calls.signers_of(contract, verb, arguments, buyer)

    def apply_signed(
        self,
        contract: str,
        verb: str,
        arguments: Sequence[Any],
        now: int,
        recover: RecoverKey,
        *,
        only: str | None = None,
    ) -> list[Event]:
        """Check every signature of a call, then run it; refuses as the contract would.

        Args:
            only: the one account whose signature is there already, where others have yet to sign; None for all.
        Raises:
            RuleError: refused; the state is unchanged.
            InvalidInputError: no such verb, or arguments of another form.
        """
        grace = self._grace_of(contract, verb, arguments, now)
        for signed in self.signers_of(contract, verb, arguments):
            if only in (None, signed.signer):
                self._require_signed(signed, now, recover, grace)
        return self.apply(contract, verb, arguments, now)

    def _grace_of(self, contract: str, verb: str, arguments: Sequence[Any], now: int) -> int:
        """Seconds more than usual for which signatures of a call outlive their keys."""
        if (contract, verb) != ("Orders", "challenge"):
            return 0
        window = self.orders.windows.get(arguments[0]["orderId"])
        return claim_rules.seconds_open(window, now) if window else 0

    def _require_signed(self, signed: calls.Signed, now: int, recover: RecoverKey, grace: int) -> None:
        try:
            key = recover(signed.intent, signed.message, signed.signature)
        except CryptoError as problem:
            raise refuse("IntentBatchSignatureInvalid", signer=signed.signer) from problem
        if signed.field not in INTENTS[signed.intent].alone:
            require_signer(
                self.participants.keys,
                signed.intent,
                signed.message,
                signed.signer,
                key=key,
                now=now,
                amount=self._amount_of(signed),
                grace=grace,
            )
        elif key != signed.signer:
            raise refuse("IntentBatchSignatureInvalid", signer=signed.signer)

    def _amount_of(self, signed: calls.Signed) -> int:
        """What a key's limit applies to where the intent only names it: the money that a bank says it has paid."""
        if signed.intent != "PayRedemption":
            return 0
        token = self.tokens[contract_of(signed.intent, signed.message)]
        record = token.redemptions.records.get(signed.message["redemptionId"])
        return record.amount if record else 0

    def apply_transaction(self, contract: str, calldata: bytes, now: int, recover: RecoverKey) -> list[Outcome]:
        """Run the calls of one transaction to `contract`, alone or in a batch; a refused one leaves the others intact.

        Args:
            calldata: the transaction's data.
            now: the block's time, unix seconds.
            recover: the key that made a signature.
        """
        if not calls.is_batch(calldata):
            return [self._outcome(0, contract, calldata, now, recover)]
        try:
            members = calls.batch_members(calldata)
        except MarketplaceError as problem:
            return [Outcome(0, "", [], refusal=problem)]
        return [self._outcome(i, contract, member, now, recover) for i, member in enumerate(members)]

    def _outcome(self, index: int, contract: str, calldata: bytes, now: int, recover: RecoverKey) -> Outcome:
        verb = ""
        try:
            if calls.is_batch(calldata):
                raise refuse("IntentBatchNested")
            verb, arguments = calls.decode_call(contract, calldata)
            events = self.apply_signed(contract, verb, arguments, now, recover)
        except MarketplaceError as problem:
            return Outcome(index, verb, [], refusal=problem)
        return Outcome(index, verb, arguments, events)

    def _admit(self, join: Any, admission: Any, now: int) -> list[Event]:
        return participant_rules.admit(self.participants, join, admission, now)

    def _request_admission(self, join: Any, now: int) -> list[Event]:
        return participant_rules.request_admission(self.participants, join, now)

    def _resign(self, leaving: Any, now: int) -> list[Event]:
        return participant_rules.resign(self.participants, leaving, self.registrations.bounds_in_force, now)

    def _set_status(self, change: Any, now: int) -> list[Event]:
        return participant_rules.set_status(self.participants, change, now)

    def _register(self, registration: Any, now: int) -> list[Event]:
        return right_rules.register(self.rights, self.participants, registration, now)

    def _confirm(self, confirmation: Any, now: int) -> list[Event]:
        return right_rules.confirm(
            self.rights,
            confirmation,
            now,
            titles=self.titles,
            participants=self.participants,
            registrations=self.registrations,
        )

    def _transfer(self, handover: Any, now: int) -> list[Event]:
        return title_rules.transfer(self.titles, self.rights, self.participants, handover, now)

    def _grant(self, wish: Any, now: int) -> list[Event]:
        return title_rules.grant(self.titles, self.rights, self.participants, wish, now)

    def _surrender(self, wish: Any, now: int) -> list[Event]:
        return title_rules.surrender(self.titles, self.participants, wish, now)

    def _revoke_title(self, decision: Any, now: int) -> list[Event]:
        return title_rules.revoke(self.titles, self.rights, self.participants, decision, now)

    def _encumber(self, decision: Any, now: int) -> list[Event]:
        return encumbrance_rules.encumber(self.titles, self.rights, self.participants, decision, now)

    def _pledge(self, deed: Any, now: int) -> list[Event]:
        return encumbrance_rules.pledge(self.titles, self.rights, self.participants, deed, now)

    def _release_pledge(self, wish: Any, now: int) -> list[Event]:
        return encumbrance_rules.release_pledge(self.titles, wish, now)

    def _permit(self, wish: Any, now: int) -> list[Event]:
        return encumbrance_rules.permit(self.titles, wish, now)

    def _enforce(self, ruling: Any, now: int) -> list[Event]:
        return encumbrance_rules.enforce(self.titles, self.rights, self.participants, ruling, now)

    def _transfer_share(self, handover: Any, now: int) -> list[Event]:
        return share_rules.transfer_share(self.rights, self.participants, handover, now)

    def _pledge_share(self, deed: Any, now: int) -> list[Event]:
        return share_rules.pledge_share(self.rights, self.participants, deed, now)

    def _release_share(self, wish: Any, now: int) -> list[Event]:
        return share_rules.release_share(self.rights, wish, now)

    def _enforce_share(self, ruling: Any, now: int) -> list[Event]:
        return share_rules.enforce_share(self.rights, self.titles, self.participants, ruling, now)

    def _encumber_share(self, decision: Any, now: int) -> list[Event]:
        return share_rules.encumber_share(self.rights, self.titles, self.participants, decision, now)

    def _mark(self, mark: Any, now: int) -> list[Event]:
        return right_rules.mark(self.rights, self.titles, self.participants, mark, now)

    @property
    def _register_of_assets(self) -> right_rules.AssetRegister:
        return right_rules.AssetRegister(self.rights, self.titles)

    def _file(self, filing: Any, now: int) -> list[Event]:
        return registration_rules.file(self.registrations, self.participants, self._register_of_assets, filing, now)

    def _act(self, deed: Any, now: int) -> list[Event]:
        return registration_rules.act(self.registrations, self.participants, self._register_of_assets, deed, now)

    def _decide(self, decision: Any, now: int) -> list[Event]:
        return registration_rules.decide(self.registrations, self.participants, self._register_of_assets, decision, now)

    def _expire(self, case: str, now: int) -> list[Event]:
        return registration_rules.expire(self.registrations, case, now)

    def _adopt(self, adoption: Any, now: int) -> list[Event]:
        return registration_rules.adopt(self.registrations, self.participants, adoption, now)

    @property
    def _registers(self) -> lineage_rules.Registers:
        return lineage_rules.Registers(self.participants, self.rights, self.titles)

    def _declare(self, declaration: Any, now: int) -> list[Event]:
        return lineage_rules.declare(self.lineage, self._registers, declaration, now)

    def _consent(self, wish: Any, now: int) -> list[Event]:
        return lineage_rules.consent(self.lineage, self._registers, wish, now)

    def _withdraw(self, wish: Any, now: int) -> list[Event]:
        return lineage_rules.withdraw(self.lineage, wish, now)

    def _list(self, offer: Any, now: int) -> list[Event]:
        return listing_rules.list_asset(
            self.listings,
            offer,
            now,
            participants=self.participants,
            rights=self.rights,
            titles=self.titles,
            lineage=self.lineage,
        )

    def _delist(self, delisting: Any, now: int) -> list[Event]:
        return listing_rules.delist(self.listings, delisting, now)

    def _agree(self, deal: Any, now: int) -> list[Event]:
        return agreement_rules.agree(self.agreements, self.participants, deal, now)

    def _amend(self, change: Any, now: int) -> list[Event]:
        return agreement_rules.amend(self.agreements, self.participants, change, now)

    def _retire(self, end: Any, now: int) -> list[Event]:
        return agreement_rules.retire(self.agreements, end, now)

    def _issue(self, token: Token, payment: Any, now: int) -> list[Event]:
        return settlement_rules.issue(token.accounts, self.participants, payment, now)

    def _redeem(self, token: Token, wish: Any, now: int) -> list[Event]:
        return redemption_rules.redeem(token.redemptions, token.accounts, self.participants, wish, now)

    def _pay_redemption(self, token: Token, payout: Any, now: int) -> list[Event]:
        return redemption_rules.pay(token.redemptions, token.accounts, self.participants, payout, now)

    def _reject_redemption(self, token: Token, answer: Any, now: int) -> list[Event]:
        return redemption_rules.reject(token.redemptions, token.accounts, self.participants, answer, now)

    def _expire_redemption(self, token: Token, redemption: str, now: int) -> list[Event]:
        return redemption_rules.expire(token.redemptions, token.accounts, redemption, now)

    def _fund(self, order: Any, now: int) -> list[Event]:
        return order_rules.fund(
            self.orders,
            order,
            now,
            participants=self.participants,
            rights=self.rights,
            titles=self.titles,
            lineage=self.lineage,
            listings=self.listings,
            agreements=self.agreements,
            purse=self.accounts,
        )

    def _settle(self, voucher: Any, closing: Any, now: int) -> list[Event]:
        return settlement_rules.settle(
            self.orders,
            voucher,
            closing,
            now,
            rights=self.rights,
            lineage=self.lineage,
            listings=self.listings,
            accounts=self.accounts,
            terms=self._terms,
        )

    def _refund(self, order: str, now: int) -> list[Event]:
        return settlement_rules.refund(self.orders, self.accounts, order, now)

    def _claim(self, voucher: Any, wish: Any, now: int) -> list[Event]:
        return claim_rules.claim(
            self.orders, voucher, wish, now, listings=self.listings, delivered=self.deliveries.records
        )

    def _challenge(self, voucher: Any, now: int) -> list[Event]:
        return claim_rules.challenge(self.orders, voucher, now, delivered=self.deliveries.records)

    def _finish(self, order: str, now: int) -> list[Event]:
        return settlement_rules.finish(
            self.orders,
            order,
            now,
            rights=self.rights,
            lineage=self.lineage,
            listings=self.listings,
            accounts=self.accounts,
            terms=self._terms,
        )

    def _clear(self, voucher: Any, clearing: Any, now: int) -> list[Event]:
        return clearing_rules.clear(
            self.batches,
            voucher,
            clearing,
            now,
            orders=self.orders,
            rights=self.rights,
            lineage=self.lineage,
            listings=self.listings,
            accounts=self.accounts,
            terms=self._terms,
        )

    def _open_batch(self, opening: Any, now: int) -> list[Event]:
        return clearing_rules.open_batch(self.batches, self.participants, self.accounts, opening, now)

    def _owe(self, debt: Any, now: int) -> list[Event]:
        return clearing_rules.owe(self.batches, self.participants, debt, now)

    def _close_batch(self, closing: Any, now: int) -> list[Event]:
        return clearing_rules.close_batch(self.batches, self.participants, closing, now)

    def _close_overdue(self, batch: str, now: int) -> list[Event]:
        return clearing_rules.close_overdue(self.batches, batch, now)

    def _collect(self, batch: str, party: str, total: int, _now: int) -> list[Event]:
        return clearing_rules.collect(self.batches, self.accounts, batch, party, total)

    def _drop(self, batch: str, debt: str, now: int) -> list[Event]:
        return clearing_rules.drop(self.batches, self.accounts, batch, debt, now)

    def _confirm_batch(self, confirmation: Any, now: int) -> list[Event]:
        return clearing_rules.confirm_batch(self.batches, self.participants, confirmation, now)

    def _confirm_overdue(self, batch: str, now: int) -> list[Event]:
        return clearing_rules.confirm_overdue(self.batches, batch, now)

    def _pay(self, batch: str, party: str, _now: int) -> list[Event]:
        return clearing_rules.pay(self.batches, self.accounts, batch, party)

    @property
    def _around_deliveries(self) -> delivery_rules.Around:
        market = (self.orders, self.participants, self.listings, self.rights, self.titles, self.lineage)
        return delivery_rules.Around(*market, self.accounts, self._terms)

    def _offer(self, terms: Any, now: int) -> list[Event]:
        return delivery_rules.offer(self.deliveries, terms, now, around=self._around_deliveries)

    def _arrange(self, wish: Any, now: int) -> list[Event]:
        return delivery_rules.arrange(self.deliveries, wish, now, around=self._around_deliveries)

    def _deliver(self, note: Any, now: int) -> list[Event]:
        return delivery_rules.deliver(self.deliveries, note, now, around=self._around_deliveries)

    def _acknowledge(self, receipt: Any, now: int) -> list[Event]:
        return delivery_rules.acknowledge(self.deliveries, receipt, now, around=self._around_deliveries)

    def _accept(self, acceptance: Any, now: int) -> list[Event]:
        return delivery_rules.accept(self.deliveries, acceptance, now, around=self._around_deliveries)

    def _object(self, objection: Any, now: int) -> list[Event]:
        return delivery_rules.object_to(self.deliveries, objection, now, around=self._around_deliveries)

    def _deem(self, order: str, now: int) -> list[Event]:
        return delivery_rules.deem(self.deliveries, order, now, around=self._around_deliveries)

    def _lapse(self, order: str, now: int) -> list[Event]:
        return delivery_rules.lapse(self.deliveries, order, now, around=self._around_deliveries)

    def _anchor(self, statement: Any, now: int) -> list[Event]:
        return evidence_rules.anchor(self.anchors, self.participants, statement, now)

    def _add_key(self, addition: Any, now: int) -> list[Event]:
        return key_rules.add_key(self.participants.keys, self.participants.register, addition, now)

    def _end_key(self, ending: Any, now: int) -> list[Event]:
        return key_rules.end_key(self.participants.keys, self.participants.register, ending, now)

    def _rotate_key(self, rotation: Any, now: int) -> list[Event]:
        return key_rules.rotate_key(self.participants.keys, self.participants.register, rotation, now)

    def _set_guardians(self, naming: Any, now: int) -> list[Event]:
        return key_rules.set_guardians(self.participants.keys, self.participants.register, naming, now)

    def _recover(self, recovery: Any, now: int) -> list[Event]:
        return key_rules.recover(self.participants.keys, self.participants.register, recovery, now)

    def _veto(self, objection: Any, now: int) -> list[Event]:
        return key_rules.veto(self.participants.keys, self.participants.register, objection, now)

    def _complete_recovery(self, name: str, now: int) -> list[Event]:
        return key_rules.complete_recovery(self.participants.keys, self.participants.register, name, now)


_VERBS: dict[tuple[str, str], Callable[..., list[Event]]] = {
    ("Participants", "admit"): LedgerState._admit,
    ("Participants", "setStatus"): LedgerState._set_status,
    ("Participants", "requestAdmission"): LedgerState._request_admission,
    ("Participants", "resign"): LedgerState._resign,
    ("Rights", "register"): LedgerState._register,
    ("Rights", "confirm"): LedgerState._confirm,
    ("Titles", "transfer"): LedgerState._transfer,
    ("Titles", "grant"): LedgerState._grant,
    ("Titles", "surrender"): LedgerState._surrender,
    ("Titles", "revoke"): LedgerState._revoke_title,
    ("Titles", "encumber"): LedgerState._encumber,
    ("Titles", "pledge"): LedgerState._pledge,
    ("Titles", "releasePledge"): LedgerState._release_pledge,
    ("Titles", "permit"): LedgerState._permit,
    ("Titles", "enforce"): LedgerState._enforce,
    ("Rights", "transferShare"): LedgerState._transfer_share,
    ("Rights", "pledgeShare"): LedgerState._pledge_share,
    ("Rights", "releaseShare"): LedgerState._release_share,
    ("Rights", "enforceShare"): LedgerState._enforce_share,
    ("Rights", "encumberShare"): LedgerState._encumber_share,
    ("Rights", "mark"): LedgerState._mark,
    ("Lineage", "declare"): LedgerState._declare,
    ("Lineage", "consent"): LedgerState._consent,
    ("Lineage", "withdraw"): LedgerState._withdraw,
    ("Listings", "list"): LedgerState._list,
    ("Listings", "delist"): LedgerState._delist,
    ("Agreements", "agree"): LedgerState._agree,
    ("Agreements", "amend"): LedgerState._amend,
    ("Agreements", "retire"): LedgerState._retire,
    ("SettlementToken", "issue"): LedgerState._issue,
    ("SettlementToken", "redeem"): LedgerState._redeem,
    ("SettlementToken", "payRedemption"): LedgerState._pay_redemption,
    ("SettlementToken", "rejectRedemption"): LedgerState._reject_redemption,
    ("SettlementToken", "expireRedemption"): LedgerState._expire_redemption,
    ("Orders", "fund"): LedgerState._fund,
    ("Orders", "settle"): LedgerState._settle,
    ("Orders", "clear"): LedgerState._clear,
    ("Orders", "refund"): LedgerState._refund,
    ("Orders", "claim"): LedgerState._claim,
    ("Orders", "challenge"): LedgerState._challenge,
    ("Orders", "finish"): LedgerState._finish,
    ("Clearing", "openBatch"): LedgerState._open_batch,
    ("Clearing", "owe"): LedgerState._owe,
    ("Clearing", "closeBatch"): LedgerState._close_batch,
    ("Clearing", "closeOverdue"): LedgerState._close_overdue,
    ("Clearing", "collect"): LedgerState._collect,
    ("Clearing", "drop"): LedgerState._drop,
    ("Clearing", "confirmBatch"): LedgerState._confirm_batch,
    ("Clearing", "confirmOverdue"): LedgerState._confirm_overdue,
    ("Clearing", "pay"): LedgerState._pay,
    ("Evidence", "anchor"): LedgerState._anchor,
    ("Keys", "addKey"): LedgerState._add_key,
    ("Keys", "endKey"): LedgerState._end_key,
    ("Keys", "rotateKey"): LedgerState._rotate_key,
    ("Keys", "setGuardians"): LedgerState._set_guardians,
    ("Keys", "recover"): LedgerState._recover,
    ("Keys", "veto"): LedgerState._veto,
    ("Keys", "completeRecovery"): LedgerState._complete_recovery,
    ("Registrations", "file"): LedgerState._file,
    ("Registrations", "act"): LedgerState._act,
    ("Registrations", "decide"): LedgerState._decide,
    ("Registrations", "expire"): LedgerState._expire,
    ("Registrations", "adopt"): LedgerState._adopt,
    ("Deliveries", "offer"): LedgerState._offer,
    ("Deliveries", "arrange"): LedgerState._arrange,
    ("Deliveries", "deliver"): LedgerState._deliver,
    ("Deliveries", "acknowledge"): LedgerState._acknowledge,
    ("Deliveries", "accept"): LedgerState._accept,
    ("Deliveries", "object"): LedgerState._object,
    ("Deliveries", "deem"): LedgerState._deem,
    ("Deliveries", "lapse"): LedgerState._lapse,
}
