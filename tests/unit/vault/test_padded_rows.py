"""The form of padded rows from the file to the answer: the numbers that cells give, and nothing told by the layout."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto.canonical import load_json, sha256, to_hex
from crypto.errors import CryptoError
from crypto.seal.pad_keys import PadKey, Sheet
from crypto.seal.pad_sums import Runs
from crypto.seal.pad_wire import CHUNK, PADS_64, read_chunk
from crypto.seal.pads import PadProof, release_padded, seal_padded
from marketplace.documents import SALT, Document, column_chunks, validate_manifest
from marketplace.errors import InvalidInputError, RuleError, VerificationError
from marketplace.queries.answers.answer import Answer, assemble
from marketplace.queries.evaluation import SealedColumns, evaluate_plan, number_entry, result_document
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.protocol.handover import VaultTask
from marketplace.queries.protocol.opening import opener
from marketplace.queries.protocol.shares import open_shares
from marketplace.queries.protocol.statements import attest, sign_result
from marketplace.vault.custodian.decision import Custodian
from marketplace.vault.decisions.cases import Word
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.custody import Deposit, card_of, open_package
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.refreshing import refresh
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from marketplace.vault.sealing.dataset import seal_file
from marketplace.vault.sealing.resealing import reseal
from marketplace.vault.sealing.schema import parse_schema
from marketplace.vault.sealing.updates import append_batch, correct_batch, withdraw_batch
from tests.sealed_market import (
    DEPLOYMENT,
    NOW,
    SCHEMA,
    Market,
    Row,
    keys,
    make_rows,
    open_market,
    with_version,
    write_csv,
)
from tests.split_market import SplitMarket, open_split_market

JOINT = {"joints": [{"measures": ["delay", "fare"]}]}
ROWS = SCHEMA | JOINT | {"forms": ["rows"], "rows": {"perCell": 60}}
LARGE = SCHEMA | {"forms": ["rows"], "rows": {"perCell": 2500}}  # more than a chunk
EVERYTHING = ["COUNT", "SUM", "MEAN", "VARIANCE", "STDDEV", "SCORE", "WSUM", "WMEAN"]
QUESTIONS = [
    "SELECT COUNT(*) FROM f",
    "SELECT origin, COUNT(*), AVG(delay), VARIANCE(delay) FROM f GROUP BY origin",
    "SELECT month, SUM(fare) FROM f WHERE origin IN ('EWR', 'LGA') GROUP BY month",
    "SELECT STDDEV(fare), COUNT(delay) FROM f WHERE NOT (origin = 'JFK' OR month BETWEEN 2 AND 3)",
    "SELECT SUM(SCORE(2 * delay - 3 * fare)), AVG(SCORE(delay + 4 * fare + 1)) FROM f WHERE carrier = 'AA'",
    "SELECT origin, WSUM(fare, month, '1', 2, '3', -4), WMEAN(delay, month, '1', 1, '4', 2) FROM f GROUP BY origin",
]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("rows"), ROWS)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return open_market(tmp_path_factory.mktemp("cells"), SCHEMA | JOINT)


def ask(market: Market, sql: str, epsilon: int = 5_000_000) -> Answer:
    answer = market.ask(market.order(cap=900_000_000, computations=EVERYTHING), sql, epsilon)
    assert isinstance(answer, Answer), answer
    return answer


def refused(market: Market, sql: str) -> Document:
    answer = market.ask(market.order(computations=EVERYTHING), sql)
    assert not isinstance(answer, Answer)
    return answer


def budgeted(market: Market, tmp_path: Path) -> Market:
    """The data with a fresh account, and all the budget that a test wants."""
    store = PrivacyStore(tmp_path / "account.sqlite", Cipher(market.supplier.seed))
    vault = Vault(market.supplier, market.vault.folder, store, DEPLOYMENT)
    return replace(market, vault=vault, budget=900_000_000)


@pytest.mark.parametrize("sql", QUESTIONS)
def test_rows_give_the_numbers_that_cells_give(
    sealed: Market, cells: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    """Number for number, with the noise held still."""
    monkeypatch.setattr("crypto.seal.privacy.Noise.draw", lambda _: -3)
    one, other = (ask(budgeted(market, tmp_path), sql) for market in (sealed, cells))
    assert one.numbers == other.numbers
    assert (one.groups, one.noise, one.suppressed) == (other.groups, other.noise, other.suppressed)


def test_answers_are_noisy_and_repeated_as_they_were(sealed: Market, tmp_path: Path) -> None:
    market = budgeted(sealed, tmp_path)
    first, again = (ask(market, "SELECT COUNT(*) FROM f", 100_000) for _ in range(2))
    assert first.numbers == again.numbers
    assert (first.epsilon, again.epsilon) == (100_000, 0)
    others = {ask(market, "SELECT COUNT(*) FROM f", 100_000 + step).numbers[0]["rows"] for step in range(1, 6)}
    assert len(others) > 1
    assert all(abs(value - 400) < 460 for value in others)


def test_a_small_cohort_is_suppressed_as_ever(sealed: Market, tmp_path: Path) -> None:
    answer = ask(budgeted(sealed, tmp_path), "SELECT carrier, COUNT(*) FROM f GROUP BY carrier")
    assert ("HA",) in answer.suppressed


def test_the_layout_does_not_follow_the_data(tmp_path: Path) -> None:
    """Other rows, other counts in every cell, another total: blobs of the same number and sizes, in the same order."""
    sizes = []
    for name, rows in (("one", make_rows()), ("other", [row for row in make_rows(300) if row["origin"] != "LGA"])):
        (tmp_path / name).mkdir()
        manifest = open_market(tmp_path / name, ROWS, rows).manifest
        (batch,) = manifest["batches"]
        sizes.append([(item["name"], [chunk["size"] for chunk in item["chunks"]]) for item in batch["columns"]])
    assert sizes[0] == sizes[1]


def test_places_without_rows_hold_zeros(sealed: Market) -> None:
    """Opened by the key's owner: of every cell its rows first, then zeros, in every column."""
    key, (batch,) = sealed.dataset.whole_ring[0], sealed.manifest["batches"]
    assert isinstance(key, PadKey)
    salt = sealed.dataset.blob(column_chunks(batch, 0, SALT)[0]["blob"])
    for name in ("rows", "n:delay", "sum:delay", "sumsq:fare"):
        (chunk,) = column_chunks(batch, 0, name)
        words = read_chunk(PADS_64, sealed.dataset.blob(chunk["blob"])).words
        pads = np.diff(key.words(Sheet(0, name, salt), 0, words.size + 1))
        values = (words - pads).view(np.int64).reshape(36, 60)
        assert (values[:, 40:] == 0).all()
        if name == "rows":
            assert values.sum() == 400
            assert all(sorted(cell.tolist(), reverse=True) == cell.tolist() for cell in values)
        if name == "sum:delay":
            assert values.sum() == sum(int(row["delay"]) for row in sealed.rows if row["delay"] != "NA")


def test_more_rows_than_places_are_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        open_market(tmp_path, SCHEMA | {"forms": ["rows"], "rows": {"perCell": 10}})
    assert caught.value.code == "too_few_places"
    assert list((tmp_path / "vault" / "datasets").iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"forms": ["rows"]},
        {"rows": {"perCell": 10}},
        {"forms": ["rows"], "rows": {"perCell": 0}},
        {"forms": ["rows"], "rows": {"perCell": 10, "bits": 32}},
        {"forms": ["rows"], "rows": {"bits": 64}},
        {"forms": ["rows"], "rows": {"perCell": 10}, "prefix": "month"},
    ],
)
def test_a_declaration_of_rows_is_whole_or_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        parse_schema(SCHEMA | change)


SMALL = SCHEMA | {"measures": SCHEMA["measures"][:1], "forms": ["rows"], "rows": {"perCell": 60, "bits": 24}}


def test_three_bytes_a_value_answer_what_fits_and_refuse_what_could_wrap(tmp_path: Path) -> None:
    rows = [{name: value for name, value in row.items() if name != "fare"} for row in make_rows()]
    market = budgeted(open_market(tmp_path, SMALL, rows), tmp_path)
    (batch,) = market.manifest["batches"]
    (chunk,) = column_chunks(batch, 0, "sum:delay")
    assert chunk["size"] < 36 * 60 * 3 + 100
    answer = ask(market, "SELECT COUNT(*), SUM(delay) FROM f")
    true = sum(int(row["delay"]) for row in rows if row["delay"] != "NA")
    assert abs(answer.numbers[0]["sum:delay"] - true) < 46 * 200
    with pytest.raises(RuleError) as caught:  # 400 rows x 200^2 exceed 2^23: no plan, so no question
        ask(market, "SELECT VARIANCE(delay) FROM f")
    assert caught.value.code == "result_may_wrap"


def test_values_too_wide_for_the_width_are_not_sealed(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        open_market(tmp_path, SCHEMA | {"forms": ["rows"], "rows": {"perCell": 60, "bits": 24}})
    assert caught.value.code == "bounds_too_wide"


def test_both_forms_may_stand_beside_each_other_and_the_cheaper_one_answers(tmp_path: Path) -> None:
    schema = SCHEMA | {"forms": ["cells", "rows"], "rows": {"perCell": 60}}
    schema |= {"measures": [{**SCHEMA["measures"][0], "bins": [0, 15]}, SCHEMA["measures"][1]]}
    market = budgeted(open_market(tmp_path, schema), tmp_path)
    plan = make_plan(market.manifest, market.query(market.order(), QUESTIONS[1]))
    assert market.manifest["forms"][plan.form]["form"] == "rows", "no lattice is the cheaper one here"
    assert abs(ask(market, QUESTIONS[0]).numbers[0]["rows"] - 400) < 20
    binned = market.query(market.order(), "SELECT HISTOGRAM(delay) FROM f")
    assert market.manifest["forms"][make_plan(market.manifest, binned).form]["form"] == "cells"


def test_a_hidden_dimension_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    hidden = [{**item, "hidden": item["name"] == "carrier"} for item in SCHEMA["dimensions"]]
    market = budgeted(open_market(tmp_path, ROWS | {"dimensions": hidden, "rows": {"perCell": 60}}), tmp_path)
    assert abs(ask(market, "SELECT COUNT(*) FROM f").numbers[0]["rows"] - 400) < 20
    with pytest.raises(RuleError) as caught:
        ask(market, "SELECT COUNT(*) FROM f WHERE carrier = 'AA'")
    assert caught.value.code == "dimension_hidden"


def test_columns_of_several_chunks_and_only_those_that_are_touched_are_fetched(tmp_path: Path) -> None:
    market = budgeted(open_market(tmp_path, LARGE), tmp_path)
    (batch,) = market.manifest["batches"]
    assert len(column_chunks(batch, 0, "sum:fare")) == -(-36 * 2500 // CHUNK) == 2
    fetched: list[str] = []

    def fetch(name: str) -> bytes:
        fetched.append(name)
        return market.dataset.blob(name)

    query = market.query(market.order(), "SELECT SUM(fare) FROM f WHERE origin = 'EWR'")
    plan = make_plan(market.manifest, query)
    list(evaluate_plan(market.manifest, plan, SealedColumns(fetch)))
    touched = {column_chunks(batch, 0, name)[0]["blob"] for name in (SALT, "sum:fare")}
    assert set(fetched) == touched
    answer = ask(market, "SELECT origin, SUM(fare) FROM f GROUP BY origin")
    for (origin,), numbers in zip(answer.groups, answer.numbers, strict=True):
        true = sum(round(float(row["fare"]) * 100) for row in market.rows if row["origin"] == origin)
        assert abs(numbers["sum:fare"] - true) < 46 * 100_000 / 5


def test_a_killed_sealing_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from marketplace.vault.sealing import sealers

    folder = VaultFolder(tmp_path / "vault", Cipher(bytes(32)))
    path = write_csv(tmp_path / "rows.csv", make_rows())
    own = keys("supplier").address
    made = list[bytes]()

    def seal() -> Dataset:
        return seal_file(path, parse_schema(LARGE), folder, holder=own, release_key=own, now=NOW)

    def sealing(*arguments: Any) -> bytes:
        made.append(seal_padded(*arguments))
        return made[-1]

    def failing(*arguments: Any) -> bytes:
        if len(made) == 9:
            raise KeyboardInterrupt
        return sealing(*arguments)

    monkeypatch.setattr(sealers, "seal_padded", failing)
    with pytest.raises(KeyboardInterrupt):
        seal()
    before = {to_hex(sha256(blob)) for blob in made}
    monkeypatch.setattr(sealers, "seal_padded", sealing)
    manifest = seal().manifest
    after = {chunk["blob"] for item in manifest["batches"][0]["columns"] for chunk in item["chunks"]}
    assert before < after, "what was sealed is kept"
    assert len(made) == len(after) - 1 == 14, "each chunk but the salt is sealed once"


def salt_of(dataset: Dataset, place: int) -> bytes:
    return dataset.blob(column_chunks(dataset.manifest["batches"][place], 0, SALT)[0]["blob"])


def test_updates_take_a_sheet_of_their_own_and_answers_follow(tmp_path: Path) -> None:
    market = budgeted(open_market(tmp_path, ROWS), tmp_path)
    more, schema = write_csv(tmp_path / "more.csv", make_rows(90)), parse_schema(ROWS)
    second = append_batch(more, schema, market.vault.folder, market.dataset, "more", now=NOW + 1)
    third = correct_batch(more, schema, market.vault.folder, second, "more", now=NOW + 2)
    salts = [salt_of(market.dataset, 0), salt_of(second, 1), salt_of(third, 1)]
    assert len(set(salts)) == 3
    assert salt_of(second, 0) == salts[0]
    for dataset, rows in ((second, 490), (third, 490)):
        answer = ask(with_version(market, dataset), "SELECT COUNT(*) FROM f")
        assert abs(answer.numbers[0]["rows"] - rows) < 20
    last = withdraw_batch(market.vault.folder, third, "more", now=NOW + 3)
    assert abs(ask(with_version(market, last), "SELECT COUNT(*) FROM f", 4_000_000).numbers[0]["rows"] - 400) < 20


def evaluated(manifest: Document, fetch: Callable[[str], bytes], query: Document) -> list[Any]:
    return list(evaluate_plan(manifest, make_plan(manifest, query), SealedColumns(fetch)))


@pytest.mark.parametrize("change", ["salt", "byte", "chunk of another column's sheet", "one chunk too few"])
def test_blobs_that_are_not_the_batchs_are_refused(tmp_path: Path, change: str) -> None:
    market = open_market(tmp_path, LARGE)
    query, manifest = market.query(market.order(), "SELECT SUM(fare) FROM f"), json.loads(json.dumps(market.manifest))
    columns = {item["name"]: item["chunks"] for item in manifest["batches"][0]["columns"]}
    blobs = {chunk["blob"]: market.dataset.blob(chunk["blob"]) for item in columns.values() for chunk in item}
    if change == "salt":
        other = bytes(16)
        columns[SALT][0]["blob"] = to_hex(sha256(other))
        blobs[columns[SALT][0]["blob"]] = other
    elif change == "byte":
        blobs[columns["sum:fare"][0]["blob"]] = b"x" + blobs[columns["sum:fare"][0]["blob"]][1:]
    elif change == "one chunk too few":
        columns["sum:fare"].pop()
    else:
        columns["sum:fare"].reverse()
    with pytest.raises(VerificationError):
        evaluated(manifest, blobs.__getitem__, query)


def test_a_foreign_parameter_set_is_refused(sealed: Market) -> None:
    manifest = {**sealed.manifest, "forms": [{"form": "rows", "profile": "bfv-8192-cells-1", "places": 60}]}
    query = sealed.query(sealed.order(), "SELECT COUNT(*) FROM f")
    with pytest.raises(InvalidInputError) as caught:
        sealed.nodes[0].evaluate(manifest, query)
    assert caught.value.code == "foreign_parameters"


def test_a_salt_of_another_size_is_no_manifest(sealed: Market) -> None:
    manifest = json.loads(json.dumps(sealed.manifest))
    next(item for item in manifest["batches"][0]["columns"] if item["name"] == SALT)["chunks"][0]["size"] = 17
    with pytest.raises(InvalidInputError, match="salt"):
        validate_manifest(manifest)


def test_an_attested_vault_takes_nothing_from_anybody(sealed: Market, tmp_path: Path) -> None:
    """It answers from the plan: no request is uploaded, and the panel's word is for the number alone."""

    def never(*_: object) -> bytes:
        raise AssertionError("a request was asked for")

    market = budgeted(sealed, tmp_path)
    market.vault.word = Word(never)
    query = market.query(market.order(), "SELECT COUNT(*) FROM f")
    assert [entry["c1"] for entry in market.evaluate(query)[0].result["numbers"]] == [None]
    assert abs(ask(market, "SELECT COUNT(*) FROM f").numbers[0]["rows"] - 400) < 20


def lie(market: Market, about: str) -> tuple[Any, VaultTask]:
    """A task whose result all nodes attest: it carries the sum of another question in place of the number of rows."""
    order = market.order(computations=EVERYTHING)
    query, other = market.query(order, "SELECT COUNT(*) FROM f"), market.query(order, about)
    entries = [number_entry(number) for number in evaluated(market.manifest, market.dataset.blob, other)]
    result = result_document(query, make_plan(market.manifest, query), entries)
    signed = [sign_result(result, node.keys.address, node.keys.bls_secret) for node in market.nodes]
    return order, market.task(order, query, result=result, attestation=attest(signed))


def test_a_lying_panel_gets_no_share_for_another_question(sealed: Market, tmp_path: Path) -> None:
    """Not even of a vault that takes its word: the share takes away the pads of all rows, so the six rows of HA that
    the panel added up stay padded, and what comes out is as good as drawn at random."""
    market = budgeted(sealed, tmp_path)
    market.vault.word = Word(lambda *_: b"")
    order, task = lie(market, "SELECT COUNT(*) FROM f WHERE carrier = 'HA'")
    decision = market.decide(task)
    assert decision.shares is not None, decision.refusal
    share = open_shares(decision.shares, order.buyer.x25519)[0]
    c0 = int(task.result["numbers"][0]["c0"], 16)
    assert abs(opener(market.manifest, 0).combine("pads-64-1", c0, [share])) > 1 << 40
    with pytest.raises(VerificationError) as caught:
        assemble(market.received(order, task, decision), order.buyer.x25519, DEPLOYMENT)
    assert caught.value.code == "number_out_of_range"


def test_a_vault_that_adds_up_itself_sees_the_lie(sealed: Market, tmp_path: Path) -> None:
    market = budgeted(sealed, tmp_path)
    _, task = lie(market, "SELECT COUNT(*) FROM f WHERE carrier = 'HA'")
    decision = market.decide(task)
    assert decision.refusal is not None
    assert decision.refusal["code"] == "result_not_reproduced"
    assert market.vault.store.spent(market.series) == 0


def test_a_residue_beyond_the_modulus_or_a_request_is_no_padded_number(sealed: Market) -> None:
    read = opener(sealed.manifest, 0).read
    for c0, request in ((1 << 64, b""), (-1, b""), (0, b"x")):
        with pytest.raises(CryptoError):
            read("pads-64-1", c0, request)


def test_more_places_than_a_column_has_room_for_are_refused(sealed: Market, tmp_path: Path) -> None:
    """By who seals, and by who reads a manifest: it would have them count in places that no column has."""
    most = (1 << 28) // 36 + 1
    with pytest.raises(InvalidInputError, match="places in all public cells"):
        open_market(tmp_path, ROWS | {"rows": {"perCell": most}})
    form = {"form": "rows", "profile": "pads-64-1", "places": most}
    with pytest.raises(InvalidInputError, match="places in all public cells"):
        validate_manifest({**sealed.manifest, "forms": [form]})


def test_sealed_again_the_rows_stand_under_another_key_and_another_salt(tmp_path: Path) -> None:
    market = budgeted(open_market(tmp_path, ROWS), tmp_path)
    sources = {"first": tmp_path / "rows.csv"}
    folder, own = market.vault.folder, market.supplier.address
    new = reseal(sources, parse_schema(ROWS), folder, market.dataset, release_key=own, deposit=None, now=NOW + 1)
    assert new.whole_ring[0].to_bytes() != market.dataset.whole_ring[0].to_bytes()
    assert salt_of(new, 0) != salt_of(market.dataset, 0)
    assert abs(ask(with_version(market, new), "SELECT COUNT(*) FROM f").numbers[0]["rows"] - 400) < 20


# A split key.


@pytest.fixture
def split(tmp_path: Path) -> SplitMarket:
    return open_split_market(tmp_path, ROWS)


def test_two_shares_make_the_answer_and_neither_does_alone(split: SplitMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crypto.seal.privacy.Noise.draw", lambda _: 3)
    answer = split.ask(split.order(), "SELECT COUNT(*) FROM f", 5_000_000)
    assert isinstance(answer, Answer), answer
    assert answer.numbers[0]["rows"] == 400 + 2 * 3
    half = split.dataset.ring[0]
    assert isinstance(half, PadKey)
    assert not half.is_whole
    (batch,) = split.manifest["batches"]
    page = Sheet(0, "rows", split.dataset.blob(column_chunks(batch, 0, SALT)[0]["blob"]))
    share = release_padded(half, [(page, Runs.of(range(36 * 60)))], 0, PadProof(0, 0))
    query = split.query(split.order(), "SELECT COUNT(*) FROM f")
    c0 = int(split.evaluate(query)[0].result["numbers"][0]["c0"], 16)
    assert abs(opener(split.manifest, 0).combine("pads-64-1", c0, [share])) > 1 << 40


def test_the_custodian_of_pads_takes_over_versions_and_nothing_refreshes_them(
    split: SplitMarket, tmp_path: Path
) -> None:
    folder, own = split.vault.folder, split.custodian.keys
    with pytest.raises(RuleError) as caught:
        refresh(folder, split.dataset, Deposit(card_of(own), split.supplier))
    assert caught.value.code == "key_not_movable"
    held = split.custodian.halves.open(split.dataset.digest)
    deposit = Deposit(card_of(own), split.supplier, held.ring)
    more: list[Row] = make_rows(90)
    path = write_csv(tmp_path / "more.csv", more)
    new = append_batch(path, parse_schema(ROWS), folder, split.dataset, "more", now=NOW + 1, deposit=deposit)
    assert new.generation == 1
    split.custodian.halves.take(open_package(load_json(new.custody_file.read_bytes()), own))
    moved = with_version(split, new)
    assert isinstance(moved, SplitMarket)
    halves, store, columns = split.custodian.halves, split.custodian.store, SealedColumns(new.blob)
    moved.custodian = Custodian(own, halves, store, DEPLOYMENT, columns=columns)
    answer = moved.ask(moved.order(), "SELECT COUNT(*) FROM f", 5_000_000)
    assert isinstance(answer, Answer), answer["code"]
    assert abs(answer.numbers[0]["rows"] - 490) < 40
