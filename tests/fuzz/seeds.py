"""Real artefacts to start from: what the market's own code writes, in bytes. Each is made once per process."""

import io
import json
import tempfile
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from eth_abi.abi import encode
from eth_account import Account
from pyarrow import parquet

from crypto import bls, credential, envelope, siwe, tlog
from crypto.canonical import canonical_json, keccak256, load_json, sha256
from crypto.keystore import Keys
from crypto.seal import cells, products
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import CELLS, PRODUCTS, ROWS, Profile
from marketplace import artifacts, calls
from marketplace.auditor.ethereum.headers import FIELDS
from marketplace.documents import digest
from marketplace.intents import CONTRACTS
from marketplace.queries.protocol.handover import custodian_task, vault_task
from tests.sealed_market import SCHEMA, Market, Order, make_rows, open_market, voucher, write_csv
from tests.split_market import SplitMarket, open_split_market

NOW = 1_790_000_000
ORIGIN = "fuzz.example/log"
SQL = (
    "SELECT origin, COUNT(*), AVG(delay), VAR_POP(fare) FROM flights WHERE carrier IN ('AA', 'B6') GROUP BY origin",
    "SELECT SUM(delay) AS s FROM t WHERE NOT (origin = 'JFK' OR month <> '2') AND month BETWEEN 1 AND 3",
    "SELECT OLS(delay, fare), RIDGE(delay, fare, lambda => 0.5) FROM t",
    "SELECT AVG(SCORE(0.5 * delay - 2 * fare + 3)), SUM(SCORE(fare)) FROM t WHERE month >= 2",
    "SELECT WSUM(delay, origin, 'EWR', 2, 'JFK', -0.5), WMEAN(fare, carrier, 'AA', 1) FROM t",
    "SELECT CONTINGENCY(origin, carrier) FROM t",
    "SELECT HISTOGRAM(delay), APPROX_QUANTILE(delay, 0.9), CORR(delay, fare), COVAR_POP(delay, fare) FROM t",
)


@cache
def keys(name: str = "fuzz") -> Keys:
    """The same keys for the same name, always."""
    return Keys(sha256(b"fuzz keys " + name.encode()))


@cache
def blobs() -> Mapping[Profile, bytes]:
    """One sealed chunk of each profile, as small as a chunk can be."""
    return {
        CELLS: cells.seal_chunk(SealingKey.generate(CELLS), [1, 2, 3]),
        ROWS: cells.seal_chunk(SealingKey.generate(ROWS), [1, 2, 3]),
        PRODUCTS: products.seal_rows(SealingKey.generate(PRODUCTS), np.array([1, 2, 3], dtype=np.int64)),
    }


@cache
def market() -> Market:
    """A sealed data set with bins, a joint and an ordered dimension, its vault and its panel."""
    joined = {**SCHEMA, "joints": [{"measures": ["delay", "fare"]}]}
    joined["measures"] = [{**SCHEMA["measures"][0], "bins": [0, 50]}, SCHEMA["measures"][1]]
    joined["dimensions"] = [*SCHEMA["dimensions"][:2], {**SCHEMA["dimensions"][2], "ordered": True}]
    return open_market(Path(tempfile.mkdtemp(prefix="fuzz-")), joined)


@cache
def documents() -> tuple[dict[str, Any], ...]:
    """Documents of most kinds, as they pass between the parties."""
    task = task_document()
    market_ = market()
    shown = [task[name] for name in ("query", "voucher", "result", "attestation")]
    statement = market_.evaluate(task["query"])[0].statement
    decision = market_.vault.decide(task, NOW)
    assert decision.shares is not None
    assert decision.release is not None
    return (*shown, statement, decision.shares, decision.release, task["order"]["terms"], task["order"]["agreement"],
            market_.manifest)  # fmt: skip


@cache
def task_document() -> dict[str, Any]:
    """What the service hands to the vault for one query."""
    made = market()
    order = made.order()
    query = made.query(order, "SELECT origin, AVG(delay) FROM t WHERE month IN (1, 2) GROUP BY origin")
    return vault_task(made.task(order, query, voucher=voucher(order, query)))


@cache
def split() -> SplitMarket:
    """The same with a key that a custodian holds half of."""
    return open_split_market(Path(tempfile.mkdtemp(prefix="fuzz-")))


@cache
def custodian_task_document() -> dict[str, Any]:
    """What the service hands to the custodian once the vault released."""
    made = split()
    order = made.order()
    return custodian_task(made.approved(made.task(order, made.query(order, "SELECT COUNT(*), SUM(delay) FROM t"))))


@cache
def custody_files() -> tuple[dict[str, Any], ...]:
    """The file that carries a custodian its half, whole, and cut so that it is small."""
    found: dict[str, Any] = load_json(split().dataset.custody_file.read_bytes())
    return found, {**found, "sealed": found["sealed"][:200]}


@cache
def papers() -> tuple[dict[str, Any], Order]:
    """What a buyer fetches of an answered query, and whose it is."""
    made = market()
    order = made.order("reader")
    task = made.task(order, made.query(order, "SELECT origin, AVG(delay) FROM t GROUP BY origin"))
    decision = made.decide(task)
    fetched = {"result": task.result, "attestation": task.attestation}
    return {**fetched, "query": task.query, "shares": decision.shares, "release": decision.release}, order


@cache
def panel_tasks() -> tuple[bytes, ...]:
    """What the service hands to a panel node: a query to evaluate, or requests to upload."""
    found = task_document()
    manifest = digest(market().manifest)
    task = {"query": found["query"], "manifest": manifest}
    wanted = [entry["c1"] for entry in found["result"]["numbers"][:2]]
    upload = {**task, "digest": digest(found["query"]), "requests": wanted}
    return canonical_json({"task": task}), canonical_json({"task": upload}), b'{"task":null}'


def json_texts() -> list[bytes]:
    """Canonical JSON of every document, and texts in other forms."""
    other = [b'{"a":1.5}', b'{"a":1,"a":2}', b"[[[[]]]]", b'"\\ud800"', b"NaN", b'{"\xc3\xa9":"\xe6\x95\xb0"}', b"1e9"]
    return [canonical_json(item) for item in documents()] + [json.dumps(documents()[0]).encode(), *other]


@cache
def signed_note() -> bytes:
    """A signed checkpoint."""
    return tlog.sign_checkpoint(tlog.Checkpoint(ORIGIN, 7, sha256(b"root")), keys().ed25519)


def transactions() -> list[bytes]:
    """Signed transactions of all three kinds."""
    base = {"nonce": 3, "gas": 90_000, "to": "0x" + "12" * 20, "value": 5, "data": "0x1234", "chainId": 20260}
    kinds: list[dict[str, Any]] = [
        {"gasPrice": 7},
        {"gasPrice": 7, "type": 1, "accessList": [{"address": "0x" + "34" * 20, "storageKeys": ["0x" + "00" * 32]}]},
        {"type": 2, "maxFeePerGas": 9, "maxPriorityFeePerGas": 2, "accessList": []},
    ]
    return [bytes(Account.sign_transaction(base | kind, keys().signing_key).raw_transaction) for kind in kinds]


def calldata() -> list[bytes]:
    """Calls of every contract's verbs with arguments of zeros, and batches of them; their contract's number before."""
    found = []
    for number, contract in enumerate(CONTRACTS):
        made = [_zeros(contract, verb) for verb in calls.VERBS[contract]]
        found += [bytes((number,)) + item for item in (*made, calls.encode_batch(made), calls.encode_batch([]))]
    return found


def _zeros(contract: str, verb: str) -> bytes:
    kinds = [parameter.kind for parameter in calls.parameters_of(contract, verb)]
    selector = keccak256(f"{verb}({','.join(kinds)})".encode())[:4]
    return selector + encode(kinds, [_zero(kind) for kind in kinds])


def _zero(kind: str) -> Any:
    if kind.endswith("[]"):
        return []
    if kind.startswith("("):
        return tuple(_zero(field) for field in kind[1:-1].split(","))
    if kind == "address":
        return "0x" + "00" * 20
    return bytes(65) if kind == "bytes" else bytes(32) if kind == "bytes32" else "" if kind == "string" else 0


def logs() -> list[bytes]:
    """A log of every event, of zeros: its contract's number, the number of its topics, topics, data."""
    found = []
    for number, contract in enumerate(CONTRACTS):
        for topic, (_, fields) in calls.events_of(contract).items():
            topics = [topic] + [bytes(32) for field in fields if field.indexed]
            plain = [field.kind for field in fields if not field.indexed]
            data = encode(plain, [_zero(kind) for kind in plain])
            found.append(bytes((number, len(topics))) + b"".join(topics) + data)
    return found


@cache
def bundle_zip() -> bytes:
    """A zip with the names and kinds of files of an evidence bundle."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("profile.json", canonical_json({"type": "bundle", "version": 1}))
        archive.writestr("ledger/headers.jsonl", canonical_json(header()) + b"\n")
        archive.writestr("log/checkpoint", signed_note())
    return held.getvalue()


def header() -> dict[str, Any]:
    """A JSON-RPC block header of the London field list, with its hash."""
    sizes = {"miner": 20, "logsBloom": 256, "nonce": 8}
    quantities = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas")
    found: dict[str, Any] = {name: "0x" + "ab" * sizes.get(name, 32) for name, _ in FIELDS[:16]}
    return found | dict.fromkeys(quantities, "0x2a") | {"extraData": "0x", "hash": "0x" + "cd" * 32}


def receipt() -> dict[str, Any]:
    """A JSON-RPC receipt with one log."""
    log = {"address": "0x" + "12" * 20, "topics": ["0x" + "34" * 32], "data": "0x5678"}
    fields = {"type": "0x2", "status": "0x1", "cumulativeGasUsed": "0x5208", "logsBloom": "0x" + "00" * 256}
    return {**fields, "logs": [log]}


@cache
def certificate() -> dict[str, Any]:
    """A signed credential."""
    body: dict[str, Any] = {
        "@context": [credential.CONTEXT],
        "type": ["VerifiableCredential"],
        "issuer": {"id": "did:web:exchange.example"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "urn:asset:0x00", "level": 3},
    }
    return credential.issue(body, keys().ed25519, created=NOW)


def sign_in() -> bytes:
    """A sign-in message with every optional field."""
    message = siwe.SignIn(
        domain="exchange.example:8443",
        address=keys().address,
        uri="https://exchange.example/sign-in?a=b#c",
        chain_id=20260,
        nonce="abcdefgh12345678",
        issued_at="2026-09-21T14:13:20Z",
        expiration_time="2026-09-21T15:13:20Z",
        statement="Sign in to trade.",
        request_id="7",
        resources=("https://exchange.example/terms", "urn:asset:0x00"),
    )
    return message.to_text().encode()


def bls_parts() -> bytes:
    """Public key, signature and proof of possession, one after the other."""
    secret = keys().bls_secret
    return bls.public_key(secret) + bls.sign(secret, b"m") + bls.prove_possession(secret)


def sealed_shares() -> bytes:
    """An envelope to the fuzz keys."""
    return envelope.seal(envelope.public_key(keys().x25519), b"shares", info=b"fuzz", aad=b"")


def reverts() -> list[bytes]:
    """Revert data of every error of the contracts, their values zero."""
    entries = [entry for contract in CONTRACTS for entry in artifacts.load(contract).entries("error")]
    kinds = [",".join(item["type"] for item in entry["inputs"]) for entry in entries]
    return [
        keccak256(f"{entry['name']}({kind})".encode())[:4] + bytes(96)
        for entry, kind in zip(entries, kinds, strict=True)
    ]


def tables() -> list[bytes]:
    """Some rows as CSV and as Parquet, marked by a first byte."""
    rows = make_rows(30)
    held = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), held)
    with tempfile.TemporaryDirectory() as folder:
        plain = write_csv(Path(folder, "rows.csv"), rows).read_bytes()
    return [b"\x00" + plain, b"\x01" + held.getvalue()]
