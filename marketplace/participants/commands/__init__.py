"""`marketplace participants`: joining, admission, standing."""

from pathlib import Path
from typing import Annotated, Any

import typer

from marketplace.console import Run, command, group
from marketplace.console.naming import Listed, named
from marketplace.console.usage import BadValue
from marketplace.console.values import Reason, moment, parse_address, short
from marketplace.documents.market import MERCHANT_CLASSES, PARTY_KINDS
from marketplace.participants import membership
from marketplace.sdk import participants
from marketplace.sdk.opening import open_client
from marketplace.types import ParticipantStatus, Role
from marketplace.words import Words, word

app = group("Join the exchange; admit and suspend participants. 主体入场与管理")
Account = Annotated[str, typer.Argument(metavar="ADDRESS", parser=parse_address, help="the participant 主体地址")]
RoleName = typer.Option(
    help="a role, repeatable; none to object to registrations alone 角色，仅提异议者无需填写: "
    + " ".join(role.name or "" for role in Role)
)
COLUMNS = (
    ("account", "account", "地址", str),
    ("roles", "roles", "角色", Listed(Role, Words("no role", "无角色"))),
    ("status", "status", "状态", named(ParticipantStatus)),
    ("version", "version", "版本", str),
)

APPLICATIONS = (
    *COLUMNS[:2],
    ("document", "profile", "资料摘要", short),
    ("appliedAt", "applied at", "申请时间", moment),
)


@command(app)
def join(
    run: Run,
    *,
    name: Annotated[str, typer.Option(help="name in English or pinyin 英文名称")],
    name_zh: Annotated[str, typer.Option(help="name in Chinese; the English one if empty 中文名称")] = "",
    credit_code: Annotated[str | None, typer.Option(help="unified social credit code 统一社会信用代码")] = None,
    role: Annotated[list[str] | None, RoleName] = None,
    kind: Annotated[str, typer.Option(help="kind of applicant 主体类型: " + " ".join(PARTY_KINDS))] = "",
    merchant_class: Annotated[
        list[str] | None, typer.Option(help="class of merchant, repeatable 数商类别: " + " ".join(MERCHANT_CLASSES))
    ] = None,
    evidence: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="file that proves identity, repeatable 证明文件"),
    ] = None,
) -> None:
    """Apply to join the exchange. 申请入场

    Your profile goes to the registrar; on the ledger stands its digest alone. It names the participant agreement, which
    you sign with it: read `marketplace participants agreement` first. 申请同时签署入场协议，请先阅读。

    Whoever wants to object to a registration, and nothing else, asks for no role: identity and evidence suffice.
    仅为对登记提出异议者无需申请角色，凭身份证明即可入场。

    Example: marketplace participants join --role SUPPLIER --name "Airline Data Co" --name-zh 航空数据公司
    """
    with open_client(run) as client:
        result = participants.join(
            client,
            _roles(role or []),
            name,
            name_zh or name,
            credit_code,
            kind=kind.upper(),
            merchant_classes=[item.upper() for item in merchant_class or ()],
            evidence=evidence or (),
        )
    signed = result["profile"]["membership"]["version"]
    english = f"applied, and signed the participant agreement {signed}; a registrar must admit you now"
    run.result(result, english, f"已提交申请并签署入场协议 {signed}，等待登记机构准入")


@command(app)
def agreement(
    run: Run,
    version: Annotated[str | None, typer.Option(help="e.g. 2026.1; the newest if left out 协议版本")] = None,
    html: Annotated[Path | None, typer.Option(help="write it as a page to print 保存为网页")] = None,
) -> None:
    """The participant agreement, which an application signs. 入场协议

    Example: marketplace participants agreement --html agreement.html
    """
    found = membership.get_agreement(version)
    if html is not None:
        html.write_text(membership.to_html(found), encoding="utf-8")
        run.result(found.reference, f"written to {html}", f"已保存至 {html}")
        return
    if run.as_json:
        run.json(found.as_json())
        return
    rows = [
        {"number": f"{number}.{place}", "text": run.tr(clause["en"], clause["zh"])}
        for number, article in enumerate(found.content["articles"], 1)
        for place, clause in enumerate(article["clauses"], 1)
    ]
    title = f"{run.tr(found.content['title']['en'], found.content['title']['zh'])} {found.digest}"
    run.rows(rows, (("number", "clause", "条款", str), ("text", "text", "内容", str)), title)


@command(app)
def applications(run: Run) -> None:
    """Applications that wait for a registrar. 待审申请

    Example: marketplace participants applications
    """
    with open_client(run) as client:
        found = participants.list_applications(client)
    run.rows([_wish(item) for item in found], APPLICATIONS, run.tr("applications", "申请"), found)


@command(app)
def admit(run: Run, account: Account) -> None:
    """Admit an applicant, as a registrar. 准入

    Checks the applicant's signature and profile first.

    Example: marketplace participants admit 0x70997970c51812dc3a010c7d01b50e0d17dc79c8
    """
    with open_client(run) as client:
        result = participants.admit(client, account)
    run.result(result, f"admitted {account}", f"已准入 {account}")


@command(app)
def review(run: Run, account: Account, reason: Reason = "taken up") -> None:
    """Take up an application for review, as a registrar. 受理审核

    Example: marketplace participants review 0x70997970c51812dc3a010c7d01b50e0d17dc79c8
    """
    _review(run, account, ParticipantStatus.UNDER_REVIEW, reason)


@command(app)
def correct(run: Run, account: Account, reason: Reason) -> None:
    """Ask an applicant for a correction, as a registrar; it then applies again. 要求补正

    Example: marketplace participants correct 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --reason "licence unreadable"
    """
    _review(run, account, ParticipantStatus.CORRECTION_REQUESTED, reason)


@command(app)
def reject(run: Run, account: Account, reason: Reason) -> None:
    """Reject an application, as a registrar. 驳回

    Example: marketplace participants reject 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --reason "licence revoked"
    """
    _review(run, account, ParticipantStatus.REJECTED, reason)


@command(app)
def leave(run: Run) -> None:
    """Leave the exchange. Refused while you have orders in escrow or products on offer. 申请退出

    Example: marketplace participants leave
    """
    with open_client(run) as client:
        result = participants.leave(client)
    run.result(result, "announced; a registrar completes it after the notice", "已申请退出，通知期满后由登记机构办结")


@command(app)
def release(run: Run, account: Account, reason: Reason) -> None:
    """Complete an exit after its notice, as a registrar. 办结退出

    Example: marketplace participants release 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --reason "nothing is owed"
    """
    _set(run, account, ParticipantStatus.EXITED, reason)


@command(app)
def expel(run: Run, account: Account, reason: Reason) -> None:
    """Expel a participant for good, as a registrar. 除名

    Example: marketplace participants expel 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --reason "forged its evidence"
    """
    _set(run, account, ParticipantStatus.EXPELLED, reason)


@command(app)
def suspend(run: Run, account: Account, reason: Reason) -> None:
    """Suspend a participant, as a registrar. 暂停

    Example: marketplace participants suspend 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --reason "unpaid fines"
    """
    _set(run, account, ParticipantStatus.SUSPENDED, reason)


@command(app)
def restore(run: Run, account: Account, reason: Reason) -> None:
    """Restore a suspended participant, as a registrar. 恢复

    Example: marketplace participants restore 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --reason "fines paid"
    """
    _set(run, account, ParticipantStatus.ACTIVE, reason)


@command(app)
def show(run: Run, account: Account) -> None:
    """One participant as the ledger says; to its applicant and to registrars its open application, too. 查询主体

    Example: marketplace participants show 0x70997970c51812dc3a010c7d01b50e0d17dc79c8
    """
    with open_client(run) as client:
        found = participants.show(client, account)
    if run.as_json:
        run.json(found)
        return
    if "version" in found:
        run.rows([found], COLUMNS)
    if found["application"] is not None:
        run.rows(
            [_wish(found["application"])],
            APPLICATIONS,
            run.tr("application, waits for a registrar", "申请，等待登记机构审核"),
        )


@command(app, "list")
def list_(run: Run) -> None:
    """All participants. 主体名录

    Example: marketplace participants list
    """
    with open_client(run) as client:
        run.rows(participants.list_all(client), COLUMNS, run.tr("participants", "主体"))


def _review(run: Run, account: str, status: ParticipantStatus, reason: str) -> None:
    with open_client(run) as client:
        result = participants.review(client, account, status, reason)
    run.result(result, *_now(account, status))


def _set(run: Run, account: str, status: ParticipantStatus, reason: str) -> None:
    with open_client(run) as client:
        result = participants.set_status(client, account, status, reason)
    run.result(result, *_now(account, status))


def _wish(application: dict[str, Any]) -> dict[str, Any]:
    """An application as a row."""
    return {**application["join"], "document": application["document"], "appliedAt": application["appliedAt"]}


def _now(account: str, status: ParticipantStatus) -> tuple[str, str]:
    said = word(status)
    return f"{account} is {said.en.lower().replace('_', ' ')} now", f"{account} 的状态现为“{said.zh}”"


def _roles(names: list[str]) -> Role:
    chosen = Role(0)
    for name in (part for item in names for part in item.upper().split(",")):
        if name not in Role.__members__:
            known = " ".join(Role.__members__)
            raise BadValue(f"{name} is no role; there are {known}", f"没有角色 {name}；可选 {known}", "--role")
        chosen |= Role[name]
    return chosen
