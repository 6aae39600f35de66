"""A statement, an invoice or a trade voucher on paper: A4, Chinese and English, with a QR code that names the paper's
digest and the key that signed it; the credential is attached, and is what one verifies."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fpdf import FPDF, XPos, YPos
from fpdf.enums import WrapMode

from marketplace.currencies import CNY
from marketplace.documents import Document, money_of
from marketplace.documents.sheets import FONT, GREY, INK, LEFT, RED, WIDTH, begin, draw_code
from marketplace.quantities import money

ATTACHMENT = "paper.json"
TITLES = {
    "account_statement": ("账户对账单", "Account statement"),
    "invoice": ("账单", "Invoice"),
    "trade_voucher": ("交易凭证", "Trade voucher"),
}
WORDS = {
    "voucher": "凭证编号",
    "identifier": "标识",
    "contract": "合同事实",
    "assessment": "合同评估",
    "delivery": "交付记录",
    "payment": "支付记录",
    "account": "账户",
    "period": "账期",
    "currency": "币种",
    "opening": "期初余额",
    "closing": "期末余额",
    "movements": "变动",
    "lines": "明细",
    "totals": "合计",
    "seller": "卖方",
    "buyer": "买方",
    "order": "订单",
    "orders": "订单数",
    "listing": "挂牌",
    "asset": "资产",
    "plan": "价格方案",
    "mode": "方式",
    "prepaid": "托管金额",
    "refund": "退款",
    "gross": "含税总额",
    "fee": "平台手续费",
    "net": "净额",
    "tax": "含税额",
    "taxBps": "税率(万分之)",
    "rulebook": "规则集",
    "shares": "收益分成",
    "holder": "持有人",
    "amount": "金额",
    "balance": "余额",
    "cause": "事由",
    "about": "关联编号",
    "at": "时间",
    "settledAt": "结算时间",
    "paidAt": "支付时间",
    "event": "账本位置",
    "batch": "清算批次",
    "calls": "调用次数",
    "callsRoot": "调用记录根",
    "rounds": "交付次数",
    "noteHash": "交付单摘要",
    "ciphertextDigest": "密文摘要",
    "fingerprintId": "指纹编号",
    "deliveredAt": "交付时间",
    "epsilon": "隐私预算(百万分之)",
    "purpose": "用途",
    "region": "地区",
    "bill": "计费明细",
    "units": "数量",
    "unitPrice": "单价",
    "termsDigest": "条款摘要",
    "acceptanceDigest": "接受书摘要",
    "agreement": "协议",
    "priceIsThePlans": "价格与方案一致",
    "purposeIsPermitted": "用途获准",
    "withinEscrow": "未超托管金额",
    "withinBudget": "未超隐私预算",
    "digest": "摘要",
    "block": "区块",
    "logIndex": "事件序号",
    "intent": "签名意图",
}
MONEY = frozenset({"opening", "closing", "amount", "balance", "unitPrice"}) | {
    *("prepaid", "refund", "gross", "fee", "net", "tax")
}
_LEFT_OUT = frozenset({"type", "version", "code", "en"})
_LABEL, _LINE, _QR_MM = 62.0, 5.0, 38.0


def print_paper(signed: Mapping[str, Any], now: int) -> bytes:
    """The PDF of a credential that was verified; every field of the paper is on it.

    Args:
        now: unix seconds, the file's date.
    """
    paper, name = signed["credentialSubject"]["paper"], signed["credentialSubject"]["digest"]
    chinese, english = TITLES[paper["type"]]
    sheet = begin(FPDF(format="A4"), f"{chinese} {name}", now, top=18, bottom=18)
    for size, colour, text in ((20, RED, chinese), (11, INK, english)):
        sheet.set_font(FONT, size=size)
        sheet.set_text_color(*colour)
        sheet.cell(WIDTH - _QR_MM, size * 0.5, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    _note(sheet, signed, name)
    for depth, label, value in _rows(paper, 0, money_of(_paid(paper)).code):
        _row(sheet, depth, label, value)
    content = json.dumps(signed, ensure_ascii=False, indent=2).encode()
    sheet.embed_file(bytes=content, basename=ATTACHMENT, mime_type="application/json")
    return bytes(sheet.output())


def _paid(paper: Document) -> Document:
    """The part of a paper that names its currency."""
    found: Document = paper.get("payment", paper)
    return found


def _note(sheet: FPDF, signed: Mapping[str, Any], name: str) -> None:
    paper = signed["credentialSubject"]["paper"]
    code = money_of(_paid(paper)).code
    draw_code(sheet, f"TDM-PAPER:{name} {signed['issuer']}", left=LEFT + WIDTH - _QR_MM, top=18, size=_QR_MM)
    sheet.set_font(FONT, size=7.2)
    sheet.set_text_color(*GREY)
    text = (
        f"{name}\n{signed['issuer']}\n"
        "二维码为内容摘要与签发密钥；附件为签名凭证（W3C VC 2.0，eddsa-jcs-2022），可离线验证。"
        f"金额单位：{money_of(_paid(paper)).zh}。\n"
        "The QR code holds the digest and the key that signed; the signed credential is attached and verifies offline. "
        f"Amounts are in {'yuan' if code == CNY.code else code}."
    )
    sheet.multi_cell(
        WIDTH - _QR_MM - 8, 4.2, text, align="L", wrapmode=WrapMode.CHAR, new_x=XPos.LMARGIN, new_y=YPos.NEXT
    )
    sheet.set_y(max(sheet.get_y(), 18 + _QR_MM + 6))


def _rows(paper: Document, depth: int, code: str) -> Iterator[tuple[int, str, str]]:
    """(depth, label, text) of every field, in the paper's order."""
    for name, value in paper.items():
        if name in _LEFT_OUT:
            continue
        if name == "zh":  # an item of a bill, in both languages
            yield depth, "项目 item", f"{value} {paper['en']}"
            continue
        label = f"{WORDS.get(name, '')} {name}".strip()
        if isinstance(value, Mapping):
            yield depth, label, ""
            yield from _rows(dict(value), depth + 1, code)
        elif isinstance(value, list):
            yield depth, label, str(len(value))
            for number, item in enumerate(value, 1):
                yield depth + 1, f"{number}.", ""
                yield from _rows(dict(item), depth + 2, code)
        else:
            yield depth, label, money(value, code) if name in MONEY else _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    return "—" if value in (None, "") else str(value)


def _row(sheet: FPDF, depth: int, label: str, value: str) -> None:
    sheet.set_font(FONT, size=8)
    if sheet.will_page_break(2 * _LINE):
        sheet.add_page()
    top = sheet.get_y()
    sheet.set_text_color(*GREY)
    sheet.set_x(LEFT + 4 * depth)
    sheet.cell(_LABEL, _LINE, label)
    sheet.set_text_color(*INK)
    sheet.set_xy(LEFT + _LABEL, top)
    sheet.multi_cell(
        WIDTH - _LABEL, _LINE, value, align="L", wrapmode=WrapMode.CHAR, new_x=XPos.LMARGIN, new_y=YPos.NEXT
    )
