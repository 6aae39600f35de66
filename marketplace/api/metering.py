"""What an order's calls come to: counted from the call records alone, by both sides, the service and the auditor alike.

Voucher n states the number of all records so far, answered or failed, the RFC 6962 root over their digests, and what
the plan asks for those that were answered. So the voucher is the buyer's receipt for every record under that root.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crypto.canonical import from_hex, to_hex
from crypto.merkle import Frontier, leaf_hash
from marketplace.documents import unix_seconds
from marketplace.documents.api import ANSWERED, unsigned_digest
from marketplace.errors import RuleError
from marketplace.pricing import Bill, Usage, bill_calls, plan_of
from marketplace.words import at_most

CHINA = timedelta(hours=8)
NEARLY_PERCENT = 90  # of a quota: both sides are told
Record = Mapping[str, Any]


def period_of(moment: str, kind: str) -> str:
    """The name of the calendar period, in China, that a document's time falls into: "2026-11-27", "2026-W48",
    "2026-11", "2026-Q4" or "2026"."""
    local = datetime.fromtimestamp(unix_seconds(moment), UTC) + CHINA
    year, week, _ = local.isocalendar()
    return {
        "DAY": f"{local:%Y-%m-%d}",
        "WEEK": f"{year:04d}-W{week:02d}",
        "MONTH": f"{local:%Y-%m}",
        "QUARTER": f"{local:%Y}-Q{(local.month + 2) // 3}",
        "YEAR": f"{local:%Y}",
    }[kind]


def period_end(now: int, kind: str) -> int:
    """Unix seconds at which the calendar period of `now` is over."""
    local = datetime.fromtimestamp(now, UTC) + CHINA
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    months = {"MONTH": 1, "QUARTER": 3 - (day.month - 1) % 3, "YEAR": 13 - day.month}
    if kind == "DAY":
        end = day + timedelta(days=1)
    elif kind == "WEEK":
        end = day + timedelta(days=7 - day.weekday())
    else:
        month = day.month - 1 + months[kind]
        end = day.replace(year=day.year + month // 12, month=month % 12 + 1, day=1)
    return int((end - CHINA).timestamp())


@dataclass
class Meter:
    """An order's calls so far.

    Args:
        kind: of the terms' periods.
        calls: the records' digests. usages: answered calls by period. last: time of the last record.
    """

    kind: str
    calls: Frontier = field(default_factory=Frontier)
    usages: dict[str, Usage] = field(default_factory=dict)
    last: str = ""

    @property
    def size(self) -> int:
        """How many records there are."""
        return self.calls.size

    @property
    def root(self) -> str:
        """What a voucher's `callsRoot` has to be, "0x" hex."""
        return to_hex(self.calls.root())

    def take(self, record: Record) -> None:
        """Enter the next record.

        Raises:
            RuleError: `call_record_order`: it is not the next one, or says that it is from before the last one.
        """
        if record["number"] != self.size + 1 or record["at"] < self.last:
            raise _out_of_order(self, record)
        self.calls.append(leaf_hash(from_hex(unsigned_digest(record))))
        self.last = record["at"]
        if record["outcome"] in ANSWERED:
            period = period_of(record["at"], self.kind)
            used = self.usages.get(period, Usage())
            self.usages[period] = replace(
                used,
                calls=used.calls + 1,
                hits=used.hits + (record["outcome"] == "HIT"),
                records=used.records + record["records"],
            )

    def with_call(self, moment: str, records: int) -> dict[str, Usage]:
        """Usage as it would be after one more call that finds `records`."""
        period = period_of(moment, self.kind)
        used = self.usages.get(period, Usage())
        more = replace(used, calls=used.calls + 1, hits=used.hits + bool(records), records=used.records + records)
        return {**self.usages, period: more}

    def bill(self, terms: Mapping[str, Any], purpose: str) -> Bill:
        """What is due for the calls so far. Raises RuleError `quota_exhausted`."""
        return bill_calls(plan_of(terms), self.usages, purpose)

    def as_json(self) -> dict[str, Any]:
        """What `meter_from` takes back."""
        return {
            "kind": self.kind,
            "size": self.size,
            "hashes": [to_hex(item) for item in self.calls.hashes],
            "usages": {period: [used.calls, used.hits, used.records] for period, used in self.usages.items()},
            "last": self.last,
        }


def meter_from(value: Mapping[str, Any]) -> Meter:
    """The meter that gave `as_json`."""
    calls = Frontier(value["size"], [from_hex(item, 32) for item in value["hashes"]])
    usages = {period: Usage(*counts) for period, counts in value["usages"].items()}
    return Meter(value["kind"], calls, usages, value["last"])


def meter_of(terms: Mapping[str, Any], records: Iterable[Record] = ()) -> Meter:
    """The meter of an order after these records."""
    meter = Meter(terms["delivery"]["period"])
    for record in records:
        meter.take(record)
    return meter


def nearly_used(before: Mapping[str, Usage], after: Mapping[str, Usage], quota: int | None) -> list[str]:
    """The periods in which NEARLY_PERCENT of the quota came to be used between `before` and `after`.

    Args:
        before, after: usages by period. quota: answered calls of one period; None for no limit.
    """
    if quota is None:
        return []

    def is_near(usages: Mapping[str, Usage], period: str) -> bool:
        used = usages.get(period)
        return used is not None and used.calls * 100 >= quota * NEARLY_PERCENT

    return [period for period in after if is_near(after, period) and not is_near(before, period)]


def voucher_due(order: str, meter: Meter, terms: Mapping[str, Any], purpose: str) -> dict[str, Any]:
    """The Voucher message that covers exactly the calls so far; privacy budget is never spent by calls."""
    amount = meter.bill(terms, purpose).total
    return {"orderId": order, "amount": amount, "epsilon": 0, "calls": meter.size, "callsRoot": meter.root}


def check_voucher(voucher: Mapping[str, Any], due: Mapping[str, Any], escrow: int) -> None:
    """Refuse a Voucher message that is not the one that is due: a lower, an earlier or a wrong one.

    Raises:
        RuleError: `calls_voucher_differs`, `calls_over_escrow`.
    """
    if dict(voucher) != dict(due):
        raise RuleError(
            "calls_voucher_differs",
            "the voucher is not the one for exactly the calls so far",
            zh="凭证与迄今全部调用记录不符",
            rule="api.voucher_covers_the_calls",
            expected=dict(due),
            got=dict(voucher),
            hint="compute it again from the call records that you hold: marketplace api sync ORDER",
            hint_zh="请按所持调用记录重新计算：marketplace api sync ORDER",
        )
    if voucher["amount"] > escrow:
        raise _over_escrow(escrow, int(voucher["amount"]))


def require_within_escrow(meter: Meter, moment: str, most: int, tariff: tuple[Mapping[str, Any], str, int]) -> None:
    """Refuse a call that the escrow might not pay for.

    Args:
        moment: a document's time. most: records that it can return.
        tariff: the order's terms, purpose and escrow.
    Raises:
        RuleError: `calls_over_escrow`, `quota_exhausted`.
    """
    terms, purpose, escrow = tariff
    costs = [bill_calls(plan_of(terms), meter.with_call(moment, count), purpose).total for count in (0, most)]
    if max(costs) > escrow:
        raise _over_escrow(escrow, max(costs))


def _over_escrow(escrow: int, due: int) -> RuleError:
    return RuleError(
        "calls_over_escrow",
        f"with this call {due} fen could be due; the order has {escrow} in escrow",
        zh=f"本次调用后应付款最多 {due} 分，订单托管 {escrow} 分",
        rule="api.escrow_covers_the_calls",
        expected=at_most(escrow),
        got=due,
        hint="ask for fewer records in one call, or fund another order",
        hint_zh="请减少单次返回的记录数，或另下订单",
    )


def _out_of_order(meter: Meter, record: Record) -> RuleError:
    return RuleError(
        "call_record_order",
        "the call records do not follow one another",
        zh="调用记录不连续",
        rule="api.records_follow_one_another",
        expected=[meter.size + 1, meter.last],
        got=[record["number"], record["at"]],
        hint="hand in every record once, from the first that is missing",
        hint_zh="请自首个缺失记录起依次提交",
    )
