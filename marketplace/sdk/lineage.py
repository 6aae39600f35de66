"""What products are made of: declare inputs, consent, withdraw, look both ways."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.documents import digest, validate_lineage
from marketplace.documents.ids import title_id
from marketplace.sdk.client import Client
from marketplace.types import ZERO_DIGEST, TitleKind


@dataclass(frozen=True)
class Source:
    """One input: its asset, its part of the net income in hundredths of a percent, and the title that lets derive;
    without one it needs the consent of who operates it."""

    asset: str
    bps: int
    title: str = ZERO_DIGEST


def declare(
    client: Client,
    asset: str,
    sources: Sequence[Source],
    note: Mapping[str, str],
    *,
    outside: Sequence[str] = (),
    evidence: Sequence[str] = (),
) -> dict[str, Any]:
    """Declare, once and before its confirmation, what one's registered product was made of.

    Args:
        note: {"en", "zh"}: how it was made. outside: sources that the register does not have, in words.
        evidence: digests of papers.
    """
    papers: dict[str, Any] = {"type": "lineage", "version": 1, "asset": asset, "note": dict(note)}
    papers = validate_lineage(papers | {"outside": list(outside), "evidence": list(evidence)})
    message = {
        "assetId": asset,
        "holder": client.address,
        "inputs": [source.asset for source in sources],
        "titles": [source.title for source in sources],
        "bps": [source.bps for source in sources],
        "agreementDigest": digest(papers),
        "deadline": client.deadline(),
    }
    body = {"declaration": message, "signature": client.sign("DeclareLineage", message), "papers": papers}
    return client.submit("/lineage/declarations", body)


def get(client: Client, asset: str) -> dict[str, Any]:
    """ "inputs" and "products" of an asset, each with its consent or null."""
    found: dict[str, Any] = client.get(f"/lineage/{asset}")
    return found


def part_of(client: Client, asset: str, source: str) -> int:
    """An input's part of a product's net income, basis points; 0 of what was not declared."""
    return int(_input(client, asset, source)["bps"])


def consent(client: Client, asset: str, source: str, until: int, *, title: str | None = None) -> dict[str, Any]:
    """Consent that the product `asset` of one's input `source` is sold until then (unix seconds).

    Args:
        title: one's title to operate the input; its first one if None.
    """
    row = _input(client, asset, source)
    message = {
        "assetId": asset,
        "inputId": source,
        "titleId": title or title_id(source, TitleKind.OPERATE),
        "holder": client.address,
        "bps": row["bps"],
        "validUntil": until,
        "version": row["consent"]["version"] if row["consent"] else 0,
        "deadline": client.deadline(),
    }
    return client.submit("/lineage/consents", {"consent": message, "signature": client.sign("GiveConsent", message)})


def withdraw(client: Client, asset: str, source: str) -> dict[str, Any]:
    """Withdraw one's consent: nothing new is sold under it."""
    row = _input(client, asset, source)
    message = {
        "assetId": asset,
        "inputId": source,
        "holder": client.address,
        "version": row["consent"]["version"] if row["consent"] else 0,
        "deadline": client.deadline(),
    }
    body = {"withdrawal": message, "signature": client.sign("WithdrawConsent", message)}
    return client.submit("/lineage/withdrawals", body)


def _input(client: Client, asset: str, source: str) -> dict[str, Any]:
    """The input as declared; of one that was not, what the ledger will refuse in its own words."""
    found = (row for row in get(client, asset)["inputs"] if row["inputId"] == source)
    return next(found, {"bps": 0, "consent": None})
