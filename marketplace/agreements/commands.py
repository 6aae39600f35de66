"""`marketplace agreements`: two sides sign a model form; amended and retired only by both."""

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from crypto.canonical import canonical_json
from marketplace import words as vocabulary
from marketplace.agreements import forms
from marketplace.agreements.filling import outline, takes
from marketplace.agreements.html import to_html
from marketplace.agreements.signing import Signed, proposal_words, standing_words
from marketplace.agreements.wording import field_words, write_out
from marketplace.console import Run, command, group
from marketplace.console.naming import named, said
from marketplace.console.values import moment, parse_address, parse_as, parse_digest, parse_duration, read_json, short
from marketplace.documents import Document, digest
from marketplace.errors import InvalidInputError
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk import agreements
from marketplace.sdk.opening import open_client
from marketplace.words import Words

app = group("Agree on a model form, amend and retire together. 签订协议")
Agreement = Annotated[
    str, typer.Argument(metavar="AGREEMENT", parser=parse_digest, help="id of the agreement 协议编号")
]
Proposal = Annotated[str, typer.Argument(metavar="PROPOSAL", parser=parse_digest, help="id of the proposal 提议编号")]
Form = Annotated[str, typer.Argument(metavar="FORM", help="e.g. GF-2025-2615 示范文本编号")]
Fields = Annotated[Path, typer.Option(help="JSON file with the form's fields 字段文件", exists=True, dir_okay=False)]
Term = Annotated[
    Duration, typer.Option(parser=parse_duration, metavar="DURATION", help="how long it runs, e.g. 1y 期限")
]
Deadline = Annotated[
    Duration,
    typer.Option(parser=parse_duration, metavar="DURATION", help="how long the other side may sign 可签署时限"),
]
Html = Annotated[Path | None, typer.Option(help="write it as a page 保存为网页")]
Pdf = Annotated[Path | None, typer.Option(help="write it as PDF 保存为 PDF")]
COLUMNS = (
    ("agreementId", "agreement", "协议", str),
    ("partyA", "party A", "甲方", short),
    ("partyB", "party B", "乙方", short),
    ("version", "version", "版本", str),
    ("validUntil", "valid until", "有效期至", moment),
    ("standing", "status", "状态", said),
)


def _spaced(intent: str) -> str:
    """An intent's name as words: "amend agreement"."""
    return re.sub("(?<=[a-z])(?=[A-Z])", " ", intent).lower()


PROPOSALS = (
    ("proposal", "proposal", "提议", str),
    ("intent", "about", "事项", named(vocabulary.STATEMENTS, _spaced)),
    ("agreementId", "agreement", "协议", short),
    ("proposer", "by", "提议人", short),
    ("deadline", "until", "签署截止", moment),
    ("state", "state", "状态", named(vocabulary.PROPOSALS)),
)
YEAR, WEEK = "1y", "7d"


@command(app, "forms")
def forms_(run: Run) -> None:
    """The model forms that can be filled in. 示范文本目录

    Example: marketplace agreements forms
    """
    listed = [
        {
            **form.content,
            "title": run.tr(form.content["title"]["en"], form.content["title"]["zh"]),
            "digest": form.digest,
        }
        for form in forms.all_forms()
    ]
    columns = (("form", "form", "文本", str), ("version", "version", "版本", str), ("title", "title", "名称", str))
    run.rows(listed, columns, run.tr("model forms", "示范文本"))


@command(app)
def form(
    run: Run,
    name: Form,
    output: Annotated[Path | None, typer.Option(help="file to write; fill in what is empty 输出文件")] = None,
) -> None:
    """What a form asks for: each field, what it takes, and when it applies; or a file to fill in. 示范文本字段

    Example: marketplace agreements form GF-2025-2615 --output fields.json
    """
    found = forms.get_form(name)
    if output is not None:
        output.write_text(json.dumps(outline(found), ensure_ascii=False, indent=2) + "\n", "utf-8")
    if run.as_json:
        run.json({**found.content, "digest": found.digest})
        return
    rows = [
        {"name": item["name"], "label": run.tr(item["label"]["en"], item["label"]["zh"]), "takes": takes(item)}
        for item in found.fields.values()
    ]
    columns = (("name", "field", "字段", str), ("label", "meaning", "含义", str), ("takes", "takes", "取值", said))
    run.rows(rows, columns, run.tr(found.content["title"]["en"], found.content["title"]["zh"]))
    if output is not None:
        _tell_to_fill_in(run, found, output)


@command(app)
def propose(
    run: Run,
    name: Form,
    *,
    fields: Fields,
    party_a: Annotated[str, typer.Option(parser=parse_address, metavar="ADDRESS", help="甲方")],
    party_b: Annotated[str, typer.Option(parser=parse_address, metavar="ADDRESS", help="乙方")],
    term: Term = YEAR,  # type: ignore[assignment]
    deadline: Deadline = WEEK,  # type: ignore[assignment]
    answers: Annotated[
        str | None, typer.Option(parser=parse_digest, metavar="PROPOSAL", help="counters this proposal 反提议")
    ] = None,
) -> None:
    """Fill in a form, sign it, and propose it to the other side; or counter what was proposed. 提议签订

    It binds you until the deadline. Nobody but the two sides sees it.

    Example: marketplace agreements propose GF-2025-2615 --fields fields.json --party-a 0x70…c8 --party-b 0x3c…bc
    """
    now, given = int(time.time()), read_json(fields)
    with open_client(run) as client:
        agreement = agreements.fill_in(name, given, party_a=party_a, party_b=party_b, valid_until=term.after(now))
        result = agreements.propose(client, agreement, deadline=deadline.after(now), answers=answers)
    run.result(result, "proposed; the other side signs with `agreements sign`", "已提议，待对方签署")


@command(app)
def amend(
    run: Run,
    agreement: Agreement,
    *,
    fields: Fields,
    term: Annotated[
        Duration | None,
        typer.Option(parser=parse_duration, metavar="DURATION", help="from now; as before if empty 期限"),
    ] = None,
    deadline: Deadline = WEEK,  # type: ignore[assignment]
) -> None:
    """Propose a new version of an agreement in force. 提议变更

    The file holds the fields that change; the others stay. The version before ends when both have signed.

    Example: marketplace agreements amend 0x5f…5f --fields changed.json
    """
    now = int(time.time())
    with open_client(run) as client:
        before = agreements.get(client, agreement)
        document = before["document"]
        changed = agreements.fill_in(
            document["form"],
            document["fields"] | read_json(fields),
            party_a=document["partyA"],
            party_b=document["partyB"],
            valid_until=before["validUntil"] if term is None else term.after(now),
            version=document["formVersion"],
            amends=agreement,
        )
        result = agreements.propose(client, changed, deadline=deadline.after(now))
    run.result(result, "amendment proposed", "已提议变更")


@command(app)
def retire(run: Run, agreement: Agreement, deadline: Deadline = WEEK) -> None:  # type: ignore[assignment]
    """Propose to end an agreement; orders that are funded run on. 提议解除

    Example: marketplace agreements retire 0x5f…5f
    """
    with open_client(run) as client:
        result = agreements.propose_retirement(client, agreement, deadline=deadline.after(int(time.time())))
    run.result(result, "retirement proposed", "已提议解除")


@command(app)
def proposals(run: Run) -> None:
    """What you proposed and what was proposed to you. 提议列表

    Example: marketplace agreements proposals
    """
    with open_client(run) as client:
        found = agreements.proposals(client)
    about = [item["message"].get("previousId", item["message"]["agreementId"]) for item in found]
    shown = [{**item, "agreementId": which} for item, which in zip(found, about, strict=True)]
    run.rows(shown, PROPOSALS, run.tr("proposals", "提议"), data=found)


@command(app)
def sign(run: Run, proposal: Proposal) -> None:
    """Sign what the other side proposed; the ledger enters it. Read it first: `render`. 签署

    Example: marketplace agreements sign 0x5f…5f
    """
    with open_client(run) as client:
        result = agreements.sign(client, proposal)
    run.result(result, "signed by both; on the ledger", "双方已签署并登记于账本")


@command(app)
def decline(run: Run, proposal: Proposal) -> None:
    """Decline a proposal, or withdraw your own. 谢绝或撤回

    Example: marketplace agreements decline 0x5f…5f
    """
    with open_client(run) as client:
        result = agreements.close(client, proposal)
    run.result(result, f"{result['state']}", "已谢绝" if result["state"] == "declined" else "已撤回")


@command(app, "list")
def list_(run: Run) -> None:
    """Your agreements, every version. 我的协议

    Example: marketplace agreements list
    """
    with open_client(run) as client:
        found = agreements.list_mine(client)
    run.rows([_with_standing(row) for row in found], COLUMNS, run.tr("agreements", "协议"), found)


@command(app)
def show(run: Run, agreement: Agreement) -> None:
    """One agreement with its fields; document and signatures are checked against its id. 查询协议

    Example: marketplace agreements show 0x5f…5f
    """
    with open_client(run) as client:
        found = agreements.get(client, agreement)
    if run.as_json:
        run.json(found)
        return
    run.rows([_with_standing(found)], COLUMNS)
    declared = forms.form_of(found["document"]).fields
    run.facts(
        {
            run.tr(declared[name]["label"]["en"], declared[name]["label"]["zh"]): run.tr(
                *reversed(field_words(declared[name], value))
            )
            for name, value in found["document"]["fields"].items()
        }
    )


@command(app)
def render(
    run: Run,
    what: Annotated[str, typer.Argument(help="id of an agreement or proposal, or a file 协议、提议编号或文件")],
    *,
    html: Html = None,
    pdf: Pdf = None,
    output: Annotated[Path | None, typer.Option(help="write the signed document itself 保存协议原文")] = None,
) -> None:
    """Write an agreement out in Chinese and English, to read and sign off; the digest is on every page. 生成双语文本

    A file is rendered without asking anybody, so a paper can be compared with what was signed.

    Example: marketplace agreements render 0x5f…5f --pdf agreement.pdf
    """
    if not (html or pdf or output):
        raise InvalidInputError(
            "nothing_to_write",
            "say where to write it: --html, --pdf or --output",
            zh="请用 --html、--pdf 或 --output 指定输出文件",
            expected=Words("--html FILE, --pdf FILE or --output FILE", "--html FILE、--pdf FILE 或 --output FILE"),
            hint="add one of them",
            hint_zh="请至少指定一项",
        )
    document, signed = _load(run, what)
    paper, now = write_out(document), int(time.time())
    if html is not None:
        html.write_text(to_html(paper, signed), encoding="utf-8")
    if pdf is not None:
        from marketplace.agreements.printing import to_pdf  # noqa: PLC0415 - fonts and layout, only for this

        pdf.write_bytes(to_pdf(document, paper, signed, now))
    if output is not None:
        output.write_bytes(canonical_json(document))
    written = [str(path) for path in (html, pdf, output) if path is not None]
    facts = {"digest": digest(document), "agreementId": paper.agreement_id, "files": written}
    run.result(facts, "written", "已生成")


def _load(run: Run, what: str) -> tuple[Document, Signed]:
    """The document of a file, a proposal or an agreement, with what stands under it."""
    path = Path(what)
    if path.is_file():
        return forms.validate_agreement_on_form(read_json(path)), Signed()
    name = parse_as("WHAT", parse_digest, what)
    with open_client(run) as client:
        mine = {row["proposal"]: row for row in agreements.proposals(client)}
        if name in mine:
            found = agreements.get_proposal(client, name)
            if found["document"] is None:
                raise InvalidInputError(
                    "nothing_to_write",
                    "a retirement has no document; render the agreement that it ends",
                    zh="解除协议无文档；请生成其所解除的协议",
                    got=name,
                    expected=Words("an agreement, or a proposal of one", "协议，或协议提议"),
                    hint=f"render what it ends: marketplace agreements render {found['message']['agreementId']}",
                    hint_zh=f"请生成其所解除的协议：marketplace agreements render {found['message']['agreementId']}",
                )
            return found["document"], proposal_words(found)
        agreement = agreements.get(client, name)
    return agreement["document"], agreements.sign_off(agreement, int(time.time()))


def _with_standing(row: Mapping[str, Any]) -> dict[str, Any]:
    chinese, english = standing_words(row, int(time.time()))
    return {**row, "standing": Words(english, chinese)}


def _tell_to_fill_in(run: Run, found: forms.Form, output: Path) -> None:
    """What to do with the file of a form's empty fields."""
    conditional = [name for name, item in found.fields.items() if "when" in item]
    run.say(
        f"fill in {output}; remove of {', '.join(conditional)} what does not apply; a list without items is []",
        f"请填写 {output}；{'、'.join(conditional)} 中不适用的请删除；无内容的列表填 []",
    )
