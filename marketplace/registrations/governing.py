"""Which version of the rules of registration governs a call, for the refusals that cite it. Pure.

The ledger refuses by names and values alone, wherever it stands; a case names its rulebook by digest.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from marketplace.errors import NotFoundError
from marketplace.refusals.sources import SOURCES, Source
from marketplace.rulebooks import rulebook_of

CaseOf = Callable[[str], str | None]  # id of a case, or of an asset, to the digest of its rulebook


def cited(rule: str, arguments: Sequence[Any], case: CaseOf, latest: CaseOf, in_force: str) -> str:
    """The version that a refusal by `rule` cites; "" for a rule that does not read the rules of registration.

    Args:
        arguments: of the refused call, as in marketplace.calls.
        case: rulebook of a case. latest: rulebook of the latest case of an asset. in_force: of what is filed now.
    """
    if SOURCES.get(rule) is not Source.REGISTRATION:
        return ""
    return name_of(governing(arguments, case, latest) or in_force)


def governing(arguments: Sequence[Any], case: CaseOf, latest: CaseOf) -> str | None:
    """The digest that the call's case, its own statement or its asset's latest case names; None where none does."""
    first = arguments[0] if arguments else None
    if isinstance(first, str):
        return case(first)
    if not isinstance(first, Mapping):
        return None
    return case(first.get("caseId", "")) or first.get("rulebookDigest") or latest(first.get("assetId", ""))


def name_of(digest: str) -> str:
    """A rulebook's name and version; its digest where this program does not know it."""
    try:
        return rulebook_of(digest).name
    except NotFoundError:
        return digest
