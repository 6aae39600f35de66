"""Raw signed transactions: decode, hash, and recover who sent them.

Legacy (EIP-155), access list (EIP-2930) and dynamic fee (EIP-1559) transactions; the ledger uses no others.
"""

from dataclasses import dataclass

from crypto import typed_data
from crypto.canonical import keccak256
from crypto.errors import MalformedInput
from marketplace.auditor.ethereum import rlp

_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
# transaction type -> (number of fields, index of nonce, of the fee cap, of the priority fee, of gas)
_LAYOUTS = {0: (9, 0, 1, 1, 2), 1: (11, 1, 2, 2, 3), 2: (12, 1, 3, 2, 4)}


@dataclass(frozen=True)
class Transaction:
    """A decoded transaction.

    Args:
        hash: keccak256 of the raw bytes.
        sender: "0x" lower-case hex address recovered from the signature.
        to: receiver, or None where a contract is created.
        fee_cap: most that is paid for one gas, in wei.
        priority_fee: most that is paid to the proposer for one gas, in wei.
    """

    kind: int
    hash: bytes
    chain_id: int
    sender: str
    nonce: int
    fee_cap: int
    priority_fee: int
    gas: int
    to: str | None
    value: int
    data: bytes

    @property
    def created(self) -> str | None:
        """Address of the contract that this transaction creates, or None."""
        return contract_address(self.sender, self.nonce) if self.to is None else None

    def gas_price(self, base_fee: int) -> int:
        """Wei paid for one gas in a block with `base_fee`."""
        return min(self.fee_cap, base_fee + self.priority_fee) if self.kind == 2 else self.fee_cap


def contract_address(creator: str, nonce: int) -> str:
    """Address of the contract that `creator` creates with its transaction `nonce`."""
    return "0x" + keccak256(rlp.encode([bytes.fromhex(creator[2:]), rlp.from_int(nonce)]))[12:].hex()


def decode(raw: bytes) -> Transaction:
    """Read one raw transaction and recover its sender.

    Raises:
        MalformedInput: not a transaction of an accepted type in canonical form.
        crypto.errors.InvalidSignature: the signature leads to no key.
    """
    if not raw:
        raise MalformedInput("an empty transaction")
    kind = raw[0] if raw[0] < 0x80 else 0
    if kind not in _LAYOUTS or (kind == 0 and raw[0] < 0xC0):
        raise MalformedInput(f"transaction type {raw[0]} is not one that the ledger uses")
    fields = rlp.decode(raw[1:] if kind else raw)
    size, at_nonce, at_cap, at_priority, at_gas = _LAYOUTS[kind]
    if not isinstance(fields, list) or len(fields) != size:
        raise MalformedInput(f"a type {kind} transaction has {size} fields")
    chain_id, payload, signature = _signature(kind, fields)
    at_to = at_gas + 1
    return Transaction(
        kind=kind,
        hash=keccak256(raw),
        chain_id=chain_id,
        sender=typed_data.recover(keccak256(payload), signature),
        nonce=rlp.to_int(fields[at_nonce]),
        fee_cap=rlp.to_int(fields[at_cap]),
        priority_fee=rlp.to_int(fields[at_priority]),
        gas=rlp.to_int(fields[at_gas]),
        to=_address(fields[at_to]),
        value=rlp.to_int(fields[at_to + 1]),
        data=_bytes(fields[at_to + 2]),
    )


def _signature(kind: int, fields: list[rlp.Item]) -> tuple[int, bytes, bytes]:
    """Chain id, the bytes that were signed, and the 65-byte signature with v 27 or 28."""
    v, r, s = (rlp.to_int(item) for item in fields[-3:])
    if kind == 0:
        chain_id, parity = (v - 35) // 2, (v - 35) % 2
        if v < 37:
            raise MalformedInput("a legacy transaction without chain id (EIP-155) could be replayed from elsewhere")
        payload = rlp.encode([*fields[:-3], rlp.from_int(chain_id), b"", b""])
    else:
        chain_id, parity = rlp.to_int(fields[0]), v
        payload = bytes((kind,)) + rlp.encode(fields[:-3])
    if parity > 1 or not 0 < r < _SECP256K1_ORDER or not 0 < s <= _SECP256K1_ORDER // 2:
        raise MalformedInput("the transaction's signature is out of range or malleable (EIP-2)")
    return chain_id, payload, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((27 + parity,))


def _bytes(item: rlp.Item) -> bytes:
    if not isinstance(item, bytes):
        raise MalformedInput("a list stands where bytes are expected")
    return item


def _address(item: rlp.Item) -> str | None:
    raw = _bytes(item)
    if len(raw) not in (0, 20):
        raise MalformedInput("an address has 20 bytes")
    return "0x" + raw.hex() if raw else None
