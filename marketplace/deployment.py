"""How the contracts are put on a chain: in which order, at which addresses, with which code. The auditor repeats it.

The contracts know each other's addresses from their first moment, in both directions. That works because an address
follows from the deployer and its transaction count alone, so all of them are known before the first is sent.
"""

from dataclasses import astuple, dataclass
from typing import Any

from eth_abi.abi import encode

from crypto.canonical import from_hex, keccak256
from marketplace import artifacts
from marketplace.currencies import CNY, currency_at, currency_of, kind_of
from marketplace.intents import CONTRACTS
from marketplace.rulebooks import all_rulebooks
from marketplace.rulebooks.bounds import NO_BOUNDS, Bounds, bounds_of


@dataclass(frozen=True)
class Genesis:
    """What the contracts are told when they are made.

    Args:
        deployer: address whose first transactions create the contracts in order.
        registrar: the first registrar.
        treasury: where the exchange's fee goes.
        fee_bps: the fee in hundredths of a percent of the amount spent, 0..10000.
        rulebook: digest of the rulebook that registration cases follow until the exchange adopts another.
        currencies: ISO 4217 codes, CNY first; each has a token, and those of the others come after CONTRACTS.
    """

    deployer: str
    registrar: str
    treasury: str
    fee_bps: int
    rulebook: str
    currencies: tuple[str, ...] = (CNY.code,)

    @property
    def contracts(self) -> tuple[str, ...]:
        """The names of all contracts, in the order of their creation."""
        return (*CONTRACTS, *(currency_of(code).contract for code in self.currencies[1:]))

    @property
    def bounds(self) -> Bounds:
        """Of the rulebook's periods; none of a rulebook that this program does not know."""
        found = (book for book in all_rulebooks().values() if book.digest == self.rulebook)
        return next((bounds_of(book) for book in found), NO_BOUNDS)

    def addresses(self) -> dict[str, str]:
        """Contract name to the address that it will have."""
        return {name: created_address(self.deployer, nonce) for nonce, name in enumerate(self.contracts)}

    def creation_code(self, name: str) -> bytes:
        """The data of the transaction that creates contract `name`: bytecode and constructor arguments."""
        artifact = artifacts.load(kind_of(name))
        kinds = [item["type"] for entry in artifact.entries("constructor") for item in entry["inputs"]]
        return artifact.bytecode + encode(kinds, self._constructor_arguments(name))

    def _constructor_arguments(self, name: str) -> tuple[Any, ...]:
        at = self.addresses()
        monies = [currency_of(code) for code in self.currencies]
        tokens = ([money.number for money in monies], [at[money.contract] for money in monies])
        if money := currency_at(name):
            told = (money.number, money.exponent, f"Settlement {money.name}", f"S{money.code}")
            return (at["Participants"], at["Orders"], at["Clearing"], *told)
        links: dict[str, tuple[Any, ...]] = {
            "Participants": (self.registrar, at["Keys"], at["Registrations"]),
            "Rights": (at["Participants"], at["Titles"], at["Orders"], at["Registrations"]),
            "Titles": (at["Participants"], at["Rights"], at["Listings"], at["Orders"]),
            "Listings": (at["Participants"], at["Titles"], at["Lineage"]),
            "Agreements": (at["Participants"],),
            "Orders": (
                at["Participants"],
                at["Rights"],
                at["Titles"],
                at["Listings"],
                at["Agreements"],
                *tokens,
                at["Clearing"],
                at["Deliveries"],
                self.treasury,
                self.fee_bps,
            ),
            "Evidence": (at["Participants"],),
            "Clearing": (at["Participants"], *tokens, at["Orders"]),
            "Keys": (at["Participants"],),
            "Registrations": (
                at["Participants"],
                at["Rights"],
                *(from_hex(word, 32, "rulebook") for word in (self.rulebook, *astuple(self.bounds))),
            ),
            "Deliveries": (at["Participants"], at["Orders"], at["Listings"], at["Titles"]),
            "Lineage": (at["Participants"], at["Rights"], at["Titles"]),
        }
        return links[name]


def created_address(deployer: str, nonce: int) -> str:
    """The address of the contract that `deployer`'s transaction number `nonce` (below 128) creates.

    Source: Ethereum yellow paper, section 7: the last 20 bytes of keccak256(rlp([sender, nonce])).
    """
    if not 0 <= nonce < 128:
        raise ValueError("only the first 128 transactions of a deployer are supported")
    encoded_nonce = bytes([nonce or 0x80])
    return "0x" + keccak256(b"\xd6\x94" + from_hex(deployer, 20, "deployer") + encoded_nonce)[12:].hex()
