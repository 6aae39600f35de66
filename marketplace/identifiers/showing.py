"""A record as a page would show it: every line with its label in both languages, related objects as links.

No page is made here; a portal, a printed certificate or a terminal lays out the lines as they come.
"""

from typing import Any

from marketplace.documents import Document
from marketplace.rights.remarks import words_of_input, words_of_remark
from marketplace.rights.standing import DISPUTED

LABELS = {
    "identifier": ("identifier", "标识"),
    "status": ("status", "状态"),
    "reason": ("because", "原因"),
    "disputed": ("warning", "提示"),
    "since": ("on the ledger since", "上链时间"),
    "until": ("no longer in force since", "失效时间"),
    "validUntil": ("valid until", "有效期至"),
    "account": ("address", "地址"),
    "roles": ("roles", "角色"),
    "assetId": ("asset id", "资产编号"),
    "holder": ("held by", "持有主体"),
    "registrant": ("registered by", "登记主体"),
    "manifestDigest": ("digest of the manifest", "清单摘要"),
    "versions": ("versions", "版本数"),
    "listingId": ("listing id", "挂牌编号"),
    "seller": ("seller", "供方"),
    "termsDigest": ("digest of the terms", "条款摘要"),
    "price": ("price of a query, fen", "单次查询价格(分)"),
    "certificateDigest": ("digest of the certificate", "凭证摘要"),
    "orderId": ("order id", "订单编号"),
    "buyer": ("buyer", "需方"),
    "agreementDigest": ("digest of the agreement", "协议摘要"),
    "remark": ("remark", "备注"),
    "did": ("decentralised identifier", "分布式标识"),
}
RELATIONS = {
    "holder": ("held by", "持有主体"),
    "series": ("series", "所属系列"),
    "certificate": ("certificate", "登记凭证"),
    "predecessor": ("the version before", "前一版本"),
    "successor": ("replaced by", "后续版本"),
    "newest": ("newest version", "最新版本"),
    "version": ("version", "版本"),
    "seller": ("seller", "供方"),
    "buyer": ("buyer", "需方"),
    "data": ("data set", "数据资产"),
    "order": ("order", "订单"),
    "product": ("product", "数据产品"),
    "input": ("made of", "来源数据"),
}


def page(record: Document) -> Document:
    """A page-ready record.

    Returns:
        {"heading", "kind", "status", "inForce": what to show first; "lines": [{"label", "value"}]; "links": [{"label",
        "text", "href"}]}; every text is {"en", "zh"}.
    """
    shown = {"identifier": record["grouped"], "status": record["statusName"]}
    if reason := record["reason"]:
        shown |= {"reason": _said((reason["message"], reason["zh"]))}
    shown |= {"disputed": _said(DISPUTED) if record["disputed"] else None}
    shown |= {"since": _when(record["since"]), "until": _when(record["until"]), "validUntil": record["validUntil"]}
    shown |= {**record["facts"], "did": record["did"]}
    lines = [{"label": _label(LABELS, name), "value": _text(value)} for name, value in shown.items() if value]
    for told in record["remarks"]:
        lines.append({"label": _label(LABELS, "remark"), "value": _said(words_of_remark(told), told["holder"])})
    links = [
        {"label": _label(RELATIONS, link["rel"]), "text": _text(link["identifier"]), "href": link["href"]}
        for link in record["links"]
    ]
    for told in record["inputs"]:
        text = _said(words_of_input(told), told["identifier"])
        links.append({"label": _label(RELATIONS, "input"), "text": text, "href": told["href"]})
    return {
        "heading": record["title"] or _text(record["grouped"]),
        "kind": record["kindName"],
        "status": record["statusName"],
        "inForce": record["inForce"],
        "lines": lines,
        "links": links,
    }


def _said(words: tuple[str, str], about: str = "") -> dict[str, str]:
    """Words in both languages, and what they are about."""
    return {name: f"{said} · {about}" if about else said for name, said in zip(("en", "zh"), words, strict=True)}


def _label(labels: dict[str, tuple[str, str]], name: str) -> dict[str, str]:
    en, zh = labels[name]
    return {"en": en, "zh": zh}


def _when(moment: dict[str, Any] | None) -> dict[str, str] | None:
    if moment is None or moment["block"] is None:
        return None if moment is None else _text(moment["time"])
    time, block = moment["time"], moment["block"]
    return {"en": f"{time}, block {block}", "zh": f"{time},第 {block} 区块"}


def _text(value: Any) -> dict[str, str]:
    """`value` in both languages, which are the same for what is no word."""
    if isinstance(value, dict):
        return value
    words = ", ".join(value) if isinstance(value, list) else str(value)
    return {"en": words, "zh": words}
