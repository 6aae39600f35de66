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
from marketplace.errors import NotFoundError, RuleError
from marketplace.evidence.inbox.naming import KIND_OF, require_free
from marketplace.evidence.tables import SignedStatement
from marketplace.intents import INTENTS, Deployment, intent_digest, recover_intent
from marketplace.ledger.intake import intent_status, queue_intent
from marketplace.refusals import refuse
from marketplace.refusals.checks import require_in_time
from marketplace.types import Digest
from marketplace.web.context import announce

_ALONE = ("Join",)  # whoever asks to join has no keys but its own address yet
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
        """This statement, its signatures' form checked: routes do so before they take the writers' turn. Whether the
        key may sign for the account is asked where the call is tried (`precheck`). Raises RuleError
        `intent_signature_invalid`.
        """
        for field, signature in zip(INTENTS[self.name].signers, self.raw_signatures(), strict=True):
            alone = self.name in _ALONE or field in INTENTS[self.name].alone
            check_signature(self.name, self.message, deployment, self.message[field], signature, alone=alone)
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
    name: str, message: Mapping[str, Any], deployment: Deployment, signer: str, signature: bytes, *, alone: bool
) -> None:
    """Refuse what no key signed, or another one than `signer` where that has to sign itself.

    Raises:
        RuleError: `intent_signature_invalid`.
    """
    try:
        key = recover_intent(name, message, deployment, signature)
    except InvalidSignature as error:
        raise refuse("IntentBatchSignatureInvalid", signer=signer) from error
    if alone and key != signer:
        raise refuse("IntentBatchSignatureInvalid", signer=signer)


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


def remember(session: Session, deployment: Deployment, statement: Statement, subject: str) -> None:
    """Keep a statement of one signer for those who check it themselves later; `subject` is the id that it is about.

    What is kept must be what the ledger took: vaults read the terms of an order in it. So there is one at a time.

    Raises:
        RuleError: `statement_under_way`: another one is queued or mined; `identifier_taken`.
    """
    if statement.name in KIND_OF:
        require_free(session, KIND_OF[statement.name], subject)
    known = recalled(session, statement.name, subject)
    if known is not None and known != statement and is_under_way(session, known.digest(deployment)):
        raise RuleError(
            "statement_under_way",
            f"another {statement.name} about {subject} is on its way to the ledger",
            zh=f"关于 {subject} 的另一份 {statement.name} 正在提交账本",
            rule="evidence.one_statement_at_a_time",
            expected=known.digest(deployment),
            got=statement.digest(deployment),
            hint=f"see what becomes of it: GET /intents/{known.digest(deployment)}",
            hint_zh=f"请用 GET /intents/{known.digest(deployment)} 查询其结果",
        )
    row = SignedStatement(
        name=statement.name, subject=subject, message=dict(statement.message), signature=statement.signatures[0]
    )
    session.merge(row)


def recalled(session: Session, name: str, subject: str) -> Statement | None:
    """A kept statement, or None."""
    row = session.get(SignedStatement, (name, subject))
    return Statement(name, row.message, (row.signature,)) if row is not None else None


def recall(session: Session, name: str, subject: str) -> SignedStatement:
    """A kept statement. Raises NotFoundError `statement_unknown`."""
    row = session.get(SignedStatement, (name, subject))
    if row is None:
        raise NotFoundError("statement_unknown", f"the signed {name} of {subject} is not here", zh="没有该签署记录")
    return row
