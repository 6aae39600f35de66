"""An exchange that takes up forms which its rulebook does not let pass, as the contracts cannot see: the auditor reads
them again."""

from typing import Any

import pytest

from marketplace.auditor.verifier import audit
from marketplace.documents import Document, digest
from marketplace.documents.columns import ciphertext_root
from marketplace.documents.ids import asset_id
from marketplace.procedures import Kind, Procedure
from marketplace.registrations.forms import make_form, reason_digest
from tests import bundles
from tests.bundles import START, YEAR, Maker
from tests.memory import MemoryBundle
from tests.registering import PUBLIC_FIELDS, filing, rulebook

DEPOSIT = "platform of the city, 2026-09-01"


def registered(maker: Maker, name: str) -> str:
    """One more data asset of the collector's."""
    collector = maker.people["collector"].address
    manifest = maker.manifest | {"holder": collector, "title": {"en": name, "zh": name}}
    claim = {"type": "claim", "version": 1, "title": manifest["title"], "holder": collector, "origin": "PUBLIC"}
    claim |= {"manifest": maker.store(manifest), "sourceClass": "COLLECTED_GENERATED", "level": "GENERAL_2"}
    claim |= {"shares": [{"holder": collector, "bps": 10_000}], "evidence": []}
    claim |= {"rights": [{"right": "HOLD", "holder": collector, "until": None, "limits": ""}]}
    asset = asset_id(collector, digest(manifest))
    message: dict[str, Any] = {"assetId": asset, "holder": collector, "manifestDigest": digest(manifest), "level": 2}
    message |= {"ciphertextRoot": ciphertext_root(manifest), "claimDigest": maker.store(claim)}
    message |= {"epsilonBudget": 1, "shareHolders": [collector], "shareBps": [10_000], "deadline": START + YEAR}
    maker.act("Rights", "register", "Register", message, "collector")
    maker.ledger.seal()
    return asset


def filed(maker: Maker, name: str, **bent: Any) -> str:
    """A first registration of public data, its form `bent`; returns the case."""
    collector, asset = maker.people["collector"].address, registered(maker, name)
    given: dict[str, Any] = {"kind": Kind.FIRST, "procedure": Procedure.PUBLIC_DATA, "fields": PUBLIC_FIELDS}
    form: Document = make_form(rulebook(), asset=asset, applicant=collector, deposit=DEPOSIT, **given) | bent
    case = filing(
        *(asset, collector, maker.ledger.now),
        form=maker.store(form),
        reasons=reason_digest(None),
        procedure=int(Procedure.PUBLIC_DATA),
        depositDigest=reason_digest(DEPOSIT),
    )
    maker.act("Registrations", "file", "File", case, "collector")
    maker.ledger.seal()
    return str(case["caseId"])


def test_forms_that_do_not_say_what_was_filed_or_leave_out_what_is_asked_are_named(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    wrong: list[tuple[str, str]] = []

    def tell(maker: Maker) -> None:
        bundles.admit_all(maker)
        bundles.seal_data(maker)
        maker.terms = bundles.first_terms(maker)
        filed(maker, "whole")
        for name in ("scenario", "riskAssessment", "productService"):
            left = {key: value for key, value in PUBLIC_FIELDS.items() if key != name}
            wrong.append(("form_unfit", f"case {filed(maker, name, fields=left)}"))
        for name, value in (("asset", "0x" + "ab" * 32), ("deposit", "elsewhere"), ("rulebook", "0x" + "cd" * 32)):
            wrong.append(("form_differs", f"case {filed(maker, name, **{name: value})} form.{name}"))

    made = bundles.make_market(tmp_path_factory.mktemp("node"), tell)
    report = audit(MemoryBundle(made.files), made.trust, reexecute=0)
    assert [(finding.code, finding.subject) for finding in report.findings] == wrong
    assert report.counts[9]["forms"] == 7
