"""Changes of keys, guardians and recoveries: statements come in, calls are queued."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from crypto.canonical import from_hex, sha256, to_hex
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue
from marketplace.intents import INTENTS, Deployment
from marketplace.types import Digest

VERB_OF: Mapping[str, str] = {
    "AddKey": "addKey",
    "EndKey": "endKey",
    "RotateKey": "rotateKey",
    "SetGuardians": "setGuardians",
    "Recover": "recover",
    "Veto": "veto",
}


def change_keys(session: Session, deployment: Deployment, wish: Statement, now: int) -> Digest:
    """Queue a change of keys, guardians or a recovery.

    Args:
        wish: one of VERB_OF.
    Raises:
        RuleError: what the rules of keys say.
    """
    name = wish.digest(deployment)
    if is_under_way(session, name):
        return name
    check_statement(wish, deployment, now)
    arguments: Sequence[Any] = [dict(wish.message), *wish.signatures]
    precheck.run(session, "Keys", VERB_OF[wish.name], arguments, now)
    by = wish.message[INTENTS[wish.name].signers[0]]
    return queue(session, contract="Keys", verb=VERB_OF[wish.name], arguments=arguments, digest=name, by=by, now=now)


def complete_recovery(session: Session, deployment: Deployment, recovery: str, by: str, now: int) -> Digest:
    """Queue the end of a recovery whose notice is over. Anybody may ask. Raises RuleError as the rules say."""
    verb = "completeRecovery"
    name = Digest(to_hex(sha256(verb.encode() + deployment.domain("Keys") + from_hex(recovery, 32))))
    if is_under_way(session, name):
        return name
    precheck.run(session, "Keys", verb, [recovery], now)
    return queue(session, contract="Keys", verb=verb, arguments=[recovery], digest=name, by=by, now=now)
