"""The buyer puts an answer together, and believes nothing that it cannot check.

Steps: (1) the plan is derived anew from manifest and query; (2) the result is for this query, plan and data;
(3) the agreed panel attested this very result; (4) the release is signed by the key that the manifest names, for this
query, result and shares, and where it names a custodian a second release is signed by that, for the same numbers;
(5) the shares open with the buyer's own key; (6) each residue of the attested result and its share, or both shares,
make one number, which data within the declared bounds can give; (7) numbers become values with standard errors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from crypto.errors import CryptoError
from marketplace.documents import digest, validate_release, validate_result, validate_shares
from marketplace.errors import VerificationError
from marketplace.intents import Deployment
from marketplace.queries.answers.accuracy import Result, deviations, result
from marketplace.queries.answers.plausible import check_plausible
from marketplace.queries.answers.presentation import listings, row
from marketplace.queries.answers.regression import Regression
from marketplace.queries.language.query import Query
from marketplace.queries.language.terms import Term
from marketplace.queries.planning.numbers import Plan
from marketplace.queries.planning.plan import make_plan
from marketplace.queries.planning.selection import Group
from marketplace.queries.protocol.opening import opener
from marketplace.queries.protocol.shares import open_shares
from marketplace.queries.protocol.statements import check_attestation, check_release

if TYPE_CHECKING:  # half a second of every command's start, for what few of them give
    import pandas as pd


@dataclass(frozen=True)
class Papers:
    """Every document that came back for a query; the custodian's only where the manifest names one."""

    manifest: Mapping[str, Any]
    terms: Mapping[str, Any]
    query: Mapping[str, Any]
    result: Mapping[str, Any]
    attestation: Mapping[str, Any]
    shares: Mapping[str, Any]
    release: Mapping[str, Any]
    custodian_shares: Mapping[str, Any] | None = None
    custodian_release: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Answer:
    """An answer.

    Args:
        query: the question. groups: released groups, in order.
        results: for each group, what each computation of the query comes to.
        numbers: released integer of each statistic of each group, noise included.
        noise: standard deviation of the noise on each statistic.
        suppressed: groups that rest on too few rows.
        epsilon: what it cost, in millionths; 0 for a repeated question.
        spent_order, spent_buyer, spent_asset: what order, buyer (or its group) and data set have spent with it.
    """

    query: Query
    groups: tuple[Group, ...]
    results: tuple[tuple[Result, ...], ...]
    numbers: tuple[Mapping[str, int], ...]
    noise: Mapping[str, float]
    suppressed: tuple[Group, ...]
    epsilon: int
    spent_order: int
    spent_buyer: int
    spent_asset: int

    def named(self, names: Mapping[Term, str]) -> "Answer":
        """This answer with headings that the asker chose (`Query.named`)."""
        return replace(self, query=self.query.named(names))

    def rows(self) -> list[dict[str, Any]]:
        """As `table`, one dict a row."""
        return [row(self.query, group, found) for group, found in zip(self.groups, self.results, strict=True)]

    def table(self) -> pa.Table:
        """One row per released group: its categories, then value and standard error (`<name>_se`) of each computation
        that comes to one value; a quantile also has the ends of its interval (`<name>_low`, `<name>_high`)."""
        return pa.Table.from_pylist(self.rows())

    def frame(self) -> "pd.DataFrame":
        """As `table`, for pandas."""
        return self.table().to_pandas()

    def listings(self) -> dict[str, list[dict[str, Any]]]:
        """As `tables`, each a list of dicts."""
        return listings(self.query, self.groups, self.results)

    def tables(self) -> dict[str, pa.Table]:
        """What comes to more than one value, each by the computation's name: a row for every bin of a histogram, every
        coefficient of a regression (`<name>_fit` for what is said of the whole), every row of a contingency table
        (`<name>_test` for its test of independence); before them the categories of the group."""
        return {name: pa.Table.from_pylist(rows) for name, rows in self.listings().items()}

    def frames(self) -> "dict[str, pd.DataFrame]":
        """As `tables`, for pandas."""
        return {name: table.to_pandas() for name, table in self.tables().items()}

    def regression(self, term: Term, group: Group = ()) -> Regression:
        """One fitted regression.

        Raises:
            RuleError: `normal_matrix_indefinite`, where the noise left no solution.
            KeyError: the answer has no such computation or group.
        """
        found = dict(zip(self.query.terms, self.results[self._place(group)], strict=True))[term]
        assert isinstance(found, Regression)
        found.check()
        return found

    def _place(self, group: Group) -> int:
        if group not in self.groups:
            raise KeyError(group)
        return self.groups.index(group)


def assemble(papers: Papers, key: X25519PrivateKey, deployment: Deployment) -> Answer:
    """Check everything that came back and compute the answer.

    Args:
        key: the private key of the query's recipient.
    Raises:
        VerificationError: the first step that does not hold: `result_mismatch`, `attestation_*`, `release_*`,
            `shares_*`, `number_out_of_range`.
        InvalidInputError: a document has another shape.
    """
    plan = make_plan(papers.manifest, papers.query)
    _check_result(papers, plan)
    check_attestation(papers.attestation, digest(papers.result), papers.terms)
    parts = [(papers.release, papers.shares, papers.manifest["releaseKey"])]
    if papers.manifest["custodian"] is not None:
        parts.append(_custodian_part(papers))
    for release, shares, signer in parts:
        _check_release(papers, plan, release, shares)
        check_release(release, deployment, signer)
    numbers = _numbers(papers, plan, [open_shares(shares, key) for _, shares, _ in parts])
    check_plausible(papers.manifest, plan, numbers.values())
    return _answer(papers, plan, numbers)


def _check_result(papers: Papers, plan: Plan) -> None:
    result = validate_result(papers.result)
    expected = (digest(papers.query), papers.query["ciphertextRoot"], plan.digest, len(plan.numbers))
    if (result["query"], result["ciphertextRoot"], result["plan"], len(result["numbers"])) != expected:
        raise VerificationError("result_mismatch", "the result is not of this query and plan", zh="结果与查询计划不符")


def _custodian_part(papers: Papers) -> tuple[Mapping[str, Any], Mapping[str, Any], str]:
    """The custodian's release and shares, of the same numbers as the vault's."""
    release, shares = papers.custodian_release, papers.custodian_shares
    if release is None or shares is None:
        message = "the manifest names a custodian, and its share is missing"
        raise VerificationError("shares_incomplete", message, zh="缺少托管方的份额", rule="queries.two_shares")
    same = ("released", "suppressed", "generation")
    wanted, stated = ([part.get(name) for name in same] for part in (papers.shares, shares))
    if wanted != stated:
        message = "vault and custodian do not release the same numbers"
        raise VerificationError(
            "release_mismatch",
            message,
            zh="金库与托管方发布的数值不一致",
            rule="queries.two_shares",
            expected=wanted,
            got=stated,
        )
    return release, shares, papers.manifest["custodian"]


def _check_release(papers: Papers, plan: Plan, release: Mapping[str, Any], shares: Mapping[str, Any]) -> None:
    validate_release(release)
    validate_shares(shares)
    names = (digest(papers.query), digest(papers.result))
    held = (release["query"], release["result"]) == names == (shares["query"], shares["result"])
    if not held or release["order"] != papers.query["order"] or release["shares"] != digest(shares):
        raise VerificationError("release_mismatch", "the release is not of this query and result", zh="发布与查询不符")
    if max(shares["released"]) >= len(plan.numbers) or release["epsilon"] > papers.query["epsilon"]:
        raise VerificationError("release_mismatch", "the release goes beyond the query", zh="发布超出查询范围")


def _numbers(papers: Papers, plan: Plan, parts: Sequence[Mapping[int, int]]) -> dict[Group, dict[str, int]]:
    found: dict[Group, dict[str, int]] = {}
    combine, profile = opener(papers.manifest, plan.form).combine, papers.manifest["forms"][plan.form]["profile"]
    for index in parts[0]:
        c0, number = int(papers.result["numbers"][index]["c0"], 16), plan.numbers[index]
        try:
            shares = [residues[index] for residues in parts]
            found.setdefault(number.group, {})[number.statistic] = combine(profile, c0, shares)
        except CryptoError as error:
            raise VerificationError("shares_unreadable", f"number {index}: {error}", zh="份额无效") from error
    if any(len(statistics) != len(plan.statistics) for statistics in found.values()):
        raise VerificationError("shares_incomplete", "a group is released in part only", zh="分组数值不完整")
    suppressed = {tuple(group) for group in papers.shares["suppressed"]}
    if suppressed != set(plan.groups) - found.keys():
        raise VerificationError(
            "shares_incomplete", "a group is neither released nor named as suppressed", zh="有分组既未发布也未列为隐去"
        )
    return found


def _answer(papers: Papers, plan: Plan, numbers: Mapping[Group, Mapping[str, int]]) -> Answer:
    query = Query.from_document(papers.query)
    noise = deviations(papers.manifest, plan)
    groups = tuple(group for group in plan.groups if group in numbers)

    def results(group: Group) -> tuple[Result, ...]:
        return tuple(result(papers.manifest, term, numbers[group], noise) for term in query.terms)

    return Answer(
        query,
        groups,
        tuple(results(group) for group in groups),
        tuple(numbers[group] for group in groups),
        noise,
        tuple(tuple(group) for group in papers.shares["suppressed"]),
        papers.release["epsilon"],
        papers.release["spentOrder"],
        papers.release["spentBuyer"],
        papers.release["spentAsset"],
    )
