"""Step 4: the contracts on the ledger are the published build, made with the arguments that the market states.

A contract's address follows from who created it and that sender's transaction number, so whoever holds the creating
transaction knows the code: it is the init code that the network ran at that address.
"""

from collections.abc import Mapping
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from crypto.canonical import to_hex
from marketplace import artifacts
from marketplace.auditor.ethereum.transactions import Transaction
from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.chain import Block
from marketplace.currencies import code_of, parse_currencies
from marketplace.deployment import Genesis
from marketplace.errors import InvalidInputError
from marketplace.intents import Deployment


def check_deployment(blocks: Mapping[int, Block], deployment: Deployment, report: Report) -> Genesis | None:
    """Compare every contract's creation with the committed artifact and with the other contracts' addresses.

    Returns:
        What the contracts were told when they were made; None, with findings, if that cannot be read.
    """
    created = _creations(blocks, report)
    found = {name: created.pop(deployment.addresses[name], None) for name in deployment.addresses}
    for address, transaction in created.items():
        report.find("contract_unknown", address, got=f"transaction 0x{transaction.hash.hex()}")
    genesis = _read_genesis(found, report)
    for name, creation in found.items():
        report.count("contracts")
        if creation is None:
            report.find("contract_missing", name, expected=f"created at {deployment.addresses[name]}")
        elif genesis is not None:
            expected = genesis.addresses().get(name)
            report.same("contract_address", name, expected, deployment.addresses[name])
            report.same("contract_code", name, genesis.creation_code(name) if expected else b"", creation.data)
    return genesis


def _creations(blocks: Mapping[int, Block], report: Report) -> dict[str, Transaction]:
    created: dict[str, Transaction] = {}
    for number, block in sorted(blocks.items()):
        for position, transaction in enumerate(block.transactions):
            if transaction.created is None:
                continue
            created[transaction.created] = transaction
            if position < len(block.receipts) and not block.receipts[position].succeeded:
                report.find("contract_failed", f"block {number} transaction {position}", got=transaction.created)
    return created


def _read_genesis(found: Mapping[str, Transaction | None], report: Report) -> Genesis | None:
    """The constructor arguments that do not follow from the deployer: first registrar, treasury, fee, rulebook,
    currencies."""
    participants, orders, registrations = (found[name] for name in ("Participants", "Orders", "Registrations"))
    if participants is None or orders is None or registrations is None:
        return None
    registrar, *_ = _arguments("Participants", participants, report) or (None,)
    told = _arguments("Orders", orders, report) or ()
    currencies, treasury, fee_bps = (_currencies(told), *told[-2:]) if told else (None, None, None)
    _, _, rulebook, *_ = _arguments("Registrations", registrations, report) or (None, None, None)
    if registrar is None or treasury is None or rulebook is None or currencies is None:
        return None
    return Genesis(participants.sender, registrar, treasury, fee_bps, to_hex(rulebook), currencies)


def _currencies(told: tuple[Any, ...]) -> tuple[str, ...] | None:
    """The codes of the numbers that Orders was told; None where they are no market's."""
    (numbers,) = (value for value in told if isinstance(value, tuple) and all(isinstance(item, int) for item in value))
    try:
        return parse_currencies(",".join(map(code_of, numbers)))
    except InvalidInputError:
        return None


def _arguments(name: str, creation: Transaction, report: Report) -> tuple[Any, ...] | None:
    artifact = artifacts.load(name)
    kinds = [item["type"] for entry in artifact.entries("constructor") for item in entry["inputs"]]
    try:
        return tuple(decode(kinds, creation.data[len(artifact.bytecode) :]))
    except (DecodingError, ValueError, OverflowError) as error:
        report.find("contract_arguments", name, expected=", ".join(kinds), got=error)
        return None
