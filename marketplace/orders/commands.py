"""`marketplace orders`: buying, and ending an order alone."""

import time
from typing import Annotated, Any

import typer

from marketplace.console import Run, command, group
from marketplace.console.naming import named
from marketplace.console.values import moment, parse_amount, parse_digest, parse_duration, parse_epsilon, parse_id
from marketplace.documents import PURPOSES
from marketplace.documents.identifiers import Kind
from marketplace.pricing import plan_of
from marketplace.pricing.words import plan_words
from marketplace.quantities import epsilon, money, worth
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk import claims, listings, orders
from marketplace.sdk.opening import open_client, open_keys
from marketplace.types import ZERO_DIGEST, OrderStatus
from marketplace.vault.vouchers import own_voucher
from marketplace.words import PURPOSES as PURPOSE_WORDS

app = group("Buy: accept terms, fund an order, get a right to use. 下单交易")
Order = Annotated[str, typer.Argument(metavar="ORDER", parser=parse_id(Kind.ORDER), help="id of the order 订单编号")]
LINES = (
    ("what", "line", "项目", str),
    ("units", "units", "数量", str),
    ("unitPrice", "yuan each", "单价(元)", money),
    ("amount", "yuan", "金额(元)", money),
)
COLUMNS = (
    ("orderId", "order", "订单", str),
    ("escrow", "escrow", "托管(元)", money),
    ("epsilonCap", "epsilon cap", "预算上限", epsilon),
    ("validUntil", "valid until", "有效期至", moment),
    ("status", "status", "状态", named(OrderStatus)),
)


@command(app)
def fund(
    run: Run,
    *,
    listing: Annotated[
        str, typer.Argument(metavar="LISTING", parser=parse_id(Kind.PRODUCT), help="id of the listing 挂牌编号")
    ],
    escrow: Annotated[
        str, typer.Option(metavar="AMOUNT", help="set aside, in the listing's currency; the rest comes back 托管金额")
    ],
    epsilon_cap: Annotated[
        int, typer.Option(parser=parse_epsilon, metavar="EPSILON", help="most privacy loss 隐私预算上限")
    ],
    purpose: Annotated[str, typer.Option(help="what for 用途: " + " ".join(PURPOSES))],
    under: Annotated[
        str | None,
        typer.Option(parser=parse_digest, metavar="AGREEMENT", help="agreement with the seller 所依协议"),
    ] = None,
    region: Annotated[str, typer.Option(help="where you are, e.g. CN-SH 所在地域")] = "CN",
    term: Annotated[
        Duration,
        typer.Option(
            parser=parse_duration,
            metavar="DURATION",
            help="how long, e.g. 30d; at most the listing's term, and one period of its plan 期限",
        ),
    ] = "30d",  # type: ignore[assignment]
) -> None:
    """Accept a listing's terms and put money into escrow. 下单

    What you do not spend comes back at settlement, or in full after the term.

    Example: marketplace orders fund 0x5f…5f --escrow 20.00 --epsilon-cap 3 --purpose TRANSPORT --region CN-SH
    """
    with open_client(run) as client:
        code = listings.get(client, listing)["currency"]
        result = orders.fund(
            client,
            listing,
            escrow=parse_amount("--escrow", escrow, code),
            currency=code,
            epsilon_cap=epsilon_cap,
            purpose=purpose.upper(),
            region=region,
            valid_until=term.after(int(time.time())),
            agreement_id=under or ZERO_DIGEST,
        )
    until = moment(result["validUntil"])
    run.result(result, f"funded until {until}; you may ask now", f"已托管至 {until}，可以查询")


@command(app)
def quote(
    run: Run,
    listing: Annotated[
        str, typer.Argument(metavar="LISTING", parser=parse_id(Kind.PRODUCT), help="id of the listing 挂牌编号")
    ],
    *,
    purpose: Annotated[str, typer.Option(help="what for 用途: " + " ".join(PURPOSES))],
    calls: Annotated[int, typer.Option(min=1, help="how many answers 答复次数")] = 1,
    hits: Annotated[int | None, typer.Option(min=0, help="those that find something; all 命中数")] = None,
    records: Annotated[int | None, typer.Option(min=0, help="records found; one a hit 记录数")] = None,
    periods: Annotated[int, typer.Option(min=1, help="days, months or years of the plan with answers 周期数")] = 1,
    under: Annotated[
        str | None,
        typer.Option(parser=parse_digest, metavar="AGREEMENT", help="that has a negotiated price 约定价格的协议"),
    ] = None,
) -> None:
    """What calls would cost, line by line, before anything is signed; the bill of the same calls is the same. 报价

    Example: marketplace orders quote 0x5f…5f --calls 100 --purpose TRANSPORT
    """
    use: dict[str, Any] = {"calls": calls, "hits": hits, "records": records, "periods": periods}
    with open_client(run) as client:
        told = orders.quote(client, listing, purpose=purpose.upper(), agreement_id=under or ZERO_DIGEST, **use)
    if run.as_json:
        run.json(told)
        return
    code = told["currency"]
    lines = [{**line, "what": run.tr(line["en"], line["zh"]), "currency": code} for line in told["lines"]]
    run.rows(lines, LINES, run.tr("quote", "报价"))
    used = told["usage"]
    run.facts(
        {
            run.tr("reckoned for", "用量假设"): run.tr(
                f"{used['calls']} calls, {used['hits']} hits, {used['records']} records, {used['periods']} periods",
                f"{used['calls']} 次调用、{used['hits']} 次命中、{used['records']} 条记录、{used['periods']} 个周期",
            ),
            run.tr("total", "合计"): run.tr(*worth(told["total"], code)),
            run.tr("least escrow", "最低托管"): money(told["escrowLeast"], code),
            run.tr("fee in it, the seller's", "其中手续费（卖方承担）"): money(told["fee"]["amount"], code),
            run.tr("tax in it", "其中税额"): money(told["tax"]["amount"], code),
            run.tr("may still be earned", "尚可取得收入"): money(told["cap"]["left"], code) if told["cap"] else "–",
            run.tr("plan", "方案"): run.tr(*plan_words(told["plan"], code)),
            run.tr("rounding", "舍入"): run.tr(told["rounding"]["en"], told["rounding"]["zh"]),
        }
    )


@command(app, "list")
def list_(run: Run) -> None:
    """Orders in which you buy or sell. 我的订单

    Example: marketplace orders list
    """
    with open_client(run) as client:
        run.rows(orders.list_mine(client), COLUMNS, run.tr("orders", "订单"))


@command(app)
def show(run: Run, order: Order) -> None:
    """One order with its agreement, checked against its id. 查询订单

    Example: marketplace orders show 0x5f…5f
    """
    with open_client(run) as client:
        deal = orders.inspect(client, order)
        spent = claims.spent(client, deal.order)
    plan = plan_of(deal.terms)
    if run.as_json:
        told = {"order": deal.order, "agreement": deal.agreement, "terms": deal.offer.terms, "plan": plan}
        run.json({**told, "spent": spent})
        return
    run.rows([deal.order], COLUMNS)
    facts = {name: deal.agreement[name] for name in ("region", "listing")}
    run.facts(
        {
            "purpose": run.tr(deal.agreement["purpose"], PURPOSE_WORDS[deal.agreement["purpose"]]),
            **facts,
            "price": run.tr(*plan_words(plan, deal.order["currency"])),
        }
    )
    _print_spent(run, deal.order, spent)
    if deal.order["claim"]:
        _print_claim(run, deal.order["claim"], deal.order["currency"])


@command(app)
def claim(run: Run, order: Order) -> None:
    """End an order alone, as its buyer or seller: three days later the highest voucher is paid. 单方主张结算

    By your last voucher, or, where nothing was answered, for nothing. Nothing more can be asked under the order.

    Example: marketplace orders claim 0x5f…5f
    """
    keys = open_keys(run)
    with open_client(run, keys=keys) as client:
        result = claims.claim(client, order, own_voucher(run.home, keys, order))
    _say(run, result, "claimed; after the window: marketplace orders finish", "已主张；窗口期满后可执行 orders finish")


@command(app)
def challenge(run: Run, order: Order) -> None:
    """Present the highest voucher that you or the exchange have against a claim, or a refund. 提出更高凭证

    The exchange does so by itself with the voucher of the last answer that it knows. In the three days after the term
    of an order that nobody ended, a voucher opens the window in the stead of a refund.

    Example: marketplace orders challenge 0x5f…5f
    """
    keys = open_keys(run)
    with open_client(run, keys=keys) as client:
        result = claims.challenge(client, order, own_voucher(run.home, keys, order))
    _say(run, result, "presented", "已提出")


@command(app)
def finish(run: Run, order: Order) -> None:
    """Have a claimed order paid whose window is over; anyone may. 完结已主张的订单

    Example: marketplace orders finish 0x5f…5f
    """
    with open_client(run) as client:
        result = claims.finish(client, order)
    run.result(result, "paid by the highest voucher", "已按最高凭证付款")


def _say(run: Run, result: dict[str, Any], english: str, chinese: str) -> None:
    run.result(result, english, chinese)
    if not run.as_json:
        _print_claim(run, result["claim"], result["currency"])


def _print_spent(run: Run, order: dict[str, Any], spent: dict[str, int]) -> None:
    """What was used of an order, and what is left to it while it runs."""
    used, code = worth(spent["amount"], order["currency"]), order["currency"]
    budget = epsilon(spent["epsilon"])
    lines = {
        run.tr("used", "已用"): run.tr(
            f"{used[0]} for {spent['calls']} calls, privacy budget {budget}",
            f"{used[1]}，调用 {spent['calls']} 次，隐私预算 {budget}",
        )
    }
    if order["status"] == OrderStatus.FUNDED:
        rest, budget = worth(order["escrow"] - spent["amount"], code), epsilon(order["epsilonCap"] - spent["epsilon"])
        lines[run.tr("left", "剩余")] = run.tr(f"{rest[0]}, privacy budget {budget}", f"{rest[1]}，隐私预算 {budget}")
    run.facts(lines)


def _print_claim(run: Run, claim: dict[str, Any], currency: str) -> None:
    run.facts(
        {
            run.tr("claimed by", "主张方"): claim["claimedBy"],
            run.tr("stands at", "现凭证金额"): run.tr(*worth(claim["amount"], currency)),
            run.tr("calls", "调用次数"): str(claim["calls"]),
            run.tr("higher vouchers until", "更高凭证截至"): moment(claim["until"]),
        }
    )
