"""Agreements: fill in a model form, propose it, sign what was proposed, amend and retire together.

Nothing is signed here that was not checked: a proposal's document is laid beside the intent before the key is used.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from crypto.canonical import from_hex, to_hex
from crypto.errors import CryptoError
from marketplace import documents
from marketplace.agreements.forms import get_form, validate_agreement_on_form
from marketplace.agreements.signing import Signed, signed_words
from marketplace.documents import Document, ids
from marketplace.errors import RuleError, VerificationError
from marketplace.intents import intent_digest
from marketplace.participants.keybook import SECOND
from marketplace.refusals.checks import require_in_time
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.sdk.keyproofs import book_of
from marketplace.types import ZERO_DIGEST

_RULE = "agreements.document_is_signed"
_PATHS = {"Agree": "agree", "AmendAgreement": "amend", "RetireAgreement": "retire"}


def fill_in(
    form: str,
    fields: Mapping[str, Any],
    *,
    party_a: str,
    party_b: str,
    valid_until: int,
    version: str | None = None,
    amends: str | None = None,
) -> Document:
    """An agreement on a model form, checked field by field.

    Args:
        form: e.g. "GF-2025-2615". version: the newest when None.
        fields: values by the form's names, see `marketplace agreements form`.
        party_a, party_b: addresses, each on its side of the form.
        valid_until: unix seconds.
        amends: id of the agreement that this one takes the place of.
    Raises:
        InvalidInputError: `malformed_document`, naming the field. NotFoundError: `form_unknown`.
    """
    found = get_form(form, version)
    agreement: Document = {"type": "form_agreement", "version": 1, "form": form}
    agreement |= {"formVersion": found.content["version"], "formDigest": found.digest}
    agreement |= {"partyA": party_a, "partyB": party_b, "amends": amends, "fields": dict(fields)}
    agreement |= {"validUntil": documents.iso_time(valid_until), "nonce": to_hex(secrets.token_bytes(32))}
    return validate_agreement_on_form(agreement)


def propose(client: Client, agreement: Document, *, deadline: int, answers: str | None = None) -> dict[str, Any]:
    """Sign an agreement, or an amendment if it amends one, and propose it to the other side.

    Args:
        deadline: unix seconds until which the other side may sign.
        answers: the proposal that this one counters.
    Returns:
        {"proposal", "agreementId", "agreementDigest"}.
    """
    agreement = validate_agreement_on_form(agreement)
    digest = documents.digest(agreement)
    agreement_id = ids.agreement_id(agreement["partyA"], agreement["partyB"], digest)
    name = "Agree" if agreement["amends"] is None else "AmendAgreement"
    message = {} if agreement["amends"] is None else {"previousId": agreement["amends"]}
    message |= {"agreementId": agreement_id, "partyA": agreement["partyA"], "partyB": agreement["partyB"]}
    message |= {"agreementDigest": digest, "validUntil": documents.unix_seconds(agreement["validUntil"])}
    sent = _propose(client, name, message | {"deadline": deadline}, agreement, answers)
    return {**sent, "agreementId": agreement_id, "agreementDigest": digest}


def propose_retirement(client: Client, agreement_id: str, *, deadline: int) -> dict[str, Any]:
    """Sign the end of an agreement and propose it to the other side."""
    row = get(client, agreement_id)
    message = {"agreementId": agreement_id, "partyA": row["partyA"], "partyB": row["partyB"], "deadline": deadline}
    return {**_propose(client, "RetireAgreement", message, None, None), "agreementId": agreement_id}


def _propose(
    client: Client, name: str, message: Mapping[str, Any], document: Document | None, answers: str | None
) -> dict[str, Any]:
    body = {_PATHS[name]: message, "signature": client.sign(name, message)}
    body |= {"document": document} if document is not None else {}
    body |= {"answers": answers} if answers is not None else {}
    sent: dict[str, Any] = client.post("/agreements/proposals", body, repeatable=True)
    return sent


def proposals(client: Client) -> list[dict[str, Any]]:
    """Proposals that this participant made or was made."""
    return client.pages("/agreements/proposals")


def get_proposal(client: Client, proposal: str) -> dict[str, Any]:
    """A proposal whose document was checked against its intent, and its intent against its name.

    Raises:
        VerificationError: the service shows another document or intent than the name commits to.
    """
    found: dict[str, Any] = client.get(f"/agreements/proposals/{proposal}")
    message = found["message"]
    expect(to_hex(intent_digest(found["intent"], message, client.deployment)), proposal, "proposal_altered", _RULE)
    if found["intent"] == "RetireAgreement":
        expect(found["document"], None, "proposal_altered", _RULE)
        return found
    _check_document(validate_agreement_on_form(found["document"]), message)
    return found


def _check_document(agreement: Document, message: Mapping[str, Any]) -> None:
    expect(documents.digest(agreement), message["agreementDigest"], "agreement_altered", _RULE)
    sides = (agreement["partyA"], agreement["partyB"], documents.unix_seconds(agreement["validUntil"]))
    expect(sides, (message["partyA"], message["partyB"], message["validUntil"]), "agreement_altered", _RULE)
    expect(agreement["amends"] or ZERO_DIGEST, message.get("previousId", ZERO_DIGEST), "agreement_altered", _RULE)


def sign(client: Client, proposal: str) -> dict[str, Any]:
    """Sign what the other side proposed and wait for the ledger.

    Returns:
        the intent's outcome with "agreementId".
    """
    found = get_proposal(client, proposal)
    body = {"signature": client.sign(found["intent"], found["message"])}
    outcome = client.submit(f"/agreements/proposals/{proposal}/signature", body)
    return {**outcome, "agreementId": found["message"]["agreementId"]}


def close(client: Client, proposal: str) -> dict[str, Any]:
    """Withdraw one's own proposal, or decline the other side's."""
    found: dict[str, Any] = client.delete(f"/agreements/proposals/{proposal}")
    return found


def list_mine(client: Client) -> list[dict[str, Any]]:
    """Agreements of this participant, every version."""
    return client.pages("/agreements")


def get(client: Client, agreement_id: str) -> dict[str, Any]:
    """An agreement with its document, bound to its id, and both signatures with the keys that made them, as "keys":
    keys that signed for the parties when the ledger took the agreement, at "signedAt".

    Raises:
        VerificationError: document or signature is not what the id commits to.
    """
    found: dict[str, Any] = client.get(f"/agreements/{agreement_id}")
    agreement = validate_agreement_on_form(found["document"])
    digest = documents.digest(agreement)
    derived = ids.agreement_id(agreement["partyA"], agreement["partyB"], digest)
    expect(derived, agreement_id, "agreement_altered", _RULE)
    expect((found["partyA"], found["partyB"]), (agreement["partyA"], agreement["partyB"]), "agreement_altered", _RULE)
    if found["intent"] is not None:
        _check_document(agreement, found["message"])
        _check_signatures(client, found)
    return found


def get_signed(client: Client, agreement_id: str) -> dict[str, Any]:
    """As `get`, and refused where the service shows nobody's signatures: a price is not taken on its word.

    Raises:
        VerificationError: as `get`; `agreement_signature`.
    """
    found = get(client, agreement_id)
    if found["intent"] is None:
        raise _unsigned(f"{found['partyA']}, {found['partyB']}")
    return found


def _check_signatures(client: Client, found: dict[str, Any]) -> None:
    found["keys"], parties = {}, (found["partyA"], found["partyB"])
    book, at = book_of(client, *parties), int(found["signedAt"])
    for party in parties:
        try:
            signature = from_hex(found["signatures"][party], 65, "signature")
            require_in_time(found["message"], at)
            found["keys"][party] = book.require(found["intent"], found["message"], party, signature, at, grace=SECOND)
        except (CryptoError, RuleError, KeyError) as error:
            raise _unsigned(party) from error


def _unsigned(party: str) -> VerificationError:
    return VerificationError(
        "agreement_signature",
        f"the agreement is not signed by {party} for this chain and contract",
        zh=f"协议未由 {party} 为本链本合约签署",
        rule="agreements.both_sign",
        expected=party,
        hint="do not rely on it; ask the other side for what it signed",
        hint_zh="请勿依赖该协议；请向对方索取其签署内容",
    )


def sign_off(found: Mapping[str, Any], now: int) -> Signed:
    """The sign-off block of an agreement as `get` returns it."""
    return signed_words(found, found["signatures"], now)
