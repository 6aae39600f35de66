"""The key that pays the (zero-priced) gas. It has no authority: every verb checks the participants' own signatures."""

from dataclasses import dataclass

import rlp

from crypto import typed_data
from crypto.canonical import keccak256

_TYPE = b"\x02"  # EIP-1559


@dataclass(frozen=True)
class SignedTransaction:
    """A transaction ready to be sent, again and again if need be: `raw` bytes, and `hash` "0x" hex."""

    nonce: int
    raw: bytes
    hash: str


class Relayer:
    """Signs transactions.

    Args:
        private_key: secp256k1 secret, 32 bytes; never shown.
        chain_id: EIP-155 chain id.
        gas_price: wei; 0 on a network that charges nothing.
    """

    def __init__(self, private_key: bytes, chain_id: int, gas_price: int = 0) -> None:
        self._key, self._chain_id, self._gas_price = private_key, chain_id, gas_price
        self.address: str = typed_data.address_of(private_key)

    def __repr__(self) -> str:
        return f"Relayer({self.address})"

    def sign(self, nonce: int, to: str | None, data: bytes, gas: int) -> SignedTransaction:
        """A signed type-2 transaction; `to` None creates a contract."""
        receiver = b"" if to is None else bytes.fromhex(to[2:])
        # chain id, nonce, fees, gas, receiver, value, data, access list
        fields = [self._chain_id, nonce, self._gas_price, self._gas_price, gas, receiver, 0, data, []]
        signature = typed_data.sign(keccak256(_TYPE + rlp.encode(fields)), self._key)
        r, s, parity = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64]), signature[64] - 27
        raw = _TYPE + rlp.encode([*fields, parity, r, s])
        return SignedTransaction(nonce, raw, "0x" + keccak256(raw).hex())
