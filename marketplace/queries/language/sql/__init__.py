"""SQL text to a typed Query. A front door for people: what is not in the algebra is refused, never approximated.

    SELECT [dimension, ...] computation [AS name], ...       computations: see terms.py
    FROM any_name
    [WHERE condition]  with  =  <>  IN  NOT IN  AND  OR  NOT  and over ordered dimensions  BETWEEN  <  <=  >  >=
    [GROUP BY dimension, ...]

VARIANCE, STDDEV and COVAR_POP are those of the population (divided by n); VAR_SAMP, STDDEV_SAMP and COVAR_SAMP are
refused, so that nobody gets the other ones unawares.
Text that comes from strangers meets caps on its length, tokens and nesting before any tree is built.
"""

import re
from collections.abc import Mapping
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from marketplace.documents import MAX_TERMS
from marketplace.errors import InvalidInputError
from marketplace.queries.language.lexicon import dimension
from marketplace.queries.language.query import Query
from marketplace.queries.language.sql.filters import condition, fault, plain_name
from marketplace.queries.language.sql.terms import contingency_groups, term
from marketplace.queries.language.sql.tokens import MAX_SQL, check_tokens, too_long
from marketplace.queries.language.terms import Term
from marketplace.words import Words

_ALLOWED = Words(
    "SELECT dimensions and computations FROM a data set [WHERE ...] [GROUP BY dimensions]",
    "SELECT 维度与计算项 FROM 数据集 [WHERE ...] [GROUP BY 维度]",
)
_ONE_SOURCE = Words("FROM one plain name", "FROM 一个单纯的名称")
_CLAUSES = {"expressions", "from_", "where", "group"}
HEADING = re.compile(r"[^\W\d]\w{0,59}")
_UNDERLINE = re.compile("\x1b\\[[0-9;]*m")  # the parser marks the place for a terminal


def parse_sql(text: str, manifest: Mapping[str, Any]) -> Query:
    """Read `text` as a question to the data set of `manifest`.

    Raises:
        InvalidInputError: `sql_too_long`, `sql_syntax`, `sql_outside_algebra`, `unknown_dimension`, `unknown_measure`,
            `unknown_category`, `dimension_not_ordered`, `measure_in_filter`, `column_not_grouped`, `nothing_selected`.
    """
    if len(text) > MAX_SQL:
        raise too_long(Words(f"{MAX_SQL} characters", f"{MAX_SQL} 个字符"), len(text))
    try:
        return _read(text, manifest)
    except (SqlglotError, RecursionError) as error:
        raise _syntax(error) from None


def _read(text: str, manifest: Mapping[str, Any]) -> Query:
    select = _statement(text)
    _check_clauses(select)
    _check_source(select.args.get("from_"))
    groups = _tabulated(select.expressions, _groups(select.args.get("group"), manifest), manifest)
    terms = [term for item in select.expressions for term in _selected(item, manifest, groups)]
    where = select.args.get("where")
    query = Query.select(*terms).group_by(*groups).named(_headings(select.expressions, manifest))
    return query.where(condition(where.this, manifest)) if where else query


def _statement(text: str) -> exp.Select:
    check_tokens(sqlglot.tokenize(text))
    statements = [statement for statement in sqlglot.parse(text) if statement is not None]
    if len(statements) != 1:
        raise fault(
            Words("one SELECT statement", "一条 SELECT 语句"),
            Words(f"{len(statements)} statements", f"{len(statements)} 条语句"),
        )
    if not isinstance(statements[0], exp.Select):
        raise fault(_ALLOWED, type(statements[0]).__name__.upper())
    return statements[0]


def _check_clauses(select: exp.Select) -> None:
    for name, value in select.args.items():
        if value and name not in _CLAUSES:
            raise fault(_ALLOWED, name.rstrip("_").upper())
    if len(select.expressions) > MAX_TERMS:
        raise too_long(Words(f"{MAX_TERMS} selected columns", f"{MAX_TERMS} 个选取列"), len(select.expressions))


def _check_source(source: exp.Expr | None) -> None:
    table = source.this if source else None
    if not (isinstance(table, exp.Table) and isinstance(table.this, exp.Identifier)):
        raise fault(_ONE_SOURCE, table.sql() if table else Words("no FROM", "没有 FROM"))
    if any(value for name, value in table.args.items() if name not in ("this", "alias")):
        raise fault(_ONE_SOURCE, table.sql())


def _groups(group: exp.Expr | None, manifest: Mapping[str, Any]) -> list[str]:
    if group is None:
        return []
    for name, value in group.args.items():
        if value and name != "expressions":
            raise fault(Words("GROUP BY dimensions", "GROUP BY 维度"), f"GROUP BY {name.upper()}")
    return [str(dimension(manifest, plain_name(item))["name"]) for item in group.expressions]


def _tabulated(selected: list[exp.Expr], groups: list[str], manifest: Mapping[str, Any]) -> list[str]:
    """The groups, where CONTINGENCY(d1, d2) may stand in for GROUP BY d1, d2."""
    for item in selected:
        inner = item.this if isinstance(item, exp.Alias) else item
        named = contingency_groups(inner, manifest)
        if named and groups and named != groups:
            raise fault(
                Words(
                    "CONTINGENCY of the dimensions of GROUP BY, in that order",
                    "CONTINGENCY 与 GROUP BY 的维度及次序相同",
                ),
                inner.sql(),
            )
        groups = groups or list(dict.fromkeys(named))
    return groups


def _selected(item: exp.Expr, manifest: Mapping[str, Any], groups: list[str]) -> list[Term]:
    inner = item.this if isinstance(item, exp.Alias) else item
    if not isinstance(inner, exp.Column):
        return [term(inner, manifest)]
    name = plain_name(inner)
    if dimension(manifest, name)["name"] not in groups:
        raise InvalidInputError(
            "column_not_grouped",
            f"{name} is selected but not grouped by",
            zh=f"选取了 {name},但未按其分组",
            rule="queries.algebra",
            expected=f"GROUP BY {name}",
            got=name,
        )
    return []


def _headings(selected: list[exp.Expr], manifest: Mapping[str, Any]) -> dict[Term, str]:
    """The name after AS of each computation that has one."""
    named = [item for item in selected if isinstance(item, exp.Alias)]
    for item in named:
        if isinstance(item.this, exp.Column):
            raise fault(Words("dimensions under their own names", "维度使用自身名称"), item.sql())
        if not HEADING.fullmatch(item.alias):
            raise fault(
                Words(
                    "AS and a name of at most 60 letters, digits and underscores",
                    "AS 加至多 60 个字母、数字与下划线的名称",
                ),
                item.alias[:80],
            )
    return {term(item.this, manifest): item.alias for item in named}


def _syntax(error: Exception) -> InvalidInputError:
    shown = _UNDERLINE.sub("", str(error))
    deep = Words("nested too deep", "嵌套过深")
    parsed = Words(" ".join(shown.split())[:200], "语法有误")
    reason = deep if isinstance(error, RecursionError) else parsed
    return InvalidInputError(
        "sql_syntax",
        f"this is not SQL that can be read: {reason.en}",
        zh=f"无法解析的 SQL：{reason.zh}",
        rule="queries.algebra",
        expected=_ALLOWED,
        got=reason.en,
    )
