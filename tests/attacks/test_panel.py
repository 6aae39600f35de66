"""A panel that lies, alone or together, to a vault that evaluates for itself and to one that takes the panel's word.

Guards: a threshold of nodes; the vault's own evaluation (`rederive`, the default). What giving the second up costs is
shown here in full: a threshold of liars with one paying accomplice reads the whole key in five questions.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from crypto.seal.cells import decrypt_chunk
from crypto.seal.evaluate import evaluate_sum
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import CELLS
from crypto.seal.release import combine
from crypto.seal.splitting import HalfKey, join
from marketplace.documents import Document, column_chunks
from marketplace.errors import VerificationError
from marketplace.panel.evaluate import PanelNode
from marketplace.queries.answers.answer import assemble
from marketplace.queries.evaluation import SealedColumns, evaluate_plan
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.protocol.shares import open_shares
from marketplace.vault.decisions.cases import Decision, Word
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from tests.attacks.chance import most_by_chance
from tests.attacks.liars import DIGITS, Uploads, as_key, coefficients, lie, probe
from tests.attacks.scene import EXACT, GUARDED, SCHEMA, STREETS, make_streets, open_alone, rich_order, secrets_of
from tests.sealed_market import DEPLOYMENT, Market, Order, keys
from tests.split_market import SplitMarket, open_split_market

COUNTS = "SELECT street, COUNT(*), COUNT(score) FROM f GROUP BY street"
EPSILON = 5_000_000
TARGETS = [3 * street + 2 for street in range(len(STREETS))]
NUMBERS = 2 * len(STREETS)
QUESTIONS = -(-CELLS.degree // (DIGITS * NUMBERS))


@pytest.fixture
def market(sealed_streets: Market) -> Market:
    """The streets before a panel of three."""
    columns = SealedColumns(sealed_streets.dataset.blob)
    return replace(sealed_streets, nodes=[PanelNode(keys(f"node {number}"), columns) for number in range(3)])


def trusting(market: Market, folder: Path, uploads: Uploads) -> Market:
    """With a vault that takes the panel's word."""
    store = PrivacyStore(folder / "trusting.sqlite", Cipher(market.supplier.seed))
    word = Word(uploads.get)
    return replace(market, vault=Vault(market.supplier, market.vault.folder, store, DEPLOYMENT, word=word))


def deriving(market: Market, folder: Path) -> Market:
    """With a vault that evaluates for itself."""
    store = PrivacyStore(folder / "deriving.sqlite", Cipher(market.supplier.seed))
    return replace(market, vault=Vault(market.supplier, market.vault.folder, store, DEPLOYMENT))


def probed(market: Market, uploads: Uploads, liars: int, number: int = 0) -> tuple[Order, Decision]:
    """A permitted question about counts, answered with probes of the key, `liars` nodes attesting."""
    order = rich_order(market, **GUARDED)
    query = market.query(order, COUNTS, EPSILON - number)
    first = number * NUMBERS * DIGITS
    places = [min(first + index * DIGITS, CELLS.degree - 1) for index in range(NUMBERS)]
    return order, market.decide(lie(market, order, query, [probe(CELLS, at) for at in places], uploads, liars=liars))


def read(order: Order, decision: Decision) -> list[int]:
    """The coefficients that the accomplice finds in its shares."""
    assert decision.shares is not None, decision.refusal
    shares = open_shares(decision.shares, order.buyer.x25519)
    return [digit for index in sorted(shares) for digit in coefficients(CELLS, shares[index])]


def code_of(decision: Decision) -> str:
    assert decision.refusal is not None
    assert decision.shares is None
    return str(decision.refusal["code"])


def test_a_lying_majority_reads_the_whole_key_of_a_vault_that_believes_it(market: Market, tmp_path: Path) -> None:
    """Five questions at epsilon 5 each, paid for and permitted; then every sealed value, without noise, for ever."""
    uploads = Uploads()
    fooled = trusting(market, tmp_path, uploads)
    digits = [digit for number in range(QUESTIONS) for digit in read(*probed(fooled, uploads, 2, number))]
    stolen = SealingKey(CELLS, as_key(digits, CELLS))
    assert stolen.to_bytes() == market.dataset.whole_ring[0].to_bytes()
    (chunk,) = column_chunks(market.manifest["batches"][0], 0, "sum:score")
    values = decrypt_chunk(stolen, market.dataset.blob(chunk["blob"]))
    assert [int(values[cell]) for cell in TARGETS] == secrets_of(market.rows)
    assert QUESTIONS == 5
    assert fooled.vault.store.spent(market.series) < 25_000_000


@pytest.mark.parametrize("liars", [2, 3])
def test_a_vault_that_evaluates_for_itself_gives_no_majority_a_share(
    market: Market, tmp_path: Path, liars: int
) -> None:
    own = deriving(market, tmp_path)
    assert code_of(probed(own, Uploads(), liars)[1]) == "result_not_reproduced"
    assert own.vault.store.spent(market.series) == 0


def test_one_liar_is_enough_where_terms_ask_for_one(market: Market, tmp_path: Path) -> None:
    uploads = Uploads()
    alone = trusting(replace(market, nodes=market.nodes[:1]), tmp_path, uploads)
    key = market.dataset.whole_ring[0].coefficients().tolist()
    assert read(*probed(alone, uploads, 1)) == key[: NUMBERS * DIGITS]


def test_one_liar_of_three_is_too_few(market: Market, tmp_path: Path) -> None:
    uploads = Uploads()
    fooled = trusting(market, tmp_path, uploads)
    assert code_of(probed(fooled, uploads, 1)[1]) == "attestation_too_few"
    assert fooled.vault.store.spent(market.series) == 0


def test_one_liar_of_three_does_not_hold_up_an_answer(market: Market, tmp_path: Path) -> None:
    own = deriving(market, tmp_path)
    order = rich_order(market, **GUARDED)
    query = market.query(order, COUNTS, EXACT)
    honest = own.task(order, query)
    decision = own.decide(honest)
    answer = assemble(own.received(order, honest, decision), order.buyer.x25519, DEPLOYMENT)
    assert {numbers["rows"] for numbers in answer.numbers} == {25}


# -- the decryption oracle: a permitted question, answered with a cell that nobody may see


def decrypted(market: Market, uploads: Uploads) -> tuple[Order, Document, Decision]:
    """The sums of the streets are asked for; what is handed in is each street's target, as sealed."""
    order = rich_order(market, **GUARDED)
    query = market.query(order, "SELECT street, SUM(score) FROM f GROUP BY street", EXACT)
    column = SealedColumns(market.dataset.blob).column(market.manifest, market.manifest["batches"][0], 0, "sum:score")
    numbers = [evaluate_sum(CELLS, column, [cell]) for cell in TARGETS]
    task = lie(market, order, query, numbers, uploads, liars=2)
    return order, task.result, market.decide(task)


def test_a_vault_that_believes_its_panel_decrypts_single_cells(market: Market, tmp_path: Path) -> None:
    """No cohort stands in the way: it looks at the cells of the question that was asked."""
    uploads = Uploads()
    fooled = trusting(market, tmp_path, uploads)
    order, result, decision = decrypted(fooled, uploads)
    assert decision.shares is not None
    shares = open_shares(decision.shares, order.buyer.x25519)
    found = [combine(CELLS, int(entry["c0"], 16), shares[place]) for place, entry in enumerate(result["numbers"])]
    assert found == secrets_of(market.rows)


def test_a_vault_that_evaluates_for_itself_decrypts_nothing_else(market: Market, tmp_path: Path) -> None:
    own = deriving(market, tmp_path)
    *_, decision = decrypted(own, Uploads())
    assert code_of(decision) == "result_not_reproduced"


# -- padded rows: the vault answers for the places that the question takes, and looks at no request


def test_padded_rows_give_a_lying_majority_a_wrong_figure_and_nothing_else(tmp_path: Path) -> None:
    """Sums of the targets under the streets' shares are anything at all, and the buyer refuses them."""
    padded = open_alone(tmp_path, SCHEMA | {"forms": ["rows"], "rows": {"perCell": 12}}, make_streets())
    uploads, columns = Uploads(), SealedColumns(padded.dataset.blob)
    nodes = [PanelNode(keys(f"node {number}"), columns) for number in range(3)]
    fooled = trusting(replace(padded, nodes=nodes), tmp_path, uploads)
    order = rich_order(fooled, **GUARDED)
    targets = fooled.query(order, "SELECT street, SUM(score) FROM f WHERE side = 'target' GROUP BY street", EXACT)
    numbers = list(evaluate_plan(fooled.manifest, make_plan(fooled.manifest, targets), columns))
    query = fooled.query(order, "SELECT street, SUM(score) FROM f GROUP BY street", EXACT)
    task = lie(fooled, order, query, numbers, uploads, liars=2)
    decision = fooled.decide(task)
    assert decision.release is not None, decision.refusal
    with pytest.raises(VerificationError) as caught:
        assemble(fooled.received(order, task, decision), order.buyer.x25519, DEPLOYMENT)
    assert caught.value.code == "number_out_of_range"


# -- a split key: the vault believes the panel, its custodian evaluates for itself


def test_a_custodian_that_evaluates_leaves_a_fooled_vaults_share_worthless(tmp_path: Path) -> None:
    market, uploads = open_split_market(tmp_path), Uploads()
    key = _joined(market)
    store = PrivacyStore(tmp_path / "trusting.sqlite", Cipher(market.supplier.seed))
    market.vault = Vault(market.supplier, market.vault.folder, store, DEPLOYMENT, word=Word(uploads.get))
    order = market.order()
    query = market.query(order, "SELECT month, COUNT(*) FROM f GROUP BY month", EPSILON)
    probes = [probe(CELLS, place * DIGITS) for place in range(4)]
    task = market.approved(lie(market, order, query, probes, uploads, liars=2))
    assert code_of(market.add(task)) == "result_not_reproduced"
    read_off = read(order, Decision(task.release, task.shares))
    right = sum(mine == true for mine, true in zip(read_off, key, strict=False))
    assert right <= most_by_chance(4 * DIGITS, 1 / 3)


def _joined(market: SplitMarket) -> list[int]:
    """The key that both halves make, for comparing."""
    mine, theirs = market.dataset.ring[0], market.custodian.halves.open(market.dataset.digest).ring[0]
    assert isinstance(mine, HalfKey)
    found: list[int] = join(mine, theirs).coefficients().tolist()
    return found
