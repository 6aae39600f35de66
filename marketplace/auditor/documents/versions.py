"""Step 9, versions: each follows from one that its holder registered before, and a block is one batch for good."""

from typing import Any

from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.documents import differences, series_of
from marketplace.documents.ids import asset_id


class Versions:
    """Checks the manifests of all assets, in the order of their registration."""

    def __init__(self, tables: Tables, documents: Documents, report: Report) -> None:
        self._assets, self._documents, self._report = tables.rows["assets"], documents, report
        self._registered: set[str] = set()
        self._blocks: dict[tuple[str, str, int], object] = {}

    def check(self, row: Row, manifest: dict[str, Any]) -> None:
        """One asset's manifest; the assets registered before it were given before."""
        subject = f"asset {row['assetId']}"
        if manifest["previous"] is not None:
            self._report.count("versions")
            self._check_previous(row, manifest, subject)
        for batch in manifest["batches"]:
            place = _registrant(row, manifest), series_of(manifest), batch["block"]
            said = {name: batch[name] for name in ("name", "rows", "missing")}
            self._report.same(
                "block_reused", f"{subject} block {batch['block']}", self._blocks.setdefault(place, said), said
            )
        self._registered.add(row["assetId"])

    def _check_previous(self, row: Row, manifest: dict[str, Any], subject: str) -> None:
        before = asset_id(_registrant(row, manifest), manifest["previous"])
        if before not in self._registered:
            self._report.find("previous_unregistered", subject, expected=before)
            return
        budget = self._assets[before,]["epsilonBudget"]
        self._report.same("version_not_next", f"{subject} epsilonBudget", budget, row["epsilonBudget"])
        previous = self._documents.get(manifest["previous"], "manifest", subject)
        for what, expected, got in differences(manifest, previous) if previous is not None else ():
            self._report.find("version_not_next", f"{subject} manifest.{what}", expected=expected, got=got)


def _registrant(row: Row, manifest: dict[str, Any]) -> str:
    """Who registered the asset, as its id says: a registered transfer gives it another holder, and leaves its id."""
    own: str = manifest["holder"]
    return own if asset_id(own, row["manifestDigest"]) == row["assetId"] else str(row["holder"])
