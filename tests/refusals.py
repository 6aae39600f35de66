"""What every refusal that is raised has to keep to, whoever raises it; and samples of the ledger's refusals."""

import re
from collections.abc import Iterator
from typing import Any

from marketplace import artifacts
from marketplace.errors import MarketplaceError
from marketplace.intents import CONTRACTS

_SENTENCE = re.compile(r"(?:\b[a-z]{2,} ){3}[a-z]{2,}\b")
_QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")
_LEFT = re.compile(r"\{[A-Za-z_]\w*\}|\{\{")  # JSON and patterns that a text quotes have other things in their braces


def faults(refused: MarketplaceError) -> list[str]:
    """What is wrong with the texts of a refusal; empty for a good one."""
    chinese = [text for text in (refused.zh, refused.hint_zh, refused.expected_zh, refused.got_zh) if text]
    embedded = [
        f"English in Chinese: {text}"
        for text in map(str, chinese)
        if english_in(text) and refused.zh != refused.message
    ]
    return [f"left to fill in: {text}" for text in left_open(refused)] + embedded


def english_in(chinese: str) -> str:
    """Four English words in a row of a Chinese text, commands and quotations aside; "" where there are none."""
    found = _SENTENCE.search(_QUOTED.sub("", str(chinese)))
    return found.group() if found else ""


def left_open(refused: MarketplaceError) -> list[str]:
    """The texts in which a place is left to fill in: no hint has a brace, no text a name in braces."""
    told = refused.as_dict()
    hints = [told[name] for name in ("hint", "hint_zh") if set("{}") & set(str(told[name]))]
    return hints + [told[name] for name in ("message", "zh", "rule") if _LEFT.search(str(told[name]))]


def inputs(error: str) -> dict[str, str]:
    """The values of a custom error of the contracts: name to Solidity type."""
    return next(_inputs(error))


def sample_values(error: str, place: int) -> dict[str, Any]:
    """Values of the right kinds for a custom error of the contracts.

    Args:
        place: which of the samples, from 0; small numbers, so that numbers of states are known ones.
    """
    return {name: _sample(kind, place + at) for at, (name, kind) in enumerate(inputs(error).items())}


def _sample(kind: str, number: int) -> Any:
    if kind == "address":
        return "0x" + f"{number + 1:02x}" * 20
    if kind == "bytes32":
        return "0x" + f"{number + 1:02x}" * 32
    return f"text {number}" if kind == "string" else number + 1


def _inputs(error: str) -> Iterator[dict[str, str]]:
    for contract in CONTRACTS:
        for entry in artifacts.load(contract).entries("error"):
            if entry["name"] == error:
                yield {item["name"]: item["type"] for item in entry["inputs"]}
