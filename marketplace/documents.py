"""Every off-ledger document: its exact shape and its digest, for service, SDK, vault, panel and auditor alike.

A document is canonical JSON (RFC 8785, integers only), named by the SHA-256 of those bytes; on the ledger stand digests
alone. `validate_<kind>(value)` returns the same object, typed as a dict, or raises InvalidInputError `malformed_document`
with the path of the fault. Digests, ids and addresses are "0x" and lower-case hex; times are "2026-01-31T08:00:00Z";
money is in fen, epsilon in millionths, and both stay below 2^53, the largest integer that every JSON reader agrees on.

kind         made by      says
profile      participant  who it is; off-ledger, blinded by `nonce` so that its digest tells nothing
manifest     vault        what was sealed: dimensions, measures with bounds, blobs of every column
claim        holder       rights claimed in an asset: source class, rights table, revenue shares, level
terms        seller       what a listing permits, its price, privacy budget, and whose panel counts
agreement    buyer        which terms an order accepts, for which purpose and region
query        buyer        one question
voucher      buyer        cumulative promise to pay, with its signature
result       panel        residues of the evaluated ciphertext, one per number of the plan
statement    panel node   one node's BLS signature of one result
attestation  service      t-of-n statements of the same result, aggregated
shares       vault        which numbers are released, and the residues sealed to the buyer
release      vault        signed: this query was answered by these shares at this epsilon
refusal      vault        signed: this query is refused, by which rule
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from crypto.canonical import canonical_json, sha256
from marketplace.shapes import (
    ADDRESS,
    DIGEST,
    NAME,
    Check,
    array,
    boolean,
    document,
    hex_bytes,
    hex_up_to,
    integer,
    mapping,
    matching,
    nullable,
    one_of,
    record,
    refuse,
    text,
    utc_time,
)
from marketplace.types import Digest

Document = dict[str, Any]

MAX_DOCUMENT = 1 << 20  # bytes of canonical JSON
MAX_CELLS = 1 << 20
MAX_NUMBERS = 4096  # released numbers of one query
MAX_DEPTH = 12  # nesting of a filter
MAX_TERMS = 256  # leaves of a filter

COMPUTATIONS = ("COUNT", "SUM", "MEAN", "VARIANCE")
LEVELS = ("GENERAL_1", "GENERAL_2", "GENERAL_3", "GENERAL_4", "IMPORTANT", "CORE")  # ledger level = position + 1
SOURCE_CLASSES = ("COLLECTED_GENERATED", "AGREEMENT", "AUTOMATED_PUBLIC_COLLECTION", "DERIVED")
DATA_ORIGINS = ("PUBLIC", "ENTERPRISE", "PERSONAL")
PURPOSES = (
    *("EMERGENCY", "MANUFACTURING", "FINANCIAL_SERVICE", "BRAND_MARKETING", "URBAN_GOVERNANCE", "COMMERCE_LOGISTICS"),
    *("CULTURE_TOURISM", "EDUCATION", "ENTERTAINMENT_SPORT", "GREEN_LOWCARBON", "TRANSPORT", "HEALTHCARE"),
    *("SCI_TECH_INNOVATION", "AGRICULTURE", "METEOROLOGY", "OTHER"),
)
ROLE_NAMES = ("SUPPLIER", "BUYER", "REGISTRAR", "BANK", "EXCHANGE", "PANEL", "AUDITOR")
LAYOUTS = ("cells",)

_BOUND = 1 << 52
_MONEY = integer(0, 2**53 - 1)
_EPSILON = integer(1, 1_000_000_000)
_SPENT = integer(0, 2**53 - 1)
_COHORT = integer(1, 1_000_000)
_CATEGORY = text(80, 0)
_REGION = matching("[A-Z]{2}(-[A-Z0-9]{1,6})?", "a region such as CN or CN-SH")
_SIGNATURE = hex_bytes(65)
_BILINGUAL = record({"en": text(400), "zh": text(400)})


def _part(name: str) -> Callable[[object], object]:
    return lambda item: cast(Mapping[str, object], item)[name]


def _itself(item: object) -> object:
    return item


_PROFILE = document(
    "profile",
    {
        "account": ADDRESS,
        "name": record({"en": text(120), "zh": text(120)}),
        "creditCode": nullable(matching("[0-9A-Z]{18}", "a unified social credit code of 18 characters")),
        "roles": array(one_of(ROLE_NAMES), len(ROLE_NAMES), 1, _itself),
        "nonce": DIGEST,
    },
)

_DIMENSION = record({"name": NAME, "ordered": boolean, "categories": array(_CATEGORY, 10_000, 1, _itself)})
_MEASURE = record(
    {
        "name": NAME,
        "unit": text(40),
        "scale": integer(0, 9),
        "low": integer(-_BOUND, _BOUND),
        "high": integer(-_BOUND, _BOUND),
    }
)
_COLUMN = record(
    {
        "name": matching(
            "rows|(n|sum|sumsq):[a-z][a-z0-9_]{0,39}", "rows, n:<measure>, sum:<measure> or sumsq:<measure>"
        ),
        "chunks": array(record({"blob": DIGEST, "size": integer(1, 1 << 24)}), 4096, 1),
    }
)
_MANIFEST = document(
    "manifest",
    {
        "title": _BILINGUAL,
        "holder": ADDRESS,
        "layout": one_of(LAYOUTS),
        "profile": text(60),
        "dimensions": array(_DIMENSION, 16, 1, _part("name")),
        "measures": array(_MEASURE, 64, 0, _part("name")),
        "rows": integer(0, 2**40),
        "missing": mapping(integer(0, 2**40), 64),
        "columns": array(_COLUMN, 256, 1, _part("name")),
        "minimumCohort": _COHORT,
        "releaseKey": ADDRESS,
        "sealedAt": utc_time,
    },
)

_RIGHT = record(
    {
        "right": one_of(["HOLD", "USE", "OPERATE"]),
        "holder": ADDRESS,
        "until": nullable(utc_time),
        "limits": text(400, 0),
    }
)
_SHARE = record({"holder": ADDRESS, "bps": integer(1, 10_000)})
_CLAIM = document(
    "claim",
    {
        "title": _BILINGUAL,
        "holder": ADDRESS,
        "manifest": DIGEST,
        "sourceClass": one_of(SOURCE_CLASSES),
        "origin": one_of(DATA_ORIGINS),
        "level": one_of(LEVELS),
        "rights": array(_RIGHT, 48, 1),
        "shares": array(_SHARE, 16, 1, _part("holder")),
        "evidence": array(DIGEST, 32, 0, _itself),
    },
)

_NODE = record({"address": ADDRESS, "bls": hex_bytes(48), "possession": hex_bytes(96)})
_TERMS = document(
    "terms",
    {
        "title": _BILINGUAL,
        "asset": DIGEST,
        "manifest": DIGEST,
        "computations": array(one_of(COMPUTATIONS), len(COMPUTATIONS), 1, _itself),
        "purposes": array(one_of(PURPOSES), len(PURPOSES), 1, _itself),
        "regions": array(_REGION, 64, 0, _itself),
        "price": _MONEY,
        "epsilonPerQueryMax": _EPSILON,
        "minimumCohort": _COHORT,
        "panel": record({"nodes": array(_NODE, 16, 1, _part("address")), "threshold": integer(1, 16)}),
        "termEnd": utc_time,
    },
)
_AGREEMENT = document(
    "agreement",
    {
        "listing": DIGEST,
        "terms": DIGEST,
        "buyer": ADDRESS,
        "purpose": one_of(PURPOSES),
        "region": _REGION,
        "nonce": DIGEST,
    },
)


def _filter(value: object, path: str, depth: int = 0) -> int:
    """Check one filter and return how many leaves it has."""
    if depth > MAX_DEPTH or not (isinstance(value, dict) and len(value) == 1):
        raise refuse(path, f"a filter nested at most {MAX_DEPTH} deep", value)
    (word, inner), path = next(iter(value.items())), f"{path}.{next(iter(value))}"
    if word == "in":
        record({"dimension": NAME, "values": array(_CATEGORY, 10_000, 1, _itself)})(inner, path)
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
        "select": array(_SELECT, 32, 1, lambda item: (_part("op")(item), _part("measure")(item))),
        "where": nullable(_where),
        "groupBy": array(NAME, 16, 0, _itself),
        "epsilon": _EPSILON,
        "recipient": hex_bytes(32),
        "sequence": integer(1, 2**32 - 1),
    },
)
_VOUCHER = document(
    "voucher",
    {
        "order": DIGEST,
        "amount": _MONEY,
        "epsilon": _SPENT,
        "calls": integer(0, 2**32 - 1),
        "callsRoot": DIGEST,
        "buyer": ADDRESS,
        "signature": _SIGNATURE,
    },
)
_NUMBER = record({"c0": DIGEST, "c1": DIGEST})
_RESULT = document(
    "result",
    {"query": DIGEST, "ciphertextRoot": DIGEST, "plan": DIGEST, "numbers": array(_NUMBER, MAX_NUMBERS, 1)},
)
_STATEMENT = document("statement", {"result": DIGEST, "node": ADDRESS, "signature": hex_bytes(96)})
_ATTESTATION = document(
    "attestation",
    {"result": DIGEST, "signers": array(ADDRESS, 16, 1, _itself), "signature": hex_bytes(96)},
)
_GROUP = array(_CATEGORY, 16)
_SHARES = document(
    "shares",
    {
        "query": DIGEST,
        "result": DIGEST,
        "released": array(integer(0, MAX_NUMBERS - 1), MAX_NUMBERS, 1, _itself),
        "suppressed": array(_GROUP, MAX_NUMBERS),
        "sealed": hex_up_to(400_000),
    },
)
_RELEASE = document(
    "release",
    {
        "order": DIGEST,
        "query": DIGEST,
        "result": DIGEST,
        "shares": DIGEST,
        "epsilon": _SPENT,
        "spentOrder": _SPENT,
        "spentAsset": _SPENT,
        "signer": ADDRESS,
        "signature": _SIGNATURE,
    },
)
_REFUSAL = document(
    "refusal",
    {
        "order": DIGEST,
        "query": DIGEST,
        "code": matching("[a-z][a-z0-9_]{2,59}", "a code in lower_snake_case"),
        "rule": matching("[a-z][a-z0-9_.]{0,79}", "a rule name"),
        "message": record({"en": text(600), "zh": text(600)}),
        "allowed": text(600, 0),
        "found": text(600, 0),
        "spentOrder": _SPENT,
        "spentAsset": _SPENT,
        "signer": ADDRESS,
        "signature": _SIGNATURE,
    },
)


def canonical(value: Mapping[str, Any]) -> bytes:
    """Canonical bytes of a document.

    Raises:
        InvalidInputError: larger than MAX_DOCUMENT.
    """
    data = canonical_json(dict(value))
    if len(data) > MAX_DOCUMENT:
        raise refuse(str(value.get("type", "document")), f"at most {MAX_DOCUMENT} bytes", f"{len(data)} bytes")
    return data


def digest(value: Mapping[str, Any]) -> Digest:
    """Name of a document: SHA-256 of its canonical bytes as "0x" hex."""
    return Digest("0x" + sha256(canonical(value)).hex())


def unix_seconds(moment: str) -> int:
    """Unix seconds of a document's time."""
    return int(datetime.fromisoformat(moment).timestamp())


def iso_time(now: int) -> str:
    """A document's time for unix seconds `now`."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _checked(check: Check, value: object, kind: str) -> Document:
    check(value, kind)
    return cast(Document, value)


def validate_profile(value: object) -> Document:
    """A participant's own description."""
    return _checked(_PROFILE, value, "profile")


def cell_count(manifest: Mapping[str, Any]) -> int:
    """Number of cells: the product of the sizes of all category lists."""
    return math.prod(len(dimension["categories"]) for dimension in manifest["dimensions"])


def column_names(manifest: Mapping[str, Any]) -> list[str]:
    """The columns a cells layout must have, in order: rows, then n, sum and sumsq of every measure."""
    names = [measure["name"] for measure in manifest["measures"]]
    return ["rows", *(f"{part}:{name}" for name in names for part in ("n", "sum", "sumsq"))]


def blob_digests(manifest: Mapping[str, Any]) -> list[bytes]:
    """Digests of all sealed blobs in manifest order: the leaves of the ciphertext root."""
    return [bytes.fromhex(chunk["blob"][2:]) for column in manifest["columns"] for chunk in column["chunks"]]


def validate_manifest(value: object) -> Document:
    """A sealed data set's description, with its parts in agreement."""
    manifest = _checked(_MANIFEST, value, "manifest")
    names = [measure["name"] for measure in manifest["measures"]]
    dimensions = [dimension["name"] for dimension in manifest["dimensions"]]
    if set(names) & set(dimensions):
        raise refuse("manifest.measures", "names that no dimension has", sorted(set(names) & set(dimensions)))
    if cell_count(manifest) > MAX_CELLS:
        raise refuse("manifest.dimensions", f"at most {MAX_CELLS} cells", cell_count(manifest))
    if [column["name"] for column in manifest["columns"]] != column_names(manifest):
        raise refuse("manifest.columns", ", ".join(column_names(manifest)), [c["name"] for c in manifest["columns"]])
    if len({len(column["chunks"]) for column in manifest["columns"]}) != 1:
        raise refuse("manifest.columns", "the same number of chunks in every column", "different numbers")
    if sorted(manifest["missing"]) != sorted(names):
        raise refuse("manifest.missing", "one count for each measure", sorted(manifest["missing"]))
    for measure in manifest["measures"]:
        if measure["low"] > measure["high"]:
            raise refuse(f"manifest.measures.{measure['name']}", "low <= high", (measure["low"], measure["high"]))
    return manifest


def validate_claim(value: object) -> Document:
    """Rights claimed in an asset; shares sum to 10,000 basis points."""
    claim = _checked(_CLAIM, value, "claim")
    total = sum(share["bps"] for share in claim["shares"])
    if total != 10_000:
        raise refuse("claim.shares", "shares that sum to 10000 basis points", total)
    return claim


def validate_terms(value: object) -> Document:
    """Terms of a listing; the threshold is within the panel."""
    terms = _checked(_TERMS, value, "terms")
    if terms["panel"]["threshold"] > len(terms["panel"]["nodes"]):
        raise refuse("terms.panel.threshold", "at most the number of nodes", terms["panel"]["threshold"])
    return terms


def validate_agreement(value: object) -> Document:
    """A buyer's acceptance of terms."""
    return _checked(_AGREEMENT, value, "agreement")


def validate_query(value: object) -> Document:
    """One question; COUNT may stand without a measure, every other computation needs one."""
    query = _checked(_QUERY, value, "query")
    for index, item in enumerate(query["select"]):
        if item["measure"] is None and item["op"] != "COUNT":
            raise refuse(f"query.select[{index}].measure", "a measure", None)
    return query


def validate_voucher(value: object) -> Document:
    """A signed cumulative voucher; the signature itself is checked by `intents.verify_intent`."""
    return _checked(_VOUCHER, value, "voucher")


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


def validate_result(value: object) -> Document:
    """What a panel node computed."""
    return _checked(_RESULT, value, "result")


def validate_statement(value: object) -> Document:
    """One node's signature of one result."""
    return _checked(_STATEMENT, value, "statement")


def validate_attestation(value: object) -> Document:
    """Aggregated signatures of one result."""
    return _checked(_ATTESTATION, value, "attestation")


def validate_shares(value: object) -> Document:
    """Sealed residues."""
    return _checked(_SHARES, value, "shares")


def validate_release(value: object) -> Document:
    """A vault's signed release."""
    return _checked(_RELEASE, value, "release")


def release_message(release: Mapping[str, Any]) -> dict[str, Any]:
    """The EIP-712 Release message inside a release document."""
    return {
        "orderId": release["order"],
        "queryDigest": release["query"],
        "resultDigest": release["result"],
        "shareDigest": release["shares"],
        "epsilon": release["epsilon"],
        "spentOrder": release["spentOrder"],
        "spentAsset": release["spentAsset"],
    }


def validate_refusal(value: object) -> Document:
    """A vault's signed refusal."""
    return _checked(_REFUSAL, value, "refusal")


VALIDATORS: dict[str, Callable[[object], Document]] = {
    "profile": validate_profile,
    "manifest": validate_manifest,
    "claim": validate_claim,
    "terms": validate_terms,
    "agreement": validate_agreement,
    "query": validate_query,
    "voucher": validate_voucher,
    "result": validate_result,
    "statement": validate_statement,
    "attestation": validate_attestation,
    "shares": validate_shares,
    "release": validate_release,
    "refusal": validate_refusal,
}


def validate(value: object) -> Document:
    """Any document, by its own "type".

    Raises:
        InvalidInputError: unknown type, wrong shape, or too large.
    """
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in VALIDATORS:
        raise refuse("document.type", "one of " + ", ".join(VALIDATORS), kind)
    checked = VALIDATORS[kind](value)
    canonical(checked)
    return checked
