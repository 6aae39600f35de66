"""Titles: asked for, granted, handed over, pledged, seized, ended.

What two parties sign is made as an offer by the first and submitted by the second, who checks and signs the same words.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crypto.canonical import sha256, to_hex
from marketplace.documents import ids, iso_time
from marketplace.documents.scopes import fields_mask, purposes_mask, territories_mask, words_of
from marketplace.errors import InvalidInputError, RuleError
from marketplace.intents import struct_hash
from marketplace.rights import wording
from marketplace.rights.wording import Line
from marketplace.sdk import rights
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.sdk.keyproofs import book_of
from marketplace.types import TitleKind, TitleMark
from marketplace.words import Words

OFFER_DAYS = 7


@dataclass(frozen=True)
class _Deed:
    """What two sign: intent, member of the body, who offers and who accepts, whose signatures have which names."""

    intent: str
    member: str
    offerer: str
    accepter: str
    path: str

    @property
    def names(self) -> tuple[str, str]:
        return f"{self.offerer}Signature", f"{self.accepter}Signature"


_DEEDS = {
    "transfer": _Deed("Transfer", "transfer", "from", "to", "/rights/transfers"),
    "grant": _Deed("Grant", "grant", "grantor", "grantee", "/rights/grants"),
    "pledge": _Deed("Pledge", "pledge", "holder", "pledgee", "/rights/pledges"),
    "pledgeShare": _Deed("PledgeShare", "pledgeShare", "holder", "pledgee", "/rights/share-pledges"),
}
#: acts on a pledged title that its pledgee may permit, by their member of a body
_PERMITTED = {"transfer": ("Transfer", "titleId"), "grant": ("Grant", "parent")}


@dataclass(frozen=True)
class Wish:
    """What is to be granted.

    Args:
        to: the grantee's address.
        term: how long, seconds from now; no longer than the parent's.
        purposes, fields, territories: names; all of the parent's where empty.
        marks: EXCLUSIVE, MAY_GRANT, MAY_DERIVE.
        licence: the licence agreement as bytes, whose digest is signed; a random digest stands for none.
    """

    to: str
    kind: TitleKind
    term: int
    purposes: Sequence[str] = ()
    fields: Sequence[str] = ()
    territories: Sequence[str] = ()
    marks: TitleMark = TitleMark.EXCLUSIVE & 0
    licence: bytes | None = None


def root(asset: str, kind: TitleKind) -> str:
    """The id of an asset's first title of a kind."""
    return ids.title_id(asset, kind)


def get(client: Client, title: str) -> dict[str, Any]:
    """A title as the ledger says, with its scope in words and why it is not in force, if it is not."""
    return rights.get_title(client, title)


def of_asset(client: Client, asset: str) -> list[dict[str, Any]]:
    """All titles of an asset but those of orders."""
    found: list[dict[str, Any]] = rights.get_asset(client, asset)["titles"]
    return found


def offer_grant(client: Client, parent: str, wish: Wish) -> dict[str, Any]:
    """The grantor's half of a grant, to be handed to the grantee; changes nothing by itself.

    Raises:
        InvalidInputError: `scope_unknown`.
        RuleError: `grant_beyond_term`.
    """
    above = get(client, parent)
    terms = to_hex(sha256(wish.licence if wish.licence is not None else secrets.token_bytes(32)))
    now = client.now()
    _require_term(above, now, wish.term)
    message = {
        "titleId": ids.granted_id(parent, wish.to, terms),
        "parent": parent,
        "kind": int(wish.kind),
        "grantor": client.address,
        "grantee": wish.to,
        "purposes": purposes_mask(wish.purposes) if wish.purposes else above["purposes"],
        "fields": _fields(client, above, wish.fields),
        "territories": territories_mask(wish.territories) if wish.territories else above["territories"],
        "validFrom": max(now, above["validFrom"]),
        "validUntil": now + wish.term,
        "marks": int(wish.marks),
        "termsDigest": terms,
        "version": _version(above, acts=bool(wish.marks & TitleMark.EXCLUSIVE)),
        "deadline": client.deadline(days=OFFER_DAYS),
    }
    return offered(client, "grant", message)


def offer_transfer(client: Client, title: str, to: str) -> dict[str, Any]:
    """The holder's half of a title's transfer, to be handed to the new holder; changes nothing by itself."""
    found = get(client, title)
    message: dict[str, Any] = {"titleId": title, "from": client.address, "to": to}
    message |= {"version": _version(found, acts=True)}
    return offered(client, "transfer", message | {"deadline": client.deadline(days=OFFER_DAYS)})


def offer_pledge(client: Client, title: str, to: str, debt: str) -> dict[str, Any]:
    """The holder's half of a pledge; the debt's digest goes onto the ledger, its text to the pledgee ("debt")."""
    message: dict[str, Any] = {"titleId": title, "holder": client.address, "pledgee": to, "debtDigest": digest_of(debt)}
    message |= {"version": get(client, title)["version"], "deadline": client.deadline(days=OFFER_DAYS)}
    return {**offered(client, "pledge", message), "debt": debt}


def accept(client: Client, offer: Mapping[str, Any]) -> dict[str, Any]:
    """The other side's half: check the offer, sign the same statement, and submit both.

    Raises:
        InvalidInputError: `offer_malformed`.
        VerificationError: the offer is for somebody else; `debt_differs`: its debt is another than the one signed for.
        RuleError: `intent_signature_invalid`: no living key of the first side signed it; `act_not_permitted`.
    """
    deed, message = _deed_of(offer)
    _check_debt(offer, message)
    expect(message[deed.accepter], client.address, "offer_for_another", "rights.offer_is_yours")
    first, second = deed.names
    signature = bytes.fromhex(str(offer[first])[2:])
    offerer = str(message[deed.offerer])
    book_of(client, offerer).require_now(deed.intent, message, offerer, signature, client.now())
    body = {deed.member: message, first: offer[first], second: client.sign(deed.intent, message)}
    outcome = client.submit(deed.path, body)
    return {**outcome, **{name: message[name] for name in ("titleId", "assetId") if name in message}}


def describe(client: Client, offer: Mapping[str, Any]) -> list[Line]:
    """What an offer says, in words, for whoever is about to sign it: data, right, sides, scope, term, marks, debt.

    Raises:
        InvalidInputError: `offer_malformed`.
        VerificationError: `debt_differs`, or as `rights.checked_manifest`.
    """
    deed, message = _deed_of(offer)
    debt = _check_debt(offer, message)
    title = None if deed.member == "pledgeShare" else get(client, message.get("parent") or message["titleId"])
    asset = str(title["assetId"] if title else message["assetId"])
    manifest = rights.checked_manifest(client, rights.get_asset(client, asset))
    if title is None:
        return wording.of_share_pledge(message, manifest, debt)
    if deed.member == "grant":
        return wording.of_grant(message, manifest, asset)
    if deed.member == "transfer":
        return wording.of_transfer(message, title, manifest)
    return wording.of_pledge(message, title, manifest, debt)


def permit(client: Client, offer: Mapping[str, Any]) -> dict[str, Any]:
    """Permit, as pledgee, the act in this offer: it states the version after the permit.

    Raises:
        InvalidInputError: `offer_malformed`.
    """
    name = next((name for name in _PERMITTED if name in offer), None)
    if name is None:
        raise InvalidInputError("offer_malformed", "this holds no act on a title", zh="不是有效的文件")
    intent, field = _PERMITTED[name]
    title = str(offer[name][field])
    act = to_hex(struct_hash(intent, offer[name]))
    message = {"titleId": title, "act": act, "pledgee": client.address, "version": get(client, title)["version"]}
    return _submit(client, "Permit", "permit", message, "/rights/permits")


def release_pledge(client: Client, title: str) -> dict[str, Any]:
    """Release a pledge, as the pledgee."""
    message = {"titleId": title, "pledgee": client.address, "version": get(client, title)["version"]}
    return _submit(client, "ReleasePledge", "releasePledge", message, "/rights/pledge-releases")


def enforce(client: Client, title: str, ruling: str) -> dict[str, Any]:
    """Give a pledged title to its pledgee on a ruling, whose digest goes onto the ledger; as a registrar."""
    message = {"titleId": title, "rulingDigest": digest_of(ruling), "registrar": client.address}
    return _submit(client, "Enforce", "enforce", message | _now(client, title), "/rights/enforcements")


def encumber(client: Client, title: str, mark: TitleMark, order: str) -> dict[str, Any]:
    """Seize a title or put it under administrative control on an order, as a registrar; what weighs on it stays.

    Args:
        mark: SEIZED or CONTROLLED.
    """
    return _encumber(client, title, lambda present: present | mark, order)


def lift(client: Client, title: str, mark: TitleMark | None, order: str) -> dict[str, Any]:
    """Lift a seizure or a control of a title on an order, as a registrar; the other of the two stays.

    Args:
        mark: SEIZED or CONTROLLED; None where one of them stands alone.
    Raises:
        InvalidInputError: `lift_ambiguous`; `lift_nothing`.
    """
    return _encumber(client, title, lambda present: without(present, mark), order)


def without(present: TitleMark, mark: TitleMark | None) -> TitleMark:
    """What of a seizure and a control is left when one is lifted. Raises as `lift`."""
    both = TitleMark.SEIZED | TitleMark.CONTROLLED
    present &= both
    if mark is None and present == both:
        raise InvalidInputError(
            "lift_ambiguous",
            "it is seized and under administrative control: say which of the two the order lifts",
            zh="该权利同时被查封与行政管控：请指明命令解除的是哪一项",
            rule="rights.a_mark_is_lifted_by_its_order",
            expected="SEIZED | CONTROLLED",
            hint="add --mark SEIZED or --mark CONTROLLED",
            hint_zh="请加 --mark SEIZED 或 --mark CONTROLLED",
        )
    lifted = present if mark is None else mark
    if not present & lifted:
        raise InvalidInputError(
            "lift_nothing",
            "there is no such seizure or control to lift",
            zh="并无可解除的查封或行政管控",
            rule="rights.a_mark_is_lifted_by_its_order",
            got=words_of(int(present)),
            hint="read what weighs on it: `marketplace rights title`, `rights show`",
            hint_zh="请先查看其限制：`marketplace rights title`、`rights show`",
        )
    return present & ~lifted


def _encumber(client: Client, title: str, change: Callable[[TitleMark], TitleMark], order: str) -> dict[str, Any]:
    """Of the title as it was read: if it changes meanwhile, the ledger refuses."""
    shown = get(client, title)
    marks = change(TitleMark(shown["marks"]) & TitleMark.ENCUMBRANCES)
    message = {"titleId": title, "marks": int(marks), "orderDigest": digest_of(order), "registrar": client.address}
    message |= {"version": shown["version"]}
    return _submit(client, "Encumber", "encumber", message, "/rights/encumbrances")


def surrender(client: Client, title: str, reason: str) -> dict[str, Any]:
    """Give up a title that was granted to one; the reason's digest goes onto the ledger."""
    message = {"titleId": title, "holder": client.address, "reasonDigest": digest_of(reason)}
    return _submit(client, "Surrender", "surrender", message | _now(client, title), "/rights/surrenders")


def revoke(client: Client, title: str, reason: str) -> dict[str, Any]:
    """Revoke a title, as a registrar without a part in it."""
    message = {"titleId": title, "registrar": client.address, "reasonDigest": digest_of(reason)}
    return _submit(client, "RevokeTitle", "revokeTitle", message | _now(client, title), "/rights/title-revocations")


def offered(client: Client, name: str, message: dict[str, Any]) -> dict[str, Any]:
    """What the first side hands to the second: the statement, and its signature."""
    deed = _DEEDS[name]
    return {deed.member: message, deed.names[0]: client.sign(deed.intent, message)}


def _deed_of(offer: Mapping[str, Any]) -> tuple[_Deed, dict[str, Any]]:
    """What kind of act a file offers, and its statement."""
    deed = next((deed for name, deed in _DEEDS.items() if name in offer), None)
    if deed is None:
        raise InvalidInputError(
            "offer_malformed", "this offers neither transfer, grant nor pledge", zh="不是有效的文件"
        )
    return deed, dict(offer[deed.member])


def _check_debt(offer: Mapping[str, Any], message: Mapping[str, Any]) -> str | None:
    """The debt that a pledge is for, in the words handed along; None where there are none."""
    debt = offer.get("debt")
    if debt is not None:
        expect(digest_of(str(debt)), message["debtDigest"], "debt_differs", "rights.debt_as_signed")
    return None if debt is None else str(debt)


def _require_term(above: Mapping[str, Any], now: int, term: int) -> None:
    """Refuse a grant that would outlive the title that it is a part of."""
    longest, end = above["validUntil"] - now, iso_time(above["validUntil"])
    if term > longest:
        raise RuleError(
            "grant_beyond_term",
            f"title {above['titleId']} itself ends at {end}",
            zh=f"上级权利 {above['titleId']} 于 {end} 到期",
            rule="titles.part_within_whole",
            expected=Words(
                f"an end not after {iso_time(above['validUntil'])}", f"不晚于 {iso_time(above['validUntil'])}"
            ),
            got=iso_time(now + term),
            hint=f"grant for {_duration(longest)} or less, e.g. --term {_duration(longest)}",
            hint_zh=f"期限不得超过 {_duration(longest)}，例如 --term {_duration(longest)}",
        )


def _duration(seconds: int) -> str:
    """Whole days, or seconds where it is less than one day."""
    return f"{seconds // 86_400}d" if seconds >= 86_400 else f"{max(seconds, 0)}s"


def _submit(client: Client, intent: str, member: str, message: dict[str, Any], path: str) -> dict[str, Any]:
    whole = message | {"deadline": client.deadline()}
    body = {member: whole, "signature": client.sign(intent, whole)}
    return {**client.submit(path, body), "titleId": whole["titleId"]}


def _version(title: Mapping[str, Any], *, acts: bool) -> int:
    """The version that an act states: of a pledged title the one after its pledgee's permit."""
    return int(title["version"]) + (acts and bool(title["marks"] & TitleMark.PLEDGED))


def _now(client: Client, title: str) -> dict[str, Any]:
    return {"version": get(client, title)["version"]}


def digest_of(text: str) -> str:
    """What stands on the ledger of a text that stays with the parties."""
    return to_hex(sha256(text.encode()))


def _fields(client: Client, above: Mapping[str, Any], names: Sequence[str]) -> str:
    if not names:
        return str(above["fields"])
    manifest = rights.checked_manifest(client, rights.get_asset(client, above["assetId"]))
    return fields_mask(manifest, names)
