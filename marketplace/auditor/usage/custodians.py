"""Step 10, the second share: where a manifest names a custodian, every answer has its release too.

The custodian's own account is followed as its releases state it: a question is charged once, by what it asks for, and
the total of each series adds up.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.usage.orders import Standing
from marketplace.documents import series_of
from marketplace.errors import MarketplaceError
from marketplace.intents import Deployment
from marketplace.queries.permission.pricing import question_of
from marketplace.queries.planning.plan import Plan
from marketplace.queries.protocol.statements import check_release

Leaf = Mapping[str, Any]
CUSTODIAN = frozenset({"custodianRelease", "custodianShares"})  # more members of a released leaf, both or none


@dataclass
class _Account:
    """One series at its custodian: (total after the charge, charge, leaf), and the questions charged for."""

    charges: list[tuple[int, int, str]] = field(default_factory=list)
    questions: set[str] = field(default_factory=set)


class Custodians:
    """Follows the custodians' releases in the order of the log."""

    def __init__(self, documents: Documents, deployment: Deployment, report: Report) -> None:
        self._documents, self._deployment, self._report = documents, deployment, report
        self._accounts: dict[tuple[str, str], _Account] = defaultdict(_Account)

    def check(self, standing: Standing, leaf: Leaf, vault_shares: Leaf, plan: Plan, subject: str) -> None:
        """There is a second share exactly where the manifest names a custodian, signed by it, of the same numbers."""
        custodian, subject = standing.manifest["custodian"], f"{subject} custodian"
        if (custodian is None) == CUSTODIAN.issubset(leaf):
            self._report.find("custodian_share", subject, expected=custodian, got=leaf.get("custodianRelease"))
            return
        if custodian is None:
            return
        self._report.count("custodian releases")
        release = self._documents.get(leaf["custodianRelease"], "release", subject)
        shares = self._documents.get(leaf["custodianShares"], "shares", subject)
        if release:
            links = {name: leaf[name] for name in ("order", "query", "result")}
            links |= {"shares": leaf["custodianShares"], "signer": custodian}
            check_signed(self._report, self._deployment, release, links, signer=custodian, subject=subject)
            self._charge(standing, release, plan, subject)
        if shares:
            check_shares(self._report, leaf, shares, plan, subject)
            for name in ("released", "suppressed", "generation"):
                self._report.same("shares_differ", f"{subject} {name}", vault_shares[name], shares[name])

    def finish(self) -> None:
        """Totals, which concurrent releases may have logged out of order."""
        for account in self._accounts.values():
            total = 0
            for spent, charged, subject in sorted(account.charges, key=lambda item: (item[0], -item[1])):
                total += charged
                self._report.same("epsilon_asset", f"{subject} release.spentAsset", total, spent)

    def _charge(self, standing: Standing, release: Leaf, plan: Plan, subject: str) -> None:
        account = self._accounts[standing.manifest["custodian"], series_of(standing.manifest)]
        question = question_of(plan.digest, standing.manifest, standing.terms)
        expected = 0 if question in account.questions else plan.epsilon
        self._report.same("epsilon_charge", f"{subject} release.epsilon", expected, release["epsilon"])
        account.questions.add(question)
        account.charges.append((release["spentAsset"], release["epsilon"], subject))


def check_signed(
    report: Report, deployment: Deployment, release: Leaf, links: Mapping[str, str], *, signer: str, subject: str
) -> None:
    """The release names what its leaf names, and is signed by `signer`."""
    for name, expected in links.items():
        report.same("reference", f"{subject} release.{name}", expected, release[name])
    try:
        check_release(release, deployment, signer)
    except MarketplaceError as error:
        report.find("release_signature", subject, expected=error.expected, got=error.message)


def check_shares(report: Report, leaf: Leaf, shares: Leaf, plan: Plan, subject: str) -> None:
    """The shares are of the leaf's query and result, and of every number that is not suppressed."""
    report.same("reference", f"{subject} shares.query", leaf["query"], shares["query"])
    report.same("reference", f"{subject} shares.result", leaf["result"], shares["result"])
    suppressed = {tuple(group) for group in shares["suppressed"]}
    kept = [index for index, number in enumerate(plan.numbers) if number.group not in suppressed]
    report.same("shares_differ", f"{subject} shares.released", kept, shares["released"])
