"""A statement, an invoice or a trade voucher on paper: A4, Chinese and English, with a QR code that names the paper's
digest and the key that signed it; the credential is attached, and is what one verifies."""

import json
from collections.abc import Mapping
from typing import Any

from fpdf import FPDF, FontFace, XPos, YPos
from fpdf.enums import TableBordersLayout, WrapMode

from marketplace.currencies import CNY, currency_of
from marketplace.documents.sheets import FONT, GREY, INK, LEFT, RED, WIDTH, Numbered, begin, draw_code
from marketplace.settlement.papers.layout import TITLES, Facts, Section, Table, both, currency_of_paper, sections_of

ATTACHMENT = "paper.json"
_LABEL, _LINE, _QR_MM = 57.0, 4.8, 34.0
_HEAD = FontFace(emphasis="", color=GREY)
_GROUP = FontFace(emphasis="", fill_color=(244, 244, 246))


def print_paper(signed: Mapping[str, Any], now: int) -> bytes:
    """The PDF of a credential that was verified.

    Args:
        now: unix seconds, the file's date.
    """
    paper, name = signed["credentialSubject"]["paper"], signed["credentialSubject"]["digest"]
    title = TITLES[paper["type"]]
    sheet = begin(Numbered("摘要 Digest", name), f"{title.zh} {name}", now, top=18, bottom=20)
    for size, colour, text in ((20, RED, title.zh), (11, INK, title.en)):
        sheet.set_font(FONT, size=size)
        sheet.set_text_color(*colour)
        sheet.cell(WIDTH - _QR_MM, size * 0.5, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    _note(sheet, signed)
    for section in sections_of(paper):
        _section(sheet, section)
    content = json.dumps(signed, ensure_ascii=False, indent=2).encode()
    sheet.embed_file(bytes=content, basename=ATTACHMENT, mime_type="application/json")
    return bytes(sheet.output())


def _note(sheet: FPDF, signed: Mapping[str, Any]) -> None:
    subject, currency = (
        signed["credentialSubject"],
        currency_of(currency_of_paper(signed["credentialSubject"]["paper"])),
    )
    draw_code(
        sheet, f"TDM-PAPER:{subject['digest']} {signed['issuer']}", left=LEFT + WIDTH - _QR_MM, top=18, size=_QR_MM
    )
    sheet.set_font(FONT, size=7.2)
    sheet.set_text_color(*GREY)
    chinese = (
        f"签发 Issued by {signed['issuer']}\n"
        f"数据截至 As of {signed['proof']['created'].replace('T', ' ')}\n"
        "二维码为内容摘要与签发密钥；附件为签名凭证（W3C VC 2.0，eddsa-jcs-2022），含全部字段，可离线验证。"
        f"金额单位：{currency.zh}；时间为协调世界时。"
    )
    english = (
        "The QR code holds the digest and the key that signed; the signed credential, with every field, is attached "
        f"and verifies offline. Amounts are in {'yuan' if currency is CNY else currency.code}, times in UTC."
    )
    # Chinese has no blanks to break at; English breaks between words.
    for text, mode in ((chinese, WrapMode.CHAR), (english, WrapMode.WORD)):
        sheet.multi_cell(WIDTH - _QR_MM - 8, 4.2, text, align="L", wrapmode=mode, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    sheet.set_y(max(sheet.get_y(), 18 + _QR_MM + 4))


def _section(sheet: FPDF, section: Section) -> None:
    if section.title.zh:
        if sheet.will_page_break(6 * _LINE):  # a title stays with what it is the title of
            sheet.add_page()
        sheet.ln(2.5)
        sheet.set_font(FONT, size=10)
        sheet.set_text_color(*RED)
        sheet.cell(WIDTH, 6.5, both(section.title), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    if isinstance(section, Facts):
        for label, value in section.rows:
            _fact(sheet, both(label), value)
    else:
        _table(sheet, section)


def _fact(sheet: FPDF, label: str, value: str) -> None:
    sheet.set_font(FONT, size=7.8)
    if sheet.will_page_break(2 * _LINE):
        sheet.add_page()
    top = sheet.get_y()
    sheet.set_text_color(*GREY)
    sheet.cell(_LABEL, _LINE, label)
    sheet.set_text_color(*INK)
    sheet.set_xy(LEFT + _LABEL, top)
    sheet.multi_cell(
        WIDTH - _LABEL, _LINE, value, align="L", wrapmode=WrapMode.CHAR, new_x=XPos.LMARGIN, new_y=YPos.NEXT
    )


def _table(sheet: FPDF, section: Table) -> None:
    sheet.set_font(FONT, size=7.2)
    sheet.set_text_color(*INK)
    sheet.set_draw_color(222, 222, 222)
    columns = len(section.heads)
    with sheet.table(
        width=WIDTH,
        align="LEFT",
        col_widths=tuple(section.widths),
        text_align=("LEFT",) * (columns - section.amounts) + ("RIGHT",) * section.amounts,
        line_height=4.2,
        padding=(0.5, 1),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=_HEAD,
    ) as table:
        table.row([both(head) for head in section.heads])
        for texts in section.rows:
            if len(texts) < columns:
                table.row().cell(texts[0], colspan=columns, style=_GROUP)
            else:
                table.row(list(texts))
