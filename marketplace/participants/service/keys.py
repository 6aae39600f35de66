"""Changes of keys, guardians and recoveries: statements come in, calls are queued."""

from collections.abc import Mapping

from sqlmodel import Session

from marketplace.calls import act_digest
from marketplace.evidence.inbox import Statement, is_under_way, precheck, queue
from marketplace.evidence.inbox.submitting import submit
from marketplace.intents import Deployment
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
    return submit(session, deployment, wish, VERB_OF[wish.name], now)


def complete_recovery(session: Session, deployment: Deployment, recovery: str, by: str, now: int) -> Digest:
    """Queue the end of a recovery whose notice is over. Anybody may ask. Raises RuleError as the rules say."""
    verb = "completeRecovery"
    name = act_digest(verb, [recovery], deployment.domain("Keys"))
    if is_under_way(session, name):
        return name
    precheck.run(session, "Keys", verb, [recovery], now)
    return queue(session, contract="Keys", verb=verb, arguments=[recovery], digest=name, by=by, now=now)
