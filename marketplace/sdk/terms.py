"""Terms that rest on another: of an offer on its asset's registration."""

from marketplace.documents import iso_time
from marketplace.errors import RuleError
from marketplace.rulebooks.calendar import Duration
from marketplace.words import at_most

DAY = 86_400


def end_within(now: int, term: Duration, latest: int) -> int:
    """When a term that begins now ends, unix seconds. It is given as asked or refused, never shortened.

    Args:
        latest: until when the registration stands; 0 before the first.
    Raises:
        RuleError: `term_beyond_registration`.
    """
    left, end = latest - now, term.after(now)
    if not latest or end <= latest:
        return end
    most = f"{left // DAY}d" if left >= DAY else f"{max(left, 0)}s"
    raise RuleError(
        "term_beyond_registration",
        f"the term would end at {iso_time(end)}, after the registration ends at {iso_time(latest)}",
        zh=f"期限将至 {iso_time(end)}，晚于登记有效期 {iso_time(latest)}",
        rule="listings.term_within_the_asset",
        expected=at_most(most),
        got=str(term),
        hint=f"give --term {most} or less, or have the registration renewed first",
        hint_zh=f"请以 --term {most} 或更短期限办理，或先续期登记",
    )
