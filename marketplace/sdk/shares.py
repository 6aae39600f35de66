"""Revenue shares: transferred, pledged, seized. A pledge is offered as a file and accepted by `titles.accept`."""

from collections.abc import Callable
from typing import Any

from marketplace.sdk import rights, titles
from marketplace.sdk.client import Client
from marketplace.types import TitleMark


def transfer(client: Client, asset: str, to: str, bps: int) -> dict[str, Any]:
    """Give away part of one's revenue share; payouts follow the holders at settlement time."""
    message = {"assetId": asset, "from": client.address, "to": to, "bps": bps}
    message |= {"version": rights.get_asset(client, asset)["shareVersion"]}
    return _submit(client, "TransferShare", "transferShare", message, "/rights/share-transfers")


def offer_pledge(client: Client, asset: str, to: str, bps: int, debt: str) -> dict[str, Any]:
    """The holder's half of a pledge of a share, to be handed to the pledgee; the debt's text goes along ("debt")."""
    message: dict[str, Any] = {"assetId": asset, "holder": client.address, "pledgee": to, "bps": bps}
    message |= {"debtDigest": titles.digest_of(debt), **_now(client, asset, client.address)}
    message |= {"deadline": client.deadline(days=titles.OFFER_DAYS)}
    return {**titles.offered(client, "pledgeShare", message), "debt": debt}


def release(client: Client, asset: str, holder: str) -> dict[str, Any]:
    """Release a pledge of a holder's share, as the pledgee."""
    message: dict[str, Any] = {"assetId": asset, "holder": holder, "pledgee": client.address}
    message |= _now(client, asset, holder)
    return _submit(client, "ReleaseShare", "releaseShare", message, "/rights/share-releases")


def enforce(client: Client, asset: str, holder: str, ruling: str) -> dict[str, Any]:
    """Give the pledged part of a holder's share to the pledgee on a ruling, as a registrar."""
    message: dict[str, Any] = {"assetId": asset, "holder": holder, "rulingDigest": titles.digest_of(ruling)}
    message |= {"registrar": client.address, **_now(client, asset, holder)}
    return _submit(client, "EnforceShare", "enforceShare", message, "/rights/share-enforcements")


def encumber(client: Client, asset: str, holder: str, mark: TitleMark, order: str) -> dict[str, Any]:
    """Seize a holder's share (SEIZED) or control it (CONTROLLED) on an order; what weighs on it already stays."""
    return _encumber(client, asset, holder, lambda present: present | mark, order)


def lift(client: Client, asset: str, holder: str, mark: TitleMark | None, order: str) -> dict[str, Any]:
    """Lift a seizure or a control of a holder's share, as `titles.lift`."""
    return _encumber(client, asset, holder, lambda present: titles.without(present, mark), order)


def _encumber(
    client: Client, asset: str, holder: str, change: Callable[[TitleMark], TitleMark], order: str
) -> dict[str, Any]:
    share = of(client, asset, holder)
    marks, version = (share["marks"], share["encumbranceVersion"]) if share else (0, 0)
    message = {"assetId": asset, "holder": holder, "marks": int(change(TitleMark(marks)))}
    message |= {"orderDigest": titles.digest_of(order), "registrar": client.address, "version": version}
    return _submit(client, "EncumberShare", "encumberShare", message, "/rights/share-encumbrances")


def of(client: Client, asset: str, holder: str) -> dict[str, Any] | None:
    """What a holder has of an asset's income and what weighs on it; None for nothing."""
    found: list[dict[str, Any]] = rights.get_asset(client, asset)["shares"]
    return next((share for share in found if share["holder"] == holder), None)


def _now(client: Client, asset: str, holder: str) -> dict[str, int]:
    share = of(client, asset, holder)
    return {"version": share["encumbranceVersion"] if share else 0}


def _submit(client: Client, intent: str, member: str, message: dict[str, Any], path: str) -> dict[str, Any]:
    whole = message | {"deadline": client.deadline()}
    outcome = client.submit(path, {member: whole, "signature": client.sign(intent, whole)})
    return {**outcome, "assetId": whole["assetId"]}
