"""`marketplace api` and the gateway as they are typed, from the offer to the closed order."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.csv as arrow_csv
import pytest

from crypto import keystore
from marketplace.api.metering import period_of
from marketplace.cli import main
from marketplace.documents import iso_time
from marketplace.gateway.desk import Desk
from marketplace.gateway.serving import Address, work
from marketplace.gateway.standing import Standings
from marketplace.gateway.table import read_table
from marketplace.sdk import api, orders, settlement
from marketplace.sdk.client import Client
from marketplace.sdk.home import Home
from marketplace.sdk.home.files import write_private
from marketplace.types import OrderStatus
from tests.integration.service.calling import rows
from tests.integration.service.town import Town, free_port

PASSWORD = "a long password"
TERMS = """
purposes = ["transport"]
regions = ["CN"]
fields = ["origin", "delay"]
[service]
qps = 100
period = "MONTH"
quota = 9999
latencyMs = 500
timeoutSeconds = 5
availabilityBps = 9900
[plan]
mode = "PER_RECORD"
scheme = "GRADUATED"
tiers = [{ upTo = 3, unitPrice = 50 }, { unitPrice = 10 }]
[[operations]]
name = "flight"
kind = "LOOKUP"
keys = ["id"]
columns = ["origin", "delay"]
most = 10
[[operations]]
name = "late"
kind = "PAGE"
filters = [{ column = "delay", tests = ["GE", "LE"] }]
columns = ["delay"]
most = 50
"""
Typed = Callable[..., Any]


@pytest.fixture
def typed(town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Runs a command as a party and gives what it prints for programs."""
    monkeypatch.setenv("MARKETPLACE_PASSWORD", PASSWORD)
    monkeypatch.setattr("marketplace.sdk.opening.close_process", lambda: None)
    for name in ("supplier", "buyer"):
        sealed = keystore.encrypt(town[name].keys, PASSWORD, keystore.MIN_WORK_FACTOR)
        write_private(tmp_path / name / "keystore.json", json.dumps(sealed).encode())

    def run(name: str, *words: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert main(["--json", "--home", str(tmp_path / name), "--url", town.url, *words]) == code
        told = capsys.readouterr()
        return json.loads(told.out or told.err.splitlines()[-1])

    return run


@pytest.fixture
def gateway(town: Town, tmp_path: Path) -> Iterator[Callable[[str], Desk]]:
    """Starts what `gateway run` starts, on the table of a file; stops it at the end."""
    stop, started = threading.Event(), list[threading.Thread]()
    client = Client(town.url, town["supplier"].keys, home=Home(tmp_path / "supplier"))

    def begin(listing: str) -> Desk:
        arrow_csv.write_csv(rows(), tmp_path / "rows.csv")
        operations = client.get(f"/listings/{listing}")["terms"]["delivery"]["operations"]
        store = api.store_of(client)
        desk = Desk(Standings(client, listing), read_table(tmp_path / "rows.csv", operations), store)
        port = free_port()
        address = Address("127.0.0.1", port, f"http://127.0.0.1:{port}")
        thread = threading.Thread(target=work, args=(desk, address, stop, lambda *_: None, 0.2))
        thread.start()
        started.append(thread)
        while not town.leaves("api.gateway") or town.leaves("api.gateway")[-1]["listing"] != listing:
            time.sleep(0.05)
        return desk

    yield begin
    stop.set()
    for thread in started:
        thread.join(20)
        assert not thread.is_alive()
    client.close()


def test_from_offer_to_payment(
    town: Town, tmp_path: Path, typed: Typed, gateway: Callable[[str], Desk], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "terms.toml").write_text(TERMS, "utf-8")
    listing = typed("supplier", "api", "offer", town.facts["asset"], str(tmp_path / "terms.toml"))["listingId"]
    gateway(listing)
    settlement.issue(town["bank"], town["buyer"].address, 900)
    ordered = typed("buyer", "api", "order", listing, "--escrow", "9.00", "--purpose", "transport", "--region", "CN-SH")
    order = ordered["orderId"]

    assert typed("buyer", "api", "credential", order)["expiresAt"] > time.time()
    found = typed("buyer", "api", "call", order, "flight", "--where", "id=F0001")
    assert (found["columns"], found["rows"]) == (["origin", "delay"], [["LGA", 34], ["EWR", 71]])
    page = typed("buyer", "api", "call", order, "late", "--where", "delay>=60", "--where", "delay<=70", "--limit", "3")
    assert [60 <= row[0] <= 70 for row in page["rows"]] == [True] * 3
    assert typed("buyer", "api", "call", order, "late", "--where", "delay", code=2)["code"] == "condition_unreadable"
    assert typed("buyer", "api", "call", order, "all", code=3)["code"] == "operation_unknown"
    paid = typed("buyer", "api", "pay", order)["voucher"]
    assert (paid["calls"], paid["amount"]) == (2, 3 * 50 + 2 * 10)
    assert [item["records"] for item in typed("buyer", "api", "records", order)] == [2, 3]
    assert typed("buyer", "api", "sync", order)["calls"] == 2

    assert main(["--home", str(tmp_path / "buyer"), "--url", town.url, "api", "call", order, "flight"]) == 2
    assert main(["--home", str(tmp_path / "buyer"), "--url", town.url, "api", "metered", order]) == 0
    assert "1.70" in capsys.readouterr().out
    assert typed("supplier", "api", "hand-in", order)["due"] == 170
    closed = typed("supplier", "settlement", "close", order)
    assert closed["statement"]["sum"] == 900
    stated = typed("supplier", "api", "sla", order, "--state")["figures"]
    assert (stated["calls"], stated["met"]) == (2, True)
    seen = typed("buyer", "api", "sla", order)
    assert {name: seen["figures"][name] for name in ("calls", "p95Ms")} == {"calls": 2, "p95Ms": stated["p95Ms"]}
    assert len(seen["seenMs"]) == 2
    assert typed("buyer", "api", "sla", order, "--accept", "--state", code=2)["code"] == "service_one_act"
    assert typed("buyer", "api", "sla", order, "--accept")["accepted"]

    row = orders.get(town["buyer"], order)
    assert (row["status"], row["amount"], row["calls"]) == (OrderStatus.SETTLED, 170, 2)
    month = period_of(iso_time(int(time.time())), "MONTH")
    bill = typed("buyer", "vouchers", "show", order)
    assert bill["delivery"]["mode"] == "API"
    invoice = typed("buyer", "invoices", "show", "--seller", town["supplier"].address, "--period", month)
    lines = [line for line in invoice["lines"] if line["order"] == order]
    assert [(item["code"], item["units"], item["amount"]) for item in lines[0]["bill"]] == [
        ("record", 3, 150),
        ("record", 2, 20),
    ]
