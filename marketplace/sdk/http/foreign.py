"""JSON that somebody else wrote, read without giving it a way to end this process."""

import json
import math
from pathlib import Path
from typing import Any

from crypto.canonical import check_nesting
from crypto.errors import MalformedInput
from marketplace.errors import InvalidInputError

MAX_DEPTH = 64  # an answer may carry a document, which is nested at most 32 deep


def parse_json(content: bytes) -> Any:
    """The value of UTF-8 JSON text.

    Raises:
        ValueError: it is not JSON, nested deeper than MAX_DEPTH, or has a number that is not finite.
    """
    try:
        check_nesting(content, MAX_DEPTH)
    except MalformedInput as error:
        raise ValueError(str(error)) from None
    return json.loads(content.decode(), parse_constant=_finite, parse_float=_finite)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is not a finite number")
    return number


def read_json(path: Path) -> Any:
    """A JSON file of the caller.

    Raises:
        InvalidInputError: it is not JSON, or nested too deep.
    """
    try:
        return parse_json(path.read_bytes())
    except ValueError as error:
        raise InvalidInputError("file_not_json", f"{path} is not JSON: {error}", zh=f"{path} 不是 JSON 文件") from error
