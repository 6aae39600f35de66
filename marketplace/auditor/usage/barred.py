"""When nothing may be delivered under an order: once it has ended, and while a title that it stands on is seized, under
control, or over. Told by the times of blocks, from the events that the replay derived.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from marketplace.auditor.readmodel.rows import Placed, Row, Tables
from marketplace.documents.ids import title_id
from marketplace.types import ZERO_DIGEST, TitleKind, TitleMark

FOR_EVER = 2**63
LATE_SECONDS = 600
"""So long a gateway may still answer: it asks now and again, and its clock is not the ledger's."""


class Barred:
    """Spans of time by order and by title.

    Args:
        derived: the ledger's events by rule, in order.
    """

    def __init__(self, tables: Tables, derived: Iterable[Placed]) -> None:
        self._titles = tables.rows["titles"]
        self._spans: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        since: dict[str, int] = {}
        for placed in derived:
            name, args = placed.event.name, placed.event.args
            if name in ("Settled", "Refunded", "Claimed"):
                self._spans[args["orderId"]].append((placed.timestamp, FOR_EVER))
            elif name == "TitleEnded":
                self._spans[args["titleId"]].append((placed.timestamp, FOR_EVER))
            elif name == "TitleEncumbered":
                if args["marks"] & TitleMark.ENCUMBRANCES:
                    since.setdefault(args["titleId"], placed.timestamp)
                elif args["titleId"] in since:
                    self._spans[args["titleId"]].append((since.pop(args["titleId"]), placed.timestamp))
        for title, began in since.items():
            self._spans[title].append((began, FOR_EVER))

    def by(self, order: Row, listing: Row, at: int) -> str | None:
        """What bars a delivery at unix time `at`: id of the order or of a title; None if nothing does."""
        use = title_id(order["assetId"], TitleKind.USE, order["orderId"])
        names: list[str] = [order["orderId"], *self._above(use), *self._above(listing["titleId"])]
        for name in names:
            if any(began + LATE_SECONDS < at < ended for began, ended in self._spans[name]):
                return name
        return None

    def _above(self, title: str) -> Iterator[str]:
        """A title and those it was granted out of."""
        while title != ZERO_DIGEST and (title,) in self._titles:
            yield title
            title = self._titles[title,]["parent"]
