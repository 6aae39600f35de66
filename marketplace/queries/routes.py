"""Sealed queries over HTTP: the buyer asks, panel nodes and vaults poll for work and hand in what they signed."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from sqlmodel import Session, select
from starlette.concurrency import run_in_threadpool

from marketplace.participants.service import require_role
from marketplace.queries.explain import Question
from marketplace.queries.inbox import custodian, panel, requests, vault
from marketplace.queries.service import asking, standing, topics, views
from marketplace.queries.tables import UNFINISHED, PanelKey
from marketplace.types import Role
from marketplace.web.bell import long_poll
from marketplace.web.context import Context, Here, Wait
from marketplace.web.paging import AskedPage, Rows, link_next, page_of
from marketplace.web.principal import Account, Agent, MaybeAccount
from marketplace.web.shapes import Count, DigestText, Document, Shape

router = APIRouter()

BlsKey = Annotated[str, Field(pattern="^0x[0-9a-f]{96}$", description="48 bytes, G1", examples=["0x" + "a1" * 48])]
_REQUEST_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_REQUEST_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "the bytes"}
}
Name = Annotated[DigestText, Path()]
WithDocuments = Annotated[bool, Query(description="send an answer's documents along, by their digests")]
BlsSignature = Annotated[
    str, Field(pattern="^0x[0-9a-f]{192}$", description="96 bytes, G2", examples=["0x" + "a1" * 96])
]


class QueryBody(Shape):
    """A query document and the voucher document that pays for it, signed by the order's buyer."""

    query: Document
    voucher: Document


class ExplanationBody(Shape):
    """A question as SQL text or as the "select", "where", "groupBy" of a query document, under an order of yours or a
    listing."""

    sql: str = Field(default="", max_length=10_000)
    query: Document | None = None
    order: DigestText | None = None
    listing: DigestText | None = None
    epsilon: Count = Field(ge=1, description="millionths")


class PanelKeyBody(Shape):
    """A node's BLS12-381 public key and its proof of possession."""

    bls: BlsKey
    possession: BlsSignature


class ResultBody(Shape):
    """What a node computed, and its signed statement about it."""

    result: Document
    statement: Document


class ReleaseBody(Shape):
    """A vault's signed release, and the shares sealed to the buyer."""

    release: Document
    shares: Document


class RefusalBody(Shape):
    """A vault's signed refusal."""

    refusal: Document


class Nothing(Shape):
    """An empty object."""


class Wish(Shape):
    """Whether the key holder takes the panel's word, and so needs the requests of results."""

    requests: bool = False


class Task(Shape):
    """Something to do, or null."""

    task: Document | None


@router.post("/queries", status_code=202, tags=["queries"])
def ask_query(here: Here, account: Account, body: QueryBody) -> dict[str, Any]:
    """Ask. The same query document again is the same query, whatever became of it meanwhile."""
    with here.writing() as session:
        row = asking.ask(
            session,
            here.deployment,
            body.query,
            body.voucher,
            account=account,
            panel_seconds=here.settings.panel_seconds,
            now=here.clock(),
        )
        return views.query_json(session, row)


@router.post("/queries/explanations", tags=["queries"])
def explain_query(here: Here, account: MaybeAccount, body: ExplanationBody) -> dict[str, Any]:
    """What a question would cost, how exact its answer would be, and why it would be refused; asks nothing."""
    question = Question(body.sql, body.query, body.epsilon)
    with here.reading() as session:
        return views.explain(
            session,
            question,
            listing_id=body.listing or "",
            order_id=body.order or "",
            account=account,
            now=here.clock(),
        )


@router.get("/queries/{digest}", tags=["queries"])
async def get_query(
    here: Here, account: Account, digest: Annotated[DigestText, Path()], wait: Wait, documents: WithDocuments = False
) -> dict[str, Any]:
    """What became of a query of yours; with `wait`, as soon as it has an outcome."""

    def look() -> dict[str, Any] | None:
        with here.reading() as session:
            row = views.get_query(session, digest, account)
            return None if row.state in UNFINISHED else views.query_json(session, row, documents=documents)

    done = await long_poll(here.bell, [topics.topic(digest)], wait, look)
    return done or await _standing(here, account, digest)


async def _standing(here: Context, account: str, digest: str) -> dict[str, Any]:
    def look() -> dict[str, Any]:
        with here.reading() as session:
            return views.query_json(session, views.get_query(session, digest, account))

    standing = await long_poll(here.bell, (), 0, look)
    assert standing is not None
    return standing


@router.post("/panel/keys", status_code=201, tags=["panel"])
def publish_panel_key(here: Here, account: Agent, body: PanelKeyBody) -> dict[str, Any]:
    """Publish your node's key; for participants with the role PANEL."""
    with here.writing() as session:
        require_role(session, account, Role.PANEL)
        panel.publish_key(session, account, body.bls, body.possession, here.clock())
        return {"address": account, "bls": body.bls, "possession": body.possession}


@router.get("/panel/keys", tags=["panel"])
def list_panel_keys(here: Here, page: AskedPage, request: Request, response: Response) -> Rows:
    """Every node's key with its proof of possession."""
    with here.reading() as session:
        rows = page_of(session, select(PanelKey), PanelKey.node, page, panel.key_json)
    return link_next(request, response, rows)


@router.get("/panel/standing", tags=["panel"])
def list_panel_standing(here: Here, page: AskedPage, request: Request, response: Response) -> Rows:
    """For every node with a published key: how many queries it was asked and answered, and what is held against it,
    with the log's entries that say so. For each kind: whether the node's own signature proves it, or the operator says
    it."""
    with here.reading() as session:
        rows = page_of(session, select(PanelKey), PanelKey.node, page, partial(standing.standing_json, session))
    return link_next(request, response, rows)


@router.post("/panel/tasks", tags=["panel"])
async def take_panel_task(here: Here, account: Agent, wait: Wait, body: Nothing) -> Task:  # noqa: ARG001 - {} is the body
    """Take the next evaluation for your node, or, with "requests", an attested result whose requests to upload; null
    when there is none in time. A task not answered for is given out again."""
    take = _taker(here, account, panel.waiting_task, panel.take_task)
    return Task(task=await long_poll(here.bell, [topics.PANEL], wait, take))


@router.put("/queries/{query}/requests/{digest}", status_code=201, tags=["panel"], openapi_extra=_REQUEST_BODY)
async def put_request(
    here: Here, account: Agent, query: Annotated[DigestText, Path()], digest: Name, request: Request
) -> dict[str, str]:
    """Upload one request of an attested result under its SHA-256, the number's "c1"."""
    body = await request.body()

    def store() -> None:
        with here.writing() as session:
            requests.put_request(session, account, query, digest, body)

    await run_in_threadpool(store)
    return {"digest": digest}


@router.get("/queries/{query}/requests/{digest}", tags=["vault"], response_class=Response, responses=_REQUEST_ANSWER)
def get_request(here: Here, account: Account, query: Annotated[DigestText, Path()], digest: Name) -> Response:
    """One request of an attested result, for the holders of the data set's key alone."""
    with here.reading() as session:
        body = requests.read_request(session, account, query, digest)
    return Response(body, media_type="application/octet-stream", headers={"cache-control": "no-store"})


@router.post("/panel/results", tags=["panel"])
def hand_in_panel_result(here: Here, account: Agent, body: ResultBody) -> dict[str, Any]:
    """Hand in a result with your node's statement about it. A second result of the same query is refused, and both
    statements are kept as evidence against the node."""
    with here.reading() as session:  # the signature is checked before it is this writer's turn; in it, that is known
        panel.check_handed_in(session, account, body.result, body.statement)
    with here.writing() as session:
        done = panel.hand_in_result(session, account, body.result, body.statement, here.clock())
    return done.told()


@router.post("/vault/tasks", tags=["vault"])
async def take_vault_task(here: Here, account: Agent, wait: Wait, body: Wish) -> Task:
    """Take the next attested query whose manifest names your key as release key; null when there is none in time."""
    await run_in_threadpool(_note, here, account, body.requests)
    take = _taker(here, account, vault.waiting_release, vault.take_release)
    return Task(task=await long_poll(here.bell, [topics.vault_topic(account)], wait, take))


@router.post("/vault/releases", tags=["vault"])
def hand_in_release(here: Here, account: Agent, body: ReleaseBody) -> dict[str, Any]:
    """Hand in a signed release."""
    with here.writing() as session:
        row = vault.hand_in_release(session, here.deployment, account, body.release, body.shares, now=here.clock())
        return {"query": row.digest, "state": row.state}


@router.post("/vault/refusals", tags=["vault"])
def hand_in_refusal(here: Here, account: Agent, body: RefusalBody) -> dict[str, Any]:
    """Hand in a signed refusal."""
    with here.writing() as session:
        row = vault.hand_in_refusal(session, here.deployment, account, body.refusal, here.clock())
        return {"query": row.digest, "state": row.state}


@router.post("/custodian/tasks", tags=["custodian"])
async def take_custodian_task(here: Here, account: Agent, wait: Wait, body: Wish) -> Task:
    """Take the next query that its vault released and whose manifest names you as custodian; null when there is none in
    time."""
    await run_in_threadpool(_note, here, account, body.requests)
    take = _taker(here, account, custodian.waiting_share, custodian.take_share)
    return Task(task=await long_poll(here.bell, [topics.custodian_topic(account)], wait, take))


@router.post("/custodian/releases", tags=["custodian"])
def hand_in_custodian_release(here: Here, account: Agent, body: ReleaseBody) -> dict[str, Any]:
    """Hand in the custodian's signed release: the second share of an answer."""
    with here.writing() as session:
        row = custodian.hand_in_share(session, here.deployment, account, body.release, body.shares, now=here.clock())
        return {"query": row.digest, "state": row.state}


@router.post("/custodian/refusals", tags=["custodian"])
def hand_in_custodian_refusal(here: Here, account: Agent, body: RefusalBody) -> dict[str, Any]:
    """Hand in the custodian's signed refusal: the answer that the vault released is withheld."""
    with here.writing() as session:
        row = custodian.hand_in_refusal(session, here.deployment, account, body.refusal, here.clock())
        return {"query": row.digest, "state": row.state}


def _note(here: Context, account: str, wanted: bool) -> None:
    """Keep what the key holder wishes, if that is news."""
    with here.reading() as session:
        news = requests.is_news(session, account, wanted)
    if news:
        with here.writing() as session:
            requests.wish(session, account, wanted)


def _taker(
    here: Context,
    account: str,
    waiting: Callable[[Session, str, int], object],
    take: Callable[[Session, str, int, int], Document | None],
) -> Callable[[], Document | None]:
    """A look that takes the writers' turn only when something seems to be there."""

    def look() -> Document | None:
        with here.reading() as session:
            if waiting(session, account, here.clock()) is None:
                return None
        with here.writing(durable=False) as session:  # a lease that a power cut undoes is given again
            return take(session, account, here.clock(), here.settings.lease_seconds)

    return look
