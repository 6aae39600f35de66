"""JSON that somebody else wrote, read without giving it a way to end this process."""

import json
from typing import Any

from crypto.canonical import check_nesting
from crypto.errors import MalformedInput

MAX_DEPTH = 64  # an answer may carry a document, which is nested at most 32 deep


def parse_json(content: bytes) -> Any:
    """The value of UTF-8 JSON text.

    Raises:
        ValueError: it is not JSON, or nested deeper than MAX_DEPTH.
    """
    try:
        check_nesting(content, MAX_DEPTH)
    except MalformedInput as error:
        raise ValueError(str(error)) from None
    return json.loads(content.decode())
