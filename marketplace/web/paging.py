"""Pages of a list: keyset paging by primary key, opaque cursors, RFC 8288 `Link: <…>; rel="next"`."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import Depends, Query, Request, Response
from sqlmodel import Session, SQLModel
from sqlmodel.sql.expression import SelectOfScalar

from marketplace.errors import InvalidInputError
from marketplace.web.shapes import Shape

MAX_PAGE = 200


class Page(NamedTuple):
    """Which part of a list is asked for: `limit` rows whose key comes after `after`."""

    limit: int
    after: str


class Rows(Shape):
    """A part of a list; `next` is the cursor of the part that follows, if there is one."""

    items: list[dict[str, Any]]
    next: str | None = None


async def _page(
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="rows of a page")] = 100,
    cursor: Annotated[str, Query(max_length=200, description="from `next` of the page before")] = "",
) -> Page:
    try:
        after = base64.b64decode(cursor.encode(), b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        after = "\0"
    if not after.isprintable():  # PostgreSQL takes no zero byte in a text
        raise InvalidInputError(
            "cursor_invalid",
            "this cursor was not made here",
            zh="游标无效",
            hint="start without one",
            hint_zh="请从头读取，不带游标",
        )
    return Page(limit, after)


AskedPage = Annotated[Page, Depends(_page)]


Row = TypeVar("Row", bound=SQLModel)


def page_of(
    session: Session, statement: SelectOfScalar[Row], key: Any, page: Page, show: Callable[[Row], dict[str, Any]]
) -> Rows:
    """One page of `statement`.

    Args:
        key: the primary key column, text, that orders the list.
        show: a row's public form. One that asks the store again asks for every row: `page_together` asks once.
    """
    return page_together(session, statement, key, page, lambda rows: [show(row) for row in rows])


def page_together(
    session: Session,
    statement: SelectOfScalar[Row],
    key: Any,
    page: Page,
    show: Callable[[Sequence[Row]], list[dict[str, Any]]],
) -> Rows:
    """One page of `statement`, whose rows are shown together; `show` gives their public forms in the same order."""
    rows = list(session.exec(statement.where(key > page.after).order_by(key).limit(page.limit + 1)))
    more = len(rows) > page.limit
    rows = rows[: page.limit]
    after = str(getattr(rows[-1], key.key)) if more else ""
    return Rows(items=show(rows), next=_cursor(after) if more else None)


def link_next(request: Request, response: Response, rows: Rows) -> Rows:
    """Put the `Link` header of the next page onto `response`."""
    if rows.next:
        url = request.url.include_query_params(cursor=rows.next)
        response.headers["link"] = f'<{url.path}?{url.query}>; rel="next"'
    return rows


def _cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()
