"""An old copy of the account is noticed before it does harm, and made whole again from what the vault signed."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from marketplace.documents import Document, digest
from marketplace.errors import NotFoundError, PortError, VerificationError
from marketplace.participants.keybook import KeyBook
from marketplace.queries.permission.pricing import calls_of
from marketplace.queries.protocol.handover import vault_task
from marketplace.vault.decisions.recovery import Recovery
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from tests.sealed_market import DEPLOYMENT, NOW, Market, Order, keys, open_market

ALL = "SELECT COUNT(*) FROM f"
JFK = "SELECT SUM(delay) FROM f WHERE origin = 'JFK'"
SMALL_DIFFERENCE = "SELECT SUM(delay) FROM f WHERE origin = 'JFK' AND carrier <> 'HA'"
CARRIERS = "SELECT carrier, COUNT(*) FROM f WHERE origin = 'EWR' GROUP BY carrier"


@dataclass
class Service:
    """What a service keeps: the log, documents, and the releases that it shows a vault."""

    leaves: list[dict[str, Any]] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    latest: list[Document] = field(default_factory=list)

    def store(self, document: Document) -> str:
        self.documents[digest(document)] = document
        return digest(document)

    def fetch(self, name: str) -> Document:
        if name not in self.documents:
            raise NotFoundError("document_unknown", "there is none")
        return self.documents[name]


def tell(market: Market, service: Service, order: Order, sql: str) -> Document:
    """One query all the way into the log; its release."""
    task = market.task(order, market.query(order, sql), latest=tuple(service.latest))
    decision = market.decide(task)
    assert decision.release is not None
    assert decision.shares is not None
    query, voucher = service.store(task.query), service.store(task.voucher)
    service.leaves.append({"type": "query.accepted", "query": query, "order": order.account.order, "voucher": voucher})
    service.leaves.append(
        {
            "type": "query.released",
            "at": "2026-09-21T17:46:40Z",
            "query": query,
            "order": order.account.order,
            "release": service.store(decision.release),
            "shares": service.store(decision.shares),
        }
    )
    service.latest.append(decision.release)
    order.account = replace(
        order.account,
        spent=decision.release["spentOrder"],
        amount=task.voucher["amount"],
        epsilon=task.voucher["epsilon"],
        calls=calls_of([query], order.account.calls),
    )
    return decision.release


def reopened(market: Market, path: Path) -> Market:
    store = PrivacyStore(path, Cipher(market.supplier.seed))
    return replace(market, vault=Vault(market.supplier, market.vault.folder, store, DEPLOYMENT))


def recover(market: Market, service: Service, leaves: Iterable[dict[str, Any]] | None = None) -> tuple[int, int]:
    work = Recovery(
        market.vault.store,
        DEPLOYMENT,
        {market.asset: market.manifest},
        {market.supplier.address},
        service.fetch,
        market.vault.folder.sets_of,
        lambda _: KeyBook(DEPLOYMENT),
    )
    found = work.recover(service.leaves if leaves is None else leaves)
    return found.releases, found.charged


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return open_market(tmp_path)


def test_an_old_copy_decides_nothing_until_it_is_made_whole(market: Market, tmp_path: Path) -> None:
    service, ann, bob = Service(), market.order("ann"), market.order("bob")
    first = tell(market, service, ann, ALL)
    old = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(market.vault.store.path)) as live, closing(sqlite3.connect(old)) as copy:
        live.backup(copy)
    second, third = tell(market, service, bob, JFK), tell(market, service, ann, CARRIERS)
    restored = reopened(market, old)
    assert restored.vault.store.spent(market.series) == first["spentAsset"] == 1_000_000

    other = market.order("eve")
    task = restored.task(other, restored.query(other, ALL), latest=tuple(service.latest))
    with pytest.raises(PortError) as caught:
        restored.decide(task)
    assert caught.value.code == "account_behind"
    assert "vault recover" in caught.value.hint
    assert restored.vault.store.released(digest(task.query)) is None, "nothing was decided"

    assert recover(restored, service) == (2, 2_000_000)
    assert recover(restored, service) == (0, 0), "again changes nothing"
    assert restored.vault.store.spent(market.series) == market.vault.store.spent(market.series) == 3_000_000
    for release in (first, second, third):
        kept, made = (vault.store.released(release["query"]) for vault in (restored.vault, market.vault))
        assert kept == made
        assert kept is not None
        assert kept.release == release
    repeated = restored.decide(task).release
    assert repeated is not None, "ALL was in the old copy, so its shares are there"
    assert (repeated["epsilon"], repeated["spentAsset"]) == (0, 3_000_000)
    with restored.vault.store.exclusive() as account, market.vault.store.exclusive() as whole:
        for who in ("ann", "bob"):
            accounts = [keys(who).address]
            assert account.spent_buyer(market.series, accounts) == whole.spent_buyer(market.series, accounts)
        sets, expected = account.earlier_sets(market.series), whole.earlier_sets(market.series)
        assert {(tuple(item.cells), item.measures) for item in sets} == {
            (tuple(item.cells), item.measures) for item in expected
        }


def test_what_was_lost_is_refused_and_still_guards_its_differences(market: Market, tmp_path: Path) -> None:
    service = Service()
    tell(market, service, market.order("ann"), JFK)
    empty = reopened(market, tmp_path / "empty.sqlite")
    assert recover(empty, service) == (1, 1_000_000)
    for sql, code in ((JFK, "answer_lost"), (SMALL_DIFFERENCE, "cohort_difference_too_small")):
        refusal = empty.ask(empty.order("bob"), sql)
        assert isinstance(refusal, dict)
        assert (refusal["code"], refusal["spentAsset"]) == (code, 1_000_000)


def test_releases_of_others_and_forged_ones_prove_nothing(market: Market) -> None:
    service, order = Service(), market.order("ann")
    release = tell(market, service, order, ALL)
    forged = {**release, "query": "0x" + "77" * 32}
    foreign = {**forged, "signer": keys("stranger").address}
    query = market.query(order, JFK)
    assert market.decide(market.task(order, query, latest=(forged, foreign, release))).release is not None


def test_a_different_release_of_a_known_query_is_noticed_too(market: Market, tmp_path: Path) -> None:
    """The old copy has answered the query again in the meantime, with other figures."""
    service, order = Service(), market.order("ann")
    tell(market, service, order, ALL)
    bob = market.order("bob")
    task = market.task(bob, market.query(bob, JFK))
    other = reopened(market, tmp_path / "other.sqlite")
    mine = market.order("eve")
    query = market.query(mine, ALL)
    one, two = (vault.decide(market.task(mine, query)).release for vault in (market, other))
    assert one is not None
    assert one != two
    with pytest.raises(PortError, match="lacks a release"):
        other.vault.decide(vault_task(replace(task, latest=(one,))), NOW)


@pytest.mark.parametrize("kind", ["query", "release", "shares", "voucher"])
def test_a_document_that_is_not_what_the_log_says_stops_the_recovery(market: Market, tmp_path: Path, kind: str) -> None:
    service = Service()
    tell(market, service, market.order("ann"), ALL)
    leaf = {**service.leaves[0], **service.leaves[1]}
    service.documents[leaf[kind]] = {**service.documents[leaf[kind]], "version": 2}
    empty = reopened(market, tmp_path / "empty.sqlite")
    with pytest.raises(VerificationError) as caught:
        recover(empty, service)
    assert caught.value.code == "evidence_differs"
    assert empty.vault.store.spent(market.series) == 0


def test_what_is_not_ours_is_passed_over(market: Market, tmp_path: Path) -> None:
    service = Service()
    tell(market, service, market.order("ann"), ALL)
    unreadable = {"type": "query.released", "query": "0x" + "11" * 32, "order": "0x" + "22" * 32}
    leaves = [{"type": "panel.divergence"}, unreadable, *service.leaves]
    empty = reopened(market, tmp_path / "empty.sqlite")
    assert recover(empty, service, leaves) == (1, 1_000_000)
