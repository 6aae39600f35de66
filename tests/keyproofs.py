"""Signed changes of accounts' keys, as the ledger's journal has them."""

from dataclasses import dataclass, field
from typing import Any

from crypto.canonical import to_hex
from crypto.keystore import Keys
from marketplace.calls import encode_call
from marketplace.intents import INTENTS, sign_intent
from marketplace.participants.keys import ALL_ACTS, recovery_id
from marketplace.participants.proofs import KeyProof, Step
from marketplace.types import NO_LIMIT, ZERO_DIGEST
from tests.sealed_market import DEPLOYMENT, LATER, NOW


@dataclass
class Journal:
    """The calls of Keys so far, one second apart.

    Args:
        at: time of the next call's block, unix seconds.
    """

    at: int = NOW - 1_000
    steps: list[Step] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)

    def proof(self, **times: int) -> KeyProof:
        """All of it."""
        return KeyProof(tuple(self.steps), times)

    def add(self, account: str, by: Keys, key: Keys, acts: int = ALL_ACTS, limit: int = NO_LIMIT) -> None:
        """AddKey."""
        message = {"key": key.address, "acts": int(acts), "limit": limit, "validUntil": NO_LIMIT}
        message |= {"personDigest": ZERO_DIGEST, "by": by.address}
        self._say("addKey", "AddKey", account, message, by, key)

    def end(self, account: str, by: Keys, key: Keys) -> None:
        """EndKey."""
        message = {"key": key.address, "reasonDigest": ZERO_DIGEST, "by": by.address}
        self._say("endKey", "EndKey", account, message, by)

    def rotate(self, account: str, old: Keys, new: Keys) -> None:
        """RotateKey."""
        self._say("rotateKey", "RotateKey", account, {"oldKey": old.address, "newKey": new.address}, old, new)

    def name_guardians(self, account: str, by: Keys, guardians: list[Keys], threshold: int) -> None:
        """SetGuardians, with a notice of one day."""
        message = {"guardians": [item.address for item in guardians], "threshold": threshold, "delay": 86_400}
        self._say("setGuardians", "SetGuardians", account, message | {"by": by.address}, by)

    def approve(self, account: str, guardian: str, signer: Keys, new: Keys) -> str:
        """Recover; returns the recovery's id."""
        message = {"newKey": new.address, "reasonDigest": ZERO_DIGEST, "by": guardian}
        version = self.versions.get(account, 0)
        self._say("recover", "Recover", account, message, signer, new)
        self.versions[account] = version
        return recovery_id(account, new.address, version)

    def veto(self, account: str, by: Keys, recovery: str) -> None:
        """Veto."""
        self._say("veto", "Veto", account, {"recoveryId": recovery, "by": by.address}, by)

    def complete(self, account: str, recovery: str) -> None:
        """CompleteRecovery, which nobody signs."""
        self._take("completeRecovery", [recovery])
        self.versions[account] = self.versions.get(account, 0) + 1

    def _say(self, verb: str, intent: str, account: str, fields: dict[str, Any], *signers: Keys) -> None:
        version = self.versions.get(account, 0)
        given = fields | {"account": account, "version": version, "deadline": LATER}
        message = {name: given[name] for name, _ in INTENTS[intent].fields}
        signatures = [to_hex(sign_intent(intent, message, DEPLOYMENT, item.signing_key)) for item in signers]
        self._take(verb, [message, *signatures])
        self.versions[account] = version + 1

    def _take(self, verb: str, arguments: list[Any]) -> None:
        self.steps.append(Step(encode_call("Keys", verb, arguments), self.at))
        self.at += 1
