"""Averaging: the same question again and again, in every spelling, so that its noise averages out.

Guard: a question is named by its plan (data, cells, statistics, epsilon, cohort), so that every spelling has one name;
what was answered under a name is answered again with the same shares, and for nothing. Questions that only resemble
each other are charged, and the budget ends them.
"""

from collections.abc import Iterator
from math import sqrt
from statistics import fmean

import pytest

from marketplace.documents import digest
from marketplace.queries.language.query import Query, one_of
from marketplace.queries.language.terms import Count, Mean, Score, Sum, WeightedSum
from marketplace.queries.planning.plan import make_plan
from marketplace.vault.decisions.cases import Case
from tests.attacks.scene import GUARDED, HIGHEST, UNLIMITED, anew, answered, refused, rich_order, totals
from tests.sealed_market import Market, Order

EPSILON = 10_000_000
DEVIATION = sqrt(2) * HIGHEST / 5  # of Laplace noise: the budget is split between a sum and a count
SQL = [
    "SELECT street, AVG(score) FROM f WHERE street BETWEEN 3 AND 8 GROUP BY street",
    "select STREET, mean(SCORE) from anything where street between '3' and '8' group by street",
    "SELECT AVG(score) AS a, street FROM f WHERE street IN (3, 4, 5, 6, 7, 8) GROUP BY street",
    "SELECT street, AVG(score) FROM f WHERE street IN (8, 6, 4, 7, 5, 3, 3) GROUP BY street",
    "SELECT street, SUM(score), COUNT(score) FROM f WHERE street >= 3 AND street <= 8 GROUP BY street",
    "SELECT street, COUNT(score) AS n, SUM(score) AS s FROM f WHERE street <= 8 AND street > 2 GROUP BY street",
    "SELECT street, SUM(score), SUM(score), AVG(score) FROM f WHERE NOT (street < 3 OR street > 8) GROUP BY street",
    "SELECT street, AVG(score) FROM f WHERE 9 > street AND NOT street IN (1, 2) GROUP BY street",
    "SELECT street, AVG(score) FROM f WHERE street BETWEEN 3 AND 5 OR street BETWEEN 4 AND 8 GROUP BY street",
    "SELECT street, AVG(score) FROM f WHERE street BETWEEN 3 AND 8 AND side IN ('left', 'target', 'right')"
    " GROUP BY street",
    "SELECT street, SUM(SCORE(7 * score)), COUNT(score) FROM f WHERE street BETWEEN 3 AND 8 GROUP BY street",
    "SELECT street, WSUM(score, side, 'left', 2, 'target', 2, 'right', 2), COUNT(score) FROM f"
    " WHERE street BETWEEN 3 AND 8 GROUP BY street",
]
SOME = one_of("street", "3", "4", "5", "6", "7", "8")
TYPED = [
    Query.select(Mean("score")).where(SOME).group_by("street"),
    Query.select(Sum("score"), Count("score")).where(~~SOME & SOME).group_by("street", "street"),
    Query.select(Count("score"), Score({"score": "0.5"}, statistic="SUM")).where(~(~SOME)).group_by("street"),
    Query.select(Count("score"), WeightedSum("score", "side", {"left": 3, "right": 3, "target": 3}))
    .where(SOME | one_of("street", "5"))
    .group_by("street"),
]
"""One question, sixteen times."""
ROUNDS = 3


def asked(market: Market, order: Order, epsilon: int = EPSILON) -> Iterator[list[int]]:
    """The sums of the streets, once for each spelling."""
    for sql in SQL:
        yield totals(market.ask(order, sql, epsilon))
    for query in TYPED:
        yield totals(market.ask_typed(order, query, epsilon))


def error_of(market: Market, answers: list[list[int]]) -> float:
    """Root of the mean squared error of the averages over all answers."""
    truth = [sum(int(row["score"]) for row in market.rows if row["street"] == str(street)) for street in range(3, 9)]
    means = [fmean(sums) for sums in zip(*answers, strict=True)]
    return sqrt(fmean((mean - true) ** 2 for mean, true in zip(means, truth, strict=True)))


def name_by_document(case: Case) -> str:
    """In place of the guard: every query document is a question of its own."""
    return digest(case.task.query)


def test_where_every_document_is_a_question_the_noise_averages_out(
    streets: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty-eight answers leave a seventh of the noise; more than half of it remains once in 10^12 runs."""
    monkeypatch.setattr(Case, "question", property(name_by_document))
    order = rich_order(streets, **GUARDED)
    answers = [sums for _ in range(ROUNDS) for sums in asked(streets, order)]
    assert len({tuple(sums) for sums in answers}) > ROUNDS * 10
    assert error_of(streets, answers) < DEVIATION / 2


def test_every_spelling_gets_the_same_answer_and_pays_once(streets: Market) -> None:
    order = rich_order(streets, **GUARDED)
    answers = list(asked(streets, order))
    other = rich_order(streets, "accomplice", **GUARDED)
    answers += asked(streets, other)
    assert answers == [answers[0]] * 2 * (len(SQL) + len(TYPED))
    assert error_of(streets, answers) == error_of(streets, answers[:1])
    assert streets.vault.store.spent(streets.series) == EPSILON


def test_every_spelling_has_one_plan(streets: Market) -> None:
    order = rich_order(streets)
    documents = [streets.query(order, sql, EPSILON) for sql in SQL]
    documents += [streets.document(order, query, EPSILON) for query in TYPED]
    assert len({make_plan(streets.manifest, document).digest for document in documents}) == 1
    assert len({digest(document) for document in documents}) == len(documents)


@pytest.mark.parametrize(
    "resembling",
    [
        "SELECT street, SUM(score) FROM f WHERE street BETWEEN 3 AND 8 GROUP BY street",
        "SELECT street, AVG(score), COUNT(*) FROM f WHERE street BETWEEN 3 AND 8 GROUP BY street",
        "SELECT street, AVG(score) FROM f WHERE street BETWEEN 3 AND 9 GROUP BY street",
        "SELECT AVG(score) FROM f WHERE street BETWEEN 3 AND 8",
    ],
)
def test_questions_that_resemble_each_other_are_charged_until_the_budget_ends(
    streets: Market, tmp_path_factory: pytest.TempPathFactory, resembling: str
) -> None:
    """With fresh noise, so they must cost; with the budget spent, nobody gets any of them."""
    poor = anew(streets, tmp_path_factory.mktemp("poor"), budget=2 * EPSILON)
    order = rich_order(poor, **GUARDED)
    answered(poor.ask(order, SQL[0], EPSILON))
    assert answered(poor.ask(order, resembling, EPSILON)).epsilon == EPSILON
    assert refused(poor.ask(order, SQL[0], EPSILON - 1)) == "budget_exhausted"
    assert answered(poor.ask(order, SQL[1], EPSILON)).epsilon == 0
    assert UNLIMITED > poor.budget == poor.vault.store.spent(poor.series)
