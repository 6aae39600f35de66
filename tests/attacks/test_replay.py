"""Replay: what was signed for one purpose, handed in again for another: queries, vouchers, shares, refusals, halves.

Guards: a query names its order and a voucher the queries that it pays for; vouchers only grow; shares are bound to
query and result, and their release signed; halves of a key carry their generation; a refusal that was signed before an
answer does not take it back.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crypto.canonical import load_json
from crypto.errors import InvalidKey
from crypto.seal.cells import decrypt_chunk
from crypto.seal.keys import SealingKey
from crypto.seal.splitting import HalfKey, join
from marketplace.documents import column_chunks, digest
from marketplace.errors import VerificationError
from marketplace.queries.answers.answer import Papers, assemble
from marketplace.queries.permission.pricing import OrderAccount, calls_of
from marketplace.queries.planning.selection import Group
from marketplace.queries.protocol.handover import CustodianTask
from marketplace.vault.custodian.decision import Custodian
from marketplace.vault.decisions.cases import Case, Decision
from marketplace.vault.keeping.custody import Deposit, card_of, open_package
from marketplace.vault.keeping.refreshing import refresh
from marketplace.vault.keeping.store import Account, Answered
from tests.attacks.scene import anew, code_of, nothing
from tests.sealed_market import DEPLOYMENT, PRICE, Market, Order, open_market, voucher
from tests.split_market import SplitMarket, open_split_market

ALL = "SELECT COUNT(*) FROM f"
JFK = "SELECT COUNT(*) FROM f WHERE origin = 'JFK'"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("replay"))


@pytest.fixture
def market(sealed: Market, tmp_path: Path) -> Market:
    return anew(sealed, tmp_path)


# -- queries


def redirected(market: Market) -> Decision:
    """A query that one buyer signed for (in its voucher), handed in under another order, which would pay for it."""
    victim, attacker = market.order("victim"), market.order("attacker")
    query = market.query(attacker, JFK)
    return market.decide(market.task(attacker, query, papers=victim.papers, voucher=voucher(victim, query)))


def test_a_query_is_answered_under_another_order_where_nobody_compares(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.vault.decisions.deciding.check_permitted", nothing)
    assert redirected(market).release is not None


def test_a_query_is_good_for_its_own_order_alone(market: Market) -> None:
    assert code_of(redirected(market)) == "order_mismatch"
    assert market.vault.store.spent(market.series) == 0


def test_a_query_handed_in_again_is_the_same_release(market: Market) -> None:
    """Nothing is charged, no noise is drawn, no call is counted."""
    order = market.order()
    task = market.task(order, market.query(order, ALL))
    assert market.decide(task) == market.decide(task)
    assert market.vault.store.spent(market.series) == 1_000_000


# -- vouchers


def second_call(market: Market, **changes: Any) -> Decision:
    """The second call of an order, paid for with a voucher of the buyer's choosing."""
    order = market.order("buyer", cap=4_000_000)
    first = market.task(order, market.query(order, ALL))
    assert market.decide(first).release is not None
    query = market.query(order, JFK)
    spent = replace(
        order.account, spent=1_000_000, amount=PRICE, epsilon=1_000_000, calls=calls_of([digest(first.query)])
    )
    paid = changes.pop("paid", None) or voucher(replace(order, account=spent), query, **changes)
    return market.decide(market.task(order, query, voucher=paid(first) if callable(paid) else paid))


REPLAYED: dict[str, tuple[dict[str, Any], str]] = {
    "the same again": ({"paid": lambda first: first.voucher}, "voucher_too_small"),
    "a lower one": ({"amount": 1}, "voucher_backwards"),
    "less epsilon": ({"epsilon": 1}, "voucher_backwards"),
    "another call's": ({"callsRoot": "0x" + "11" * 32}, "voucher_calls"),
    "fewer calls": ({"calls": 1}, "voucher_calls"),
}


@pytest.mark.parametrize("name", REPLAYED)
def test_any_voucher_buys_an_answer_where_nobody_looks(
    market: Market, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("marketplace.vault.decisions.deciding.check_voucher", nothing)
    assert second_call(market, **REPLAYED[name][0]).release is not None


@pytest.mark.parametrize("name", REPLAYED)
def test_a_voucher_that_is_not_for_this_call_buys_nothing(market: Market, name: str) -> None:
    changes, code = REPLAYED[name]
    assert code_of(second_call(market, **changes)) == code
    assert market.vault.store.spent(market.series) == 1_000_000


def with_anothers_voucher(market: Market) -> Decision:
    """A call of a fresh order paid with a voucher that its buyer signed for an older one."""
    old, new = market.order("buyer"), market.order("buyer")
    query = market.query(new, ALL)
    return market.decide(market.task(new, query, voucher=voucher(old, query)))


def test_a_voucher_of_another_order_pays_where_nobody_looks(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.vault.decisions.deciding.check_voucher", nothing)
    assert with_anothers_voucher(market).release is not None


def test_a_voucher_of_another_order_pays_nothing(market: Market) -> None:
    assert code_of(with_anothers_voucher(market)) == "voucher_order"


# -- shares


def with_old_shares(market: Market) -> tuple[Order, Papers]:
    """What a carrier shows for a new query: the shares of an old one under the new one's name."""
    order = market.order()
    old = market.task(order, market.query(order, ALL, 5_000_000))
    first = market.decide(old)
    assert first.shares is not None
    order.account = after(order.account, old.voucher, digest(old.query), 5_000_000)
    new = market.task(order, market.query(order, JFK, 5_000_000))
    second = market.decide(new)
    assert second.shares is not None
    papers = market.received(order, new, second)
    names = {name: second.shares[name] for name in ("query", "result")}
    return order, replace(papers, shares={**first.shares, **names})


def after(account: OrderAccount, paid: dict[str, Any], query: str, epsilon: int) -> OrderAccount:
    more = {"spent": account.spent + epsilon, "amount": paid["amount"], "epsilon": paid["epsilon"]}
    return replace(account, calls=calls_of([query], account.calls), **more)


def test_old_shares_make_a_number_out_of_thin_air_where_nothing_is_bound(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong figure that nobody notices: c0 of one sum with the share of another decodes to anything."""
    monkeypatch.setattr("marketplace.queries.protocol.shares._context", lambda *_: b"")
    monkeypatch.setattr("marketplace.queries.answers.answer._check_release", nothing)
    monkeypatch.setattr("marketplace.queries.answers.answer.check_plausible", nothing)
    order, papers = with_old_shares(market)
    wrong = assemble(papers, order.buyer.x25519, DEPLOYMENT).numbers[0]["rows"]
    assert abs(wrong) > 1000 * len(market.rows)


def test_old_shares_are_not_of_the_release(market: Market) -> None:
    order, papers = with_old_shares(market)
    with pytest.raises(VerificationError) as caught:
        assemble(papers, order.buyer.x25519, DEPLOYMENT)
    assert caught.value.code == "release_mismatch"


def test_old_shares_do_not_even_open(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second line: the seal itself is bound to query and result."""
    monkeypatch.setattr("marketplace.queries.answers.answer._check_release", nothing)
    order, papers = with_old_shares(market)
    with pytest.raises(VerificationError) as caught:
        assemble(papers, order.buyer.x25519, DEPLOYMENT)
    assert caught.value.code == "shares_unreadable"


# -- refusals: a query is refused, then answered after all; the refusal is shown to say that it was no call


def unpaid(market: Market) -> Decision:
    """Two calls for the price of one: the first is refused for its voucher, answered with a better one, struck out."""
    order = market.order()
    query = market.query(order, ALL)
    refusal = market.decide(market.task(order, query, voucher=voucher(order, query, amount=1))).refusal
    assert refusal is not None
    answered = market.task(order, query)
    assert market.decide(answered).release is not None
    order.account = replace(order.account, spent=1_000_000)
    return market.decide(market.task(order, market.query(order, JFK), withheld=(refusal,)))


def test_a_refusal_from_before_takes_an_answer_back_where_any_refusal_does(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.vault.decisions.deciding.check_given_up", nothing)
    assert unpaid(market).release is not None


def test_a_refusal_from_before_an_answer_does_not_take_it_back(market: Market) -> None:
    assert code_of(unpaid(market)) == "not_given_up"


@pytest.fixture
def split(tmp_path: Path) -> SplitMarket:
    return open_split_market(tmp_path / "split")


def refused_by_the_custodian_first(market: SplitMarket) -> tuple[Decision, Decision]:
    """The custodian is shown a broken task and then the true one; then the vault, the refusal of the first."""
    order = market.order()
    task = market.approved(market.task(order, market.query(order, ALL)))
    refusal = market.add(replace(task, voucher=voucher(order, task.query, amount=1))).refusal
    assert refusal is not None
    share = market.add(task)
    order.account = replace(order.account, spent=1_000_000)
    return share, market.decide(market.task(order, market.query(order, JFK), withheld=(refusal,)))


def test_a_custodian_that_forgets_its_refusals_is_used_for_unpaid_answers(
    split: SplitMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Account, "refused", nothing)
    share, following = refused_by_the_custodian_first(split)
    assert share.shares is not None, "the first answer is complete"
    assert following.release is not None, "and the second is paid for as if it were the first"


def test_what_a_custodian_refused_it_never_answers(split: SplitMarket) -> None:
    share, following = refused_by_the_custodian_first(split)
    assert share.shares is None
    assert code_of(share) == "voucher_too_small"
    assert following.release is not None, "the first call was none, so it is rightly not paid for"


# -- halves of a key


def refreshed_custodian(market: SplitMarket) -> None:
    """Both halves move."""
    moved = refresh(market.vault.folder, market.dataset, Deposit(card_of(market.custodian.keys), market.supplier))
    market.custodian.halves.take(open_package(load_json(moved.custody_file.read_bytes()), market.custodian.keys))


def stolen(market: SplitMarket, *, refreshed: bool) -> SealingKey:
    """The vault's half is copied; later, and after a refresh if there was one, the custodian's."""
    mine = market.vault.folder.open(market.dataset.digest).ring[0]
    if refreshed:
        refreshed_custodian(market)
    theirs = market.custodian.halves.open(market.dataset.digest).ring[0]
    assert isinstance(mine, HalfKey)
    return join(mine, theirs)


def test_two_halves_of_one_generation_are_the_key(split: SplitMarket) -> None:
    key = stolen(split, refreshed=False)
    (chunk,) = column_chunks(split.manifest["batches"][0], 0, "rows")
    assert int(decrypt_chunk(key, split.dataset.blob(chunk["blob"])).sum()) == len(split.rows)


def test_halves_of_two_generations_are_no_key(split: SplitMarket) -> None:
    with pytest.raises(InvalidKey):
        stolen(split, refreshed=True)


def completed_late(market: SplitMarket) -> tuple[Order, CustodianTask, Decision]:
    """The vault released with its old half; the custodian has taken up its new one since."""
    order = market.order()
    task = market.approved(market.task(order, market.query(order, ALL)))
    refreshed_custodian(market)
    return order, task, market.add(task)


def whatever_the_generation(_: Custodian, case: Case, answer: Answered) -> tuple[Mapping[int, int], list[Group]]:
    """In place of the custodian's check."""
    return answer.residues, case.suppressed(answer)


def test_shares_of_two_generations_make_a_number_out_of_thin_air_where_nobody_compares(
    split: SplitMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Custodian, "_chosen", whatever_the_generation)
    order, task, decision = completed_late(split)
    with pytest.raises(VerificationError) as caught:
        split.answer(order, task, decision)
    assert caught.value.code == "release_mismatch", "the buyer compares too"
    monkeypatch.setattr("marketplace.queries.answers.answer.check_plausible", nothing)
    monkeypatch.setattr(
        "marketplace.queries.answers.answer._custodian_part",
        lambda papers: (papers.custodian_release, papers.custodian_shares, papers.manifest["custodian"]),
    )
    assert abs(split.answer(order, task, decision).numbers[0]["rows"]) > 1000 * len(split.rows)


def test_a_share_of_an_old_half_is_not_completed(split: SplitMarket) -> None:
    _, _, decision = completed_late(split)
    assert code_of(decision) == "halves_differ"
