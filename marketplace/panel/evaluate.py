"""One task of a node: check what is asked, evaluate, sign."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crypto.keystore import Keys
from marketplace.documents import Document, validate_manifest, validate_query
from marketplace.queries.evaluation import SealedColumns, check_data, evaluate_plan, number_entry, result_document
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.protocol.statements import sign_result
from marketplace.queries.timings import part


@dataclass(frozen=True)
class Evaluated:
    """What a node hands in: the result document and its statement."""

    result: Document
    statement: Document


class PanelNode:
    """A node's computation.

    Args:
        keys: its keys; the BLS one signs. columns: where sealed columns come from.
    """

    def __init__(self, keys: Keys, columns: SealedColumns) -> None:
        self.keys, self.columns = keys, columns

    def evaluate(self, manifest: object, query: object) -> Evaluated:
        """Evaluate the query document on the data of the manifest document and sign the result.

        Raises:
            InvalidInputError: a document has another shape, or asks outside the algebra.
            RuleError: the plan is empty or too large.
            VerificationError: query and manifest are of different data, or a blob is not what the manifest names.
        """
        checked_manifest, checked_query = validate_manifest(manifest), validate_query(query)
        check_data(checked_manifest, checked_query)
        result = self.result(checked_manifest, checked_query)
        with part("signing"):
            statement = sign_result(result, self.keys.address, self.keys.bls_secret)
        return Evaluated(result, statement)

    def result(self, manifest: Mapping[str, Any], query: Mapping[str, Any]) -> Document:
        """The result document of a checked query on a checked manifest."""
        with part("planning"):
            plan = make_plan(manifest, query)
        entries = (number_entry(number) for number in evaluate_plan(manifest, plan, self.columns))
        return result_document(query, plan, entries)

    def requests(self, manifest: object, query: object, wanted: Iterable[str]) -> Iterator[bytes]:
        """The requests of these digests among the numbers of a query, each once.

        Raises:
            InvalidInputError, RuleError, VerificationError: as `evaluate`.
        """
        checked_manifest, checked_query = validate_manifest(manifest), validate_query(query)
        check_data(checked_manifest, checked_query)
        left = set(wanted)
        for number in evaluate_plan(checked_manifest, make_plan(checked_manifest, checked_query), self.columns):
            name = number_entry(number)["c1"]
            if name in left:
                left.discard(name)
                yield number.request()
