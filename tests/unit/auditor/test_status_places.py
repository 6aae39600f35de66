"""Two certificates at one place of the status lists: marking one would mark both."""

from typing import Any

import pytest

from crypto import credential
from marketplace.auditor.documents.statuses import check_status_lists
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Tables
from marketplace.documents import ids
from marketplace.procedures import Step
from marketplace.rights.status_lists import entries_of
from marketplace.types import AssetStatus, TitleKind
from tests.memory import MemoryBundle

LOG_KEY = bytes(31) + b"\x07"


class Certificates:
    """Certificates by digest, for what the check asks of the auditor's documents."""

    def __init__(self, places: dict[str, int]) -> None:
        self._places = places

    def get(self, digest: str, _kind: str, _subject: str) -> dict[str, Any]:
        issuer = credential.did_key(LOG_KEY)
        return {"credentialStatus": entries_of("https://exchange.example", issuer, 0, self._places[digest])}


def found(places: dict[str, int]) -> set[tuple[str, str]]:
    """Codes and subjects of what is found where confirmed assets have certificates at these places."""
    tables, report = Tables(), Report()
    for asset in places:
        tables.rows["assets"][(asset,)] = {"assetId": asset, "shareVersion": 0, "status": AssetStatus.CONFIRMED}
        tables.rows["register_entries"][(asset,)] = {
            **{"certifiedCase": asset, "shareVersion": 0, "moves": 0, "disputes": 0}
        }
        tables.rows["registration_cases"][(asset,)] = {"caseId": asset, "assetId": asset}
        act = {"caseId": asset, "step": Step.CERTIFY, "evidenceDigest": asset}
        tables.rows["registration_acts"][(asset, 5)] = act
        for kind in (TitleKind.HOLD, TitleKind.OPERATE):
            tables.rows["titles"][(ids.title_id(asset, kind),)] = {"moves": 0, "marks": 0}
    documents: Any = Certificates(places)
    with report.step(9):
        check_status_lists(MemoryBundle({}), tables, documents, report, log_key=LOG_KEY, height=1)
    return {(finding.code, finding.subject) for finding in report.findings}


@pytest.mark.parametrize(("second", "expected"), [(3, True), (4, False)])
def test_a_place_that_two_certificates_share_is_found(second: int, expected: bool) -> None:
    one, other = "0x" + "1a" * 32, "0x" + "2b" * 32
    reused = {subject for code, subject in found({one: 3, other: second}) if code == "status_place_reused"}
    assert reused == ({f"asset {other}"} if expected else set())
