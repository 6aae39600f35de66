"""SQL is a front door with a short list of guests."""

import pytest

from marketplace.errors import InvalidInputError
from marketplace.queries.query import Count, Mean, Query, Sum, Variance, one_of
from marketplace.queries.sql import parse_sql
from marketplace.queries.sql_tokens import MAX_SQL

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
