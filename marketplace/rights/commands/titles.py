"""Titles: granted, handed over, pledged, seized, ended. What two have to sign goes from one to the other as a file."""

from pathlib import Path
from typing import Annotated

import typer

from marketplace.console import Run, command
from marketplace.console.usage import BadValue
from marketplace.console.values import Reason, moment, parse_address, parse_digest, parse_duration
from marketplace.documents import PURPOSES
from marketplace.documents.scopes import YEARS, name_of, parse_right
from marketplace.errors import InvalidInputError
from marketplace.rights.commands.group import Asset, Lifted, Output, To, app, lifted
from marketplace.rights.commands.offering import hand_over, readable, show_offer
from marketplace.rights.commands.showing import TITLES
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk import titles
from marketplace.sdk.http.foreign import read_json
from marketplace.sdk.opening import open_client
from marketplace.types import TitleKind, TitleMark


def parse_kind(text: str) -> TitleKind:
    """A right by any of its names; a parser of the command line."""
    try:
        return parse_right(text)
    except InvalidInputError as error:
        raise BadValue(f"{error.message}; {error.hint}", f"{error.zh}；{error.hint_zh}") from None


Title = Annotated[str, typer.Argument(metavar="TITLE", parser=parse_digest, help="id of the title 权利编号")]
KindOfTitle = Annotated[
    TitleKind,
    typer.Option(
        parser=parse_kind,
        metavar="RIGHT",
        help="HOLD, USE, OPERATE, or a name of 2026, 2022, 2021: 持有权 使用权 经营权 控制权 …",
    ),
]
Grantee = Annotated[str, typer.Option("--to", metavar="ADDRESS", parser=parse_address, help="who receives it 被授权方")]
Purposes = Annotated[
    list[str] | None,
    typer.Option("--purpose", help="repeatable; all of the parent's if none 用途: " + " ".join(PURPOSES)),
]
Columns = Annotated[
    list[str] | None, typer.Option("--field", help="column, repeatable; all of the parent's if none 字段")
]
Territories = Annotated[
    list[str] | None,
    typer.Option("--territory", help="CN, CN-SH, 310000, ABROAD, repeatable; all of the parent's if none 地域"),
]
Term = Annotated[Duration, typer.Option(parser=parse_duration, metavar="DURATION", help="how long, e.g. 90d 期限")]
Exclusive = Annotated[bool, typer.Option("--exclusive", help="nobody else in this cell 独占")]
MayGrant = Annotated[bool, typer.Option("--may-grant", help="the grantee may grant on and transfer 可再授权")]
MayDerive = Annotated[bool, typer.Option("--may-derive", help="the grantee may make derived products 可制作衍生产品")]
TermsFile = Annotated[
    Path | None, typer.Option("--terms", exists=True, dir_okay=False, help="the licence; its digest is signed 许可协议")
]


@command(app, "titles")
def list_titles(run: Run, asset: Asset) -> None:
    """All titles of an asset, roots and parts, and whether each is in force. 权利名录

    Example: marketplace rights titles 0x5f…5f
    """
    with open_client(run) as client:
        run.rows(titles.of_asset(client, asset), TITLES, run.tr("titles", "权利"))


@command(app, "title")
def show_title(run: Run, title: Title) -> None:
    """One title: scope, marks, names, and which ancestor it died with, if it did. 查询权利

    Example: marketplace rights title 0x7a…7a
    """
    with open_client(run) as client:
        found = titles.get(client, title)
    if run.as_json:
        run.json(found)
        return
    run.rows([found], TITLES)
    scope = found["scope"]
    run.facts(
        {
            run.tr("names", "名称"): " · ".join(name_of(TitleKind(found["kind"]), "zh", year) for year in YEARS),
            run.tr("purposes", "用途"): " ".join(scope["purposes"]),
            run.tr("territories", "地域"): " ".join(scope["territories"]),
            run.tr("fields", "字段"): " ".join(scope["fields"]),
            run.tr("from", "始于"): moment(found["validFrom"]) if found["validFrom"] else "–",
            run.tr("parent", "上级权利"): found["parent"],
            run.tr("pledgee", "质权人"): found["pledgee"] if found["marks"] & TitleMark.PLEDGED else "–",
        }
    )


@command(app)
def grant(
    run: Run,
    asset: Asset,
    *,
    to: Grantee,
    kind: KindOfTitle,
    output: Output,
    term: Term,
    purpose: Purposes = None,
    field: Columns = None,
    territory: Territories = None,
    exclusive: Exclusive = False,
    may_grant: MayGrant = False,
    may_derive: MayDerive = False,
    terms: TermsFile = None,
) -> None:
    """Grant a part of your first title to operate an asset; it comes into being when they accept. 授权

    Example: marketplace rights grant 0x5f…5f --to 0x7099…79c8 --kind 使用权 --term 90d --output g.json
    """
    with open_client(run) as client:
        seconds = term.seconds_from(client.now())
        wish = _wish(to, kind, seconds, purpose, field, territory, exclusive, may_grant, may_derive, terms)
        hand_over(run, client, titles.offer_grant(client, titles.root(asset, TitleKind.OPERATE), wish), output)


@command(app)
def sub_grant(
    run: Run,
    title: Title,
    *,
    to: Grantee,
    kind: KindOfTitle,
    output: Output,
    term: Term,
    purpose: Purposes = None,
    field: Columns = None,
    territory: Territories = None,
    exclusive: Exclusive = False,
    may_grant: MayGrant = False,
    may_derive: MayDerive = False,
    terms: TermsFile = None,
) -> None:
    """Grant a part of any title that you hold, if you may grant on. 再授权

    Example: marketplace rights sub-grant 0x7a…7a --to 0x7099…79c8 --kind USE --term 30d --output g.json
    """
    with open_client(run) as client:
        seconds = term.seconds_from(client.now())
        wish = _wish(to, kind, seconds, purpose, field, territory, exclusive, may_grant, may_derive, terms)
        hand_over(run, client, titles.offer_grant(client, title, wish), output)


@command(app)
def offer(run: Run, asset: Asset, to: To, kind: KindOfTitle, output: Output) -> None:
    """Offer a first title to somebody; it moves when they accept. 发起转让

    Example: marketplace rights offer 0x5f…5f --kind OPERATE --to 0x7099…79c8 --output offer.json
    """
    with open_client(run) as client:
        hand_over(run, client, titles.offer_transfer(client, titles.root(asset, kind), to), output)


@command(app)
def offer_title(run: Run, title: Title, to: To, output: Output) -> None:
    """Offer a title that was granted to you; it moves when they accept. 转让获授的权利

    Example: marketplace rights offer-title 0x7a…7a --to 0x7099…79c8 --output offer.json
    """
    with open_client(run) as client:
        hand_over(run, client, titles.offer_transfer(client, title, to), output)


@command(app)
def pledge(run: Run, title: Title, to: To, debt: Reason, output: Output) -> None:
    """Pledge a title to operate; it is pledged when they accept. 质押

    Example: marketplace rights pledge 0x7a…7a --to 0x7099…79c8 --debt "loan 2026-17" --output pledge.json
    """
    with open_client(run) as client:
        hand_over(run, client, titles.offer_pledge(client, title, to, debt), output)


@command(app)
def accept(
    run: Run, offer: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="the file you were given 文件")]
) -> None:
    """Accept a title, a grant or a pledge that was offered to you. 接受

    What it says is shown in words first; at a terminal you are asked before anything is signed.

    Example: marketplace rights accept offer.json
    """
    with open_client(run) as client, readable():
        made = read_json(offer)
        told = show_offer(run, client, made)
        run.confirm_signing()
        result = titles.accept(client, made)
    run.result({**result, "terms": told}, "done, with both signatures", "双方已签署")


@command(app)
def permit(
    run: Run, offer: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="the file of the act 文件")]
) -> None:
    """Permit one act on a title that is pledged to you, as its pledgee; it is shown in words first. 质权人同意

    Example: marketplace rights permit offer.json
    """
    with open_client(run) as client, readable():
        made = read_json(offer)
        told = show_offer(run, client, made)
        run.confirm_signing()
        result = titles.permit(client, made)
    run.result({**result, "terms": told}, "permitted; they may accept now", "已同意，对方可以接受")


@command(app)
def release_pledge(run: Run, title: Title) -> None:
    """Release a pledge, as the pledgee. 解除质押

    Example: marketplace rights release-pledge 0x7a…7a
    """
    with open_client(run) as client:
        result = titles.release_pledge(client, title)
    run.result(result, "released", "已解除质押")


@command(app)
def enforce_pledge(run: Run, title: Title, ruling: Reason) -> None:
    """Give a pledged title to its pledgee on a ruling, as a registrar. 实现质权

    Example: marketplace rights enforce-pledge 0x7a…7a --ruling "award 2026-3"
    """
    with open_client(run) as client:
        result = titles.enforce(client, title, ruling)
    run.result(result, "the pledgee holds it now", "已归质权人")


@command(app)
def seize(run: Run, title: Title, order: Reason) -> None:
    """Mark a title as seized on a court's order, as a registrar. 查封

    Example: marketplace rights seize 0x7a…7a --order "court order 2026-12"
    """
    with open_client(run) as client:
        result = titles.encumber(client, title, TitleMark.SEIZED, order)
    run.result(result, "seized: no transfer, no grant, no new sale", "已查封：不得转让、授权、新增交易")


@command(app)
def control(run: Run, title: Title, order: Reason) -> None:
    """Mark a title as under administrative control, as a registrar. 行政管控

    Example: marketplace rights control 0x7a…7a --order "decision 2026-5"
    """
    with open_client(run) as client:
        result = titles.encumber(client, title, TitleMark.CONTROLLED, order)
    run.result(result, "under control: no transfer, no grant, no new sale", "已管控：不得转让、授权、新增交易")


@command(app)
def lift(run: Run, title: Title, order: Reason, mark: Lifted = None) -> None:
    """Lift the seizure or the control of a title, as a registrar; the other of the two stays. 解除限制

    Example: marketplace rights lift 0x7a…7a --order "court order 2026-40" --mark SEIZED
    """
    with open_client(run) as client:
        result = titles.lift(client, title, lifted(mark), order)
    run.result(result, "lifted", "已解除该项限制")


@command(app)
def surrender(run: Run, title: Title, reason: Reason) -> None:
    """Give up a title that was granted to you; what you granted out of it dies with it. 放弃权利

    Example: marketplace rights surrender 0x7a…7a --reason "project over"
    """
    with open_client(run) as client:
        result = titles.surrender(client, title, reason)
    run.result(result, "given up", "已放弃")


@command(app)
def revoke_title(run: Run, title: Title, reason: Reason) -> None:
    """Revoke a title and all that was granted out of it, as a registrar. 撤销权利

    Example: marketplace rights revoke-title 0x7a…7a --reason "false proof"
    """
    with open_client(run) as client:
        result = titles.revoke(client, title, reason)
    run.result(result, "revoked", "已撤销")


def _wish(  # noqa: PLR0917 - the options of two commands, in their order
    to: str,
    kind: TitleKind,
    seconds: int,
    purpose: list[str] | None,
    field: list[str] | None,
    territory: list[str] | None,
    exclusive: bool,
    may_grant: bool,
    may_derive: bool,
    terms: Path | None,
) -> titles.Wish:
    marks = TitleMark(0)
    for mark, wanted in (
        (TitleMark.EXCLUSIVE, exclusive),
        (TitleMark.MAY_GRANT, may_grant),
        (TitleMark.MAY_DERIVE, may_derive),
    ):
        marks |= mark if wanted else TitleMark(0)
    licence = terms.read_bytes() if terms else None
    return titles.Wish(
        to, kind, seconds, [name.upper() for name in purpose or []], field or [], territory or [], marks, licence
    )
