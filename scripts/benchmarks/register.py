"""What a register's users look up, over HTTP, where it holds 100,000 titles: by one client, and by several at once.

The register is made as the ledger makes it: every admission, registration, confirmation, transfer and suspension goes
through the rules, which are the contracts' twin, and their events through the projections that keep the read model,
with a document for each manifest and a signed certificate for each asset. Only signatures on the acts and the node are
left out, as no lookup asks them. The service is the real app under uvicorn in a process of its own; each client is a
process with one connection that asks for one random object after the other, every kind of lookup in turn.
"""

import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert
from sqlalchemy.orm import configure_mappers
from sqlmodel import SQLModel

from crypto import credential
from crypto.canonical import canonical_json, keccak256, sha256, to_hex
from crypto.keystore import Keys
from marketplace.calls import parameters_of
from marketplace.deployment import Genesis
from marketplace.documents import LEVELS, iso_time
from marketplace.documents.identifiers import Kind, identifier
from marketplace.documents.ids import asset_id, title_id
from marketplace.events import Event
from marketplace.evidence.projections import PROJECTORS
from marketplace.intents import Deployment
from marketplace.ledger.projection import ProjectionSession, make_event, project
from marketplace.ledger.tables import about_of
from marketplace.replay import LedgerState
from marketplace.rights.status_lists import CONTEXTS, entries_of
from marketplace.settings import Settings
from marketplace.storage.engine import make_engine, session_of
from marketplace.storage.migrate import upgrade
from marketplace.types import AssetStatus, Role, TitleKind
from scripts.benchmarks.tables import Table, versions
from tests import postgres
from tests.integration.service.town import free_port, town_settings
from tests.registering import code, deposit_acts, rulebook

TITLES, QUICK_TITLES = 100_000, 4_000
REQUESTS, QUICK_REQUESTS = 250, 40  # of each kind, by each client
CLIENTS = (1, 4)
TITLES_OF_AN_ASSET = 3  # to hold, to use, to operate
LARGEST = 0.1  # of all assets are one holder's; the others' are spread over as many holders as there are tens of them
MOVED, SUSPENDED = 0.05, 0.02
EVENTS_OF_A_BLOCK = 1_000
START, YEAR = 1_790_000_000, 365 * 86_400
START_SECONDS = 60
AIM = 20.0  # milliseconds, 95th percentile
KINDS = (
    "asset",
    "title",
    "titles of a holder",
    "titles of the largest holder, next page",
    "certificate of an asset",
    "certificate by its identifier",
    "data by its identifier",
    "participant",
)


def run(quick: bool) -> list[Table]:
    """Both stores, one after the other; PostgreSQL where Debian's server is installed."""
    titles, requests = (QUICK_TITLES, QUICK_REQUESTS) if quick else (TITLES, REQUESTS)
    return [_measure(name, url, titles, requests) for name, url in _stores()]


def _stores() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", f"sqlite:///{folder}/market.db"
    found = postgres.binaries()
    if found is not None:
        with postgres.server(found) as socket:
            yield "PostgreSQL", postgres.create_database(socket, "register")


def _measure(store: str, url: str, titles: int, requests: int) -> Table:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        settings = town_settings(Path(folder), database_url=url)
        begun = time.perf_counter()
        known = _fill(settings, -(-titles // TITLES_OF_AN_ASSET))
        filled = time.perf_counter() - begun
        port, process = stack.enter_context(_served(settings))
        found = {clients: _ask_all(port, known, requests, clients) for clients in CLIENTS}
        busy = {kind: _processor(process, port, known, requests, kind) for kind in KINDS}
    rows = [[*_row(kind, found), f"{busy[kind]:.1f}"] for kind in KINDS]
    every = [cell for n in CLIENTS for cell in _cells([t for ts in found[n][0].values() for t in ts])]
    rows.append(["all", *every, f"{statistics.mean(busy.values()):.1f}"])
    rates = ", ".join(f"{clients} clients {found[clients][1]:,.0f} a second" for clients in CLIENTS)
    return Table(
        title=f"Lookups over HTTP at {known.titles:,} titles of {len(known.assets):,} assets, {store}: milliseconds",
        columns=[
            "lookup",
            *(f"{n} client{'s' * (n > 1)}, {p}" for n in CLIENTS for p in ("p50", "p95", "p99")),
            "service's processor time",
        ],
        rows=rows,
        notes=[
            f"{requests} of each kind by each client. Aim: p95 under {AIM:.0f} ms. Answered: {rates}.",
            f"The largest holder has {known.largest:,} titles; {known.events:,} events shown to the read model; "
            f"made in {filled:.0f} s.",
            f"{os.cpu_count()} processors for service and clients, load {os.getloadavg()[0]:.1f}; "
            + versions("fastapi", "uvicorn", "sqlalchemy"),
        ],
    )


def _row(kind: str, found: dict[int, tuple[dict[str, list[float]], float]]) -> list[str]:
    return [kind, *(cell for clients in CLIENTS for cell in _cells(found[clients][0][kind]))]


def _cells(times: Sequence[float]) -> list[str]:
    cuts = statistics.quantiles(times, n=100)
    return [f"{cuts[place]:.1f}" for place in (49, 94, 98)]


# -- the register ----------------------------------------------------------------------------------------------------


@dataclass
class Known:
    """What clients may ask for; the first holder is the largest."""

    holders: list[str] = field(default_factory=list)
    assets: list[str] = field(default_factory=list)
    certificates: list[str] = field(default_factory=list)
    titles: int = 0
    largest: int = 0
    events: int = 0


class _Register:
    """Acts, their events and their documents, in blocks.

    Args:
        engine: a migrated, empty store.
        settings: of the service that will serve it.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.known, self._engine, self._settings = Known(), engine, settings
        self._registrar = Keys(sha256(b"benchmark registrar"))
        self._state = LedgerState(_genesis(self._registrar.address))
        self._events: list[dict[str, Any]] = []
        self._documents: list[dict[str, Any]] = []
        self._block, self.now = 0, START
        self._note(self._state.founding)

    def admit(self, account: str) -> None:
        """A supplier joins."""
        common = {"account": account, "roles": int(Role.SUPPLIER), "identityDigest": _digest(account)}
        join = {**common, "deadline": self.now}
        admission = {**common, "version": 0, "registrar": self._registrar.address, "deadline": self.now}
        self._act("Participants", "admit", join, admission)
        self.known.holders.append(account)

    def register(self, holder: str) -> str:
        """An asset with its manifest, its certificate and its titles, all of them `holder`'s."""
        number = len(self.known.assets)
        title = {"en": f"data set {number}", "zh": f"数据集 {number}"}
        manifest = self._store({"type": "manifest", "holder": holder, "title": title, **_COLUMNS})
        asset, claim = asset_id(holder, manifest), _digest(f"claim {number}")
        registration = {
            "assetId": asset,
            "holder": holder,
            "manifestDigest": manifest,
            "ciphertextRoot": _digest(f"root {number}"),
            "claimDigest": claim,
            "level": 1 + number % len(LEVELS),
            "epsilonBudget": 10**9,
            "shareHolders": [holder],
            "shareBps": [10_000],
            "deadline": self.now,
        }
        self._act("Rights", "register", registration)
        self._confirm(asset, claim, {**registration, "title": title}, number)
        self.known.assets.append(asset)
        return asset

    def _confirm(self, asset: str, claim: str, facts: dict[str, Any], number: int) -> None:
        until = self.now + YEAR
        certificate = self._store(self._certificate(facts, until, number))
        filing, acts = deposit_acts(asset, facts["holder"], self._registrar.address, self.now)
        self._act("Registrations", "file", filing)
        for act in acts:
            self._act("Registrations", "decide", act)
        confirmation = {
            "assetId": asset,
            "claimDigest": claim,
            "certificateDigest": certificate,
            "code": code(number % 9_999 + 1, f"2026{number // 9_999 + 1:02d}"),
            "rights": 7,
            "validUntil": until,
            "registrar": self._registrar.address,
            "version": 1,
            "deadline": self.now,
        }
        self._act("Rights", "confirm", confirmation)
        self.known.certificates.append(certificate)

    def move(self, asset: str, to: str) -> None:
        """The title to use changes hands."""
        name = title_id(asset, TitleKind.USE)
        title = self._state.titles.records[name]
        handover = {"titleId": name, "from": title.holder, "to": to, "version": 1, "deadline": self.now}
        self._act("Titles", "transfer", handover)

    def suspend(self, asset: str) -> None:
        """A registrar suspends the registration."""
        mark = {"assetId": asset, "status": int(AssetStatus.SUSPENDED), "reasonDigest": _digest("reason")}
        mark |= {"registrar": self._registrar.address, "version": 2, "deadline": self.now}
        self._act("Rights", "mark", mark)

    def write(self) -> None:
        """Put what has gathered into blocks, events, read model and documents."""
        tables = SQLModel.metadata.tables
        with session_of(ProjectionSession, self._engine) as opened:
            connection = opened.connection()
            for first in range(0, len(self._events), EVENTS_OF_A_BLOCK):
                rows = self._events[first : first + EVENTS_OF_A_BLOCK]
                self._block += 1
                place = {"block": self._block, "block_hash": _digest(f"block {self._block}"), "timestamp": self.now}
                connection.execute(
                    insert(tables["ledger_block"]).values(
                        number=self._block, timestamp=self.now, hash=place["block_hash"]
                    )
                )
                placed = [{**row, **place, "log_index": index} for index, row in enumerate(rows)]
                connection.execute(insert(tables["ledger_event"]), placed)
                project(opened, map(make_event, placed), PROJECTORS)
                self.now += 1
            if self._documents:
                connection.execute(insert(tables["documents"]), self._documents)
        self.known.events += len(self._events)
        self._events, self._documents = [], []

    def _act(self, contract: str, verb: str, *messages: dict[str, Any]) -> None:
        told = iter(messages)
        arguments = [b"" if parameter.kind == "bytes" else next(told) for parameter in parameters_of(contract, verb)]
        self._note(self._state.apply(contract, verb, arguments, self.now))

    def _note(self, events: Iterable[Event]) -> None:
        for event in events:
            made = {
                "contract": event.contract,
                "name": event.name,
                "args": event.args,
                "about": about_of(event.contract, event.args),
            }
            self._events.append({**made, "tx_hash": "0x" + "00" * 32, "intent": _digest(f"{len(self._events)}")})
            self.known.titles += event.name == "TitleGranted"

    def _store(self, document: dict[str, Any]) -> str:
        body = canonical_json(document)
        name = to_hex(sha256(body))
        row = {"digest": name, "type": str(document["type"]), "body": body, "public": True, "stored_at": self.now}
        self._documents.append(row)
        return name

    def _certificate(self, facts: dict[str, Any], until: int, number: int) -> dict[str, Any]:
        key = self._registrar.ed25519
        issuer = credential.did_key(key.public_key().public_bytes_raw())
        document = {
            "@context": CONTEXTS,
            "id": f"urn:marketplace:certificate:{facts['assetId']}",
            "type": ["VerifiableCredential", "DataRightsCertificate"],
            "issuer": {"id": issuer, "account": self._registrar.address},
            "validFrom": iso_time(self.now),
            "validUntil": iso_time(until),
            "credentialStatus": entries_of(self._settings.public_url, issuer, 0, number),
            "credentialSubject": {"id": f"urn:marketplace:asset:{facts['assetId']}", **facts},
        }
        return credential.issue(document, key, created=self.now)


# as long as a small manifest: it is read, hashed and parsed whole for its title and its columns
_COLUMNS = {
    "dimensions": [{"name": "month", "categories": [str(month) for month in range(1, 13)]}],
    "measures": [{"name": "delay", "unit": "min"}, {"name": "fare", "unit": "CNY"}],
    "note": "x" * 3_000,
}


def _genesis(registrar: str) -> Genesis:
    return Genesis(registrar, registrar, "0x" + "7e" * 20, 250, rulebook().digest)


def _digest(text: str) -> str:
    return to_hex(keccak256(text.encode()))


def _fill(settings: Settings, assets: int) -> Known:
    engine = make_engine(settings.database)
    upgrade(engine)
    configure_mappers()  # events are made past the constructors that would ask for it
    register, chance = _Register(engine, settings), random.Random(5)  # noqa: S311 - the same register every time
    for number in range(1 + assets // 10):
        register.admit("0x" + keccak256(b"holder %d" % number)[12:].hex())
    holders = register.known.holders
    for number in range(assets):
        holder = holders[0] if number < assets * LARGEST else chance.choice(holders[1:])
        asset = register.register(holder)
        if chance.random() < MOVED:
            register.move(asset, chance.choice([to for to in holders[1:4] if to != holder]))
        elif chance.random() < SUSPENDED:
            register.suspend(asset)
        if number % 5_000 == 4_999:
            register.write()
    register.write()
    register.known.largest = TITLES_OF_AN_ASSET * int(assets * LARGEST)
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    engine.dispose()
    return register.known


# -- the service -----------------------------------------------------------------------------------------------------


def serve(given: str) -> None:
    """Serve the register of these settings (JSON) until killed; in a process of its own."""
    import uvicorn  # noqa: PLC0415 - only the service's process needs the app

    from marketplace.app import make_app  # noqa: PLC0415
    from marketplace.storage.blobs import BlobStore  # noqa: PLC0415
    from marketplace.web.context import Context  # noqa: PLC0415

    settings = Settings(**json.loads(given))
    genesis = _genesis(settings.genesis_registrar)
    context = Context(
        settings=settings,
        engine=make_engine(settings.database),
        blobs=BlobStore(settings.blobs, settings.max_blob_bytes),
        deployment=Deployment(settings.chain_id, genesis.addresses()),
        treasury=genesis.treasury,
        ledger_problem=lambda: None,
    )
    uvicorn.run(make_app(context), host=settings.host, port=settings.port, log_level="warning", access_log=False)


@contextmanager
def _served(settings: Settings) -> Iterator[tuple[int, int]]:
    """Yields port and process."""
    given = json.loads(settings.model_dump_json())
    given |= {name: getattr(settings, name).get_secret_value() for name in ("relayer_key", "exchange_key", "log_key")}
    given |= {"port": free_port()}
    code = "import sys; from scripts.benchmarks.register import serve; serve(sys.stdin.read())"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(given))
            process.stdin.close()
            _wait_for(given["port"], process)
            yield given["port"], process.pid
        finally:
            process.kill()


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            _get(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "/healthz")
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the service did not start")


# -- the clients -----------------------------------------------------------------------------------------------------


def _ask_all(port: int, known: Known, requests: int, clients: int) -> tuple[dict[str, list[float]], float]:
    """Milliseconds of every request by kind, and how many requests a second were answered in all."""
    with ProcessPoolExecutor(clients, get_context("spawn")) as pool:
        list(pool.map(_ask, [port] * clients, [known] * clients, [3] * clients, range(clients)))  # all are up and warm
        begun = time.perf_counter()
        found = list(pool.map(_ask, [port] * clients, [known] * clients, [requests] * clients, range(9, 9 + clients)))
        seconds = time.perf_counter() - begun
    times = {kind: [time for part in found for time in part[kind]] for kind in KINDS}
    return times, sum(map(len, times.values())) / seconds


def _ask(port: int, known: Known, requests: int, seed: int) -> dict[str, list[float]]:
    chance = random.Random(seed)  # noqa: S311 - the same questions every time
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    cursor = ""
    for _ in range(requests):
        for kind in KINDS:
            path = _path(kind, known, chance, cursor)
            begun = time.perf_counter()
            body = _get(connection, path)
            times[kind].append((time.perf_counter() - begun) * 1000)
            if kind == "titles of the largest holder, next page":
                cursor = json.loads(body)["next"] or ""
    connection.close()
    return times


def _processor(process: int, port: int, known: Known, requests: int, kind: str) -> float:
    """Milliseconds of processor time that the service takes for one lookup: unlike the wall's, nobody else's work."""
    chance = random.Random(1)  # noqa: S311
    connection, begun = http.client.HTTPConnection("127.0.0.1", port, timeout=60), _ticks(process)
    for _ in range(requests):
        _get(connection, _path(kind, known, chance, ""))
    connection.close()
    return (_ticks(process) - begun) / requests * 1000 / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])  # utime and stime; proc(5)


def _path(kind: str, known: Known, chance: random.Random, cursor: str) -> str:
    asset, holder, paper = (
        chance.choice(known.assets),
        chance.choice(known.holders),
        chance.choice(known.certificates),
    )
    paths = {
        "asset": f"/rights/assets/{asset}",
        "title": f"/rights/titles/{title_id(asset, TitleKind.OPERATE)}",
        "titles of a holder": f"/rights/titles?holder={holder}",
        "titles of the largest holder, next page": f"/rights/titles?holder={known.holders[0]}&cursor={cursor}",
        "certificate of an asset": f"/rights/assets/{asset}/certificate",
        "certificate by its identifier": f"/identifiers/{identifier(Kind.CERTIFICATE, paper)}",
        "data by its identifier": f"/identifiers/{identifier(Kind.DATA, asset)}",
        "participant": f"/participants/{holder}",
    }
    return paths[kind]


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
    return body
