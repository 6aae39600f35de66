"""The key that pays the (zero-priced) gas. It has no authority: every verb checks the participants' own signatures."""

from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from crypto.canonical import keccak256


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
        self._account: LocalAccount = Account.from_key(private_key)
        self._fixed: dict[str, Any] = {"type": 2, "chainId": chain_id, "value": 0}
        self._fees = {"maxFeePerGas": gas_price, "maxPriorityFeePerGas": gas_price}
        self.address: str = self._account.address.lower()

    def __repr__(self) -> str:
        return f"Relayer({self.address})"

    def sign(self, nonce: int, to: str | None, data: bytes, gas: int) -> SignedTransaction:
        """A signed type-2 transaction; `to` None creates a contract."""
        fields: dict[str, Any] = {**self._fixed, **self._fees, "nonce": nonce, "data": data, "gas": gas}
        if to is not None:
            fields["to"] = bytes.fromhex(to[2:])
        raw = bytes(self._account.sign_transaction(fields).raw_transaction)
        return SignedTransaction(nonce, raw, "0x" + keccak256(raw).hex())
