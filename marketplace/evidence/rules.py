"""Anchors of the event log: contracts/src/Evidence.sol in Python."""

from dataclasses import dataclass

from marketplace.events import Event
from marketplace.participants.rules import Participants
from marketplace.refusals import refuse
from marketplace.refusals.checks import Message, require_in_time
from marketplace.types import ZERO_DIGEST, Role


@dataclass
class Anchors:
    """The state of the contract: size (leaves) and root of the log at the last anchor; zero before the first."""

    size: int = 0
    root: str = ZERO_DIGEST


def anchor(state: Anchors, participants: Participants, statement: Message, now: int) -> list[Event]:
    """Pin the root of the log.

    Args:
        statement: the intent Anchor, signed by the exchange.
        now: the block's time, unix seconds.
    Raises:
        RuleError: any of the checks below, in their order; the state is then unchanged.
    """
    require_in_time(statement, now)
    participants.require_active(statement["exchange"], Role.EXCHANGE)
    if statement["size"] <= state.size:
        raise refuse("EvidenceSize", last=state.size, got=statement["size"])
    if statement["previousRoot"] != state.root:
        raise refuse("EvidencePreviousRoot", expected=state.root, got=statement["previousRoot"])
    if statement["root"] == ZERO_DIGEST:
        raise refuse("EvidenceRootZero")

    state.size, state.root = statement["size"], statement["root"]
    return [Event("Evidence", "Anchored", {name: statement[name] for name in ("size", "root", "previousRoot")})]
