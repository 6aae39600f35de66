"""`marketplace persons`: who signs for an account, and how it is recovered."""

import json
from pathlib import Path
from typing import Annotated

import typer

from marketplace.console import Run, command, group
from marketplace.console.naming import Listed, named
from marketplace.console.usage import BadValue
from marketplace.console.values import Reason, parse_address, parse_digest, parse_money
from marketplace.participants import wording
from marketplace.sdk import persons
from marketplace.sdk.opening import open_client, open_keys_of
from marketplace.types import NO_LIMIT, Act, RecoveryStatus

app = group("Keys of several persons for one account; guardians and recovery. 账户的多人密钥与恢复")
KeyAddress = Annotated[str, typer.Argument(metavar="KEY", parser=parse_address, help="address of a key 密钥地址")]
AccountAddress = Annotated[str, typer.Argument(metavar="ACCOUNT", parser=parse_address, help="the account 账户地址")]
RecoveryId = Annotated[str, typer.Argument(metavar="RECOVERY", parser=parse_digest, help="recovery id 恢复编号")]
Passed = Annotated[Path, typer.Argument(metavar="FILE", help="the file that was passed on 收到的文件")]
Out = Annotated[Path, typer.Option(help="where to write the file 输出文件")]
COLUMNS = (
    ("key", "key", "密钥", str),
    ("acts", "acts", "权限", Listed(Act)),
    ("limitFen", "limit (fen)", "限额（分）", lambda limit: "-" if limit == NO_LIMIT else str(limit)),
    ("validFrom", "from", "生效", str),
    ("validUntil", "until", "失效", lambda end: "-" if end == NO_LIMIT else str(end)),
)
RECOVERIES = (
    ("recoveryId", "recovery", "恢复", str),
    ("account", "account", "账户", str),
    ("newKey", "new key", "新密钥", str),
    ("status", "status", "状态", named(RecoveryStatus)),
    ("readyAt", "ready at", "公告届满", str),
)


@command(app, "list")
def list_(run: Run, account: AccountAddress) -> None:
    """Keys of an account, also those that ended. 账户密钥

    Example: marketplace persons list 0x70997970c51812dc3a010c7d01b50e0d17dc79c8
    """
    with open_client(run) as client:
        found = persons.keys_of(client, account)
    run.rows(found["keys"], COLUMNS, run.tr("keys", "密钥"), found)


@command(app)
def propose(
    run: Run,
    key: KeyAddress,
    *,
    act: Annotated[list[str], typer.Option(help="what it may sign, repeatable 权限: " + " ".join(Act.__members__))],
    name: Annotated[str, typer.Option(help="who holds it; stays off the ledger 持有人")],
    out: Out,
    limit: Annotated[
        int | None, typer.Option(parser=parse_money, help="yuan for each act, e.g. 500.00 单笔限额")
    ] = None,
    days: Annotated[int, typer.Option(min=0, help="until it ends; 0 for no end 有效天数")] = 0,
) -> None:
    """Propose a key for a person of your organisation, as an administrator. 提议添加人员密钥

    Pass the file on to the holder of the key, who accepts it.

    Example: marketplace persons propose 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --act ORDERS --act READ
    --name "Li Lei" --limit 500.00 --days 90 --out clerk.json
    """
    with open_client(run) as client:
        most = NO_LIMIT if limit is None else limit
        proposal = persons.propose_key(client, key, parse_acts(act), name=name, limit=most, days=days)
        run.terms(wording.of_key(proposal["message"], name))
    out.write_text(json.dumps(proposal, ensure_ascii=False, indent=2) + "\n", "utf-8")
    run.json(proposal)
    run.say(f"written to {out}; its holder accepts it", f"已写入 {out}，请交由密钥持有人接受")


@command(app)
def accept(run: Run, file: Passed) -> None:
    """Accept a proposal for your key; from then on you act for that account. 接受提议

    Account, permitted acts, limit and term are shown first; at a terminal you are asked before anything is signed.

    Example: marketplace persons accept clerk.json
    """
    proposal = persons.read_file(file)
    with open_client(run) as client:
        told = persons.describe_proposal(client, proposal)
        run.terms(told)
        run.confirm_signing()
        result = persons.accept_key(client, proposal)
    result |= {"terms": {label.en: says.en for label, says in told}}
    run.result(
        result,
        "your key signs for the account now",
        "您的密钥现可代表该账户签名",
    )


@command(app)
def end(run: Run, key: KeyAddress, reason: Reason) -> None:
    """End another key of your account, as an administrator. 终止密钥

    Example: marketplace persons end 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --reason "left the company"
    """
    with open_client(run) as client:
        result = persons.end_key(client, key, reason)
    run.result(result, f"{key} has ended", f"{key} 已终止")


@command(app)
def rotate(
    run: Run, to: Annotated[Path, typer.Argument(metavar="FOLDER", help="folder of the new keys 新密钥目录")]
) -> None:
    """Replace your key by the one in another folder, which may do the same. 轮换密钥

    Make the new keys first, under the same password: marketplace keys new --home FOLDER. Then work from that folder.

    Example: marketplace persons rotate ./new-home
    """
    fresh = open_keys_of(run, to)
    with open_client(run) as client:
        result = persons.rotate_key(client, fresh)
        client.hand_over(to)
    run.result(result, f"rotated; work from {to} now", f"已轮换，请改用 {to}")


@command(app)
def guardians(
    run: Run,
    guardian: Annotated[list[str], typer.Option(parser=parse_address, help="an account, repeatable 监护人")],
    threshold: Annotated[int, typer.Option(min=1, help="how many have to approve 门限")],
    days: Annotated[int, typer.Option(min=1, max=30, help="of notice, for a veto 公告天数")] = 7,
) -> None:
    """Name who may recover your account, as an administrator. 指定监护人

    Example: marketplace persons guardians --guardian 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --threshold 1
    """
    with open_client(run) as client:
        result = persons.set_guardians(client, guardian, threshold, days)
    run.result(result, "guardians named", "监护人已指定")


@command(app)
def offer(
    run: Run,
    account: AccountAddress,
    guardian: Annotated[
        str,
        typer.Option(
            parser=parse_address,
            help="guardian or registrar who gets this file; one file for each 监护人或登记机构，一人一份",
        ),
    ],
    reason: Reason,
    out: Out,
) -> None:
    """Offer your key for an account whose keys were lost; a guardian or registrar approves. 申请恢复账户

    Example: marketplace persons offer 0x70997970c51812dc3a010c7d01b50e0d17dc79c8
    --guardian 0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc --reason "laptop lost" --out offer.json
    """
    with open_client(run) as client:
        paper = persons.offer_recovery(client, account, guardian, reason)
    out.write_text(json.dumps(paper, ensure_ascii=False, indent=2) + "\n", "utf-8")
    run.result(paper, f"written to {out}; {guardian} approves it", f"已写入 {out}，请交由 {guardian} 批准")


@command(app)
def approve(run: Run, file: Passed) -> None:
    """Approve a recovery, as a guardian or registrar; it is shown in words first. 批准恢复

    Example: marketplace persons approve offer.json
    """
    paper = persons.read_file(file)
    with open_client(run) as client:
        told = persons.describe_recovery(client, paper)
        run.terms(told)
        run.confirm_signing()
        result = persons.approve_recovery(client, paper)
    result |= {"terms": {label.en: says.en for label, says in told}}
    run.result(result, "approved", "已批准")


@command(app)
def recoveries(run: Run) -> None:
    """Every recovery that anybody asked for: the public notice. 恢复公告

    Example: marketplace persons recoveries
    """
    with open_client(run) as client:
        run.rows(persons.list_recoveries(client), RECOVERIES, run.tr("recoveries", "恢复"))


@command(app)
def veto(run: Run, recovery: RecoveryId) -> None:
    """Stop a recovery of your account, as an administrator. 否决恢复

    Example: marketplace persons veto 0x5fe7f977e71dba2ea1a68e21057beebb9be2ac30c6410aa38d4f3fbe41dcffd2
    """
    with open_client(run) as client:
        result = persons.veto(client, recovery)
    run.result(result, "vetoed", "已否决")


@command(app)
def complete(run: Run, recovery: RecoveryId) -> None:
    """Complete a recovery whose notice is over. 完成恢复

    Example: marketplace persons complete 0x5fe7f977e71dba2ea1a68e21057beebb9be2ac30c6410aa38d4f3fbe41dcffd2
    """
    with open_client(run) as client:
        result = persons.complete_recovery(client, recovery)
    run.result(result, "completed: the new key signs for the account now", "恢复完成，新密钥现可代表该账户签名")


def parse_acts(names: list[str]) -> Act:
    """Acts by name, also several in one word, apart by commas. Raises BadValue."""
    chosen = Act(0)
    for name in (part for item in names for part in item.upper().split(",")):
        if name not in Act.__members__:
            known = " ".join(Act.__members__)
            raise BadValue(f"{name} is no act; there are {known}", f"没有操作类别 {name}；可选 {known}", "--act")
        chosen |= Act[name]
    return chosen
