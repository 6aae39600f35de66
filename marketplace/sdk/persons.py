"""Who signs for an account: keys of several persons, rotation, guardians, recovery.

Two people who each hold a key pass a file from one to the other: an administrator proposes a key, its holder accepts;
whoever lost an account offers a new key, guardians approve it. A file holds no secret.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crypto.canonical import digest_json, from_hex, sha256, to_hex
from crypto.errors import CryptoError
from crypto.keystore import Keys
from marketplace.errors import InvalidInputError, VerificationError
from marketplace.intents import INTENTS, recover_intent, sign_intent
from marketplace.participants import wording
from marketplace.participants.wording import Line
from marketplace.sdk.client import Client
from marketplace.sdk.home.files import read_json_file
from marketplace.types import NO_LIMIT, Act

DAY_SECONDS = 86_400


def keys_of(client: Client, account: str | None = None) -> dict[str, Any]:
    """Keys, guardians and recoveries of an account (of this client's, if None)."""
    found: dict[str, Any] = client.get(f"/participants/{account or client.address}/keys")
    return found


def propose_key(
    client: Client, key: str, acts: Act, *, name: str, limit: int = NO_LIMIT, days: int = 0
) -> dict[str, Any]:
    """The file by which `key` becomes a key of this client's account once its holder accepts.

    Args:
        acts: what it may sign.
        name: who holds it; only a blinded digest goes onto the ledger.
        limit: fen for each act over money.
        days: until it ends; 0 for no end, which an administrator must have.
    Returns:
        {"type": "key-proposal", "person", "message", "signature"}.
    """
    person = {"type": "person", "name": name, "nonce": to_hex(secrets.token_bytes(32))}
    message = {
        "account": client.address,
        "key": key,
        "acts": int(acts),
        "limit": limit,
        "validUntil": client.now() + days * DAY_SECONDS if days else NO_LIMIT,
        "personDigest": to_hex(digest_json(person)),
        "by": client.keys.address,
        "version": int(keys_of(client)["version"]),
        "deadline": client.deadline(days=7),
    }
    signature = client.sign("AddKey", message)
    return {"type": "key-proposal", "person": person, "message": message, "signature": signature}


def check_proposal(client: Client, proposal: Mapping[str, Any]) -> dict[str, Any]:
    """The AddKey of a proposal, once it is for this client's own key and signed by who proposes it.

    Raises: as `accept_key`.
    """
    message, maker = _read(client, proposal, "key-proposal", "AddKey")
    _expect(message["key"], client.keys.address)
    _expect(message["personDigest"], _digest_of(proposal.get("person")))
    _expect(maker, message["by"])
    return message


def describe_proposal(client: Client, proposal: Mapping[str, Any]) -> list[Line]:
    """What a proposal lets one's key do, in words. Raises: as `accept_key`."""
    return wording.of_key(check_proposal(client, proposal), str(proposal["person"].get("name")))


def accept_key(client: Client, proposal: Mapping[str, Any]) -> dict[str, Any]:
    """Accept a proposal for this client's own key, and act for the account from now on.

    Raises:
        InvalidInputError: `key_file_malformed`.
        VerificationError: `proposal_differs`: it is for another key, or another person's document.
    """
    message = check_proposal(client, proposal)
    body = {"addKey": message, "signature": proposal["signature"], "keySignature": client.sign("AddKey", message)}
    done = client.submit("/participants/keys", body)
    client.act_for(str(message["account"]))
    return done


def end_key(client: Client, key: str, reason: str) -> dict[str, Any]:
    """End another key of this client's account. The reason's digest goes onto the ledger."""
    message: dict[str, Any] = {"account": client.address, "key": key, "reasonDigest": to_hex(sha256(reason.encode()))}
    message |= {"by": client.keys.address, "version": int(keys_of(client)["version"]), "deadline": client.deadline()}
    return client.submit("/participants/keys/end", {"endKey": message, "signature": client.sign("EndKey", message)})


def rotate_key(client: Client, fresh: Keys) -> dict[str, Any]:
    """Replace this client's key by `fresh`, which may do the same from now on."""
    message: dict[str, Any] = {"account": client.address, "oldKey": client.keys.address, "newKey": fresh.address}
    message |= {"version": int(keys_of(client)["version"]), "deadline": client.deadline()}
    new = to_hex(sign_intent("RotateKey", message, client.deployment, fresh.signing_key))
    body = {"rotateKey": message, "signature": client.sign("RotateKey", message), "newSignature": new}
    return client.submit("/participants/keys/rotate", body)


def set_guardians(client: Client, guardians: list[str], threshold: int, days: int) -> dict[str, Any]:
    """Name who may recover this client's account, how many of them it takes, and how long the notice is."""
    message: dict[str, Any] = {"account": client.address, "guardians": guardians, "threshold": threshold}
    message |= {"delay": days * DAY_SECONDS, "by": client.keys.address}
    message |= {"version": int(keys_of(client)["version"]), "deadline": client.deadline()}
    body = {"setGuardians": message, "signature": client.sign("SetGuardians", message)}
    return client.submit("/participants/guardians", body)


def offer_recovery(client: Client, account: str, guardian: str, reason: str) -> dict[str, Any]:
    """The file by which `guardian` (or a registrar) may ask that this client's key signs for `account`.

    Returns:
        {"type": "recovery-offer", "reason", "message", "signature"}.
    """
    message: dict[str, Any] = {
        "account": account,
        "newKey": client.keys.address,
        "reasonDigest": to_hex(sha256(reason.encode())),
    }
    version = int(keys_of(client, account)["version"])
    message |= {"by": guardian, "version": version, "deadline": client.deadline(days=7)}
    signature = client.sign("Recover", message)
    return {"type": "recovery-offer", "reason": reason, "message": message, "signature": signature}


def check_recovery(client: Client, offer: Mapping[str, Any]) -> dict[str, Any]:
    """The Recover of an offer, once it is for this guardian and signed by the new key. Raises: as
    `approve_recovery`.
    """
    message, maker = _read(client, offer, "recovery-offer", "Recover")
    _expect(message["by"], client.address)
    _expect(message["reasonDigest"], to_hex(sha256(str(offer.get("reason")).encode())))
    _expect(maker, message["newKey"])
    return message


def describe_recovery(client: Client, offer: Mapping[str, Any]) -> list[Line]:
    """What an offered recovery does, in words. Raises: as `approve_recovery`."""
    return wording.of_recovery(check_recovery(client, offer), str(offer.get("reason")))


def approve_recovery(client: Client, offer: Mapping[str, Any]) -> dict[str, Any]:
    """Approve a recovery, as a guardian or registrar.

    Raises:
        InvalidInputError: `key_file_malformed`.
        VerificationError: `proposal_differs`: it is for another guardian, or not signed by the new key.
    """
    message = check_recovery(client, offer)
    body = {"recover": message, "signature": client.sign("Recover", message), "newSignature": offer["signature"]}
    return client.submit("/participants/recoveries", body)


def list_recoveries(client: Client) -> list[dict[str, Any]]:
    """Every recovery that anybody asked for."""
    return client.pages("/participants/recoveries")


def veto(client: Client, recovery: str) -> dict[str, Any]:
    """Stop a recovery of this client's account."""
    message: dict[str, Any] = {"recoveryId": recovery, "account": client.address, "by": client.keys.address}
    message |= {"deadline": client.deadline()}
    body = {"veto": message, "signature": client.sign("Veto", message)}
    return client.submit("/participants/recoveries/veto", body)


def complete_recovery(client: Client, recovery: str) -> dict[str, Any]:
    """Complete a recovery whose notice is over; anybody may."""
    return client.submit(f"/participants/recoveries/{recovery}/complete", {})


def read_file(path: Path) -> dict[str, Any]:
    """A proposal or offer that somebody passed on. Raises InvalidInputError."""
    return read_json_file(path)


def _read(client: Client, paper: Mapping[str, Any], kind: str, intent: str) -> tuple[dict[str, Any], str]:
    """The message of a file that somebody passed on, and the key that signed it."""
    _expect(paper.get("type"), kind)
    message, fields = paper.get("message"), {name for name, _ in INTENTS[intent].fields}
    if not isinstance(message, dict) or message.keys() != fields:
        raise _malformed(intent, sorted(fields))
    try:
        signature = from_hex(paper.get("signature"), 65, "signature")
        return message, recover_intent(intent, message, client.deployment, signature)
    except CryptoError as error:
        raise _malformed(intent, str(error)) from error


def _digest_of(person: object) -> str:
    try:
        return to_hex(digest_json(person))
    except CryptoError as error:
        raise _malformed("AddKey", str(error)) from error


def _malformed(intent: str, reason: object) -> InvalidInputError:
    return InvalidInputError(
        "key_file_malformed",
        f"the file holds no signed {intent}",
        zh=f"该文件不含有效的 {intent} 签署内容",
        rule="keys.passed_on_as_signed",
        expected=reason,
        hint="ask for a new file, and pass it on unchanged",
        hint_zh="请索取新文件，并原样传递",
    )


def _expect(got: object, expected: object) -> None:
    if got != expected:
        raise VerificationError(
            "proposal_differs",
            "the file is not for you, or not what its maker signed",
            zh="该文件并非提供给您，或与签署内容不符",
            rule="keys.passed_on_as_signed",
            expected=expected,
            got=got,
            hint="ask for a new file; check that --home names the right folder",
            hint_zh="请索取新文件，并确认 --home 指向正确目录",
        )
