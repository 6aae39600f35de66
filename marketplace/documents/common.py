"""What all documents share: canonical bytes, digests, times, limits, and the shapes of common fields."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from crypto.canonical import canonical_json, sha256
from marketplace.documents.shapes import Check, hex_bytes, integer, matching, record, refuse, text
from marketplace.types import Digest, Role
from marketplace.words import Words

Document = dict[str, Any]

MAX_DOCUMENT = 1 << 20  # bytes of canonical JSON
MAX_CELLS = 1 << 20
MAX_NUMBERS = 4096  # released numbers of one query
MAX_DEPTH = 12  # nesting of a filter
MAX_TERMS = 256  # leaves of a filter

MAX_WEIGHTS = 1024  # categories that one weighted computation names
MAX_FACTOR = 10**9  # largest coefficient of a score and weight of a category, in units of its scale

COMPUTATIONS = (
    *("COUNT", "SUM", "MEAN", "VARIANCE", "STDDEV", "COVARIANCE", "CORRELATION", "HISTOGRAM", "QUANTILE"),
    *("CONTINGENCY", "OLS", "RIDGE", "SCORE", "WSUM", "WMEAN"),
)
LEVELS = ("GENERAL_1", "GENERAL_2", "GENERAL_3", "GENERAL_4", "IMPORTANT", "CORE")  # ledger level = position + 1
SOURCE_CLASSES = (
    *("COLLECTED_GENERATED", "AGREEMENT", "AUTOMATED_PUBLIC_COLLECTION", "DERIVED", "FUSED", "ENTRUSTED_PROCESSING"),
)
DATA_ORIGINS = ("PUBLIC", "ENTERPRISE", "PERSONAL")
PURPOSES = (
    *("EMERGENCY", "MANUFACTURING", "FINANCIAL_SERVICE", "BRAND_MARKETING", "URBAN_GOVERNANCE", "COMMERCE_LOGISTICS"),
    *("CULTURE_TOURISM", "EDUCATION", "ENTERTAINMENT_SPORT", "GREEN_LOWCARBON", "TRANSPORT", "HEALTHCARE"),
    *("SCI_TECH_INNOVATION", "AGRICULTURE", "METEOROLOGY", "OTHER"),
)
ROLE_NAMES = tuple(role.name or "" for role in Role)
FORMS = ("cells", "rows", "products")

BOUND = 1 << 52
MONEY = integer(0, 2**53 - 1)
EPSILON = integer(1, 1_000_000_000)
SPENT = integer(0, 2**53 - 1)
BUDGET = integer(1, 1_000_000_000_000)
COHORT = integer(1, 1_000_000)
CATEGORY = text(80, 0)
REGION = matching("[A-Z]{2}(-[A-Z0-9]{1,6})?", Words("a region such as CN or CN-SH", "地区代码，如 CN 或 CN-SH"))
SIGNATURE = hex_bytes(65)
BILINGUAL = record({"en": text(400), "zh": text(400)})


def part(name: str) -> Callable[[object], object]:
    return lambda item: cast(Mapping[str, object], item)[name]


def itself(item: object) -> object:
    return item


def canonical(value: Mapping[str, Any]) -> bytes:
    """Canonical bytes of a document.

    Raises:
        InvalidInputError: larger than MAX_DOCUMENT.
    """
    data = canonical_json(dict(value))
    if len(data) > MAX_DOCUMENT:
        raise refuse(
            str(value.get("type", "document")),
            Words(f"at most {MAX_DOCUMENT} bytes", f"至多 {MAX_DOCUMENT} 字节"),
            f"{len(data)} bytes",
        )
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


def checked(check: Check, value: object, kind: str) -> Document:
    check(value, kind)
    return cast(Document, value)
