"""The query algebra as typed values: computations (terms.py), a filter over dimensions, groups.

A query is built in Python,

    Query.select(Count(), Mean("arr_delay")).where(origin="JFK", month=["1", "2"]).group_by("carrier")
    Query.select(Ols("arr_delay", "dep_delay", "distance"), Score({"distance": "0.5", "air_time": -2}))

or read from SQL text (sql). Filters combine with `&`, `|` and `~`. There is no other predicate: whatever cannot be
said as a set of published cells cannot be asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from crypto.canonical import canonical_json
from marketplace.documents import Document, validate_query
from marketplace.errors import InvalidInputError
from marketplace.queries.language.terms import Term, term_of
from marketplace.words import Words


class Filter:
    """A condition on the dimensions. Made by `one_of`, combined with `&`, `|`, `~`; immutable."""

    __slots__ = ("document",)

    def __init__(self, document: Document) -> None:
        self.document = normalise(document)

    def __and__(self, other: "Filter") -> "Filter":
        return Filter({"and": [self.document, other.document]})

    def __or__(self, other: "Filter") -> "Filter":
        return Filter({"or": [self.document, other.document]})

    def __invert__(self) -> "Filter":
        return Filter({"not": self.document})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and self.document == other.document

    def __hash__(self) -> int:
        return hash(canonical_json(self.document))

    def __repr__(self) -> str:
        return f"Filter({self.document!r})"


def one_of(dimension: str, *values: str) -> Filter:
    """The rows whose `dimension` has one of these categories."""
    return Filter({"in": {"dimension": dimension, "values": list(values)}})


def normalise(condition: Mapping[str, Any]) -> Document:
    """One form for conditions that say the same in another order: flat, sorted, without repeats or double negation."""
    word, inner = next(iter(condition.items()))
    if word == "in":
        return {"in": {"dimension": inner["dimension"], "values": sorted(set(inner["values"]))}}
    if word == "not":
        return _negated(normalise(inner))
    parts = {canonical_json(part): part for item in inner for part in _flat(word, normalise(item))}
    ordered = [parts[key] for key in sorted(parts)]
    return ordered[0] if len(ordered) == 1 else {word: ordered}


def _negated(inner: Document) -> Document:
    return cast(Document, inner["not"]) if "not" in inner else {"not": inner}


def _flat(word: str, item: Document) -> list[Document]:
    return cast(list[Document], item[word]) if word in item else [item]


@dataclass(frozen=True)
class Query:
    """A question, before it is bound to an order.

    Args:
        terms: what to compute, at least one, all different.
        condition: which rows; None for all.
        groups: dimensions to group by, in order.
        names: headings that the asker chose for computations. They stay with the asker: the document has none, and two
            questions that differ in names alone are one.
    """

    terms: tuple[Term, ...]
    condition: Filter | None = None
    groups: tuple[str, ...] = ()
    names: Mapping[Term, str] = field(default_factory=dict, compare=False)

    @classmethod
    def select(cls, *terms: Term) -> "Query":
        """A query for these computations over all rows."""
        if not terms:
            raise InvalidInputError("nothing_selected", "a query computes something", zh="查询至少须有一项计算")
        return cls(tuple(dict.fromkeys(terms)))

    def where(self, condition: Filter | None = None, /, **dimensions: str | Iterable[str]) -> "Query":
        """This query over fewer rows: those that meet `condition` and, for each keyword, have one of its categories."""
        parts = [self.condition, condition, *(_keyword(name, values) for name, values in dimensions.items())]
        merged: Filter | None = None
        for part in parts:
            merged = part if merged is None else merged & part if part else merged
        return replace(self, condition=merged)

    def group_by(self, *dimensions: str) -> "Query":
        """This query with one answer for each combination of categories of `dimensions`."""
        return replace(self, groups=tuple(dict.fromkeys((*self.groups, *dimensions))))

    def named(self, names: Mapping[Term, str]) -> "Query":
        """This query with other headings for some of its computations; `label` heads the others.

        Raises:
            InvalidInputError: `heading_taken`: two columns would have the same name.
        """
        found = replace(self, names={**self.names, **names})
        taken = [*self.groups, *map(found.heading, self.terms)]
        if doubled := [name for name in taken if taken.count(name) > 1]:
            raise InvalidInputError(
                "heading_taken",
                f"two columns would be called {doubled[0]}",
                zh=f"有两列同名：{doubled[0]}",
                rule="queries.algebra",
                expected=Words("a name of its own for every column", "每列各有名称"),
                got=doubled[0],
            )
        return found

    def heading(self, term: Term) -> str:
        """The name of a computation's column, and of its table."""
        return self.names.get(term, term.label)

    def document(
        self, *, order: str, asset: str, ciphertext_root: str, epsilon: int, recipient: str, sequence: int
    ) -> Document:
        """The query document.

        Args:
            order: order id. asset: asset id. ciphertext_root: of the manifest that the buyer read.
            epsilon: the privacy budget to spend on it, in millionths.
            recipient: the buyer's X25519 public key, "0x" and 64 hex digits, to which the answer is sealed.
            sequence: 1 for the order's first query, then one more each time.
        Raises:
            InvalidInputError: a part is outside the document's shape.
        """
        body = {"type": "query", "version": 1, "order": order, "asset": asset, "ciphertextRoot": ciphertext_root}
        body |= {"select": [term.document() for term in self.terms]}
        body |= {"where": self.condition.document if self.condition else None, "groupBy": list(self.groups)}
        return validate_query(body | {"epsilon": epsilon, "recipient": recipient, "sequence": sequence})

    @classmethod
    def from_document(cls, document: object) -> "Query":
        """The typed form of a query document.

        Raises:
            InvalidInputError: not a query document.
        """
        body = validate_query(document)
        terms = tuple(term_of(item) for item in body["select"])
        return cls(terms, Filter(body["where"]) if body["where"] else None, tuple(body["groupBy"]))


def _keyword(name: str, values: str | Iterable[str]) -> Filter:
    return one_of(name, values) if isinstance(values, str) else one_of(name, *values)
