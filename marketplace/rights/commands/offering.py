"""Offers that go from one side to the other as files: what they say is shown in words before anybody signs them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from marketplace.console import Run
from marketplace.errors import InvalidInputError
from marketplace.sdk import titles
from marketplace.sdk.client import Client


def show_offer(run: Run, client: Client, offer: Mapping[str, Any]) -> dict[str, str]:
    """Print what an offer says, and return it as English lines for --json."""
    lines = titles.describe(client, offer)
    run.terms(lines)
    return {label.en: says.en for label, says in lines}


def hand_over(run: Run, client: Client, made: Mapping[str, Any], output: Path) -> None:
    """Write the first side's half into a file for the other, and say what it offers."""
    told = show_offer(run, client, made)
    output.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", "utf-8")
    said = next(value for value in made.values() if isinstance(value, Mapping))
    run.json({**said, "terms": told})
    run.say(f"hand {output} to the other side", f"请将 {output} 交给对方")


@contextmanager
def readable() -> Iterator[None]:
    """Refuse a file that holds no offer. Raises InvalidInputError `offer_malformed`."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError("offer_malformed", f"this is no offer: {error}", zh="不是有效的文件") from error
