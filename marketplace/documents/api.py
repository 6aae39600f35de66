"""Documents of data that is delivered call by call: where the gateway is, calls, their records, service levels.

A document here is signed whole: the signature covers the digest of all its fields but itself (`unsigned_digest`), by
the intent SellerStatement or BuyerStatement. That digest names a call record in a voucher's `callsRoot`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from marketplace.documents.common import SIGNATURE, SPENT, Document, checked, digest, itself
from marketplace.documents.plans import MAX_UNITS, PERIODS
from marketplace.documents.shapes import (
    ADDRESS,
    DIGEST,
    NAME,
    Check,
    array,
    boolean,
    document,
    hex_bytes,
    integer,
    matching,
    nullable,
    one_of,
    record,
    refuse,
    text,
    utc_time,
)
from marketplace.words import Words

KINDS = ("LOOKUP", "PAGE")
TESTS = ("EQ", "GE", "LE")
OUTCOMES = ("HIT", "MISS", "ERROR", "TIMEOUT")
ANSWERED = ("HIT", "MISS")
UNLIMITED = 9999
"""How the product manual of the Shanghai Data Exchange writes a quota without limit; `null` in documents."""
MAX_PAGE = 1_000
MAX_BATCH = 500
MAX_CALLS = 2**32 - 1
WHOLE_BPS = 10_000

_CONDITION = record({"column": NAME, "tests": array(one_of(TESTS), len(TESTS), 1, itself)})


def _named(item: object) -> object:
    return item["name" if "name" in item else "column"] if isinstance(item, dict) else item


_OPERATION = record(
    {
        "name": NAME,
        "kind": one_of(KINDS),
        "keys": array(NAME, 4, 0, itself),
        "filters": array(_CONDITION, 16, 0, _named),
        "columns": array(NAME, 80, 1, itself),
        "most": integer(1, MAX_PAGE),
    }
)
API: dict[str, Check] = {
    "mode": one_of(["API"]),
    "operations": array(_OPERATION, 16, 1, _named),
    "qps": integer(1, 10_000),
    "period": one_of(PERIODS),
    "quota": nullable(integer(1, MAX_UNITS)),
    "latencyMs": integer(1, 600_000),
    "timeoutSeconds": integer(1, 600),
    "availabilityBps": integer(1, WHOLE_BPS),
}
"""What terms say of data that is delivered call by call: operations, calls a second, calls a period, service levels."""

_GATEWAY = document(
    "gateway",
    {"listing": DIGEST, "url": text(400), "number": integer(1, 2**31), "seller": ADDRESS, "signature": SIGNATURE},
)
_CREDENTIAL_REQUEST = document(
    "credential_request",
    {"order": DIGEST, "receiveKey": hex_bytes(32), "at": utc_time, "buyer": ADDRESS, "signature": SIGNATURE},
)
_WHERE = record({"column": NAME, "test": one_of(TESTS), "value": text(200, 0)})
_CALL = document(
    "call",
    {
        "order": DIGEST,
        "number": integer(1, MAX_CALLS),
        "operation": NAME,
        "where": array(_WHERE, 40),
        "offset": integer(0, MAX_UNITS),
        "limit": integer(1, MAX_PAGE),
        "credential": DIGEST,
        "nonce": hex_bytes(16),
        "at": utc_time,
        "buyer": ADDRESS,
        "signature": SIGNATURE,
    },
)
_RECORD = document(
    "call_record",
    {
        "order": DIGEST,
        "number": integer(1, MAX_CALLS),
        "operation": NAME,
        "request": DIGEST,
        "response": DIGEST,
        "outcome": one_of(OUTCOMES),
        "records": integer(0, MAX_PAGE),
        "latencyMs": integer(0, 3_600_000),
        "at": utc_time,
        "seller": ADDRESS,
        "signature": SIGNATURE,
    },
)


def _record(value: object, path: str) -> None:
    _RECORD(value, path)
    assert isinstance(value, dict)
    if (value["outcome"] == "HIT") != (value["records"] > 0):
        raise refuse(
            f"{path}.records",
            Words("records of a hit, and of nothing else", "命中时须有记录，否则不得有"),
            value["records"],
        )


_BATCH = document("call_batch", {"order": DIGEST, "records": array(_record, MAX_BATCH, 1)})
_FIGURES: dict[str, Check] = {
    "period": matching(
        "[0-9]{4}(-[0-9]{2}(-[0-9]{2})?|-W[0-9]{2}|-Q[1-4])?", Words("a period such as 2026-11", "账期，如 2026-11")
    ),
    "first": integer(1, MAX_CALLS),
    "last": integer(1, MAX_CALLS),
    "callsRoot": DIGEST,
    **dict.fromkeys(("calls", "hits", "misses", "errors", "timeouts", "records"), SPENT),
    **dict.fromkeys(("p50Ms", "p95Ms"), integer(0, 3_600_000)),
    "availabilityBps": integer(0, WHOLE_BPS),
    "met": boolean,
}
_SERVICE = document("service_record", {"order": DIGEST, **_FIGURES, "seller": ADDRESS, "signature": SIGNATURE})
_ANSWER = document(
    "service_answer",
    {
        "order": DIGEST,
        "record": DIGEST,
        "accepted": boolean,
        "reasons": array(text(400), 16),
        "buyer": ADDRESS,
        "signature": SIGNATURE,
    },
)


def unsigned_digest(value: Mapping[str, Any]) -> str:
    """Digest of a document without its signature: what is signed, and what names a call record."""
    return digest({name: item for name, item in value.items() if name != "signature"})


def request_digest(call: Mapping[str, Any]) -> str:
    """What names a call in its record: all that it asks for, under whichever credential and whenever it was sent."""
    return digest({name: item for name, item in call.items() if name not in ("signature", "credential", "at")})


def validate_gateway(value: object) -> Document:
    """Where the gateway of a listing answers: https, or http on the buyer's own machine."""
    gateway = checked(_GATEWAY, value, "gateway")
    try:
        url = urlsplit(gateway["url"])
        named = bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        raise refuse(
            "gateway.url",
            Words("https://host/path, or http on loopback", "https://主机/路径，或本机回环地址的 http"),
            gateway["url"],
        ) from None
    secret = url.query or url.fragment or url.username is not None or url.password is not None
    if not (url.scheme == "https" or is_at_home(gateway["url"])) or not named or secret:
        raise refuse(
            "gateway.url",
            Words("https://host/path, or http on loopback", "https://主机/路径，或本机回环地址的 http"),
            gateway["url"],
        )
    return gateway


def is_at_home(url: str) -> bool:
    """Whether an address is plain HTTP on the very machine that asks."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")


def validate_credential_request(value: object) -> Document:
    """A buyer's wish for a credential under an order, sealed to `receiveKey`."""
    return checked(_CREDENTIAL_REQUEST, value, "credential_request")


def validate_call(value: object) -> Document:
    """One call; `nonce` keeps whoever has its digest alone from guessing it."""
    return checked(_CALL, value, "call")


def validate_call_record(value: object) -> Document:
    """What the seller's gateway says of one call that it answered, or failed to answer: the seller's receipt."""
    return checked(_record, value, "call_record")


def validate_call_batch(value: object) -> Document:
    """Call records of one order that follow one another."""
    batch = checked(_BATCH, value, "call_batch")
    first = batch["records"][0]["number"]
    for index, item in enumerate(batch["records"]):
        if (item["order"], item["number"]) != (batch["order"], first + index):
            raise refuse(
                f"call_batch.records[{index}]",
                Words(f"call {first + index} of the order", f"该订单的第 {first + index} 次调用"),
                item["number"],
            )
    return batch


def validate_service_record(value: object) -> Document:
    """The service level of one order in one period, from its call records `first` to `last`."""
    return checked(_SERVICE, value, "service_record")


def validate_service_answer(value: object) -> Document:
    """What the buyer says to a service record: accepted, or reasons against it."""
    answer = checked(_ANSWER, value, "service_answer")
    if answer["accepted"] == bool(answer["reasons"]):
        raise refuse("service_answer.reasons", Words("reasons, or acceptance", "异议理由，或接受"), answer["reasons"])
    return answer


def check_api(delivery: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
    """What the shape alone does not say of terms of calls: keys for lookups, filters for pages, one kind of period."""
    for index, operation in enumerate(delivery["operations"]):
        path = f"terms.delivery.operations[{index}]"
        lookup = operation["kind"] == "LOOKUP"
        if lookup != bool(operation["keys"]):
            raise refuse(
                f"{path}.keys",
                Words("keys of a lookup, and of nothing else", "仅查找类操作有键，且必须有"),
                operation["keys"],
            )
        if lookup and operation["filters"]:
            raise refuse(
                f"{path}.filters", Words("none: a lookup is by its keys", "无：查找仅按键进行"), operation["filters"]
            )
    if plan.get("period", delivery["period"]) != delivery["period"]:
        raise refuse(
            "terms.delivery.period",
            Words(f"the plan's own, {plan['period']}", f"与方案一致的账期 {plan['period']}"),
            delivery["period"],
        )
