"""The town's data set on offer call by call, and the supplier's gateway at work on a loopback socket."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from marketplace.documents import Document
from marketplace.gateway.desk import Desk
from marketplace.gateway.serving import Address, listening
from marketplace.gateway.standing import Standings
from marketplace.gateway.table import Table
from marketplace.sdk import api, settlement
from marketplace.sdk.home.call_store import CallStore
from marketplace.types import ZERO_DIGEST
from tests.integration.service.town import YEAR, Town, free_port

ESCROW = 900
PER_HIT: Document = {"mode": "PER_HIT", "scheme": "GRADUATED"}
PER_HIT |= {"tiers": [{"upTo": 2, "unitPrice": 30}, {"upTo": None, "unitPrice": 20}]}
COMMON = {"rulebook": "cn-2025.1", "publicData": None}
LEVELS: dict[str, Any] = {"qps": 1000, "period": "MONTH", "quota": None}
LEVELS |= {"latencyMs": 500, "timeoutSeconds": 5, "availabilityBps": 9900}
OPERATIONS: list[Document] = [
    {
        "name": "flight",
        "kind": "LOOKUP",
        "keys": ["id"],
        "filters": [],
        "columns": ["origin", "carrier", "delay"],
        "most": 10,
    },
    {
        "name": "late",
        "kind": "PAGE",
        "keys": [],
        "filters": [{"column": "origin", "tests": ["EQ"]}, {"column": "delay", "tests": ["GE", "LE"]}],
        "columns": ["origin", "delay"],
        "most": 50,
    },
]


def api_terms(**changes: Any) -> Document:
    """What the terms say of the calls."""
    return {"mode": "API", "operations": OPERATIONS, **LEVELS, **changes}


def offer_calls(town: Town, plan: Mapping[str, Any] = PER_HIT, **changes: Any) -> str:
    """List the data set call by call under this plan; returns the listing's id."""
    found = town.list_product(
        town.facts["asset"],
        computations=[],
        price=None,
        plan={**plan, **COMMON},
        delivery=api_terms(**changes),
        term_end=_BEGUN + YEAR // 3 - next(_NUMBERS),
    )
    return str(found)


_BEGUN, _NUMBERS = int(time.time()), iter(range(1, 10_000))  # make each listing another one


def order_calls(
    town: Town,
    listing: str,
    buyer: str = "buyer",
    escrow: int = ESCROW,
    seconds: int = 20 * 86_400,
    *,
    under: str = ZERO_DIGEST,
) -> str:
    """Order it, with money for it; returns the order's id."""
    settlement.issue(town["bank"], town[buyer].address, escrow)
    until = int(time.time()) + seconds
    wish: dict[str, Any] = {"escrow": escrow, "purpose": "TRANSPORT", "region": "CN-SH", "valid_until": until}
    found = api.order(town[buyer], listing, **wish, agreement_id=under)
    return str(found["orderId"])


def rows() -> pa.Table:
    """Five flights to a number, two numbers each twice."""
    count = 400
    return pa.table(
        {
            "id": [f"F{index // 2 if index < 4 else index:04d}" for index in range(count)],
            "origin": [("EWR", "JFK", "LGA")[index % 3] for index in range(count)],
            "carrier": ["AA"] * count,
            "delay": [(index * 37) % 120 - 40 for index in range(count)],
            "secret": ["not on offer"] * count,
        }
    )


@contextmanager
def gateway(town: Town, listing: str, folder: Path, **changes: Any) -> Iterator[Desk]:
    """The supplier's gateway, serving; its address is published."""
    supplier = changes.pop("client", town["supplier"])
    store = CallStore(folder / "gateway.sqlite")
    changes = {"fresh_seconds": 0, **changes}
    told = {name: changes.pop(name) for name in ("fresh_seconds", "buyers") if name in changes}
    standings = Standings(supplier, listing, **told)
    operations = supplier.get(f"/listings/{listing}")["terms"]["delivery"]["operations"]
    desk = Desk(standings, Table(rows(), operations), store, **changes)
    port = free_port()
    with listening(desk, Address("127.0.0.1", port, f"http://127.0.0.1:{port}")):
        yield desk
    store.close()
