"""Steps 2 and 3: the chain of headers, and in each block the transactions and receipts that its header commits to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from crypto.errors import CryptoError, MalformedInput
from marketplace.auditor.bundle import Bundle
from marketplace.auditor.ethereum import headers, hexadecimal, receipts, rlp, transactions, tries
from marketplace.auditor.ethereum.headers import Header
from marketplace.auditor.ethereum.receipts import Receipt
from marketplace.auditor.ethereum.transactions import Transaction
from marketplace.auditor.findings import Report
from marketplace.auditor.lines import objects, unknown_fields

HEADERS, TRANSACTIONS, RECEIPTS = "ledger/headers.jsonl", "ledger/transactions.jsonl", "ledger/receipts.jsonl"
_UNCHAINED = frozenset({"hash", "transactions", "uncles", "withdrawals", "size", "totalDifficulty"})
_HEADER_FIELDS = frozenset(headers.NAMES) | _UNCHAINED
_RECEIPT_FIELDS = frozenset({"cumulativeGasUsed", "logs", "logsBloom"})


@dataclass
class Block:
    """One block with all that its header commits to; `receipts` is as long as `transactions` when step 3 found nothing.

    Args:
        subject: the header's place in the bundle.
        raw: the raw transactions, in order.
        listed: what the header object says beside its own fields.
    """

    header: Header
    subject: str
    listed: dict[str, Any]
    raw: list[bytes] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)


def read_headers(bundle: Bundle, genesis_hash: str | None, report: Report) -> dict[int, Block]:
    """Step 2: every header hashes to its name, follows its parent, and comes after it."""
    blocks: dict[int, Block] = {}
    previous: Header | None = None
    for subject, value in objects(bundle, HEADERS, report):
        report.count("headers")
        unknown_fields(value, _HEADER_FIELDS, subject, report)
        try:
            header = headers.from_rpc(value)
        except MalformedInput as error:
            report.find("header_malformed", subject, got=error)
            continue
        report.same("header_hash", f"block {header.number}", header.hash, header.claimed_hash)
        _check_link(previous, header, genesis_hash, report)
        listed = {name: value[name] for name in _UNCHAINED & value.keys() - {"hash"}}
        blocks[header.number] = Block(header, subject, listed)
        previous = header
    if not blocks:
        report.find("ledger_empty", HEADERS)
    return blocks


def _check_link(previous: Header | None, header: Header, genesis_hash: str | None, report: Report) -> None:
    # A header is compared with the *stated* hash of its parent: if that is not the true one, it has its own finding.
    subject = f"block {header.number}"
    if previous is None:
        report.same("header_number", subject, 0, header.number)
        report.same("header_parent", subject, bytes(32), header.parent_hash)
        if genesis_hash is not None:
            report.same("genesis_pinned", subject, genesis_hash, hexadecimal.text(header.hash))
        return
    report.same("header_number", subject, previous.number + 1, header.number)
    report.same("header_parent", subject, previous.claimed_hash, header.parent_hash)
    if header.timestamp <= previous.timestamp:
        report.find("header_time", subject, expected=f"> {previous.timestamp}", got=header.timestamp)


def check_seen(blocks: dict[int, Block], seen: Iterable[tuple[int, str, str]], report: Report) -> None:
    """Blocks that were seen elsewhere (number, hash, place) are in this chain."""
    for number, expected, place in seen:
        got = hexadecimal.text(blocks[number].header.hash) if number in blocks else "no such block"
        report.same("block_seen", f"block {number}, seen at {place}", expected, got)


def read_bodies(bundle: Bundle, blocks: dict[int, Block], chain_id: int, report: Report) -> None:
    """Step 3: every block's transactions and receipts have the roots in its header, and say nothing besides."""
    for subject, number, raw in _transactions(bundle, report):
        if number not in blocks:
            report.find("transaction_without_block", subject, got=number)
            continue
        blocks[number].raw.append(raw)
    receipts_of = _receipts(bundle, blocks, report)
    nonces: dict[str, int] = defaultdict(int)
    for number, block in sorted(blocks.items()):
        _read_transactions(block, chain_id, nonces, report)
        _read_receipts(block, receipts_of[number], report)
        _check_listed(block, report)


def _transactions(bundle: Bundle, report: Report) -> Iterator[tuple[str, int, bytes]]:
    last = 0
    for subject, value in objects(bundle, TRANSACTIONS, report):
        report.count("transactions")
        try:
            number, raw = value.get("block"), hexadecimal.data(value.get("raw"))
        except MalformedInput as error:
            report.find("transaction_malformed", subject, got=error)
            continue
        unknown_fields(value, frozenset({"block", "raw"}), subject, report)
        if type(number) is not int or number < last:
            report.find("transaction_malformed", subject, expected=f"block >= {last}", got=number)
            continue
        last = number
        yield subject, number, raw


def _receipts(bundle: Bundle, blocks: dict[int, Block], report: Report) -> dict[int, list[tuple[str, dict[str, Any]]]]:
    found: dict[int, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    last = 0
    for subject, value in objects(bundle, RECEIPTS, report):
        report.count("receipts")
        try:
            number = hexadecimal.quantity(value.get("blockNumber"))
        except MalformedInput as error:
            report.find("receipt_malformed", subject, got=error)
            continue
        if number not in blocks or number < last:
            report.find("receipt_malformed", subject, expected=f"a block from {last} on", got=number)
            continue
        last = number
        found[number].append((subject, value))
    return found


def _read_transactions(block: Block, chain_id: int, nonces: dict[str, int], report: Report) -> None:
    subject = f"block {block.header.number}"
    report.same("transactions_root", subject, block.header.transactions_root, tries.index_root(block.raw))
    for position, raw in enumerate(block.raw):
        place = f"{subject} transaction {position}"
        try:
            transaction = transactions.decode(raw)
        except CryptoError as error:
            report.find("transaction_malformed", place, got=error)
            continue
        block.transactions.append(transaction)
        report.same("transaction_chain", place, chain_id, transaction.chain_id)
        report.same("transaction_nonce", place, nonces[transaction.sender], transaction.nonce)
        nonces[transaction.sender] = transaction.nonce + 1


def _read_receipts(block: Block, found: list[tuple[str, dict[str, Any]]], report: Report) -> None:
    subject = f"block {block.header.number}"
    report.same("receipt_count", subject, len(block.raw), len(found))
    for place, value in found:
        try:
            block.receipts.append(receipts.from_rpc(value))
        except MalformedInput as error:
            report.find("receipt_malformed", place, got=error)
    root = tries.index_root([receipt.encoded for receipt in block.receipts])
    report.same("receipts_root", subject, block.header.receipts_root, root)
    if len(block.receipts) == len(block.transactions) == len(found):
        _check_derived(block, found, report)


def _check_derived(block: Block, found: list[tuple[str, dict[str, Any]]], report: Report) -> None:
    """Whatever a receipt repeats from elsewhere is repeated truly."""
    gas, log_index, bloom = 0, 0, 0
    for position, (place, value) in enumerate(found):
        transaction, receipt = block.transactions[position], block.receipts[position]
        expected = receipts.derived_fields(block.header, position, transaction, receipt, gas)
        _check_fields(value, expected, _RECEIPT_FIELDS, place, report)
        for log in value["logs"]:
            derived = receipts.derived_log_fields(block.header, position, transaction, log_index)
            _check_fields(log, derived, frozenset(receipts.LOG_FIELDS), f"{place} log {log_index}", report)
            log_index += 1
        report.same("receipt_bloom", place, receipts.bloom_of(receipt.logs), receipt.bloom)
        gas, bloom = receipt.cumulative_gas, bloom | int.from_bytes(receipt.bloom, "big")
    subject = f"block {block.header.number}"
    report.same("header_bloom", subject, bloom.to_bytes(256, "big"), block.header.logs_bloom)
    report.same("header_gas", subject, gas, block.header.gas_used)


def _check_fields(
    value: dict[str, Any], expected: dict[str, object], known: frozenset[str], place: str, report: Report
) -> None:
    unknown_fields(value, known | expected.keys(), place, report)
    for name in expected.keys() & value.keys():
        report.same("receipt_field", f"{place} {name}", expected[name], value[name])


def _check_listed(block: Block, report: Report) -> None:
    """The header object's fields that its hash does not cover."""
    if len(block.transactions) != len(block.raw):
        return
    expected: dict[str, object] = {
        "transactions": [hexadecimal.text(transaction.hash) for transaction in block.transactions],
        "uncles": [],
        "withdrawals": [],
        "totalDifficulty": "0x0",
    }
    for name, value in block.listed.items():
        if name == "size":
            continue
        report.same("header_field", f"{block.subject} {name}", expected[name], value)
    if "size" in block.listed:
        _check_size(block, report)


def _check_size(block: Block, report: Report) -> None:
    listed: list[rlp.Item] = [raw if raw[0] < 0x80 else rlp.decode(raw) for raw in block.raw]
    empty_lists = 1 + block.header.has_withdrawals  # uncles, and from Shanghai on withdrawals
    parts = [block.header.encoded, rlp.encode(listed), *([rlp.encode([])] * empty_lists)]
    report.same("header_field", f"{block.subject} size", hex(len(rlp.encode_parts(parts))), block.listed["size"])
