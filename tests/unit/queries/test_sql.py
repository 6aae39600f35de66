"""SQL is a front door with a short list of guests."""

import pytest

from marketplace.errors import InvalidInputError
from marketplace.queries.language.query import Query, one_of
from marketplace.queries.language.sql import parse_sql
from marketplace.queries.language.sql.tokens import MAX_SQL
from marketplace.queries.language.terms import (
    Contingency,
    Correlation,
    Count,
    Covariance,
    Histogram,
    Mean,
    Ols,
    Quantile,
    Ridge,
    Score,
    StdDev,
    Sum,
    Variance,
    WeightedMean,
    WeightedSum,
    term_of,
)

MANIFEST = {
    "dimensions": [
        {"name": "origin", "ordered": False, "categories": ["EWR", "JFK", "LGA"]},
        {"name": "month", "ordered": True, "categories": [str(month) for month in range(1, 13)]},
    ],
    "measures": [{"name": "delay"}, {"name": "distance"}],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT COUNT(*) FROM flights", Query.select(Count())),
        ('select count(delay) n from "Flights of 2013" f', Query.select(Count("delay"))),
        ("SELECT SUM(delay), AVG(distance) FROM t", Query.select(Sum("delay"), Mean("distance"))),
        ("SELECT MEAN(delay), VARIANCE(delay) FROM t", Query.select(Mean("delay"), Variance("delay"))),
        ("SELECT VAR_POP(DELAY) FROM t", Query.select(Variance("delay"))),
        ("SELECT STDDEV(delay), STDDEV_POP(distance) FROM t", Query.select(StdDev("delay"), StdDev("distance"))),
        ("SELECT COVAR_POP(delay, distance) FROM t", Query.select(Covariance("delay", "distance"))),
        ("SELECT CORR(delay, distance) FROM t", Query.select(Correlation("delay", "distance"))),
        ("SELECT HISTOGRAM(delay) FROM t", Query.select(Histogram("delay"))),
        ("SELECT APPROX_QUANTILE(delay, .9) FROM t", Query.select(Quantile("delay", "0.9"))),
        ("SELECT CONTINGENCY(origin, month) FROM t", Query.select(Contingency()).group_by("origin", "month")),
        (
            "SELECT origin, CONTINGENCY(origin, month) c FROM t GROUP BY origin, month",
            Query.select(Contingency()).group_by("origin", "month"),
        ),
        ("SELECT ols(Delay, distance) FROM t", Query.select(Ols("delay", "distance"))),
        (
            "SELECT RIDGE(delay, distance, lambda => 0.5) FROM t",
            Query.select(Ridge("delay", "distance", penalty=0.5)),
        ),
        (
            "SELECT AVG(SCORE(0.5 * delay - distance * 2 + 3)) FROM t",
            Query.select(Score({"delay": "0.5", "distance": -2}, 3)),
        ),
        ("SELECT SCORE(-delay - -2 * distance) FROM t", Query.select(Score({"delay": -1, "distance": 2}))),
        ("SELECT SUM(SCORE(delay)) FROM t", Query.select(Score({"delay": 1}, statistic="SUM"))),
        (
            "SELECT WSUM(delay, origin, 'JFK', 2, 'EWR', -0.5) FROM t",
            Query.select(WeightedSum("delay", "origin", {"EWR": "-0.5", "JFK": 2})),
        ),
        (
            "SELECT WMEAN(delay, month, 1, 2, '3', 1) FROM t",
            Query.select(WeightedMean("delay", "month", {"1": 2, "3": 1})),
        ),
        ("SELECT origin, COUNT(*) FROM t GROUP BY origin", Query.select(Count()).group_by("origin")),
        ("SELECT COUNT(*) FROM t GROUP BY month, origin", Query.select(Count()).group_by("month", "origin")),
        ("SELECT COUNT(*) FROM t WHERE origin = 'JFK'", Query.select(Count()).where(origin="JFK")),
        ("SELECT COUNT(*) FROM t WHERE 'JFK' = t.origin", Query.select(Count()).where(origin="JFK")),
        ("SELECT COUNT(*) FROM t WHERE origin <> 'JFK'", Query.select(Count()).where(~one_of("origin", "JFK"))),
        ("SELECT COUNT(*) FROM t WHERE month IN (1, '2')", Query.select(Count()).where(month=["1", "2"])),
        ("SELECT COUNT(*) FROM t WHERE month BETWEEN 11 AND 12", Query.select(Count()).where(month=["11", "12"])),
        ("SELECT COUNT(*) FROM t WHERE month < 3", Query.select(Count()).where(month=["1", "2"])),
        ("SELECT COUNT(*) FROM t WHERE 3 > month", Query.select(Count()).where(month=["1", "2"])),
        ("SELECT COUNT(*) FROM t WHERE month >= 12", Query.select(Count()).where(month="12")),
        (
            "SELECT COUNT(*) FROM t WHERE NOT (origin = 'JFK' OR origin = 'LGA') AND month NOT IN (1)",
            Query.select(Count()).where(
                ~(one_of("origin", "JFK") | one_of("origin", "LGA")) & ~one_of("month", "1"),
            ),
        ),
    ],
)
def test_what_is_in_the_algebra_is_read(text: str, expected: Query) -> None:
    assert parse_sql(text, MANIFEST) == expected


@pytest.mark.parametrize(
    ("text", "code", "found"),
    [
        ("", "sql_outside_algebra", "0 statements"),
        ("SELECT COUNT(*) FROM t; SELECT 1", "sql_outside_algebra", "2 statements"),
        ("DROP TABLE t", "sql_outside_algebra", "DROP"),
        ("INSERT INTO t VALUES (1)", "sql_outside_algebra", "INSERT"),
        ("SELECT COUNT(*) FROM t UNION SELECT 1", "sql_outside_algebra", "UNION"),
        ("WITH a AS (SELECT 1) SELECT COUNT(*) FROM a", "sql_outside_algebra", "WITH"),
        ("SELECT * FROM t", "sql_outside_algebra", "*"),
        ("SELECT delay FROM t", "measure_in_filter", "delay"),
        ("SELECT origin FROM t", "column_not_grouped", "origin"),
        ("SELECT origin FROM t GROUP BY origin", "nothing_selected", None),
        ("SELECT DISTINCT COUNT(*) FROM t", "sql_outside_algebra", "DISTINCT"),
        ("SELECT COUNT(DISTINCT delay) FROM t", "sql_outside_algebra", "DISTINCT delay"),
        ("SELECT COUNT(delay, distance) FROM t", "sql_outside_algebra", "COUNT(delay, distance)"),
        ("SELECT SUM(*) FROM t", "sql_outside_algebra", "SUM(*)"),
        ("SELECT SUM(delay) / COUNT(*) FROM t", "sql_outside_algebra", "SUM(delay) / COUNT(*)"),
        ("SELECT SUM(delay + distance) FROM t", "sql_outside_algebra", "delay + distance"),
        ("SELECT MAX(delay) FROM t", "sql_outside_algebra", "MAX(delay)"),
        ("SELECT MEDIAN(delay) FROM t", "sql_outside_algebra", "MEDIAN(delay)"),
        ("SELECT var_samp(delay) FROM t", "sql_outside_algebra", "VAR_SAMP"),
        ("SELECT STDDEV_SAMP(delay) FROM t", "sql_outside_algebra", "STDDEV_SAMP"),
        ("SELECT COVAR_SAMP(delay, distance) FROM t", "sql_outside_algebra", "COVAR_SAMP"),
        ("SELECT CORR(delay, delay) FROM t", "sql_outside_algebra", "CORR(delay, delay)"),
        ("SELECT CORR(delay, origin) FROM t", "unknown_measure", "origin"),
        ("SELECT APPROX_QUANTILE(delay, distance) FROM t", "sql_outside_algebra", None),
        ("SELECT APPROX_QUANTILE(delay, 0.1234567) FROM t", "malformed_number", "0.1234567"),
        ("SELECT HISTOGRAM(delay, 10) FROM t", "sql_outside_algebra", "HISTOGRAM(delay, 10)"),
        ("SELECT CONTINGENCY(origin) FROM t", "sql_outside_algebra", "CONTINGENCY(origin)"),
        ("SELECT CONTINGENCY(delay, origin) FROM t", "measure_in_filter", "delay"),
        (
            "SELECT CONTINGENCY(origin, month) FROM t GROUP BY month, origin",
            "sql_outside_algebra",
            "CONTINGENCY(origin, month)",
        ),
        ("SELECT OLS(delay) FROM t", "sql_outside_algebra", "OLS(delay)"),
        ("SELECT OLS(delay, delay) FROM t", "sql_outside_algebra", "OLS(delay, delay)"),
        ("SELECT RIDGE(delay, distance) FROM t", "sql_outside_algebra", "RIDGE(delay, distance)"),
        ("SELECT RIDGE(delay, distance, mu => 1) FROM t", "sql_outside_algebra", None),
        ("SELECT SCORE(3) FROM t", "sql_outside_algebra", "SCORE(3)"),
        ("SELECT SCORE(delay * distance) FROM t", "sql_outside_algebra", "distance"),
        ("SELECT SCORE(delay + delay) FROM t", "sql_outside_algebra", None),
        ("SELECT MAX(SCORE(delay)) FROM t", "sql_outside_algebra", "MAX(SCORE(delay))"),
        ("SELECT WSUM(delay, origin, 'JFK') FROM t", "sql_outside_algebra", "WSUM(delay, origin, 'JFK')"),
        ("SELECT WSUM(delay, origin, 'JFK', 1, 'JFK', 2) FROM t", "sql_outside_algebra", None),
        ("SELECT WSUM(delay, origin, 'JFK', distance) FROM t", "sql_outside_algebra", "distance"),
        ("SELECT COUNT(*) OVER () FROM t", "sql_outside_algebra", "COUNT(*) OVER ()"),
        ("SELECT COUNT(*) FROM t, u", "sql_outside_algebra", "JOINS"),
        ("SELECT COUNT(*) FROM t JOIN u ON t.a = u.a", "sql_outside_algebra", "JOINS"),
        ("SELECT COUNT(*) FROM (SELECT 1) t", "sql_outside_algebra", "(SELECT 1) AS t"),
        ("SELECT COUNT(*) FROM a.b", "sql_outside_algebra", "a.b"),
        ("SELECT COUNT(*)", "sql_outside_algebra", "no FROM"),
        ("SELECT COUNT(*) FROM t ORDER BY 1", "sql_outside_algebra", "ORDER"),
        ("SELECT COUNT(*) FROM t LIMIT 1", "sql_outside_algebra", "LIMIT"),
        ("SELECT COUNT(*) FROM t GROUP BY 1", "sql_outside_algebra", "1"),
        ("SELECT COUNT(*) FROM t GROUP BY ROLLUP (origin)", "sql_outside_algebra", "ROLLUP (origin)"),
        ("SELECT origin, COUNT(*) FROM t GROUP BY origin HAVING COUNT(*) > 3", "sql_outside_algebra", "HAVING"),
        ("SELECT COUNT(*) FROM t WHERE delay > 60", "measure_in_filter", "delay"),
        ("SELECT COUNT(*) FROM t WHERE delay IS NULL", "sql_outside_algebra", "delay IS NULL"),
        ("SELECT COUNT(*) FROM t WHERE origin LIKE 'J%'", "sql_outside_algebra", "origin LIKE 'J%'"),
        ("SELECT COUNT(*) FROM t WHERE origin = month", "sql_outside_algebra", "month"),
        ("SELECT COUNT(*) FROM t WHERE origin IN (SELECT origin FROM t)", "sql_outside_algebra", None),
        ("SELECT COUNT(*) FROM t WHERE 1 = 1", "sql_outside_algebra", "1"),
        ("SELECT COUNT(*) FROM t WHERE TRUE", "sql_outside_algebra", "TRUE"),
        ("SELECT COUNT(*) FROM t WHERE origin = 'SFO'", "unknown_category", "SFO"),
        ("SELECT COUNT(*) FROM t WHERE origin < 'JFK'", "dimension_not_ordered", "origin"),
        ("SELECT COUNT(*) FROM t WHERE carrier = 'AA'", "unknown_dimension", "carrier"),
        ("SELECT SUM(weight) FROM t", "unknown_measure", "weight"),
        ("SELECT 'unterminated", "sql_syntax", None),
        ("SELECT COUNT(*) FROM t WHERE", "sql_syntax", None),
    ],
)
def test_everything_else_is_refused_by_name(text: str, code: str, found: str | None) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_sql(text, MANIFEST)
    assert caught.value.code == code
    assert caught.value.zh
    if found is not None:
        assert caught.value.got == found
        assert caught.value.expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT COUNT(*) FROM t WHERE origin = 'JFK'" + " " * MAX_SQL, "sql_too_long"),
        ("SELECT COUNT(*) FROM t WHERE " + "(" * 500 + "origin = 'JFK'" + ")" * 500, "sql_too_long"),
        ("SELECT COUNT(*) FROM t WHERE " + " AND ".join(["origin='J'"] * 600), "sql_too_long"),
        ("SELECT COUNT(*) FROM t WHERE " + "NOT " * 1900 + "origin = 'JFK'", None),
        ("SELECT " + "1+" * 990 + "1 FROM t", "sql_outside_algebra"),
        ("SELECT COUNT(*) FROM t WHERE " + "-" * 1900 + "1", None),
        ("SELECT COUNT(*) FROM t " + "JOIN t " * 900, "sql_too_long"),
        ("SELECT COUNT(*) FROM t " + "JOIN t " * 25, "sql_too_long"),
        ("SELECT COUNT(*) FROM t " + "STRAIGHT_JOIN t " * 25, "sql_too_long"),
        ("SELECT " + "BIGINT(" * 20 + "1" + ")" * 20 + " FROM t", "sql_too_long"),
        ("\x00\x01\x02", None),
        ("SELECT " + "a." * 900 + "b FROM t", None),
        ("SELECT " + "CASE WHEN 1 THEN " * 300 + "1" + " END" * 300 + " FROM t", None),
    ],
)
def test_hostile_text_is_refused_quickly(text: str, code: str | None) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_sql(text, MANIFEST)
    assert code is None or caught.value.code == code


def test_a_filter_with_one_way_to_say_it_has_one_document() -> None:
    one = parse_sql("SELECT COUNT(*) FROM t WHERE month = 2 AND origin = 'JFK' AND month = 2", MANIFEST)
    other = parse_sql("SELECT COUNT(*) FROM t WHERE NOT (NOT origin = 'JFK') AND (month = 2)", MANIFEST)
    assert one == other


def test_a_syntax_error_has_no_terminal_codes() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_sql("SELEC AVG(delay) FROM t", MANIFEST)
    assert caught.value.code == "sql_syntax"
    assert "AVG(delay)" in caught.value.message
    assert "\x1b" not in f"{caught.value.message}{caught.value.zh}{caught.value.got}"


def test_a_term_and_its_document_say_the_same() -> None:
    terms = (
        *(Count(), Count("delay"), StdDev("delay"), Histogram("delay"), Quantile("delay", 0.25), Contingency()),
        *(Covariance("delay", "distance"), Correlation("delay", "distance"), Ols("delay", "distance")),
        *(Ridge("delay", "distance", penalty="0.125"), Score({"delay": 0.5, "distance": "-2"}, "1.25", "SUM")),
        *(WeightedSum("delay", "origin", {"JFK": 2}), WeightedMean("delay", "origin", {"JFK": "0.25", "EWR": 0})),
    )
    assert [term_of(term.document()) for term in terms] == list(terms)
    assert len({term.label for term in terms}) == len(terms)
    assert Score({"delay": "0.50"}).document() == Score({"delay": 0.5}).document()
    assert Score({"delay": 0.5, "distance": -2}, 3).label == "mean_score(0.5*delay-2*distance+3)"


@pytest.mark.parametrize("value", ["x", float("nan"), "1e40", "0.1234567891"])
def test_what_is_no_ordinary_decimal_is_no_coefficient(value: float | str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Score({"delay": value})
    assert caught.value.code == "malformed_number"


def test_a_computation_takes_the_name_after_as_and_stays_the_same_question() -> None:
    named = parse_sql("SELECT origin, AVG(delay) AS 延误, COUNT(*) FROM t GROUP BY origin", MANIFEST)
    assert [named.heading(term) for term in named.terms] == ["延误", "count"]
    assert named == Query.select(Mean("delay"), Count()).group_by("origin")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT AVG(delay) AS count, COUNT(*) FROM t", "heading_taken"),
        ("SELECT origin, AVG(delay) AS origin FROM t GROUP BY origin", "heading_taken"),
        ("SELECT origin AS place, COUNT(*) FROM t GROUP BY origin", "sql_outside_algebra"),
        ('SELECT COUNT(*) AS "a b" FROM t', "sql_outside_algebra"),
        (f"SELECT COUNT(*) AS {'n' * 61} FROM t", "sql_outside_algebra"),
    ],
)
def test_names_that_cannot_head_a_column_are_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_sql(text, MANIFEST)
    assert caught.value.code == code
