"""Two sides agree over HTTP: proposal, counter, signature, order, amendment, end; and nobody else learns of it."""

import time
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from marketplace.agreements.service import accept
from marketplace.agreements.tables import Proposal
from marketplace.documents import Document, digest, unix_seconds
from marketplace.documents.ids import agreement_id
from marketplace.documents.plans import flat_plan
from marketplace.errors import InvalidInputError, NotFoundError, RuleError, VerificationError
from marketplace.evidence.tables import Notice
from marketplace.sdk import agreements
from marketplace.sdk.client import Client
from marketplace.types import AgreementStatus
from marketplace.webhooks.rules import DECLINED, PROPOSED, WITHDRAWN
from tests.agreements import filled_in
from tests.integration.service.test_http import refused, token
from tests.integration.service.town import PRICE, YEAR, Town

HOUR = 3_600


def draft(town: Town, **fields: Any) -> Document:
    """Supplier and buyer about the town's data."""
    given = {"assets": [town.facts["asset"]], "purposes": ["TRANSPORT"], "regions": [], "plan": flat_plan(PRICE)}
    given |= fields
    return agreements.fill_in(
        "GF-2025-2615",
        filled_in("GF-2025-2615", **given),
        party_a=town["supplier"].address,
        party_b=town["buyer"].address,
        valid_until=int(time.time()) + YEAR,
    )


def soon() -> int:
    return int(time.time()) + HOUR


def agreed(town: Town, **fields: Any) -> str:
    """An agreement that both signed."""
    proposal = agreements.propose(town["supplier"], draft(town, **fields), deadline=soon())
    return str(agreements.sign(town["buyer"], proposal["proposal"])["agreementId"])


def code_of(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises((RuleError, NotFoundError, InvalidInputError, VerificationError)) as caught:
        call(*arguments, **named)
    return caught.value.code


def order_under(town: Town, agreement: str, **changes: Any) -> str:
    """A small order, so that there is money and budget left for other tests."""
    return town.fund(town.facts["listing"], agreement_id=agreement, escrow=PRICE, epsilon_cap=1_000, **changes)


def test_a_negotiation_from_proposal_to_the_end(town: Town, http: httpx.Client) -> None:
    supplier, buyer = town["supplier"], town["buyer"]
    first = agreements.propose(supplier, draft(town, cure_days=5), deadline=soon())
    seen = agreements.get_proposal(buyer, first["proposal"])
    assert (seen["state"], seen["signedBy"], seen["document"]["fields"]["cure_days"]) == ("open", [supplier.address], 5)
    assert code_of(agreements.sign, supplier, first["proposal"]) == "proposal_own"

    counter = agreements.propose(buyer, draft(town, cure_days=30), deadline=soon(), answers=first["proposal"])
    assert agreements.get_proposal(supplier, first["proposal"])["state"] == "countered"
    assert code_of(agreements.sign, buyer, first["proposal"]) == "proposal_closed"
    signed = agreements.sign(supplier, counter["proposal"])
    assert signed["status"] == "mined"

    found = agreements.get(buyer, signed["agreementId"])
    assert (found["status"], found["version"]) == (AgreementStatus.SIGNED, 1)
    assert set(found["signatures"]) == {supplier.address, buyer.address}
    _papers(http, buyer, found)

    order = order_under(town, signed["agreementId"])
    assert buyer.get(f"/orders/{order}")["agreementId"] == signed["agreementId"]

    changed = draft(town, cure_days=31) | {"amends": signed["agreementId"]}
    amendment = agreements.propose(buyer, changed, deadline=soon())
    second = agreements.sign(supplier, amendment["proposal"])["agreementId"]
    assert agreements.get(buyer, signed["agreementId"])["status"] == AgreementStatus.AMENDED
    assert agreements.get(buyer, second)["previousId"] == signed["agreementId"]
    assert code_of(order_under, town, signed["agreementId"]) == "agreement_not_in_force"
    order_under(town, second)

    ending = agreements.propose_retirement(supplier, second, deadline=soon())
    agreements.sign(buyer, ending["proposal"])
    assert agreements.get(supplier, second)["status"] == AgreementStatus.RETIRED
    assert code_of(order_under, town, second) == "agreement_not_in_force"


def _papers(http: httpx.Client, reader: Client, found: dict[str, Any]) -> None:
    """The service prints what the reader can print for itself."""
    path = f"/agreements/{found['agreementId']}/paper"
    page = http.get(f"{path}.html", headers=token(reader))
    assert found["agreementDigest"] in page.text
    assert all(signature in page.text for signature in found["signatures"].values())


def test_others_are_told_that_there_is_nothing(town: Town, http: httpx.Client) -> None:
    proposal = agreements.propose(town["supplier"], draft(town), deadline=soon())["proposal"]
    for name in ("rival", "auditor", "bank"):
        path = f"/agreements/proposals/{proposal}"
        refused(http.get(path, headers=token(town[name])), 404, "proposal_unknown")
        refused(http.delete(path, headers=token(town[name])), 404, "proposal_unknown")
        body = {"signature": "0x" + "11" * 65}
        refused(http.post(f"{path}/signature", json=body, headers=token(town[name])), 404, "proposal_unknown")
        assert proposal not in {row["proposal"] for row in agreements.proposals(town[name])}
    document = agreements.get_proposal(town["buyer"], proposal)["document"]
    refused(http.get(f"/documents/{digest(document)}", headers=token(town["auditor"])), 404, "document_not_found")

    agreement = agreements.sign(town["buyer"], proposal)["agreementId"]
    for path in (f"/agreements/{agreement}", f"/agreements/{agreement}/paper.html"):
        refused(http.get(path, headers=token(town["rival"])), 404, "agreement_unknown")
        refused(http.get(path), 401, "not_signed_in")
    assert agreements.get(town["auditor"], agreement)["document"] == document
    assert agreement not in {row["agreementId"] for row in agreements.list_mine(town["rival"])}


def test_a_proposal_is_declined_or_withdrawn_once(town: Town) -> None:
    supplier, buyer = town["supplier"], town["buyer"]
    one = agreements.propose(supplier, draft(town), deadline=soon())["proposal"]
    assert agreements.close(buyer, one)["state"] == "declined"
    assert code_of(agreements.close, supplier, one) == "proposal_closed"
    assert code_of(agreements.sign, buyer, one) == "proposal_closed"
    two = agreements.propose(supplier, draft(town), deadline=soon())["proposal"]
    assert agreements.close(supplier, two)["state"] == "withdrawn"
    assert code_of(agreements.propose, buyer, draft(town), deadline=soon(), answers=two) == "proposal_closed"
    with town.context.reading() as session:
        told = session.exec(select(Notice).order_by(col(Notice.number))).all()
    sides, kinds = sorted((supplier.address, buyer.address)), [(row.kind, row.data["proposal"]) for row in told[-4:]]
    assert all(row.parties == sides for row in told[-4:])
    assert kinds == [(PROPOSED, one), (DECLINED, one), (PROPOSED, two), (WITHDRAWN, two)]


def test_an_agreement_shows_what_the_ledger_took_of_two_that_were_signed_at_once(town: Town) -> None:
    """The same text proposed twice with other deadlines, both signed before a block is made: one of them is taken."""
    supplier, buyer, document = town["supplier"], town["buyer"], draft(town)
    one, two = (agreements.propose(supplier, document, deadline=soon() + later)["proposal"] for later in (0, 60))
    now, by = int(time.time()), buyer.address
    with town.context.writing() as session:
        session.get_one(Proposal, two).proposed_at += 1  # a second later, without waiting for it
        for proposal in (one, two):
            found = agreements.get_proposal(buyer, proposal)
            signature = buyer.sign(found["intent"], found["message"])
            accept(session, proposal, signature=signature, account=by, now=now)
    assert buyer.wait_for_intent(one)["status"] == "mined"
    assert code_of(buyer.wait_for_intent, two) == "agreement_exists"
    taken = agreements.get_proposal(buyer, one)["message"]
    found = agreements.get(buyer, taken["agreementId"])
    assert found["message"] == taken
    assert found["keys"].keys() == {supplier.address, by}


def test_orders_keep_within_what_was_agreed(town: Town) -> None:
    other = agreed(town, assets=["0x" + "ab" * 32])
    assert code_of(order_under, town, other) == "agreement_other_data"
    elsewhere = agreed(town, regions=["US"])
    assert code_of(order_under, town, elsewhere) == "region_not_agreed"
    for_schools = agreed(town, purposes=["EDUCATION"])
    assert code_of(order_under, town, for_schools) == "purpose_not_agreed"
    dearer = agreed(town, plan=flat_plan(PRICE + 1))
    assert code_of(order_under, town, dearer) == "price_not_agreed"
    as_files = agreed(town, delivery_modes=["FILE_DOWNLOAD", "API"])
    assert code_of(order_under, town, as_files) == "delivery_not_agreed"
    assert code_of(town.fund, town.facts["listing"], "rival", agreement_id=for_schools) == "agreement_not_party"
    assert code_of(order_under, town, "0x" + "cd" * 32) == "agreement_not_in_force"


def test_what_is_proposed_is_what_was_signed(town: Town, http: httpx.Client) -> None:
    supplier, buyer = town["supplier"], town["buyer"]
    agreement = draft(town)
    message = {
        **{"partyA": supplier.address, "partyB": buyer.address, "agreementDigest": digest(agreement)},
        **{"validUntil": int(time.time()) + YEAR + 60, "deadline": soon()},
    }
    message["agreementId"] = "0x" + "ab" * 32
    body = {"agree": message, "signature": supplier.sign("Agree", message), "document": agreement}
    path = "/agreements/proposals"
    refused(http.post(path, json=body, headers=token(supplier)), 422, "agreement_differs")
    refused(
        http.post(path, json={**body, "retire": None, "agree": None}, headers=token(supplier)),
        422,
        "proposal_malformed",
    )
    refused(http.post(path, json=body, headers=token(town["rival"])), 409, "agreement_not_yours")
    bad = agreement | {"fields": agreement["fields"] | {"cure_days": 0}}
    problem = refused(
        http.post(path, json={**body, "document": bad}, headers=token(supplier)), 422, "malformed_document"
    )
    assert "fields.cure_days" in problem["detail"]
    fits = message | {"validUntil": unix_seconds(agreement["validUntil"])}
    fits["agreementId"] = agreement_id(supplier.address, buyer.address, digest(agreement))
    body |= {"agree": fits, "signature": supplier.sign("Agree", fits)}
    refused(http.post(path, json=body, headers=token(buyer)), 409, "intent_signature_invalid")
    assert http.post(path, json=body, headers=token(supplier)).status_code == 201


def test_forms_are_public(http: httpx.Client) -> None:
    listed = http.get("/agreements/forms").json()
    assert {item["form"] for item in listed} == {f"GF-2025-{number}" for number in range(2615, 2619)}
    shown = http.get("/agreements/forms/GF-2025-2616").json()
    assert (shown["digest"], len(shown["articles"])) == (listed[1]["digest"], 18)
    refused(http.get("/agreements/forms/GF-2025-1"), 404, "form_unknown")
