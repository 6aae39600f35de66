"""Step 9: the status lists of certificates say what the ledger says at the bundle's last block."""

from collections.abc import Mapping
from typing import Any

from crypto import bitstring, credential
from crypto.errors import CryptoError
from marketplace.auditor.bundle import Bundle
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.lines import document
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.documents import ids
from marketplace.errors import InvalidInputError
from marketplace.procedures import Step
from marketplace.rights.status_lists import PURPOSES, is_marked, place_of, read_list
from marketplace.rights.superseding import Moment, since
from marketplace.types import TitleKind

LISTS = "status/"


def check_status_lists(
    bundle: Bundle, tables: Tables, documents: Documents, report: Report, *, log_key: bytes, height: int
) -> None:
    """Every certificate has a place of its own, and every bit of every list is what the ledger says.

    Args:
        log_key: Ed25519, 32 bytes; who signs the lists.
        height: number of the ledger's last block.
    """
    issuer, marked, lists = credential.did_key(log_key), dict[str, set[int]](), set[str]()
    taken = dict[tuple[str, int], str]()
    for act in tables.rows["registration_acts"].values():
        if act["step"] != Step.CERTIFY:
            continue
        case = tables.rows["registration_cases"][act["caseId"],]
        subject = f"asset {case['assetId']}"
        certificate = documents.get(act["evidenceDigest"], "credential", subject)
        if certificate is None or "credentialStatus" not in certificate:
            continue  # missing is a finding already; one from before there were lists promises none
        try:
            url, named, position = place_of(certificate)
        except InvalidInputError as error:
            report.find("certificate_invalid", subject, got=error.message)
            continue
        report.same("status_list_invalid", subject, issuer, named)
        if (other := taken.setdefault((url, position), act["caseId"])) != act["caseId"]:
            report.find("status_place_reused", subject, got=f"case {other}")
        _mark(marked, url, position, case, tables)
        lists |= {entry["statusListCredential"] for entry in certificate["credentialStatus"]}
    for url, positions in marked.items():
        if url in lists:  # a purpose that no certificate names yet has no list in bundles from before it
            _check(bundle, url, positions, report, issuer=issuer, height=height)


def _mark(marked: dict[str, set[int]], revocation: str, position: int, row: Row, tables: Tables) -> None:
    asset, entry = (tables.rows[name][row["assetId"],] for name in ("assets", "register_entries"))
    rows = (tables.rows["titles"].get((ids.title_id(row["assetId"], kind),)) for kind in TitleKind)
    titles = [(title["moves"], title["marks"]) for title in rows if title is not None]
    at = Moment(entry["certifiedCase"] == row["caseId"], entry["shareVersion"], entry["moves"])
    moved = since(at, asset["shareVersion"], titles)
    for purpose in PURPOSES:
        url = revocation.replace("/revocation/", f"/{purpose}/")
        found = marked.setdefault(url, set())
        if is_marked(purpose, asset["status"], *moved, disputes=entry["disputes"]):
            found.add(position)


def _check(bundle: Bundle, url: str, positions: set[int], report: Report, *, issuer: str, height: int) -> None:
    purpose, number = url.split("/")[-2:]
    name = f"{LISTS}{purpose}-{number}.json"
    report.count("status lists")
    content: Mapping[str, Any] = document(bundle, name, report)
    if not content:
        return
    try:
        bits = read_list(content, url=url, purpose=purpose, issuer=issuer)
        report.same("status_list_differs", name, sorted(positions), bitstring.positions(bits))
        report.same(
            "status_list_differs", f"{name} ledgerBlock", height, content["credentialSubject"].get("ledgerBlock")
        )
    except (InvalidInputError, CryptoError) as error:
        report.find("status_list_invalid", name, got=error)
