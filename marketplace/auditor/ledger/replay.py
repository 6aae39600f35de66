"""Step 5: the ledger again, from signed intents and the rules in Python; every event must come out as the receipts say.

Each transaction to one of the market's contracts is decoded, each participant's signature checked here, each call run
by marketplace/replay.py. What a call leaves, or why it is refused, is compared with the logs to the last field.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crypto.canonical import to_hex
from marketplace.auditor.ethereum.receipts import Log, Receipt
from marketplace.auditor.ethereum.transactions import Transaction
from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.chain import Block
from marketplace.auditor.readmodel.rows import Placed
from marketplace.calls import act_digest, decode_event, parameters_of, signers_of
from marketplace.deployment import Genesis
from marketplace.errors import InvalidInputError
from marketplace.events import Event
from marketplace.intents import Deployment, intent_digest, recover_intent
from marketplace.refusals import LedgerRuleError, to_revert
from marketplace.replay import LedgerState, Outcome

REFUSED = "Refused"


@dataclass(frozen=True)
class _Expected:
    """An event that the rules give, and the signed intent behind it."""

    event: Event
    intent: str | None


@dataclass(frozen=True)
class Signature:
    """Who signed one statement of a call.

    Args:
        statement: name of the intent.
        digest: its EIP-712 digest.
        account: for whom it was signed.
        key: address of the key that signed; the account's own, or one that the account gave that power.
    """

    statement: str
    digest: str
    account: str
    key: str


class Replay:
    """Runs the ledger's transactions in order.

    Args:
        keep_signatures: whether `signatures` is filled; each is then recovered twice.
    """

    def __init__(
        self, genesis: Genesis, deployment: Deployment, report: Report, *, keep_signatures: bool = False
    ) -> None:
        self._deployment, self._report, self._keeps = deployment, report, keep_signatures
        self._contracts = {address: name for name, address in deployment.addresses.items()}
        #: the ledger as the rules have it
        self.state = LedgerState(genesis)
        #: a call's intent, as rows and `derived` name it, to all that was signed for it
        self.signatures: dict[str, list[Signature]] = {}
        #: what the rules give, in order
        self.derived: list[Placed] = []
        #: what the receipts say, in order
        self.stated: list[Event] = []

    def run(self, blocks: Mapping[int, Block]) -> None:
        """Replay all blocks."""
        for _, block in sorted(blocks.items()):
            log_index = 0
            for position, (transaction, receipt) in enumerate(zip(block.transactions, block.receipts, strict=False)):
                subject = f"block {block.header.number} transaction {position}"
                self._transaction(block, transaction, receipt, log_index, subject)
                log_index += len(receipt.logs)

    def _transaction(
        self, block: Block, transaction: Transaction, receipt: Receipt, log_index: int, subject: str
    ) -> None:
        expected = list(self._expect(transaction, receipt, block.header.timestamp, subject))
        stated = [self._decode(log, f"{subject} log {index}") for index, log in enumerate(receipt.logs)]
        self.stated += [event for event in stated if event is not None]
        self._report.count("events", len(stated))
        for index, item in enumerate(expected):
            placed = Placed(item.event, block.header.number, block.header.timestamp, log_index + index, item.intent)
            if item.event.name != REFUSED:
                self.derived.append(placed)
            got = stated[index] if index < len(stated) else None
            self._compare(item.event, got, f"{subject} log {index}")
        for index in range(len(expected), len(stated)):
            self._report.find("event_extra", f"{subject} log {index}", got=stated[index])

    def _expect(self, transaction: Transaction, receipt: Receipt, now: int, subject: str) -> Iterator[_Expected]:
        """The events that the transaction must leave."""
        created = self._contracts.get(transaction.created or "")
        if created is not None:
            yield from (_Expected(event, None) for event in self.state.founding if event.contract == created)
            return
        contract = self._contracts.get(transaction.to or "")
        if contract is None:
            if transaction.created is None:
                self._report.find("transaction_foreign", subject, got=transaction.to)
            return
        if not receipt.succeeded:
            self._report.find("transaction_failed", subject, got=contract)
            return
        for outcome in self.state.apply_transaction(contract, transaction.data, now, self._recover):
            yield from self._outcome(contract, outcome)

    def _outcome(self, contract: str, outcome: Outcome) -> Iterator[_Expected]:
        self._report.count("calls")
        if outcome.refusal is None:
            name = intent_of(contract, outcome.verb, outcome.arguments, self._deployment)
            if self._keeps:
                self.signatures[name] = self._signatures(contract, outcome)
            yield from (_Expected(event, name) for event in outcome.events)
            return
        self._report.count("refused calls")
        reason = to_revert(outcome.refusal) if isinstance(outcome.refusal, LedgerRuleError) else b""
        yield _Expected(Event(contract, REFUSED, {"index": outcome.index, "reason": to_hex(reason)}), None)

    def _signatures(self, contract: str, outcome: Outcome) -> list[Signature]:
        """A voucher names no signer: its key is its buyer's own."""
        found = []
        for signed in signers_of(contract, outcome.verb, outcome.arguments):
            key = recover_intent(signed.intent, signed.message, self._deployment, signed.signature)
            digest = to_hex(intent_digest(signed.intent, signed.message, self._deployment))
            found.append(Signature(signed.intent, digest, signed.signer or key, key))
        return found

    def _recover(self, name: str, message: Mapping[str, Any], signature: bytes) -> str:
        self._report.count("signatures")
        return recover_intent(name, message, self._deployment, signature)

    def _decode(self, log: Log, subject: str) -> Event | None:
        contract = self._contracts.get(log.address)
        if contract is None:
            self._report.find("event_unknown", subject, got=log.address)
            return None
        try:
            return decode_event(contract, log.topics, log.data)
        except InvalidInputError as error:
            self._report.find("event_unknown", subject, got=error.message)
            return None

    def _compare(self, expected: Event, got: Event | None, subject: str) -> None:
        if got is None:
            self._report.find("event_missing", subject, expected=expected)
        elif (expected.contract, expected.name) != (got.contract, got.name):
            self._report.find("event_differs", subject, expected=expected, got=got)
        else:
            for field in sorted(expected.args.keys() | got.args.keys()):
                want, have = expected.args.get(field), got.args.get(field)
                self._report.same("event_differs", f"{subject} {expected.name}.{field}", want, have)


def intent_of(contract: str, verb: str, arguments: list[Any], deployment: Deployment) -> str:
    """The digest that names a call: that of its last signed statement, or, where nobody signs, of what it does."""
    pairs = zip(parameters_of(contract, verb), arguments, strict=True)
    signed = [(parameter.struct, value) for parameter, value in pairs if parameter.struct]
    if not signed:
        return act_digest(verb, arguments, deployment.domain(contract))
    name, message = signed[-1]
    return to_hex(intent_digest(name, message, deployment))
