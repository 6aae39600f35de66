"""Pads written a second time, in plain integers over other libraries, for vectors and comparison: HKDF over the
standard library's hmac, AES in counter mode by pycryptodome, bytes by struct. Nothing of crypto/seal is used.

Run it to write the vectors:  python -m tests.unit.crypto.seal.plain_pads
"""

import hashlib
import hmac
import json
import random
import struct
from pathlib import Path
from typing import Any

from Crypto.Cipher import AES

VECTORS = Path(__file__).parents[3] / "vectors" / "pads.json"


def parameter_digest(name: str, bits: int) -> bytes:
    text = f"pads/telescoping/1 name={name} bits={bits} prf=aes-256-ctr kdf=hkdf-sha256"
    return hashlib.sha256(text.encode()).digest()[:16]


def derived(key: bytes, digest: bytes, block: int, column: str, salt: bytes) -> bytes:
    """RFC 5869 with one block of output."""
    extracted = hmac.digest(salt, key, "sha256")
    info = b"sealed pads, version 1\n" + digest + struct.pack(">I", block) + column.encode()
    return hmac.digest(extracted, info + b"\x01", "sha256")


def word(key: bytes, index: int) -> int:
    """F(index): the word of that number of the keystream that starts at counter zero."""
    block: bytes = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=index // 2).encrypt(bytes(16))
    return int.from_bytes(block[8 * (index % 2) :][:8], "little")


def pad(keys: list[bytes], first: int, end: int, bits: int) -> int:
    return sum(word(key, end) - word(key, first) for key in keys) % (1 << bits)


def blob(case: dict[str, Any]) -> bytes:
    bits, start, values = case["bits"], case["start"], case["values"]
    digest, salt = parameter_digest(case["profile"], bits), bytes.fromhex(case["salt"])
    keys = [derived(bytes.fromhex(key), digest, case["block"], case["column"], salt) for key in case["keys"]]
    sealed = [(value + pad(keys, start + i, start + i + 1, bits)) % 2**bits for i, value in enumerate(values)]
    header = struct.pack("<8sHHI16s", b"padded\x00\x01", 1, 0, len(values), digest)
    body = struct.pack("<16sQ", salt, start) + b"".join(c.to_bytes(bits // 8, "little") for c in sealed)
    return header + hashlib.sha256(header + body).digest() + body


def make_case(number: int, name: str, bits: int, start: int) -> dict[str, Any]:
    draw, largest = random.Random(number), 2 ** (bits - 1) - 1
    case: dict[str, Any] = {"profile": name, "bits": bits, "block": number, "column": f"sum:测量{number}"}
    case |= {"keys": [draw.randbytes(32).hex() for _ in range(2)], "salt": draw.randbytes(16).hex()}
    case |= {"start": start, "values": [0, -1, largest, -largest, *(draw.randint(-largest, largest) for _ in range(7))]}
    runs = [[start, start + 2, 1], [start + 2, start + 3, -3], [start + 6, start + 11, 2]]
    case |= {"runs": runs, "noise": draw.randint(-1000, 1000), "blob": blob(case).hex()}
    digest, salt = parameter_digest(name, bits), bytes.fromhex(case["salt"])
    shares = []
    for key in case["keys"]:
        mine = derived(bytes.fromhex(key), digest, number, case["column"], salt)
        shares.append((case["noise"] - sum(w * pad([mine], a, b, bits) for a, b, w in runs)) % 2**bits)
    values = case["values"]
    true = sum(w * sum(values[a - start : b - start]) for a, b, w in runs) + 2 * case["noise"]
    return case | {"shares": shares, "number": (true + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)}


def make_vectors() -> list[dict[str, Any]]:
    kinds = [("pads-64-1", 64, 0), ("pads-64-1", 64, 65536), ("pads-40-1", 40, 0), ("pads-24-1", 24, 65536)]
    return [make_case(number, *kind) for number, kind in enumerate(kinds)]


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(make_vectors(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
