"""Service levels: what one period of an order's calls was like, from the call records alone. Pure.

Only what has a record counts. That a gateway did not answer at all leaves none: the buyer says so in its answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from crypto.canonical import from_hex
from crypto.merkle import root
from marketplace.api.metering import Record, period_of
from marketplace.documents.api import ANSWERED, WHOLE_BPS, unsigned_digest


def figures_of(records: Sequence[Record], period: str, terms: Mapping[str, Any]) -> dict[str, Any] | None:
    """The figures of one period, or None if it has no record.

    Args:
        records: of one order, in order; those of other periods are passed over.
        period: its name (metering.period_of).
    Returns:
        the fields of a service record from "period" to "met". Quantiles are by nearest rank over answered calls, 0
        where there are none; availability is answered by all, rounded down.
    """
    delivery = terms["delivery"]
    of = [record for record in records if period_of(record["at"], delivery["period"]) == period]
    if not of:
        return None
    counts = {outcome: sum(record["outcome"] == outcome for record in of) for outcome in ("HIT", "MISS", "ERROR")}
    times = sorted(record["latencyMs"] for record in of if record["outcome"] in ANSWERED)
    p50, p95 = (_quantile(times, percent) for percent in (50, 95))
    availability = WHOLE_BPS * len(times) // len(of)
    return {
        "period": period,
        "first": of[0]["number"],
        "last": of[-1]["number"],
        "callsRoot": "0x" + root([from_hex(unsigned_digest(record)) for record in of]).hex(),
        "calls": len(of),
        "hits": counts["HIT"],
        "misses": counts["MISS"],
        "errors": counts["ERROR"],
        "timeouts": len(of) - sum(counts.values()),
        "records": sum(record["records"] for record in of),
        "p50Ms": p50,
        "p95Ms": p95,
        "availabilityBps": availability,
        "met": p95 <= delivery["latencyMs"] and availability >= delivery["availabilityBps"],
    }


def _quantile(times: Sequence[int], percent: int) -> int:
    return times[(len(times) * percent + 99) // 100 - 1] if times else 0
