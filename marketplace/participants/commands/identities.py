"""`marketplace session`: signing in with the exchange's OpenID Connect provider, and who may do so for an account."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from marketplace.console import Run, command, group
from marketplace.console.naming import Listed
from marketplace.console.usage import BadValue
from marketplace.console.values import parse_digest
from marketplace.participants.commands.persons import parse_acts
from marketplace.sdk import oidc
from marketplace.sdk.client import Client
from marketplace.sdk.home import Home
from marketplace.sdk.http.loopback import PATH, waiting
from marketplace.sdk.http.session import SavedSession
from marketplace.sdk.opening import open_client
from marketplace.types import Act

app = group("Sign in with the exchange's OpenID Connect provider; link persons to your account. 第三方登录与身份关联")
Paste = Annotated[
    bool, typer.Option("--paste", help="no browser here: open the address elsewhere, paste the one it ends on 粘贴地址")
]
COLUMNS = (
    ("identity", "identity", "身份", str),
    ("acts", "acts", "权限", Listed(Act)),
    ("validUntil", "until", "失效", str),
    ("linkedBy", "linked by", "关联密钥", str),
)


@command(app)
def login(run: Run, *, paste: Paste = False) -> None:
    """Sign in with the exchange's provider; commands in this folder then read for whoever linked you. 第三方登录

    Such a session signs nothing. Where this folder holds keys, commands go on using the keys.

    Example: marketplace session login --home ./analyst
    """
    home = Home.locate(run.home)
    with open_client(run, with_keys=False) as client:
        _ = client.profile  # pins the service before anybody signs in to it
        found = _in_browser(run, client, paste, lambda begun, address: oidc.sign_in(client, begun, address))
        saved = SavedSession(client.url, str(found["token"]), str(found["account"]), str(found["expires_at"]))
    saved.save(home.session)
    facts = {"account": saved.account, "expiresAt": saved.expires_at, "file": str(home.session)}
    run.result(facts, "signed in; it reads and signs nothing", "已登录；该会话只读，不能签名")


@command(app)
def logout(run: Run) -> None:
    """End the session that `login` left in this folder. 退出登录

    Example: marketplace session logout --home ./analyst
    """
    home = Home.locate(run.home)
    saved = _saved(home)
    home.session.unlink()
    with Client(saved.url, signed_in=saved) as client:
        client.sign_out()
    run.result({"account": saved.account}, "signed out", "已退出登录")


@command(app)
def link(
    run: Run,
    *,
    act: Annotated[
        list[str] | None, typer.Option(help="what its sessions may do besides READ, repeatable 权限")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="until the link ends 有效天数")] = 90,
    paste: Paste = False,
) -> None:
    """Link whoever signs in with the provider now to your account, as an administrator; it reads for you. 关联身份

    Example: marketplace session link --days 30
    """
    acts = parse_acts(act or []) | Act.READ
    with open_client(run) as client:
        found = _in_browser(run, client, paste, lambda begun, address: oidc.link(client, begun, address, acts, days))
    run.result(found, "linked", "已关联")


@command(app)
def links(run: Run) -> None:
    """Who may sign in for your account with the provider. 已关联身份

    Example: marketplace session links
    """
    with open_client(run) as client:
        run.rows(oidc.list_links(client), COLUMNS, run.tr("linked identities", "已关联身份"))


@command(app)
def unlink(
    run: Run,
    identity: Annotated[
        str | None, typer.Argument(metavar="IDENTITY", parser=parse_digest, help="a linked identity 已关联身份")
    ] = None,
    *,
    me: Annotated[bool, typer.Option("--me", help="the link that this folder is signed in by 本人")] = False,
) -> None:
    """End a link, its sessions and the webhooks that it registered, as an administrator, or one's own. 解除关联

    Example: marketplace session unlink 0x5fe7f977e71dba2ea1a68e21057beebb9be2ac30c6410aa38d4f3fbe41dcffd2
    """
    if me == (identity is not None):
        raise BadValue("name an identity, or --me", "请指明身份或使用 --me", "IDENTITY")
    if identity is not None:
        with open_client(run) as client:
            result = oidc.unlink(client, identity)
    else:
        result = _leave(Home.locate(run.home))
    run.result(result, "unlinked; its sessions are over", "已解除关联，其会话已失效")


def _saved(home: Home) -> SavedSession:
    saved = SavedSession.load(home.session)
    if saved is None:
        raise BadValue("nobody is signed in in this folder", "本目录未登录", "--home")
    return saved


def _leave(home: Home) -> dict[str, Any]:
    """End the link that this folder is signed in by; the session is kept until that went through."""
    saved = _saved(home)
    with Client(saved.url, signed_in=saved) as client:
        result = oidc.unlink_myself(client)
    home.session.unlink()
    return result


def _in_browser(
    run: Run, client: Client, paste: bool, end: Callable[[oidc.Begun, str], dict[str, Any]]
) -> dict[str, Any]:
    """Have the person sign in, here or elsewhere, and end it with the address that the browser came back to."""
    if paste:
        begun = oidc.begin(client, f"http://127.0.0.1{PATH}")
        _show(run, begun)
        answer = run.ask_secret("address that the browser ended on (not shown)", "浏览器最终停留的完整地址（不显示）")
        return end(begun, (answer or "").strip())
    with waiting() as door:
        begun = oidc.begin(client, door.redirect_uri)
        _show(run, begun)
        return end(begun, door.address(begun.state))


def _show(run: Run, begun: oidc.Begun) -> None:
    """On standard error, so that results stay clean; a program that asked for JSON gets an object of one line."""
    if run.as_json:
        run.err.file.write(json.dumps({"open": begun.url, "issuer": begun.issuer}) + "\n")
        run.err.file.flush()
        return
    run.notice(
        run.tr(f"open this address and sign in with {begun.issuer}:", f"请打开以下地址，在 {begun.issuer} 登录：")
    )
    run.notice(begun.url)
