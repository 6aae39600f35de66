"""True evidence bundles without a service: the real node and contracts, real signatures, sealed data, panel and log.

`make_bundle` tells one small market's whole story, or, with larger numbers, that of a thousand orders.
"""

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crypto import bls, credential, envelope, merkle, note, tlog
from crypto.canonical import canonical_json, from_hex, sha256, to_hex
from crypto.keystore import Keys
from crypto.seal.cells import seal_chunk
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import profile
from crypto.seal.release import release_share
from marketplace.auditor.ledger.replay import Replay
from marketplace.auditor.readmodel.rows import Tables
from marketplace.auditor.trust import Trust
from marketplace.clearing.rules import payouts_digest
from marketplace.currencies import CNY, CURRENCIES, Currency
from marketplace.deployment import Genesis
from marketplace.documents import digest, iso_time, voucher_document
from marketplace.documents.columns import ciphertext_root, column_names
from marketplace.documents.ids import (
    agreement_id,
    asset_id,
    batch_id,
    debt_id,
    listing_id,
    order_id,
    redemption_id,
    title_id,
)
from marketplace.documents.plans import flat_plan
from marketplace.documents.scopes import scope_of_terms
from marketplace.intents import REFUND_GRACE_SECONDS, sign_intent, struct_hash
from marketplace.ledger.node import Node, NodeSettings
from marketplace.ledger.relayer import Relayer
from marketplace.participants.keys import recovery_id
from marketplace.participants.membership import get_agreement
from marketplace.queries.evaluation import SealedColumns, evaluate_plan, number_entry, result_document
from marketplace.queries.planning.plan import Plan, make_plan
from marketplace.queries.protocol.shares import seal_shares
from marketplace.queries.protocol.statements import attested_message, sign_refusal, sign_release, sign_result
from marketplace.rights.remarks import declared_of
from marketplace.types import ZERO_DIGEST, Role, TitleKind
from tests.agreements import agreement_on
from tests.ledgers import Ledger, found
from tests.registering import code, deposit_acts, rulebook

START = 1_790_000_000
YEAR = 365 * 86_400
CHAIN_ID = 20260
MONIES = ("CNY", "HKD")
FEE_BPS, PRICE = 250, 500
EPSILON = 100_000
ORIGIN = "audit.example/log"
TREASURY = "0x" + "7e" * 20
NAMES = ("registrar", "supplier", "collector", "heir", "buyer", "bank", "exchange", "vault", "node0", "node1", "node2")
ORIGINS, MONTHS = ["EWR", "JFK", "LGA"], [str(month) for month in range(1, 13)]


def keys(name: str) -> Keys:
    """The same keys for the same name, always."""
    return Keys(sha256(b"bundle keys " + name.encode()))


@dataclass
class Maker:
    """Everything that is being gathered for one bundle.

    Args:
        ledger: where the acts go.
        leaves: the log.
        documents: by digest, canonical bytes.
    """

    ledger: Ledger
    leaves: list[bytes] = field(default_factory=list)
    tree: merkle.Tree = field(default_factory=merkle.Tree)
    documents: dict[str, bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    people: dict[str, Keys] = field(default_factory=lambda: {name: keys(name) for name in NAMES})
    manifest: dict[str, Any] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    sealing: SealingKey = field(default_factory=lambda: SealingKey.generate(profile("bfv-8192-cells-1")))
    agreement: str = ZERO_DIGEST
    spent: int = 0
    budget: int = 0
    asked: set[str] = field(default_factory=set)
    _numbers: dict[str, list[Any]] = field(default_factory=dict)
    _columns: SealedColumns | None = None
    _anchored: tuple[int, str] = (0, ZERO_DIGEST)

    def store(self, document: dict[str, Any]) -> str:
        """Keep a document and return its digest."""
        content = canonical_json(document)
        name = to_hex(sha256(content))
        self.documents[name] = content
        return name

    def leaf(self, kind: str, **members: Any) -> None:
        """Append to the log."""
        content = canonical_json({"type": kind, "at": iso_time(self.ledger.now), **members})
        self.leaves.append(content)
        self.tree.append(merkle.leaf_hash(content))

    def checkpoint(self) -> None:
        """Sign the log as it stands."""
        head = tlog.Checkpoint(ORIGIN, self.tree.size, self.tree.root())
        self.notes[self.tree.size] = tlog.sign_checkpoint(head, self.people["exchange"].ed25519).decode()

    def anchor(self) -> None:
        """Sign the log and put its root on the ledger."""
        self.checkpoint()
        size, previous = self.tree.size, self._anchored[1]
        message = {"size": size, "root": to_hex(self.tree.root()), "previousRoot": previous, **self.by("exchange")}
        self.ledger.call("Evidence", "anchor", *self.ledger.intent("Anchor", message, self.people["exchange"]))
        self.ledger.seal()
        self._anchored = (size, message["root"])

    def by(self, role: str) -> dict[str, Any]:
        """Who signs, under the field of that name, and a deadline."""
        return {role: self.people[role].address, "deadline": START + YEAR}

    def act(self, contract: str, verb: str, name: str, message: dict[str, Any], *signers: str) -> None:
        """Queue a call with one statement and its signatures."""
        signatures = [self.ledger.intent(name, message, self.people[signer])[1] for signer in signers]
        self.ledger.call(contract, verb, message, *signatures)

    @property
    def asset(self) -> str:
        """The one asset."""
        return asset_id(self.people["supplier"].address, digest(self.manifest))

    @property
    def listing(self) -> str:
        """The one listing that sells."""
        return listing_id(self.people["heir"].address, self.asset, digest(self.terms))

    def evaluate(self, plan: Plan) -> list[Any]:
        """The panel's numbers; each question is computed once."""
        if self._columns is None:
            self._columns = SealedColumns(lambda blob: self.blobs[blob])
        if plan.digest not in self._numbers:
            self._numbers[plan.digest] = list(evaluate_plan(self.manifest, plan, self._columns))
        return self._numbers[plan.digest]


def identity_of(name: str, account: str, role: Role) -> dict[str, Any]:
    """Whose account it is: a natural person's, or a bank's or the exchange's; the agreement is signed with it."""
    code = "91350100M000100Y43" if role in (Role.BANK, Role.EXCHANGE) else None
    profile = {"type": "profile", "version": 1, "account": account, "roles": [role.name], "creditCode": code}
    profile |= {"kind": "LEGAL_PERSON" if code else "NATURAL_PERSON", "merchantClasses": [], "evidence": []}
    profile |= {"name": {"en": name, "zh": name}, "nonce": to_hex(sha256(b"identity of " + name.encode()))}
    return profile | {"membership": get_agreement().reference}


def payout_to(maker: Maker, nonce: int) -> str:
    """Where the buyer wants its money; the document's digest."""
    told = {"type": "payout", "version": 1, "account": maker.people["buyer"].address, "beneficiary": "buyer"}
    told |= {"bank": maker.people["bank"].address, "accountNumber": "6222020000000000001"}
    return maker.store(told | {"nonce": f"0x{nonce:064x}"})


def admit_all(maker: Maker) -> None:
    """Everybody joins; the registrar admits. One admission is refused, one member is suspended and comes back."""
    roles = {
        **{"supplier": Role.SUPPLIER, "collector": Role.SUPPLIER, "heir": Role.SUPPLIER, "buyer": Role.BUYER},
        **{"bank": Role.BANK, "exchange": Role.EXCHANGE, **dict.fromkeys(("node0", "node1", "node2"), Role.PANEL)},
    }
    for name, role in roles.items():
        account = maker.people[name].address
        identity = maker.store(identity_of(name, account, role))
        join = {"account": account, "roles": int(role), "identityDigest": identity, "deadline": START + YEAR}
        admission = {**join, "version": 0, **maker.by("registrar")}
        admit = (
            *maker.ledger.intent("Join", join, maker.people[name]),
            *maker.ledger.intent("Admit", admission, maker.people["registrar"]),
        )
        maker.ledger.call("Participants", "admit", *admit)
        if name == "collector":
            maker.ledger.call("Participants", "admit", *admit)
    maker.ledger.raw_call("Participants", b"\x12\x34")
    maker.ledger.seal()
    for version, status in ((1, 2), (2, 1)):
        change = {"account": maker.people["collector"].address, "status": status, "reasonDigest": "0x" + "5a" * 32}
        change |= {"version": version, "decider": maker.people["registrar"].address, "deadline": START + YEAR}
        maker.act("Participants", "setStatus", "SetStatus", change, "registrar")
        maker.ledger.seal()


def seal_data(maker: Maker) -> None:
    """A manifest over three origins and twelve months, with one measure."""
    cells = np.arange(len(ORIGINS) * len(MONTHS), dtype=np.int64)
    shape = profile("bfv-8192-cells-1")
    manifest: dict[str, Any] = {
        **{
            "type": "manifest",
            "version": 1,
            "title": {"en": "Flights", "zh": "航班"},
            "series": None,
            "previous": None,
        },
        **{
            "holder": maker.people["supplier"].address,
            "minimumCohort": 10,
            "change": {"kind": "first", "batch": "all"},
        },
        "privacy": {"measure": "pure"},
        "dimensions": [
            {"name": "origin", "ordered": False, "hidden": False, "categories": ORIGINS},
            {"name": "month", "ordered": True, "hidden": False, "categories": MONTHS},
        ],
        "measures": [{"name": "delay", "unit": "minute", "scale": 0, "low": -60, "high": 1500, "bins": []}],
        "joints": [],
        "forms": [{"form": "cells", "profile": shape.name, "prefix": None}],
        "blocks": 1,
        "batches": [{"name": "all", "block": 0, "rows": 36_000, "missing": {"delay": 0}, "columns": []}],
        "releaseKey": maker.people["vault"].address,
        "custodian": None,
        "sealedAt": iso_time(START),
    }
    for number, name in enumerate(column_names(manifest)):
        blob = seal_chunk(maker.sealing, cells * 7 + 1000 * (number + 1))
        maker.blobs[to_hex(sha256(blob))] = blob
        chunk = {"blob": to_hex(sha256(blob)), "size": len(blob)}
        manifest["batches"][0]["columns"].append({"form": 0, "name": name, "chunks": [chunk]})
    maker.manifest = manifest
    maker.store(manifest)


def register(maker: Maker, origin: str = "ENTERPRISE") -> None:
    """Register, confirm with a certificate, move a share, hand the right to operate to the heir."""
    supplier, collector, heir = (maker.people[name].address for name in ("supplier", "collector", "heir"))
    shares = [{"holder": supplier, "bps": 9000}, {"holder": collector, "bps": 1000}]
    claim = {
        **{"type": "claim", "version": 1, "title": {"en": "Flights", "zh": "航班"}, "holder": supplier},
        **{"manifest": digest(maker.manifest), "sourceClass": "COLLECTED_GENERATED", "origin": origin},
        **{"level": "GENERAL_2", "shares": shares, "evidence": []},
        "rights": [
            {"right": right, "holder": supplier, "until": None, "limits": ""} for right in ("HOLD", "USE", "OPERATE")
        ],
    }
    register_ = {
        **{"assetId": maker.asset, "holder": supplier, "manifestDigest": digest(maker.manifest)},
        **{"ciphertextRoot": ciphertext_root(maker.manifest), "claimDigest": maker.store(claim), "level": 2},
        **{"epsilonBudget": maker.budget, "shareHolders": [supplier, collector], "shareBps": [9000, 1000]},
        "deadline": START + YEAR,
    }
    maker.act("Rights", "register", "Register", register_, "supplier")
    maker.ledger.seal()
    filing, acts = deposit_acts(
        maker.asset, supplier, maker.people["registrar"].address, maker.ledger.now, store=maker.store
    )
    maker.act("Registrations", "file", "File", filing, "supplier")
    for act in acts:
        maker.act("Registrations", "decide", "Decide", act, "registrar")
    maker.ledger.seal()
    until = START + 2 * YEAR
    confirm: dict[str, Any] = {
        "assetId": maker.asset,
        "claimDigest": register_["claimDigest"],
        "code": code(1, "202609"),  # the month of START
        "rights": 7,
        "validUntil": until,
        "version": 1,
    }
    confirm |= {"certificateDigest": certify(maker, acts, until), **maker.by("registrar")}
    maker.act("Rights", "confirm", "Confirm", confirm, "registrar")
    maker.ledger.seal()
    share = {"assetId": maker.asset, "from": collector, "to": heir, "bps": 400, "version": 1, "deadline": START + YEAR}
    maker.act("Rights", "transferShare", "TransferShare", share, "collector")
    rest = {**share, "bps": 600, "version": 2}
    maker.act("Rights", "transferShare", "TransferShare", rest, "collector")
    pledge: dict[str, Any] = {
        "assetId": maker.asset,
        "holder": heir,
        "pledgee": supplier,
        "bps": 300,
        "debtDigest": "0x" + "de" * 32,
    }
    pledge |= {"version": 0, "deadline": START + YEAR}
    maker.act("Rights", "pledgeShare", "PledgeShare", pledge, "heir", "supplier")
    title = title_id(maker.asset, TitleKind.OPERATE)
    handover: dict[str, Any] = {"titleId": title, "from": supplier, "to": heir, "version": 1, "deadline": START + YEAR}
    maker.act("Titles", "transfer", "Transfer", handover, "supplier", "heir")
    maker.ledger.seal()


def make_product(maker: Maker) -> None:
    """The collector fuses the heir's flights into a product, with the heir's consent; it is ordered for nothing."""
    collector, heir, buyer = (maker.people[name].address for name in ("collector", "heir", "buyer"))
    manifest = maker.manifest | {"holder": collector, "title": {"en": "Delays by city", "zh": "城市延误"}}
    claim = {"type": "claim", "version": 1, "title": manifest["title"], "holder": collector, "sourceClass": "FUSED"}
    claim |= {"manifest": maker.store(manifest), "origin": "ENTERPRISE", "level": "GENERAL_2", "evidence": []}
    claim |= {"shares": [{"holder": collector, "bps": 10_000}], "rights": []}
    for right in ("HOLD", "USE", "OPERATE"):
        claim["rights"].append({"right": right, "holder": collector, "until": None, "limits": ""})
    asset = asset_id(collector, digest(manifest))
    message: dict[str, Any] = {"assetId": asset, "holder": collector, "manifestDigest": digest(manifest), "level": 2}
    message |= {
        "ciphertextRoot": ciphertext_root(manifest),
        "claimDigest": maker.store(claim),
        "epsilonBudget": EPSILON,
    }
    message |= {"shareHolders": [collector], "shareBps": [10_000], "deadline": START + YEAR}
    maker.act("Rights", "register", "Register", message, "collector")
    maker.ledger.seal()
    papers: dict[str, Any] = {
        "type": "lineage",
        "version": 1,
        "asset": asset,
        "note": {"en": "joined by month", "zh": "按月融合"},
    }
    declared: dict[str, Any] = {
        "assetId": asset,
        "holder": collector,
        "inputs": [maker.asset],
        "titles": [ZERO_DIGEST],
        "bps": [2500],
    }
    declared |= {"agreementDigest": maker.store(papers | {"outside": [], "evidence": []}), "deadline": START + YEAR}
    maker.act("Lineage", "declare", "DeclareLineage", declared, "collector")
    given: dict[str, Any] = {"assetId": asset, "inputId": maker.asset, "holder": heir, "bps": 2500, "version": 0}
    given |= {"titleId": title_id(maker.asset, TitleKind.OPERATE), "validUntil": START + YEAR, "deadline": START + YEAR}
    maker.act("Lineage", "consent", "GiveConsent", given, "heir")
    filing, acts = deposit_acts(
        asset, collector, maker.people["registrar"].address, maker.ledger.now, store=maker.store
    )
    maker.ledger.seal()
    maker.act("Registrations", "file", "File", filing, "collector")
    for act in acts:
        maker.act("Registrations", "decide", "Decide", act, "registrar")
    maker.ledger.seal()
    until = START + 2 * YEAR
    confirm = {"assetId": asset, "claimDigest": message["claimDigest"], "code": code(2, "202609"), "rights": 7}
    made_of = declared_of({"inputId": maker.asset, "titleId": ZERO_DIGEST, "bps": 2500}) | {"status": "confirmed"}
    named = certify(maker, acts, until, asset, inputs=[made_of])
    confirm |= {"validUntil": until, "version": 1, "certificateDigest": named}
    maker.act("Rights", "confirm", "Confirm", confirm | maker.by("registrar"), "registrar")
    maker.ledger.seal()
    terms = maker.terms | {"asset": asset, "manifest": digest(manifest), "price": 0}
    listing = listing_id(collector, asset, maker.store(terms))
    listed = {"listingId": listing, "assetId": asset, "titleId": title_id(asset, TitleKind.OPERATE), "price": 0}
    listed |= {"seller": collector, "termsDigest": digest(terms), **scope_of_terms(terms, manifest)}
    listed |= {"validUntil": START + YEAR, "currency": CNY.number, "deadline": START + YEAR}
    maker.act("Listings", "list", "List", listed, "collector")
    maker.ledger.seal()
    agreed = {"type": "agreement", "version": 1, "listing": listing, "terms": digest(terms), "buyer": buyer}
    agreed |= {"purpose": "TRANSPORT", "region": "CN-SH", "nonce": "0x" + "f5" * 32}
    order = order_id(buyer, listing, maker.store(agreed))
    fund = {"orderId": order, "listingId": listing, "buyer": buyer, "escrow": 0, "currency": CNY.number}
    fund |= {"epsilonCap": 1, "validUntil": START + YEAR, "agreementDigest": digest(agreed), "agreementId": ZERO_DIGEST}
    maker.act("Orders", "fund", "Fund", fund | {"deadline": START + YEAR}, "buyer")
    maker.ledger.seal()
    voucher: dict[str, Any] = {"orderId": order, "amount": 0, "epsilon": 0, "calls": 0}
    voucher |= {"callsRoot": to_hex(merkle.EMPTY_ROOT)}
    close = {"orderId": order, "voucherHash": to_hex(struct_hash("Voucher", voucher)), "deadline": START + YEAR}
    close |= {"seller": collector}
    paid = maker.ledger.intent("Voucher", voucher, maker.people["buyer"])[1]
    signature = maker.ledger.intent("Close", close, maker.people["collector"])[1]
    maker.ledger.call("Orders", "settle", voucher, paid, close, signature)
    withdrawal = {"assetId": asset, "inputId": maker.asset, "holder": heir, "version": 1, "deadline": START + YEAR}
    maker.act("Lineage", "withdraw", "WithdrawConsent", withdrawal, "heir")
    maker.ledger.seal()


def certify(maker: Maker, acts: list[dict[str, Any]], until: int, asset: str = "", **told: Any) -> str:
    """The registrar's certificate after these acts of a case, which names what else is told; its digest."""
    key = maker.people["registrar"].ed25519
    body = {
        "@context": [credential.CONTEXT],
        "type": ["VerifiableCredential", "DataRightsCertificate"],
        "issuer": credential.did_key(key.public_key().public_bytes_raw()),
        "validFrom": iso_time(acts[-1]["statedAt"]),
        "validUntil": iso_time(until),
        "credentialSubject": {"id": f"urn:marketplace:asset:{asset or maker.asset}", **told},
    }
    return maker.store(credential.issue(body, key, created=START))


def first_terms(maker: Maker) -> dict[str, Any]:
    """Of version 1: one price for a call, and a panel of three."""
    nodes = [
        {
            "address": node.address,
            "bls": to_hex(bls.public_key(node.bls_secret)),
            "possession": to_hex(bls.prove_possession(node.bls_secret)),
        }
        for node in (maker.people[f"node{index}"] for index in range(3))
    ]
    return {
        **{"type": "terms", "version": 1, "title": {"en": "Delays", "zh": "延误"}, "asset": maker.asset},
        **{"manifest": digest(maker.manifest), "computations": ["COUNT", "SUM", "MEAN"], "purposes": ["TRANSPORT"]},
        **{"regions": ["CN"], "price": PRICE, "epsilonPerQueryMax": 10 * EPSILON, "minimumCohort": 10},
        **{"buyerCap": 10**9, "groups": [], "fields": []},
        **{"panel": {"nodes": nodes, "threshold": 2}, "termEnd": iso_time(START + YEAR)},
    }


def offer(maker: Maker) -> None:
    """List the product, and another that is withdrawn at once."""
    heir = maker.people["heir"].address
    maker.terms = first_terms(maker)
    withdrawn: dict[str, Any] = {**maker.terms, "price": PRICE + 1}
    for terms in (maker.terms, withdrawn):
        listing = listing_id(heir, maker.asset, maker.store(terms))
        message: dict[str, Any] = {
            "listingId": listing,
            "assetId": maker.asset,
            "titleId": title_id(maker.asset, TitleKind.OPERATE),
            "seller": heir,
            "termsDigest": digest(terms),
            **scope_of_terms(terms, maker.manifest),
        }
        message |= {"price": terms["price"], "currency": CNY.number, "validUntil": START + YEAR}
        message |= {"deadline": START + YEAR}
        maker.act("Listings", "list", "List", message, "heir")
    delisting: dict[str, Any] = {"listingId": listing, "seller": heir, "version": 1, "deadline": START + YEAR}
    maker.act("Listings", "delist", "Delist", delisting, "heir")
    maker.ledger.seal()


def deliver_file(
    maker: Maker, price: int = 0, money: Currency = CNY, endings: tuple[str, ...] = ("object", "accept")
) -> None:
    """A file: on offer, ordered once for each ending; one delivery is objected to, another accepted."""
    heir = maker.people["heir"].address
    plan = {"mode": "FULL_SET", "price": price, "rulebook": "cn-2025.1", "publicData": None}
    columns = [{"name": "delay", "step": "1"}]
    terms = maker.terms | {"version": 3, "plan": plan, "price": price, "computations": []}
    terms |= {} if money is CNY else {"currency": money.code}
    terms |= {"delivery": {"mode": "FILE_DOWNLOAD", "keys": ["id"], "columns": columns}}
    listing = listing_id(heir, maker.asset, maker.store(terms))
    message: dict[str, Any] = {"listingId": listing, "assetId": maker.asset, "seller": heir}
    message |= {"titleId": title_id(maker.asset, TitleKind.OPERATE), "termsDigest": digest(terms), "price": price}
    message |= {"currency": money.number}
    message |= {**scope_of_terms(terms, maker.manifest), "validUntil": START + YEAR, "deadline": START + YEAR}
    maker.act("Listings", "list", "List", message, "heir")
    maker.ledger.seal()
    offered = {"listingId": listing, "seller": heir, "amount": price, "deliverWithin": 86_400, "inspection": 86_400}
    offered |= {"correction": 3_600, "corrections": 1, "marks": 3, "deadline": START + YEAR}
    maker.act("Deliveries", "offer", "OfferDelivery", offered, "heir")
    maker.ledger.seal()
    for ending in endings:
        escrow = {"escrow": price + price // 10, "currency": money.number}
        _deliver_order(maker, listing, digest(terms), ending, escrow)


def sell_for_dollars(maker: Maker) -> None:
    """A file for 50 cents of Hong Kong, paid from money in that currency, of which some is asked back."""
    buyer, bank, money = maker.people["buyer"].address, maker.people["bank"].address, CURRENCIES["HKD"]
    got = {"account": buyer, "amount": 900, "currency": money.number, "ref": "0x" + "01" * 32}  # as used in yuan
    maker.act(money.contract, "issue", "Issue", got | maker.by("bank"), "bank")
    maker.ledger.seal()
    deliver_file(maker, 50, money, ("accept",))
    payout = payout_to(maker, 0xD011)
    wish = {"redemptionId": redemption_id(buyer, money.number, payout), "account": buyer, "amount": 40}
    wish |= {"currency": money.number, "payoutDigest": payout, "bank": bank, "payBy": maker.ledger.now + 40 * 86_400}
    maker.act(money.contract, "redeem", "Redeem", wish | {"deadline": START + YEAR}, "buyer")
    maker.ledger.seal()


def _deliver_order(maker: Maker, listing: str, terms: str, ending: str, escrow: dict[str, int]) -> None:
    """One order of the file, delivered and acknowledged, then objected to or accepted."""
    heir, buyer = maker.people["heir"].address, maker.people["buyer"].address
    accepted: dict[str, Any] = {"type": "agreement", "version": 1, "listing": listing, "terms": terms}
    accepted |= {"buyer": buyer, "purpose": "TRANSPORT", "region": "CN-SH"}
    accepted["nonce"] = to_hex(sha256(ending.encode()))
    order = order_id(buyer, listing, maker.store(accepted))
    fund: dict[str, Any] = {"orderId": order, "listingId": listing, "buyer": buyer, **escrow, "epsilonCap": 1}
    fund |= {"validUntil": START + YEAR, "agreementDigest": digest(accepted), "agreementId": ZERO_DIGEST}
    maker.act("Orders", "fund", "Fund", fund | {"deadline": START + YEAR}, "buyer")
    maker.ledger.seal()
    side = {"orderId": order, "buyer": buyer, "deadline": START + YEAR}
    maker.act("Deliveries", "arrange", "Arrange", side | {"receiveKey": "0x" + "7e" * 32}, "buyer")
    maker.ledger.seal()
    note: dict[str, Any] = {"orderId": order, "seller": heir, "round": 1, "deadline": START + YEAR}
    note |= dict.fromkeys(("ciphertextDigest", "fingerprintId", "plaintextCommitment"), "0x" + "1d" * 32)
    maker.act("Deliveries", "deliver", "Deliver", note, "heir")
    maker.ledger.seal()
    about = side | {"noteHash": to_hex(struct_hash("Deliver", note))}
    maker.act("Deliveries", "acknowledge", "Acknowledge", about, "buyer")
    if ending == "accept":
        maker.act("Deliveries", "accept", "AcceptDelivery", about, "buyer")
    else:
        defects = {"type": "defects", "version": 1, "order": order, "note": about["noteHash"]}
        defects |= {"defects": [{"what": "a row is missing", "where": ""}], "nonce": "0x" + "f2" * 32}
        objection = about | {"defectsDigest": maker.store(defects)}
        maker.act("Deliveries", "object", "ObjectToDelivery", objection, "buyer")
    maker.ledger.seal()


def agree(maker: Maker) -> None:
    """Seller and buyer agree, amend what they agreed, and end another agreement that they made."""
    heir, buyer = maker.people["heir"].address, maker.people["buyer"].address
    fields: dict[str, Any] = {"assets": [maker.asset], "purposes": ["TRANSPORT"], "regions": ["CN"]}
    fields["plan"] = flat_plan(PRICE)
    sides: dict[str, Any] = {"partyA": heir, "partyB": buyer, "validUntil": iso_time(START + YEAR), "fields": fields}
    terms = {"partyA": heir, "partyB": buyer, "validUntil": START + YEAR, "deadline": START + YEAR}
    for form in ("GF-2025-2615", "GF-2025-2618"):
        filled = agreement_on(form, **sides)
        enter_agreement(maker, "agree", "Agree", filled, dict(terms))
        if form == "GF-2025-2615":
            maker.agreement = agreement_id(heir, buyer, digest(filled))
    changed = {**agreement_on(**{**sides, "fields": fields | {"cure_days": 15}}), "amends": maker.agreement}
    enter_agreement(maker, "amend", "AmendAgreement", changed, {"previousId": maker.agreement, **terms})
    maker.agreement = agreement_id(heir, buyer, digest(changed))
    end = {"agreementId": agreement_id(heir, buyer, digest(filled)), "partyA": heir, "partyB": buyer}
    maker.act("Agreements", "retire", "RetireAgreement", end | {"deadline": START + YEAR}, "heir", "buyer")
    maker.ledger.seal()


def enter_agreement(maker: Maker, verb: str, intent: str, document: dict[str, Any], message: dict[str, Any]) -> None:
    name = maker.store(document)
    message |= {"agreementId": agreement_id(message["partyA"], message["partyB"], name), "agreementDigest": name}
    maker.act("Agreements", verb, intent, message, "heir", "buyer")
    maker.ledger.seal()


@dataclass
class Order:
    """One funded order and the buyer's side of its account."""

    name: str
    number: int
    cap: int
    calls: list[bytes] = field(default_factory=list)
    spent: int = 0
    voucher: dict[str, Any] | None = None
    sequence: int = 0


def fund_orders(maker: Maker, count: int, queries: int, last_until: int) -> list[Order]:
    """Issue money and fund `count` orders; the last one ends at `last_until`."""
    buyer, escrow = maker.people["buyer"].address, PRICE * (queries + 2)
    money = {"account": buyer, "amount": escrow * count + 77, "ref": "0x" + "01" * 32, **maker.by("bank")}
    maker.act("SettlementToken", "issue", "Issue", money | {"currency": CNY.number}, "bank")
    redeem_some(maker)
    maker.ledger.seal()
    orders = []
    for number in range(count):
        agreement: dict[str, Any] = {
            "type": "agreement",
            "version": 1,
            "listing": maker.listing,
            "terms": digest(maker.terms),
        }
        agreement |= {"buyer": buyer, "purpose": "TRANSPORT", "region": "CN-SH", "nonce": f"0x{number:064x}"}
        name = order_id(buyer, maker.listing, maker.store(agreement))
        until = last_until if number == count - 1 else START + YEAR
        fund: dict[str, Any] = {
            "orderId": name,
            "listingId": maker.listing,
            "buyer": buyer,
            "escrow": escrow,
            "currency": CNY.number,
            "validUntil": until,
        }
        fund |= {"epsilonCap": EPSILON * (queries + 1), "agreementDigest": digest(agreement)}
        fund |= {"agreementId": ZERO_DIGEST if number else maker.agreement, "deadline": START + YEAR}
        maker.act("Orders", "fund", "Fund", fund, "buyer")
        orders.append(Order(name, number, fund["epsilonCap"]))
        if number % 400 == 399:
            maker.ledger.seal()
    maker.ledger.seal()
    return orders


def redeem_some(maker: Maker) -> None:
    """The buyer wants money back twice; the bank pays 30 fen, and 20 stay locked."""
    buyer, bank = maker.people["buyer"].address, maker.people["bank"].address
    until = maker.ledger.now + 40 * 86_400
    for number, amount in enumerate((30, 20)):
        payout = payout_to(maker, 0xDA7A + number)
        name = redemption_id(buyer, CNY.number, payout)
        wish: dict[str, Any] = {"redemptionId": name, "account": buyer, "amount": amount, "currency": CNY.number}
        wish |= {"payoutDigest": payout, "bank": bank, "payBy": until, "deadline": START + YEAR}
        maker.act("SettlementToken", "redeem", "Redeem", wish, "buyer")
        if number == 0:
            paid = {"redemptionId": wish["redemptionId"], "ref": "0x" + "02" * 32, **maker.by("bank")}
            paid |= {"currency": CNY.number}
            maker.act("SettlementToken", "payRedemption", "PayRedemption", paid, "bank")


def questions() -> Iterator[dict[str, Any]]:
    """Different questions without end, a few hundred of them, again and again."""
    ops: list[list[dict[str, Any]]] = [
        [{"op": "SUM", "measure": "delay"}],
        [{"op": "COUNT", "measure": None}],
        [{"op": "MEAN", "measure": "delay"}],
    ]
    while True:
        for months in range(1, 12):
            for start in range(0, 12, 2):
                chosen = [MONTHS[(start + step) % 12] for step in range(months)]
                where = {"in": {"dimension": "month", "values": chosen}}
                for select in ops:
                    yield {"select": select, "where": where, "groupBy": ["origin"] if months % 4 == 1 else []}


def ask(maker: Maker, order: Order, question: dict[str, Any], *, refuse: bool = False) -> None:
    """One query, all the way to the released or refused leaf."""
    buyer, order.sequence = maker.people["buyer"], order.sequence + 1
    query = {"type": "query", "version": 1, "order": order.name, "asset": maker.asset, "epsilon": EPSILON, **question}
    query |= {"ciphertextRoot": ciphertext_root(maker.manifest), "sequence": order.sequence}
    query |= {"recipient": to_hex(envelope.public_key(buyer.x25519))}
    name, plan = maker.store(query), make_plan(maker.manifest, query)
    charge = 0 if plan.digest in maker.asked else EPSILON
    calls = [*order.calls, from_hex(name)]
    message = {
        **{"orderId": order.name, "amount": PRICE * len(calls), "epsilon": order.spent + EPSILON, "calls": len(calls)},
        "callsRoot": to_hex(merkle.root(calls)),
    }
    signature = sign_intent("Voucher", message, maker.ledger.deployment, buyer.signing_key)
    paid = maker.store(voucher_document(message, buyer.address, signature))
    maker.leaf("query.accepted", query=name, order=order.name, voucher=paid)
    if refuse:
        _refuse(maker, order, name)
        return
    maker.asked.add(plan.digest)
    order.calls, order.spent, order.voucher = calls, order.spent + charge, {**message, "signature": to_hex(signature)}
    maker.spent += charge
    _release(maker, order, query, charge, paid)


def _release(maker: Maker, order: Order, query: dict[str, Any], charge: int, paid: str) -> None:
    plan = make_plan(maker.manifest, query)
    deployment, vault = maker.ledger.deployment, maker.people["vault"]
    numbers, name = maker.evaluate(plan), digest(query)
    result = maker.store(result_document(query, plan, map(number_entry, numbers)))
    signers = [maker.people[f"node{index}"] for index in ((0, 1, 2), (0, 1), (1, 2))[len(maker.leaves) % 3]]
    secret = sum(int.from_bytes(node.bls_secret, "big") for node in signers) % bls.GROUP_ORDER
    # The sum of the nodes' signatures is the signature by the sum of their keys.
    signature = bls.sign(secret.to_bytes(32, "big"), attested_message(result))
    attestation = {"type": "attestation", "version": 1, "result": result, "signature": to_hex(signature)}
    attestation |= {"signers": [node.address for node in signers]}
    residues = {index: release_share(maker.sealing, number.c1, 0) for index, number in enumerate(numbers)}
    shares = maker.store(seal_shares(name, result, query["recipient"], residues, []))
    release = {
        **{"type": "release", "version": 1, "order": order.name, "query": name, "result": result, "shares": shares},
        **{
            "epsilon": charge,
            "spentOrder": order.spent,
            "spentBuyer": maker.spent,
            "spentAsset": maker.spent,
            "signer": vault.address,
        },
    }
    maker.leaf(
        "query.released",
        query=name,
        order=order.name,
        result=result,
        attestation=maker.store(attestation),
        shares=shares,
        release=maker.store(sign_release(release, deployment, vault.signing_key)),
        voucher=paid,
    )


def _refuse(maker: Maker, order: Order, name: str) -> None:
    vault = maker.people["vault"]
    refusal = {
        **{"type": "refusal", "version": 1, "order": order.name, "query": name, "code": "cohort_too_small"},
        **{"rule": "queries.minimum_cohort", "message": {"en": "too few rows", "zh": "行数过少"}, "allowed": "10"},
        **{"found": "fewer", "spentOrder": order.spent, "leftOrder": order.cap - order.spent, "signer": vault.address},
        **{"rulebook": "market/1", "hint": {"en": "widen the filter", "zh": "放宽筛选条件"}},
        **{"spentBuyer": maker.spent, "leftBuyer": 10**9 - maker.spent},
        **{"spentAsset": maker.spent, "leftAsset": maker.budget - maker.spent},
    }
    signed = sign_refusal(refusal, maker.ledger.deployment, vault.signing_key)
    maker.leaf("query.refused", query=name, order=order.name, refusal=maker.store(signed), code="cohort_too_small")


def diverge(maker: Maker) -> None:
    """A lying node is named: it signed another result of the first released query that it did not attest."""
    import json

    liar = maker.people["node2"]
    for leaf in (json.loads(item) for item in maker.leaves if b"query.released" in item):
        if liar.address not in json.loads(maker.documents[leaf["attestation"]])["signers"]:
            break
    lie = json.loads(maker.documents[leaf["result"]])
    lie["numbers"][0]["c0"] = "0x" + "07" * 32
    statement = sign_result(lie, liar.address, liar.bls_secret)
    members = {"query": leaf["query"], "node": statement["node"], "attested": leaf["result"]}
    maker.leaf("panel.divergence", **members, statement=maker.store(statement), result=maker.store(lie))


def settle(maker: Maker, order: Order) -> None:
    """Close an order by its last voucher."""
    assert order.voucher is not None
    voucher = {name: value for name, value in order.voucher.items() if name != "signature"}
    close = {"orderId": order.name, "voucherHash": to_hex(struct_hash("Voucher", voucher)), "deadline": START + YEAR}
    close |= {"seller": maker.people["heir"].address}
    signature = maker.ledger.intent("Close", close, maker.people["heir"])[1]
    maker.ledger.call("Orders", "settle", voucher, order.voucher["signature"], close, signature)


def claim(maker: Maker, order: Order) -> None:
    """The buyer alone ends an order for nothing; its last voucher is presented against that, and the window runs."""
    assert order.voucher is not None
    low = {"orderId": order.name, "amount": 0, "epsilon": 0, "calls": 0, "callsRoot": to_hex(merkle.EMPTY_ROOT)}
    wish = {"orderId": order.name, "voucherHash": to_hex(struct_hash("Voucher", low)), "deadline": START + YEAR}
    wish |= {"by": maker.people["buyer"].address}
    signed = [*maker.ledger.intent("Voucher", low, maker.people["buyer"])]
    maker.ledger.call("Orders", "claim", *signed, *maker.ledger.intent("Claim", wish, maker.people["buyer"]))
    voucher = {name: value for name, value in order.voucher.items() if name != "signature"}
    maker.ledger.call("Orders", "challenge", voucher, order.voucher["signature"])


def hold_keys(maker: Maker) -> None:
    """The collector lets a clerk sign, names a guardian, and stops a recovery that the registrar began."""
    collector, clerk = maker.people["collector"].address, keys("clerk")
    maker.people |= {"clerk": clerk, "found": keys("found")}
    signed: dict[str, Any] = {"by": collector, "deadline": START + YEAR}
    added: dict[str, Any] = {
        "account": collector,
        "key": clerk.address,
        "acts": 16,
        "limit": 500,
        "validUntil": START + YEAR,
    }
    added |= {"personDigest": "0x" + "0c" * 32, "version": 0, **signed}
    maker.act("Keys", "addKey", "AddKey", added, "collector", "clerk")
    named: dict[str, Any] = {
        "account": collector,
        "guardians": [maker.people["heir"].address],
        "threshold": 1,
        "delay": 86_400,
    }
    maker.act("Keys", "setGuardians", "SetGuardians", {**named, "version": 1, **signed}, "collector")
    wish: dict[str, Any] = {
        "account": collector,
        "newKey": maker.people["found"].address,
        "reasonDigest": "0x" + "0d" * 32,
    }
    wish |= {"by": maker.people["heir"].address, "version": 2, "deadline": START + YEAR}
    maker.act("Keys", "recover", "Recover", wish, "heir", "found")
    name = recovery_id(collector, maker.people["found"].address, 2)
    maker.act("Keys", "veto", "Veto", {"recoveryId": name, "account": collector, **signed}, "collector")


def open_batch(maker: Maker) -> str:
    """A clearing batch with two debts: one that can be paid, one that cannot."""
    exchange, buyer, heir = (maker.people[name].address for name in ("exchange", "buyer", "heir"))
    batch = batch_id(exchange, 1)
    opening = {"batchId": batch, "number": 1, "closeBy": maker.ledger.now + 86_400, **maker.by("exchange")}
    maker.act("Clearing", "openBatch", "OpenBatch", opening | {"currency": CNY.number}, "exchange")
    for number, (debtor, creditor, amount) in enumerate((("buyer", heir, 7), ("collector", buyer, 10**9))):
        ref = f"0x{number + 1:064x}"
        owed: dict[str, Any] = {
            "debtId": debt_id(maker.people[debtor].address, creditor, ref),
            "batchId": batch,
            "creditor": creditor,
        }
        owed |= {"debtor": maker.people[debtor].address, "amount": amount, "ref": ref, "deadline": START + YEAR}
        maker.act("Clearing", "owe", "Owe", owed | {"currency": CNY.number}, debtor)
    return batch


def clear(maker: Maker, order: Order, batch: str) -> None:
    """Close an order under which nothing was asked, into a batch."""
    voucher: dict[str, Any] = {
        "orderId": order.name,
        "amount": 0,
        "epsilon": 0,
        "calls": 0,
        "callsRoot": to_hex(merkle.EMPTY_ROOT),
    }
    paid = maker.ledger.intent("Voucher", voucher, maker.people["buyer"])[1]
    clearing: dict[str, Any] = {
        "orderId": order.name,
        "voucherHash": to_hex(struct_hash("Voucher", voucher)),
        "batchId": batch,
    }
    clearing |= {"seller": maker.people["heir"].address, "deadline": START + YEAR}
    signature = maker.ledger.intent("Clear", clearing, maker.people["heir"])[1]
    maker.ledger.call("Orders", "clear", voucher, paid, clearing, signature)


def settle_batch(maker: Maker, batch: str, escrow: int) -> None:
    """Close the batch, drop what cannot be paid, confirm, and pay everybody but one.

    Args:
        escrow: of the one order in it, under which nothing was asked, so that all of it goes back to the buyer.
    """
    closing = {"batchId": batch, "legs": 3, "payBy": maker.ledger.now + 1, **maker.by("exchange")}
    maker.act("Clearing", "closeBatch", "CloseBatch", closing, "exchange")
    maker.ledger.seal()
    maker.ledger.seal(10)
    collector, buyer = maker.people["collector"].address, maker.people["buyer"].address
    maker.ledger.call("Clearing", "drop", batch, debt_id(collector, buyer, f"0x{2:064x}"))
    payouts = {buyer: escrow - 7, maker.people["heir"].address: 7, collector: 0}
    message = {"batchId": batch, "payoutsDigest": payouts_digest(payouts), **maker.by("exchange")}
    maker.act("Clearing", "confirmBatch", "ConfirmBatch", message, "exchange")
    for name in ("buyer", "heir"):
        maker.ledger.call("Clearing", "pay", batch, maker.people[name].address)
    maker.ledger.seal()


@dataclass(frozen=True)
class Made:
    """A bundle in memory.

    Args:
        files: name to content.
        trust: the true roots of trust.
    """

    files: dict[str, bytes]
    trust: Trust

    def write(self, path: Path) -> Path:
        """Write the bundle as a zip file."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files.items():
                archive.writestr(name, content)
        return path

    def unpack(self, folder: Path) -> Path:
        """Write the bundle as a folder."""
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder


def make_bundle(folder: Path, *, orders: int = 4, queries: int = 2) -> Made:
    """One market's story: the last order is asked nothing and refunded after its term, the one before is claimed, the
    rest settle.

    Args:
        folder: where the ledger node may write.
        orders: number of orders, 3 or more.
        queries: released queries of each order.
    """
    return make_market(folder, lambda maker: _tell(maker, orders, queries))


def make_market(folder: Path, tell: Callable[[Maker], None]) -> Made:
    """The bundle of a market of which something else is told; its log ends with a checkpoint."""
    node = Node(NodeSettings(CHAIN_ID, START, folder))
    try:
        relayer = Relayer(keys("relayer").signing_key, CHAIN_ID)
        genesis = Genesis(relayer.address, keys("registrar").address, TREASURY, FEE_BPS, rulebook().digest, MONIES)
        maker = Maker(found(node, relayer, genesis, START + 10))
        tell(maker)
        maker.checkpoint()
        return Made(_files(maker), trust_of(maker))
    finally:
        node.stop()


def _tell(maker: Maker, count: int, queries: int) -> None:
    admit_all(maker)
    seal_data(maker)
    maker.budget = EPSILON * ((count + 1) * (queries + 1) + 1)
    register(maker)
    offer(maker)
    agree(maker)
    deliver_file(maker)
    sell_for_dollars(maker)
    make_product(maker)
    orders = fund_orders(maker, count + 1, queries, last_until=START + 5_000)
    unasked = orders.pop(1)
    source = questions()
    for order in orders[:-1]:
        for _ in range(queries):
            ask(maker, order, next(source))
        if order.number == 0:
            ask(maker, order, next(questions()))  # the first question again: free of epsilon
            ask(maker, order, next(source), refuse=True)
            diverge(maker)
            maker.anchor()
    maker.anchor()
    hold_keys(maker)
    batch = open_batch(maker)
    maker.ledger.seal()
    for order in orders[:-2]:
        settle(maker, order)
        if order.number % 400 == 399:
            maker.ledger.seal()
    clear(maker, unasked, batch)
    maker.ledger.seal()
    settle_batch(maker, batch, PRICE * (queries + 2))
    claim(maker, orders[-2])
    maker.ledger.seal(REFUND_GRACE_SECONDS + 10_000)
    maker.ledger.alone("Orders", "refund", orders[-1].name)


def trust_of(maker: Maker) -> Trust:
    """The roots of trust that a careful auditor would have pinned."""
    key = maker.people["exchange"].ed25519.public_key().public_bytes_raw()
    return Trust(
        chain_id=CHAIN_ID,
        registrar=maker.people["registrar"].address,
        log_origin=ORIGIN,
        log_key=to_hex(key),
        genesis_hash=maker.ledger.blocks[0].hash,
        treasury=TREASURY,
        fee_bps=FEE_BPS,
        rulebook=maker.ledger.genesis.rulebook,
        contracts=maker.ledger.genesis.addresses(),
    )


def _lines(values: Iterator[Any] | list[Any]) -> bytes:
    return b"".join(canonical_json(value) + b"\n" for value in values)


def _files(maker: Maker) -> dict[str, bytes]:
    trust = trust_of(maker)
    key = note.Verifier(ORIGIN, from_hex(trust.log_key))
    stated = {
        **{"chainId": trust.chain_id, "contracts": trust.contracts, "registrar": trust.registrar, "feeBps": FEE_BPS},
        "rulebook": maker.ledger.genesis.rulebook,
        "currencies": list(MONIES),
        **{"treasury": TREASURY, "genesisHash": trust.genesis_hash, "exchange": maker.people["exchange"].address},
        **{"log": {"origin": ORIGIN, "key": trust.log_key, "verifier": key.to_text()}},
        "panel": maker.terms["panel"]["nodes"],
    }
    latest = maker.notes[max(maker.notes)]
    return {
        "profile.json": canonical_json(stated),
        "ledger/headers.jsonl": _lines([block.header for block in maker.ledger.blocks]),
        "ledger/transactions.jsonl": _lines([{"block": n, "raw": to_hex(raw)} for n, raw in maker.ledger.transactions]),
        "ledger/receipts.jsonl": _lines([receipt for block in maker.ledger.blocks for receipt in block.receipts]),
        **{f"read_model/{name}.jsonl": _lines(list(rows.values())) for name, rows in derive(maker).rows.items()},
        "log/entries.jsonl": b"".join(leaf + b"\n" for leaf in maker.leaves),
        "log/checkpoint": latest.encode(),
        "log/checkpoints.jsonl": _lines([{"size": size, "note": note} for size, note in maker.notes.items()]),
        **{f"documents/{name[2:]}.json": content for name, content in maker.documents.items()},
        **{f"blobs/{name[2:]}": content for name, content in maker.blobs.items()},
    }


def derive(maker: Maker) -> Tables:
    """The rows; a test of its own compares them with the service's projections."""
    from marketplace.auditor.findings import Report
    from marketplace.auditor.ledger.chain import read_bodies, read_headers
    from tests.memory import MemoryBundle

    files = {
        "ledger/headers.jsonl": _lines([block.header for block in maker.ledger.blocks]),
        "ledger/transactions.jsonl": _lines([{"block": n, "raw": to_hex(raw)} for n, raw in maker.ledger.transactions]),
        "ledger/receipts.jsonl": _lines([receipt for block in maker.ledger.blocks for receipt in block.receipts]),
    }
    report, bundle = Report(), MemoryBundle(files)
    blocks = read_headers(bundle, None, report)
    read_bodies(bundle, blocks, CHAIN_ID, report)
    replay = Replay(maker.ledger.genesis, maker.ledger.deployment, report)
    replay.run(blocks)
    tables = Tables()
    for placed in replay.derived:
        tables.apply(placed)
    return tables
