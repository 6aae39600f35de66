"""`marketplace participants`: joining, admission, standing."""

from typing import Annotated

import typer

from marketplace.console import Run, command, group
from marketplace.console.usage import BadValue
from marketplace.console.values import parse_address, short
from marketplace.sdk import participants
from marketplace.sdk.opening import open_client
from marketplace.types import ParticipantStatus, Role

app = group("Join the exchange; admit and suspend participants. 主体入场与管理")
Account = Annotated[str, typer.Argument(metavar="ADDRESS", parser=parse_address, help="the participant 主体地址")]
RoleName = typer.Option(help="a role, repeatable 角色: " + " ".join(role.name or "" for role in Role))
COLUMNS = (
    ("account", "account", "地址", str),
    ("roles", "roles", "角色", lambda bits: " ".join(role.name or "" for role in Role if role & bits)),
    ("status", "status", "状态", lambda code: ParticipantStatus(code).name.lower()),
    ("version", "version", "版本", str),
)


@command(app)
def join(
    run: Run,
    role: Annotated[list[str], RoleName],
    name: Annotated[str, typer.Option(help="name in English or pinyin 英文名称")],
    name_zh: Annotated[str, typer.Option(help="name in Chinese; the English one if empty 中文名称")] = "",
    credit_code: Annotated[str | None, typer.Option(help="unified social credit code 统一社会信用代码")] = None,
) -> None:
    """Apply to join the exchange. 申请入场

    Your profile goes to the registrar; on the ledger stands its digest alone.

    Example: marketplace participants join --role SUPPLIER --name "Airline Data Co" --name-zh 航空数据公司
    """
    with open_client(run) as client:
        result = participants.join(client, _roles(role), name, name_zh or name, credit_code)
    run.result(result, "applied; a registrar must admit you now", "已提交申请，等待登记机构准入")


@command(app)
def applications(run: Run) -> None:
    """Applications that wait for a registrar. 待审申请

    Example: marketplace participants applications
    """
    with open_client(run) as client:
        found = participants.list_applications(client)
    rows = [{**item["join"], "document": item["document"]} for item in found]
    columns = (*COLUMNS[:2], ("document", "profile", "资料摘要", short))
    run.rows(rows, columns, run.tr("applications", "申请"), found)


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
def suspend(
    run: Run,
    account: Account,
    reason: Annotated[str, typer.Option(help="the ground; its digest goes onto the ledger 理由")],
) -> None:
    """Suspend a participant, as a registrar. 暂停

    Example: marketplace participants suspend 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --reason "unpaid fines"
    """
    _set(run, account, ParticipantStatus.SUSPENDED, reason)


@command(app)
def restore(
    run: Run,
    account: Account,
    reason: Annotated[str, typer.Option(help="the ground; its digest goes onto the ledger 理由")],
) -> None:
    """Restore a suspended participant, as a registrar. 恢复

    Example: marketplace participants restore 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --reason "fines paid"
    """
    _set(run, account, ParticipantStatus.ACTIVE, reason)


@command(app)
def show(run: Run, account: Account) -> None:
    """One participant as the ledger says. 查询主体

    Example: marketplace participants show 0x70997970c51812dc3a010c7d01b50e0d17dc79c8
    """
    with open_client(run) as client:
        found = participants.get(client, account)
    run.rows([found], COLUMNS, data=found)


@command(app, "list")
def list_(run: Run) -> None:
    """All participants. 主体名录

    Example: marketplace participants list
    """
    with open_client(run) as client:
        run.rows(participants.list_all(client), COLUMNS, run.tr("participants", "主体"))


def _set(run: Run, account: str, status: ParticipantStatus, reason: str) -> None:
    with open_client(run) as client:
        result = participants.set_status(client, account, status, reason)
    run.result(result, f"{account} is {status.name.lower()} now", f"{account} 状态已更新")


def _roles(names: list[str]) -> Role:
    chosen = Role(0)
    for name in (part for item in names for part in item.upper().split(",")):
        if name not in Role.__members__:
            known = " ".join(Role.__members__)
            raise BadValue(f"{name} is no role; there are {known}", f"没有角色 {name}；可选 {known}", "--role")
        chosen |= Role[name]
    return chosen
