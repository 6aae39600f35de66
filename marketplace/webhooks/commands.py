"""`marketplace webhooks`: tell your own systems what happened."""

import time
from typing import Annotated, Any

import typer

from marketplace.console import Run, command, group
from marketplace.console.naming import named
from marketplace.console.run import Column
from marketplace.console.values import moment, parse_duration
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk import webhooks
from marketplace.sdk.opening import open_client
from marketplace.words import ENDPOINTS

app = group("Have your own systems told what happened to you (Standard Webhooks). 事件通知")
Endpoint = Annotated[str, typer.Argument(metavar="ENDPOINT", help="id of the endpoint, we_… 通知地址编号")]
STATES = {"pending": ("waiting", "待发"), "delivered": ("delivered", "已送达"), "dead": ("given up", "已放弃")}


@command(app)
def register(
    run: Run,
    target: Annotated[str, typer.Argument(metavar="ADDRESS", help="https address of your server 您的服务器网址")],
    event: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="kind or stage, repeatable; all if none 事件类型")
    ] = None,
) -> None:
    """Register an endpoint. Its secret is shown this once. 登记通知地址

    Example: marketplace webhooks register https://example.org/hooks --event orders --event settlement
    """
    with open_client(run) as client:
        result = webhooks.register(client, target, event or ())
    run.result(
        result,
        "registered; keep the secret, it is not shown again",
        "已登记；请妥善保存密钥，之后不再显示",
    )


@command(app, "list")
def list_(run: Run) -> None:
    """Your endpoints, and how many messages wait, were delivered and were given up. 通知地址列表

    Example: marketplace webhooks list
    """
    with open_client(run) as client:
        found = webhooks.endpoints(client)
    rows = [{**row, **row["messages"], "types": ", ".join(row["types"]) or run.tr("all", "全部")} for row in found]
    counts: list[Column] = [(name, *told, str) for name, told in STATES.items()]
    columns: tuple[Column, ...] = (
        ("endpoint", "endpoint", "编号", str),
        ("url", "url", "网址", str),
        ("types", "events", "事件", str),
        ("status", "status", "状态", named(ENDPOINTS)),
        *counts,
    )
    run.rows(rows, columns, data=found)


@command(app)
def types(run: Run) -> None:
    """Every kind of event that may be sent. 事件类型

    Example: marketplace webhooks types
    """
    with open_client(run, with_keys=False) as client:
        found = webhooks.types(client)
    rows = [{"stage": kind.partition(".")[0], "type": kind} for kind in found]
    run.rows(rows, (("stage", "stage", "阶段", str), ("type", "event", "事件", str)), data=found)


@command(app)
def messages(
    run: Run,
    endpoint: Endpoint,
    status: Annotated[str | None, typer.Option(help="pending, delivered or dead 状态")] = None,
) -> None:
    """The newest messages of an endpoint, and why the last try failed. 消息

    Example: marketplace webhooks messages we_5f… --status dead
    """
    with open_client(run) as client:
        found = webhooks.messages(client, endpoint, status)
    columns = (
        ("message", "message", "消息", str),
        ("type", "event", "事件", str),
        ("status", "status", "状态", lambda name: run.tr(*STATES[name])),
        ("attempts", "tries", "次数", str),
        ("createdAt", "made", "生成时间", moment),
        ("problem", "problem", "原因", str),
    )
    run.rows(found, columns, data=found)


@command(app)
def ping(run: Run, endpoint: Endpoint) -> None:
    """Have a message sent that says nothing, to try an endpoint. 测试

    Example: marketplace webhooks ping we_5f…
    """
    _done(run, lambda client: webhooks.ping(client, endpoint), "on its way", "已发出")


@command(app)
def replay(
    run: Run,
    endpoint: Endpoint,
    since: Annotated[
        Duration | None,
        typer.Option(parser=parse_duration, metavar="DURATION", help="all made in the last 3d 时间范围"),
    ] = None,
    message: Annotated[str | None, typer.Option(metavar="ID", help="one message, msg_… 单条消息")] = None,
) -> None:
    """Have messages sent again: one, all of the last days, or all that were given up. 重发

    Example: marketplace webhooks replay we_5f… --since 3d
    """
    begin = None if since is None else since.before(int(time.time()))
    _done(
        run,
        lambda client: webhooks.replay(client, endpoint, since=begin, message=message),
        "they will be sent again",
        "将重新发送",
    )


@command(app)
def rotate_secret(run: Run, endpoint: Endpoint) -> None:
    """A new secret, shown this once; the one before signs as well for a day. 更换密钥

    Example: marketplace webhooks rotate-secret we_5f…
    """
    _done(
        run,
        lambda client: webhooks.rotate(client, endpoint),
        "keep the new secret; the old one signs as well for a day",
        "请保存新密钥；旧密钥一天内仍同时签名",
    )


@command(app)
def remove(run: Run, endpoint: Endpoint) -> None:
    """Remove an endpoint with all that it was to be told. 移除

    Example: marketplace webhooks remove we_5f…
    """
    _done(run, lambda client: webhooks.remove(client, endpoint), "removed", "已移除")


def _done(run: Run, act: Any, en: str, zh: str) -> None:
    with open_client(run) as client:
        result = act(client)
    run.result(result, en, zh)
