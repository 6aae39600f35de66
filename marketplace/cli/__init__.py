"""The command `marketplace`: one group per stage, loaded when used. Exit codes live here alone.

Results go to standard output, refusals to standard error with their code, rule, what was expected, what came, and a
hint. No refusal prints a traceback; with MARKETPLACE_DEBUG=1 an unexpected error does.
"""

import os
import sys
import traceback
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from crypto.errors import CryptoError
from marketplace.console.command import RESOLVER, HomePath, Json, Language, Url
from marketplace.console.lazy import LazyGroup
from marketplace.console.run import Run, begin, current
from marketplace.console.usage import HELP, from_usage, run_of
from marketplace.console.values import Code
from marketplace.documents.identifiers import Identifier, Kind
from marketplace.errors import (
    ConfigurationError,
    InvalidInputError,
    MarketplaceError,
    NotAuthorizedError,
    NotFoundError,
    PortError,
    RuleError,
    VerificationError,
)
from marketplace.refusals.cryptographic import from_crypto
from marketplace.refusals.reasons import reason_of
from marketplace.words import Words

GROUPS = {
    "keys": ("marketplace.sdk.commands", "your keys and your folder 密钥"),
    "participants": ("marketplace.participants.commands", "join, admit, suspend 主体"),
    "persons": (
        "marketplace.participants.commands.persons",
        "several persons' keys, guardians, recovery 多人密钥与恢复",
    ),
    "session": (
        "marketplace.participants.commands.identities",
        "sign in with an OpenID Connect provider 第三方登录",
    ),
    "rights": ("marketplace.rights.commands", "register, confirm, transfer, certificates 确权登记"),
    "registrations": ("marketplace.registrations.commands", "cases: file, review, notice, objection, deposit 登记案件"),
    "rulebooks": ("marketplace.cli.rulebooks", "the rules of registration as data 登记规则"),
    "listings": ("marketplace.listings.commands", "list and delist products 挂牌"),
    "agreements": ("marketplace.agreements.commands", "sign a model form with another side 协议"),
    "lineage": ("marketplace.lineage.commands", "what products are made of, and consents 产品来源与同意"),
    "deliveries": ("marketplace.deliveries.commands", "files sealed to the buyer, and their acceptance 交付与验收"),
    "api": ("marketplace.api.commands", "data delivered call by call, and its service levels 接口交付"),
    "orders": ("marketplace.orders.commands", "buy: money into escrow, a right to use 交易"),
    "queries": ("marketplace.queries.commands", "ask questions of sealed data 密态查询"),
    "settlement": ("marketplace.settlement.commands", "pay, split, refund, statements 结算"),
    "statements": ("marketplace.settlement.commands.statements", "an account's month 账户对账单"),
    "invoices": ("marketplace.settlement.commands.invoices", "what a seller billed a buyer in a month 账单"),
    "vouchers": ("marketplace.settlement.commands.vouchers", "proof of one settled and paid order 交易凭证"),
    "clearing": ("marketplace.clearing.commands", "net many orders and debts in batches 清算"),
    "evidence": ("marketplace.evidence.commands", "log, checkpoints, evidence bundles 存证"),
    "resolve": ("marketplace.identifiers.commands", "what an identifier, an id or a DID stands for 标识解析"),
    "webhooks": ("marketplace.webhooks.commands", "tell your own systems what happened 事件通知"),
    "audit": ("marketplace.auditor.commands", "re-derive everything from evidence, trusting nobody 审计"),
    "vault": ("marketplace.vault.commands", "the supplier's side: seal data, release answers 供方数据保险库"),
    "custodian": ("marketplace.vault.custodian.commands", "holds half of a sealing key 密钥托管方"),
    "gateway": ("marketplace.gateway.commands", "the seller's side of calls: answer them 卖方接口网关"),
    "panel": ("marketplace.panel.commands", "a compute node on sealed data 计算节点"),
    "ledger": ("marketplace.cli.ledger", "the ledger's state; rebuild what is derived 账本"),
    "operator": ("marketplace.cli.operator", "the operator's own keys 运营方密钥"),
    "serve": ("marketplace.cli.serve", "run the exchange: API and worker 启动服务"),
}

# One code per family of errors; a script can tell "refused by a rule" from "try again later".
EXIT_CODES: dict[type[Exception], int] = {
    InvalidInputError: 2,
    NotFoundError: 3,
    NotAuthorizedError: 4,
    RuleError: 5,
    PortError: 6,
    VerificationError: 7,
    ConfigurationError: 8,
    CryptoError: 9,
}
EXIT_UNEXPECTED = 1
EXIT_INTERRUPTED = 130


class Root(LazyGroup):
    """The table above as a group."""

    table = GROUPS


app = typer.Typer(
    cls=Root,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="A trusted data marketplace: usable, not visible. 可信数据市场：可用不可见",
)


@app.callback()
def root(
    ctx: typer.Context, as_json: Json = False, lang: Language = None, home: HomePath = None, url: Url = None
) -> None:
    """A trusted data marketplace: usable, not visible. 可信数据市场：可用不可见"""
    RESOLVER.set(_whole_id)
    ctx.obj = {"as_json": as_json, "lang": lang, "home": home, "url": url}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; refusals are printed, never raised."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        ended = app(args=words, prog_name="marketplace", standalone_mode=False)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else EXIT_UNEXPECTED
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except TyperException as error:
        return _misused(error, words)
    except (MarketplaceError, CryptoError) as error:
        told = error if isinstance(error, MarketplaceError) else from_crypto(error)
        return _refuse(told, exit_code(error))
    except Exception as error:
        told = _unusable(error) if isinstance(error, OSError) and error.filename else _unexpected(error)
        return _refuse(told, exit_code(told))
    return ended if isinstance(ended, int) else 0


def _whole_id(run: Run, name: Identifier | Code) -> str:
    """Ask the service, and check what it says; an order is told to its parties alone."""
    from marketplace.sdk import identifiers, opening  # noqa: PLC0415 - help must not load the client

    private = isinstance(name, Identifier) and name.kind in (Kind.ORDER, Kind.TRADE)
    with opening.open_client(run, with_keys=private) as client:
        found = identifiers.resolve(client, str(name))
    return str(found["facts"]["assetId"] if isinstance(name, Code) else found["subject"])


def exit_code(error: Exception) -> int:
    """The exit code of an error's family."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), EXIT_UNEXPECTED)


def _misused(error: TyperException, words: Sequence[str]) -> int:
    if type(error).__name__ == HELP:
        sys.stderr.write(error.format_message() + "\n")
        return EXIT_CODES[InvalidInputError]
    begin(run_of(words))
    return _refuse(from_usage(error), EXIT_CODES[InvalidInputError])


def _refuse(error: MarketplaceError, code: int) -> int:
    current().show_error(error, code)
    return code


def _unusable(error: OSError) -> MarketplaceError:
    """A file that somebody named, or that is in somebody's folder, and that cannot be read or written."""
    reason = reason_of(error)
    return ConfigurationError(
        "file_unusable",
        f"{error.filename}: {reason.en}",
        zh=f"无法读写文件 {error.filename}：{reason.zh}",
        rule="cli.files_are_usable",
        expected=Words(
            "a file that can be read, or a folder with room that can be written to",
            "可读取的文件，或有空间且可写入的目录",
        ),
        got=type(error).__name__,
        hint="check the path, its permissions and the room on the disk, and run the command again",
        hint_zh="请核对路径、权限与磁盘空间后重试",
    )


def _unexpected(error: Exception) -> MarketplaceError:
    if os.environ.get("MARKETPLACE_DEBUG"):
        traceback.print_exception(error)
    return MarketplaceError(
        "unexpected_error",
        f"{type(error).__name__}: {error}",
        zh=f"程序内部错误 {type(error).__name__}: {error}",
        hint="this is a defect; run it again with MARKETPLACE_DEBUG=1 and report what it prints",
        hint_zh="这是程序缺陷；请设置 MARKETPLACE_DEBUG=1 重试并反馈输出",
    )
