"""A planted key is in no log, refusal, exception or file, whatever fails, also with every frame's locals shown."""

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto.seal.keys import SealingKey
from crypto.seal.splitting import HalfKey
from marketplace.errors import MarketplaceError
from marketplace.queries.protocol.handover import custodian_task, vault_task
from tests.sealed_market import NOW, Market
from tests.split_market import SplitMarket, open_split_market

ALL = "SELECT COUNT(*) FROM flights"
HALF_YEAR = "SELECT COUNT(*) FROM flights WHERE month IN (1, 2)"
DECIDING, STORE, SHARES = (
    "marketplace.vault.decisions.deciding",
    "marketplace.vault.keeping.store",
    "marketplace.queries.protocol.shares",
)
FAILING = [
    *(f"{DECIDING}.{name}" for name in ("check_papers", "check_permitted", "make_plan", "check_voucher_signature")),
    *(f"{DECIDING}.{name}" for name in ("check_attestation", "evaluate_plan", "plan_noise")),
    *(f"{DECIDING}.{name}" for name in ("number_entry", "result_document", "seal_shares", "sign_release")),
    *(f"{STORE}.Account.{name}" for name in ("order", "answered", "remember_answer", "remember_release")),
    "marketplace.vault.decisions.sharing.release_share",
    "marketplace.vault.keeping.ring.profile_named",
    "marketplace.vault.keeping.secrecy.Cipher.decrypt",
    "marketplace.vault.keeping.secrecy.Cipher.encrypt",
    "marketplace.vault.custodian.folder.CustodianFolder.open",
    "crypto.seal.keys.SealingKey.answer",
    "crypto.seal.splitting.HalfKey.answer",
    "crypto.seal.release.require_releasable",
    f"{SHARES}.envelope.seal",
]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> SplitMarket:
    return open_split_market(tmp_path_factory.mktemp("planted"))


def needles(market: SplitMarket) -> Iterator[str]:
    """The planted secrets, in every form in which a line of text could hold a piece of them."""
    halves = [market.dataset.ring[0], market.custodian.halves.open(market.dataset.digest).ring[0]]
    seeds = [market.supplier.seed, market.custodian.keys.seed]
    for half in halves:
        assert isinstance(half, HalfKey)
        data = half.to_bytes()
        for start in (0, 8, 8 * 4095, len(data) - 16):
            piece = data[start : start + 8]
            yield from (piece.hex(), str(int.from_bytes(piece, "little")), repr(piece)[2:-1])
    for seed in seeds:
        yield from (seed.hex(), repr(seed)[2:-1], str(int.from_bytes(seed, "big")), seed[:8].hex())


def explain(error: BaseException) -> str:
    """Everything that a careless program could print of an error: each cause, each frame, each local."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    details = error.as_dict() if isinstance(error, MarketplaceError) else {}
    return "".join(shown.format()) + repr(details)


def told_by(market: SplitMarket, name: str, patch: pytest.MonkeyPatch) -> str:
    """What vault and custodian let out while the function `name` fails in them."""

    def fail(*arguments: Any, **named: Any) -> Any:
        del arguments, named  # a signing key among them is the caller's to hold, not this frame's to show
        raise RuntimeError(f"planted failure of {name}")

    order, epsilon = market.order(name), 1_000 + FAILING.index(name)
    task = market.task(order, market.query(order, ALL, epsilon))
    waiting = market.approved(task)
    order = market.order(f"{name} again")
    other = market.task(order, market.query(order, HALF_YEAR, epsilon))
    market.vault._open.clear()
    told = ""
    with patch.context() as patched:
        patched.setattr(name, fail)
        for holder, handed in ((market.vault, vault_task(other)), (market.custodian, custodian_task(waiting))):
            try:
                told += repr(holder.decide(handed, NOW))
            except Exception as error:
                told += explain(error)
    return told


@pytest.mark.parametrize("name", FAILING)
def test_nothing_that_fails_tells_a_key(
    market: SplitMarket, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = told_by(market, name, monkeypatch) + caplog.text
    assert len(told) > 100
    assert [needle for needle in needles(market) if needle in told] == []


def test_the_planted_failures_do_fail(market: SplitMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name above is on the way of vault or custodian, or of a whole key; else its case would show nothing."""
    whole = {"crypto.seal.keys.SealingKey.answer", "marketplace.vault.keeping.ring.profile_named"}
    silent = [name for name in FAILING if "planted failure" not in told_by(market, name, monkeypatch)]
    assert set(silent) <= whole


def test_the_needles_would_be_found(market: SplitMarket) -> None:
    """A program that printed a half, or an error that quoted a word of it, would be caught by them."""
    half = market.dataset.ring[0]
    assert isinstance(half, HalfKey)
    careless = repr(half._half.tolist()[0][:3]) + market.supplier.seed.hex()
    assert sum(needle in careless for needle in needles(market)) >= 3


def test_no_file_of_vault_or_custodian_holds_a_key_in_clear(market: SplitMarket) -> None:
    assert not isinstance(market.ask(market.order("files"), ALL), dict)
    files = [path for path in market.home.rglob("*") if path.is_file() and path.name != "rows.csv"]
    assert {"private.bin", "half.bin", "ledger.sqlite"} <= {path.name for path in files}
    halves = [market.dataset.ring[0], market.custodian.halves.open(market.dataset.digest).ring[0]]
    secrets = [half.to_bytes()[:16] for half in halves] + [market.supplier.seed, market.custodian.keys.seed]
    for path in files:
        content = path.read_bytes()
        assert all(secret not in content for secret in secrets), path


def test_a_whole_key_is_encrypted_at_rest_too(tmp_path: Path) -> None:
    from tests.sealed_market import open_market

    whole: Market = open_market(tmp_path)
    assert isinstance(whole.dataset.ring[0], SealingKey)
    secret = whole.dataset.ring[0].to_bytes()[:32]
    assert all(secret not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
