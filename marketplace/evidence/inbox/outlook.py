"""What could be done now: the rules of the ledger asked over the read model, where nothing was signed.

A listing stands on the ledger until somebody ends it; whether it can be ordered depends on titles, consents and assets
that change without it. So it is asked when somebody looks, of the very rules that an order would meet.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlmodel import Session

from marketplace.errors import RuleError
from marketplace.evidence.inbox.loading import load_state
from marketplace.lineage.rules import Consent
from marketplace.listings.rules import require_live
from marketplace.participants.service.keyring import ledger_time
from marketplace.refusals import refuse
from marketplace.replay import LedgerState

LEAST_BUDGET = 1
"""What any order sets aside of the privacy budget, in millionths."""
Asked = TypeVar("Asked")
Input = tuple[str, str]
"""A product's asset and its input's."""


def why_not_sold(session: Session, listings: Sequence[str], now: int) -> dict[str, RuleError | None]:
    """By listing: why the ledger would refuse every order of it at `now`, None where it would take one.

    Asks the store a number of times that does not grow with the listings.
    """
    state, at = load_state(session, listings), ledger_time(session, now)

    def ask(listing: str) -> None:
        record = require_live(
            state.listings,
            listing,
            at,
            participants=state.participants,
            rights=state.rights,
            titles=state.titles,
            lineage=state.lineage,
        )
        state.rights.require_budget(record.asset_id, LEAST_BUDGET)
        state.titles.require_not_passing(record.title_id)

    return {listing: _refusal(ask, listing) for listing in listings}


def why_not_consented(session: Session, inputs: Sequence[Input], now: int) -> dict[Input, RuleError | None]:
    """By product and input that rests on a consent: why that consent lets nothing be sold at `now`, None where it does:
    missing, withdrawn, over, or its giver no longer operates the input.
    """
    state, at = load_state(session, [name for pair in inputs for name in pair]), ledger_time(session, now)

    def ask(pair: Input) -> None:
        _require_in_force(state, pair, state.lineage.require_given(*pair), at)

    return {pair: _refusal(ask, pair) for pair in inputs}


def told(why: RuleError | None) -> dict[str, str] | None:
    """A reason as readers get it: {"code", "message", "zh"}."""
    return None if why is None else {"code": why.code, "message": why.message, "zh": why.zh}


def _require_in_force(state: LedgerState, pair: Input, consent: Consent, now: int) -> None:
    asset, source = pair
    if now > consent.valid_until:
        raise refuse("LineageTerm", assetId=asset, inputId=source, validUntil=consent.valid_until, until=now)
    state.rights.require_confirmed(source, now)
    if state.titles.records[consent.title_id].holder != consent.by:
        raise refuse("TitlesNotHolder", titleId=consent.title_id, account=consent.by)
    state.titles.require_free(consent.title_id, now)


def _refusal(ask: Callable[[Asked], None], about: Asked) -> RuleError | None:
    try:
        ask(about)
    except RuleError as error:
        return error
    return None
