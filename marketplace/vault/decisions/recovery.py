"""An account that lacks releases which its key holder signed: an old copy of the file was put back.

Detecting it: with every task the service shows the last releases of the series that it knows. One that is signed by
this key holder, or by a former release key of the series, and is not in the account, proves that the account is behind;
nothing is decided then, because every figure would be false and noise could be drawn twice for one question. A service
that shows nothing proves nothing: then only the auditor finds out, because two releases state the same total.

Recovering: the releases are in the log, their documents at the service, and what they say is signed. Each is checked
and entered again: its charge, its buyer, the cell sets that it released. Its shares were sealed to the buyer, so they
cannot be had again: such a question is refused from then on (`answer_lost`), never answered with other noise.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crypto.canonical import from_hex
from crypto.errors import CryptoError
from marketplace.documents import (
    Document,
    digest,
    series_of,
    unix_seconds,
    validate_query,
    validate_release,
    validate_shares,
    validate_voucher,
    voucher_message,
)
from marketplace.errors import NotFoundError, PortError, RuleError, VerificationError
from marketplace.intents import INTENTS, Deployment
from marketplace.participants.keybook import AHEAD_SECONDS, KeyBook
from marketplace.queries.cohort.counts import Released
from marketplace.queries.planning.plan import Plan, make_plan
from marketplace.queries.planning.selection import Group
from marketplace.queries.protocol.statements import check_release
from marketplace.vault.keeping.store import PrivacyStore, Stored
from marketplace.words import Words

Leaf = Mapping[str, Any]
Fetch = Callable[[str], Document]
Sets = Callable[[Document, Plan, Collection[Group]], Collection[Released]]
"""The cell sets that releasing these groups of a plan on a manifest's data told of."""


def check_not_behind(
    store: PrivacyStore, latest: Iterable[Document], signers: Collection[str], deployment: Deployment
) -> None:
    """Check that the account has every release that the service shows of it.

    Args:
        latest: release documents. signers: keys whose releases belong into this account.
    Raises:
        PortError: `account_behind`.
    """
    for release in latest:
        if release["signer"] not in signers or store.release(release["query"]) == release:
            continue
        try:
            check_release(release, deployment, release["signer"])
        except VerificationError:
            continue  # nobody signed it, so it proves nothing
        raise PortError(
            "account_behind",
            f"the privacy account lacks a release that this key holder signed, of query {release['query']}",
            zh=f"隐私账户缺少本方已签署的发布(查询 {release['query']})",
            rule="vault.account_is_whole",
            expected=Words("an account with every release that was signed for it", "载有全部已签署发布的账户"),
            got=release["query"],
            hint="an old copy of the account was put back: stop this process, then marketplace vault recover",
            hint_zh="账户文件被旧副本覆盖：请先停止本进程，再执行 marketplace vault recover",
        )


@dataclass(frozen=True)
class Recovered:
    """What was entered again: releases, and what they had charged in millionths."""

    releases: int
    charged: int


@dataclass(frozen=True)
class Recovery:
    """What recovering an account takes.

    Args:
        store: the account. deployment: chain and contracts.
        manifests: of the data sets that it is about, by asset id.
        signers: keys whose releases belong into it.
        fetch: a document by its digest; raises NotFoundError for what one may not read. sets: see Sets.
        book: what signs for an account.
    """

    store: PrivacyStore
    deployment: Deployment
    manifests: Mapping[str, Document]
    signers: Collection[str]
    fetch: Fetch
    sets: Sets
    book: Callable[[str], KeyBook]

    def recover(self, leaves: Iterable[Leaf]) -> Recovered:
        """Enter every release of the log that the account lacks, in the log's order; again changes nothing.

        Raises:
            VerificationError: `evidence_differs`: a document is not what the log says, or not signed.
        """
        vouchers: dict[str, str] = {}
        releases = charged = 0
        for leaf in leaves:
            if leaf["type"] == "query.accepted":
                vouchers[leaf["query"]] = leaf["voucher"]
            if leaf["type"] not in ("query.released", "query.withheld"):
                continue
            release = self._release(leaf)
            if release is not None:
                self._enter(leaf, release, vouchers.get(leaf["query"]))
                releases, charged = releases + 1, charged + release["epsilon"]
        return Recovered(releases, charged)

    def _release(self, leaf: Leaf) -> Document | None:
        """The leaf's release, if it belongs into the account and is not there."""
        if self.store.release(leaf["query"]) is not None:
            return None
        query = self._maybe(leaf["query"])
        if query is None or query["asset"] not in self.manifests:
            return None
        for name in ("release", "custodianRelease"):
            release = self._get(leaf[name]) if name in leaf else None
            if release is not None and release["signer"] in self.signers:
                check_release(validate_release(release), self.deployment, release["signer"])
                _expect((release["query"], release["order"]), (leaf["query"], leaf["order"]))
                return release
        return None

    def _enter(self, leaf: Leaf, release: Document, voucher_name: str | None) -> None:
        query, shares = validate_query(self._get(leaf["query"])), validate_shares(self._get(release["shares"]))
        voucher = validate_voucher(self._get(str(voucher_name)))
        self._check_voucher(voucher, release, unix_seconds(leaf["at"]))
        manifest = self.manifests[query["asset"]]
        plan, series = make_plan(manifest, query), series_of(manifest)
        suppressed = {tuple(group) for group in shares["suppressed"]}
        sets = self.sets(manifest, plan, [group for group in plan.groups if group not in suppressed])
        with self.store.exclusive() as account:
            if account.released(release["query"]) is not None:
                return
            account.remember_loss(series, plan.digest, sets)
            account.remember_release(series, Stored(release, shares, voucher))
            if leaf["type"] == "query.withheld":
                account.withhold(release["query"])

    def _check_voucher(self, voucher: Document, release: Document, at: int) -> None:
        _expect(voucher["order"], release["order"])
        try:
            message, signature = voucher_message(voucher), from_hex(voucher["signature"])
            book, grace = self.book(voucher["buyer"]), INTENTS["Voucher"].grace
            book.require("Voucher", message, voucher["buyer"], signature, at, grace=grace, early=AHEAD_SECONDS)
        except (CryptoError, RuleError) as error:
            raise _differs(voucher["buyer"], "a voucher that its buyer did not sign") from error

    def _maybe(self, name: str) -> Document | None:
        """A query document; None for what only others may read, which is about others' data."""
        try:
            return self._get(name)
        except NotFoundError:
            return None

    def _get(self, name: str) -> Document:
        document = self.fetch(name)
        _expect(digest(document), name)
        return document


def _expect(got: object, expected: object) -> None:
    if got != expected:
        raise _differs(expected, got)


def _differs(expected: object, got: object) -> VerificationError:
    return VerificationError(
        "evidence_differs",
        "a document is not what the log says it is",
        zh="文档与日志所述不符",
        rule="vault.recovery",
        expected=expected,
        got=got,
    )
