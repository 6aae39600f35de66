"""`marketplace api`: data delivered call by call, for both sides of an order."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from marketplace.api.declared import parse_declared
from marketplace.console import Run, command, group
from marketplace.console.naming import named
from marketplace.console.values import (
    InCurrency,
    moment,
    parse_address,
    parse_amount,
    parse_digest,
    parse_duration,
    parse_id,
)
from marketplace.currencies import CNY
from marketplace.documents import PURPOSES, money_of
from marketplace.documents.api import MAX_PAGE
from marketplace.documents.identifiers import Kind
from marketplace.errors import InvalidInputError
from marketplace.quantities import worth
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk import api, listings, orders, rights, settlement
from marketplace.sdk.api.calling import Caller
from marketplace.sdk.client import Client
from marketplace.sdk.home.call_store import CallStore
from marketplace.sdk.opening import open_client
from marketplace.sdk.terms import end_within
from marketplace.types import ZERO_DIGEST
from marketplace.words import OUTCOMES, Words

app = group("Data delivered call by call: offer, order, call, pay, service levels. 接口交付")
Order = Annotated[str, typer.Argument(metavar="ORDER", parser=parse_id(Kind.ORDER), help="id of the order 订单编号")]
Listing = Annotated[
    str, typer.Argument(metavar="LISTING", parser=parse_id(Kind.PRODUCT), help="id of the listing 挂牌编号")
]
Period = Annotated[str | None, typer.Option(help="e.g. 2026-11; the running one if none 周期")]
FIGURES = ("calls", "hits", "misses", "errors", "timeouts", "records", "p50Ms", "p95Ms", "availabilityBps", "met")


@contextmanager
def _caller(run: Run, order: str) -> Iterator[Caller]:
    with _opened(run) as (client, store), Caller(client, order, store) as calls:
        yield calls


@contextmanager
def _opened(run: Run) -> Iterator[tuple[Client, CallStore]]:
    with open_client(run) as client:
        store = api.store_of(client)
        try:
            yield client, store
        finally:
            store.close()


@command(app)
def offer(
    run: Run,
    asset: Annotated[
        str, typer.Argument(metavar="ASSET", parser=parse_id(Kind.DATA), help="id of the data asset 资产编号")
    ],
    terms: Annotated[
        Path,
        typer.Argument(metavar="TERMS", help="TOML: operations, plan, service 条款文件", exists=True, dir_okay=False),
    ],
    *,
    term: Annotated[
        Duration, typer.Option(parser=parse_duration, metavar="DURATION", help="how long, e.g. 90d 期限")
    ] = "90d",  # type: ignore[assignment]
    threshold: Annotated[int, typer.Option(min=1, help="panel nodes that must agree 须一致的节点数")] = 2,
    node: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", parser=parse_address, help="panel node, repeatable; all if none 计算节点"),
    ] = None,
    currency: InCurrency = CNY.code,
) -> None:
    """List a data set call by call, on terms that never change. 挂牌接口

    Example: marketplace api offer 0x5f…5f terms.toml
    """
    declared = parse_declared(terms.read_text("utf-8"))
    with open_client(run) as client:
        made = listings.make_terms(
            client,
            asset,
            title=None,
            computations=[],
            purposes=declared.purposes,
            regions=declared.regions,
            price=None,
            plan=declared.plan,
            epsilon_per_query_max=1,
            minimum_cohort=None,
            nodes=node or [],
            threshold=threshold,
            term_end=end_within(client.now(), term, rights.get_asset(client, asset)["validUntil"]),
            fields=declared.fields,
            delivery=declared.delivery,
            currency=currency,
        )
        result = listings.create(client, made)
    run.result(
        result, "listed; now run its gateway: marketplace gateway run", "已挂牌；请运行网关：marketplace gateway run"
    )


@command(app, "order")
def order_(
    run: Run,
    listing: Listing,
    *,
    escrow: Annotated[
        str, typer.Option(metavar="AMOUNT", help="set aside, in the listing's currency; the rest comes back 托管金额")
    ],
    purpose: Annotated[str, typer.Option(help="what for 用途: " + " ".join(PURPOSES))],
    under: Annotated[
        str | None,
        typer.Option(parser=parse_digest, metavar="AGREEMENT", help="agreement with the seller 所依协议"),
    ] = None,
    region: Annotated[str, typer.Option(help="where you are, e.g. CN-SH 所在地域")] = "CN",
    term: Annotated[
        Duration, typer.Option(parser=parse_duration, metavar="DURATION", help="how long, e.g. 30d 期限")
    ] = "30d",  # type: ignore[assignment]
) -> None:
    """Order calls: put money into escrow; what you do not spend comes back. 订购接口

    Example: marketplace api order 0x5f…5f --escrow 20.00 --purpose TRANSPORT --region CN-SH
    """
    with open_client(run) as client:
        until, code = term.after(int(time.time())), listings.get(client, listing)["currency"]
        wish = {"purpose": purpose.upper(), "region": region, "currency": code, "agreement_id": under or ZERO_DIGEST}
        result = api.order(client, listing, escrow=parse_amount("--escrow", escrow, code), valid_until=until, **wish)
    ends = moment(result["validUntil"])
    run.result(result, f"funded until {ends}; you may call now", f"已托管至 {ends}，可以调用")


@command(app)
def credential(run: Run, order: Order) -> None:
    """Get a credential in place of the one before; calls get one by themselves. 申请或轮换凭据

    Example: marketplace api credential 0x5f…5f
    """
    with _caller(run, order) as calls:
        ends = calls.credential()
    run.result({"order": order, "expiresAt": ends}, f"good until {moment(ends)}", f"有效期至 {moment(ends)}")


@command(app)
def call(
    run: Run,
    order: Order,
    operation: Annotated[str, typer.Argument(metavar="OPERATION", help="as the terms name it 操作名称")],
    *,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE", help="condition, also >= and <=, repeatable 条件"),
    ] = None,
    offset: Annotated[int, typer.Option(min=0, help="rows to pass over 跳过行数")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="most rows 最多行数")] = 100,
) -> None:
    """Call an operation of the seller's gateway; the next call pays for this one. 调用

    Example: marketplace api call 0x5f…5f flight --where id=UA1545
    """
    with _caller(run, order) as calls:
        found = calls.call(operation, [_condition(text) for text in where or []], offset=offset, limit=limit)
    if run.as_json:
        run.json({"record": found.record, "columns": found.columns, "rows": found.rows, "more": found.more})
        return
    rows = [dict(zip(found.columns, map(str, row), strict=True)) for row in found.rows]
    run.rows(rows, [(name, name, name, str) for name in found.columns])
    record = found.record
    run.facts(
        {
            run.tr("call", "调用序号"): str(record["number"]),
            run.tr("outcome", "结果"): record["outcome"].lower(),
            run.tr("milliseconds", "毫秒"): str(record["latencyMs"]),
            run.tr("more rows", "尚有更多"): run.tr(*(("yes", "是") if found.more else ("no", "否"))),
        }
    )


@command(app)
def pay(run: Run, order: Order) -> None:
    """Pay for all calls so far, the last one too. 付款

    Example: marketplace api pay 0x5f…5f
    """
    with _caller(run, order) as calls:
        voucher = calls.pay()
    due, due_zh = worth(voucher["amount"] if voucher else 0, money_of(calls.terms).code)
    run.result({"voucher": voucher}, f"{due} are promised for the calls so far", f"迄今调用应付 {due_zh}")


@command(app)
def sync(run: Run, order: Order) -> None:
    """Take back records that this folder lost, as far as you have paid for them before. 取回调用记录

    Example: marketplace api sync 0x5f…5f
    """
    with _caller(run, order) as calls:
        count = calls.sync()
    run.result({"calls": count}, f"{count} records are here", f"本地共有 {count} 条记录")


@command(app)
def records(run: Run, order: Order) -> None:
    """The signed call records that you hold. 调用记录

    Example: marketplace api records 0x5f…5f
    """
    with _opened(run) as (_, store):
        found = store.records(order)
    columns = (
        ("number", "call", "序号", str),
        ("operation", "operation", "操作", str),
        ("outcome", "outcome", "结果", named(OUTCOMES)),
        ("records", "records", "记录数", str),
        ("latencyMs", "ms", "毫秒", str),
        ("at", "at", "时间", str),
    )
    run.rows(found, columns)


@command(app)
def metered(run: Run, order: Order) -> None:
    """What was handed in of an order's calls: how many, what is due, what is paid. 计量与应付

    Example: marketplace api metered 0x5f…5f
    """
    with open_client(run) as client:
        told = api.metered(client, order)
    if run.as_json:
        run.json(told)
        return
    usages = [{"period": period, **used} for period, used in told["usages"].items()]
    names = (("period", "period", "周期"), ("calls", "answered", "已答复"), ("hits", "hits", "命中"))
    run.rows(usages, [*((*name, str) for name in names), ("records", "records", "记录数", str)])
    promised = told["voucher"]["amount"] if told["voucher"] else 0
    run.facts(
        {
            run.tr("records handed in", "已提交记录"): str(told["calls"]),
            run.tr("due", "应付"): run.tr(*worth(told["due"], told["currency"])),
            run.tr("promised by voucher", "凭证金额"): run.tr(*worth(promised, told["currency"])),
        }
    )


@command(app, "hand-in")
def hand_in(run: Run, order: Order) -> None:
    """Hand in the records that the exchange lacks, and the last voucher, as evidence; parties alone read them. 提交存证

    Example: marketplace api hand-in 0x5f…5f
    """
    with _opened(run) as (client, store):
        told = api.hand_in(client, order, store)
    run.result(told, f"{told['calls']} records are with the exchange", f"交易所已存 {told['calls']} 条记录")


@command(app)
def close(run: Run, order: Order) -> None:
    """Hand everything in and close the order by the last voucher, as its seller. 结算

    Example: marketplace api close 0x5f…5f
    """
    with _opened(run) as (client, store):
        api.hand_in(client, order, store)
        result = settlement.close(client, order, store.voucher(order))
        code = orders.get(client, order)["currency"]
    paid, paid_zh = worth(result["voucher"]["amount"], code)
    run.result(result, f"closed for {paid}", f"已结算 {paid_zh}")


@command(app)
def sla(
    run: Run,
    order: Order,
    *,
    period: Period = None,
    state: Annotated[bool, typer.Option("--state", help="sign and hand in, as the seller 卖方签署并提交")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="countersign, as the buyer 买方确认")] = False,
    objection: Annotated[
        list[str] | None, typer.Option("--object", metavar="REASON", help="object, as the buyer, repeatable 买方异议")
    ] = None,
) -> None:
    """The service level of a period from your own records; sign it, countersign it, or object. 服务水平

    Example: marketplace api sla 0x5f…5f --period 2026-11 --state
    """
    if state + accept + bool(objection) > 1:
        raise InvalidInputError(
            "service_one_act",
            "a service record is stated, accepted or objected to",
            zh="请仅选择提交、确认或异议之一",
            expected=Words("one of --state, --accept, --object", "--state、--accept、--object 之一"),
            got="several",
        )
    with _opened(run) as (client, store):
        if accept or objection:
            done = _answer(client, order, store, period, objection or [])
            run.result(done, "answered", "已答复")
            return
        figures = api.state_service(client, order, store, period) if state else None
        figures = figures or api.service_of(client, order, store, period)
        seen = sorted(store.seen_ms(order))
    if run.as_json:
        run.json({"figures": figures, "seenMs": seen})
        return
    told = figures or {}
    run.facts({name: str(told[name]) for name in ("period", *FIGURES) if name in told})
    if seen:
        run.facts({run.tr("waited for half of them, ms", "半数等待毫秒"): str(seen[len(seen) // 2])})


def _answer(client: Client, order: str, store: CallStore, period: str | None, reasons: list[str]) -> dict[str, Any]:
    stated = [item["record"]["period"] for item in api.service_records(client, order) if item["answer"] is None]
    return api.answer_service(client, order, store, period or (stated[-1] if stated else ""), reasons)


def _condition(text: str) -> dict[str, str]:
    for sign, test in ((">=", "GE"), ("<=", "LE"), ("=", "EQ")):
        column, found, value = text.partition(sign)
        if found:
            return {"column": column.strip(), "test": test, "value": value.strip()}
    raise InvalidInputError(
        "condition_unreadable",
        f"{text} is no condition",
        zh=f"无法识别条件 {text}",
        expected=Words("COLUMN=VALUE, COLUMN>=VALUE or COLUMN<=VALUE", "COLUMN=VALUE、COLUMN>=VALUE 或 COLUMN<=VALUE"),
        got=text,
    )
