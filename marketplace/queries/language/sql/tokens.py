"""Limits on a query text that hold before it is parsed.

What the parser tries in two ways doubles its time each time it stands in itself: twenty JOINs take it twenty seconds,
and so do twenty calls within each other where the function has the name of a type. A question needs neither.
"""

import itertools

from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

from marketplace.errors import InvalidInputError
from marketplace.queries.language.sql.filters import fault
from marketplace.words import Words

MAX_SQL = 10_000  # characters
MAX_TOKENS = 2_000
MAX_PARENTHESES = 24
MAX_CALLS = 3  # within each other; a question has one
MAX_KEYWORDS = 12  # besides those of conditions; a question has four
_SAMPLES = {
    "VAR_SAMP": ("VARIANCE", "VAR_POP"),
    "VARIANCE_SAMP": ("VARIANCE", "VAR_POP"),
    "STDDEV_SAMP": ("STDDEV", "STDDEV_POP"),
    "COVAR_SAMP": ("COVAR_POP",),
}
_TEXTS = (TokenType.VAR, TokenType.STRING, TokenType.IDENTIFIER)
# Keywords that may stand often: those of conditions, and those that are names as well.
_SPARED = {TokenType.AND, TokenType.OR, TokenType.NOT, TokenType.BETWEEN, *_TEXTS} | (
    Parser.ID_VAR_TOKENS - {TokenType.STRAIGHT_JOIN}
)
_LOGICAL = {TokenType.AND, TokenType.OR, TokenType.NOT, TokenType.WHERE}
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}


def check_tokens(tokens: list[Token]) -> None:
    """Refuse what would take the parser too long, or too deep.

    Raises:
        InvalidInputError: `sql_too_long`, or `sql_outside_algebra` for a statistic of samples.
    """
    if len(tokens) > MAX_TOKENS:
        raise too_long(Words(f"{MAX_TOKENS} words and signs", f"{MAX_TOKENS} 个词与符号"), len(tokens))
    for token in tokens:
        # The parser reads VAR_SAMP as VARIANCE, so statistics of samples are told apart here.
        if token.token_type is TokenType.VAR and token.text.upper() in _SAMPLES:
            raise fault(_of_population(_SAMPLES[token.text.upper()]), token.text.upper())
    keywords = sum(token.text[:1].isalpha() and token.token_type not in _SPARED for token in tokens)
    if keywords > MAX_KEYWORDS:
        raise too_long(Words(f"{MAX_KEYWORDS} keywords", f"{MAX_KEYWORDS} 个关键词"), keywords)
    deepest, calls = _nesting(tokens)
    if deepest > MAX_PARENTHESES:
        raise too_long(Words(f"parentheses nested {MAX_PARENTHESES} deep", f"{MAX_PARENTHESES} 层括号"), deepest)
    if calls > MAX_CALLS:
        raise too_long(Words(f"calls nested {MAX_CALLS} deep", f"{MAX_CALLS} 层函数"), calls)


def _of_population(names: tuple[str, ...]) -> Words:
    return Words(f"{' or '.join(names)}, that of the population", f"{' 或 '.join(names)}（总体统计量）")


def _nesting(tokens: list[Token]) -> tuple[int, int]:
    """How deep brackets stand within each other: all of them, and those that follow a word other than AND, OR, NOT."""
    opened: list[bool] = []
    deepest, calls = 0, 0
    for before, token in itertools.pairwise([None, *tokens]):
        assert token is not None
        if token.token_type in _OPENING:
            opened.append(before is not None and before.text[:1].isalpha() and before.token_type not in _LOGICAL)
            deepest, calls = max(deepest, len(opened)), max(calls, sum(opened))
        elif token.token_type in _CLOSING and opened:
            opened.pop()
    return deepest, calls


def too_long(most: Words, got: int) -> InvalidInputError:
    """The refusal of a text that is larger than we read."""
    return InvalidInputError(
        "sql_too_long",
        f"the query is too large: at most {most.en}, got {got}",
        zh=f"查询过大：最多 {most.zh}，实为 {got}",
        rule="queries.size",
        expected=most,
        got=got,
    )
