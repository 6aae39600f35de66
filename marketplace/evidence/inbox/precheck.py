"""Would the ledger refuse this call? The contracts' rules in Python, asked over the rows of the read model.

A yes today may be a no when the call is mined, because others act meanwhile; the contract has the last word. What this
spares people is waiting for a block to learn what is plain already, and it answers with the very words that the ledger
would use.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlmodel import Session

from marketplace.errors import RuleError
from marketplace.evidence.inbox.citing import rulebook_cited
from marketplace.evidence.inbox.loading import load_parties, load_state
from marketplace.intents import INTENTS, recover_intent
from marketplace.ledger.profile import ledger_profile
from marketplace.participants.keys import require_signer
from marketplace.participants.service.keyring import ledger_time, load_keys

_DECIDERS = ("registrar", "actor", "applicant")


def run(
    session: Session, contract: str, verb: str, arguments: Sequence[Any], now: int, *, only: str | None = None
) -> None:
    """Refuse what the ledger would refuse as things stand.

    Args:
        arguments: as in marketplace.calls, signatures too: whether their keys may sign this is asked here.
        now: unix seconds.
        only: the one account that has signed yet, of a call that several sign; None for all.
    Raises:
        RuleError: the ledger's own refusal.
    """
    whole_batch = verb in ("confirmBatch", "confirmOverdue")
    Trial(session, arguments, now, whole_batch=whole_batch).run(contract, verb, arguments, only=only)


class Trial:
    """Calls tried one after the other on what one reading loaded: each as if those that passed before it were mined.

    Args:
        arguments: of all the calls. now: unix seconds.
        whole_batch: whether they ask about everybody in a clearing batch.
    """

    def __init__(self, session: Session, arguments: Sequence[Any], now: int, *, whole_batch: bool = False) -> None:
        self._session, self._deployment = session, ledger_profile(session).deployment
        self._state = load_state(session, list(_texts(arguments)), whole_batch=whole_batch)
        messages = [message for message in arguments if isinstance(message, Mapping)]
        if deciders := {message[name] for message in messages for name in _DECIDERS if name in message}:
            load_parties(session, self._state, deciders)
        self._now = ledger_time(session, now)

    def run(self, contract: str, verb: str, arguments: Sequence[Any], *, only: str | None = None) -> None:
        """As the function `run`; a call that is refused changes nothing."""
        try:
            self._state.apply_signed(contract, verb, arguments, self._now, self._recover, only=only)
        except RuleError as refused:
            refused.rulebook = rulebook_cited(self._session, refused.rule, arguments) or refused.rulebook
            raise

    def _recover(self, name: str, message: Mapping[str, Any], signature: bytes) -> str:
        return recover_intent(name, message, self._deployment, signature)


def require_signed(session: Session, name: str, message: Mapping[str, Any], signature: bytes, now: int) -> None:
    """Refuse what the one signer of an intent has not signed by a key that may. `run` asks it too; this is for whoever
    has something to say before, that strangers are not told.

    Raises:
        RuleError: `intent_signature_invalid`, `act_not_permitted`, `act_over_limit`.
    """
    account = message[INTENTS[name].signers[0]]
    key = recover_intent(name, message, ledger_profile(session).deployment, signature)
    require_signer(load_keys(session, (account,)), name, message, account, key=key, now=ledger_time(session, now))


def _texts(value: Any) -> Iterator[str]:
    """Every text inside `value`."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
