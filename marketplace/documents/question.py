"""Documents that a buyer makes for each query: the question and the promise to pay."""

from collections.abc import Mapping
from typing import Any

from marketplace.documents.common import (
    CATEGORY,
    COMPUTATIONS,
    EPSILON,
    MAX_DEPTH,
    MAX_TERMS,
    MONEY,
    SIGNATURE,
    SPENT,
    Document,
    checked,
    itself,
    part,
)
from marketplace.documents.shapes import (
    ADDRESS,
    DIGEST,
    NAME,
    array,
    document,
    hex_bytes,
    integer,
    nullable,
    one_of,
    record,
    refuse,
)


def _filter(value: object, path: str, depth: int = 0) -> int:
    """Check one filter and return how many leaves it has."""
    if depth > MAX_DEPTH or not (isinstance(value, dict) and len(value) == 1):
        raise refuse(path, f"a filter nested at most {MAX_DEPTH} deep", value)
    (word, inner), path = next(iter(value.items())), f"{path}.{next(iter(value))}"
    if word == "in":
        record({"dimension": NAME, "values": array(CATEGORY, 10_000, 1, itself)})(inner, path)
        return 1
    if word == "not":
        return _filter(inner, path, depth + 1)
    if word not in ("and", "or") or not (isinstance(inner, list) and 2 <= len(inner) <= MAX_TERMS):
        raise refuse(path, "in, not, and, or", word)
    return sum(_filter(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(inner))


def _where(value: object, path: str) -> None:
    if _filter(value, path) > MAX_TERMS:
        raise refuse(path, f"at most {MAX_TERMS} conditions", "more")


_SELECT = record({"op": one_of(COMPUTATIONS), "measure": nullable(NAME)})
_QUERY = document(
    "query",
    {
        "order": DIGEST,
        "asset": DIGEST,
        "ciphertextRoot": DIGEST,
        "select": array(_SELECT, 32, 1, lambda item: (part("op")(item), part("measure")(item))),
        "where": nullable(_where),
        "groupBy": array(NAME, 16, 0, itself),
        "epsilon": EPSILON,
        "recipient": hex_bytes(32),
        "sequence": integer(1, 2**32 - 1),
    },
)
_VOUCHER = document(
    "voucher",
    {
        "order": DIGEST,
        "amount": MONEY,
        "epsilon": SPENT,
        "calls": integer(0, 2**32 - 1),
        "callsRoot": DIGEST,
        "buyer": ADDRESS,
        "signature": SIGNATURE,
    },
)


def validate_query(value: object) -> Document:
    """One question; COUNT may stand without a measure, every other computation needs one."""
    query = checked(_QUERY, value, "query")
    for index, item in enumerate(query["select"]):
        if item["measure"] is None and item["op"] != "COUNT":
            raise refuse(f"query.select[{index}].measure", "a measure", None)
    return query


def validate_voucher(value: object) -> Document:
    """A signed cumulative voucher; the signature itself is checked by `intents.verify_intent`."""
    return checked(_VOUCHER, value, "voucher")


def voucher_message(voucher: Mapping[str, Any]) -> dict[str, Any]:
    """The EIP-712 Voucher message inside a voucher document."""
    return {
        "orderId": voucher["order"],
        "amount": voucher["amount"],
        "epsilon": voucher["epsilon"],
        "calls": voucher["calls"],
        "callsRoot": voucher["callsRoot"],
    }


def voucher_document(message: Mapping[str, Any], buyer: str, signature: bytes) -> Document:
    """A voucher document from its EIP-712 message, the buyer's address and 65 signature bytes."""
    return {
        "type": "voucher",
        "version": 1,
        "order": message["orderId"],
        **{name: message[name] for name in ("amount", "epsilon", "calls", "callsRoot")},
        "buyer": buyer,
        "signature": "0x" + signature.hex(),
    }
