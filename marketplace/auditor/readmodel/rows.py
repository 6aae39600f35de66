"""Step 6, first half: the read model as it must be, derived from the events that step 5 derived.

Every row remembers the event of its last change: block, position in the block, and the signed intent that caused it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.auditor.readmodel import cases, claimed, delivered, products, shares
from marketplace.currencies import code_of, currency_at
from marketplace.documents.ids import title_id
from marketplace.events import Event
from marketplace.participants.keys import OWN_ADDRESS, REGISTRAR_DELAY_SECONDS
from marketplace.rights.title_records import ALL_FIELDS, ALL_PURPOSES, ALL_TERRITORIES, NO_FIELDS, ROOTS
from marketplace.rights.titles import ROOT_MARKS
from marketplace.types import (
    ZERO_ADDRESS,
    ZERO_DIGEST,
    AgreementStatus,
    AssetStatus,
    BatchStatus,
    DebtStatus,
    ListingStatus,
    OrderStatus,
    ParticipantStatus,
    RecoveryStatus,
    RedemptionStatus,
    TitleKind,
    TitleMark,
)

Row = dict[str, Any]
Key = tuple[Any, ...]
BLOCK_TIME = "(block time)"  # beside an event's own arguments
CONTRACT = "(contract)"  # that emitted it

_UNPLEDGED = {"pledgee": ZERO_ADDRESS, "permitted": ZERO_DIGEST, "moves": 0, "version": 1}

KEYS: dict[str, tuple[str, ...]] = {
    "participants": ("account",),
    "account_rings": ("account",),
    "account_keys": ("account", "key"),
    "recoveries": ("recoveryId",),
    "assets": ("assetId",),
    "titles": ("titleId",),
    "listings": ("listingId",),
    "agreements": ("agreementId",),
    "orders": ("orderId",),
    "payouts": ("orderId", "assetId", "holder"),
    "balances": ("account", "currency"),
    "issues": ("ref", "currency"),
    "redemptions": ("redemptionId",),
    "anchors": ("size",),
    "clearing_batches": ("batchId",),
    "clearing_positions": ("batchId", "party"),
    "clearing_debts": ("debtId",),
    "cleared_orders": ("orderId",),
    **claimed.KEYS,
    **products.KEYS,
    **shares.KEYS,
    **delivered.KEYS,
    **cases.KEYS,
}


@dataclass(frozen=True)
class Placed:
    """An event and where it stands.

    Args:
        block: block number.
        timestamp: the block's, unix seconds.
        log_index: position among the block's logs.
        intent: digest of the signed intent that caused it; None for what the deployment did.
    """

    event: Event
    block: int
    timestamp: int
    log_index: int
    intent: str | None


@dataclass
class Tables:
    """The derived read model: table to key to row."""

    rows: dict[str, dict[Key, Row]] = field(default_factory=lambda: {name: {} for name in KEYS})

    def apply(self, placed: Placed) -> None:
        """Change what the event changes."""
        change = _CHANGES.get(placed.event.name)
        if change is not None:
            beside = {BLOCK_TIME: placed.timestamp, CONTRACT: placed.event.contract}
            change(self, placed.event.args | beside, {"event": _place(placed)})

    def put(self, table: str, row: Row) -> None:
        """Add a row, or replace the one with the same key."""
        self.rows[table][tuple(row[name] for name in KEYS[table])] = row

    def change(self, table: str, key: Key, values: Mapping[str, Any]) -> None:
        """Set fields of a row; the events come from the replayed rules, which never name a row before it exists."""
        self.rows[table][key].update(values)


def _place(placed: Placed) -> Row:
    return {"block": placed.block, "logIndex": placed.log_index, "intent": placed.intent}


def _take(args: Mapping[str, Any], *names: str) -> Row:
    return {name: args[name] for name in names}


def _admitted(tables: Tables, args: Row, at: Row) -> None:
    status = {"status": int(ParticipantStatus.ACTIVE), "exitAt": 0}
    tables.put("participants", _take(args, "account", "roles", "identityDigest", "version") | status | at)


def _applied(tables: Tables, args: Row, at: Row) -> None:
    before = tables.rows["participants"].get((args["account"],), {"roles": 0, "exitAt": 0})
    status = {"status": int(ParticipantStatus.SUBMITTED)}
    tables.put("participants", before | _take(args, "account", "identityDigest", "version") | status | at)


def _leaving(tables: Tables, args: Row, at: Row) -> None:
    status = {"status": int(ParticipantStatus.EXITING)}
    tables.change("participants", (args["account"],), _take(args, "version", "exitAt") | status | at)


def _status_changed(tables: Tables, args: Row, at: Row) -> None:
    tables.change("participants", (args["account"],), _take(args, "status", "version") | at)


def _key_added(tables: Tables, args: Row, at: Row) -> None:
    _turned(tables, args, at)
    key = _take(args, "account", "key", "acts", "validFrom", "validUntil", "personDigest")
    tables.put("account_keys", key | {"limitFen": args["limit"], "grantedBy": _intent(at)} | at)


def _key_ended(tables: Tables, args: Row, at: Row) -> None:
    _turned(tables, args, at)
    _end_key(tables, args["account"], args["key"], args[BLOCK_TIME], at)


def _key_rotated(tables: Tables, args: Row, at: Row) -> None:
    _turned(tables, args, at)
    account = args["account"]
    old = _held(tables, account, args["oldKey"])
    new = {"key": args["newKey"], "validFrom": args[BLOCK_TIME], "grantedBy": _intent(at)}
    tables.put("account_keys", old | new | at)
    _end_key(tables, account, args["oldKey"], args[BLOCK_TIME], at)


def _guardians_set(tables: Tables, args: Row, at: Row) -> None:
    ring = _turned(tables, args, at)
    ring |= _take(args, "threshold", "delay") | {"guardians": sorted(args["guardians"])}
    ring["guardiansNumber"] += 1


def _recovery_approved(tables: Tables, args: Row, at: Row) -> None:
    ring = tables.rows["account_rings"].get((args["account"],), _RING)
    row = tables.rows["recoveries"].get((args["recoveryId"],)) or {
        **_take(args, "recoveryId", "account", "newKey", "reasonDigest"),
        **_take(ring, "threshold", "delay", "guardians"),
        "approved": [],
    }
    guards = args["by"] in row["guardians"]
    status = RecoveryStatus.NOTICE if args["readyAt"] else RecoveryStatus.PROPOSED
    more = {"approved": [*row["approved"], args["by"]]} if guards else {"delay": REGISTRAR_DELAY_SECONDS}
    tables.put("recoveries", row | more | {"status": int(status), "readyAt": args["readyAt"]} | at)


def _recovery_vetoed(tables: Tables, args: Row, at: Row) -> None:
    _turned(tables, args, at)
    tables.change("recoveries", (args["recoveryId"],), {"status": int(RecoveryStatus.VETOED)} | at)


def _recovered(tables: Tables, args: Row, at: Row) -> None:
    _turned(tables, args, at)
    account, now = args["account"], args[BLOCK_TIME]
    keys = [key for owner, key in tables.rows["account_keys"] if owner == account]
    for key in {account, *keys}:
        if _held(tables, account, key)["validUntil"] > now:
            _end_key(tables, account, key, now, at)
    fresh = {"key": args["newKey"], "validFrom": now, "grantedBy": _intent(at)}
    tables.put("account_keys", _own_address(account) | fresh | at)
    tables.change("recoveries", (args["recoveryId"],), {"status": int(RecoveryStatus.COMPLETED)} | at)


_RING: Row = {
    "version": 0,
    "guardians": [],
    "guardiansNumber": 0,
    "threshold": 0,
    "delay": 0,
}


def _turned(tables: Tables, args: Row, at: Row) -> Row:
    """The account's ring at the version that the event gives it."""
    place = (args["account"],)
    row = tables.rows["account_rings"].get(place) or {"account": args["account"], **_RING}
    tables.rows["account_rings"][place] = row | {"version": args["version"]} | at
    return tables.rows["account_rings"][place]


def _own_address(account: str) -> Row:
    own = OWN_ADDRESS
    powers = {"acts": own.acts, "limitFen": own.limit, "validFrom": own.valid_from, "validUntil": own.valid_until}
    return {"account": account, "key": account, **powers, "personDigest": ZERO_DIGEST, "grantedBy": ""}


def _intent(at: Row) -> str:
    return at["event"]["intent"] or ""


def _held(tables: Tables, account: str, key: str) -> Row:
    return tables.rows["account_keys"].get((account, key)) or _own_address(account)


def _end_key(tables: Tables, account: str, key: str, now: int, at: Row) -> None:
    tables.put("account_keys", _held(tables, account, key) | {"validUntil": now} | at)


def _registered(tables: Tables, args: Row, at: Row) -> None:
    names = ("assetId", "holder", "manifestDigest", "ciphertextRoot", "claimDigest", "level", "epsilonBudget")
    start = {
        "status": int(AssetStatus.REGISTERED),
        "certificateDigest": ZERO_DIGEST,
        "validUntil": 0,
        "version": 1,
        "shareVersion": 1,
        "epsilonCommitted": 0,
        "epsilonReleased": 0,
    }
    tables.put("assets", _take(args, *names) | start | at)
    for holder, bps in zip(args["shareHolders"], args["shareBps"], strict=True):
        tables.put("shares", {"assetId": args["assetId"], "holder": holder, "bps": bps} | at)


def _confirmed(tables: Tables, args: Row, at: Row) -> None:
    values = _take(args, "certificateDigest", "validUntil", "version") | {"status": int(AssetStatus.CONFIRMED)}
    _renew_titles(tables, args, at)
    tables.change("assets", (args["assetId"],), values | at)


def _renew_titles(tables: Tables, args: Row, at: Row) -> None:
    """The first titles that are there end when their asset does."""
    for kind in ROOTS:
        title = tables.rows["titles"].get((title_id(args["assetId"], kind),))
        if title is not None and title["validUntil"] != args["validUntil"]:
            title.update({"validUntil": args["validUntil"]} | at)


def _marked(tables: Tables, args: Row, at: Row) -> None:
    tables.change("assets", (args["assetId"],), _take(args, "status", "version") | at)


def _title_granted(tables: Tables, args: Row, at: Row) -> None:
    names = ("titleId", "assetId", "kind", "holder", "orderId", "validUntil", "parent")
    scope = {"marks": 0, "purposes": 0, "fields": NO_FIELDS, "territories": 0}
    if args["orderId"] == ZERO_DIGEST:
        whole = {"purposes": ALL_PURPOSES, "fields": ALL_FIELDS, "territories": ALL_TERRITORIES}
        scope = {"marks": int(ROOT_MARKS[TitleKind(args["kind"])])} | whole
    tables.put("titles", _take(args, *names) | scope | _UNPLEDGED | {"validFrom": 0, "termsDigest": ZERO_DIGEST} | at)


def _title_derived(tables: Tables, args: Row, at: Row) -> None:
    names = ("titleId", "assetId", "kind", "holder", "validUntil", "parent", "marks", "purposes", "fields")
    rest = _take(args, *names, "territories", "validFrom", "termsDigest") | {"orderId": ZERO_DIGEST}
    tables.put("titles", rest | _UNPLEDGED | at)


def _mark_title(change: Callable[[int, Row], int], **columns: str) -> Callable[[Tables, Row, Row], None]:
    """A change of a title's marks; `columns` take over fields of the event."""

    def apply(tables: Tables, args: Row, at: Row) -> None:
        row = tables.rows["titles"][args["titleId"],]
        values = {column: args[field] for column, field in columns.items()}
        values |= {"moves": row["moves"] + 1} if "holder" in columns else {}
        row.update({"marks": int(change(row["marks"], args)), "version": args["version"]} | values | at)

    return apply


def _title_transferred(tables: Tables, args: Row, at: Row) -> None:
    row = tables.rows["titles"][args["titleId"],]
    row.update({"holder": args["to"], "moves": row["moves"] + 1, "version": args["version"]} | at)


def _budget(column: str) -> Callable[[Tables, Row, Row], None]:
    def change(tables: Tables, args: Row, at: Row) -> None:
        row = tables.rows["assets"][args["assetId"],]
        row.update({column: row[column] + args["amount"]} | at)

    return change


def _listed(tables: Tables, args: Row, at: Row) -> None:
    names: tuple[str, ...] = (
        *("listingId", "assetId", "titleId", "seller", "termsDigest", "price", "validUntil"),
        *("purposes", "fields", "territories"),
    )
    values = {"currency": code_of(args["currency"]), "status": int(ListingStatus.LISTED), "version": 1}
    tables.put("listings", _take(args, *names) | values | at)


def _delisted(tables: Tables, args: Row, at: Row) -> None:
    values = {"status": int(ListingStatus.DELISTED), "version": args["version"]}
    tables.change("listings", (args["listingId"],), values | at)


def _agreed(tables: Tables, args: Row, at: Row) -> None:
    _put_agreement(tables, args | {"version": 1, "previousId": ZERO_DIGEST}, at)


def _agreement_amended(tables: Tables, args: Row, at: Row) -> None:
    tables.change("agreements", (args["previousId"],), {"status": int(AgreementStatus.AMENDED)} | at)
    _put_agreement(tables, args, at)


def _put_agreement(tables: Tables, args: Row, at: Row) -> None:
    names = ("agreementId", "partyA", "partyB", "agreementDigest", "validUntil", "version", "previousId")
    tables.put("agreements", _take(args, *names) | {"status": int(AgreementStatus.SIGNED)} | at)


def _agreement_retired(tables: Tables, args: Row, at: Row) -> None:
    tables.change("agreements", (args["agreementId"],), {"status": int(AgreementStatus.RETIRED)} | at)


def _funded(tables: Tables, args: Row, at: Row) -> None:
    names = ("orderId", "listingId", "assetId", "buyer", "escrow", "epsilonCap", "validUntil", "agreementDigest")
    none_yet = {"amount": 0, "epsilon": 0, "calls": 0, "callsRoot": ZERO_DIGEST, "fee": 0, "refund": 0}
    values = {"currency": tables.rows["listings"][args["listingId"],]["currency"], "status": int(OrderStatus.FUNDED)}
    tables.put("orders", _take(args, *names, "agreementId") | values | none_yet | at)


def _settled(tables: Tables, args: Row, at: Row) -> None:
    values = _take(args, "amount", "epsilon", "calls", "callsRoot", "fee", "refund")
    tables.change("orders", (args["orderId"],), values | {"status": int(OrderStatus.SETTLED)} | at)
    delivered.order_ended(tables, args, at)


def _refunded(tables: Tables, args: Row, at: Row) -> None:
    values = {"status": int(OrderStatus.REFUNDED), "refund": args["amount"]}
    tables.change("orders", (args["orderId"],), values | at)
    delivered.order_ended(tables, args, at)


def _share_paid(tables: Tables, args: Row, at: Row) -> None:
    row = _take(args, "orderId", "assetId", "holder", "amount")
    before = tables.rows["payouts"].get((row["orderId"], row["assetId"], row["holder"]), {"amount": 0})
    tables.put("payouts", row | {"amount": before["amount"] + row["amount"]} | at)


def _transfer(tables: Tables, args: Row, at: Row) -> None:
    for account, change in ((args["from"], -args["value"]), (args["to"], args["value"])):
        if account != ZERO_ADDRESS:
            key = {"account": account, **_currency(args)}
            before = tables.rows["balances"].get(tuple(key.values()), {"balance": 0})["balance"]
            tables.put("balances", key | {"balance": before + change} | at)


def _currency(args: Row) -> Row:
    """The currency of the token that an event is of."""
    found = currency_at(args[CONTRACT])
    return {"currency": found.code if found else ""}


def _issued(tables: Tables, args: Row, at: Row) -> None:
    values = _currency(args) | {"issuedAt": args[BLOCK_TIME]}
    tables.put("issues", _take(args, "ref", "account", "amount", "bank") | values | at)


def _redemption_requested(tables: Tables, args: Row, at: Row) -> None:
    names = ("redemptionId", "account", "amount", "payoutDigest", "bank", "payBy")
    start = {"status": int(RedemptionStatus.LOCKED), "ref": ZERO_DIGEST, "reasonDigest": ZERO_DIGEST}
    times = {"requestedAt": args[BLOCK_TIME], "endedAt": 0}
    tables.put("redemptions", _take(args, *names) | _currency(args) | start | times | at)


def _redemption_ended(status: RedemptionStatus, *names: str) -> Callable[[Tables, Row, Row], None]:
    def change(tables: Tables, args: Row, at: Row) -> None:
        values = _take(args, *names) | {"status": int(status), "endedAt": args[BLOCK_TIME]}
        tables.change("redemptions", (args["redemptionId"],), values | at)

    return change


def _anchored(tables: Tables, args: Row, at: Row) -> None:
    tables.put("anchors", _take(args, "size", "root", "previousRoot") | at)


def _batch_opened(tables: Tables, args: Row, at: Row) -> None:
    none_yet = {"status": int(BatchStatus.OPEN), "legs": 0, "payBy": 0, "confirmedBy": ZERO_ADDRESS}
    row = _take(args, "batchId", "exchange", "number", "closeBy") | none_yet | {"payoutsDigest": ZERO_DIGEST}
    tables.put("clearing_batches", row | {"currency": code_of(args["currency"])} | at)


def _entered(tables: Tables, args: Row, at: Row) -> None:
    for party, amount in zip(args["parties"], args["amounts"], strict=True):
        if amount:
            _position(tables, args["batchId"], party, at, credit=amount)
    tables.put("cleared_orders", _take(args, "orderId", "batchId") | at)
    _one_more_leg(tables, args, at)


def _owed(tables: Tables, args: Row, at: Row) -> None:
    place = _one_more_leg(tables, args, at)
    names = ("debtId", "batchId", "debtor", "creditor", "amount", "ref")
    currency = tables.rows["clearing_batches"][args["batchId"],]["currency"]
    values = {"currency": currency, "place": place, "status": int(DebtStatus.ENTERED)}
    tables.put("clearing_debts", _take(args, *names) | values | at)
    _position(tables, args["batchId"], args["debtor"], at, debit=args["amount"])
    _position(tables, args["batchId"], args["creditor"], at, credit=args["amount"])


def _dropped(tables: Tables, args: Row, at: Row) -> None:
    debt = tables.rows["clearing_debts"][args["debtId"],]
    debt.update({"status": int(DebtStatus.DROPPED)} | at)
    _position(tables, args["batchId"], debt["debtor"], at, debit=-debt["amount"])
    _position(tables, args["batchId"], debt["creditor"], at, credit=-debt["amount"])


def _batch(status: BatchStatus, *names: str) -> Callable[[Tables, Row, Row], None]:
    def change(tables: Tables, args: Row, at: Row) -> None:
        tables.change("clearing_batches", (args["batchId"],), _take(args, *names) | {"status": int(status)} | at)

    return change


def _batch_confirmed(tables: Tables, args: Row, at: Row) -> None:
    changes = {"status": int(BatchStatus.CONFIRMED), "payoutsDigest": args["payoutsDigest"]}
    tables.change("clearing_batches", (args["batchId"],), changes | {"confirmedBy": args["exchange"]} | at)


def _collected(tables: Tables, args: Row, at: Row) -> None:
    _position(tables, args["batchId"], args["party"], at, collected=args["amount"])


def _paid_out(tables: Tables, args: Row, at: Row) -> None:
    tables.change("clearing_positions", (args["batchId"], args["party"]), {"paid": 1} | at)


def _one_more_leg(tables: Tables, args: Row, at: Row) -> int:
    row = tables.rows["clearing_batches"][args["batchId"],]
    row.update({"legs": row["legs"] + 1} | at)
    return int(row["legs"])


def _position(tables: Tables, batch: str, party: str, at: Row, **changes: int) -> None:
    nothing = {"batchId": batch, "party": party, "credit": 0, "debit": 0, "collected": 0, "paid": 0}
    row = tables.rows["clearing_positions"].get((batch, party), nothing)
    tables.put("clearing_positions", row | {name: row[name] + change for name, change in changes.items()} | at)


_CHANGES: dict[str, Callable[[Tables, Row, Row], None]] = {
    "Admitted": _admitted,
    "StatusChanged": _status_changed,
    "Applied": _applied,
    "Leaving": _leaving,
    "KeyAdded": _key_added,
    "KeyEnded": _key_ended,
    "KeyRotated": _key_rotated,
    "GuardiansSet": _guardians_set,
    "RecoveryApproved": _recovery_approved,
    "RecoveryVetoed": _recovery_vetoed,
    "Recovered": _recovered,
    "Registered": _registered,
    "Confirmed": _confirmed,
    "TitleGranted": _title_granted,
    "TitleDerived": _title_derived,
    "TitleTransferred": _title_transferred,
    "TitleEnded": _mark_title(lambda marks, _: marks | TitleMark.ENDED),
    "TitleEncumbered": _mark_title(lambda marks, args: marks & ~TitleMark.ENCUMBRANCES | args["marks"]),
    "TitlePledged": _mark_title(lambda marks, _: marks | TitleMark.PLEDGED, pledgee="pledgee"),
    "PledgeReleased": _mark_title(lambda marks, _: marks & ~TitleMark.PLEDGED),
    "ActPermitted": _mark_title(lambda marks, _: marks, permitted="act"),
    "PledgeEnforced": _mark_title(lambda marks, _: marks & ~TitleMark.PLEDGED, holder="to"),
    "Marked": _marked,
    "BudgetCommitted": _budget("epsilonCommitted"),
    "BudgetReleased": _budget("epsilonReleased"),
    "Listed": _listed,
    "Delisted": _delisted,
    "Agreed": _agreed,
    "AgreementAmended": _agreement_amended,
    "AgreementRetired": _agreement_retired,
    "Funded": _funded,
    "Settled": _settled,
    "Refunded": _refunded,
    "SharePaid": _share_paid,
    "Transfer": _transfer,
    "Issued": _issued,
    "RedemptionRequested": _redemption_requested,
    "RedemptionPaid": _redemption_ended(RedemptionStatus.PAID, "ref"),
    "RedemptionRejected": _redemption_ended(RedemptionStatus.REJECTED, "reasonDigest"),
    "RedemptionExpired": _redemption_ended(RedemptionStatus.EXPIRED),
    "Anchored": _anchored,
    "BatchOpened": _batch_opened,
    "Entered": _entered,
    "Owed": _owed,
    "BatchClosed": _batch(BatchStatus.CLOSED, "payBy"),
    "Collected": _collected,
    "Dropped": _dropped,
    "BatchConfirmed": _batch_confirmed,
    "PaidOut": _paid_out,
    "BatchSettled": _batch(BatchStatus.SETTLED),
    **claimed.CHANGES,
    **products.CHANGES,
    **shares.CHANGES,
    **delivered.CHANGES,
    **cases.CHANGES,
}
