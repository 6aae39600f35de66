"""Step 9, what a source can give: claims keep within it, and first titles are those that the claim names."""

from typing import Any

from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.documents.ids import title_id
from marketplace.documents.scopes import beyond_source, claimed
from marketplace.lineage.sources import fault_of
from marketplace.rights.remarks import declared_of, stated_in
from marketplace.rights.title_records import ROOTS
from marketplace.types import AssetStatus, right_bit


def check_rights(asset: Row, claim: dict[str, Any], tables: Tables, report: Report) -> None:
    """One asset's claim against its source, and its first titles against its claim."""
    subject = f"asset {asset['assetId']}"
    beyond = beyond_source(claim)
    if beyond:
        report.find("claim_beyond_source", subject, expected=claim["sourceClass"], got=beyond)
    if asset["status"] < AssetStatus.CONFIRMED:
        return
    report.count("claims by source")
    fault = fault_of(claim["sourceClass"], _titles_of_inputs(asset["assetId"], tables))
    if fault is not None:
        code, expected, got = fault
        report.find(code, subject, expected=expected, got=got)
    opened = sum(right_bit(kind) for kind in ROOTS if (title_id(asset["assetId"], kind),) in tables.rows["titles"])
    report.same("titles_beyond_claim", subject, claimed(claim), opened)


def check_inputs(asset: Row, certificate: dict[str, Any], tables: Tables, report: Report) -> None:
    """The certificate of a product names the inputs that were declared; their state, at its time, is the registrar's
    word."""
    told = stated_in(certificate)["inputs"]
    got = [{name: value for name, value in item.items() if name != "status"} for item in told]
    rows = sorted(_inputs(asset["assetId"], tables), key=lambda row: int(row["place"]))
    subject = f"asset {asset['assetId']} certificate.inputs"
    report.same("certificate_differs", subject, [declared_of(row) for row in rows], got)


def _titles_of_inputs(asset: str, tables: Tables) -> list[str] | None:
    """Of each declared input the title that it rests on; None where nothing was declared."""
    if (asset,) not in tables.rows["lineage_declarations"]:
        return None
    return [row["titleId"] for row in _inputs(asset, tables)]


def _inputs(asset: str, tables: Tables) -> list[Row]:
    return [row for row in tables.rows["lineage_inputs"].values() if row["assetId"] == asset]
