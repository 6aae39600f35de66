"""A vault that takes the panel's word answers as one that evaluates itself, and believes a lying threshold of nodes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto.canonical import to_hex
from crypto.errors import MalformedInput
from crypto.seal.evaluate import SealedNumber, evaluate_sum, read_request
from crypto.seal.parameters import profile
from marketplace.documents import Document, digest
from marketplace.errors import NotFoundError, PortError
from marketplace.queries.answers.answer import Answer
from marketplace.queries.evaluation import SealedColumns, evaluate_plan, number_entry, result_document
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.protocol.handover import VaultTask
from marketplace.queries.protocol.shares import open_shares
from marketplace.queries.protocol.statements import attest, sign_result
from marketplace.vault.custodian.decision import Custodian
from marketplace.vault.decisions.cases import Decision, Word
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from tests.sealed_market import DEPLOYMENT, NOW, Market, Order, open_market
from tests.split_market import open_split_market

SQL = "SELECT origin, COUNT(*), AVG(delay) FROM f GROUP BY origin"
ALL = "SELECT COUNT(*) FROM flights"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("attested"))


class Uploads:
    """Requests as panel nodes uploaded them, by digest."""

    def __init__(self, market: Market) -> None:
        self.market, self.kept = market, dict[str, bytes]()

    def take(self, query: Document) -> None:
        wanted = [entry["c1"] for entry in self.market.evaluate(query)[0].result["numbers"]]
        for request in self.market.nodes[0].requests(self.market.manifest, query, wanted):
            self.put(request)

    def put(self, request: bytes) -> str:
        from crypto.canonical import sha256

        name = to_hex(sha256(request))
        self.kept[name] = request
        return name

    def get(self, _query: str, name: str) -> bytes:
        if name not in self.kept:
            raise PortError("request_unknown", "not uploaded yet", zh="尚未上传")
        return self.kept[name]


@pytest.fixture
def uploads(sealed: Market) -> Uploads:
    return Uploads(sealed)


def vault_of(market: Market, folder: Path, word: Word | None) -> Vault:
    store = PrivacyStore(folder / f"{word is None}.sqlite", Cipher(market.supplier.seed))
    return Vault(market.supplier, market.vault.folder, store, DEPLOYMENT, word=word)


@pytest.fixture
def attested(sealed: Market, uploads: Uploads, tmp_path: Path) -> Market:
    return replace(sealed, vault=vault_of(sealed, tmp_path, Word(uploads.get)))


@pytest.fixture
def rederiving(sealed: Market, tmp_path: Path) -> Market:
    return replace(sealed, vault=vault_of(sealed, tmp_path, None))


def opened(market: Market, order: Order, task: VaultTask, decision: Decision) -> Answer:
    from marketplace.queries.answers.answer import assemble

    assert decision.refusal is None, decision.refusal
    return assemble(market.received(order, task, decision), order.buyer.x25519, DEPLOYMENT)


def test_both_give_the_same_answer(
    attested: Market, rederiving: Market, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Number for number, with the noise held still."""
    monkeypatch.setattr("crypto.seal.privacy.Noise.draw", lambda _: 7)
    order = attested.order()
    query = attested.query(order, SQL)
    uploads.take(query)
    task = attested.task(order, query)
    answers = [opened(market, order, task, market.decide(task)) for market in (attested, rederiving)]
    assert answers[0].numbers == answers[1].numbers
    assert answers[0].numbers[0]["rows"] - 7 == sum(row["origin"] == "EWR" for row in attested.rows)


def test_an_attested_vault_evaluates_nothing(
    attested: Market, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It opens no chunk and reads no blob, so its work depends on the numbers asked for alone."""
    order = attested.order()
    query = attested.query(order, SQL)
    uploads.take(query)
    task = attested.task(order, query)

    def never(*_: object) -> Any:
        raise AssertionError("a blob was read")

    monkeypatch.setattr("marketplace.vault.keeping.folder.Dataset.blob", never)
    monkeypatch.setattr("marketplace.queries.evaluation.data.open_chunk", never)
    assert attested.decide(task).release is not None


def test_requests_that_are_not_there_yet_are_waited_for(attested: Market) -> None:
    order = attested.order()
    task = attested.task(order, attested.query(order, ALL))
    with pytest.raises(PortError, match="not uploaded yet"):
        attested.decide(task)
    assert attested.vault.store.spent(attested.asset) == 0


@pytest.mark.parametrize("change", ["another number's", "one bit", "cut off"])
def test_a_request_that_is_not_the_attested_one_is_refused(attested: Market, uploads: Uploads, change: str) -> None:
    """Whoever carries it: panel node, service or network."""
    order = attested.order()
    query = attested.query(order, SQL)
    uploads.take(query)
    names = list(uploads.kept)
    first = uploads.kept[names[0]]
    uploads.kept[names[0]] = {
        "another number's": uploads.kept[names[1]],
        "one bit": first[:-1] + bytes([first[-1] ^ 1]),
        "cut off": first[:-8],
    }[change]
    decision = attested.decide(attested.task(order, query))
    assert decision.refusal is not None
    assert decision.refusal["code"] == "request_altered"


def lie(market: Market, order: Order, sql: str, uploads: Uploads, nodes: int) -> VaultTask:
    """A task whose result is attested by `nodes` lying nodes: it carries the sum over the six rows of HA instead."""
    query = market.query(order, sql)
    plan = make_plan(market.manifest, query)
    column = SealedColumns(market.dataset.blob).column(market.manifest, market.manifest["batches"][0], 0, "rows")
    chosen = profile(market.manifest["forms"][0]["profile"])
    cells = [index for index in range(36) if index // 4 % 3 == 2]
    number = evaluate_sum(chosen, column, cells)
    uploads.put(number.request())
    result = result_document(query, plan, [number_entry(number)])
    liars = market.nodes[:nodes]
    statements = [sign_result(result, node.keys.address, node.keys.bls_secret) for node in liars]
    return market.task(order, query, result=result, attestation=attest(statements))


def test_a_lying_threshold_fools_an_attested_vault_about_the_question(attested: Market, uploads: Uploads) -> None:
    """The documented price of constant work: a question that was permitted is paid for, and a cohort of six is told."""
    order = attested.order()
    task = lie(attested, order, ALL, uploads, 2)
    answer = opened(attested, order, task, attested.decide(task))
    assert abs(answer.numbers[0]["rows"] - 6) < 60
    assert abs(answer.numbers[0]["rows"] - len(attested.rows)) > 200


def test_a_lying_threshold_reads_the_key_of_an_attested_vault(attested: Market, uploads: Uploads) -> None:
    """The other price: c1 of one large coefficient makes the share that multiple of one coefficient of the key."""
    chosen = profile(attested.manifest["forms"][0]["profile"])
    scale = chosen.modulus // 4
    for place in range(3):
        c1 = np.zeros((len(chosen.data_primes), chosen.degree), dtype=np.uint64)
        c1[:, chosen.degree - 1 - place] = [scale % prime for prime in chosen.data_primes]
        number = SealedNumber(chosen, 0, c1)
        uploads.put(number.request())
        buyer = attested.order(f"accomplice {place}")
        query = attested.query(buyer, f"SELECT COUNT(*) FROM f WHERE month = {place + 1}", 1_000_000)
        result = result_document(query, make_plan(attested.manifest, query), [number_entry(number)])
        statements = [sign_result(result, node.keys.address, node.keys.bls_secret) for node in attested.nodes]
        task = attested.task(buyer, query, result=result, attestation=attest(statements))
        decision = attested.decide(task)
        assert decision.shares is not None, decision.refusal
        share = open_shares(decision.shares, buyer.buyer.x25519)[0]
        read = {0: 0, 1: 1, 3: -1}[round(share / scale) % 4]
        assert read == attested.dataset.whole_ring[0].coefficients()[place]


def test_a_rederiving_vault_is_not_fooled(rederiving: Market, uploads: Uploads) -> None:
    order = rederiving.order()
    for nodes in (2, 3):
        decision = rederiving.decide(lie(rederiving, order, ALL, uploads, nodes))
        assert decision.refusal is not None
        assert decision.refusal["code"] == "result_not_reproduced"
    assert rederiving.vault.store.spent(rederiving.asset) == 0


def test_below_the_threshold_nobody_is_fooled(attested: Market, uploads: Uploads) -> None:
    order = attested.order()
    decision = attested.decide(lie(attested, order, ALL, uploads, 1))
    assert decision.refusal is not None
    assert decision.refusal["code"] == "attestation_too_few"


def test_a_result_of_another_plan_is_refused(attested: Market, uploads: Uploads) -> None:
    """The lie must at least be about this plan: its digest and the number of numbers are checked."""
    order = attested.order()
    query = attested.query(order, SQL)
    uploads.take(query)
    other = attested.query(order, ALL)
    uploads.take(other)
    result = {**attested.evaluate(other)[0].result, "query": digest(query)}
    statements = [sign_result(result, node.keys.address, node.keys.bls_secret) for node in attested.nodes]
    decision = attested.decide(attested.task(order, query, result=result, attestation=attest(statements)))
    assert decision.refusal is not None
    assert decision.refusal["code"] == "result_mismatch"


def test_only_named_nodes_count_where_nodes_are_named(sealed: Market, uploads: Uploads, tmp_path: Path) -> None:
    """Against terms that name a panel of the attacker's own."""
    keys = [node["bls"] for node in sealed.make_terms()["panel"]["nodes"]]
    order = sealed.order()
    query = sealed.query(order, ALL)
    uploads.take(query)
    task = sealed.task(order, query)
    strict = replace(sealed, vault=vault_of(sealed, tmp_path, Word(uploads.get, frozenset(keys[:2]))))
    decision = strict.decide(task)
    assert decision.refusal is not None
    assert (decision.refusal["code"], decision.refusal["found"]) == ("node_not_accepted", keys[2])
    wide = Vault(
        sealed.supplier, sealed.vault.folder, strict.vault.store, DEPLOYMENT, word=Word(uploads.get, frozenset(keys))
    )
    order = sealed.order("other")
    query = sealed.query(order, ALL)
    uploads.take(query)
    assert replace(sealed, vault=wide).decide(sealed.task(order, query)).release is not None


def test_a_custodian_may_take_the_panels_word_too(tmp_path: Path) -> None:
    market = open_split_market(tmp_path)
    uploads = Uploads(market)
    own = market.custodian.keys
    keys = frozenset(node["bls"] for node in market.make_terms()["panel"]["nodes"])

    def never(_: str) -> bytes:
        raise NotFoundError("blob_not_here", "a blob was asked for")

    store = PrivacyStore(tmp_path / "attested.sqlite", Cipher(own.seed))
    word = Word(uploads.get, keys)
    market.custodian = Custodian(
        own, market.custodian.halves, store, DEPLOYMENT, columns=SealedColumns(never), word=word
    )
    order = market.order()
    query = market.query(order, ALL, 5_000_000)
    uploads.take(query)
    task = market.approved(market.task(order, query))
    answer = market.answer(order, task, market.add(task, NOW))
    assert abs(answer.numbers[0]["rows"] - len(market.rows)) < 40


def test_a_request_is_read_exactly_and_nothing_else_is(sealed: Market) -> None:
    order = sealed.order()
    query = sealed.query(order, ALL)
    plan = make_plan(sealed.manifest, query)
    number: Any = next(iter(evaluate_plan(sealed.manifest, plan, SealedColumns(sealed.dataset.blob))))
    data = number.request()
    assert (read_request(number.profile, data) == number.c1).all()
    for bad in (b"", data[:-1], data + b"\0", b"x" + data[1:], data[:-8] + b"\xff" * 8):
        with pytest.raises(MalformedInput):
            read_request(number.profile, bad)
