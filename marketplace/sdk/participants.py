"""Joining the exchange: a participant applies, a registrar admits, suspends or restores."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crypto.canonical import sha256, to_hex
from marketplace import documents
from marketplace.documents import Document
from marketplace.errors import NotFoundError, VerificationError
from marketplace.intents import verify_intent
from marketplace.participants import membership
from marketplace.sdk.client import Client
from marketplace.types import ParticipantStatus, Role


def join(
    client: Client,
    roles: Role,
    name_en: str,
    name_zh: str,
    credit_code: str | None = None,
    *,
    kind: str = "",
    merchant_classes: Sequence[str] = (),
    evidence: Sequence[Path] = (),
) -> dict[str, Any]:
    """Apply to join: a signed Join over the digest of a blinded profile document, which names the newest participant
    agreement (participants.membership): so this signs the agreement, too.

    Args:
        roles: every role wanted; none, Role(0), of whoever only objects to registrations.
        credit_code: unified social credit code, 18 characters; None for a natural person.
        kind: one of documents.market.PARTY_KINDS; by default a legal person where there is a code.
        merchant_classes: of documents.market.MERCHANT_CLASSES.
        evidence: files that prove identity: their digests go into the profile, they themselves to the registrar.
    Returns:
        {"account", "roles", "identityDigest", "profile"}; the profile never goes onto the ledger.
    """
    wanted = [role.name for role in Role if role in roles]
    profile: Document = {"type": "profile", "version": 1, "account": client.address, "roles": wanted}
    profile |= {
        "name": {"en": name_en, "zh": name_zh},
        "creditCode": credit_code,
        "kind": kind or ("LEGAL_PERSON" if credit_code else "NATURAL_PERSON"),
        "merchantClasses": list(merchant_classes),
        "evidence": [{"name": path.name, "digest": to_hex(sha256(path.read_bytes()))} for path in evidence],
        "membership": membership.get_agreement().reference,
        "nonce": to_hex(secrets.token_bytes(32)),
    }
    documents.validate_profile(profile)
    digest = documents.digest(profile)
    message = {
        "account": client.address,
        "roles": int(roles),
        "identityDigest": digest,
        "deadline": client.deadline(days=30),
    }
    body = {"join": message, "signature": client.sign("Join", message), "document": profile}
    client.post("/participants/applications", body, repeatable=True)
    return {"account": client.address, "roles": wanted, "identityDigest": digest, "profile": profile}


def list_applications(client: Client) -> list[dict[str, Any]]:
    """Applications that wait for a registrar."""
    return client.pages("/participants/applications")


def get_application(client: Client, account: str) -> dict[str, Any]:
    """The open application of an account, as itself or as a registrar.

    Raises:
        NotFoundError: `application_unknown`: there is none, or it is not yours to see.
    """
    found: dict[str, Any] = client.get(f"/participants/applications/{account}")
    return found


def show(client: Client, account: str) -> dict[str, Any]:
    """A participant as the ledger says, with its open application where one may see it.

    Returns:
        as `get`, and "application": as `get_application`, or None; for whoever the ledger does not know yet "account",
        "status" and "application" alone.
    Raises:
        NotFoundError: `participant_unknown`: neither is to be seen.
    """
    try:
        application: dict[str, Any] | None = get_application(client, account)
    except NotFoundError:
        application = None
    try:
        return {**get(client, account), "application": application}
    except NotFoundError:
        if application is None:
            raise
        return {"account": account, "status": int(ParticipantStatus.NONE), "application": application}


def admit(client: Client, account: str) -> dict[str, Any]:
    """Admit an applicant, after checking its own signature and that its profile is the one it signed for.

    Raises:
        NotFoundError: nobody with this address has applied.
        VerificationError: the application is not what the applicant signed.
        RuleError: `membership_unsigned`: it does not sign the participant agreement.
    """
    application = get_application(client, account)
    wish = application["join"]
    membership.require_signed(_check_application(client, application))
    fields = {name: wish[name] for name in ("account", "roles", "identityDigest")}
    message = {
        **fields,
        "version": _version(client, account),
        "registrar": client.address,
        "deadline": client.deadline(),
    }
    return client.submit("/participants/admissions", {"admit": message, "signature": client.sign("Admit", message)})


def set_status(client: Client, account: str, status: ParticipantStatus, reason: str) -> dict[str, Any]:
    """Suspend or restore a participant, as a registrar or a regulator.

    The reason's digest goes onto the ledger, its text stays with whoever decides.
    """
    digest = to_hex(sha256(reason.encode()))
    message = {"account": account, "status": int(status), "reasonDigest": digest, "version": _version(client, account)}
    message |= {"decider": client.address, "deadline": client.deadline()}
    body = {"setStatus": message, "signature": client.sign("SetStatus", message)}
    return {**client.submit("/participants/status", body), "reasonDigest": digest}


def review(client: Client, account: str, status: ParticipantStatus, reason: str) -> dict[str, Any]:
    """Take up an application, ask for its correction, or reject it, as a registrar.

    The application is put on the ledger first, if it is not there; the reason's digest goes there too.
    """
    _check_application(client, get_application(client, account))
    if _status(client, account) not in (ParticipantStatus.SUBMITTED, ParticipantStatus.UNDER_REVIEW):
        client.submit(f"/participants/applications/{account}/entry", {})
    if _status(client, account) is ParticipantStatus.SUBMITTED:
        done = set_status(client, account, ParticipantStatus.UNDER_REVIEW, reason)
        if status is ParticipantStatus.UNDER_REVIEW:
            return done
    return set_status(client, account, status, reason)


def leave(client: Client) -> dict[str, Any]:
    """Announce the exit of this client's account. A registrar completes it after the notice."""
    message = {"account": client.address, "version": _version(client, client.address), "deadline": client.deadline()}
    return client.submit("/participants/exits", {"leave": message, "signature": client.sign("Leave", message)})


def get(client: Client, account: str) -> dict[str, Any]:
    """A participant as the ledger says."""
    found: dict[str, Any] = client.get(f"/participants/{account}")
    return found


def list_all(client: Client) -> list[dict[str, Any]]:
    """Every participant as the ledger says."""
    return client.pages("/participants")


def _status(client: Client, account: str) -> ParticipantStatus:
    try:
        return ParticipantStatus(int(get(client, account)["status"]))
    except NotFoundError:
        return ParticipantStatus.NONE


def _version(client: Client, account: str) -> int:
    try:
        return int(get(client, account)["version"])
    except NotFoundError:
        return 0


def _check_application(client: Client, application: dict[str, Any]) -> Document:
    """The profile of an application, once it is what the applicant signed."""
    wish = application["join"]
    verify_intent("Join", wish, client.deployment, wish["account"], bytes.fromhex(application["signature"][2:]))
    profile = documents.validate_profile(client.get_document(wish["identityDigest"]))
    claimed = sum(Role[name] for name in profile["roles"])
    if (profile["account"], claimed) != (wish["account"], wish["roles"]):
        raise VerificationError(
            "application_differs",
            "the profile does not say what the applicant signed",
            zh="申请资料与申请人签署的内容不一致",
            expected={"account": wish["account"], "roles": wish["roles"]},
            got={"account": profile["account"], "roles": claimed},
        )
    return profile
