"""A small town around a running service: every party with its own keys, talking HTTP through the SDK.

The service is the real one: store, ledger node, sealer, anchors, and a socket on loopback.
"""

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from sqlmodel import col, select

from crypto.canonical import load_json
from crypto.keystore import Keys
from marketplace.app import make_app
from marketplace.documents import LEVELS, Document, all_chunks
from marketplace.evidence import log
from marketplace.evidence.service import is_unanchored
from marketplace.ledger.tables import LedgerBlock
from marketplace.panel.agent import PanelAgent
from marketplace.panel.evaluate import PanelNode
from marketplace.procedures import ENDING, Kind, Procedure, Step
from marketplace.queries.evaluation import SealedColumns
from marketplace.rulebooks.calendar import Duration, days
from marketplace.sdk import listings, orders, panel, participants, registrations, rights, settlement
from marketplace.sdk.client import Client
from marketplace.serve import Service
from marketplace.settings import Settings
from marketplace.types import Role
from marketplace.vault.agent import VaultAgent
from marketplace.vault.custodian.decision import Custodian
from marketplace.vault.custodian.folder import CustodianFolder
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.custody import MAX_FILE, Deposit, open_package
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from marketplace.vault.sealing.dataset import seal_file
from marketplace.vault.sealing.schema import parse_schema
from marketplace.web.context import Context
from tests.registering import FIELDS, PUBLIC_FIELDS, rulebook
from tests.sealed_market import SCHEMA, Row, keys, make_rows, write_csv

EXCHANGE_KEY = "1f" * 8 + "2e3d4c5b6a798897" * 3
ROLES = {
    "bank": Role.BANK,
    "supplier": Role.SUPPLIER,
    "collector": Role.SUPPLIER,
    "buyer": Role.BUYER,
    "rival": Role.BUYER,
    "node-1": Role.PANEL,
    "node-2": Role.PANEL,
    "node-3": Role.PANEL,
    "auditor": Role.AUDITOR,
}
NODES = ("node-1", "node-2", "node-3")
PRICE, ESCROW, BUDGET, CAP = 500, 3_000, 40_000_000, 4_000_000
YEAR = 365 * 86_400
YEARLONG = days(365)
Shown = Callable[..., str]
"""Name of a party and the words of a command -> what it prints; the fixture `shown`."""


@contextmanager
def running(settings: Settings, clock: Callable[[], int] = lambda: int(time.time())) -> Iterator[Context]:
    """The whole service, listening on the port of its settings; `clock` gives its unix seconds."""
    with Service(settings, clock) as context:
        config = uvicorn.Config(make_app(context), host=settings.host, port=settings.port, log_level="warning")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield context
        finally:
            context.bell.close()
            server.should_exit = True
            thread.join()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def town_settings(folder: Path, **changes: Any) -> Settings:
    """Settings of a service on a fresh folder."""
    chosen: dict[str, Any] = {
        "relayer_key": secrets.token_hex(32),
        "exchange_key": EXCHANGE_KEY,
        "log_key": secrets.token_hex(32),
        "genesis_registrar": keys("registrar").address,
        "data_dir": folder,
        "port": free_port(),
        "rulebook": "evaluation",
        "anchor_seconds": 0.1,
    }
    return Settings(**{**chosen, **changes})


@dataclass
class Town:
    """The parties and what they have set up so far.

    Args:
        url: where the service listens.
        folder: for vault and data.
        context: the service's own.
        deposit: who holds half of the key; None where the vault holds it all.
        schema: how the data set is declared. terms: of the listing, besides the usual ones. nodes: the panel.
        rows: of the data set.
    """

    url: str
    folder: Path
    context: Context
    clients: dict[str, Client] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    deposit: Deposit | None = None
    schema: Mapping[str, Any] = field(default_factory=lambda: SCHEMA)
    terms: Mapping[str, Any] = field(default_factory=dict)
    nodes: Sequence[str] = NODES
    rows: list[Row] = field(default_factory=make_rows)

    def __getitem__(self, name: str) -> Client:
        if name not in self.clients:
            own = Keys(bytes.fromhex(EXCHANGE_KEY)) if name == "exchange" else keys(name)
            self.clients[name] = Client(self.url, own)
        return self.clients[name]

    def ledger_time(self) -> int:
        """When the newest block was, unix seconds."""
        with self.context.reading() as session:
            return session.exec(select(LedgerBlock.timestamp).order_by(col(LedgerBlock.number).desc())).first() or 0

    def join(self, *names: str) -> None:
        """Apply and be admitted."""
        for name in names:
            role = Role.EXCHANGE if name == "exchange" else ROLES.get(name, Role.PANEL)
            participants.join(self[name], role, name.title(), "某某")
            participants.admit(self["registrar"], self[name].address)

    def seal(self) -> Dataset:
        """Seal the small data set and upload it."""
        path = write_csv(self.folder / "rows.csv", self.rows)
        supplier = self["supplier"]
        dataset = seal_file(
            path,
            parse_schema(self.schema),
            self.vault_folder,
            holder=supplier.address,
            release_key=supplier.address,
            now=int(time.time()),
            deposit=self.deposit,
        )
        for chunk in all_chunks(dataset.manifest):
            supplier.put_blob(dataset.blob(chunk["blob"]))
        supplier.put_document(dataset.manifest)
        return dataset

    def register(self, manifest: Document, *, term: Duration = YEARLONG, origin: str = "ENTERPRISE") -> str:
        """Register and confirm the data set for `term`; returns the asset's id."""
        supplier, collector = self["supplier"], self["collector"]
        claim = rights.make_claim(
            manifest,
            level=LEVELS[1],
            source_class="COLLECTED_GENERATED",
            origin=origin,
            shares=[(supplier.address, 9000), (collector.address, 1000)],
        )
        asset = str(rights.register(supplier, manifest, claim, BUDGET)["assetId"])
        public: dict[str, Any] = (
            {"procedure": Procedure.PUBLIC_DATA, "deposit": "city archive 1", "fields": PUBLIC_FIELDS}
            if origin == "PUBLIC"
            else {}
        )
        self.deposit_case(asset, **public)
        rights.confirm(self["registrar"], asset, term)
        return asset

    def deposit_case(
        self, asset: str, kind: Kind = Kind.FIRST, fields: Mapping[str, str] = FIELDS, **changes: Any
    ) -> str:
        """Bring a case of the supplier's to its deposit, or to its end, without public notice; returns its id."""
        changes = {"non_publication": "the data set is a test's own", **changes}
        case = self.facts["case"] = str(registrations.file(self["supplier"], asset, kind, fields, **changes)["caseId"])
        if kind is Kind.TRANSFER:
            taker = next(client for client in self.clients.values() if client.address == changes["counterparty"])
            registrations.act(taker, case, Step.JOIN)
        for step in (Step.ACCEPT, Step.WAIVE_NOTICE, Step.END if kind in ENDING else Step.DEPOSIT):
            words = "the reasons hold" if step in (Step.WAIVE_NOTICE, Step.END) else None
            registrations.act(self["registrar"], case, step, words)
        return case

    def later_form(self, asset: str, kind: Kind) -> dict[str, str]:
        """A form about an entry, filled in."""
        code = rights.get_asset(self["registrar"], asset)["registration"]["code"]
        form = dict.fromkeys(rulebook().content["forms"][kind.name], "as the parties have agreed")
        return form | {"certificateCode": code}

    def revoke(self, asset: str) -> str:
        """Hear the supplier and take an entry back; returns the case's id."""
        registrar, form = self["registrar"], self.later_form(asset, Kind.REVOCATION)
        filed = registrations.file(registrar, asset, Kind.REVOCATION, form, procedure=Procedure.REVOCATION)
        case = str(filed["caseId"])
        registrations.act(self["supplier"], case, Step.REPLY, "the materials were ours")
        registrations.act(registrar, case, Step.END, "false proof of source")
        return case

    def list_product(self, asset: str, **changes: Any) -> str:
        """Put the data set on offer; returns the listing's id."""
        for name in self.nodes:
            panel.register_key(self[name])
        terms: dict[str, Any] = {
            "title": None,
            "computations": ["COUNT", "SUM", "MEAN"],
            "purposes": ["TRANSPORT"],
            "regions": ["CN"],
            "price": PRICE,
            "epsilon_per_query_max": 2_000_000,
            "minimum_cohort": None,
            "nodes": [],
            "threshold": 2,
            "term_end": int(time.time()) + YEAR // 2,
        }
        made = listings.make_terms(self["supplier"], asset, **{**terms, **changes})
        return str(listings.create(self["supplier"], made)["listingId"])

    def fund(self, listing: str, buyer: str = "buyer", **changes: Any) -> str:
        """Order; returns the order's id."""
        wish: dict[str, Any] = {"escrow": ESCROW, "epsilon_cap": CAP, "purpose": "TRANSPORT", "region": "CN-SH"}
        wish["valid_until"] = int(time.time()) + 30 * 86_400
        wish |= changes
        short = settlement.balance(self[buyer])["balance"] < wish["escrow"]
        if short and "currency" not in changes:  # other files of this folder have spent from the same town
            settlement.issue(self["bank"], self[buyer].address, wish["escrow"])
        return str(orders.fund(self[buyer], listing, **wish)["orderId"])

    def open_market(self) -> None:
        """Everything up to a funded order."""
        self.join("exchange", *dict.fromkeys((*ROLES, *self.nodes)))
        settlement.issue(self["bank"], self["buyer"].address, 10_000)
        self.facts["dataset"] = self.seal()
        self.facts["asset"] = self.register(self.facts["dataset"].manifest)
        self.facts["listing"] = self.list_product(self.facts["asset"], **self.terms)
        self.facts["order"] = self.fund(self.facts["listing"])

    def leaves(self, kind: str) -> list[dict[str, Any]]:
        """The log's leaves of one type."""
        with self.context.reading() as session:
            found = [json.loads(leaf) for leaf in log.entries(session, 0, 10_000)]
        return [leaf for leaf in found if leaf["type"] == kind]

    def wait_for_anchor(self) -> None:
        """Until the ledger has a root of the whole log."""
        for _ in range(200):
            with self.context.reading() as session:
                if not is_unanchored(session):
                    return
            time.sleep(0.05)
        raise AssertionError("the log was not anchored in ten seconds")

    def close(self) -> None:
        """Give back every connection."""
        for client in self.clients.values():
            client.close()

    @property
    def vault_folder(self) -> VaultFolder:
        """The supplier's vault."""
        return VaultFolder(self.folder / "vault", Cipher(keys("supplier").seed))

    def node(self, name: str) -> PanelAgent:
        """A panel node at work."""
        columns = SealedColumns(self[name].get_blob)
        return PanelAgent(self[name], PanelNode(self[name].keys, columns), lambda *_: None)

    def custodian(self) -> VaultAgent:
        """The custodian at work; it takes its half from the vault's file, and ciphertext from the service."""
        client, dataset = self["custodian"], self.facts["dataset"]
        cipher = Cipher(client.keys.seed)
        halves = CustodianFolder(self.folder / "custodian", cipher)
        halves.take(open_package(load_json(dataset.custody_file.read_bytes(), max_bytes=MAX_FILE), client.keys))
        store = PrivacyStore(self.folder / "custodian" / "ledger.sqlite", cipher)
        custodian = Custodian(client.keys, halves, store, client.deployment, columns=SealedColumns(client.get_blob))
        return VaultAgent(client, custodian, lambda *_: None, desk="custodian")

    def vault(self) -> VaultAgent:
        """The supplier's vault at work."""
        client = self["supplier"]
        store = PrivacyStore(self.folder / "vault" / "ledger.sqlite", Cipher(client.keys.seed))
        vault = Vault(client.keys, self.vault_folder, store, client.deployment)
        return VaultAgent(client, vault, lambda *_: None)
