"""Terms, records and vouchers of calls for tests, without a service."""

from typing import Any

from crypto.keystore import Keys
from marketplace.api.statements import sign
from marketplace.documents import Document, iso_time
from marketplace.intents import Deployment

ORDER, ZERO = "0x" + "0a" * 32, "0x" + "00" * 65
START = 1_790_000_000  # 2026-09-21 in China
OPERATIONS: list[Document] = [
    {"name": "flight", "kind": "LOOKUP", "keys": ["id"], "filters": [], "columns": ["origin", "delay"], "most": 10},
    {
        "name": "late",
        "kind": "PAGE",
        "keys": [],
        "filters": [{"column": "origin", "tests": ["EQ"]}, {"column": "delay", "tests": ["GE", "LE"]}],
        "columns": ["origin", "delay"],
        "most": 50,
    },
]


def delivery(**changes: Any) -> Document:
    """What terms say of calls."""
    levels: Document = {"qps": 5, "period": "MONTH", "quota": None, "latencyMs": 200, "timeoutSeconds": 5}
    return {"mode": "API", "operations": OPERATIONS, **levels, "availabilityBps": 9_900, **changes}


def terms(plan: Document, **changes: Any) -> Document:
    """As much of terms as metering reads."""
    return {"plan": plan, "delivery": delivery(**changes), "fields": []}


def record(number: int, **changes: Any) -> Document:
    """A record, unsigned."""
    made: Document = {"type": "call_record", "version": 1, "order": ORDER, "number": number, "operation": "flight"}
    made |= {"request": f"0x{number:064x}", "response": "0x" + "22" * 32, "outcome": "HIT", "records": 1}
    made |= {"latencyMs": 10, "at": iso_time(START + number), "seller": "0x" + "05" * 20, "signature": ZERO}
    made |= changes
    return made if made["outcome"] == "HIT" else made | {"records": 0}


def signed(number: int, seller: Keys, deployment: Deployment, **changes: Any) -> Document:
    """A record that `seller` signed."""
    body = {name: item for name, item in record(number, **changes).items() if name != "signature"}
    return sign({**body, "seller": seller.address}, deployment, seller.signing_key)
