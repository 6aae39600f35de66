"""A participant's way from its application to its exit, over HTTP against a real service."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.errors import MarketplaceError, RuleError
from marketplace.evidence.projections import PROJECTORS
from marketplace.ledger import rebuild
from marketplace.sdk import evidence, identifiers, participants
from marketplace.types import ParticipantStatus, Role
from tests.integration.service.town import Town, running, town_settings

CODE = "91310000MA1FL7XU9X"


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("life")
    settings = town_settings(folder / "service")
    with running(settings) as context:
        made = Town(settings.public_url, folder, context)
        made.join("exchange", "auditor", "buyer")
        yield made
        made.close()


def status(town: Town, name: str) -> ParticipantStatus:
    return ParticipantStatus(participants.get(town["buyer"], town[name].address)["status"])


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(MarketplaceError) as caught:
        call()
    return caught.value.code


def standing(market: Town, account: str) -> tuple[str, bool]:
    """What the resolver tells everybody: the word for it, and whether it is in force."""
    shown = identifiers.resolve(market["registrar"], account)
    return shown["status"], shown["inForce"]


def test_reviewed_corrected_rejected_and_admitted(market: Town, tmp_path: Path) -> None:
    applicant, registrar = market["supplier"], market["registrar"]
    paper = tmp_path / "licence.pdf"
    paper.write_bytes(b"a licence")

    def ask() -> dict[str, Any]:
        return participants.join(applicant, Role.SUPPLIER, "Data Co", "数据公司", evidence=[paper])

    shown = ask()
    assert shown["profile"]["evidence"][0]["digest"].startswith("0x")
    for reader in (applicant, registrar):
        seen = participants.show(reader, applicant.address)
        assert (seen["status"], seen["application"]["document"]) == (ParticipantStatus.NONE, shown["identityDigest"])
    assert refused(lambda: participants.show(market["buyer"], applicant.address)) == "participant_unknown"
    participants.review(registrar, applicant.address, ParticipantStatus.UNDER_REVIEW, "taken up")
    assert status(market, "supplier") is ParticipantStatus.UNDER_REVIEW
    under_review = participants.show(applicant, applicant.address)
    assert under_review["status"] == ParticipantStatus.UNDER_REVIEW
    assert under_review["application"]["join"]["roles"] == Role.SUPPLIER
    assert participants.show(market["buyer"], applicant.address)["application"] is None
    participants.review(registrar, applicant.address, ParticipantStatus.CORRECTION_REQUESTED, "unreadable")
    assert refused(lambda: participants.admit(registrar, applicant.address)) == "participant_status"
    ask()
    participants.review(registrar, applicant.address, ParticipantStatus.REJECTED, "revoked")
    assert status(market, "supplier") is ParticipantStatus.REJECTED
    ask()
    participants.review(registrar, applicant.address, ParticipantStatus.UNDER_REVIEW, "taken up again")
    participants.admit(registrar, applicant.address)
    assert status(market, "supplier") is ParticipantStatus.ACTIVE
    assert participants.show(applicant, applicant.address)["application"] is None, "it is no longer open"


def test_leaves_and_comes_back(market: Town) -> None:
    buyer, registrar = market["buyer"], market["registrar"]
    participants.leave(buyer)
    assert status(market, "buyer") is ParticipantStatus.EXITING
    assert standing(market, buyer.address) == ("leaving", False)
    assert refused(lambda: participants.join(buyer, Role.BUYER, "Buyer", "买方")) == "participant_exiting"
    participants.set_status(registrar, buyer.address, ParticipantStatus.EXITED, "nothing is owed")
    assert refused(lambda: participants.admit(registrar, buyer.address)) in (
        "application_unknown",
        "participant_status",
    )
    participants.join(buyer, Role.BUYER, "Buyer", "买方")
    assert standing(market, buyer.address) == ("exited", False)
    participants.review(registrar, buyer.address, ParticipantStatus.UNDER_REVIEW, "back")
    participants.admit(registrar, buyer.address)
    assert status(market, "buyer") is ParticipantStatus.ACTIVE


def test_the_exchange_gives_three_months_notice(market: Town) -> None:
    participants.leave(market["exchange"])
    call = lambda: participants.set_status(  # noqa: E731
        market["registrar"], market["exchange"].address, ParticipantStatus.EXITED, "too early"
    )
    assert refused(call) == "exit_not_due"


def test_suspended_participants_are_restored_before_they_apply_or_leave(market: Town) -> None:
    supplier, registrar = market["supplier"], market["registrar"]
    participants.set_status(registrar, supplier.address, ParticipantStatus.SUSPENDED, "unpaid fines")
    assert refused(lambda: participants.join(supplier, Role.SUPPLIER, "Data Co", "数据公司")) == "participant_suspended"
    with pytest.raises(RuleError) as caught:
        participants.leave(supplier)
    assert (caught.value.code, caught.value.got) == ("exit_while_suspended", "SUSPENDED")
    assert "participants restore" in caught.value.hint
    assert "participants restore" in caught.value.hint_zh
    participants.set_status(registrar, supplier.address, ParticipantStatus.ACTIVE, "paid")


def test_expelled_for_good_and_the_auditor_agrees(market: Town) -> None:
    registrar, out = market["registrar"], market["supplier"].address
    participants.set_status(registrar, out, ParticipantStatus.EXPELLED, "forged its evidence")
    assert (
        refused(lambda: participants.set_status(registrar, out, ParticipantStatus.ACTIVE, "?")) == "participant_status"
    )
    assert standing(market, out) == ("expelled", False)
    waiting = participants.list_applications(registrar)
    assert refused(lambda: participants.join(market["supplier"], Role.BUYER, "Data", "数据")) == "participant_expelled"
    assert participants.list_applications(registrar) == waiting
    assert rebuild.check(market.context.engine, PROJECTORS).rows > 0
    path = market.folder / "bundle.zip"
    evidence.download_bundle(market["auditor"], path)
    with open_bundle(path) as bundle:
        assert audit(bundle, Trust()).findings == []
