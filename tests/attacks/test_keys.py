"""Keys of accounts: a thief with a key that has ended, and an exchange that helps it, towards a vault that does not
read the ledger.

Guards: a key signs for an account only if signed changes lead to it, and only until it ended; what was shown once of an
account's keys is never forgotten. What a vault was never shown it cannot know: the last test says so, and the auditor
finds it afterwards (tests/unit/auditor/test_corners.py).
"""

from pathlib import Path

import pytest

from crypto.keystore import Keys
from marketplace.participants.keys import OWN_ADDRESS
from marketplace.participants.proofs import KeyProof
from marketplace.vault.decisions.cases import Decision
from tests.attacks.scene import anew, code_of, nothing
from tests.keyproofs import Journal
from tests.sealed_market import NOW, Market, Order, keys, open_market, voucher

ALL = "SELECT COUNT(*) FROM f"
JFK = "SELECT COUNT(*) FROM f WHERE origin = 'JFK'"
STOLEN, FRESH = keys("buyer"), keys("the buyer's second key")
ACCOUNT = STOLEN.address
TAKEN = {"register": NOW - 5_000, "list": NOW - 5_000, "fund": NOW - 5_000}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def market(sealed: Market, tmp_path: Path) -> Market:
    return anew(sealed, tmp_path)


def ask(market: Market, order: Order, signer: Keys, proof: KeyProof, sql: str = ALL) -> Decision:
    """A call that this key pays for."""
    query = market.query(order, sql)
    return market.decide(market.task(order, query, voucher=voucher(order, query, signer), keys=proof))


def rotated() -> KeyProof:
    """The buyer ended the stolen key."""
    journal = Journal()
    journal.rotate(ACCOUNT, STOLEN, FRESH)
    return journal.proof(**TAKEN)


def test_an_ended_key_buys_where_nobody_asks_whether_it_ended(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.vault.decisions.deciding.check_voucher_signature", nothing)
    assert ask(market, market.order(), STOLEN, rotated()).release is not None


def test_an_ended_key_buys_nothing(market: Market) -> None:
    order = market.order()
    assert code_of(ask(market, order, STOLEN, rotated())) == "voucher_signature"
    assert ask(market, order, FRESH, rotated()).release is not None, "the order was funded by the key before it ended"


def hidden_again(market: Market) -> Decision:
    """The vault was shown the ending once; then the exchange hides it, and the thief asks."""
    assert ask(market, market.order(), FRESH, rotated()).release is not None
    return ask(market, market.order(), STOLEN, KeyProof(times=TAKEN), JFK)


def test_an_ending_is_hidden_where_nobody_remembers_it(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.vault.decisions.deciding.check_remembered", nothing)
    assert hidden_again(market).release is not None


def test_an_ending_that_was_shown_stays_known(market: Market) -> None:
    assert code_of(hidden_again(market)) == "keys_left_out"


def rewritten(market: Market) -> Decision:
    """The ending is moved to next week, by whoever states the times."""
    assert ask(market, market.order(), FRESH, rotated()).release is not None
    moved = Journal(at=NOW + 3_000)
    moved.rotate(ACCOUNT, STOLEN, FRESH)
    return ask(market, market.order(), STOLEN, moved.proof(**TAKEN), JFK)


def test_an_ending_that_was_shown_is_not_moved(market: Market) -> None:
    assert code_of(rewritten(market)) == "keys_left_out"


def invented(market: Market) -> Decision:
    """The exchange makes up a key for an account, without anything that the account signed."""
    journal, thief = Journal(), keys("thief")
    journal.add(ACCOUNT, thief, keys("another thief"))
    return ask(market, market.order(), keys("another thief"), journal.proof(**TAKEN))


def test_a_key_is_made_up_where_nobody_checks_who_gave_it(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.participants.proofs._History._require_signed", nothing)
    monkeypatch.setattr("marketplace.participants.keys._require_administrator", lambda *_: OWN_ADDRESS)
    assert invented(market).release is not None


def test_a_key_that_the_account_did_not_give_signs_nothing(market: Market) -> None:
    assert code_of(invented(market)) == "key_proof_invalid"


def test_what_a_vault_was_never_shown_it_does_not_know(market: Market) -> None:
    """The limit: an exchange that hides an ending from the beginning. It leaves the release in its own log."""
    assert ask(market, market.order(), STOLEN, KeyProof(times=TAKEN)).release is not None
