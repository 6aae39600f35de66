"""`marketplace listings`: products on offer."""

from pathlib import Path
from typing import Annotated, Any

import typer

from marketplace.console import Run, command, group
from marketplace.console.naming import named
from marketplace.console.values import (
    InCurrency,
    moment,
    parse_address,
    parse_amount,
    parse_as,
    parse_digest,
    parse_duration,
    parse_epsilon,
    parse_id,
    read_json,
    short,
)
from marketplace.currencies import CNY
from marketplace.documents import COMPUTATIONS, PURPOSES, Document, money_of, validate_plan
from marketplace.documents.identifiers import Kind
from marketplace.errors import InvalidInputError
from marketplace.identifiers.standing import NAMES
from marketplace.pricing import plan_of
from marketplace.pricing.words import plan_words
from marketplace.quantities import epsilon, money
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk import listings, rights
from marketplace.sdk.opening import open_client
from marketplace.sdk.terms import end_within
from marketplace.words import MODES, Words

app = group("Put a product on offer; read what is on offer. 产品挂牌")
Listing = Annotated[
    str, typer.Argument(metavar="LISTING", parser=parse_id(Kind.PRODUCT), help="id of the listing 挂牌编号")
]
_MODE = named(MODES)


def _standing(standing: dict[str, Any]) -> Words:
    """Whether it can be bought, and why it cannot."""
    name, reason = NAMES[standing["status"]], standing["reason"]
    because = (f": {reason['message']}", f"：{reason['zh']}") if reason else ("", "")
    return Words(f"{name['en']}{because[0]}", f"{name['zh']}{because[1]}")


COLUMNS = (
    ("listingId", "listing", "挂牌", str),
    ("seller", "seller", "卖方", short),
    ("terms", "plan", "方案", lambda terms: _MODE(plan_of(terms)["mode"])),
    ("price", "yuan at least", "起价(元)", money),
    ("validUntil", "valid until", "有效期至", moment),
    ("standing", "status", "状态", _standing),
)


@command(app)
def create(
    run: Run,
    *,
    asset: Annotated[
        str, typer.Argument(metavar="ASSET", parser=parse_id(Kind.DATA), help="id of the data asset 资产编号")
    ],
    epsilon_per_query: Annotated[
        int, typer.Option(parser=parse_epsilon, metavar="EPSILON", help="most for one query 单次隐私预算上限")
    ],
    compute: Annotated[list[str], typer.Option(help="permitted, repeatable 允许的计算: " + " ".join(COMPUTATIONS))],
    purpose: Annotated[list[str], typer.Option(help="permitted, repeatable 允许的用途: " + " ".join(PURPOSES))],
    price: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="for one query, in yuan or --currency 每次查询价格")
    ] = None,
    currency: InCurrency = CNY.code,
    plan: Annotated[
        Path | None, typer.Option(help="JSON file with a price plan, instead of --price 价格方案文件", exists=True)
    ] = None,
    region: Annotated[list[str] | None, typer.Option(help="where, e.g. CN-SH; anywhere if none 地域")] = None,
    field: Annotated[list[str] | None, typer.Option(help="column on offer, repeatable; all if none 字段")] = None,
    under: Annotated[
        str | None,
        typer.Option(metavar="TITLE", parser=parse_digest, help="your title to operate; the first one if none 经营权"),
    ] = None,
    term: Annotated[
        Duration, typer.Option(parser=parse_duration, metavar="DURATION", help="how long, e.g. 90d 期限")
    ] = "90d",  # type: ignore[assignment]
    threshold: Annotated[int, typer.Option(min=1, help="panel nodes that must agree 须一致的节点数")] = 2,
    node: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", parser=parse_address, help="panel node, repeatable; all if none 计算节点"),
    ] = None,
    buyer_cap: Annotated[
        int | None,
        typer.Option(
            parser=parse_epsilon,
            metavar="EPSILON",
            help="most for one buyer, over all orders and versions 买方预算上限",
        ),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option("--buyers", metavar="NAME=ADDRESS,…", help="accounts that count as one buyer 视同同一买方的账户"),
    ] = None,
    minimum_cohort: Annotated[int | None, typer.Option(min=1, help="rows behind every number 最小群体")] = None,
    title: Annotated[str, typer.Option(help="the data set's own if empty 名称")] = "",
    title_zh: Annotated[str, typer.Option(help="in Chinese 中文名称")] = "",
) -> None:
    """List a product: what may be computed, for which purpose, at what price. 挂牌

    Example: marketplace listings create 0x5f…5f --price 2.00 --epsilon-per-query 1 --compute SUM --compute MEAN
    --purpose TRANSPORT
    """
    with open_client(run) as client:
        terms = listings.make_terms(
            client,
            asset,
            title={"en": title, "zh": title_zh or title} if title else None,
            computations=_words(compute),
            purposes=_words(purpose),
            regions=region or [],
            price=None if price is None else parse_amount("--price", price, currency),
            currency=currency,
            plan=_plan(price, plan),
            epsilon_per_query_max=epsilon_per_query,
            minimum_cohort=minimum_cohort,
            nodes=node or [],
            threshold=threshold,
            term_end=end_within(client.now(), term, rights.get_asset(client, asset)["validUntil"]),
            buyer_cap=buyer_cap,
            groups=dict(parse_as("--buyers", _group, text) for text in group or []),
            fields=field or [],
        )
        result = listings.create(client, terms, under)
    run.result(result, "listed", "已挂牌")


@command(app)
def delist(run: Run, listing: Listing) -> None:
    """Take a product off the market; funded orders go on. 摘牌

    Example: marketplace listings delist 0x5f…5f
    """
    with open_client(run) as client:
        result = listings.delist(client, listing)
    run.result(result, "delisted", "已摘牌")


@command(app, "list")
def list_(run: Run) -> None:
    """What is on offer. 挂牌目录

    Example: marketplace listings list
    """
    with open_client(run, with_keys=False) as client:
        run.rows(listings.list_all(client), COLUMNS, run.tr("listings", "挂牌目录"))


@command(app)
def show(run: Run, listing: Listing) -> None:
    """One listing with its terms, checked against its id. 查询挂牌

    Example: marketplace listings show 0x5f…5f
    """
    with open_client(run) as client:
        offer = listings.inspect(client, listing)
    if run.as_json:
        run.json({"listing": offer.listing, "terms": offer.terms, "asset": offer.asset})
        return
    run.rows([offer.listing], COLUMNS, run.tr(offer.terms["title"]["en"], offer.terms["title"]["zh"]))
    terms = offer.terms
    panel = f"{terms['panel']['threshold']} of {len(terms['panel']['nodes'])}"
    run.facts(
        {
            run.tr("price", "价格"): run.tr(*plan_words(plan_of(terms), money_of(terms).code)),
            run.tr("computations", "允许计算"): " ".join(terms["computations"]),
            run.tr("purposes", "允许用途"): " ".join(terms["purposes"]),
            run.tr("regions", "地域"): " ".join(terms["regions"]) or run.tr("anywhere", "不限"),
            run.tr("epsilon a query, at most", "单次预算上限"): epsilon(terms["epsilonPerQueryMax"]),
            run.tr("budget of one buyer", "单一买方预算"): _cap(run, terms["buyerCap"]),
            run.tr("counted as one buyer", "视同同一买方"): ", ".join(item["name"] for item in terms["groups"]) or "–",
            run.tr("minimum cohort", "最小群体"): str(terms["minimumCohort"]),
            run.tr("panel", "计算小组"): panel,
            run.tr("epsilon left", "剩余预算"): epsilon(offer.asset["epsilonLeft"]),
        }
    )


def _plan(price: str | None, path: Path | None) -> Document | None:
    """The price plan of a file; exactly one of price and file is given."""
    if (price is None) == (path is None):
        raise InvalidInputError(
            "price_or_plan",
            "a listing has a price for each query, or a price plan",
            zh="挂牌须有每次查询价格或价格方案之一",
            expected=Words("one of --price and --plan", "--price 与 --plan 之一"),
            got=Words("both", "两者皆有") if path else Words("neither", "两者皆无"),
            hint="give one of them",
            hint_zh="请给出其中之一",
        )
    return None if path is None else validate_plan(read_json(path))


def _words(values: list[str]) -> list[str]:
    return [word.strip().upper() for value in values for word in value.split(",") if word.strip()]


def _group(text: str) -> tuple[str, list[str]]:
    name, _, accounts = text.partition("=")
    return name.strip(), [parse_address(item.strip()) for item in accounts.split(",")]


def _cap(run: Run, cap: int | None) -> str:
    return run.tr("no cap", "不限") if cap is None else epsilon(cap)
