"""An agreement on paper: A4, Chinese and English, digest and page number on every page; the canonical document is
attached, so that whoever has the file can hash it.

marketplace.documents.sheets has what all printed papers share.
"""

from datetime import UTC, datetime

from fpdf import FPDF, XPos, YPos
from fpdf.enums import WrapMode

from marketplace.agreements.signing import Signed
from marketplace.agreements.wording import Article, Bilingual, Paper
from marketplace.documents import Document, canonical
from marketplace.documents.sheets import GREY, INK, LEFT, RED, WIDTH, Numbered, begin

ATTACHMENT = "agreement.json"
_LABEL = 62.0
_BLANK = "_" * 36


def to_pdf(agreement: Document, paper: Paper, signed: Signed, now: int) -> bytes:
    """The PDF.

    Args:
        agreement: the document that `paper` writes out; attached.
        now: unix seconds, printed as the time of printing.
    """
    sheet = _begin(paper, now)
    _heading(sheet, paper, signed, now)
    for article in paper.articles:
        _article(sheet, article)
    _annex(sheet, paper)
    _sign_off(sheet, paper, signed)
    _lines(sheet, paper.note, size=7.5, colour=GREY)
    sheet.embed_file(bytes=canonical(agreement), basename=ATTACHMENT, mime_type="application/json")
    return bytes(sheet.output())


def _begin(paper: Paper, now: int) -> FPDF:
    return begin(Numbered("协议摘要 Digest", paper.digest), f"{paper.title[0]} {paper.digest}", now, top=18, bottom=20)


def _heading(sheet: FPDF, paper: Paper, signed: Signed, now: int) -> None:
    for size, colour, height, text in ((20, RED, 11, paper.title[0]), (11, INK, 7, paper.title[1])):
        _line(sheet, text, size=size, colour=colour, height=height, align="C")
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M UTC")
    for text in (f"打印时状态 Status when printed, {moment}", f"{signed.words[0]} · {signed.words[1]}"):
        _line(sheet, text, size=9, colour=RED, height=5, align="C")
    sheet.ln(2)
    for label, address in paper.parties:
        _row(sheet, f"{label[0]} {label[1]}", address)
    _row(sheet, "协议编号 Agreement", paper.agreement_id)
    _row(sheet, "示范文本 Form", f"{paper.form}\n{paper.form_digest}")
    if paper.amends:
        _row(sheet, "前一版本 Amends", paper.amends)
    sheet.ln(2)


def _article(sheet: FPDF, article: Article) -> None:
    sheet.ln(1.5)
    _line(sheet, f"第 {article.number} 条 {article.title[0]} · Article {article.number} {article.title[1]}", size=10.5)
    for number, clause in enumerate(article.clauses, 1):
        _lines(sheet, clause, prefix=f"{article.number}.{number} ")


def _annex(sheet: FPDF, paper: Paper) -> None:
    if not paper.annex:
        return
    sheet.ln(2)
    _line(sheet, "附件：质量指标 · Annex: quality", size=10.5)
    for metric, limit in paper.annex:
        _row(sheet, f"{metric[0]} {metric[1]}", f"{limit[0]} · {limit[1]}")


def _sign_off(sheet: FPDF, paper: Paper, signed: Signed) -> None:
    made = dict(signed.signatures)
    sheet.ln(3)
    _line(sheet, "签署 · Signatures", size=10.5)
    for label, address in paper.parties:
        _row(sheet, f"{label[0]} {label[1]}", f"{address}\n{made.get(address, _BLANK)}")
    if signed.place:
        _row(sheet, "账本 Ledger", signed.place)
    sheet.ln(2)


def _lines(
    sheet: FPDF, words: Bilingual, *, prefix: str = "", size: float = 9.0, colour: tuple[int, int, int] = INK
) -> None:
    # Chinese has no blanks to break at; English breaks between words.
    for text, ink, mode in ((words[0], colour, WrapMode.CHAR), (words[1], GREY, WrapMode.WORD)):
        sheet.set_font("cjk", size=size)
        sheet.set_text_color(*ink)
        sheet.multi_cell(
            WIDTH, size * 0.52, prefix + text, align="L", wrapmode=mode, new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )
    sheet.ln(0.8)


def _line(
    sheet: FPDF,
    text: str,
    *,
    size: float,
    colour: tuple[int, int, int] = INK,
    height: float = 6.0,
    align: str = "L",
) -> None:
    sheet.set_font("cjk", size=size)
    sheet.set_text_color(*colour)
    sheet.multi_cell(WIDTH, height, text, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _row(sheet: FPDF, label: str, value: str) -> None:
    """A label and a value that wraps anywhere; both stay on one page."""
    sheet.set_font("cjk", size=8.5)
    if sheet.will_page_break(18):
        sheet.add_page()
    top = sheet.get_y()
    sheet.set_text_color(*GREY)
    sheet.multi_cell(_LABEL - 2, 5, label, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    bottom = sheet.get_y()
    sheet.set_xy(LEFT + _LABEL, top)
    sheet.set_text_color(*INK)
    sheet.multi_cell(WIDTH - _LABEL, 5, value, align="L", wrapmode=WrapMode.CHAR, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    sheet.set_y(max(bottom, sheet.get_y()) + 1)
