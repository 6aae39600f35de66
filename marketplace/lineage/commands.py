"""`marketplace lineage`: what products are made of, and the consents of their inputs."""

from typing import Annotated, Any

import typer

from marketplace.console import Run, command, group
from marketplace.console.naming import named
from marketplace.console.values import moment, parse_as, parse_digest, parse_duration, parse_id, short
from marketplace.documents.identifiers import Kind
from marketplace.documents.ids import title_id
from marketplace.errors import InvalidInputError
from marketplace.lineage.wording import Line, of_consent
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk import lineage as sdk
from marketplace.sdk import rights
from marketplace.sdk.client import Client
from marketplace.sdk.opening import open_client
from marketplace.types import ZERO_DIGEST, ConsentStatus, TitleKind
from marketplace.words import Words

app = group("Declare what products are made of; consent, withdraw. 产品来源与同意")
Product = Annotated[
    str, typer.Argument(metavar="PRODUCT", parser=parse_id(Kind.DATA), help="id of the product's asset 产品资产编号")
]
Source = Annotated[
    str, typer.Argument(metavar="INPUT", parser=parse_id(Kind.DATA), help="id of the input's asset 来源资产编号")
]


@command(app)
def declare(
    run: Run,
    product: Product,
    *,
    source: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="ASSET:BPS[:TITLE]", help="repeatable; needs a consent without a title 来源"),
    ] = None,
    note: Annotated[str, typer.Option(help="how it was made 加工说明")],
    outside: Annotated[list[str] | None, typer.Option(help="source outside of the register 登记外来源")] = None,
) -> None:
    """Declare, once and before it is confirmed, what your product was made of. 申报来源

    Example: marketplace lineage declare 0x5f…5f --input 0x77…77:2500 --note "joined by month"
    """
    sources = [_source(text) for text in source or []]
    with open_client(run) as client:
        sdk.declare(client, product, sources, {"en": note, "zh": note}, outside=outside or [])
        found = sdk.get(client, product)
    _print(run, found)


def _source(text: str) -> sdk.Source:
    asset, _, rest = text.partition(":")
    bps, _, title = rest.partition(":")
    if not bps.isdigit():
        raise InvalidInputError(
            "lineage_input_malformed",
            f"not an input: {text}",
            zh=f"来源格式有误：{text}",
            expected=Words("ASSET:BPS or ASSET:BPS:TITLE", "ASSET:BPS 或 ASSET:BPS:TITLE"),
            got=text,
            hint="e.g. 0x77…77:2500 for a quarter of the net income, by consent",
            hint_zh="例如 0x77…77:2500 表示净收入的四分之一，须取得同意",
        )
    return sdk.Source(parse_as("--input", parse_digest, asset), int(bps), title or ZERO_DIGEST)


@command(app)
def consent(
    run: Run,
    product: Product,
    source: Source,
    *,
    term: Annotated[
        Duration, typer.Option(parser=parse_duration, metavar="DURATION", help="how long, e.g. 1y 期限")
    ] = "1y",  # type: ignore[assignment]
    title: Annotated[str | None, typer.Option(help="your title to operate the input; the first if none 经营权")] = None,
) -> None:
    """Consent, as who operates the input, that the product is sold; what it allows is shown first. 同意

    Example: marketplace lineage consent 0x5f…5f 0x77…77 --term 90d
    """
    with open_client(run) as client:
        until = term.after(client.now())
        run.terms(_terms(client, product, source, until, title))
        run.confirm_signing()
        sdk.consent(client, product, source, until, title=title)
        found = sdk.get(client, product)
    _print(run, found)


def _terms(client: Client, product: str, source: str, until: int, title: str | None) -> list[Line]:
    """What a consent allows, in words."""
    both = [(name, rights.checked_manifest(client, rights.get_asset(client, name))) for name in (product, source)]
    under = rights.get_title(client, title or title_id(source, TitleKind.OPERATE))
    return of_consent(both[0], both[1], under, sdk.part_of(client, product, source), until)


@command(app)
def withdraw(run: Run, product: Product, source: Source) -> None:
    """Withdraw your consent: nothing new is sold; funded orders run on. 撤回同意

    Example: marketplace lineage withdraw 0x5f…5f 0x77…77
    """
    with open_client(run) as client:
        sdk.withdraw(client, product, source)
        found = sdk.get(client, product)
    _print(run, found)


@command(app)
def show(run: Run, product: Product) -> None:
    """What an asset was made of and what is made of it. 来源与产品

    Example: marketplace lineage show 0x5f…5f
    """
    with open_client(run) as client:
        found = sdk.get(client, product)
    _print(run, found)


def _print(run: Run, found: dict[str, Any]) -> None:
    rows = [_row(run, run.tr("input", "来源"), row["inputId"], row) for row in found["inputs"]]
    rows += [_row(run, run.tr("product", "产品"), row["assetId"], row) for row in found["products"]]
    columns = (
        ("what", "what", "关系", str),
        ("asset", "asset", "资产", short),
        ("bps", "bps", "基点", str),
        ("rests", "rests on", "依据", str),
        ("until", "until", "至", str),
    )
    run.rows(rows, columns, data=found)


def _row(run: Run, what: str, asset: str, row: dict[str, Any]) -> dict[str, Any]:
    given = row["consent"]
    if row["titleId"] != ZERO_DIGEST:
        rests = run.tr("a title", "权利")
    elif given is None:
        rests = run.tr("a consent that is missing", "尚缺同意")
    else:
        en, zh = named(ConsentStatus)(given["status"])
        rests = run.tr(f"consent {en}", zh)
        if given["status"] == ConsentStatus.GIVEN and (reason := given["standing"]["reason"]):
            rests += run.tr(f", not in force: {reason['message']}", f"，但未生效：{reason['zh']}")
    until = moment(given["validUntil"]) if given else ""
    return {"what": what, "asset": asset, "bps": row["bps"], "rests": rests, "until": until}
