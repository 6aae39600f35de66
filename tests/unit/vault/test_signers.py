"""A vault's decisions where the parties' accounts have several keys, rotated or were recovered."""

from dataclasses import replace
from pathlib import Path

import pytest

from crypto.keystore import Keys
from marketplace.participants.proofs import KeyProof
from marketplace.queries.permission.pricing import calls_of
from marketplace.types import Act
from marketplace.vault.decisions.cases import Decision
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from tests.keyproofs import Journal
from tests.sealed_market import DEPLOYMENT, NOW, PRICE, Market, Order, keys, open_market, signed, voucher

BUYER, CLERK, SECOND = keys("buyer"), keys("clerk of the buyer"), keys("second key")
ALL = "SELECT COUNT(*) FROM f"
TAKEN = {"register": NOW - 5_000, "list": NOW - 5_000, "fund": NOW - 5_000}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("signers"))


@pytest.fixture
def market(sealed: Market, tmp_path: Path) -> Market:
    return with_vault(sealed, tmp_path)


def with_vault(market: Market, folder: Path, registrars: tuple[str, ...] = ()) -> Market:
    store = PrivacyStore(folder / "ledger.sqlite", Cipher(market.supplier.seed))
    vault = Vault(market.supplier, market.vault.folder, store, DEPLOYMENT, registrars=registrars)
    return replace(market, vault=vault)


def ask(market: Market, order: Order, signer: Keys, proof: KeyProof, now: int = NOW) -> Decision:
    query = market.query(order, ALL)
    return market.decide(market.task(order, query, voucher=voucher(order, query, signer), keys=proof), now)


def code_of(decision: Decision) -> str | None:
    return None if decision.refusal is None else str(decision.refusal["code"])


def test_a_person_asks_within_what_it_may(market: Market) -> None:
    journal = Journal()
    journal.add(BUYER.address, BUYER, CLERK, Act.QUERIES | Act.READ, limit=PRICE)
    journal.add(BUYER.address, BUYER, SECOND, Act.ORDERS | Act.READ)
    order = market.order()
    assert code_of(ask(market, order, SECOND, journal.proof(**TAKEN))) == "act_not_permitted"
    assert ask(market, order, CLERK, journal.proof(**TAKEN)).release is not None
    paid = replace(order, account=replace(order.account, amount=PRICE, calls=calls_of(["0x" + "11" * 32])))
    assert code_of(ask(market, paid, CLERK, journal.proof(**TAKEN))) == "act_over_limit"


def test_a_buyer_that_recovered_asks_with_its_new_key(market: Market) -> None:
    journal, aunt = Journal(at=NOW - 3 * 86_400), keys("aunt")
    journal.name_guardians(BUYER.address, BUYER, [aunt], 1)
    name = journal.approve(BUYER.address, aunt.address, aunt, SECOND)
    journal.at += 86_400
    journal.complete(BUYER.address, name)
    taken = dict.fromkeys(TAKEN, NOW - 3 * 86_400)
    order = market.order()
    assert code_of(ask(market, order, BUYER, journal.proof(**taken))) == "voucher_signature"
    assert ask(market, order, SECOND, journal.proof(**taken)).release is not None


def test_a_registrar_recovers_for_a_vault_that_knows_it(market: Market, tmp_path: Path) -> None:
    journal, registrar = Journal(at=NOW - 15 * 86_400), keys("registrar")
    name = journal.approve(BUYER.address, registrar.address, registrar, SECOND)
    journal.at += 14 * 86_400
    journal.complete(BUYER.address, name)
    proof = journal.proof(**dict.fromkeys(TAKEN, NOW - 16 * 86_400))
    order = market.order()
    assert code_of(ask(market, order, SECOND, proof)) == "key_proof_invalid"
    knowing = with_vault(market, tmp_path / "knowing", registrars=(registrar.address,))
    assert ask(knowing, order, SECOND, proof).release is not None


def test_papers_count_by_when_the_ledger_took_them(market: Market) -> None:
    """Seller and buyer ended the keys that signed listing and order; what the ledger took before stands."""
    journal = Journal()
    for number, account in enumerate((market.supplier, BUYER)):
        journal.rotate(account.address, account, keys(f"fresh {number}"))
    order, fresh = market.order(), keys("fresh 1")
    assert ask(market, order, fresh, journal.proof(**TAKEN)).release is not None
    for name, who in (("list", "List"), ("fund", "Fund")):
        late = ask(market, order, fresh, journal.proof(**(TAKEN | {name: NOW - 10})))
        assert code_of(late) == "order_papers_invalid"
        assert who in str(late.refusal)
    assert code_of(ask(market, order, fresh, journal.proof())) == "order_papers_invalid", "nobody says when"


def test_a_seller_signs_its_listing_with_another_key(market: Market) -> None:
    journal, lister = Journal(), keys("lister")
    journal.add(market.supplier.address, market.supplier, lister, Act.LISTINGS)
    order = market.order()
    listing = signed("List", dict(order.papers.listing.message), lister)
    order.papers = replace(order.papers, listing=listing)
    taken = TAKEN | {"list": NOW - 10, "fund": NOW - 5}
    assert code_of(ask(market, order, BUYER, KeyProof(times=taken))) == "order_papers_invalid"
    assert ask(market, order, BUYER, journal.proof(**taken)).release is not None


def test_a_paper_that_the_ledger_took_after_its_deadline_is_none(market: Market) -> None:
    order = market.order()
    refusal = ask(market, order, BUYER, KeyProof(times=TAKEN | {"fund": NOW + 40 * 86_400})).refusal
    assert refusal is not None
    assert refusal["code"] == "order_papers_invalid"
