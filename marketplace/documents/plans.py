"""Price plans: the part of a terms document, or of an agreement on a form, that says what a use costs.

mode          priced by                      members besides the common ones
FULL_SET      once, whatever is used         price
PER_PERIOD    period, with a quota of calls  period, price, quota (calls in each period; null: no limit), overage
                                             (fen for a call beyond the quota; null: such a call is refused)
PER_CALL      answered call                  scheme, tiers
PER_HIT       call that found something      scheme, tiers
PER_RECORD    delivered record               scheme, tiers
SUBSCRIPTION  period, calls without limit    period, scheme, tiers (over the number of periods)
FREE_TRIAL    nothing, once a buyer          calls (how many; the next one is refused)
NEGOTIATED    the agreement's own plan       none

Names as in the product manual of the Shanghai Data Exchange. Every plan has "rulebook" (the version of the rulebook in
marketplace/pricing) and "publicData": null, or what caps the income from public data. Money is in fen.
"""

from collections.abc import Mapping
from typing import Any, cast

from marketplace.documents.common import MONEY, PURPOSES, Document, checked, itself
from marketplace.documents.shapes import (
    Check,
    array,
    integer,
    matching,
    nullable,
    one_of,
    record,
    refuse,
)
from marketplace.words import Words

MODES = (
    *("FULL_SET", "PER_PERIOD", "PER_CALL", "PER_HIT", "PER_RECORD"),
    *("SUBSCRIPTION", "FREE_TRIAL", "NEGOTIATED"),
)
SCHEMES = ("GRADUATED", "VOLUME")
PERIODS = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
MAX_TIERS = 16
MAX_UNITS = 2**53 - 1

_TIER = record({"upTo": nullable(integer(1, MAX_UNITS)), "unitPrice": MONEY})
_TIERED: dict[str, Check] = {"scheme": one_of(SCHEMES), "tiers": array(_TIER, MAX_TIERS, 1)}
_OWN: dict[str, dict[str, Check]] = {
    "FULL_SET": {"price": MONEY},
    "PER_PERIOD": {
        "period": one_of(PERIODS),
        "price": MONEY,
        "quota": nullable(integer(1, MAX_UNITS)),
        "overage": nullable(MONEY),
    },
    "PER_CALL": _TIERED,
    "PER_HIT": _TIERED,
    "PER_RECORD": _TIERED,
    "SUBSCRIPTION": {"period": one_of(PERIODS), **_TIERED},
    "FREE_TRIAL": {"calls": integer(1, 1_000_000)},
    "NEGOTIATED": {},
}
_PUBLIC = record(
    {
        "operatingCost": MONEY,
        "subsidy": MONEY,
        "treasuryYieldBps": integer(0, 10_000),
        "marginBps": integer(0, 10_000),
        "tax": MONEY,
        "unitCeiling": nullable(MONEY),
        "freePurposes": array(one_of(PURPOSES), len(PURPOSES), 0, itself),
    }
)
_RULEBOOK = matching(
    "[a-z]{2}-[0-9]{4}\\.[0-9]{1,3}", Words("a rulebook's version such as cn-2025.1", "规则版本，如 cn-2025.1")
)


def plan_shape(value: object, path: str) -> None:
    """A check (see marketplace.documents.shapes) of one price plan."""
    mode = value.get("mode") if isinstance(value, dict) else None
    one_of(MODES)(mode, f"{path}.mode")
    common: dict[str, Check] = {"mode": one_of(MODES), "rulebook": _RULEBOOK, "publicData": nullable(_PUBLIC)}
    record({**common, **_OWN[str(mode)]})(value, path)
    plan = cast(Mapping[str, Any], value)
    if "tiers" in plan:
        _check_tiers(plan["tiers"], f"{path}.tiers")
    if plan.get("quota") is None and plan.get("overage") is not None:
        raise refuse(f"{path}.overage", Words("null where there is no quota", "无配额时为 null"), plan["overage"])


def _check_tiers(tiers: list[Mapping[str, Any]], path: str) -> None:
    """Tiers follow one another without gap: each ends beyond the one before, the last one never."""
    ends = [tier["upTo"] for tier in tiers]
    if ends[-1] is not None:
        raise refuse(
            f"{path}[{len(ends) - 1}].upTo", Words("null: the last tier has no end", "null：最后一档没有上限"), ends[-1]
        )
    before = 0
    for index, end in enumerate(ends[:-1]):
        if end is None or end <= before:
            raise refuse(f"{path}[{index}].upTo", Words(f"more than {before}", f"大于 {before}"), end)
        before = end


def validate_plan(value: object) -> Document:
    """A price plan by itself.

    Raises:
        InvalidInputError: `malformed_document`, with the path of the fault.
    """
    return checked(plan_shape, value, "plan")


def flat_plan(price: int) -> Document:
    """The plan that terms of version 1 mean: every answered call costs `price` fen."""
    tiers = [{"upTo": None, "unitPrice": price}]
    own = {"mode": "PER_CALL", "scheme": "GRADUATED", "tiers": tiers}
    return {**own, "rulebook": "cn-2025.1", "publicData": None}
