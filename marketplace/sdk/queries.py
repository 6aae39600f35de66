"""Asking sealed data: plan, pay by voucher, wait, check everything, put the answer together.

The order of things, so that a crash at any point costs nothing and signs nothing twice:
  1. the query and its voucher are written into the journal as the order's next step;
  2. the voucher is signed and both are sent; sending them again is harmless;
  3. the outcome is checked against terms, panel and vault key, and written into the journal;
  4. only a released call counts in the next voucher.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crypto import envelope
from crypto.canonical import from_hex, to_hex
from marketplace import documents
from marketplace.currencies import CNY
from marketplace.errors import (
    InvalidInputError,
    MarketplaceError,
    NotAuthorizedError,
    NotFoundError,
    PortError,
    RuleError,
)
from marketplace.pricing import tariff_of
from marketplace.queries.explain import NOBODY, described, plan_or_refusal
from marketplace.queries.language.query import Query
from marketplace.queries.language.sql import parse_sql
from marketplace.queries.language.terms import Term
from marketplace.queries.permission.pricing import OrderAccount, calls_of, next_voucher
from marketplace.queries.planning.plan import Plan, make_plan
from marketplace.queries.timings import part
from marketplace.sdk import listings, orders, rights
from marketplace.sdk.answers import Answer, check_refusal, open_answer, spent_by_withheld
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.sdk.home.journal import Step
from marketplace.sdk.orders import Deal
from marketplace.words import Words

WAIT_SECONDS = 120
POLL_SECONDS = 20


@dataclass(frozen=True)
class Explanation:
    """What a question would cost and how exact its answer would be.

    Args:
        plan: the numbers to release; computed here, from public documents alone. None where there can be no plan:
            `refusals` says why.
        details: numbers, statistics with sensitivity and noise, expected standard errors, what each form of the data
            takes, as `queries.explain.described`; computed here too. Empty without a plan.
        price: minor units of `currency`, the listing's (ISO 4217 code). epsilon: what it asks for, millionths.
        minimum_cohort: rows that must lie behind every number, by the vault's count.
        charge: epsilon that it would cost now by the service's word, millionths; 0 for a question answered before.
        left: epsilon left to the data set by the service's word, millionths.
        left_buyer: left to you under this listing, over all your orders, likewise; None where there is no cap, or you
            have not signed in. group: the group of accounts that you count with, None for none.
        privacy: the unit of all these, as the manifest declares it.
        refusals: why it would be refused, as error documents; empty where nothing speaks against it.
    """

    plan: Plan | None
    details: Mapping[str, Any]
    price: int
    epsilon: int
    minimum_cohort: int
    charge: int
    left: int
    left_buyer: int | None
    group: str | None
    privacy: Mapping[str, str]
    refusals: Sequence[Mapping[str, Any]]
    currency: str = CNY.code

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a program."""
        facts: dict[str, Any] = {"plan": self.plan.digest if self.plan else None}
        facts |= {"price": self.price, "currency": self.currency, "epsilon": self.epsilon}
        facts |= {"charge": self.charge, "left": self.left, "leftBuyer": self.left_buyer, "group": self.group}
        facts |= {"privacy": dict(self.privacy), "minimumCohort": self.minimum_cohort}
        return {**facts, **self.details, "refusals": list(self.refusals)}


def explain(client: Client, listing_id: str, question: str | Query, epsilon: int) -> Explanation:
    """What `question` would cost under a listing, without asking it and without an order.

    Raises:
        InvalidInputError: it is outside the algebra, or names what the data set does not have.
        VerificationError: the service plans it otherwise than the manifest says.
    """
    offer = listings.inspect(client, listing_id)
    typed = parse_sql(question, offer.manifest) if isinstance(question, str) else question
    document = typed.document(
        order=NOBODY,
        asset=offer.listing["assetId"],
        ciphertext_root=offer.asset["ciphertextRoot"],
        epsilon=epsilon,
        recipient=NOBODY,
        sequence=1,
    )
    plan, _ = plan_or_refusal(offer.manifest, document)
    body = {"query": {name: document[name] for name in ("select", "where", "groupBy")}, "listing": listing_id}
    said = client.post("/queries/explanations", {**body, "epsilon": epsilon}, repeatable=True)
    expect(said["plan"], plan.digest if plan else None, "plan_differs", "queries.plan_follows_from_the_manifest")
    return Explanation(
        plan,
        described(offer.manifest, document, plan) if plan else {},
        offer.terms["price"],
        epsilon,
        max(offer.terms["minimumCohort"], offer.manifest["minimumCohort"]),
        said["charge"],
        said["assetEpsilonLeft"],
        said.get("buyerEpsilonLeft"),
        said.get("buyerGroup"),
        offer.manifest["privacy"],
        said["refusals"],
        documents.money_of(offer.terms).code,
    )


def ask(
    client: Client, order_id: str, question: str | Query, epsilon: int, wait_seconds: float = WAIT_SECONDS
) -> Answer:
    """Ask one question under a funded order and return its answer, checked.

    Args:
        question: SQL text or a typed query.
        epsilon: privacy budget to spend on it, millionths.
    Raises:
        InvalidInputError: the question is outside the algebra; nothing was signed.
        RuleError: service or vault refused; the call costs nothing.
        VerificationError: what came does not hold; nothing further should be signed for this order.
        PortError: no outcome yet; `resume` carries on.
    """
    deal = orders.inspect(client, order_id)
    resume(client, order_id, wait_seconds, deal)
    typed = parse_sql(question, deal.offer.manifest) if isinstance(question, str) else question
    step = _next_step(client, deal, typed, epsilon)
    return _carry_out(client, deal, client.journal.reserve(step), wait_seconds, typed.names)


def resume(
    client: Client, order_id: str, wait_seconds: float = WAIT_SECONDS, deal: Deal | None = None
) -> Answer | None:
    """Finish the order's pending call, if there is one; its refusal is recorded, not raised. Headings that its asker
    chose are not in the journal: columns have their usual names."""
    step = client.journal.pending(order_id)
    if step is None:
        return None
    try:
        return _carry_out(client, deal or orders.inspect(client, order_id), step, wait_seconds, {})
    except PortError:
        raise
    except (RuleError, InvalidInputError, NotAuthorizedError, NotFoundError):
        if client.journal.pending(order_id) is not None:
            raise  # it has no outcome: something else stands in the way, e.g. signing in
        return None


def history(client: Client, order_id: str) -> list[Step]:
    """Every call of an order, from the buyer's own journal."""
    return client.journal.steps(order_id)


def account_of(client: Client, deal: Deal) -> OrderAccount:
    """The order as the buyer's own journal knows it: what was released and promised so far, and what was spent."""
    steps = client.journal.steps(deal.order["orderId"])
    released = [step for step in steps if step.status == "released"]
    last = released[-1] if released else None
    return OrderAccount(
        order=deal.order["orderId"],
        buyer=deal.order["buyer"],
        escrow=deal.order["escrow"],
        tariff=tariff_of(deal.terms, deal.agreement),
        cap=deal.order["epsilonCap"],
        spent=max((int((step.outcome or {}).get("spentOrder", 0)) for step in steps), default=0),
        amount=last.voucher["amount"] if last else 0,
        epsilon=last.voucher["epsilon"] if last else 0,
        calls=calls_of(step.query_digest for step in released),
    )


def _next_step(client: Client, deal: Deal, typed: Query, epsilon: int) -> Step:
    order_id = deal.order["orderId"]
    sequence = len(client.journal.steps(order_id)) + 1
    query = typed.document(
        order=order_id,
        asset=deal.offer.listing["assetId"],
        ciphertext_root=rights.ciphertext_root(deal.offer.manifest),
        epsilon=epsilon,
        recipient=to_hex(envelope.public_key(client.keys.x25519)),
        sequence=sequence,
    )
    plan = make_plan(deal.offer.manifest, query)  # what cannot be planned is refused before anything is signed
    digest = documents.digest(query)
    voucher = next_voucher(account_of(client, deal), digest, _charge(client, order_id, plan))
    return Step(order_id, sequence, digest, query, voucher, "pending", None)


def _charge(client: Client, order_id: str, plan: Plan) -> int:
    """A question that this order asked before costs no epsilon, so it needs no promise of any."""
    answered = (step.outcome or {} for step in client.journal.steps(order_id, "released"))
    return 0 if any(outcome.get("plan") == plan.digest for outcome in answered) else plan.epsilon


def _carry_out(client: Client, deal: Deal, step: Step, wait_seconds: float, names: Mapping[Term, str]) -> Answer:
    with part("sending"):
        _send(client, step)
    with part("waiting"):
        status = _wait(client, step.query_digest, wait_seconds)
    if status["state"] != "released":
        refusal = check_refusal(client, deal, step, status)
        outcome = refusal.as_dict() | spent_by_withheld(client, deal, step, status)
        client.journal.finish(step.order, step.sequence, "refused", outcome)
        raise refusal
    with part("opening"):
        answer = open_answer(client, deal, step, status, names)
    client.journal.finish(step.order, step.sequence, "released", answer.as_dict())
    return answer


def _send(client: Client, step: Step) -> None:
    """Send a step. A refusal at the door ends it, unless the service took the very same query before."""
    signature = client.sign("Voucher", step.voucher)
    voucher = documents.voucher_document(step.voucher, client.address, from_hex(signature, 65))
    try:
        client.post("/queries", {"query": dict(step.query), "voucher": voucher}, repeatable=True)
    except (RuleError, InvalidInputError, NotAuthorizedError, NotFoundError) as error:
        if _was_taken(client, step.query_digest):
            return
        client.journal.finish(step.order, step.sequence, "refused", error.as_dict())
        raise


def _was_taken(client: Client, digest: str) -> bool:
    try:
        client.get(f"/queries/{digest}")
    except NotFoundError:
        return False
    return True


def _wait(client: Client, digest: str, seconds: float) -> dict[str, Any]:
    end = client.now() + seconds
    while True:
        wait = max(0, min(POLL_SECONDS, end - client.now()))
        status: dict[str, Any] = client.get(f"/queries/{digest}", wait=wait, documents=True)
        if status["state"] in ("released", "refused", "failed"):
            return status
        if client.now() >= end:
            raise _no_outcome(str(status["state"]))


def _no_outcome(state: str) -> MarketplaceError:
    return PortError(
        "query_pending",
        f"the query has no outcome yet; it is {state}",
        zh=f"查询尚无结果，当前状态：{state}",
        expected=Words("released or refused", "已答复或已拒绝"),
        got=state,
        hint="nothing is lost and nothing is paid twice: carry on with `marketplace queries resume ORDER`",
        hint_zh="不会丢失，也不会重复付费：请执行 marketplace queries resume ORDER",
    )
