"""What a dishonest operator can do to a bundle: change files, then make all that it controls agree again.

It holds the log's key, the relayer's key, and the power to rewrite every block; in some tests a participant lends its
key.
"""

import json
from collections.abc import Callable
from typing import Any

from crypto import merkle, tlog
from crypto.canonical import canonical_json, sha256, to_hex
from marketplace.auditor.ethereum import headers, hexadecimal, receipts, rlp, transactions, tries
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Tables
from marketplace.auditor.trust import Seen
from marketplace.auditor.verifier import audit
from tests.bundles import ORIGIN, Made, keys
from tests.memory import MemoryBundle

Json = dict[str, Any]
HEADERS, TRANSACTIONS, RECEIPTS = "ledger/headers.jsonl", "ledger/transactions.jsonl", "ledger/receipts.jsonl"
ENTRIES, CHECKPOINTS = "log/entries.jsonl", "log/checkpoints.jsonl"


class Forger:
    """A copy of a bundle that can be changed."""

    def __init__(self, made: Made) -> None:
        self.files, self.trust = dict(made.files), made.trust

    def report(self, *, full: bool = False, seen: Seen | None = None) -> Report:
        """Audit the copy with the true roots of trust."""
        return audit(MemoryBundle(self.files), self.trust, reexecute=None if full else 0, seen=seen)

    def codes(self, *, full: bool = False) -> set[str]:
        """Codes of all findings."""
        return {finding.code for finding in self.report(full=full).findings}

    # -- lines

    def lines(self, name: str) -> list[Json]:
        """The objects of a .jsonl file."""
        return [json.loads(line) for line in self.files[name].splitlines()]

    def write(self, name: str, values: list[Json]) -> None:
        """Replace a .jsonl file."""
        self.files[name] = b"".join(canonical_json(value) + b"\n" for value in values)

    def edit(self, name: str, change: Callable[[list[Json]], object]) -> None:
        """Change the objects of a .jsonl file in place."""
        values = self.lines(name)
        change(values)
        self.write(name, values)

    # -- the log

    def document(self, digest: str) -> Json:
        """A document."""
        value: Json = json.loads(self.files[f"documents/{digest[2:]}.json"])
        return value

    def leaf(self, kind: str, number: int = 0) -> Json:
        """The n-th leaf of a kind."""
        return [leaf for leaf in self.lines(ENTRIES) if leaf["type"] == kind][number]

    def store(self, document: Json) -> str:
        """Add a document; its digest."""
        content = canonical_json(document)
        name = to_hex(sha256(content))
        self.files[f"documents/{name[2:]}.json"] = content
        return name

    def replace(self, digest: str, change: Callable[[Json], object]) -> str:
        """Put a changed document in the place of another, wherever a leaf names it; the log is signed anew."""
        document = self.document(digest)
        change(document)
        name = self.store(document)
        del self.files[f"documents/{digest[2:]}.json"]
        self.files[ENTRIES] = self.files[ENTRIES].replace(digest.encode(), name.encode())
        self.sign_log()
        return name

    def edit_log(self, change: Callable[[list[Json]], object]) -> None:
        """Change leaves, and sign the log anew."""
        self.edit(ENTRIES, change)
        self.sign_log()

    def sign_log(self) -> None:
        """Sign every checkpoint again, over the leaves as they are now, and one over all of them."""
        entries = self.files[ENTRIES].splitlines()
        sizes = {line["size"] for line in self.lines(CHECKPOINTS) if line["size"] <= len(entries)}
        notes = {size: _note(entries[:size]) for size in sorted({*sizes, len(entries)})}
        self.write(CHECKPOINTS, [{"size": size, "note": note} for size, note in notes.items()])
        self.files["log/checkpoint"] = notes[len(entries)].encode()

    # -- the ledger

    def remake_chain(self) -> None:
        """Give every block the roots of what is in it now, hash all headers again, and make receipts repeat it."""
        bodies: dict[int, list[bytes]] = {}
        for line in self.lines(TRANSACTIONS):
            bodies.setdefault(line["block"], []).append(hexadecimal.data(line["raw"]))
        by_block: dict[int, list[Json]] = {}
        for receipt in self.lines(RECEIPTS):
            by_block.setdefault(int(receipt["blockNumber"], 16), []).append(receipt)
        parent, remade = "0x" + "00" * 32, []
        for block in self.lines(HEADERS):
            number = int(block["number"], 16)
            block["parentHash"] = parent
            _remake(block, bodies.get(number, []), by_block.get(number, []))
            parent = block["hash"]
            remade.append(block)
        self.write(HEADERS, remade)
        self.write(RECEIPTS, [receipt for _, found in sorted(by_block.items()) for receipt in found])


def _note(entries: list[bytes]) -> str:
    head = tlog.Checkpoint(ORIGIN, len(entries), merkle.root(entries))
    return tlog.sign_checkpoint(head, keys("exchange").ed25519).decode()


def _remake(block: Json, raws: list[bytes], found: list[Json]) -> None:
    gas, bloom = 0, 0
    for receipt in found:
        read = receipts.from_rpc(receipt)
        gas += int(receipt["gasUsed"], 16)
        receipt["cumulativeGasUsed"] = hex(gas)
        receipt["logsBloom"] = hexadecimal.text(receipts.bloom_of(read.logs))
        bloom |= int(receipt["logsBloom"], 16)
    block["gasUsed"], block["logsBloom"] = hex(gas), f"0x{bloom:0512x}"
    block["transactionsRoot"] = hexadecimal.text(tries.index_root(raws))
    encoded = [receipts.from_rpc(receipt).encoded for receipt in found]
    block["receiptsRoot"] = hexadecimal.text(tries.index_root(encoded))
    block["hash"] = hexadecimal.text(headers.from_rpc(block).hash)
    index = 0
    for position, receipt in enumerate(found):
        place = {"blockHash": block["hash"], "blockNumber": block["number"], "transactionIndex": hex(position)}
        hashed = {"transactionHash": hexadecimal.text(transactions.decode(raws[position]).hash)}
        receipt.update(place | hashed)
        for log in receipt["logs"]:
            log.update(place | hashed | {"logIndex": hex(index)})
            index += 1


def resign(raw: bytes, key: bytes, change: Callable[[list[rlp.Item]], object]) -> bytes:
    """A changed type-2 transaction, signed again."""
    from crypto import typed_data
    from crypto.canonical import keccak256

    fields = rlp.decode(raw[1:])
    assert isinstance(fields, list)
    change(fields)
    signature = typed_data.sign(keccak256(b"\x02" + rlp.encode(fields[:9])), key)
    tail: list[rlp.Item] = [
        rlp.from_int(signature[64] - 27),
        rlp.from_int(int.from_bytes(signature[:32], "big")),
        rlp.from_int(int.from_bytes(signature[32:64], "big")),
    ]
    return b"\x02" + rlp.encode([*fields[:9], *tail])


def tables_of(forger: Forger) -> Tables:
    """The read model as the bundle tells it."""
    tables = Tables()
    for name in tables.rows:
        for row in forger.lines(f"read_model/{name}.jsonl"):
            tables.put(name, row)
    return tables
