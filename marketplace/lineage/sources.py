"""What the source that a claim names asks of lineage; register and auditor ask the same function."""

from collections.abc import Sequence

from marketplace.documents.scopes import has_inputs, needs_consents
from marketplace.types import ZERO_DIGEST

MISSING, DIFFERS = "lineage_missing", "lineage_differs"


def fault_of(source_class: str, titles: Sequence[str] | None) -> tuple[str, str, str] | None:
    """Why a declaration does not fit the claimed source: (code, expected, got); None where it does.

    What was derived rests on titles alone, what was fused needs somebody's consent, and nothing else has inputs.

    Args:
        titles: of each declared input, ZERO_DIGEST for one that needs a consent; None where nothing was declared.
    """
    if not has_inputs(source_class):
        return None if titles is None else (DIFFERS, "no inputs", f"{len(titles)} inputs")
    if titles is None:
        return MISSING, f"declared inputs of {source_class} data", "nothing declared"
    consents = sum(title == ZERO_DIGEST for title in titles)
    if needs_consents(source_class) == bool(consents):
        return None
    wanted = "an input that needs a consent" if needs_consents(source_class) else "a title for every input"
    return DIFFERS, wanted, f"{consents} of {len(titles)} inputs need a consent"
