"""Who held what at a block: the register as the signed intents alone give it, by replay up to that block.

Nothing of the operator's read model is looked at. Each thing comes with the acts that made it what it is: the digest of
the signed intent, whose signature by which key, block and time.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.auditor.bundle import Bundle
from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.proceedings import Proceedings
from marketplace.auditor.ledger.replay import Replay
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.auditor.register_acts import acts_of, input_of
from marketplace.auditor.trust import Seen, Trust
from marketplace.auditor.verifier import derive, read_ledger
from marketplace.documents import iso_time
from marketplace.documents.scopes import fields_of, purposes_of, territories_of, words_of
from marketplace.errors import InvalidInputError, NotFoundError
from marketplace.procedures import CaseState, Kind, Procedure
from marketplace.rights.title_records import ENDED, EXPIRED, NOT_BEGUN
from marketplace.types import (
    ZERO_ADDRESS,
    ZERO_DIGEST,
    AssetStatus,
    ConsentStatus,
    ParticipantStatus,
    Role,
    TitleKind,
    TitleMark,
)

IN_FORCE = "in_force"
CAUSES = {ENDED: "ended", EXPIRED: "expired", NOT_BEGUN: "not_begun"}
WEIGHTS = {TitleMark.SEIZED: "seized", TitleMark.CONTROLLED: "controlled", TitleMark.PLEDGED: "pledged"}
_PARTIES = ("registrant", "applicant", "counterparty", "objector", "holder", "pledgee")


@dataclass(frozen=True)
class Register:
    """The register at one block. Plain JSON values; times as ISO 8601 text, UTC, None for none.

    Args:
        height: number of the block, its acts included.
        time: the block's.
        participants, assets, cases, titles, inputs (of products): each with its "acts", oldest first.
    """

    height: int
    time: str
    participants: list[Row]
    assets: list[Row]
    cases: list[Row]
    titles: list[Row]
    inputs: list[Row]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(self.__dict__)


def register_at(
    bundle: Bundle, trust: Trust, *, at: int | None = None, asset: str | None = None
) -> tuple[Report, Register | None]:
    """The register at a block, and what steps 1 to 5 of an audit found on the way up to it.

    Args:
        at: number of the block; None for the last.
        asset: only what concerns this asset.
    Returns:
        no register where roots, headers or contracts leave nothing to replay.

    Raises:
        InvalidInputError: `height_unknown`: the bundle has no such block.
        NotFoundError: `asset_unknown`: no such asset was registered by then.
    """
    report = Report()
    ledger = read_ledger(bundle, trust, Seen(), report)
    if ledger is None:
        return report, None
    height = max(ledger.blocks) if at is None else at
    if height not in ledger.blocks:
        raise _height_unknown(height, max(ledger.blocks))
    replay = Replay(ledger.genesis, ledger.roots.deployment, report, keep_signatures=True)
    with report.step(5):
        replay.run({number: block for number, block in ledger.blocks.items() if number <= height})
        tables, proceedings = derive(replay, report)
    if asset is not None and (asset,) not in tables.rows["assets"]:
        raise _asset_unknown(asset, height)
    now = ledger.blocks[height].header.timestamp
    with report.step(9):  # columns are named by the manifests
        found = Builder(replay, tables, proceedings, Documents(bundle, report), now).register(height)
    return report, found if asset is None else _about(found, asset)


class Builder:
    """Puts rows, rules' state and acts together."""

    def __init__(
        self, replay: Replay, tables: Tables, proceedings: Proceedings, documents: Documents, now: int
    ) -> None:
        self._broken, self._shares = proceedings.broken, defaultdict[str, dict[str, int]](dict)
        for (asset, holder), row in tables.rows["shares"].items():
            self._shares[asset][holder] = row["bps"]
        self._weights = defaultdict[str, list[Row]](list)
        for (asset, _), row in tables.rows["share_encumbrances"].items():
            if row["bps"] or row["marks"]:
                self._weights[asset].append(_weight(row))
        self._state, self._tables, self._documents, self._now = replay.state, tables, documents, now
        self._acts = acts_of(replay)

    def register(self, height: int) -> Register:
        rows = self._tables.rows
        return Register(
            height,
            iso_time(self._now),
            [self._participant(row) for row in rows["participants"].values()],
            [self._asset(row) for row in rows["assets"].values()],
            [self._case(row) for row in rows["registration_cases"].values()],
            [self._title(row) for row in rows["titles"].values()],
            [self._input(row) for row in rows["lineage_inputs"].values()],
        )

    def _participant(self, row: Row) -> Row:
        return {
            "account": row["account"],
            "status": ParticipantStatus(row["status"]).name,
            "roles": [role.name for role in Role if role & row["roles"]],
            "identityDigest": row["identityDigest"],
            "acts": self._acts[row["account"]],
        }

    def _asset(self, row: Row) -> Row:
        entry = self._tables.rows["register_entries"].get((row["assetId"],), {})
        return {
            "assetId": row["assetId"],
            "status": AssetStatus(row["status"]).name,
            "registrant": row["holder"],
            "manifestDigest": row["manifestDigest"],
            "certificateCode": entry.get("code") or None,
            "certificateDigest": _digest(row["certificateDigest"]),
            "validUntil": _time(row["validUntil"]),
            "disputes": entry.get("disputes", 0),
            "latestCase": entry.get("latestCase"),
            "shares": self._shares[row["assetId"]],
            "shareEncumbrances": self._weights[row["assetId"]],
            "acts": self._acts[row["assetId"]],
        }

    def _case(self, row: Row) -> Row:
        return {
            "caseId": row["caseId"],
            "assetId": row["assetId"],
            "kind": Kind(row["kind"]).name,
            "procedure": Procedure(row["procedure"]).name,
            "state": CaseState(row["state"]).name,
            "applicant": row["applicant"],
            "counterparty": _account(row["counterparty"]),
            "objector": _account(row["objector"]),
            "rulebookDigest": row["rulebookDigest"],
            **{name: _time(row[name]) for name in ("filedAt", "acceptedAt", "dueAt", "decideBy")},
            **{name: _time(row[name]) for name in ("noticeEnd", "depositedAt")},
            "broken": [{"version": version, "code": code} for version, code in self._broken.get(row["caseId"], ())],
            "acts": self._acts[row["caseId"]],
        }

    def _title(self, row: Row) -> Row:
        scope = self._scope(row)
        asset = self._tables.rows["assets"][row["assetId"],]
        manifest = self._documents.get(asset["manifestDigest"], "manifest", f"asset {row['assetId']}")
        standing, ancestor = self._standing(row, asset)
        # An order's use and a part have terms of their own; a root's is its asset's.
        until = row["validUntil"] if row["parent"] != ZERO_DIGEST or row["validUntil"] else asset["validUntil"]
        return {
            "titleId": row["titleId"],
            "assetId": row["assetId"],
            "kind": TitleKind(row["kind"]).name,
            "holder": row["holder"],
            "standing": standing,
            "through": ancestor,
            "parent": _digest(row["parent"]),
            "orderId": _digest(row["orderId"]),
            "purposes": purposes_of(scope["purposes"]),
            "fields": scope["fields"] if manifest is None else fields_of(manifest, scope["fields"]),
            "territories": territories_of(scope["territories"]),
            "validFrom": _time(row["validFrom"]),
            "validUntil": _time(until),
            "marks": words_of(row["marks"]),
            "encumbrances": [word for mark, word in WEIGHTS.items() if row["marks"] & mark],
            "pledgee": _account(row["pledgee"]) if row["marks"] & TitleMark.PLEDGED else None,
            "acts": self._acts[row["titleId"]],
        }

    def _input(self, row: Row) -> Row:
        """One input of a product, and the consent that its sale rests on."""
        product, source = row["assetId"], row["inputId"]
        needs, given = row["titleId"] == ZERO_DIGEST, self._tables.rows["lineage_consents"].get((product, source))
        return {
            "assetId": product,
            "inputId": source,
            "bps": row["bps"],
            "declarer": self._tables.rows["lineage_declarations"][product,]["holder"],
            "agreementDigest": self._tables.rows["lineage_declarations"][product,]["agreementDigest"],
            "titleId": _digest(row["titleId"]),
            "consent": self._consent(given) if needs else None,
            "consenter": given["holder"] if given else None,
            "consentTitle": given["titleId"] if given else None,
            "consentUntil": _time(given["validUntil"]) if given else None,
            "acts": self._acts[input_of(product, source)],
        }

    def _consent(self, given: Row | None) -> str:
        """How a consent stands at the block's time: it falls with the title of whoever gave it."""
        if given is None:
            return "missing"
        if given["status"] == ConsentStatus.WITHDRAWN:
            return "withdrawn"
        if self._now > given["validUntil"]:
            return "expired"
        title = self._tables.rows["titles"][given["titleId"],]
        if title["holder"] != given["holder"]:
            return "title_moved"
        standing, _ = self._standing(title, self._tables.rows["assets"][title["assetId"],])
        return "given" if standing == IN_FORCE else "title_over"

    def _scope(self, row: Row) -> Row:
        """An order's use has its listing's scope."""
        if row["orderId"] == ZERO_DIGEST:
            return row
        order = self._tables.rows["orders"][row["orderId"],]
        return self._tables.rows["listings"][order["listingId"],]

    def _standing(self, row: Row, asset: Row) -> tuple[str, str | None]:
        """Why a title is not in force at the block's time, and the title or asset that it comes from."""
        cause, ancestor = self._state.titles.why_over(row["titleId"], self._now)
        if cause:
            return CAUSES[cause], ancestor
        if asset["status"] != AssetStatus.CONFIRMED:
            return f"asset_{AssetStatus(asset['status']).name.lower()}", row["assetId"]
        if self._now > asset["validUntil"]:
            return "asset_expired", row["assetId"]
        return IN_FORCE, None


def _weight(row: Row) -> Row:
    """What weighs on a share."""
    return {
        "holder": row["holder"],
        "encumbrances": [word for mark, word in WEIGHTS.items() if row["marks"] & mark]
        + ["pledged"] * bool(row["bps"]),
        "pledgee": row["pledgee"] if row["bps"] else None,
        "bps": row["bps"],
        "debtDigest": row["debtDigest"] if row["bps"] else None,
    }


def _about(register: Register, asset: str) -> Register:
    """What concerns one asset, and the participants who are named in it."""
    chosen = [
        [row for row in rows if row["assetId"] == asset] for rows in (register.assets, register.cases, register.titles)
    ]
    chosen.append([row for row in register.inputs if asset in (row["assetId"], row["inputId"])])
    named = set(_accounts(row for rows in chosen for row in rows))
    people = [row for row in register.participants if row["account"] in named]
    return Register(register.height, register.time, people, *chosen)


def _accounts(rows: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for row in rows:
        yield from (row[name] for name in (*_PARTIES, "declarer", "consenter") if row.get(name))
        yield from row.get("shares", ())
        yield from (weight["pledgee"] for weight in row.get("shareEncumbrances", ()) if weight["pledgee"])
        yield from (signature["account"] for act in row["acts"] for signature in act["signatures"])


def _time(seconds: int) -> str | None:
    return iso_time(seconds) if seconds else None


def _digest(value: str) -> str | None:
    return None if value == ZERO_DIGEST else value


def _account(value: str) -> str | None:
    return None if value == ZERO_ADDRESS else value


def _height_unknown(got: int, last: int) -> InvalidInputError:
    return InvalidInputError(
        "height_unknown",
        f"the bundle has no block {got}",
        zh=f"证据包中没有区块 {got}",
        expected=f"0 to {last}",
        got=got,
        hint="name a block of the bundle, or leave --at out for the last one",
        hint_zh="请指定证据包中的区块，或省略 --at 以取最后一个区块",
    )


def _asset_unknown(asset: str, height: int) -> NotFoundError:
    return NotFoundError(
        "asset_unknown",
        f"no asset {asset} was registered up to block {height}",
        zh=f"截至区块 {height}，没有登记资产 {asset}",
        got=asset,
        hint="look at a later block, or leave --asset out to see all assets",
        hint_zh="请查看较后的区块，或省略 --asset 以查看全部资产",
    )
