"""Messages from facts, and what becomes of each.

Handing out moves a cursor and writes messages in one transaction, so that each fact gives each endpoint one message,
whatever moment the process dies at. A message is sent until its endpoint has answered 2xx; so it may arrive twice, and
always under the same id. An endpoint gets its messages one by one, in order: one that fails holds the next ones back,
until patience with it ends and it is set aside as dead.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlmodel import Session, col, delete, select, update

from crypto.at_rest import AtRest
from crypto.canonical import MAX_INTEGER, canonical_json, sha256
from crypto.errors import DecryptionFailed
from marketplace.documents import iso_time
from marketplace.participants.identities import is_identity
from marketplace.participants.service.keyring import account_for
from marketplace.participants.tables import IdentityLink
from marketplace.types import Act
from marketplace.webhooks import rules
from marketplace.webhooks.service.clock import TIMED
from marketplace.webhooks.service.facts import SOURCES, START, Fact, Place
from marketplace.webhooks.tables import WebhookCursor, WebhookEndpoint, WebhookMessage

CHUNK = 500  # facts in one transaction
BATCH = 50  # messages of one endpoint in one claim
CLAIM_SECONDS = 60


@dataclass(frozen=True)
class Parcel:
    """What one endpoint is to be sent now.

    Args:
        secrets: those that sign; none where they cannot be read any more.
        messages: (number, id, body), in order.
    """

    endpoint: str
    url: str
    secrets: tuple[bytes, ...]
    messages: tuple[tuple[int, str, bytes], ...]


@dataclass(frozen=True)
class Outcome:
    """What became of one try.

    Args:
        number: of the message.
        problem: why it failed; empty where it was taken.
        gone: the endpoint says that it wants nothing any more.
    """

    number: int
    problem: str = ""
    gone: bool = False


# -- handing out ------------------------------------------------------------------------------------------------------


def has_news(session: Session) -> bool:
    """Whether facts wait to be handed out."""
    return any(any(True for _ in read(session, _cursor(session, name), 1)) for name, read in SOURCES.items())


def hand_out(session: Session, source: str, now: int) -> int:
    """Make messages of the next facts of every table; returns how many facts there were.

    Args:
        source: what the messages say they come from: the service's public URL.
    """
    by_owner, count = _listening(session, now), 0
    for name, read in SOURCES.items():
        place = None
        for place, fact in read(session, _cursor(session, name), CHUNK):  # noqa: B007 - the last place is the cursor
            count += 1
            _distribute(session, fact, by_owner, source, now)
        if place is not None:
            session.merge(WebhookCursor(source=name, place=place[0], part=place[1]))
    return count


def hand_out_timed(session: Session, source: str, now: int) -> int:
    """Make messages of what the clock has brought since the last time; returns how many facts there were."""
    by_owner, count = _listening(session, now), 0
    for name, read in TIMED.items():
        news = read(session, _cursor(session, name), now)
        if news is None:
            continue
        (place, part), facts = news
        for fact in facts:
            _distribute(session, fact, by_owner, source, now)
        count += len(facts)
        session.merge(WebhookCursor(source=name, place=place, part=part))
    return count


def _listening(session: Session, now: int) -> dict[str, list[WebhookEndpoint]]:
    """Endpoints that are told anything now, by their owners; those whose link is gone go with it."""
    by_owner: dict[str, list[WebhookEndpoint]] = {}
    for row in session.exec(select(WebhookEndpoint).where(WebhookEndpoint.status == rules.ACTIVE)).all():
        if _is_gone(session, row):
            remove(session, row)
        elif not _is_over(session, row, now):
            by_owner.setdefault(row.owner, []).append(row)
    return by_owner


def remove(session: Session, row: WebhookEndpoint) -> None:
    """Forget an endpoint and all that it was to be told."""
    session.execute(delete(WebhookMessage).where(col(WebhookMessage.endpoint) == row.endpoint))
    session.delete(row)


def _is_gone(session: Session, row: WebhookEndpoint) -> bool:
    """Whether a link registered it that was ended, or made anew since."""
    if not is_identity(row.made_by):
        return False
    link = session.get(IdentityLink, row.made_by)
    return link is None or link.account != row.owner or link.linked_at != row.linked_at


def _is_over(session: Session, row: WebhookEndpoint, now: int) -> bool:
    """Whether a linked identity made it whose link may register none now: it is told nothing meanwhile."""
    if not is_identity(row.made_by):
        return False
    return _is_gone(session, row) or account_for(session, row.made_by, now, Act.ADMINISTER) != row.owner


def _distribute(
    session: Session, fact: Fact, by_owner: Mapping[str, Sequence[WebhookEndpoint]], source: str, now: int
) -> None:
    for owner in sorted(fact.parties & by_owner.keys()):
        for row in by_owner[owner]:
            if rules.wants(row.types, fact.type):
                put(session, row, fact, source, now)


def put(session: Session, row: WebhookEndpoint, fact: Fact, source: str, now: int) -> str:
    """Queue what an endpoint is told of a fact; returns the message's id."""
    message = "msg_" + sha256(f"{row.endpoint} {fact.key}".encode()).hex()[:32]
    event = {"specversion": "1.0", "id": fact.key, "source": source, "type": fact.type, "time": iso_time(fact.at)}
    body = canonical_json({**event, "datacontenttype": "application/json", "data": _readable(dict(fact.data))})
    session.add(WebhookMessage(message=message, endpoint=row.endpoint, type=fact.type, body=body, created_at=now))
    return message


def _readable(value: Any) -> Any:
    """`value`, integers that other programs would read differently (beyond 2^53) as text: a contract takes larger ones
    than the service, and one fact that cannot be written would hold back all that come after it."""
    if isinstance(value, dict):
        return {name: _readable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(item) for item in value]
    return str(value) if isinstance(value, int) and abs(value) > MAX_INTEGER else value


def _cursor(session: Session, source: str) -> Place:
    row = session.get(WebhookCursor, source)
    return START if row is None else (row.place, row.part)


# -- sending ----------------------------------------------------------------------------------------------------------


def is_due(session: Session, now: int) -> bool:
    """Whether something could be sent now."""
    return next(_due(session, now, 1), None) is not None


def claim(session: Session, cipher: AtRest, now: int, limit: int) -> list[Parcel]:
    """Take what at most `limit` endpoints are to be sent now; nobody else is given it for a minute."""
    parcels = []
    for row in list(_due(session, now, limit)):
        row.claimed_until = now + CLAIM_SECONDS
        session.add(row)
        query = select(WebhookMessage).where(
            WebhookMessage.endpoint == row.endpoint, WebhookMessage.status == rules.PENDING
        )
        # After a failure only the message that failed is tried, before all that wait behind it.
        waiting = session.exec(query.order_by(col(WebhookMessage.number)).limit(1 if row.failures else BATCH)).all()
        messages = tuple((int(item.number or 0), item.message, item.body) for item in waiting)
        parcels.append(Parcel(row.endpoint, row.url, _secrets(row, cipher, now), messages))
    return parcels


def release_claims(session: Session) -> None:
    """Nobody is sending: what a process that died had taken may be sent at once."""
    session.execute(update(WebhookEndpoint).where(col(WebhookEndpoint.claimed_until) > 0).values(claimed_until=0))


def settle(
    session: Session, endpoint: str, outcomes: Sequence[Outcome], now: int, *, first_pause: int, give_up: int
) -> None:
    """Write down what became of a parcel.

    Args:
        first_pause: seconds until the second try. give_up: seconds after which a message is not tried again.
    """
    row = session.get(WebhookEndpoint, endpoint)
    if row is None:  # removed meanwhile
        return
    row.claimed_until = 0
    for outcome in outcomes:
        message = session.get(WebhookMessage, outcome.number)
        # Swept, or settled by who took it after this claim ran out.
        if message is None or message.status != rules.PENDING:
            continue
        message.attempts += 1
        message.problem = outcome.problem
        if outcome.problem:
            _failed(row, message, now, first_pause, give_up)
        else:
            message.status, message.finished_at, row.failures, row.due_at = rules.DELIVERED, now, 0, 0
        if outcome.gone:
            row.status = rules.GONE
        session.add(message)
    session.add(row)


def sweep(session: Session, before: int) -> int:
    """Forget messages that were delivered before a moment (unix seconds); returns how many."""
    old = (col(WebhookMessage.status) == rules.DELIVERED, col(WebhookMessage.finished_at) < before)
    swept: int = session.execute(delete(WebhookMessage).where(*old)).rowcount  # type: ignore[attr-defined]
    return swept


def _failed(row: WebhookEndpoint, message: WebhookMessage, now: int, first_pause: int, give_up: int) -> None:
    row.failures += 1
    row.due_at = now + rules.pause_after(row.failures, first_pause)
    if now - message.created_at >= give_up:
        message.status, message.finished_at = rules.DEAD, now


def _due(session: Session, now: int, limit: int) -> Iterator[WebhookEndpoint]:
    waiting = select(WebhookMessage.endpoint).where(WebhookMessage.status == rules.PENDING)
    query = select(WebhookEndpoint).where(
        WebhookEndpoint.status == rules.ACTIVE,
        WebhookEndpoint.due_at <= now,
        WebhookEndpoint.claimed_until <= now,
        col(WebhookEndpoint.endpoint).in_(waiting),
    )
    rows = session.exec(query.order_by(col(WebhookEndpoint.due_at)))
    yield from islice((row for row in rows if not _is_over(session, row, now)), limit)


def _secrets(row: WebhookEndpoint, cipher: AtRest, now: int) -> tuple[bytes, ...]:
    """The secrets that sign now; none where the operator's key is another one than they were encrypted for."""
    context = row.endpoint.encode()
    sealed = [row.secret, *([row.old_secret] if row.old_secret and row.old_until > now else [])]
    try:
        return tuple(cipher.decrypt(item, context) for item in sealed)
    except DecryptionFailed:
        return ()
