"""What has moved since a certificate was given, and so supersedes it; what moved before is not its matter. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Moment:
    """When a certificate was given, as the register counts.

    Args:
        is_present: whether no later certificate took its place.
        share_version: the asset's, when the present certificate was given.
        moves: how often the asset's first titles had changed their holders then, all together.
    """

    is_present: bool
    share_version: int
    moves: int


def since(at: Moment, share_version: int, titles: Iterable[tuple[int, int]]) -> tuple[int, list[tuple[int, int]]]:
    """Share version and titles as `status_lists.is_marked` asks for them, counted from a certificate on.

    Args:
        share_version: the asset's now. titles: (moves, marks) of its first titles now.
    Returns:
        above 1 if a share has moved or a later certificate was given; all titles as one (moves since, marks).
    """
    moves = marks = 0
    for more, weighs in titles:
        moves, marks = moves + more, marks | weighs
    shares = 1 + share_version - at.share_version if at.is_present else 2
    return shares, [(moves - at.moves, marks)]
