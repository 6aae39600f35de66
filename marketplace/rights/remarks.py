"""What the register tells of data besides titles and shares: what a product was made of, and the remarks kept with the
record (registration guide of 2026: judicial seizure, administrative control; pledges too). Pure.

Certificates carry it as it was when they were issued, printed ones and the resolver as it is: nothing that GET
/rights/assets and GET /lineage do not show to everybody, and less of it (neither pledgees nor debts).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from marketplace.documents import Document
from marketplace.documents.identifiers import Kind, identifier
from marketplace.identifiers.standing import NAMES, of_data
from marketplace.types import ZERO_DIGEST, TitleKind, TitleMark

Row = Mapping[str, Any]
MARKS = {
    TitleMark.SEIZED: ("seized", "查封"),
    TitleMark.CONTROLLED: ("under administrative control", "行政管控"),
    TitleMark.PLEDGED: ("pledged", "质押"),
}
SHARE = "SHARE"
OBJECTS = {
    SHARE: ("revenue share", "收益份额"),
    "HOLD": ("title to hold", "持有权"),
    "USE": ("title to use", "使用权"),
    "OPERATE": ("title to operate", "经营权"),
}


def annex_of(asset: Row, inputs: Iterable[tuple[Row, Row]], now: int) -> Document:
    """What a certificate of an asset has to tell at `now`.

    Args:
        asset: its titles and shares as GET /rights/assets shows them, all or those on which something weighs.
        inputs: each declared input, as GET /lineage shows it, with its asset; in the declaration's order.
        now: unix seconds.
    Returns:
        {"inputs": [{"assetId", "identifier", "bps", "basis": TITLE or CONSENT, "status": of standing.NAMES}],
        "remarks": [{"mark": name of a TitleMark, "object": of OBJECTS, "holder", "bps": for a share}]}
    """
    return {
        "inputs": [_input(declared, source, now) for declared, source in inputs],
        "remarks": [*_of_titles(asset["titles"]), *_of_shares(asset["shares"])],
    }


def declared_of(declared: Row) -> Document:
    """Of an input what its product's declaration fixed for good, without its state."""
    name = declared["inputId"]
    basis = "CONSENT" if declared["titleId"] == ZERO_DIGEST else "TITLE"
    return {"assetId": name, "identifier": str(identifier(Kind.DATA, name)), "bps": declared["bps"], "basis": basis}


def stated_in(certificate: Row) -> Document:
    """What a certificate tells; one that names no inputs or remarks has none."""
    subject = certificate.get("credentialSubject")
    told = subject if isinstance(subject, Mapping) else {}
    return {"inputs": told.get("inputs", []), "remarks": told.get("remarks", [])}


def words_of_input(told: Row) -> tuple[str, str]:
    """Of an input its part of the income and its state; English and Chinese."""
    part, state = f"{told['bps'] / 100:.2f} %", NAMES[told["status"]]
    return f"{part}, {state['en']}", f"{part}，{state['zh']}"


def words_of_remark(told: Row) -> tuple[str, str]:
    """What weighs on what; English and Chinese."""
    mark, thing = MARKS[TitleMark[told["mark"]]], OBJECTS[told["object"]]
    part = f" {told['bps'] / 100:.2f} %" if told["object"] == SHARE else ""
    return f"{mark[0]}: {thing[0]}{part}", f"{mark[1]}：{thing[1]}{part}"


def _input(declared: Row, source: Row, now: int) -> Document:
    state = of_data(source["status"], source["validUntil"], now).status
    return {**declared_of(declared), "status": state}


def _of_titles(titles: Iterable[Row]) -> Iterable[Document]:
    """Of the first titles that have not ended; what weighs on a granted one its own holder knows."""
    first = [title for title in titles if title["parent"] == ZERO_DIGEST and not title["marks"] & TitleMark.ENDED]
    for title in sorted(first, key=lambda title: int(title["kind"])):
        for mark in MARKS:
            if title["marks"] & mark:
                yield {"mark": mark.name, "object": TitleKind(title["kind"]).name, "holder": title["holder"]}


def _of_shares(shares: Iterable[Row]) -> Iterable[Document]:
    for share in shares:
        for mark in MARKS:
            bps = share["pledgedBps"] if mark is TitleMark.PLEDGED else share["bps"]
            if share["marks"] & mark or (mark is TitleMark.PLEDGED and bps):
                yield {"mark": mark.name, "object": SHARE, "holder": share["holder"], "bps": bps}
