"""The way of a statement that needs nothing beside itself: checked, asked of the rules, and queued."""

from sqlmodel import Session

from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue
from marketplace.intents import INTENTS, Deployment, contract_of
from marketplace.types import Digest


def submit(session: Session, deployment: Deployment, said: Statement, verb: str, now: int) -> Digest:
    """Queue the verb that carries this one statement; the same statement again changes nothing.

    Args:
        said: the intent, of the contract that has `verb`; its first signer is who the call is noted for.
    Returns:
        the intent's digest.
    Raises:
        RuleError: `intent_signature_invalid`, `intent_expired`, or what the rules of the contract say.
    """
    name, intent = said.digest(deployment), INTENTS[said.name]
    contract = contract_of(said.name, said.message)
    if is_under_way(session, name):
        return name
    check_statement(said, deployment, now)
    arguments = [dict(said.message), *said.signatures]
    precheck.run(session, contract, verb, arguments, now)
    by = said.message[intent.signers[0]]
    return queue(session, contract=contract, verb=verb, arguments=arguments, digest=name, by=by, now=now)
