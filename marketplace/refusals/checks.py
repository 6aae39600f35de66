"""The checks that every verb shares, as in contracts/src/IntentBatch.sol. Signatures are checked by the caller."""

from collections.abc import Mapping
from typing import Any

from marketplace.refusals import refuse

Message = Mapping[str, Any]  # one intent, as in marketplace.intents


def require_in_time(intent: Message, now: int) -> None:
    """The block's time `now` (unix seconds) is not past the intent's deadline."""
    if now > intent["deadline"]:
        raise refuse("IntentBatchExpired", deadline=intent["deadline"], time=now)


def require_version(current: int, intent: Message) -> None:
    """The intent is for the version that the record has now; this is what makes replay impossible."""
    if intent["version"] != current:
        raise refuse("IntentBatchStale", current=current, stated=intent["version"])
