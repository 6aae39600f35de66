"""What the service does by itself, again and again, beside answering HTTP: anchor the log, close panels in time, see to
claimed orders and to deliveries whose time is up, tell participants' systems what happened."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from sqlmodel import Session

from marketplace.deliveries import service as deliveries
from marketplace.errors import RuleError
from marketplace.evidence import service as evidence
from marketplace.intents import Deployment
from marketplace.orders.tables import Order
from marketplace.queries.inbox import tally
from marketplace.settlement.inbox import claims
from marketplace.web.context import Context
from marketplace.webhooks.service.delivery import Deliverer

log = logging.getLogger(__name__)
DEADLINE_SECONDS = 1.0  # how late the close of a panel may be
CLAIM_SECONDS = 1.0  # how late a higher voucher is presented, or a claimed order finished; a window is of days
REFUSED_SECONDS = 60  # before what the rules refuse is tried again; a window is of days
DELIVERY_SECONDS = 5.0  # how late a delivery may be ended that time has ended; from then it has a day
WEBHOOK_SECONDS = 0.25  # how late a webhook may be
REMINDER_SECONDS = 60.0  # how late one may be that tells, a day ahead, of a time that ends


class UnfinishedError(Exception):
    """A step did what it could; the message says what hinders the rest, and names nobody. The service goes on."""


class Chore:
    """One step, repeated by a thread of its own.

    Args:
        name: what it is for, in words that finish "the service could not …".
        step: does what is to be done now, if anything. pause: seconds between two steps.
        end: called once after the last step.

    Attributes:
        problem: why nothing is done any more, for which the service is not ready; None while the step works.
        hindrance: what the step had to leave undone, of single objects; None if nothing.
    """

    def __init__(
        self, name: str, step: Callable[[], None], pause: float, end: Callable[[], None] = lambda: None
    ) -> None:
        self.name, self._step, self._pause, self._end = name, step, pause, end
        self._stopping = threading.Event()
        self.problem: str | None = None
        self.hindrance: str | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step that is under way."""
        self._stopping.set()
        self._thread.join()
        self._end()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
                self.problem = self.hindrance = None
            except UnfinishedError as error:  # the step has told the log more
                self.problem, self.hindrance = None, f"the service could not {self.name}: {error}"
            except Exception as error:  # whatever it was, the next try may go through, and readiness tells meanwhile
                log.exception("the service could not %s now; it will be tried again", self.name)
                self.problem = f"the service could not {self.name}: {type(error).__name__}"
            self._stopping.wait(self._pause)


def chores_of(context: Context) -> list[Chore]:
    """Everything that a service does by itself."""
    deliverer = Deliverer(context)
    return [
        Chore("anchor the log", _anchoring(context), context.settings.anchor_seconds),
        Chore("close panels whose time is up", lambda: _close_panels(context), DEADLINE_SECONDS),
        Chore("see to orders that one side ended, or nobody", _attending(context), CLAIM_SECONDS),
        Chore("end deliveries whose time is up", _ending_deliveries(context), DELIVERY_SECONDS),
        Chore("make webhooks of what happened", deliverer.hand_out, WEBHOOK_SECONDS),
        Chore("remind of times that end", deliverer.remind, REMINDER_SECONDS),
        Chore("send webhooks", deliverer.deliver, WEBHOOK_SECONDS, deliverer.end),
    ]


def _anchoring(context: Context) -> Callable[[], None]:
    """Sign the log when it has grown, and send its root to the ledger."""
    signer = evidence.signer_of(context.settings)
    key = bytes.fromhex(context.settings.exchange_key.get_secret_value())

    def step() -> None:
        with context.reading() as session:
            if not evidence.is_unanchored(session):
                return
        now = context.clock()
        with context.writing() as session:
            evidence.make_checkpoint(session, signer, now)
            evidence.anchor(session, context.deployment, signer, key=key, now=now)

    return step


def _close_panels(context: Context) -> None:
    now = context.clock()
    with context.reading() as session:
        due = tally.is_due(session, now)
    while due:
        with context.writing() as session:
            due = tally.close_due(session, now) == tally.AT_ONCE


def _attending(context: Context) -> Callable[[], None]:
    """Present vouchers against lower claims and after terms that nobody used, and finish claimed orders whose window is
    over."""
    orders = Orders(context)

    def step() -> None:
        now = context.clock()
        with context.reading() as session:
            found = claims.what_is_due(session, context.deployment, now)
        for due in found:
            if due.problem:
                orders.hinder(due.order_id, due.problem)
            if due.asked:
                orders.do(due.order_id, "end the questions of", partial(_end_questions, due.order_id, now))
            if due.verb:
                act = partial(claims.attend, deployment=context.deployment, due=due, now=now)
                orders.do(due.order_id, due.verb, act)
        orders.report()

    return step


def _end_questions(order_id: str, now: int, session: Session) -> None:
    """In a transaction of its own: whether the order's voucher is taken is another matter."""
    tally.end_unanswered(session, order_id, now)


def _ending_deliveries(context: Context) -> Callable[[], None]:
    """Accept what passed its inspection in silence, where silence accepts, and give the money of late deliveries back:
    a seller or buyer who sleeps past the order's term would lose by it."""
    orders = Orders(context)

    def step() -> None:
        now = context.clock()
        with context.reading() as session:
            found = deliveries.overdue(session, context.deployment, now)
        for verb, order_id in found:
            orders.do(order_id, verb, partial(_end_delivery, context.deployment, verb, order_id, now))
        orders.report()

    return step


def _end_delivery(deployment: Deployment, verb: str, order_id: str, now: int, session: Session) -> None:
    buyer = session.get_one(Order, order_id).buyer
    deliveries.end(session, deployment, verb, order_id, buyer, now=now)


class Orders:
    """One order after the other in a transaction of its own: one about which that fails keeps no other from its end.

    What the rules refuse is not tried again at once: each try has the writers' turn, and whoever has many orders could
    keep that from all others.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._told: set[tuple[str, str]] = set()
        self._refused: dict[tuple[str, str], int] = {}
        self._problems: list[str] = []

    def do(self, order_id: str, verb: str, act: Callable[[Session], None]) -> None:
        """Do something about an order, unless the rules refused it within the minute; what hinders that is told."""
        now = self._context.clock()
        if now < self._refused.get((order_id, verb), now):
            return
        try:
            with self._context.writing() as session:
                act(session)
        except RuleError as error:  # it was done meanwhile, or never will be
            self._refused[order_id, verb] = now + REFUSED_SECONDS
            self._tell(order_id, f"{verb} was refused: {error.code}")
        except Exception as error:  # whatever it was, the others go on
            self._problems.append(f"an order could not be attended to: {type(error).__name__}")
            self._tell(order_id, f"{verb} failed: {error!r}")

    def hinder(self, order_id: str, problem: str) -> None:
        """Note what hinders an order's end, in words without a name."""
        self._problems.append(problem)
        self._tell(order_id, problem)

    def report(self) -> None:
        """Raises UnfinishedError with every problem since the last report, once."""
        now, problems, self._problems = self._context.clock(), self._problems, []
        self._refused = {key: until for key, until in self._refused.items() if now < until}
        if problems:
            raise UnfinishedError("; ".join(dict.fromkeys(problems)))

    def _tell(self, order_id: str, problem: str) -> None:
        if (order_id, problem) not in self._told:
            self._told.add((order_id, problem))
            log.warning("order %s: %s", order_id, problem)
