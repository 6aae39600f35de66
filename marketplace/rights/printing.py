"""A certificate on paper: A4, Chinese and English, with a QR code that holds all of it; the credential is attached.

What is printed is what the certificate says and what it was worth when it was printed; the QR code, not the paper, is
what one verifies. sheets.py has what all printed papers share.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from fpdf import FPDF, XPos, YPos
from fpdf.enums import WrapMode

from crypto.canonical import digest_json, to_hex
from marketplace.documents.identifiers import parse_identifier
from marketplace.documents.sheets import GREY, INK, LEFT, RED, WIDTH, begin, draw_code
from marketplace.procedures import KIND_WORDS
from marketplace.rights.compact import pack
from marketplace.rights.remarks import stated_in, words_of_input, words_of_remark
from marketplace.rights.standing import DISPUTED, VALID, WORDS, Standing
from marketplace.types import TitleKind
from marketplace.words import CHINESE, LEVELS, ORIGINS, SOURCES

ATTACHMENT = "certificate.json"
_LABEL = 44.0
_QR_MM = 56.0
_LINE = 6.0
_ANNEX_BOTTOM = 297 - 16 - 4 * _LINE  # below it a row of three lines would touch the frame
_ROLES = {"REGISTRAR": "数据产权登记机构 Registrar of data property rights, 机构代码 institution"}
_RIGHTS = CHINESE[TitleKind]


def print_certificate(
    certificate: Mapping[str, Any], standing: Standing, now: int, annex: Mapping[str, Any] | None = None
) -> bytes:
    """The PDF of a certificate that was verified.

    Args:
        standing: what it is worth at `now`, unix seconds; printed, and across the page unless valid and undisputed.
        annex: inputs and remarks as the register has them at `now`; None where it is not at hand, then those that the
            certificate names are printed.
    Raises:
        InvalidInputError: `certificate_too_large`: it does not fit a QR code.
    """
    code = pack(certificate)
    sheet = _blank(certificate, now)
    _frame(sheet)
    if standing.code != VALID or standing.disputed:
        _overprint(sheet, standing)
    _heading(sheet)
    _verdict(sheet, standing, now)
    for label, value in _fields(certificate):
        _row(sheet, label, value)
    told = stated_in(certificate) if annex is None else annex
    lines = _annex_lines(told)
    if lines:
        counts = (len(told["remarks"]), len(told["inputs"]))
        _row(sheet, "附页 Annex", "备注 {} 项，来源数据 {} 项 · {} remarks, {} inputs".format(*counts, *counts))
    _rights(sheet, certificate["credentialSubject"])
    _seal(sheet, certificate, code)
    if lines:
        _annex(sheet, lines, certificate, now)
    content = json.dumps(certificate, ensure_ascii=False, indent=2).encode()
    sheet.embed_file(bytes=content, basename=ATTACHMENT, mime_type="application/json")
    return bytes(sheet.output())


def _blank(certificate: Mapping[str, Any], now: int) -> FPDF:
    title = f"数据产权登记证书 {certificate['credentialSubject']['assetId']}"
    return begin(FPDF(format="A4"), title, now, top=20)


def _frame(sheet: FPDF) -> None:
    sheet.set_draw_color(*RED)
    for inset, width in ((9.0, 1.1), (11.2, 0.3)):
        sheet.set_line_width(width)
        sheet.rect(inset, inset, 210 - 2 * inset, 297 - 2 * inset)


def _overprint(sheet: FPDF, standing: Standing) -> None:
    words = DISPUTED if standing.code == VALID else WORDS[standing.code]
    chinese = words[1].partition("：")[0].partition("；")[-1] or words[1].partition("：")[0]
    sheet.set_font("cjk", size=64)
    sheet.set_text_color(243, 205, 205)
    with sheet.rotation(35, 105, 150):
        sheet.set_xy(5, 130)
        sheet.cell(200, 34, chinese, align="C")
        sheet.set_font("cjk", size=26)
        sheet.set_xy(5, 160)
        sheet.cell(200, 14, words[0].partition(":")[0].rpartition("; ")[-1].upper(), align="C")


def _heading(sheet: FPDF) -> None:
    english = "Certificate of Data Property Rights Registration"
    _title(sheet, ((26, RED, 13, "数据产权登记证书"), (12, INK, 7, english)))


def _title(sheet: FPDF, lines: Iterable[tuple[int, tuple[int, int, int], int, str]]) -> None:
    """Centred (size in points, colour, height in mm, text), at the top of a page."""
    sheet.set_xy(LEFT, 20)
    for size, colour, height, text in lines:
        sheet.set_font("cjk", size=size)
        sheet.set_text_color(*colour)
        sheet.cell(WIDTH, height, text, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _verdict(sheet: FPDF, standing: Standing, now: int) -> None:
    english, chinese = standing.words
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M UTC")
    sheet.set_font("cjk", size=9.5)
    sheet.set_text_color(*(GREY if standing.code == VALID and not standing.disputed else RED))
    sheet.ln(1)
    said = [f"{chinese} · {english}"]
    if sheet.get_string_width(said[0]) > WIDTH:
        said = [chinese, english]
    for text in (f"打印时状态 Status when printed, {moment}", *said):
        sheet.cell(WIDTH, 5.5, text, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    sheet.ln(3)


def _fields(certificate: Mapping[str, Any]) -> list[tuple[str, str]]:
    subject, issuer = certificate["credentialSubject"], certificate["issuer"]
    term = " — ".join(certificate[name][:10] for name in ("validFrom", "validUntil"))
    origin, source = subject.get("origin", ""), subject.get("sourceClass", "")
    code = subject.get("registrationCode")  # certificates from before there were codes have none
    kind = subject.get("registrationKind")  # nor, from before they said so, a kind and a capacity
    capacity = [f"{_ROLES.get(issuer['role'], issuer['role'])} {issuer['institution']}"] if "role" in issuer else []
    return [
        *([("登记编码 Registration code", code)] if code else []),
        *([("登记类型 Kind", f"{KIND_WORDS.get(kind, '')} {kind}")] if kind else []),
        ("资产编号 Asset", subject["assetId"]),
        ("数据名称 Data", f"{subject['title']['zh']}\n{subject['title']['en']}"),
        ("登记主体 Registrant", subject["holder"]),
        ("数据级别 Level", f"{LEVELS.get(subject['level'], '')} {subject['level']}"),
        ("来源 Source", f"{ORIGINS.get(origin, '')} {origin} · {SOURCES.get(source, '')} {source}"),
        ("有效期 Term", term),
        ("清单摘要 Manifest", subject["manifestDigest"]),
        ("密文根 Ciphertext root", subject["ciphertextRoot"]),
        ("权利主张 Claim", subject["claimDigest"]),
        ("登记机构 Registrar", "\n".join([*capacity, issuer["account"], issuer["id"]])),
        ("证书摘要 Certificate", to_hex(digest_json(dict(certificate)))),
    ]


def _row(sheet: FPDF, label: str, value: str) -> None:
    top = sheet.get_y()
    sheet.set_xy(LEFT, top)
    sheet.set_font("cjk", size=9)
    sheet.set_text_color(*GREY)
    sheet.cell(_LABEL, _LINE, label)
    sheet.set_text_color(*INK)
    sheet.set_xy(LEFT + _LABEL, top)
    sheet.multi_cell(
        WIDTH - _LABEL, _LINE, value, align="L", wrapmode=WrapMode.CHAR, new_x=XPos.LMARGIN, new_y=YPos.NEXT
    )
    sheet.set_draw_color(222, 222, 222)
    sheet.set_line_width(0.15)
    sheet.line(LEFT, sheet.get_y() + 0.7, LEFT + WIDTH, sheet.get_y() + 0.7)
    sheet.ln(1.9)


def _rights(sheet: FPDF, subject: Mapping[str, Any]) -> None:
    """Rights and shares, a line each; what has no room stands in the attachment, and the page says so."""
    lines = [
        ("权利 Right", f"{_RIGHTS.get(right['right'], '')} {right['right']} · {right['holder']}")
        for right in subject["rights"]
    ]
    lines += [("收益份额 Share", f"{share['bps'] / 100:.2f} % · {share['holder']}") for share in subject["shares"]]
    room = max(int((297 - 24 - _QR_MM - sheet.get_y()) // (_LINE + 1.9)), 1)
    if len(lines) > room:
        more = len(lines) - room + 1
        lines = [*lines[: room - 1], ("", f"另有 {more} 项见附件 {more} more in the attachment {ATTACHMENT}")]
    for label, value in lines:
        _row(sheet, label, value)


def _seal(sheet: FPDF, certificate: Mapping[str, Any], code: str) -> None:
    top, left = 297 - 16 - _QR_MM, 210 - LEFT - _QR_MM
    draw_code(sheet, code, left=left, top=top, size=_QR_MM)
    lists = "\n".join(entry["statusListCredential"] for entry in certificate["credentialStatus"])
    text = (
        "二维码含完整证书及登记机构签名，仅凭登记机构公钥即可离线验证；是否被撤销、暂停、取代或存在争议，以状态列表为准。\n"
        "The QR code holds the whole certificate with the registrar's signature (W3C VC 2.0, eddsa-jcs-2022): verify "
        "it offline with the registrar's key. Whether it was revoked, suspended, superseded or disputed is in lists:\n"
        f"{lists}\n"
        "marketplace rights verify-certificate FILE.pdf --issuer did:key:…\n"
        "marketplace rights verify-certificate --qr TEXT --issuer did:key:…"
    )
    sheet.set_xy(LEFT, top)
    sheet.set_font("cjk", size=7.2)
    sheet.set_text_color(*GREY)
    sheet.multi_cell(WIDTH - _QR_MM - 8, 4.3, text, align="L")


def _annex_lines(annex: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What weighs on titles and shares, then what the data were made of; both languages of each."""
    lines = []
    for told in annex["remarks"]:
        english, chinese = words_of_remark(told)
        lines.append(("备注 Remark", f"{chinese}\n{english}\n{told['holder']}"))
    for told in annex["inputs"]:
        english, chinese = words_of_input(told)
        name = parse_identifier(told["identifier"]).grouped
        lines.append(("来源数据 Made of", f"{name}\n{chinese} · {english}"))
    return lines


def _annex(sheet: FPDF, lines: list[tuple[str, str]], certificate: Mapping[str, Any], now: int) -> None:
    """Pages behind the certificate: the register's remarks and the product's inputs when it was printed."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M UTC")
    head = [("资产编号 Asset", certificate["credentialSubject"]["assetId"]), ("打印时状态 As of", moment)]
    for place, (label, value) in enumerate([*head, *lines]):
        if place == 0 or sheet.get_y() > _ANNEX_BOTTOM:
            sheet.add_page()
            _frame(sheet)
            _title(sheet, ((18, RED, 11, "附页：备注与来源数据"), (11, INK, 8, "Annex: remarks and inputs")))
        _row(sheet, label, value)
