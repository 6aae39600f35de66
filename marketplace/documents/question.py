"""Documents that a buyer makes for each query: the question and the promise to pay."""

from collections.abc import Mapping
from typing import Any

from crypto.canonical import canonical_json
from marketplace.documents.common import (
    CATEGORY,
    COMPUTATIONS,
    EPSILON,
    MAX_DEPTH,
    MAX_FACTOR,
    MAX_TERMS,
    MAX_WEIGHTS,
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
    mapping,
    nullable,
    one_of,
    record,
    refuse,
)
from marketplace.types import MICRO
from marketplace.words import Words


def _filter(value: object, path: str, depth: int = 0) -> int:
    """Check one filter and return how many leaves it has."""
    if depth > MAX_DEPTH or not (isinstance(value, dict) and len(value) == 1):
        raise refuse(
            path, Words(f"a filter nested at most {MAX_DEPTH} deep", f"嵌套不超过 {MAX_DEPTH} 层的条件"), value
        )
    (word, inner), path = next(iter(value.items())), f"{path}.{next(iter(value))}"
    if word == "in":
        record({"dimension": NAME, "values": array(CATEGORY, 10_000, 1, itself)})(inner, path)
        return 1
    if word == "not":
        return _filter(inner, path, depth + 1)
    if word not in ("and", "or") or not (isinstance(inner, list) and 2 <= len(inner) <= MAX_TERMS):
        raise refuse(path, Words.alike("in, not, and, or"), word)
    return sum(_filter(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(inner))


def _identity(item: object) -> bytes:
    return canonical_json(item)


def _where(value: object, path: str) -> None:
    if _filter(value, path) > MAX_TERMS:
        raise refuse(path, Words(f"at most {MAX_TERMS} conditions", f"至多 {MAX_TERMS} 个条件"), "more")


MAX_REGRESSORS = 15
_ONE = {"op": one_of(COMPUTATIONS), "measure": NAME}
_FACTOR = integer(-MAX_FACTOR, MAX_FACTOR)
_DECIMALS = integer(0, 9)
_PAIR = record({"op": one_of(COMPUTATIONS), "measures": array(NAME, 2, 2, itself)})
_LINEAR = {"op": one_of(COMPUTATIONS), "target": NAME, "regressors": array(NAME, MAX_REGRESSORS, 1, itself)}
_WEIGHT = record({"category": CATEGORY, "weight": _FACTOR})
_SCORE = {"op": one_of(COMPUTATIONS), "statistic": one_of(["SUM", "MEAN"]), "scale": _DECIMALS, "intercept": _FACTOR}
_COUNTED = record({"op": one_of(COMPUTATIONS), "measure": nullable(NAME)})
_WEIGHTED = record(
    {**_ONE, "dimension": NAME, "scale": _DECIMALS, "weights": array(_WEIGHT, MAX_WEIGHTS, 1, part("category"))}
)
_SHAPES = {
    "COUNT": _COUNTED,
    "CONTINGENCY": record({"op": one_of(COMPUTATIONS), "measure": one_of([None])}),
    "QUANTILE": record({**_ONE, "fraction": integer(1, MICRO - 1)}),
    "COVARIANCE": _PAIR,
    "CORRELATION": _PAIR,
    "OLS": record(_LINEAR),
    "RIDGE": record({**_LINEAR, "lambda": integer(1, 1000 * MICRO)}),
    "SCORE": record({**_SCORE, "coefficients": mapping(_FACTOR, 64)}),
    "WSUM": _WEIGHTED,
    "WMEAN": _WEIGHTED,
}
_OTHERS = record(_ONE)


def _select(value: object, path: str) -> None:
    """One computation, in the shape of its op; bounds on coefficients and weights are part of the shape."""
    op = value.get("op") if isinstance(value, dict) else None
    one_of(COMPUTATIONS)(op, f"{path}.op")
    _SHAPES.get(str(op), _OTHERS)(value, path)
    assert isinstance(value, dict)
    if op in ("OLS", "RIDGE") and value["target"] in value["regressors"]:
        raise refuse(f"{path}.regressors", Words("measures other than the target", "不同于目标的指标"), value["target"])
    if op == "SCORE" and not any(value["coefficients"].values()):
        raise refuse(
            f"{path}.coefficients", Words("a coefficient that is not zero", "非零的系数"), value["coefficients"]
        )
    if op in ("WSUM", "WMEAN") and not any(item["weight"] for item in value["weights"]):
        raise refuse(f"{path}.weights", Words("a weight that is not zero", "非零的权重"), value["weights"])


_QUERY = document(
    "query",
    {
        "order": DIGEST,
        "asset": DIGEST,
        "ciphertextRoot": DIGEST,
        "select": array(_select, 32, 1, _identity),
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
    """One question; a contingency table needs two dimensions to group by."""
    query = checked(_QUERY, value, "query")
    if len(query["groupBy"]) < 2 and any(item["op"] == "CONTINGENCY" for item in query["select"]):
        raise refuse(
            "query.groupBy",
            Words("two dimensions or more for a contingency table", "列联表须有两个以上维度"),
            query["groupBy"],
        )
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
