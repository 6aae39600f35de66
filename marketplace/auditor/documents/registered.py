"""Step 9, what was registered: manifest and claim say what their holder signed on the ledger, where only their digests,
a level and the shares of income stand. Whoever reads the claim must not read other shares than are paid.
"""

from collections.abc import Iterable

from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Placed, Row
from marketplace.documents import LEVELS, ciphertext_root


def check_registered(derived: Iterable[Placed], documents: Documents, report: Report) -> None:
    """Every registration, as it was made.

    Args:
        derived: the ledger's events by rule.
    """
    for placed in derived:
        if (placed.event.contract, placed.event.name) == ("Rights", "Registered"):
            _check_one(placed.event.args, documents, report)


def _check_one(signed: Row, documents: Documents, report: Report) -> None:
    subject = f"asset {signed['assetId']}"
    report.count("registered")
    manifest = documents.get(signed["manifestDigest"], "manifest", subject)
    claim = documents.get(signed["claimDigest"], "claim", subject)
    if manifest is not None:
        root = ciphertext_root(manifest)
        report.same("manifest_differs", f"{subject} manifest.holder", signed["holder"], manifest["holder"])
        report.same("manifest_differs", f"{subject} manifest.batches", signed["ciphertextRoot"], root)
    if claim is not None:
        paid = dict(zip(signed["shareHolders"], signed["shareBps"], strict=True))
        said = {share["holder"]: share["bps"] for share in claim["shares"]}
        report.same("claim_differs", f"{subject} claim.manifest", signed["manifestDigest"], claim["manifest"])
        report.same("claim_differs", f"{subject} claim.holder", signed["holder"], claim["holder"])
        report.same("claim_differs", f"{subject} claim.level", signed["level"], LEVELS.index(claim["level"]) + 1)
        report.same("claim_differs", f"{subject} claim.shares", paid, said)
