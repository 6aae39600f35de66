"""The relayer's transactions are byte for byte those of eth-account."""

import secrets
from typing import Any

import pytest
from eth_account import Account

from crypto.errors import InvalidKey
from marketplace.ledger.relayer import Relayer

RECEIVER = "0x00000000000000000000000000000000000000ab"


@pytest.mark.parametrize("to", [RECEIVER, None])
@pytest.mark.parametrize(("nonce", "gas_price", "data"), [(0, 0, b""), (1, 7, b"\0"), (300, 10**12, b"data" * 99)])
def test_transactions_are_those_of_eth_account(to: str | None, nonce: int, gas_price: int, data: bytes) -> None:
    for key in (secrets.token_bytes(32) for _ in range(20)):  # so that r or s has leading zeros now and then
        fields: dict[str, Any] = {"type": 2, "chainId": 20260, "nonce": nonce, "value": 0, "gas": 90_000, "data": data}
        fields |= {"maxFeePerGas": gas_price, "maxPriorityFeePerGas": gas_price}
        fields |= {} if to is None else {"to": bytes.fromhex(to[2:])}
        expected = Account.sign_transaction(fields, key)
        relayer = Relayer(key, 20260, gas_price)
        made = relayer.sign(nonce, to, data, 90_000)
        assert relayer.address == Account.from_key(key).address.lower()
        assert (made.nonce, made.raw, made.hash) == (
            nonce,
            bytes(expected.raw_transaction),
            "0x" + bytes(expected.hash).hex(),
        )


def test_its_key_is_not_shown_and_must_be_one() -> None:
    key = b"\x5a" * 32
    assert repr(Relayer(key, 1)) == f"Relayer({Relayer(key, 1).address})"
    with pytest.raises(InvalidKey):
        Relayer(bytes(32), 1)
