"""Step 9, what the ledger names: an asset's manifest, claim and certificate, listings' terms, orders' agreements."""

import re
from collections.abc import Iterator
from typing import Any

from crypto.errors import CryptoError
from crypto.timestamps import from_text
from marketplace.auditor.bundle import Bundle
from marketplace.auditor.documents.sources import check_inputs, check_rights
from marketplace.auditor.documents.store import BLOBS, DOCUMENTS, Documents
from marketplace.auditor.documents.versions import Versions
from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.chain import HEADERS, RECEIPTS, TRANSACTIONS
from marketplace.auditor.log import CHECKPOINTS, ENTRIES, LATEST
from marketplace.auditor.readmodel.comparison import file_of
from marketplace.auditor.readmodel.rows import KEYS, Row, Tables
from marketplace.documents import all_chunks, iso_time
from marketplace.errors import InvalidInputError
from marketplace.procedures import Kind, Step
from marketplace.rights.certificates import check_certificate, check_registration
from marketplace.types import AssetStatus

PROFILE = "profile.json"
_FILES = {PROFILE, HEADERS, TRANSACTIONS, RECEIPTS, ENTRIES, LATEST, CHECKPOINTS, *map(file_of, KEYS)}


def check_names(bundle: Bundle, report: Report) -> None:
    """A bundle has no file that no step looks at."""
    for name in sorted(bundle.names() - _FILES):
        if re.fullmatch(r"status/[a-z]+-[0-9]+\.json", name):
            continue
        folder, _, rest = name.partition("/")
        digest = rest.removesuffix(".json") if folder + "/" == DOCUMENTS else rest
        is_named = len(digest) == 64 and set(digest) <= set("0123456789abcdef")
        if not is_named or folder + "/" not in (DOCUMENTS, BLOBS) or (folder + "/" == DOCUMENTS) == (digest == rest):
            report.find("file_unknown", name)


def check_ledger_documents(tables: Tables, documents: Documents, report: Report) -> Iterator[tuple[str, int, str]]:
    """Ask for every document that a row of assets, listings or orders names; yields each manifest's blobs as (digest,
    size, naming asset).
    """
    versions = Versions(tables, documents, report)
    for row in tables.rows["assets"].values():
        subject = f"asset {row['assetId']}"
        claim = documents.get(row["claimDigest"], "claim", subject)
        if claim is not None:
            check_rights(row, claim, tables, report)
        if row["status"] >= AssetStatus.CONFIRMED:
            certificate = documents.get(row["certificateDigest"], "credential", subject)
            if certificate is not None:
                _check_certificate(certificate, row, subject, report)
                check_inputs(row, certificate, tables, report)
        manifest = documents.get(row["manifestDigest"], "manifest", subject)
        if manifest is not None:
            versions.check(row, manifest)
            yield from ((chunk["blob"], chunk["size"], subject) for chunk in all_chunks(manifest))
    for row in tables.rows["lineage_declarations"].values():
        papers = documents.get(row["agreementDigest"], "lineage", f"product {row['assetId']}")
        if papers is not None:
            report.same("lineage_differs", f"product {row['assetId']} lineage.asset", row["assetId"], papers["asset"])
    for row in tables.rows["listings"].values():
        documents.get(row["termsDigest"], "terms", f"listing {row['listingId']}")
    for row in tables.rows["orders"].values():
        documents.get(row["agreementDigest"], "agreement", f"order {row['orderId']}")


def check_registrations_of_certificates(tables: Tables, documents: Documents, report: Report) -> None:
    """Every certificate says which registration it ends, under which code, and in what capacity its issuer signs; one
    from before certificates said so says nothing.
    """
    for act in tables.rows["registration_acts"].values():
        if act["step"] != Step.CERTIFY:
            continue
        case = tables.rows["registration_cases"][act["caseId"],]
        subject = f"asset {case['assetId']}"
        certificate = documents.get(act["evidenceDigest"], "credential", subject)
        if certificate is None:
            continue
        _check_effect(certificate, case["depositedAt"], subject, report)
        said = certificate.get("credentialSubject")
        if not isinstance(said, dict) or "registrationKind" not in said:
            continue
        entry = tables.rows["register_entries"][case["assetId"],]
        code = entry["code"] if entry["certifiedCase"] == act["caseId"] else str(said.get("registrationCode"))
        try:
            check_registration(certificate, Kind(case["kind"]), code)
        except InvalidInputError as error:
            report.find(error.code, subject, expected=error.expected, got=error.got)


def _check_effect(certificate: dict[str, Any], deposited_at: int, subject: str, report: Report) -> None:
    """A registration takes effect at its deposit; no certificate may say that it did before."""
    try:
        began = int(from_text(certificate.get("validFrom"), "validFrom").timestamp())
    except CryptoError as error:
        report.find("certificate_invalid", subject, got=error)
        return
    if began < deposited_at:
        report.find("certificate_before_deposit", subject, expected=f">= {iso_time(deposited_at)}", got=iso_time(began))


def _check_certificate(certificate: dict[str, Any], row: Row, subject: str, report: Report) -> None:
    """The registrar signed the certificate's digest on the ledger; here its own proof and its contents are checked."""
    report.count("certificates")
    try:
        # Valid at its own beginning: that it has run out since then is no fault of the register.
        issued = int(from_text(certificate.get("validFrom"), "validFrom").timestamp())
        check_certificate(certificate, row, issued)
    except CryptoError as error:
        report.find("certificate_invalid", subject, got=error)
    except InvalidInputError as error:
        report.find(error.code, subject, expected=error.expected, got=error.got or error.message)
