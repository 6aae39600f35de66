"""JSON that somebody else wrote, read without giving it a way to end this process."""

import json
import math
from typing import Any

from crypto.canonical import check_nesting
from crypto.errors import MalformedInput

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
