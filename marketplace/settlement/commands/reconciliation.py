"""`marketplace settlement reconcile`: does the bank say what the ledger says?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from crypto.canonical import load_json, sha256, to_hex
from marketplace import documents
from marketplace.auditor.bundle import open_bundle
from marketplace.console import Run, command
from marketplace.console.usage import BadValue
from marketplace.console.values import parse_address
from marketplace.errors import VerificationError
from marketplace.sdk import redemptions, settlement
from marketplace.sdk.http.foreign import read_json
from marketplace.sdk.opening import open_client
from marketplace.settlement.commands.group import app
from marketplace.settlement.statements.camt import parse_camt
from marketplace.settlement.statements.entries import BankStatement
from marketplace.settlement.statements.reconciliation import reconcile as compare
from marketplace.settlement.statements.table import parse_csv
from marketplace.types import RedemptionStatus
from marketplace.words import Words

MAX_PAYOUT_BYTES = 1 << 16
KINDS = {
    "missing_on_ledger": ("not on the ledger", "账本中没有"),
    "missing_at_bank": ("not in any statement", "对账单中没有"),
    "amount_differs": ("another amount", "金额不符"),
    "currency_differs": ("another currency", "币种不符"),
    "direction_differs": ("the other direction", "收付方向不符"),
    "beneficiary_differs": ("another beneficiary", "收款账户不符"),
    "duplicate_at_bank": ("twice in one statement, or in two accounts", "同一对账单或两个账户内重复"),
    "statements_disagree": ("two statements disagree", "两份对账单内容不一致"),
    "sequence_gap": ("a statement is missing", "对账单不连续"),
}


@command(app)
def reconcile(
    run: Run,
    *,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="STATEMENT", exists=True, dir_okay=False, help="camt.053 XML or CSV files 银行对账单"),
    ],
    profile: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="column mapping of CSV files, JSON 列映射文件")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="last day that CSV files cover, if the profile has none 涵盖至"),
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(exists=True, help="evidence bundle, to work offline 证据包(离线)")
    ] = None,
    bank: Annotated[
        str | None, typer.Option(metavar="ADDRESS", parser=parse_address, help="which bank; you if none 银行")
    ] = None,
) -> None:
    """Compare a bank's statements with what it issued and paid on the ledger; passes if nothing is unexplained. 对账

    Give all statements since the bank's first payment, in any order; the same one twice counts once. With --bundle
    nothing is asked of anybody: the rows are the bundle's, which `marketplace audit` proves. Anything that differs ends
    it with code 7. What the ledger has after the last day covered is listed as later, and is not reconciled.

    Example: marketplace settlement reconcile 2026-11.xml --bundle evidence.zip --bank 0x7099…79c8
    """
    statements = read_statements(files, profile, until or "")
    if bundle is not None:
        if bank is None:
            raise BadValue("say whose statements these are", "请指明对账单所属银行", "--bank")
        issues, paid, payees = _from_bundle(bundle)
        whose = bank
    else:
        with open_client(run) as client:
            issues, paid, whose = settlement.issues(client), redemptions.redemptions(client), bank or client.address
            payees = {
                row["redemptionId"]: redemptions.payout(client, row["redemptionId"])["accountNumber"]
                for row in paid
                if row["bank"] == whose and row["status"] == RedemptionStatus.PAID
            }
    report = compare(statements, issues, paid, whose, payees)
    found = {"bank": whose, "statements": [to_hex(sha256(path.read_bytes())) for path in files], **report.as_dict()}
    if run.as_json:
        run.json(found)
    else:
        _print(run, found)
    if report.unexplained:
        raise VerificationError(
            "reconciliation_differs",
            f"{report.unexplained} differences between bank and ledger are unexplained",
            zh=f"银行与账本有 {report.unexplained} 处差异未解释",
            rule="settlement.reconciled",
            expected=0,
            got=report.unexplained,
            hint="each is named above; correct the ledger or ask the bank, never the report",
            hint_zh="差异已逐项列出；请更正账本或询问银行，不得改动报告",
        )
    if not report.matched and (report.later or report.not_looked_at):
        raise VerificationError(
            "reconciliation_covers_nothing",
            "the statements cover nothing that the ledger has of this bank",
            zh="对账单未涵盖账本上该银行的任何收付",
            rule="settlement.reconciled",
            expected=Words(
                "statements of the currencies and until the days of the ledger's payments",
                "涵盖账本各笔收付的货币与日期的对账单",
            ),
            got=Words(
                f"{len(report.later)} later, other currencies: {', '.join(report.not_looked_at) or 'none'}",
                f"较晚 {len(report.later)} 笔，其他货币：{'、'.join(report.not_looked_at) or '无'}",
            ),
            hint="give the statements that cover them; nothing was reconciled",
            hint_zh="请提供涵盖上述收付的对账单；本次未完成任何对账",
        )


def read_statements(files: Sequence[Path], profile: Path | None, until: str = "") -> list[BankStatement]:
    """The statements in files: CSV, by the profile and until that day, where the name ends in .csv; else camt.053."""
    columns: dict[str, Any] = read_json(profile) if profile else {}
    found: list[BankStatement] = []
    for path in files:
        if path.suffix.lower() == ".csv":
            found.append(parse_csv(path.read_bytes(), columns, path.name, until))
        else:
            found += parse_camt(path.read_bytes())
    return found


def _from_bundle(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, str]]:
    """Issues, redemptions, and where each was to be paid to, as far as the bundle has it and it is what was signed."""
    with open_bundle(path) as opened:
        tables = (list(opened.lines(f"read_model/{table}.jsonl")) for table in ("issues", "redemptions"))
        issues, redeemed = ([load_json(line) for line in lines] for lines in tables)
        payees = {}
        for row in redeemed:
            name = f"documents/{row['payoutDigest'][2:]}.json"
            if name in opened.names():
                document = load_json(opened.read(name, MAX_PAYOUT_BYTES))
                if documents.digest(document) == row["payoutDigest"]:
                    payees[row["redemptionId"]] = documents.validate_payout(document)["accountNumber"]
    return issues, redeemed, payees


def _codes(found: Mapping[str, Any]) -> str:
    return ", ".join(found["currencies"]) or "-"


def _print(run: Run, found: Mapping[str, Any]) -> None:
    run.say(
        f"{found['matched']} payments match, {found['unexplained']} differences unexplained; {_codes(found)}",
        f"{found['matched']} 笔相符，{found['unexplained']} 处差异未解释；{_codes(found)}",
    )
    if found["later"]:
        run.say(
            f"not reconciled: {len(found['later'])} payments that the ledger has after the last day covered",
            f"未对账：账本在所涵盖的最后一日之后另有 {len(found['later'])} 笔",
        )
    if found["payeeUnknown"]:
        run.say(
            f"not compared to whom {len(found['payeeUnknown'])} payments went: statement or payout document is silent",
            f"未核对收款账户：{len(found['payeeUnknown'])} 笔（对账单或收款文件未载明）",
        )
    if found["unbalanced"]:
        run.say(
            f"without numbers or balances, so nobody can tell what they leave out: {', '.join(found['unbalanced'])}",
            f"未载编号或余额，无从判断是否有遗漏：{', '.join(found['unbalanced'])}",
        )
    if found["notLookedAt"]:
        others = ", ".join(found["notLookedAt"])
        run.say(f"not looked at: what the ledger has in {others}", f"未核对币种：{others}")
    columns = (
        ("kind", "difference", "差异", lambda kind: run.tr(*KINDS[kind])),
        ("item", "item", "项目", str),
        ("expected", "ledger", "账本", str),
        ("got", "bank", "银行", str),
    )
    if found["differences"]:
        run.rows(found["differences"], columns)
