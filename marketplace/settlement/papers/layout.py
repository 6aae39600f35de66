"""What of a statement, an invoice or a trade voucher stands where on paper: sections of facts and tables, in Chinese
and English. Pure; printing.py draws them. What has no place here is in the attached credential, which holds every
field.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.documents import Document
from marketplace.quantities import epsilon, money
from marketplace.settlement.statements.causes import words_of
from marketplace.types import ZERO_DIGEST
from marketplace.words import DELIVERIES, MODES, PURPOSES, Words

Line = Mapping[str, Any]
NONE = "—"
TITLES = {
    "account_statement": Words("Account statement", "账户对账单"),
    "invoice": Words("Invoice", "账单"),
    "trade_voucher": Words("Trade voucher", "交易凭证"),
}
_AMOUNTS = {
    "prepaid": Words("held in escrow", "托管金额"),
    "refund": Words("refund to the buyer", "退还买方"),
    "gross": Words("gross, tax included", "含税总额"),
    "tax": Words("tax in it", "其中税额"),
    "fee": Words("venue fee", "平台手续费"),
    "net": Words("net", "净额"),
}
_CHECKS = {
    "priceIsThePlans": Words("the price is the plan's", "价格与方案一致"),
    "purposeIsPermitted": Words("the purpose is permitted", "用途获准"),
    "withinEscrow": Words("within the escrow", "未超托管金额"),
    "withinBudget": Words("within the privacy budget", "未超隐私预算"),
}
_RECORD = {
    "calls": Words("calls", "调用次数"),
    "callsRoot": Words("root of the call records", "调用记录根"),
    "rounds": Words("times delivered", "交付次数"),
    "noteHash": Words("delivery note", "交付单摘要"),
    "ciphertextDigest": Words("ciphertext", "密文摘要"),
    "fingerprintId": Words("fingerprint", "指纹编号"),
}


@dataclass(frozen=True)
class Facts:
    """A section of labelled values; its title may be empty."""

    title: Words
    rows: Sequence[tuple[Words, str]]


@dataclass(frozen=True)
class Table:
    """A section in columns.

    Args:
        heads: of the columns. widths: their parts of the page. amounts: how many of the last columns are numbers.
        rows: a text for each column; a single one stands across them all, as the head of what follows.
    """

    title: Words
    heads: Sequence[Words]
    widths: Sequence[int]
    amounts: int
    rows: Sequence[Sequence[str]]


Section = Facts | Table


def sections_of(paper: Document) -> list[Section]:
    """The sections of a paper, from the top."""
    return _SECTIONS[paper["type"]](paper)


def currency_of_paper(paper: Document) -> str:
    """ISO 4217 code of a paper's amounts."""
    return str(paper.get("payment", paper)["currency"])


def both(words: Words) -> str:
    """A label in both languages."""
    return f"{words.zh} {words.en}"


def _statement(paper: Document) -> list[Section]:
    code = paper["currency"]
    head = [
        (Words("account", "账户"), paper["account"]),
        (Words("month", "账期"), paper["period"]),
        (Words("currency", "币种"), code),
        (Words("opening balance", "期初余额"), money(paper["opening"], code)),
        (Words("closing balance", "期末余额"), money(paper["closing"], code)),
    ]
    rows = [
        (
            _time(line["at"]),
            "\n".join((words_of(line["cause"]).zh, words_of(line["cause"]).en)),
            line["about"] or NONE,
            money(line["amount"], code),
            money(line["balance"], code),
        )
        for line in paper["movements"]
    ]
    heads = (
        *(Words("time", "时间"), Words("cause", "事由"), Words("about", "关联编号")),
        *(Words("amount", "金额"), Words("balance", "余额")),
    )
    return [Facts(Words("", ""), head), Table(Words("Movements", "变动"), heads, (17, 27, 30, 13, 13), 2, rows)]


def _invoice(paper: Document) -> list[Section]:
    code = paper["currency"]
    head = [
        (Words("seller", "卖方"), paper["seller"]),
        (Words("buyer", "买方"), paper["buyer"]),
        (Words("month", "账期"), paper["period"]),
        (Words("currency", "币种"), code),
    ]
    rows = [row for line in paper["lines"] for row in _order(line, code)]
    heads = (Words("item", "项目"), Words("units", "数量"), Words("unit price", "单价"), Words("amount", "金额"))
    totals = paper["totals"]
    counted = (Words("orders", "订单数"), str(totals["orders"]))
    return [
        Facts(Words("", ""), head),
        Table(Words("Settled orders", "已结算订单"), heads, (52, 14, 17, 17), 3, rows),
        Facts(Words("Totals", "合计"), [counted, *_amounts(totals, code)]),
    ]


def _order(line: Line, code: str) -> Iterator[Sequence[str]]:
    """The rows of one order in an invoice: which, what the plan asks for, and what it comes to."""
    paid = _time(line["paidAt"]) if line["paidAt"] else "待批次支付 when its batch pays"
    plan = both(Words(line["plan"]["mode"], MODES[line["plan"]["mode"]]))
    yield (
        f"{line['identifier']} · {line['order']}\n结算 settled {_time(line['settledAt'])} · 支付 paid {paid} · "
        f"{plan} · 规则集 rulebook {line['rulebook']}",
    )
    for item in line["bill"]:
        units = (f"{item['units']:,}", money(item["unitPrice"], code), money(item["amount"], code))
        yield (f"{item['zh']} {item['en']}", *units)
    for label, value in _amounts(line, code):
        yield (both(label), "", "", value)


def _voucher(paper: Document) -> list[Section]:
    contract, checks, paid = paper["contract"], paper["assessment"], paper["payment"]
    judged = [(words, "是 yes" if checks[name] else "否 no") for name, words in _CHECKS.items()]
    return [
        Facts(Words("", ""), [(Words("trade", "交易标识"), paper["identifier"])]),
        Facts(Words("Contract", "合同事实"), _contract(contract)),
        Facts(Words("Assessment", "合同评估"), [*judged, (Words("rulebook", "规则集"), checks["rulebook"])]),
        Facts(Words("Delivery", "交付记录"), _delivery(paper["delivery"])),
        Facts(Words("Payment", "支付记录"), _payment(paid)),
        Table(
            Words("Revenue shares", "收益分成"),
            (Words("holder", "持有人"), Words("due through asset", "来自资产"), Words("amount", "金额")),
            (36, 48, 16),
            1,
            [(share["holder"], share["asset"], money(share["amount"], paid["currency"])) for share in paid["shares"]],
        ),
    ]


def _contract(contract: Line) -> list[tuple[Words, str]]:
    mode, purpose = contract["plan"]["mode"], contract["purpose"]
    cited = NONE if contract["agreement"] == ZERO_DIGEST else contract["agreement"]
    return [
        (Words("seller", "卖方"), contract["seller"]),
        (Words("buyer", "买方"), contract["buyer"]),
        (Words("order", "订单"), contract["order"]),
        (Words("asset", "资产"), contract["asset"]),
        (Words("listing", "挂牌"), contract["listing"]),
        (Words("purpose", "用途"), both(Words(purpose, PURPOSES[purpose]))),
        (Words("region", "地区"), contract["region"]),
        (Words("price plan", "价格方案"), f"{both(Words(mode, MODES[mode]))}\n{contract['plan']['digest']}"),
        (Words("agreement", "协议"), cited),
        (Words("terms", "条款摘要"), contract["termsDigest"]),
        (Words("acceptance", "接受书摘要"), contract["acceptanceDigest"]),
    ]


def _delivery(delivery: Line) -> list[tuple[Words, str]]:
    mode = delivery["mode"]
    rows = [(Words("way", "方式"), both(Words(mode, DELIVERIES[mode])))]
    rows += [(words, str(delivery[name])) for name, words in _RECORD.items() if name in delivery]
    if "epsilon" in delivery:
        rows.append((Words("privacy budget used", "已用隐私预算"), epsilon(delivery["epsilon"])))
    if "deliveredAt" in delivery:
        rows.append((Words("delivered", "交付时间"), _time(delivery["deliveredAt"])))
    return rows


def _payment(paid: Line) -> list[tuple[Words, str]]:
    place, rate = paid["event"], money(paid["taxBps"])
    return [
        (Words("currency", "币种"), paid["currency"]),
        *_amounts(paid, paid["currency"]),
        (Words("rate of tax", "税率"), f"{rate} % · {paid['rulebook']}"),
        (Words("settled", "结算时间"), _time(paid["settledAt"])),
        (Words("paid", "支付时间"), _time(paid["paidAt"])),
        (Words("clearing batch", "清算批次"), paid["batch"] or NONE),
        (Words("on the ledger", "账本位置"), f"{place['block']} · {place['logIndex']}\n{place['intent']}"),
    ]


def _amounts(line: Line, code: str) -> list[tuple[Words, str]]:
    return [(words, money(line[name], code)) for name, words in _AMOUNTS.items()]


def _time(text: str) -> str:
    return text.replace("T", " ")


_SECTIONS = {"account_statement": _statement, "invoice": _invoice, "trade_voucher": _voucher}
