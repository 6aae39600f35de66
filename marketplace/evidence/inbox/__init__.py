"""Where signed intents come in: signatures are checked, the same intent again changes nothing, the rest goes to the
ledger's queue.

Whoever relays an intent has no authority and needs none: the statement carries its author's signature, the contract
checks it again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from crypto.canonical import from_hex, to_hex
from crypto.errors import InvalidSignature
from marketplace.errors import NotFoundError
from marketplace.evidence.tables import SignedStatement
from marketplace.intents import INTENTS, Deployment, intent_digest, verify_intent
from marketplace.ledger.intake import intent_status, queue_intent
from marketplace.refusals import refuse
from marketplace.refusals.checks import require_in_time
from marketplace.types import Digest
from marketplace.web.context import announce

LEDGER = "ledger"  # the bell's topic for news of intents


@dataclass(frozen=True)
class Statement:
    """An intent and the signatures that came with it.

    Args:
        name: one of marketplace.intents.INTENTS.
        message: its fields.
        signatures: "0x" hex, one for each signer in the intent's order.
    """

    name: str
    message: Mapping[str, Any]
    signatures: tuple[str, ...]

    def digest(self, deployment: Deployment) -> Digest:
        """The digest that was signed; names the intent."""
        return Digest(to_hex(intent_digest(self.name, self.message, deployment)))

    def verified(self, deployment: Deployment) -> "Statement":
        """This statement, its signatures checked: routes do so before they take the writers' turn, so that junk costs
        nobody a wait. Raises RuleError `intent_signature_invalid`.
        """
        for field, signature in zip(INTENTS[self.name].signers, self.raw_signatures(), strict=True):
            check_signature(self.name, self.message, deployment, self.message[field], signature)
        return self

    def raw_signatures(self) -> list[bytes]:
        """The signatures as bytes."""
        return [from_hex(signature, 65, "signature") for signature in self.signatures]


def check_statement(statement: Statement, deployment: Deployment, now: int) -> None:
    """Refuse what its signers did not sign, or signed for another time, in the ledger's own words.

    Raises:
        RuleError: `intent_signature_invalid`: a signature is not its signer's, for this chain and contract;
            `intent_expired`.
    """
    statement.verified(deployment)
    require_in_time(statement.message, now)


def check_signature(
    name: str, message: Mapping[str, Any], deployment: Deployment, signer: str, signature: bytes
) -> None:
    """Refuse what `signer` did not sign. Raises RuleError `intent_signature_invalid`."""
    try:
        verify_intent(name, message, deployment, signer, signature)
    except InvalidSignature as error:
        raise refuse("IntentBatchSignatureInvalid", signer=signer) from error


def is_under_way(session: Session, digest: str) -> bool:
    """Whether this very intent is queued or mined already, so that saying it again must change nothing."""
    try:
        return bool(intent_status(session, digest)["status"] != "refused")
    except NotFoundError:
        return False


def queue(
    session: Session, *, contract: str, verb: str, arguments: Sequence[Any], digest: str, by: str, now: int
) -> Digest:
    """Queue a call in the transaction of `session` and return the intent's digest."""
    queue_intent(
        session, contract=contract, verb=verb, arguments=arguments, digest=from_hex(digest, 32), by=by, now=now
    )
    announce(session, LEDGER)
    return Digest(digest)


def remember(session: Session, statement: Statement, subject: str) -> None:
    """Keep a statement of one signer for those who check it themselves later; `subject` is the id that it is about."""
    row = SignedStatement(
        name=statement.name, subject=subject, message=dict(statement.message), signature=statement.signatures[0]
    )
    session.merge(row)


def recall(session: Session, name: str, subject: str) -> SignedStatement:
    """A kept statement. Raises NotFoundError `statement_unknown`."""
    row = session.get(SignedStatement, (name, subject))
    if row is None:
        raise NotFoundError("statement_unknown", f"the signed {name} of {subject} is not here", zh="没有该签署记录")
    return row
