"""Whenever gateway or caller is killed, both hold the same records, every call is paid once, and nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from marketplace.sdk import api, orders, settlement
from marketplace.sdk.home.call_store import CallStore
from marketplace.types import OrderStatus
from tests.integration.service.calling import COMMON, offer_calls, order_calls
from tests.integration.service.killing import CALLS
from tests.integration.service.town import Town

ROOT = Path(__file__).resolve().parents[3]
PRICE, ESCROW = 2, 5_000


@pytest.mark.timeout(600)
def test_killed_at_every_moment_of_a_call_on_either_side(town: Town, tmp_path: Path) -> None:
    tiers = [{"upTo": None, "unitPrice": PRICE}]
    listing = offer_calls(town, {"mode": "PER_CALL", "scheme": "GRADUATED", "tiers": tiers, **COMMON})
    order = order_calls(town, listing, escrow=ESCROW)
    command = [sys.executable, "-m", "tests.integration.service.killing", town.url, listing, order, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    rounds = [json.loads(line) for line in done.stdout.splitlines()]
    calls = 0
    for found in rounds:
        assert found["same"]
        assert not found["pending"]
        assert found["numbers"] == list(range(1, found["calls"] + 1))
        assert [voucher["calls"] for voucher in found["vouchers"]] == [found["calls"]] * 2
        assert found["vouchers"][0]["amount"] == PRICE * found["calls"]
        assert CALLS <= found["calls"] - calls <= 2 * CALLS  # what was killed was made anew, or finished, never twice
        calls = found["calls"]
    died = {side: sum(found["died"] for found in rounds if found["side"] == side) for side in ("gateway", "caller")}
    assert died["gateway"] >= 10, died
    assert died["caller"] >= 10, died

    store = CallStore(tmp_path / "gateway.sqlite")
    assert api.hand_in(town["supplier"], order, store)["due"] == PRICE * calls
    settlement.close(town["supplier"], order, store.voucher(order))
    store.close()
    paid = orders.get(town["buyer"], order)
    assert (paid["status"], paid["amount"], paid["calls"]) == (OrderStatus.SETTLED, PRICE * calls, calls)
