"""Certificates and status lists, as programs see them that were written by nobody here.

`@digitalbazaar/vc` (JavaScript) and `openvc-core` (Python) verify what the registrar and the exchange sign, refuse what
was changed, and read the bits of the lists. Nothing is fetched: contexts are in the packages, lists are handed over.
"""

import copy
import json
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openvc import VerificationPolicy, verify_credential
from openvc.errors import OpenvcError
from openvc.status import CredentialRevoked, CredentialSuspended

from marketplace.documents import iso_time
from marketplace.settlement.papers.credentials import issue_paper
from tests.certificates import ANNEX, LOG, REGISTRAR, UNTIL, certificate, lists
from tests.unit.sdk.exchange import NOW, keys

HERE = Path(__file__).parent
CERTIFICATE = certificate()
Json = dict[str, Any]
CHANGES: dict[str, Callable[[Json], object]] = {
    "holder": lambda item: item["credentialSubject"].update(holder="0x" + "00" * 20),
    "term": lambda item: item.update(validUntil="2099-01-01T00:00:00Z"),
    "status place": lambda item: item["credentialStatus"][0].update(statusListIndex="5"),
    "issuer": lambda item: item["issuer"].update(id=item["issuer"]["id"][:-1] + "x"),
    "proof": lambda item: item["proof"].update(proofValue=item["proof"]["proofValue"][::-1]),
    "date of the proof": lambda item: item["proof"].update(created="2020-01-01T00:00:00Z"),
}


def _changed(document: Json, change: Callable[[Json], object]) -> Json:
    copied = copy.deepcopy(document)
    change(copied)
    return copied


def _digital_bazaar(*cases: Mapping[str, Any], now: int = NOW) -> list[Json]:
    given = [{"credential": CERTIFICATE, "lists": lists(), "now": iso_time(now), **case} for case in cases]
    command = ["node", str(HERE / "verify.mjs")]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True, timeout=120)
    found: list[Json] = json.loads(done.stdout)
    return found


def _openvc(credential: Json, given: list[Json], now: int = NOW) -> Any:
    """openvc's verdict; each list is itself verified first, and bound to the issuer that the certificate names."""
    moment = datetime.fromtimestamp(now, UTC)
    named = frozenset(entry["statusListIssuer"] for entry in credential["credentialStatus"])

    def resolve(url: str) -> Any:
        document = next(item for item in given if item["id"] == url)
        return verify_credential(document, policy=VerificationPolicy(now=moment)).credential

    policy = VerificationPolicy(now=moment, require_status_issuer_binding=True, status_issuer_allowlist=named)
    return verify_credential(credential, policy=policy, resolve_status_list=resolve)


def test_digital_bazaar_accepts_ours_and_reads_every_bit() -> None:
    marked = [[], ["revocation"], ["suspension"], ["message"], ["dispute"]]
    found = _digital_bazaar(*[{"lists": lists(names)} for names in marked])
    for names, verdict in zip(marked, found, strict=True):
        assert verdict["verified"], verdict["error"]
        assert [name for name, bit in verdict["statuses"].items() if bit] == names
        assert len(verdict["statuses"]) == 4


def test_both_accept_a_certificate_that_names_inputs_and_remarks_and_refuse_it_without_one() -> None:
    weighed = certificate(annex=ANNEX)
    lighter = _changed(weighed, lambda item: item["credentialSubject"]["remarks"].pop())
    found = _digital_bazaar({"credential": weighed}, {"credential": lighter})
    assert [verdict["verified"] for verdict in found] == [True, False], found[0]["error"]
    assert _openvc(weighed, lists()).credential["credentialSubject"]["inputs"] == ANNEX["inputs"]
    with pytest.raises(OpenvcError):
        _openvc(lighter, lists())


def test_both_accept_a_certificate_from_before_the_list_of_disputes() -> None:
    earlier = certificate(purposes=3)
    (verdict,) = _digital_bazaar({"credential": earlier})
    assert (verdict["verified"], len(verdict["statuses"])) == (True, 3), verdict["error"]
    assert len(_openvc(earlier, lists()).status.entries) == 3


def test_digital_bazaar_refuses_what_was_changed() -> None:
    cases = [{"credential": _changed(CERTIFICATE, change)} for change in CHANGES.values()]
    verdicts = dict(zip(CHANGES, _digital_bazaar(*cases), strict=True))
    assert {name for name, verdict in verdicts.items() if verdict["verified"]} == set()


def test_digital_bazaar_refuses_expired_ones_and_changed_lists() -> None:
    (expired,) = _digital_bazaar({}, now=UNTIL + 86400)
    changed = lists()
    changed[0]["credentialSubject"] |= {"encodedList": lists(["revocation"])[0]["credentialSubject"]["encodedList"]}
    tampered, missing, foreign = _digital_bazaar({"lists": changed}, {"lists": []}, {"lists": lists(signer=REGISTRAR)})
    assert not any(verdict["verified"] for verdict in (expired, tampered, missing, foreign))


def test_openvc_accepts_ours() -> None:
    result = _openvc(CERTIFICATE, lists())
    assert result.issuer == CERTIFICATE["issuer"]["id"]
    assert (result.status.revoked, result.status.suspended, len(result.status.entries)) == (False, False, 4)


def test_openvc_reads_every_bit() -> None:
    with pytest.raises(CredentialRevoked):
        _openvc(CERTIFICATE, lists(["revocation"]))
    with pytest.raises(CredentialSuspended):
        _openvc(CERTIFICATE, lists(["suspension"]))
    for purpose in ("message", "dispute"):
        told = _openvc(CERTIFICATE, lists([purpose])).status
        assert [entry.entry.purpose for entry in told.entries if entry.is_set] == [purpose]


@pytest.mark.parametrize("name", CHANGES)
def test_openvc_refuses_what_was_changed(name: str) -> None:
    with pytest.raises(OpenvcError):
        _openvc(_changed(CERTIFICATE, CHANGES[name]), lists())


def test_openvc_refuses_expired_ones_and_changed_lists() -> None:
    with pytest.raises(OpenvcError):
        _openvc(CERTIFICATE, lists(now=UNTIL + 86400), UNTIL + 86400)
    changed = lists()
    changed[0]["credentialSubject"] |= {"encodedList": lists(["revocation"])[0]["credentialSubject"]["encodedList"]}
    with pytest.raises(OpenvcError):
        _openvc(CERTIFICATE, changed)
    with pytest.raises(OpenvcError):
        _openvc(CERTIFICATE, lists(signer=keys(23)))


PAPER = issue_paper({"type": "invoice", "version": 1, "lines": [{"gross": 7, "batch": None}]}, LOG.ed25519, NOW)


def test_both_verify_a_paper_of_the_exchange_and_refuse_a_changed_one() -> None:
    changed = _changed(PAPER, lambda item: item["credentialSubject"]["paper"]["lines"][0].update(gross=8))
    true, false = _digital_bazaar({"credential": PAPER, "lists": []}, {"credential": changed, "lists": []})
    assert true["verified"], true["error"]
    assert not false["verified"]
    policy = VerificationPolicy(now=datetime.fromtimestamp(NOW, UTC))
    assert verify_credential(PAPER, policy=policy).issuer == PAPER["issuer"]
    with pytest.raises(OpenvcError):
        verify_credential(changed, policy=policy)
