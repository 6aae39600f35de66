"""A small market around one sealed data set, without a service: the parties' own keys, papers, panel and vault.

The data are 400 rows of three dimensions; `rows` keeps them in the clear so that tests can compute the truth.
"""

import csv
import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crypto.bls import prove_possession, public_key
from crypto.canonical import to_hex
from crypto.envelope import public_key as x25519_public
from crypto.keystore import Keys
from marketplace.currencies import CNY
from marketplace.documents import Document, digest, series_of, unix_seconds, voucher_document
from marketplace.documents.columns import ciphertext_root
from marketplace.documents.ids import agreement_id, asset_id, listing_id, order_id, title_id
from marketplace.documents.scopes import scope_of_terms
from marketplace.intents import CONTRACTS, Deployment, sign_intent
from marketplace.panel.evaluate import Evaluated, PanelNode
from marketplace.queries.answers.answer import Answer, Papers, assemble
from marketplace.queries.evaluation import SealedColumns
from marketplace.queries.language.query import Query
from marketplace.queries.language.sql import parse_sql
from marketplace.queries.permission.papers import Cited, OrderPapers, SignedIntent
from marketplace.queries.permission.pricing import OrderAccount, calls_of, next_voucher
from marketplace.queries.protocol.handover import VaultTask, vault_task
from marketplace.queries.protocol.statements import attest
from marketplace.types import ZERO_DIGEST, TitleKind
from marketplace.vault.decisions.cases import Decision
from marketplace.vault.decisions.release import Vault
from marketplace.vault.keeping.custody import Deposit
from marketplace.vault.keeping.folder import Dataset, VaultFolder
from marketplace.vault.keeping.secrecy import Cipher
from marketplace.vault.keeping.store import PrivacyStore
from marketplace.vault.sealing.dataset import seal_file
from marketplace.vault.sealing.schema import parse_schema
from tests.agreements import agreement_on

NOW = 1_790_000_000
LATER = NOW + 30 * 86_400
PRICE = 500
_NONCES = itertools.count(1)
DEPLOYMENT = Deployment(31337, {name: f"0x{index + 1:040x}" for index, name in enumerate(CONTRACTS)})
SCHEMA: dict[str, Any] = {
    "title": {"en": "Flights", "zh": "航班"},
    "minimumCohort": 10,
    "missing": ["", "NA"],
    "dimensions": [
        {"name": "origin", "categories": ["EWR", "JFK", "LGA"]},
        {"name": "carrier", "categories": ["AA", "B6", "HA"]},
        {"name": "month", "categories": ["1", "2", "3", "4"]},
    ],
    "measures": [
        {"name": "delay", "unit": "minute", "scale": 0, "low": -50, "high": 200},
        {"name": "fare", "unit": "yuan", "scale": 2, "low": 0, "high": 100_000},
    ],
}
Row = dict[str, str]


def keys(name: str) -> Keys:
    """The same keys for the same name, always."""
    return Keys(hashlib.sha256(b"test keys " + name.encode()).digest())


def make_rows(count: int = 400) -> list[Row]:
    """Rows whose carrier HA has only 6 of them, all from JFK; every seventh delay is missing."""
    rows = []
    for index in range(count):
        carrier = "HA" if index < 6 else ("AA", "B6")[index % 2]
        origin = "JFK" if carrier == "HA" else ("EWR", "JFK", "LGA")[index % 3]
        delay = "NA" if index % 7 == 0 else str((index * 37) % 120 - 40)
        fare = f"{(index * 991) % 900}.{index % 100:02d}"
        month = str(index % 4 + 1)
        rows.append({"origin": origin, "carrier": carrier, "month": month, "delay": delay, "fare": fare})
    return rows


def write_csv(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows as a CSV file with a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def signed(name: str, message: dict[str, Any], signer: Keys, deployment: Deployment = DEPLOYMENT) -> SignedIntent:
    """An intent with its signature."""
    return SignedIntent(message, sign_intent(name, message, deployment, signer.signing_key))


@dataclass
class Order:
    """A funded order and the buyer's side of its account."""

    papers: OrderPapers
    buyer: Keys
    account: OrderAccount
    sequence: int = 0


@dataclass
class Market:
    """The parties and the data set; `order` opens an order, `ask` takes one query all the way."""

    home: Path
    rows: list[Row]
    dataset: Dataset
    vault: Vault
    supplier: Keys
    nodes: list[PanelNode]
    budget: int = 20_000_000
    terms: Document = field(default_factory=dict)

    @property
    def manifest(self) -> Document:
        return self.dataset.manifest

    @property
    def asset(self) -> str:
        return asset_id(self.supplier.address, self.dataset.digest)

    @property
    def series(self) -> str:
        return series_of(self.manifest)

    def make_terms(self, **changes: Any) -> Document:
        node_keys = [node.keys for node in self.nodes]
        nodes = [
            {
                "address": item.address,
                "bls": to_hex(public_key(item.bls_secret)),
                "possession": to_hex(prove_possession(item.bls_secret)),
            }
            for item in node_keys
        ]
        return {
            "type": "terms",
            "version": 1,
            "title": {"en": "Flight statistics", "zh": "航班统计"},
            "asset": self.asset,
            "manifest": self.dataset.digest,
            "computations": ["COUNT", "SUM", "MEAN", "VARIANCE"],
            "purposes": ["TRANSPORT"],
            "regions": ["CN"],
            "price": PRICE,
            "epsilonPerQueryMax": 5_000_000,
            "buyerCap": None,
            "groups": [],
            "fields": [],
            "minimumCohort": 10,
            "panel": {"nodes": nodes, "threshold": 2},
            "termEnd": "2030-01-01T00:00:00Z",
            **changes,
        }

    def order(
        self,
        buyer: str = "buyer",
        cap: int = 10_000_000,
        escrow: int = 100 * PRICE,
        until: int = LATER,
        seller: Keys | None = None,
        *,
        agreed: Document | None = None,
        **changes: Any,
    ) -> Order:
        """A funded order of `buyer` from `seller`, the supplier if none; `changes` go into the terms.

        Args:
            agreed: the plan of an agreement that both signed, for terms that leave the price open; None for none.
        """
        who, terms, by = keys(buyer), self.make_terms(**changes), seller or self.supplier
        seller_address, term_name = by.address, digest(terms)
        listing = listing_id(seller_address, self.asset, term_name)
        agreement = {"type": "agreement", "version": 1, "listing": listing, "terms": term_name, "buyer": who.address}
        agreement |= {"purpose": "TRANSPORT", "region": "CN-SH", "nonce": f"0x{next(_NONCES):064x}"}
        cited = None if agreed is None else agreed_by(by, who, agreed, [self.asset])
        agreement |= {} if cited is None else {"version": 2, "under": cited.signed.message["agreementId"]}
        name = order_id(who.address, listing, digest(agreement))
        papers = OrderPapers(
            listing=signed(
                "List",
                {
                    "listingId": listing,
                    "assetId": self.asset,
                    "titleId": title_id(self.asset, TitleKind.OPERATE),
                    "seller": seller_address,
                    "termsDigest": term_name,
                    **scope_of_terms(terms, self.manifest),
                    "price": terms["price"],
                    "currency": CNY.number,
                    "validUntil": LATER,
                    "deadline": LATER,
                },
                by,
            ),
            fund=signed(
                "Fund",
                {
                    "orderId": name,
                    "listingId": listing,
                    "buyer": who.address,
                    "escrow": escrow,
                    "currency": CNY.number,
                    "epsilonCap": cap,
                    "validUntil": until,
                    "agreementDigest": digest(agreement),
                    "agreementId": agreement.get("under", ZERO_DIGEST),
                    "deadline": LATER,
                },
                who,
            ),
            terms=terms,
            agreement=agreement,
            registration=self.registration(),
            cited=cited,
        )
        return Order(papers, who, OrderAccount(name, who.address, escrow, papers.tariff, cap))

    def registration(self) -> SignedIntent:
        message = {
            "assetId": self.asset,
            "holder": self.supplier.address,
            "manifestDigest": self.dataset.digest,
            "ciphertextRoot": ciphertext_root(self.manifest),
            "claimDigest": "0x" + "22" * 32,
            "level": 1,
            "epsilonBudget": self.budget,
            "shareHolders": [self.supplier.address],
            "shareBps": [10_000],
            "deadline": LATER,
        }
        return signed("Register", message, self.supplier)

    def query(self, order: Order, sql: str, epsilon: int = 1_000_000) -> Document:
        """The query document for the next call of the order."""
        return self.document(order, parse_sql(sql, self.manifest), epsilon)

    def document(self, order: Order, question: Query, epsilon: int = 1_000_000) -> Document:
        """As `query`, from a question that was built in Python."""
        order.sequence += 1
        return question.document(
            order=order.account.order,
            asset=self.asset,
            ciphertext_root=ciphertext_root(self.manifest),
            epsilon=epsilon,
            recipient=to_hex(x25519_public(order.buyer.x25519)),
            sequence=order.sequence,
        )

    def evaluate(self, query: Document) -> list[Evaluated]:
        """What each node hands in."""
        return [node.evaluate(self.manifest, query) for node in self.nodes]

    def task(self, order: Order, query: Document, **changes: Any) -> VaultTask:
        """The vault's task for a query, with a voucher that covers it."""
        done = self.evaluate(query)
        parts: dict[str, Any] = {
            "query": query,
            "voucher": voucher(order, query),
            "result": done[0].result,
            "attestation": attest([item.statement for item in done]),
            "papers": order.papers,
        }
        return VaultTask(**(parts | changes))

    def decide(self, task: VaultTask, now: int = NOW) -> Decision:
        """The vault's decision."""
        return self.vault.decide(vault_task(task), now)

    def ask(self, order: Order, sql: str, epsilon: int = 1_000_000) -> Answer | Document:
        """One query all the way: the answer, or the refusal."""
        return self.take(order, self.query(order, sql, epsilon))

    def ask_typed(self, order: Order, question: Query, epsilon: int = 1_000_000) -> Answer | Document:
        """As `ask`, from a question that was built in Python."""
        return self.take(order, self.document(order, question, epsilon))

    def take(self, order: Order, query: Document) -> Answer | Document:
        """A query document all the way: the answer, or the refusal."""
        task = self.task(order, query)
        decision = self.decide(task)
        if decision.refusal is not None:
            return decision.refusal
        assert decision.release is not None
        assert decision.shares is not None
        paid = task.voucher
        order.account = OrderAccount(
            order.account.order,
            order.account.buyer,
            order.account.escrow,
            order.account.tariff,
            order.account.cap,
            decision.release["spentOrder"],
            paid["amount"],
            paid["epsilon"],
            calls_of([digest(task.query)], order.account.calls),
        )
        return assemble(self.received(order, task, decision), order.buyer.x25519, DEPLOYMENT)

    def received(self, order: Order, task: VaultTask, decision: Decision) -> Papers:
        """What the buyer holds after a release."""
        assert decision.release is not None
        assert decision.shares is not None
        return Papers(
            self.manifest,
            order.papers.terms,
            task.query,
            task.result,
            task.attestation,
            decision.shares,
            decision.release,
        )


def agreed_by(seller: Keys, buyer: Keys, plan: Document, assets: Sequence[str], **fields: Any) -> Cited:
    """An agreement between these two on a model form about these data with this plan, as the seller signed it;
    `fields` are more of its form's."""
    named = {"plan": plan, "assets": list(assets), **fields}
    return agreed_on(agreement_on(partyA=seller.address, partyB=buyer.address, fields=named), seller)


def agreed_on(document: Document, seller: Keys) -> Cited:
    """An agreement as its seller signed it."""
    one, two, valid_until = document["partyA"], document["partyB"], unix_seconds(document["validUntil"])
    message = {"agreementId": agreement_id(one, two, digest(document)), "partyA": one, "partyB": two}
    message |= {"agreementDigest": digest(document), "validUntil": valid_until, "deadline": LATER}
    message |= {} if document["amends"] is None else {"previousId": document["amends"]}
    name = "AmendAgreement" if "previousId" in message else "Agree"
    return Cited(name, signed(name, message, seller), document)


def with_version(market: Market, dataset: Dataset) -> Market:
    """The same parties, trading another version of the data set."""
    nodes = [PanelNode(node.keys, SealedColumns(dataset.blob)) for node in market.nodes]
    return replace(market, dataset=dataset, nodes=nodes)


def voucher(order: Order, query: Document, signer: Keys | None = None, **changes: Any) -> Document:
    """A signed voucher that covers one more call; `changes` go into its message."""
    message = next_voucher(order.account, digest(query), query["epsilon"]) | changes
    signature = sign_intent("Voucher", message, DEPLOYMENT, (signer or order.buyer).signing_key)
    return voucher_document(message, order.buyer.address, signature)


def open_market(
    home: Path,
    schema: dict[str, Any] | None = None,
    rows: list[Row] | None = None,
    deposit: Deposit | None = None,
) -> Market:
    """Seal the data into a new vault under `home` and gather three panel nodes; with `deposit` under a split key."""
    supplier = keys("supplier")
    cipher = Cipher(supplier.seed)
    folder = VaultFolder(home / "vault", cipher)
    data = rows or make_rows()
    dataset = seal_file(
        write_csv(home / "rows.csv", data),
        parse_schema(schema or SCHEMA),
        folder,
        holder=supplier.address,
        release_key=supplier.address,
        now=NOW,
        deposit=deposit,
    )
    fetch: Callable[[str], bytes] = dataset.blob
    nodes = [PanelNode(keys(f"node {index}"), SealedColumns(fetch)) for index in range(3)]
    vault = Vault(supplier, folder, PrivacyStore(home / "vault" / "ledger.sqlite", cipher), DEPLOYMENT)
    return Market(home, data, dataset, vault, supplier, nodes)
