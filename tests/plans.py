"""Price plans for tests."""

from typing import Any

from marketplace.documents import Document

TIERS = [{"upTo": 10, "unitPrice": 100}, {"upTo": 100, "unitPrice": 50}, {"upTo": None, "unitPrice": 1}]
PUBLIC: dict[str, Any] = {
    "operatingCost": 120_000,
    "subsidy": 15_000,
    "treasuryYieldBps": 180,
    "marginBps": 600,
    "tax": 1_000,
    "unitCeiling": None,
    "freePurposes": ["EMERGENCY", "URBAN_GOVERNANCE"],
}


def plan(mode: str, **own: Any) -> Document:
    """A plan of no public data."""
    return {"mode": mode, "rulebook": "cn-2025.1", "publicData": None, **own}
