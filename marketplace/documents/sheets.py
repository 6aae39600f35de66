"""Paper: A4 sheets in Noto Sans CJK (SIL Open Font License), Chinese and English, and QR codes; laid out by fpdf2.

Imported where something is printed and nowhere else: fonts and layout are slow to load.
"""

from datetime import UTC, datetime
from pathlib import Path

import noto_cjk_sans_otc
import segno
from fpdf import FPDF, XPos, YPos

FONT = "cjk"
LEFT, WIDTH = 22.0, 166.0  # mm
RED, INK, GREY = (158, 27, 33), (25, 28, 34), (105, 110, 118)
_FILE = Path(noto_cjk_sans_otc.__file__).parent / "NotoSansCJK-Regular.ttc"
_CHINA = 2  # the face for simplified Chinese in that collection


class Numbered(FPDF):
    """A4 sheets whose every page names a digest and its own number."""

    def __init__(self, label: str, digest: str) -> None:
        super().__init__(format="A4")
        self._named = f"{label} {digest}"

    def footer(self) -> None:
        """Digest and page."""
        self.set_y(-14)
        self.set_font(FONT, size=7.5)
        self.set_text_color(*GREY)
        self.cell(WIDTH, 4, self._named, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.cell(WIDTH, 4, f"第 {self.page_no()} 页，共 {{nb}} 页 · page {self.page_no()} of {{nb}}", align="C")


def begin(sheet: FPDF, title: str, now: int, *, top: float, bottom: float | None = None) -> FPDF:
    """The first page.

    Args:
        now: unix seconds, the file's date.
        top: margin, mm. bottom: margin at which a new page begins; None where the page does not break.
    """
    sheet.set_creation_date(datetime.fromtimestamp(now, UTC))
    sheet.set_title(title)
    sheet.set_lang("zh-CN")
    sheet.add_font(FONT, fname=_FILE, collection_font_number=_CHINA)
    sheet.set_auto_page_break(bottom is not None, margin=bottom or 0)
    sheet.set_margins(LEFT, top, LEFT)
    sheet.add_page()
    return sheet


def draw_code(sheet: FPDF, text: str, *, left: float, top: float, size: float) -> None:
    """A QR code of `size` mm; the quiet zone round it is white, also over what was printed before."""
    matrix = segno.make(text, error="l", micro=False).matrix
    module = size / len(matrix)
    sheet.set_fill_color(255, 255, 255)
    sheet.rect(left - 3, top - 3, size + 6, size + 6, style="F")
    sheet.set_fill_color(0, 0, 0)
    for row, line in enumerate(matrix):
        for column, dark in enumerate(line):
            if dark:
                sheet.rect(left + column * module, top + row * module, module * 1.01, module * 1.01, style="F")
