"""One random history on the real ledger, and the register that comes of it read four ways.

The ledger is the service's own: queue, journal, node, follower, read model. What its contracts did is laid beside the
Python rules call by call; at the end the contracts' storage, the read model, and what an auditor derives from the chain
alone must be the same register, row by row. Verbs, tables and getters are taken from the tables that the program has.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

from eth_abi.abi import decode, encode
from sqlmodel import Session, col, select

from crypto.canonical import from_hex, keccak256, to_hex
from marketplace import artifacts
from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.chain import read_bodies, read_headers
from marketplace.auditor.ledger.deployment import check_deployment
from marketplace.auditor.ledger.replay import Replay, intent_of
from marketplace.auditor.readmodel.comparison import check_read_model, file_of
from marketplace.auditor.readmodel.rows import Tables
from marketplace.currencies import code_of
from marketplace.evidence import bundle
from marketplace.evidence.projections import PROJECTORS
from marketplace.ledger.embedded import EmbeddedChain
from marketplace.ledger.intake import IntentCall, queue_intents
from marketplace.ledger.rebuild import check
from marketplace.ledger.tables import LedgerBlock, LedgerEvent, LedgerIntent, LedgerTransaction
from marketplace.ledger.worker import LedgerWorker
from marketplace.participants.rules import STATES
from marketplace.refusals import LedgerRuleError
from marketplace.rights.tables import ShareEncumbrance
from marketplace.storage.engine import make_engine, reading, session
from marketplace.storage.migrate import upgrade
from marketplace.types import ParticipantStatus as S
from tests.happenings import Happenings
from tests.histories import ADDRESSES, BUILDERS, TRADERS, TREASURY, Call, History, Part
from tests.integration.ledger.market import ledger_settings
from tests.memory import MemoryBundle

START = 1_800_000_000
DAY = 86_400
REFUSED = "Refused"
EXPELLED = 2  # most who are out for good: of eighteen traders, up to sixteen of whom share an asset
TURNS = ("changes_hands", "derives", "claims", "forgets_keys", "lingers")  # what a history is focused on
Fields = dict[str, Any]

# table of the read model -> (contract, getter, key column, getter's names that the table has others for)
VIEWS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "participants": ("Participants", "participant", "account", {}),
    "assets": ("Rights", "asset", "assetId", {"registrant": "holder"}),
    "titles": ("Titles", "title", "titleId", {}),
    "listings": ("Listings", "listing", "listingId", {}),
    "agreements": ("Agreements", "agreement", "agreementId", {}),
    "orders": ("Orders", "order", "orderId", {}),
    "order_claims": ("Orders", "windowOf", "orderId", {}),
    "delivery_offers": ("Deliveries", "offerOf", "listingId", {}),
    "deliveries": ("Deliveries", "delivery", "orderId", {}),
}


class DifferentRegistersError(AssertionError):
    """Two of the four do not say the same."""


@dataclass(frozen=True)
class Course:
    """How a history goes.

    Args:
        width: most calls of one verb that are drawn one after the other.
        crowd: so many registrations are needed for each further verb in a step; None: always one. Blocks of a large
            register take the node as long for one call as for a hundred.
        staying: of all participants this share is active, or those who are not come back; 0: they do not. A market
            whose people may go and hardly come back is deserted after some hundred registrations.
        turning: whether what it is focused on changes from step to step.
        waits: seconds that may pass between two steps; once in a hundred times it is forty days.
    """

    width: int
    crowd: int | None = None
    staying: float = 0.0
    turning: bool = False
    waits: tuple[int, ...] = (1, 60, 3600)


class _Mostly(History):
    """A history in which few calls are bent, so that it gets far.

    Attributes:
        bent: the share of calls that are.
        staying: as of its course; if any, registrars who are in office stand in for those who are not.
    """

    bent = 0.1
    staying = 0.0

    def _bent(self, contract: str, verb: str, parts: list[Any]) -> Call:
        if self.random.random() < self.bent:
            return super()._bent(contract, verb, parts)
        return self._sign(contract, verb, parts)

    def returns(self) -> list[Call]:
        """What brings back who was suspended, refused or has left, each a step nearer; the expelled stay out."""
        calls = []
        for account in ADDRESSES.values():
            record = self.state.participants.of(account)
            asked = {S.SUSPENDED: S.ACTIVE, S.EXITING: S.EXITED}.get(record.status)
            if asked is not None:
                message = {"account": account, "status": int(asked), "reasonDigest": self._digest()}
                message |= {"version": record.version, "decider": self._registrar(account)}
                part = self._part("SetStatus", message | {"deadline": self._deadline()})
                calls.append(self._sign("Participants", "setStatus", [part]))
            elif record.status in STATES["requestAdmission"]:
                calls.append(self._sign("Participants", "requestAdmission", self._admission(account, 0)[:1]))
            elif record.status in {S.SUBMITTED, S.UNDER_REVIEW}:
                calls.append(self._sign("Participants", "admit", self._admission(account, record.version)))
        return calls

    def is_deserted(self) -> bool:
        """Whether too few may act, of those who were not expelled."""
        active = sum(map(self.state.participants.is_active, ADDRESSES.values()))
        return active < self.staying * (len(ADDRESSES) - self._expelled())

    def turn(self) -> None:
        """Be focused on something else."""
        for focus in TURNS:
            setattr(self, focus, self.random.random() < 0.3)

    def _expelled(self) -> int:
        return sum(self.state.participants.of(account).status is S.EXPELLED for account in ADDRESSES.values())

    def _decision(self, account: str) -> list[Part]:
        """Few are expelled, and none who holds an office: nobody would come in their place."""
        drawn = super()._decision(account)
        expels = drawn[0].message["status"] == S.EXPELLED
        return self._decision(account) if expels and (account not in TRADERS or self._expelled() >= EXPELLED) else drawn

    def _registrar(self, account: str) -> str:
        """One who is in office, if any."""
        asked = super()._registrar(account)
        others = [ADDRESSES[name] for name in ("registrar", "second registrar") if ADDRESSES[name] != account]
        fit = [one for one in others if self.state.participants.is_active(one)]
        return fit[0] if self.staying and fit and asked not in fit else asked


@dataclass
class Tally:
    """What a history came to, verb by verb.

    Attributes:
        done: calls that took effect. refused: calls that the contracts refused.
        gas, events: of transactions in which no call was refused; `measured` calls were in them.
        codes: why calls were refused. ran: seconds that the rules took.
        happenings: what the events tell. seconds: by part of the work.
    """

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    gas: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    measured: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    ran: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    happenings: Happenings = field(default_factory=Happenings)
    seconds: dict[str, float] = field(default_factory=dict)

    def took(self, what: str, seconds: float) -> None:
        """Add to the time of one part of the work."""
        self.seconds[what] = self.seconds.get(what, 0.0) + seconds


class Played:
    """A ledger on which a history is played. Close it.

    Args:
        folder: for the store and the node.
        seed: of all choices.
        weights: how often a verb is tried; those of the table of builders where it is not named.
    """

    def __init__(self, folder: Path, seed: int, weights: dict[str, int] | None = None) -> None:
        self.engine = make_engine(f"sqlite:///{folder / 'market.db'}")
        upgrade(self.engine)
        settings = replace(ledger_settings(folder), registrar=ADDRESSES["registrar"], treasury=TREASURY)
        self._clock = START
        self.worker = LedgerWorker(self.engine, settings, PROJECTORS, clock=lambda: self._clock)
        self.worker.open()
        self.history = _Mostly(Random(seed), self.worker.profile.genesis, START)
        self.tally = Tally()
        frequencies = {verb: weight for verb, (_, _, weight) in BUILDERS.items()} | (weights or {})
        self._verbs = [verb for verb, weight in frequencies.items() for _ in range(weight)]
        self._seen = 1  # blocks whose calls the rules have run; block 1 deployed the contracts

    def close(self) -> None:
        """Let go of node and store."""
        self.worker.close()
        self.engine.dispose()

    def open_market(self) -> None:
        """Everybody joins and has money."""
        self._put(self.history.opening())

    def play(self, until: Callable[["Played"], bool], course: Course) -> None:
        """Random steps, each of calls that are drawn of the same state."""
        random, self.history.staying = self.history.random, course.staying
        while not until(self):
            if self.history.is_deserted():
                self._put(self.history.returns())
            self._clock += random.choice(course.waits if random.random() < 0.99 else (40 * DAY,))
            self.history.now = self._clock
            if course.turning:
                self.history.turn()
            with self.history.standing_still():
                groups = 1 + (self.registrations() // course.crowd if course.crowd else 0)
                calls = [call for _ in range(groups) for call in self._draw(course.width)]
            self._put(calls)

    def _draw(self, width: int) -> list[Call]:
        """Up to `width` calls of one verb."""
        verb = self.history.random.choice(self._verbs)
        drawn = [self.history.next_call(verb) for _ in range(self.history.random.randint(1, width))]
        return [call for call in drawn if call is not None and call.verb == verb and _is_taken(call)]

    def registrations(self) -> int:
        """Assets that are registered so far."""
        return len(self.history.state.rights.assets)

    def _put(self, calls: Sequence[Call]) -> None:
        begun = time.perf_counter()
        with session(self.engine) as opened:
            queue_intents(opened, [self._intent(call) for call in calls], now=self._clock)
        self.worker.drain()
        middle = time.perf_counter()
        self._follow()
        self.tally.took("contracts, journal and read model", middle - begun)
        self.tally.took("rules, compared call by call", time.perf_counter() - middle)

    def _intent(self, call: Call) -> IntentCall:
        digest = from_hex(intent_of(call.contract, call.verb, call.arguments, self.history.deployment), 32)
        return IntentCall(call.contract, call.verb, call.arguments, digest, ADDRESSES["registrar"])

    def _follow(self) -> None:
        """Let the rules run what the new blocks hold, and compare."""
        with reading(self.engine) as opened:
            last = opened.exec(select(LedgerBlock.number).order_by(col(LedgerBlock.number).desc()).limit(1)).one()
            for number in range(self._seen + 1, last + 1):
                self._compare_block(opened, opened.get_one(LedgerBlock, number))
        self._seen = last
        self._clock = max(self._clock, self.history.now)

    def _compare_block(self, opened: Session, block: LedgerBlock) -> None:
        aboard = select(LedgerIntent).join(LedgerTransaction).where(LedgerTransaction.block == block.number)
        calls = opened.exec(aboard.order_by(col(LedgerIntent.nonce), col(LedgerIntent.call_index))).all()
        kept = select(LedgerEvent).where(LedgerEvent.block == block.number, LedgerEvent.name != REFUSED)
        stated = [
            (event.contract, event.name, event.args) for event in opened.exec(kept.order_by(col(LedgerEvent.log_index)))
        ]
        derived: list[tuple[str, str, Fields]] = []
        for place, members in groupby(calls, key=lambda call: call.transaction_index):
            aboard_of = list(members)
            events = [event for call in aboard_of for event in self._run(call, block)]
            derived += events
            self._measure(block, place, aboard_of, len(events))
        _same(f"events of block {block.number}", derived, stated)
        self.tally.happenings.note(derived)
        self.history.now = self._clock = max(self._clock, block.timestamp)

    def _run(self, call: LedgerIntent, block: LedgerBlock) -> list[tuple[str, str, Fields]]:
        """Let the rules run a call, compare whether and why it was refused, and return its events."""
        begun = time.perf_counter()
        (outcome,) = self.history.state.apply_transaction(
            call.contract, call.calldata, block.timestamp, self.history.recover
        )
        self.tally.ran[call.verb] += time.perf_counter() - begun
        code = outcome.refusal.code if isinstance(outcome.refusal, LedgerRuleError) else None
        _same(f"{call.verb} in block {block.number}", code, call.code)
        self.tally.codes.update([code] if code else [])
        (self.tally.refused if outcome.refusal else self.tally.done)[call.verb] += 1
        return [(event.contract, event.name, event.args) for event in outcome.events]

    def _measure(self, block: LedgerBlock, place: int | None, calls: Sequence[LedgerIntent], events: int) -> None:
        """Count the gas of a transaction, if it tells what one verb takes."""
        verbs = {call.verb for call in calls}
        if len(verbs) == 1 and all(call.status == "mined" for call in calls):
            (verb,) = verbs
            receipts = [each for each in block.receipts or () if int(each["transactionIndex"], 16) == place]
            self.tally.gas[verb] += sum(int(receipt["gasUsed"], 16) for receipt in receipts)
            self.tally.measured[verb] += len(calls)
            self.tally.events[verb] += events

    # -- the four --------------------------------------------------------------------------------------------------

    def compare(self) -> dict[str, int]:
        """Compare the registers; rules and events were compared on the way.

        Returns:
            What was compared: rows of the read model against the events, fields of the contracts' storage, findings.
        Raises:
            DifferentRegistersError: naming the first difference.
        """
        begun = time.perf_counter()
        report = check(self.engine, PROJECTORS)
        checked = time.perf_counter()
        fields = self.compare_contracts()
        read = time.perf_counter()
        found = self.audit()
        if found.findings:
            raise DifferentRegistersError(f"the auditor: {found.findings[:3]}")
        for name, seconds in (
            ("read model against events", checked - begun),
            ("contracts' storage read back", read - checked),
            ("auditor, from the chain alone", time.perf_counter() - read),
        ):
            self.tally.took(name, seconds)
        return {"rows": report.rows, "fields of storage": fields, "events": report.events}

    def compare_contracts(self) -> int:
        """Ask the contracts for every object of the read model; returns how many fields were compared."""
        count = 0
        with reading(self.engine) as opened:
            for table in bundle.READ_MODEL:
                name = str(table.__tablename__)
                if name in VIEWS:
                    contract, getter, key, other = VIEWS[name]
                    rows = {row.as_json()[key]: row.as_json() for row in opened.exec(select(table))}
                    told = self._ask(contract, getter, list(rows))
                    for answer, (identity, row) in zip(told, rows.items(), strict=True):
                        stored = {other.get(field, field): value for field, value in _named(answer).items()}
                        stored |= {"currency": code_of(stored["currency"])} if "currency" in stored else {}
                        shared = stored.keys() & row.keys()
                        _same(f"{name} {identity}", {f: row[f] for f in shared}, {f: stored[f] for f in shared})
                        count += len(shared)
            count += self._compare_shares(opened) + self._compare_encumbrances(opened)
        return count

    def _compare_encumbrances(self, opened: Session) -> int:
        rows = [row.as_json() for row in opened.exec(select(ShareEncumbrance))]
        told = self._ask("Rights", "encumbranceOf", [(row["assetId"], row["holder"]) for row in rows])
        for answer, row in zip(told, rows, strict=True):
            _same(f"encumbrance of {row['holder']} in {row['assetId']}", {name: row[name] for name in answer}, answer)
        return len(rows)

    def _compare_shares(self, opened: Session) -> int:
        held: dict[str, Fields] = {}
        for table in bundle.READ_MODEL:
            if table.__tablename__ == "shares":
                for row in opened.exec(select(table)):
                    value = row.as_json()
                    held.setdefault(value["assetId"], {})[value["holder"]] = value["bps"]
        for answer, (asset, shares) in zip(self._ask("Rights", "shares", list(held)), held.items(), strict=True):
            # no slot returns to zero, so who gave all away stays listed with nothing; the read model drops that row
            _same(f"shares of {asset}", shares, {share["holder"]: share["bps"] for share in answer if share["bps"]})
        return sum(map(len, held.values()))

    def _ask(self, contract: str, getter: str, keys: Sequence[str | tuple[str, str]]) -> Iterator[Any]:
        (entry,) = [e for e in artifacts.load(contract).entries("function") if e["name"] == getter]
        kinds = [item["type"] for item in entry["inputs"]]
        selector = keccak256(f"{getter}({','.join(kinds)})".encode())[:4]
        chain = self.worker.chain
        assert isinstance(chain, EmbeddedChain)
        to = self.history.deployment.addresses[contract]
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            named = [(key,) if isinstance(key, str) else key for key in part]
            data = [to_hex(selector + encode(kinds, list(map(_raw, kinds, key)))) for key in named]
            for answer in chain.node.rpc.batch([("eth_call", [{"to": to, "data": one}, "latest"]) for one in data]):
                values = decode([_kind(item) for item in entry["outputs"]], bytes.fromhex(answer[2:]))
                yield _plain(entry["outputs"][0], values[0])

    def audit(self) -> Report:
        """What an auditor finds who has the chain and the service's rows."""
        with reading(self.engine) as opened:
            files = {
                "ledger/headers.jsonl": b"".join(bundle._headers(opened)),
                "ledger/transactions.jsonl": b"".join(bundle._transactions(opened)),
                "ledger/receipts.jsonl": b"".join(bundle._receipts(opened)),
            }
            files |= {
                file_of(str(table.__tablename__)): b"".join(bundle._rows(opened, table)) for table in bundle.READ_MODEL
            }
        held, report = MemoryBundle(files), Report()
        blocks = read_headers(held, None, report)
        read_bodies(held, blocks, self.worker.profile.chain_id, report)
        genesis = check_deployment(blocks, self.history.deployment, report)
        assert genesis == self.worker.profile.genesis
        replay, tables = Replay(genesis, self.history.deployment, report), Tables()
        replay.run(blocks)
        for placed in replay.derived:
            tables.apply(placed)
        check_read_model(held, tables, report)
        return report


def _is_taken(call: Call) -> bool:
    """Whether the service would take it: integers beyond JSON's exact ones (marketplace/web/shapes.py) never get in."""
    values = [value for part in call.arguments if isinstance(part, dict) for value in part.values()]
    return all(value <= 2**53 - 1 for value in values if isinstance(value, int))


def _same(what: str, one: Any, other: Any) -> None:
    if one != other:
        raise DifferentRegistersError(f"{what}: {one} and {other}")


def _raw(kind: str, value: str) -> Any:
    return bytes.fromhex(value[2:]) if kind == "bytes32" else value


def _kind(item: Fields) -> str:
    """The canonical ABI type of an entry."""
    if not item["type"].startswith("tuple"):
        return str(item["type"])
    return f"({','.join(map(_kind, item['components']))}){item['type'].removeprefix('tuple')}"


def _plain(item: Fields, value: Any) -> Any:
    """A decoded value in the form of the read model: structs by name, bytes and addresses as "0x" hex."""
    if item["type"].endswith("[]"):
        inner = {**item, "type": item["type"].removesuffix("[]")}
        return [_plain(inner, one) for one in value]
    if item["type"] == "tuple":
        return {part["name"]: _plain(part, one) for part, one in zip(item["components"], value, strict=True)}
    return to_hex(value) if isinstance(value, bytes) else value.lower() if isinstance(value, str) else value


def _named(answer: Any) -> Fields:
    assert isinstance(answer, dict)
    return answer
