"""The compiled contracts: ABI and creation bytecode, written by contracts/build.py, readable wherever the package is.

Pure: nothing here speaks to a chain, so the auditor and a buyer's own machine may use it.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from marketplace.currencies import kind_of
from marketplace.intents import CONTRACTS


@dataclass(frozen=True)
class Artifact:
    """One compiled contract.

    Args:
        name: one of `marketplace.intents.CONTRACTS`.
        abi: the JSON ABI, as Solidity's compiler writes it.
        bytecode: creation code, without constructor arguments.
        compiler: name, version and settings that gave it.
    """

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    compiler: dict[str, Any]

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """ABI entries of one type: "function", "event", "error" or "constructor"."""
        return [entry for entry in self.abi if entry["type"] == kind]


@cache
def load(name: str) -> Artifact:
    """The artifact of the contract `name`; all tokens have one.

    Raises:
        KeyError: no contract has that name.
    """
    if name not in CONTRACTS:
        if kind_of(name) == name:
            raise KeyError(name)
        return load(kind_of(name))
    data = json.loads(resources.files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return Artifact(name, tuple(data["abi"]), bytes.fromhex(data["bytecode"][2:]), data["compiler"])
