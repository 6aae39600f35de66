"""Every single change of a bundle's files is found, and named by the right code. One change a case."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from marketplace.auditor.readmodel.rows import KEYS
from marketplace.documents import column_chunks
from tests.bundles import Made
from tests.unit.auditor.forger import CHECKPOINTS, ENTRIES, HEADERS, RECEIPTS, TRANSACTIONS, Forger

Json = dict[str, Any]


def test_the_true_bundle_passes_with_every_answer_computed_again(made: Made) -> None:
    report = Forger(made).report(full=True)
    assert report.passed, report.findings
    assert [code for code, *_ in report.notes] == ["reexecution_whole"]
    checked = {number: dict(count) for number, count in report.counts.items()}
    assert checked[5]["refused calls"] == 2
    assert checked[11]["queries"] == checked[10]["released"] == 3
    assert all(checked[number] for number in range(2, 12))


def _other(value: Any) -> Any:
    """A different value of the same kind and form."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and value.startswith("0x") and len(value) > 2:
        return value[:-1] + ("1" if value[-1] != "1" else "2")
    if isinstance(value, list):
        return [*value, "0x" + "00" * 32]
    return "0x00" if value in (None, "", "0x") else value + "0"


def _changed(value: Json, path: tuple[str, ...]) -> Json:
    if len(path) == 1:
        return {**value, path[0]: _other(value[path[0]])}
    return {**value, path[0]: _changed(value[path[0]], path[1:])}


# -- rows of the read model

ROW_FIELDS = {
    "participants": "account roles status identityDigest version",
    "assets": "assetId holder manifestDigest ciphertextRoot claimDigest level status certificateDigest validUntil "
    "version shareVersion epsilonBudget epsilonCommitted epsilonReleased",
    "titles": "titleId assetId kind holder orderId validUntil version",
    "shares": "assetId holder bps",
    "share_encumbrances": "assetId holder pledgee bps debtDigest marks version",
    "listings": "listingId assetId seller termsDigest price validUntil status version",
    "agreements": "agreementId partyA partyB agreementDigest validUntil status version previousId",
    "orders": "orderId listingId assetId buyer escrow epsilonCap validUntil agreementDigest agreementId status amount "
    "epsilon calls callsRoot fee refund",
    "order_claims": "orderId claimedBy voucherHash amount epsilon calls callsRoot until",
    "delivery_offers": "listingId seller amount deliverWithin inspection correction corrections marks",
    "deliveries": "orderId buyer receiveKey dueAt status rounds acknowledged noteHash ciphertextDigest fingerprintId "
    "plaintextCommitment deliveredAt defectsDigest",
    "payouts": "orderId holder amount",
    "balances": "account balance",
    "anchors": "size root previousRoot",
}
EVENT = (("event", "block"), ("event", "logIndex"), ("event", "intent"))
ROW_CASES = [
    (table, path) for table, names in ROW_FIELDS.items() for path in (*((name,) for name in names.split()), *EVENT)
]


@pytest.mark.parametrize(
    ("table", "path"), ROW_CASES, ids=lambda item: item if isinstance(item, str) else ".".join(item)
)
def test_a_changed_field_of_a_row(made: Made, table: str, path: tuple[str, ...]) -> None:
    forger = Forger(made)

    def change(rows: list[Json]) -> None:
        rows[-1] = _changed(rows[-1], path)

    forger.edit(f"read_model/{table}.jsonl", change)
    findings = forger.report().findings
    if path[0] in KEYS[table]:
        assert {finding.code for finding in findings} == {"row_missing", "row_extra"}
        return
    (finding,) = findings
    assert finding.code == "row_field"
    assert finding.subject.startswith(f"{table}[")
    assert finding.subject.endswith(f".{path[0]}")


@pytest.mark.parametrize("table", KEYS)
def test_a_row_removed_doubled_invented_or_widened(made: Made, table: str) -> None:
    name = f"read_model/{table}.jsonl"
    key = KEYS[table][-1]
    changes: dict[str, Callable[[list[Json]], object]] = {
        "row_missing": lambda rows: rows.pop(),
        "row_twice": lambda rows: rows.append(rows[0]),
        "row_extra": lambda rows: rows.append({**rows[0], key: 999 if key == "size" else "0x" + "ee" * 20}),
        "row_field": lambda rows: rows[0].update(comment="ours"),
    }
    for code, change in changes.items():
        forger = Forger(made)
        forger.edit(name, change)
        assert forger.codes() == {code}


# -- headers, transactions, receipts


@pytest.mark.parametrize(
    "field",
    [
        *json.loads(b'["parentHash","sha3Uncles","miner","stateRoot","transactionsRoot"]'),
        "receiptsRoot",
        "logsBloom",
        "difficulty",
        "number",
        "gasLimit",
        "gasUsed",
        "timestamp",
        "extraData",
        "mixHash",
        "nonce",
        "baseFeePerGas",
        "withdrawalsRoot",
        "blobGasUsed",
        "excessBlobGas",
        "parentBeaconBlockRoot",
        "hash",
    ],
)
def test_a_changed_field_of_a_header(made: Made, field: str) -> None:
    forger = Forger(made)

    def change(blocks: list[Json]) -> None:
        blocks[3] = _changed(blocks[3], (field,))

    forger.edit(HEADERS, change)
    first = forger.report().ordered()[0]
    assert (first.step, first.code) == (2, "header_hash")
    assert first.subject == ("block 3" if field != "number" else "block 1")


BLOCKS: dict[str, tuple[str, Callable[[list[Json]], object]]] = {
    "removed in the middle": ("header_number", lambda blocks: blocks.pop(3)),
    "first removed": ("header_number", lambda blocks: blocks.pop(0)),
    "swapped": ("header_number", lambda blocks: blocks.insert(2, blocks.pop(3))),
    "without a field": ("header_malformed", lambda blocks: blocks[2].pop("timestamp")),
    "with a field too many": ("field_unknown", lambda blocks: blocks[2].update(comment="0x")),
    "in upper case": ("header_malformed", lambda blocks: blocks[2].update(hash=blocks[2]["hash"].upper())),
    "with a true size": ("header_field", lambda blocks: blocks[2].update(size="0x1")),
    "with other transactions": ("header_field", lambda blocks: blocks[2].update(transactions=[])),
    "all removed": ("ledger_empty", lambda blocks: blocks.clear()),
}


@pytest.mark.parametrize("case", BLOCKS)
def test_blocks(made: Made, case: str) -> None:
    code, change = BLOCKS[case]
    forger = Forger(made)
    forger.edit(HEADERS, change)
    assert code in forger.codes()


SENT: dict[str, tuple[str, Callable[[list[Json]], object]]] = {
    "a byte of the data": ("transactions_root", lambda sent: sent[8].update(raw=_flip_hex(sent[8]["raw"], 400))),
    "a byte of the signature": ("transactions_root", lambda sent: sent[8].update(raw=_flip_hex(sent[8]["raw"], -9))),
    "removed": ("transactions_root", lambda sent: sent.pop(8)),
    "twice": ("transactions_root", lambda sent: sent.insert(8, sent[8])),
    "in another block": ("transactions_root", lambda sent: sent[8].update(block=sent[8]["block"] + 1)),
    "in no block": ("transaction_without_block", lambda sent: sent[-1].update(block=999)),
    "before its time": ("transaction_malformed", lambda sent: sent[8].update(block=0)),
    "not bytes": ("transaction_malformed", lambda sent: sent[8].update(raw="0xzz")),
    "widened": ("field_unknown", lambda sent: sent[8].update(by="me")),
}


def _flip_hex(text: str, at: int) -> str:
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 or len(text) :]


@pytest.mark.parametrize("case", SENT)
def test_transactions(made: Made, case: str) -> None:
    code, change = SENT[case]
    forger = Forger(made)
    forger.edit(TRANSACTIONS, change)
    assert code in forger.codes()


RECEIPT_FIELDS = [
    "type",
    "status",
    "cumulativeGasUsed",
    "logsBloom",
    "transactionHash",
    "transactionIndex",
    "blockHash",
    "blockNumber",
    "gasUsed",
    "effectiveGasPrice",
    "from",
    "to",
    "contractAddress",
]
CONSENSUS = {"type", "status", "cumulativeGasUsed", "logsBloom"}


@pytest.mark.parametrize("field", RECEIPT_FIELDS)
def test_a_changed_field_of_a_receipt(made: Made, field: str) -> None:
    forger = Forger(made)

    def change(found: list[Json]) -> None:
        found[8] = _changed(found[8], (field,))

    forger.edit(RECEIPTS, change)
    expected = "receipts_root" if field in CONSENSUS else "receipt_count" if field == "blockNumber" else "receipt_field"
    assert expected in forger.codes()


@pytest.mark.parametrize(
    "field",
    [
        "address",
        "topics",
        "data",
        "blockHash",
        "blockNumber",
        "transactionHash",
        "transactionIndex",
        "logIndex",
        "removed",
    ],
)
def test_a_changed_field_of_a_log(made: Made, field: str) -> None:
    forger = Forger(made)

    def change(found: list[Json]) -> None:
        eventful = next(receipt for receipt in reversed(found) if receipt["logs"])
        eventful["logs"][0] = _changed(eventful["logs"][0], (field,))

    forger.edit(RECEIPTS, change)
    assert ("receipts_root" if field in ("address", "topics", "data") else "receipt_field") in forger.codes()


def test_receipts_removed_swapped_or_widened(made: Made) -> None:
    changes: list[tuple[str, Callable[[list[Json]], object]]] = [
        ("receipt_count", lambda found: found.pop(8)),
        ("receipts_root", lambda found: found.insert(1, found.pop(0))),
        ("field_unknown", lambda found: found[8].update(comment="")),
        ("receipt_malformed", lambda found: found[8].update(logs="none")),
    ]
    for code, change in changes:
        forger = Forger(made)
        forger.edit(RECEIPTS, change)
        assert code in forger.codes()


# -- log, documents, blobs, profile

LOG: dict[str, tuple[str, Callable[[Forger], object]]] = {
    "a leaf changed": (
        "log_root",
        lambda f: f.edit(ENTRIES, lambda leaves: leaves[2].update(at=leaves[3]["at"][:-3] + "59Z")),
    ),
    "a leaf removed": ("log_root", lambda f: f.edit(ENTRIES, lambda leaves: leaves.pop(2))),
    "leaves swapped": ("log_root", lambda f: f.edit(ENTRIES, lambda leaves: leaves.insert(2, leaves.pop(4)))),
    "the last leaves cut off": ("log_shorter", lambda f: f.edit(ENTRIES, lambda leaves: leaves.pop())),
    "a leaf added": ("leaf_unsigned", lambda f: f.edit(ENTRIES, lambda leaves: leaves.append(leaves[-1]))),
    "a checkpoint's size": (
        "checkpoint_fields",
        lambda f: f.edit(CHECKPOINTS, lambda c: c[0].update(size=1)),
    ),
    "a checkpoint's note": (
        "checkpoint_signature",
        lambda f: f.edit(CHECKPOINTS, lambda c: c[0].update(note=c[0]["note"].replace(f"\n{c[0]['size']}\n", "\n1\n"))),
    ),
    "a checkpoint without note": (
        "checkpoint_signature",
        lambda f: f.edit(CHECKPOINTS, lambda c: c[0].pop("note")),
    ),
    "an old checkpoint as the latest": (
        "checkpoint_latest",
        lambda f: f.files.update({"log/checkpoint": f.lines(CHECKPOINTS)[0]["note"].encode()}),
    ),
    "no latest checkpoint": ("file_unreadable", lambda f: f.files.pop("log/checkpoint")),
}


@pytest.mark.parametrize("case", LOG)
def test_the_log(made: Made, case: str) -> None:
    code, change = LOG[case]
    forger = Forger(made)
    change(forger)
    assert code in forger.codes()


def test_a_changed_leaf_is_placed_between_two_roots(made: Made) -> None:
    forger = Forger(made)
    sizes = sorted(line["size"] for line in forger.lines(CHECKPOINTS))
    forger.edit(ENTRIES, lambda leaves: leaves[sizes[0]].update(order="0x" + "11" * 32))
    subjects = [finding.subject for finding in forger.report().findings if finding.code == "log_root"]
    assert subjects
    assert all(f"leaves {sizes[0]} to " in subject for subject in subjects)


KINDS = [
    "query",
    "voucher",
    "result",
    "attestation",
    "shares",
    "release",
    "refusal",
    "statement",
    "manifest",
    "claim",
    "terms",
    "agreement",
    "credential",
]


def _document_of(forger: Forger, kind: str) -> str:
    for name in sorted(forger.files):
        if name.startswith("documents/"):
            found = json.loads(forger.files[name])["type"]
            if found == kind or (kind == "credential" and isinstance(found, list)):
                return name
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_documents_changed_or_missing(made: Made, kind: str) -> None:
    forger = Forger(made)
    name = _document_of(forger, kind)
    content = forger.files[name]
    at = content.index(b'"', len(content) // 2) + 1
    forger.files[name] = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    assert ("document_digest", name) in {(item.code, item.subject) for item in forger.report().findings}
    del forger.files[name]
    assert "document_missing" in forger.codes()


def test_a_document_under_another_name_or_of_no_kind(made: Made) -> None:
    forger = Forger(made)
    forger.store({"type": "gossip", "version": 1})
    assert forger.codes() == {"document_malformed"}
    forger = Forger(made)
    forger.files["documents/" + "ab" * 32 + ".json"] = forger.files[_document_of(forger, "terms")]
    assert forger.codes() == {"document_digest"}


def test_blobs(made: Made) -> None:
    manifest = json.loads(made.files[_document_of(Forger(made), "manifest")])
    (chunk,) = column_chunks(manifest["batches"][0], 0, "sum:delay")
    name = "blobs/" + chunk["blob"][2:]
    content = made.files[name]
    for changed in (content[:-1] + bytes([content[-1] ^ 1]), content + b"\0", content[:-1], b""):
        forger = Forger(made)
        forger.files[name] = changed
        report = forger.report()
        assert ("blob_digest", name) in {(item.code, item.subject) for item in report.findings}
    assert "reexecution_failed" in forger.codes(full=True)
    del forger.files[name]
    assert "blob_missing" in forger.codes()


PROFILE = [
    ("chainId",),
    ("contracts", "Orders"),
    ("contracts", "Participants"),
    ("genesisHash",),
    ("registrar",),
    ("treasury",),
    ("feeBps",),
    ("exchange",),
    ("log", "origin"),
    ("log", "key"),
    ("log", "verifier"),
    ("comment",),
]


@pytest.mark.parametrize("path", PROFILE, ids=".".join)
@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "not pinned"])
def test_the_profile(made: Made, path: tuple[str, ...], pinned: bool) -> None:
    from crypto.canonical import canonical_json
    from marketplace.auditor.trust import Trust

    forger = Forger(made)
    profile = {**json.loads(forger.files["profile.json"]), **({"comment": None} if path == ("comment",) else {})}
    forger.files["profile.json"] = canonical_json(_changed(profile, path))
    forger.trust = forger.trust if pinned else Trust()
    report = forger.report()
    assert not report.passed
    assert pinned or "trust_from_bundle" in [code for code, *_ in report.notes]


@pytest.mark.parametrize(
    "name", ["read_model/orders.jsonl", "ledger/receipts.jsonl", "log/entries.jsonl", "profile.json"]
)
def test_missing_empty_and_broken_files(made: Made, name: str) -> None:
    for content in (None, b"\xff\xfe\n", b"[]\n", b'{"a":1}', b"{}\n\n"):
        forger = Forger(made)
        if content is None:
            del forger.files[name]
        else:
            forger.files[name] = content
        assert not forger.report().passed


def test_a_file_that_is_no_evidence(made: Made) -> None:
    for name in ("notes.txt", "documents/readme.md", "blobs/" + "ab" * 31, "documents/" + "ab" * 32):
        forger = Forger(made)
        forger.files[name] = b"hello"
        (found,) = [item for item in forger.report().findings if item.code == "file_unknown"]
        assert found.subject == name
        assert (found.hint.startswith("believe nothing in the file"), "请勿采信该文件" in found.hint_zh) == (True, True)


def test_json_in_another_form_is_found_and_still_read(made: Made) -> None:
    forger = Forger(made)
    rows = forger.lines("read_model/payouts.jsonl")
    rows[0]["amount"] += 1
    forger.files["read_model/payouts.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    findings = forger.report().ordered()
    assert findings[0].code == "row_field"
    assert {finding.code for finding in findings} == {"row_field", "line_not_canonical"}
