"""Questions about a hidden dimension: which form answers, what is refused, what the cohort holds back, two holders."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto.canonical import sha256, to_hex
from crypto.seal.parameters import PRODUCTS
from crypto.seal.products import combine_product
from marketplace.documents import Document, validate_result
from marketplace.errors import InvalidInputError, RuleError, VerificationError
from marketplace.queries.answers.answer import Answer, assemble
from marketplace.queries.cohort.differences import Guard
from marketplace.queries.evaluation import SealedColumns, check_profile, evaluate_plan, number_entry
from marketplace.queries.explain import described
from marketplace.queries.planning.forms import prove_plan, survey
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.protocol.requests import attested_numbers
from marketplace.queries.protocol.shares import open_shares
from marketplace.vault.decisions.cases import Word
from marketplace.vault.keeping.custody import Deposit, card_of
from tests.hidden_market import FORMS, HIDDEN, RARE, hidden_rows, open_hidden_market, total
from tests.sealed_market import DEPLOYMENT, Market, Row, keys, open_market
from tests.split_market import SplitMarket, open_custodian

AA = "SELECT COUNT(*), SUM(delay) FROM f WHERE carrier = 'AA'"
EPSILON = 5_000_000


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    made = open_hidden_market(tmp_path_factory.mktemp("hidden"))
    made.budget = 200 * EPSILON
    return made


def ask(market: Market, sql: str, epsilon: int = EPSILON, **terms: Any) -> Answer | Document:
    return market.ask(market.order(cap=100 * EPSILON, **terms), sql, epsilon)


def answered(found: Answer | Document) -> Answer:
    assert isinstance(found, Answer), found
    return found


def refused(found: Answer | Document) -> str:
    assert isinstance(found, dict), found
    return str(found["code"])


def form_of(market: Market, sql: str) -> str:
    plan = make_plan(market.manifest, market.query(market.order(), sql, EPSILON))
    return str(market.manifest["forms"][plan.form]["form"])


def mine_of(rows: list[Row], **labels: str) -> list[Row]:
    return [row for row in rows if all(row[name] == label for name, label in labels.items())]


def test_a_hidden_category_is_answered_from_products_within_the_noise(market: Market) -> None:
    answer = answered(ask(market, AA))
    (row,) = answer.rows()
    truth = mine_of(market.rows, carrier="AA")
    assert abs(row["count"] - len(truth)) < 12 * row["count_se"]
    assert abs(row["sum_delay"] - total(truth, "delay")) < 12 * row["sum_delay_se"]


def test_groups_of_a_hidden_dimension_name_the_rare_category_as_suppressed(market: Market) -> None:
    answer = answered(ask(market, "SELECT carrier, AVG(fare) FROM f GROUP BY carrier"))
    assert [row["carrier"] for row in answer.rows()] in (["AA"], ["B6"]), "the next smallest goes with the rare one"
    assert ("HA",) in answer.suppressed


def test_the_planner_takes_products_only_where_categories_are_told_apart(market: Market) -> None:
    assert form_of(market, AA) == "products"
    assert form_of(market, "SELECT carrier, COUNT(*) FROM f WHERE month = 2 GROUP BY carrier") == "products"
    assert form_of(market, "SELECT SUM(fare) FROM f WHERE carrier IN ('AA', 'B6', 'HA') AND month = 1") == "cells"
    assert form_of(market, "SELECT origin, AVG(delay) FROM f GROUP BY origin") == "cells"
    assert form_of(market, "SELECT VARIANCE(delay) FROM f") == "cells"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT VARIANCE(delay) FROM f WHERE carrier = 'AA'", "dimension_hidden"),
        ("SELECT WSUM(delay, carrier, 'AA', 2, 'B6', 1) FROM f", "dimension_hidden"),
        ("SELECT SUM(SCORE(delay + 2 * fare)) FROM f WHERE carrier = 'AA'", "joint_not_declared"),
        (
            "SELECT COUNT(*) FROM f WHERE (carrier = 'AA' AND month = 1) OR (carrier = 'B6' AND month = 2)",
            "dimension_hidden",
        ),
        ("SELECT COUNT(*) FROM f WHERE carrier = 'XX'", "unknown_category"),
    ],
)
def test_what_products_cannot_answer_is_refused_by_name(market: Market, sql: str, code: str) -> None:
    with pytest.raises((RuleError, InvalidInputError)) as told:
        make_plan(market.manifest, market.query(market.order(), sql, EPSILON))
    assert told.value.code == code


def test_noise_that_products_cannot_hold_is_refused_as_such(market: Market) -> None:
    query = market.query(market.order(), "SELECT SUM(fare) FROM f WHERE carrier = 'AA'", 500)
    with pytest.raises(RuleError) as told:
        make_plan(market.manifest, query)
    assert told.value.code == "result_may_wrap", "not that the cells cannot tell the categories apart"


def test_explain_shows_both_forms_with_the_reason_and_the_price_in_time(market: Market) -> None:
    query = market.query(market.order(), AA, EPSILON)
    plan = make_plan(market.manifest, query)
    told = described(market.manifest, query, plan)
    assert told["form"] == "products"
    cells, products = told["forms"]
    assert (cells["able"], cells["reason"]["code"]) == (False, "dimension_hidden")
    assert products["able"]
    assert products["profile"] == PRODUCTS.name
    assert products["operations"] == 2 * (1 + 1), "a product and an addition for each number"
    batch = market.manifest["batches"][0]
    names = {"counts", "rows", "sum:delay", "ind:carrier:0"}
    sizes = [item["chunks"][0]["size"] for item in batch["columns"] if item["form"] == 1 and item["name"] in names]
    assert products["bytes"] == sum(sizes)
    everything = survey(market.manifest, plan.numbers, plan.statistics, plan.epsilon)
    assert [item.cost is not None for item in everything] == [False, True]


def test_the_proof_is_of_all_rows_with_the_noise_of_the_plan(market: Market) -> None:
    plan = make_plan(market.manifest, market.query(market.order(), AA, EPSILON))
    proven: Any = prove_plan(market.manifest, plan)
    assert proven["sum:delay"].total == len(market.rows) * 200
    assert proven["rows"].total == len(market.rows)
    assert min(item.margin_bits for item in proven.values()) >= 40


def test_the_cohort_counts_the_rows_of_a_hidden_category(market: Market) -> None:
    assert refused(ask(market, "SELECT COUNT(*) FROM f WHERE carrier = 'HA'")) == "cohort_too_small"
    assert refused(ask(market, "SELECT SUM(delay) FROM f WHERE carrier = 'HA' OR carrier = 'HA'")) == "cohort_too_small"


def test_what_is_left_of_public_cells_must_be_a_cohort_too(market: Market) -> None:
    """Counts of public cells are public, so AA and B6 together would tell the count of HA without the noise of two."""
    everywhere = "SELECT COUNT(*) FROM f WHERE carrier <> 'HA'"
    one_cell = "SELECT SUM(fare) FROM f WHERE carrier IN ('AA', 'B6') AND origin = 'JFK' AND month = 2"
    other = "SELECT SUM(fare) FROM f WHERE carrier IN ('AA', 'B6') AND origin = 'EWR' AND month = 2"
    assert refused(ask(market, everywhere)) == "cohort_difference_too_small"
    assert refused(ask(market, one_cell)) == "cohort_difference_too_small"
    answered(ask(market, other))


def test_without_that_rule_the_rare_category_is_a_subtraction_away(tmp_path: Path, monkeypatch: Any) -> None:
    """The attack with the guard off: the public count of a cell less one answer, whose noise one question pays for."""
    market = open_hidden_market(tmp_path)
    market.budget = 200 * EPSILON
    asked = "SELECT COUNT(*) FROM f WHERE carrier IN ('AA', 'B6') AND origin = 'JFK' AND month = 2"
    column = next(item for item in market.manifest["batches"][0]["columns"] if item["name"] == "counts")
    public = np.frombuffer(market.dataset.blob(column["chunks"][0]["blob"]), "<u4")[4 + 1]
    monkeypatch.setattr(Guard, "_far_from_public_cells", lambda _, asked, __: np.ones(asked.count, dtype=np.bool_))
    (numbers,) = answered(ask(market, asked)).numbers
    assert abs(int(public) - numbers["rows"] - RARE) < 4, "but for noise of scale 0.2"


def test_in_cells_alone_the_counts_of_public_cells_are_not_public(tmp_path: Path) -> None:
    market = open_hidden_market(tmp_path, forms=["cells"])
    assert market.dataset.counts.public is None
    assert open_hidden_market(tmp_path / "both").dataset.counts.public is not None


def test_the_same_question_again_costs_nothing_and_draws_nothing(market: Market, monkeypatch: Any) -> None:
    order = market.order(cap=100 * EPSILON)
    sql = "SELECT COUNT(fare) FROM f WHERE carrier = 'B6' AND origin IN ('EWR', 'LGA')"
    first = answered(market.ask(order, sql, EPSILON))

    def never(*_: object) -> Any:
        raise AssertionError("noise or a share was made")

    monkeypatch.setattr("marketplace.vault.decisions.sharing.release_product", never)
    monkeypatch.setattr("crypto.seal.privacy.Noise.draw", never)
    again = answered(market.ask(order, sql, EPSILON))
    assert (again.numbers, again.epsilon) == (first.numbers, 0)


def test_public_cells_without_rows_are_zero_and_suppressed(tmp_path: Path) -> None:
    rows = [row for row in hidden_rows(960) if row["month"] != "4"]
    market = open_hidden_market(tmp_path, rows)
    answer = answered(ask(market, "SELECT month, COUNT(*) FROM f WHERE carrier = 'AA' GROUP BY month"))
    assert {row["month"] for row in answer.rows()} == {"1", "2", "3"}
    assert answer.suppressed == (("4",),)


def test_work_without_bound_is_refused_before_anybody_begins(market: Market, monkeypatch: Any) -> None:
    monkeypatch.setattr("marketplace.queries.planning.forms.products.MAX_PRODUCTS", 3)
    for sql, numbers in (("SELECT COUNT(*) FROM f GROUP BY carrier", 3), (AA, 2)):
        assert len(make_plan(market.manifest, market.query(market.order(), sql, EPSILON)).numbers) == numbers
    with pytest.raises(RuleError) as told:
        make_plan(market.manifest, market.query(market.order(), "SELECT COUNT(*), SUM(fare) FROM f GROUP BY carrier"))
    assert (told.value.code, told.value.got) == ("too_many_products", 6)


# -- two holders of the keys


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> SplitMarket:
    home, own = tmp_path_factory.mktemp("split"), keys("custodian")
    made = open_market(home, HIDDEN, hidden_rows(), Deposit(card_of(own), keys("supplier")))
    market = SplitMarket(**vars(made))
    market.custodian = open_custodian(home, market, own)
    return market


def test_two_holders_answer_about_a_hidden_category_together(split: SplitMarket) -> None:
    answer = answered(ask(split, AA))
    (row,) = answer.rows()
    truth = mine_of(split.rows, carrier="AA")
    assert abs(row["count"] - len(truth)) < 12 * row["count_se"]
    assert abs(row["sum_delay"] - total(truth, "delay")) < 12 * row["sum_delay_se"]
    assert split.dataset.ring.is_half
    half = split.dataset.ring[FORMS.index("products")]
    assert len(half.to_bytes()) == 16 * PRODUCTS.words, "the half and the half of the square"


def test_one_half_opens_nothing(split: SplitMarket) -> None:
    order = split.order(cap=100 * EPSILON)
    query = split.query(order, AA, EPSILON - 1)
    waiting = split.approved(split.task(order, query))
    papers = split.both(order, waiting, split.add(waiting))
    alone = replace(papers, custodian_shares=papers.shares)
    with pytest.raises(VerificationError):
        assemble(alone, order.buyer.x25519, DEPLOYMENT)
    mine, theirs = (open_shares(part, order.buyer.x25519)[0] for part in (papers.shares, papers.custodian_shares or {}))
    c0, truth = int(papers.result["numbers"][0]["c0"], 16), len(mine_of(split.rows, carrier="AA"))
    assert all(abs(combine_product(PRODUCTS, c0, share) - truth) > 10_000 for share in (mine, theirs))
    both = combine_product(PRODUCTS, c0, (mine + theirs) % PRODUCTS.modulus)
    assert abs(both - truth) < 40


# -- the panel's word


def requests_of(market: Market, query: Document) -> dict[str, bytes]:
    plan = make_plan(market.manifest, query)
    numbers = evaluate_plan(market.manifest, plan, SealedColumns(market.dataset.blob))
    return {str(number_entry(number)["c1"]): number.request() for number in numbers}


@pytest.fixture
def attested(market: Market) -> Iterator[dict[str, bytes]]:
    held: dict[str, bytes] = {}
    market.vault.word = Word(lambda _, name: held[name])
    yield held
    market.vault.word = None


def test_an_attested_vault_answers_from_c1_and_c2(market: Market, attested: dict[str, bytes]) -> None:
    order = market.order(cap=100 * EPSILON)
    query = market.query(order, AA, EPSILON - 7)
    attested.update(requests_of(market, query))
    assert all(len(item) > 16 * PRODUCTS.words for item in attested.values()), "both polynomials"
    (row,) = answered(market.take(order, query)).rows()
    assert abs(row["count"] - len(mine_of(market.rows, carrier="AA"))) < 12 * row["count_se"]


def test_an_altered_request_is_not_answered(market: Market, attested: dict[str, bytes]) -> None:
    order = market.order(cap=100 * EPSILON)
    query = market.query(order, AA, EPSILON - 8)
    attested.update({name: data[:-1] + bytes([data[-1] ^ 1]) for name, data in requests_of(market, query).items()})
    assert refused(market.take(order, query)) == "request_altered"


def test_a_result_may_say_that_the_holders_need_nothing_but_not_of_products(market: Market, attested: Any) -> None:
    order = market.order(cap=100 * EPSILON)
    query = market.query(order, AA, EPSILON - 9)
    task = market.task(order, query)
    bare = {**task.result, "numbers": [{**entry, "c1": None} for entry in task.result["numbers"]]}
    assert validate_result(bare) is bare
    plan = make_plan(market.manifest, query)
    with pytest.raises(VerificationError) as told:
        list(attested_numbers(market.manifest, plan, bare, lambda *_: b""))
    assert told.value.code == "request_altered"


# -- foreign data


def test_a_form_must_name_a_parameter_set_of_its_kind(market: Market) -> None:
    first, second = market.manifest["forms"]
    for forms in ([first | {"profile": PRODUCTS.name}, second], [first, second | {"profile": first["profile"]}]):
        with pytest.raises(InvalidInputError) as told:
            check_profile(market.manifest | {"forms": forms})
        assert told.value.code == "foreign_parameters"


def test_counts_that_do_not_add_up_are_refused(market: Market) -> None:
    (batch,) = market.manifest["batches"]
    wrong = market.manifest | {"batches": [{**batch, "rows": batch["rows"] + 1}]}
    plan = make_plan(market.manifest, market.query(market.order(), AA, EPSILON))
    with pytest.raises(VerificationError) as told:
        list(evaluate_plan(wrong, plan, SealedColumns(market.dataset.blob)))
    assert told.value.code == "column_incomplete"


def test_a_column_of_fewer_rows_is_refused(market: Market) -> None:
    (batch,) = market.manifest["batches"]
    counts = next(item for item in batch["columns"] if item["name"] == "counts")["chunks"][0]["blob"]
    data = bytearray(market.dataset.blob(counts))
    data[0] += 1
    name = to_hex(sha256(bytes(data)))
    columns = [
        {**item, "chunks": [{**item["chunks"][0], "blob": name}]} if item["name"] == "counts" else item
        for item in batch["columns"]
    ]
    wrong = market.manifest | {"batches": [{**batch, "rows": batch["rows"] + 1, "columns": columns}]}
    plan = make_plan(market.manifest, market.query(market.order(), AA, EPSILON))

    def fetch(blob: str) -> bytes:
        return bytes(data) if blob == name else market.dataset.blob(blob)

    with pytest.raises(VerificationError) as told:
        list(evaluate_plan(wrong, plan, SealedColumns(fetch)))
    assert told.value.code == "column_incomplete"


# -- all three forms in one data set


@pytest.fixture(scope="module", params=["one holder", "two holders"])
def threefold(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Market:
    home, own = tmp_path_factory.mktemp("threefold"), keys("custodian")
    schema = HIDDEN | {"forms": ["cells", "rows", "products"], "rows": {"perCell": 64}}
    if request.param == "one holder":
        return open_market(home, schema, hidden_rows())
    made = open_market(home, schema, hidden_rows(), Deposit(card_of(own), keys("supplier")))
    market = SplitMarket(**vars(made))
    market.custodian = open_custodian(home, market, own)
    return market


@pytest.mark.parametrize("form", ["cells", "rows", "products"])
def test_three_forms_of_one_data_set_give_the_same_answer(threefold: Market, monkeypatch: Any, form: str) -> None:
    """Each in its turn: the planner is made to take it where it can answer."""
    position = [item["form"] for item in threefold.manifest["forms"]].index(form)
    monkeypatch.setattr("marketplace.queries.planning.plan.choose_form", lambda *_: position)
    sql = "SELECT COUNT(*), SUM(delay) FROM f WHERE origin IN ('EWR', 'JFK') AND month IN (1, 3)"
    (numbers,) = answered(threefold.ask(threefold.order(), sql, 2_000_000)).numbers
    truth = [row for row in threefold.rows if row["origin"] in ("EWR", "JFK") and row["month"] in ("1", "3")]
    assert abs(numbers["rows"] - len(truth)) < 60
    assert abs(numbers["sum:delay"] - total(truth, "delay")) < 12_000
