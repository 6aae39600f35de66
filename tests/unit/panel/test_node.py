"""A node computes what was asked on the data that were named, or nothing."""

from pathlib import Path
from typing import Any

import pytest

from crypto.bls import public_key
from crypto.canonical import sha256, to_hex
from crypto.seal.release import combine, release_share
from marketplace.documents import Document, all_chunks, ciphertext_root, digest
from marketplace.errors import InvalidInputError, MarketplaceError, VerificationError
from marketplace.panel.evaluate import PanelNode
from marketplace.queries.evaluation import SealedColumns, evaluate_plan
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.protocol.statements import attest, check_statement
from tests.sealed_market import Market, keys, open_market

SQL = "SELECT origin, COUNT(*), COUNT(delay), SUM(fare) FROM f WHERE month BETWEEN 1 AND 2 GROUP BY origin"


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("market"))


def test_without_noise_the_numbers_are_exact(market: Market) -> None:
    query = market.query(market.order(), SQL)
    plan = make_plan(market.manifest, query)
    numbers: Any = evaluate_plan(market.manifest, plan, SealedColumns(market.dataset.blob))
    for entry, number in zip(plan.numbers, numbers, strict=True):
        share = release_share(market.dataset.ring[0], number.c1, 0)
        mine = [row for row in market.rows if row["origin"] == entry.group[0] and row["month"] in ("1", "2")]
        truth = {
            "rows": len(mine),
            "n:delay": sum(row["delay"] != "NA" for row in mine),
            "sum:fare": sum(round(float(row["fare"]) * 100) for row in mine),
        }
        assert combine(number.profile, number.c0, share) == truth[entry.statistic]


def test_all_nodes_sign_the_same_result(market: Market) -> None:
    query = market.query(market.order(), SQL)
    done = market.evaluate(query)
    assert len({digest(item.result) for item in done}) == 1
    for node, item in zip(market.nodes, done, strict=True):
        check_statement(item.statement, to_hex(public_key(node.keys.bls_secret)))
    assert attest([item.statement for item in done])["signers"] == [node.keys.address for node in market.nodes]


def test_statements_about_different_results_are_not_aggregated(market: Market) -> None:
    one, other = (market.evaluate(market.query(market.order(), SQL))[0].statement for _ in range(2))
    with pytest.raises(VerificationError, match="not about one result"):
        attest([one, {**other, "node": keys("node 1").address}])
    with pytest.raises(VerificationError, match="not about one result"):
        attest([one, one])


def test_a_forged_statement_is_found(market: Market) -> None:
    statement = market.evaluate(market.query(market.order(), SQL))[0].statement
    with pytest.raises(VerificationError, match="does not verify"):
        check_statement(statement, to_hex(public_key(keys("node 1").bls_secret)))


def test_data_and_query_must_belong_together(market: Market) -> None:
    query = market.query(market.order(), SQL)
    with pytest.raises(VerificationError, match="other sealed data"):
        market.nodes[0].evaluate(market.manifest, {**query, "ciphertextRoot": "0x" + "00" * 32})
    with pytest.raises(InvalidInputError, match="foreign parameters"):
        market.nodes[0].evaluate(
            {**market.manifest, "forms": [{**market.manifest["forms"][0], "profile": "bfv-tiny"}]}, query
        )


@pytest.mark.parametrize("damage", ["truncated", "altered", "exchanged"])
def test_a_damaged_ciphertext_is_named(market: Market, damage: str) -> None:
    names = [chunk["blob"] for chunk in all_chunks(market.manifest)]

    def fetch(name: str) -> bytes:
        data = market.dataset.blob(name)
        changed = {"truncated": data[:-1], "altered": data[:-1] + bytes([data[-1] ^ 1])}
        return changed.get(damage) or market.dataset.blob(names[1] if name == names[0] else names[0])

    node = PanelNode(keys("node 0"), SealedColumns(fetch))
    with pytest.raises(VerificationError) as caught:
        node.evaluate(market.manifest, market.query(market.order(), SQL))
    assert caught.value.code == "blob_altered"
    assert names[0] in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"sealed", b"\x00" * 196_736, b"\xff" * (1 << 20)])
def test_a_blob_that_is_no_ciphertext_is_refused(market: Market, content: bytes) -> None:
    """A hostile supplier's manifest may name any bytes by their true digest."""
    name = to_hex(sha256(content))
    (batch,) = market.manifest["batches"]
    columns = [{**column, "chunks": [{"blob": name, "size": 1}]} for column in batch["columns"]]
    manifest: Document = {**market.manifest, "batches": [{**batch, "columns": columns}]}
    query = {**market.query(market.order(), SQL), "ciphertextRoot": ciphertext_root(manifest)}
    with pytest.raises(VerificationError) as caught:
        PanelNode(keys("node 0"), SealedColumns(lambda _: content)).evaluate(manifest, query)
    assert caught.value.code == "blob_malformed"


def test_a_column_of_another_length_is_refused(market: Market) -> None:
    dimensions = [dict(item) for item in market.manifest["dimensions"]]
    dimensions[0]["categories"] = [*dimensions[0]["categories"], "SFO"]
    with pytest.raises(VerificationError, match="one value for each cell"):
        market.nodes[0].evaluate({**market.manifest, "dimensions": dimensions}, market.query(market.order(), SQL))


@pytest.mark.parametrize("value", [None, [], {}, {"type": "query"}, "query"])
def test_a_malformed_task_is_refused(market: Market, value: Any, tmp_path: Path) -> None:
    with pytest.raises(MarketplaceError):
        market.nodes[0].evaluate(market.manifest, value)
    with pytest.raises(MarketplaceError):
        market.nodes[0].evaluate(value, market.query(market.order(), SQL))
