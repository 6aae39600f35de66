"""What is left out of a bundle: forms, papers of cases and organisations' profiles are findings, what is personal is
counted in a note."""

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.auditor.documents.filings import check_filings
from marketplace.auditor.documents.profiles import check_profiles
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Tables
from marketplace.procedures import Step
from marketplace.types import ZERO_DIGEST, Role
from tests.bundles import Made, identity_of
from tests.memory import MemoryBundle
from tests.unit.auditor.forger import Forger, tables_of

Json = dict[str, Any]


def _of_kind(forger: Forger, kind: str) -> list[str]:
    names = [name for name in forger.files if name.startswith("documents/")]
    return [name for name in names if forger.document("0x" + name[10:-5]).get("type") == kind]


@pytest.mark.parametrize("kind", ["registration_form", "registration_paper"])
def test_a_case_without_its_form_or_papers_is_found(made: Made, kind: str) -> None:
    forger = Forger(made)
    for name in (names := _of_kind(forger, kind)):
        del forger.files[name]
    found = forger.report().findings
    assert [(item.step, item.code) for item in found] == [(9, "document_missing")] * len(names)
    assert all(item.subject.startswith("case 0x") and item.expected.startswith(kind) for item in found)


def test_profiles_of_organisations_are_missed_and_of_natural_persons_counted(made: Made) -> None:
    forger, rows = Forger(made), tables_of(Forger(made)).rows["participants"].values()
    for name in (names := _of_kind(forger, "profile")):
        del forger.files[name]
    report = forger.report()
    bodies = {row["account"] for row in rows if row["roles"] & (Role.BANK | Role.EXCHANGE)}
    assert {(item.code, item.subject) for item in report.findings} == {
        ("document_missing", f"participant {account}") for account in bodies
    }
    (note,) = [english for code, english, _ in report.notes if code == "profiles_withheld"]
    assert note.startswith(f"{len(names) - len(bodies)} of {len(names)} identity profiles are not in the bundle")


def test_payout_documents_may_be_left_out_and_are_counted(made: Made) -> None:
    forger = Forger(made)
    for name in (names := _of_kind(forger, "payout"))[1:]:
        del forger.files[name]
    report = forger.report()
    assert report.passed
    assert [chinese for code, _, chinese in report.notes if code == "payouts_withheld"] == [
        f"{len(names)} 份收款信息中有 {len(names) - 1} 份不在证据包中；属个人信息，可不提供。"
    ]


def _paper(forger: Forger, tables: Tables, step: Step) -> Json:
    return next(row for row in tables.rows["registration_acts"].values() if row["step"] == step)


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (lambda paper: None, []),
        (lambda paper: paper.update(step="END"), ["case_paper_unfit"]),
        (lambda paper: paper.update(case="0x" + "00" * 32), ["case_paper_unfit"]),
        (lambda paper: paper.update(ground="FALSE_MATERIALS"), ["case_paper_unfit"]),
    ],
)
def test_a_paper_of_another_step_or_case(made: Made, change: Callable[[Json], None], codes: list[str]) -> None:
    forger, report = Forger(made), Report()
    tables = tables_of(forger)
    act = _paper(forger, tables, Step.WAIVE_NOTICE)
    paper = forger.document(act["evidenceDigest"])
    change(paper)
    act["evidenceDigest"] = forger.store(paper)
    check_filings(tables, Documents(MemoryBundle(forger.files), report), report)
    assert [finding.code for finding in report.findings] == codes


def test_a_step_that_needs_a_paper_and_names_none(made: Made) -> None:
    forger, report = Forger(made), Report()
    tables = tables_of(forger)
    for step in (Step.ACCEPT, Step.WAIVE_NOTICE):  # the first needs none
        _paper(forger, tables, step)["evidenceDigest"] = ZERO_DIGEST
    check_filings(tables, Documents(MemoryBundle(forger.files), report), report)
    assert [(item.code, item.expected, item.got) for item in report.findings] == [
        ("case_paper_unfit", "registration_paper WAIVE_NOTICE", ZERO_DIGEST)
    ]


@pytest.mark.parametrize("named", [None, {"version": "2026.1", "digest": "0x" + "00" * 32}])
def test_a_participant_that_signed_no_agreement(made: Made, named: Json | None) -> None:
    forger, tables = Forger(made), tables_of(Forger(made))
    row = next(row for row in tables.rows["participants"].values() if row["roles"] == Role.BUYER)
    profile = identity_of("buyer", row["account"], Role.BUYER)
    for content, expected in ((profile, []), (_naming(profile, named), ["membership_unsigned"])):
        report = Report()
        row["identityDigest"] = forger.store(content)
        check_profiles(tables, Documents(MemoryBundle(forger.files), report), report)
        assert [finding.code for finding in report.findings] == expected


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda profile: profile.update(account="0x" + "ee" * 20), ["account"]),
        (lambda profile: profile.update(roles=["BUYER", "SUPPLIER"]), ["roles"]),
    ],
)
def test_a_profile_of_somebody_else(made: Made, change: Callable[[Json], None], names: list[str]) -> None:
    forger, report = Forger(made), Report()
    tables = tables_of(forger)
    row = next(row for row in tables.rows["participants"].values() if row["roles"] == Role.BUYER)
    profile = identity_of("buyer", row["account"], Role.BUYER)
    change(profile)
    row["identityDigest"] = forger.store(profile)
    check_profiles(tables, Documents(MemoryBundle(forger.files), report), report)
    assert [(item.code, item.subject) for item in report.findings] == [
        ("identity_differs", f"participant {row['account']} profile.{name}") for name in names
    ]


def _naming(profile: Json, named: Json | None) -> Json:
    rest = {name: value for name, value in profile.items() if name != "membership"}
    return rest if named is None else rest | {"membership": named}
