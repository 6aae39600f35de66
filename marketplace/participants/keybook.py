"""The one question off the ledger: is this an account's signature, of a key that signed for it at that time?

A book has one span of time for every key that it knows of, ended ones too. Where it comes from is its maker's matter:
the service and the auditor have the ledger's own rows, whoever does not read the ledger has key proofs
(participants/proofs.py).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from crypto.errors import CryptoError
from marketplace.intents import INTENTS, Deployment, recover_intent
from marketplace.participants.keys import OWN_ADDRESS, Key, require_act
from marketplace.refusals import refuse

SECOND = 1
"""Grace for what a block took: its time is in whole seconds, and a key may end in the very block that it signed for."""
AHEAD_SECONDS = 3600
"""So far blocks' times may be ahead of clocks, that of the log among them: each block is a second after the last."""


@dataclass(frozen=True)
class KeyBook:
    """What signs for accounts; one of which nothing is known has one key, its own address.

    Args:
        deployment: chain and contracts that signatures are bound to.
        spans: (account, key) to what the key may sign, and from when to when.
        time: of the newest block that the book knows of, unix seconds; keys begin and end in blocks, and their time may
            be ahead of a verifier's clock.
    """

    deployment: Deployment
    spans: Mapping[tuple[str, str], Key] = field(default_factory=dict)
    time: int = 0

    def span(self, account: str, key: str) -> Key:
        """What `key` may or might sign for `account`, and from when to when; an empty Key for no key of it."""
        return self.spans.get((account, key)) or (OWN_ADDRESS if key == account else Key())

    def keys_at(self, account: str, now: int, act: int = 0) -> list[str]:
        """The keys that sign for an account at `now` (unix seconds) and may do `act` (bits of Act), oldest first."""
        known = {key: span for (owner, key), span in self.spans.items() if owner == account}
        known.setdefault(account, OWN_ADDRESS)
        live = [key for key, span in known.items() if span.is_live(max(now, self.time)) and span.acts & act == act]
        return sorted(live, key=lambda key: (known[key].valid_from, key))

    def require(
        self,
        name: str,
        message: Mapping[str, Any],
        account: str,
        signature: bytes,
        at: int,
        *,
        grace: int = 0,
        early: int = 0,
    ) -> str:
        """Check that a key of `account` signed the intent `name`, and might at `at`; returns that key.

        Args:
            at: unix seconds.
            grace: seconds for which a signature outlives its key.
            early: seconds by which `at` may be before the key's beginning, where it was read from another clock.
        Raises:
            RuleError: `intent_signature_invalid`, `act_not_permitted`, `act_over_limit`.
        """
        try:
            key = recover_intent(name, message, self.deployment, signature)
        except CryptoError as error:
            raise refuse("IntentBatchSignatureInvalid", signer=account) from error
        held, intent = self.span(account, key), INTENTS[name]
        if not held.is_live(max(at, min(held.valid_from, at + early)), grace):
            raise refuse("IntentBatchSignatureInvalid", signer=account)
        require_act(held, account, key, intent.act, message[intent.amount] if intent.amount else 0)
        return key

    def require_now(self, name: str, message: Mapping[str, Any], account: str, signature: bytes, now: int) -> str:
        """As `require`, of a key that signs at `now`, or in the newest block if that is later. No grace: who is asked
        to give something for a signature wants a key that has not ended."""
        return self.require(name, message, account, signature, max(now, self.time))


def spans_of(rows: Collection[Mapping[str, Any]]) -> dict[tuple[str, str], Key]:
    """Spans from rows of the read model as JSON: account, key, acts, limitFen, validFrom, validUntil."""
    return {
        (row["account"], row["key"]): Key(row["acts"], row["limitFen"], row["validFrom"], row["validUntil"])
        for row in rows
    }
