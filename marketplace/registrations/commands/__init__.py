"""`marketplace registrations`: cases from filing to deposit, objections, public notices, the registrar's work list."""

import json
from pathlib import Path
from typing import Annotated

import typer

from marketplace.console import Run, command, group
from marketplace.console.naming import named
from marketplace.console.usage import BadValue
from marketplace.console.values import moment, parse_address, parse_id
from marketplace.documents.identifiers import Kind as IdentifierKind
from marketplace.procedures import Kind, Procedure, Step
from marketplace.registrations.commands import showing
from marketplace.sdk import registrations, rights
from marketplace.sdk.http.foreign import read_json
from marketplace.sdk.opening import open_client
from marketplace.words import word

app = group("Registration cases: file, review, notice, objection, deposit. 登记案件")
Asset = Annotated[
    str,
    typer.Argument(metavar="ASSET", parser=parse_id(IdentifierKind.DATA), help="id of the data asset 资产编号"),
]
Case = Annotated[str, typer.Argument(metavar="CASE", help="id of the case 案件编号")]
PUBLIC = "procedure for public data 公共数据资源登记"
KINDS = [kind.name for kind in Kind if kind]
_OWN = {Kind.LATE_OBJECTION: Procedure.LATE_OBJECTION, Kind.REVOCATION: Procedure.REVOCATION}
STEPS = [step.name for step in Step if step]


@command(app)
def form(
    run: Run,
    *,
    asset: Asset,
    kind: Annotated[str, typer.Option(help="kind 类型: " + " ".join(KINDS))] = "FIRST",
    public: Annotated[bool, typer.Option("--public", help=PUBLIC)] = False,
    output: Annotated[Path, typer.Option(help="file to write; fill in what is empty 输出文件")],
) -> None:
    """Write an application form: what manifest and claim tell is filled in, the rest is yours to fill. 填写申请表

    Example: marketplace registrations form 0x5f…5f --output form.json
    """
    chosen = _kind(kind)
    with open_client(run) as client:
        found = rights.get_asset(client, asset)
        manifest, claim = rights.checked_manifest(client, found), client.get_document(found["claimDigest"])
        book = registrations.rulebook_in_force(client)
    fields = registrations.outline(
        *(book, chosen, _procedure(chosen, public=public)),
        manifest=manifest,
        claim=claim,
        entry=found["registration"],
    )
    output.write_text(json.dumps(fields, ensure_ascii=False, indent=2) + "\n", "utf-8")
    empty = [name for name, value in fields.items() if not value]
    run.result(fields, f"fill in {', '.join(empty)} in {output}", f"请在 {output} 中填写 {'、'.join(empty)}")


@command(app)
def file(
    run: Run,
    *,
    asset: Asset,
    kind: Annotated[str, typer.Option(help="kind 类型: " + " ".join(KINDS))] = "FIRST",
    form: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="JSON with the form's fields, see `form` 申请表")
    ],
    public: Annotated[bool, typer.Option("--public", help=PUBLIC)] = False,
    deposit: Annotated[str | None, typer.Option(help="public data: where and how deposited 存证情况")] = None,
    to: Annotated[
        str | None, typer.Option(metavar="ADDRESS", parser=parse_address, help="transfer: who receives 受让方")
    ] = None,
    non_publication: Annotated[
        str | None, typer.Option(metavar="REASONS", help="ask for no public notice, on good cause 申请不公示的理由")
    ] = None,
) -> None:
    """File a registration case about a data asset. 提交登记申请

    Example: marketplace registrations file 0x5f…5f --form form.json
    """
    chosen = _kind(kind)
    with open_client(run) as client:
        result = registrations.file(
            client,
            asset,
            chosen,
            read_json(form),
            procedure=_procedure(chosen, public=public),
            counterparty=to,
            non_publication=non_publication,
            deposit=deposit,
        )
    run.result(result, f"filed as case {result['caseId']}", f"已提交，案件编号 {result['caseId']}")


@command(app)
def act(
    run: Run,
    *,
    case: Case,
    step: Annotated[str, typer.Argument(metavar="STEP", help="步骤: " + " ".join(STEPS))],
    words: Annotated[str | None, typer.Option("--text", help="what you say with it, in writing 书面说明")] = None,
    ground: Annotated[
        str | None, typer.Option(help="ground of a refusal, a code of the rulebook 不予登记的理由")
    ] = None,
    evidence: Annotated[
        list[str] | None, typer.Option(metavar="DIGEST", help="digest of evidence, repeatable 证据摘要")
    ] = None,
    form: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="RESUBMIT: JSON with the corrected fields 补正表单")
    ] = None,
) -> None:
    """Take a step in a case as its party: join, accept, open-notice, object, uphold, deposit and so on. 办理步骤

    `show` names the steps that are open, whose they are, and which dates they set.

    Example: marketplace registrations act 0x5f…5f open-notice
    """
    chosen = _step(step)
    with open_client(run) as client:
        corrected = None
        if form is not None:
            corrected = registrations.get_form(client, registrations.get_case(client, case)) | {
                "fields": read_json(form)
            }
        result = registrations.act(
            client, case, chosen, words, ground=ground, evidence=tuple(evidence or ()), form=corrected
        )
    run.result(result, f"{chosen.name.lower()} is done in case {case}", f"案件 {case} 已办理“{word(chosen).zh}”")


@command(app)
def expire(run: Run, case: Case) -> None:
    """State that a period ended unused: silence accepts, a correction that did not come ends the case. 确认期限届满

    Example: marketplace registrations expire 0x5f…5f
    """
    with open_client(run) as client:
        result = registrations.expire(client, case)
    run.result(result, f"the period of case {case} is stated to have ended", f"已确认案件 {case} 的期限届满")


@command(app)
def show(run: Run, case: Case) -> None:
    """A case: where it stands, its acts and what they say in writing, the form, and what may be done next. 查询案件

    Papers that are not for you to read are named by their digest.

    Example: marketplace registrations show 0x5f…5f
    """
    with open_client(run) as client:
        found = registrations.get_case(client, case)
    if run.as_json:
        run.json(found)
    else:
        showing.show(run, found)


@command(app, "list")
def list_(run: Run) -> None:
    """The cases that you are a party to. 我的案件

    Example: marketplace registrations list
    """
    with open_client(run) as client:
        run.rows(registrations.list_cases(client), showing.LISTED, run.tr("registration cases", "登记案件"))


@command(app)
def work(run: Run) -> None:
    """The registrar's work list: what is open and what was said last, overdue first. 待办清单

    Example: marketplace registrations work
    """
    with open_client(run) as client:
        run.rows(registrations.list_work(client), showing.LISTED, run.tr("open cases", "待办案件"))


@command(app)
def notices(run: Run) -> None:
    """The public notice board; no sign-in. 公示栏

    Example: marketplace registrations notices
    """
    with open_client(run, with_keys=False) as client:
        found = registrations.list_notices(client)
    if run.as_json:
        run.json(found)
        return
    rows = [{**row, "name": row["fields"].get("dataName", "–")} for row in found]
    columns = (
        ("caseId", "case", "案件", str),
        ("name", "data", "数据名称", str),
        ("kind", "kind", "类型", named(Kind, str)),
    )
    run.rows(rows, (*columns, ("noticeEnd", "objections until", "异议截止", moment)), run.tr("public notices", "公示"))


@command(app)
def adopt(
    run: Run, rulebook: Annotated[str, typer.Argument(metavar="DIGEST", help="digest of the rulebook 规则摘要")]
) -> None:
    """Choose the rulebook of later cases, as the exchange; running ones keep theirs. 采用新规则

    Example: marketplace registrations adopt 0x5f…5f
    """
    with open_client(run) as client:
        result = registrations.adopt(client, rulebook)
    run.result(result, f"cases filed from now on follow {rulebook}", f"此后提交的案件适用 {rulebook}")


def _kind(text: str) -> Kind:
    name = text.upper().replace("-", "_")
    if name not in KINDS:
        raise BadValue(", ".join(KINDS), f"可选 {', '.join(KINDS)}", "--kind")
    return Kind[name]


def _procedure(kind: Kind, *, public: bool) -> Procedure:
    return _OWN.get(kind, Procedure.PUBLIC_DATA if public else Procedure.ORDINARY)


def _step(text: str) -> Step:
    name = text.upper().replace("-", "_")
    if name not in STEPS:
        raise BadValue(", ".join(STEPS), f"可选 {', '.join(STEPS)}", "STEP")
    return Step[name]
