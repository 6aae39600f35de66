"""What the service does by itself, again and again, beside answering HTTP: anchor the log, close panels in time, see to
claimed orders, tell participants' systems what happened."""

import logging
import threading
from collections.abc import Callable

from marketplace.errors import RuleError
from marketplace.evidence import service as evidence
from marketplace.queries.inbox import tally
from marketplace.settlement.inbox import claims
from marketplace.web.context import Context
from marketplace.webhooks.service.delivery import Deliverer

log = logging.getLogger(__name__)
DEADLINE_SECONDS = 1.0  # how late the close of a panel may be
CLAIM_SECONDS = 1.0  # how late a higher voucher is presented, or a claimed order finished; a window is of days
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
        Chore("see to claimed orders", _attending(context), CLAIM_SECONDS),
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
    """Present higher vouchers against claims, and finish claimed orders whose window is over; an order about which that
    fails keeps no other from it."""
    told: set[tuple[str, str]] = set()

    def tell(order: str, problem: str) -> None:
        if (order, problem) not in told:
            told.add((order, problem))
            log.warning("order %s: %s", order, problem)

    def step() -> None:
        now, problems = context.clock(), list[str]()
        with context.reading() as session:
            found = claims.what_is_due(session, context.deployment, now)
        for due in found:
            if due.problem:
                problems.append(due.problem)
                tell(due.order_id, due.problem)
            try:
                if due.verb or due.asked:
                    with context.writing() as session:
                        claims.attend(session, context.deployment, due, now)
            except RuleError as error:  # it was done meanwhile, or never will be: the others go on
                tell(due.order_id, f"{due.verb} was refused: {error.code}")
            except Exception as error:  # whatever it was, the others go on, and readiness tells meanwhile
                problems.append(f"an order could not be attended to: {type(error).__name__}")
                tell(due.order_id, f"{due.verb} failed: {error!r}")
        if problems:
            raise UnfinishedError("; ".join(dict.fromkeys(problems)))

    return step
