"""Money goes back to a bank, through the whole service, with a clock that the test moves."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.keystore import encrypt
from marketplace import cli
from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.errors import MarketplaceError
from marketplace.sdk import evidence, papers, participants, redemptions, settlement
from marketplace.sdk.client import Client
from marketplace.settlement.statements.account import CHINA
from marketplace.settlement.statements.camt import parse_camt
from marketplace.settlement.statements.entries import Entry
from marketplace.settlement.statements.reconciliation import reconcile
from marketplace.types import ParticipantStatus, RedemptionStatus
from tests.bank_statements import camt
from tests.integration.service.town import Shown, Town, running, town_settings
from tests.sealed_market import keys

DAY = 86_400
PASSWORD = "a long password"


@dataclass
class Clock:
    """Unix seconds, as far ahead as a test wants."""

    ahead: int = 0

    def __call__(self) -> int:
        return int(time.time()) + self.ahead


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("bank")
    with running(town_settings(folder / "service"), clock) as context:
        made = Town(context.settings.public_url, folder, context)
        for name in ("registrar", "bank", "buyer", "rival", "auditor"):
            made.clients[name] = Client(made.url, keys(name), now=clock)
        made.join("exchange", "bank", "buyer", "rival", "auditor")
        yield made
        made.close()


def redeem(town: Town, amount: int) -> str:
    """The buyer wants money back; id of the redemption."""
    bank = town["bank"].address
    result = redemptions.redeem(town["buyer"], bank, amount, beneficiary="Ms Li", account_number="622202000000", days=2)
    return str(result["redemptionId"])


def balance(town: Town) -> int:
    return int(settlement.balance(town["buyer"])["balance"])


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(MarketplaceError) as refused:
        act()
    return refused.value.code


def reconciled(town: Town, folder: Path, bundle: Path) -> None:
    """The bank's statement is what service and bundle say of the ledger; a forged one is not."""
    bank = town["bank"]
    came = Entry("IN-1", "2026-11-02", 1000, is_credit=True)
    went = Entry("OUT-1", "2026-11-03", 300, is_credit=False)
    rest = Entry("OUT-2", "2026-11-03", 700, is_credit=False)
    rows = settlement.issues(bank), redemptions.redemptions(bank)
    assert reconcile(parse_camt(camt([came, went, rest])), *rows, bank.address).unexplained == 0
    command = ["settlement", "reconcile", str(folder / "statement.xml"), "--bundle", str(bundle)]
    for entries, code in (([came, went, rest], 0), ([came], 7), ([came, replace(went, amount=301), rest], 7)):
        last = datetime.fromtimestamp(bank.now(), UTC).date().isoformat()
        (folder / "statement.xml").write_bytes(camt(entries, last=last))
        assert cli.main([*command, "--bank", bank.address, "--json"]) == code
    (folder / "statement.xml").write_bytes(camt([], last="2020-01-01"))  # of days before there was anything
    assert cli.main([*command, "--bank", bank.address, "--json"]) == 7


def overseen(town: Town, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever oversees compares where the bank paid to, as the bank itself would."""
    (folder / "keystore.json").write_text(json.dumps(encrypt(town["auditor"].keys, PASSWORD, 12)), "utf-8")
    (folder / "keystore.json").chmod(0o600)
    monkeypatch.setenv("MARKETPLACE_PASSWORD", PASSWORD)
    came, today = Entry("IN-1", "2026-11-02", 1000, is_credit=True), datetime.now(CHINA).date().isoformat()
    command = ["settlement", "reconcile", str(folder / "seen.xml"), "--bank", town["bank"].address]
    for account, code in (("622202000000", 0), ("622202000001", 7)):
        went = Entry("OUT-1", "2026-11-03", 300, is_credit=False, counterparty=account)
        (folder / "seen.xml").write_bytes(camt([came, went], last=today))
        assert cli.main([*command, "--url", town.url, "--home", str(folder), "--json"]) == code


def test_a_holder_gets_its_money_back_by_every_way(
    town: Town, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: Shown
) -> None:
    bank, buyer, rival = town["bank"], town["buyer"], town["rival"]
    settlement.issue(bank, buyer.address, 1000, "IN-1")
    paid = redeem(town, 300)
    assert (balance(town), redemptions.get(bank, paid)["status"]) == (700, RedemptionStatus.LOCKED)
    assert redemptions.payout(bank, paid)["accountNumber"] == "622202000000"
    told = shown("bank", "settlement", "payout", paid)
    assert [words for words in ("pay this", "3.00 yuan", "622202000000", "payBy") if words not in told] == []
    assert redemptions.pay(bank, paid, "OUT-1")["status"] == "mined"
    assert (balance(town), redemptions.get(buyer, paid)["status"]) == (700, RedemptionStatus.PAID)
    overseen(town, tmp_path, monkeypatch)
    assert "not to be paid" in shown("bank", "settlement", "payout", paid)

    rejected = redeem(town, 200)
    assert code_of(lambda: redemptions.pay(bank, rejected, "OUT-1")) == "issue_reference_used"
    assert code_of(lambda: redemptions.pay(bank, rejected, "IN-1")) == "issue_reference_used"
    assert code_of(lambda: settlement.issue(bank, buyer.address, 5, "OUT-1")) == "issue_reference_used"
    redemptions.reject(bank, rejected, "the account is closed")
    assert balance(town) == 700
    assert code_of(lambda: redemptions.pay(bank, rejected, "OUT-2")) == "redemption_status"

    silent = redeem(town, 700)
    assert code_of(lambda: redeem(town, 1)) == "balance_insufficient"
    assert code_of(lambda: redemptions.expire(buyer, silent)) == "redemption_not_due"
    assert code_of(lambda: redemptions.expire(rival, silent)) == "redemption_unknown"
    clock.ahead += 3 * DAY
    redemptions.expire(rival, silent)
    assert balance(town) == 700

    assert [len(redemptions.redemptions(client)) for client in (buyer, bank, rival)] == [3, 3, 0]
    assert code_of(lambda: redemptions.get(rival, paid)) == "redemption_unknown"
    assert code_of(lambda: rival.get_document(redemptions.get(buyer, paid)["payoutDigest"])) == "document_not_found"

    assert len(redemptions.redemptions(town["auditor"])) == 3
    months = sorted({datetime.fromtimestamp(at, CHINA).strftime("%Y-%m") for at in (int(time.time()), clock())})
    statements = [papers.content(buyer, papers.statement(buyer, month)) for month in months]
    lines = [line for statement in statements for line in statement["movements"]]
    assert [line["amount"] for line in lines] == [1000, -300, -200, 200, -700, 700]
    assert [line["cause"].partition("redemption_")[2] for line in lines[1:]] == [
        *("requested", "requested", "rejected", "requested", "expired"),
    ]
    assert lines[1]["about"] == paid
    assert (statements[0]["opening"], statements[-1]["closing"]) == (0, balance(town))
    assert code_of(lambda: papers.statement(rival, months[0], buyer.address)) == "balance_unknown"
    assert code_of(lambda: papers.statement(buyer, "2026-13")) == "period_invalid"

    participants.set_status(town["registrar"], buyer.address, ParticipantStatus.EXPELLED, "forged its evidence")
    assert redemptions.pay(bank, redeem(town, 700), "OUT-2")["status"] == "mined"
    assert balance(town) == 0
    target = tmp_path / "bundle.zip"
    evidence.download_bundle(town["auditor"], target)
    profile = town["auditor"].get("/profile")
    trust = Trust(chain_id=profile["chainId"], registrar=town["registrar"].address, contracts=profile["contracts"])
    reconciled(town, tmp_path, target)
    with open_bundle(target) as bundle:
        assert [finding.as_dict() for finding in audit(bundle, trust).findings] == []
