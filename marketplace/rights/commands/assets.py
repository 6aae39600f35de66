"""Registration, confirmation, certificates."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from crypto.credential import public_of_did_key
from marketplace import words
from marketplace.console import Run, command
from marketplace.console.naming import named, placed
from marketplace.console.usage import BadValue
from marketplace.console.values import (
    Reason,
    moment,
    parse_as,
    parse_duration,
    parse_epsilon,
    parse_share,
    short,
)
from marketplace.documents import DATA_ORIGINS, LEVELS, SOURCE_CLASSES, iso_time, missing_counts, row_count
from marketplace.quantities import epsilon
from marketplace.rights.commands.group import Asset, app
from marketplace.rights.commands.showing import SHARES, TITLES, weight_of
from marketplace.rights.compact import unpack
from marketplace.rights.standing import DISPUTED, judge
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk import certificate_files, rights
from marketplace.sdk.http.foreign import read_json
from marketplace.sdk.opening import open_client
from marketplace.types import AssetStatus
from marketplace.words import word

Shares = Annotated[
    list[str] | None,
    typer.Option("--share", metavar="ADDRESS:BPS", help="revenue share, repeatable; you alone if none 收益份额"),
]
COLUMNS = (
    ("assetId", "asset", "资产", str),
    ("holder", "holder", "持有方", short),
    ("level", "level", "级别", placed(words.LEVELS)),
    ("status", "status", "状态", named(AssetStatus)),
    ("validUntil", "valid until", "有效期至", lambda seconds: moment(seconds) if seconds else "–"),
    ("epsilonLeft", "epsilon left", "剩余预算", epsilon),
)


@command(app)
def register(
    run: Run,
    *,
    manifest: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="manifest.json of a sealed data set 清单")
    ],
    epsilon_budget: Annotated[
        int, typer.Option(parser=parse_epsilon, metavar="EPSILON", help="all its privacy loss, ever 总隐私预算")
    ],
    share: Shares = None,
    level: Annotated[str, typer.Option(help="level 分级: " + " ".join(LEVELS))] = "GENERAL_1",
    source: Annotated[str, typer.Option(help="source 来源: " + " ".join(SOURCE_CLASSES))] = "COLLECTED_GENERATED",
    origin: Annotated[str, typer.Option(help="origin 属性: " + " ".join(DATA_ORIGINS))] = "ENTERPRISE",
) -> None:
    """Register a sealed data set as its holder. 登记

    Its blobs are uploaded by `marketplace vault seal`; here the manifest and your claim follow.

    Example: marketplace rights register manifest.json --epsilon-budget 10 --share 0x7099…79c8:9000 --share
    0x3c44…93bc:1000
    """
    document = read_json(manifest)
    with open_client(run) as client:
        shares = [parse_as("--share", parse_share, text) for text in share or [f"{client.address}:10000"]]
        claim = rights.make_claim(document, level=level, source_class=source, origin=origin, shares=shares)
        result = rights.register(client, document, claim, epsilon_budget)
    run.result(
        result,
        f"asset {result['assetId']} is entered; now apply: `registrations form`, then `registrations file`",
        f"已录入资产 {result['assetId']}；请申请登记：registrations form、registrations file",
    )


@command(app)
def confirm(
    run: Run,
    asset: Asset,
    valid: Annotated[
        Duration | None,
        typer.Option(
            parser=parse_duration,
            metavar="DURATION",
            help="from the deposit of a first registration or a renewal, e.g. 2y, the default; at most what the "
            "rulebook allows 有效期",
        ),
    ] = None,
) -> None:
    """Confirm a registration as a registrar, and issue its certificate (W3C VC 2.0). 确权发证

    Example: marketplace rights confirm 0x5f…5f --valid 2y
    """
    with open_client(run) as client:
        result = rights.confirm(client, asset, valid)
    shown = {name: value for name, value in result.items() if name != "certificate"}
    run.result(result if run.as_json else shown, f"confirmed {asset}", f"已确权 {asset}")


@command(app, "list")
def list_(run: Run) -> None:
    """All registered data assets. 资产名录

    Example: marketplace rights list
    """
    with open_client(run) as client:
        run.rows(rights.list_assets(client), COLUMNS, run.tr("data assets", "数据资产"))


@command(app)
def show(run: Run, asset: Asset) -> None:
    """A data asset: its titles, shares and privacy budget. 查询资产

    Example: marketplace rights show 0x5f…5f
    """
    with open_client(run) as client:
        found = rights.get_asset(client, asset)
    if run.as_json:
        run.json(found)
        return
    run.rows([found], COLUMNS)
    if (found["registration"] or {}).get("disputed"):
        run.say(*DISPUTED)
    run.rows(found["titles"], TITLES)
    run.rows([{**share, "weight": weight_of(share)} for share in found["shares"]], SHARES)


@command(app)
def manifest(run: Run, asset: Asset) -> None:
    """What was sealed: dimensions, measures, counts; checked against the asset's id. 数据清单

    Example: marketplace rights manifest 0x5f…5f
    """
    with open_client(run) as client:
        document = rights.checked_manifest(client, rights.get_asset(client, asset))
    if run.as_json:
        run.json(document)
        return
    rows, missing = row_count(document), missing_counts(document)
    run.say(f"{document['title']['en']} · {rows:,} rows", f"{document['title']['zh']} · {rows:,} 行")
    dimensions = [{**item, "categories": ", ".join(item["categories"])} for item in document["dimensions"]]
    run.rows(dimensions, (("name", "dimension", "维度", str), ("categories", "categories", "取值", str)))
    measures = [{**item, "missing": missing[item["name"]]} for item in document["measures"]]
    names = (("name", "measure", "指标"), ("unit", "unit", "单位"), ("low", "low", "下限"), ("high", "high", "上限"))
    run.rows(measures, [(*column, str) for column in (*names, ("missing", "missing", "缺失数"))])


@command(app)
def certificate(
    run: Run,
    asset: Asset,
    output: Annotated[Path | None, typer.Option(help="write it to this file 保存到文件")] = None,
    status_lists: Annotated[Path | None, typer.Option(help="write its status lists to this file 保存状态列表")] = None,
    pdf: Annotated[Path | None, typer.Option(help="print it into this file, A4 with QR code 打印为 PDF")] = None,
) -> None:
    """The certificate of an asset, verified: proof, agreement with the register, and its status today. 登记凭证验证

    Example: marketplace rights certificate 0x5f…5f --output certificate.json --pdf certificate.pdf
    """
    with open_client(run) as client:
        document = rights.get_certificate(client, asset)
        lists = rights.get_status_lists(client, document)
        standing = rights.get_standing(client, document, lists)
        annex = rights.get_annex(client, rights.get_asset(client, asset))
    for path, content in ((output, document), (status_lists, lists)):
        if path is not None:
            path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
    if pdf is not None:
        from marketplace.rights.printing import print_certificate  # noqa: PLC0415 - fonts and layout, only for this

        pdf.write_bytes(print_certificate(document, standing, int(time.time()), annex))
    english, chinese = standing.words
    run.result(document, f"the certificate is {english}", f"凭证：{chinese}")


@command(app)
def verify_certificate(
    run: Run,
    *,
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="certificate as JSON or printed PDF 证书文件")
    ] = None,
    qr: Annotated[str | None, typer.Option(metavar="TEXT", help="text of its QR code, instead 二维码内容")] = None,
    status_list: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="status lists at hand, repeatable 状态列表文件"),
    ] = None,
    issuer: Annotated[
        str | None, typer.Option(metavar="DID", help="did:key of the registrar you trust; then nothing is asked 离线")
    ] = None,
    without_status: Annotated[
        bool, typer.Option("--without-status", help="settle for its authenticity and term 不查状态")
    ] = False,
) -> None:
    """Verify a certificate that somebody showed you: authentic, and valid, revoked, superseded or expired. 验证证书

    An open objection is a warning ("disputed"): the certificate stays valid. 存在争议仅作提示。
    With --issuer offline; without it the exchange is asked whose the certificate is, and for lists that are missing.

    Example: marketplace rights verify-certificate certificate.json --issuer did:key:z6Mk… --status-list lists.json
    """
    if (file is None) == (qr is None):
        raise BadValue("one of the two", "两者取其一", "FILE / --qr")
    document = unpack(qr or "") if file is None else certificate_files.read_certificate(file)
    lists = [found for path in status_list or () for found in certificate_files.lists_in(read_json(path))]
    if issuer is not None:
        key = public_of_did_key(issuer)
        standing = judge(document, lists, issuer=key, now=int(time.time()), unchecked=without_status)
    else:
        with open_client(run) as client:
            standing = rights.get_standing(client, document, lists)
    certificate_files.require_good(standing)
    english, chinese = standing.words
    as_of = None if standing.as_of is None else iso_time(standing.as_of)
    found = {"code": standing.code, "message": english, "zh": chinese, "asOf": as_of, "disputed": standing.disputed}
    if as_of is not None:
        english, chinese = f"{english}; by status lists of {as_of}", f"{chinese}；状态列表签署于 {as_of}"
    run.result(found, english, chinese)


@command(app)
def suspend(run: Run, asset: Asset, reason: Reason) -> None:
    """Suspend a registration and its certificate, as a registrar; nothing new is sold. 暂停登记

    Example: marketplace rights suspend 0x5f…5f --reason "late objection: ownership disputed"
    """
    _mark(run, asset, AssetStatus.SUSPENDED, reason)


@command(app)
def restore(run: Run, asset: Asset, reason: Reason) -> None:
    """Restore a suspended registration, as a registrar. 恢复登记

    Example: marketplace rights restore 0x5f…5f --reason "objection settled"
    """
    _mark(run, asset, AssetStatus.CONFIRMED, reason)


def _mark(run: Run, asset: str, status: AssetStatus, reason: str) -> None:
    with open_client(run) as client:
        result = rights.mark(client, asset, status, reason)
    run.result(result, f"{asset} is {status.name.lower()} now", f"{asset} 的登记状态现为“{word(status).zh}”")
