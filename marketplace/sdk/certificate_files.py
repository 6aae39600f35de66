"""Certificates as files: what somebody shows you, and what to make of it."""

import io
from pathlib import Path
from typing import Any

from crypto.canonical import load_json
from crypto.errors import CryptoError
from marketplace.documents import Document
from marketplace.errors import InvalidInputError, VerificationError
from marketplace.rights.standing import OPEN, UNCHECKED, VALID, Standing

ATTACHMENT = "certificate.json"
MAX_FILE = 8 << 20
#: whether it is the lists that are wanting -> what to do
_HINTS = {
    False: (
        "do not rely on it; ask the exchange for the register's present state",
        "请勿据此行事；请向交易机构查询登记现状",
    ),
    True: (
        "fetch its status lists of today: `marketplace rights certificate ASSET --status-lists FILE`, or the addresses "
        "in the certificate",
        "请获取当日状态列表：`marketplace rights certificate ASSET --status-lists FILE`，或按证书所载地址下载",
    ),
}


def read_certificate(path: Path) -> Document:
    """The certificate of a JSON file, or of a printed one (PDF), which carries it as an attachment.

    Raises:
        InvalidInputError: `certificate_malformed`.
    """
    try:
        return _read(path)
    except (ValueError, CryptoError) as error:
        raise InvalidInputError(
            "certificate_malformed",
            f"{path.name} holds no certificate: {error}",
            zh=f"{path.name} 中没有证书",
            hint="give the credential as JSON, or the PDF as the exchange printed it",
            hint_zh="请提供 JSON 格式的证书,或交易机构打印的 PDF",
        ) from error


def _read(path: Path) -> Document:
    with path.open("rb") as file:
        content = file.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise ValueError(f"more than {MAX_FILE} bytes")
    found = load_json(_attachment(content) if content.startswith(b"%PDF-") else content)
    if isinstance(found, dict):
        return found
    raise ValueError("expected a JSON object")


def _attachment(content: bytes) -> bytes:
    from pypdf import PdfReader  # noqa: PLC0415 - only where somebody brings a PDF
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    try:
        found = PdfReader(io.BytesIO(content)).attachments[ATTACHMENT]
    except (PyPdfError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        raise ValueError(f"the PDF has no attachment {ATTACHMENT}") from error
    if len(found) != 1:
        raise ValueError(f"the PDF has {len(found)} attachments {ATTACHMENT}")
    return bytes(found[0])


def lists_in(content: Any) -> list[Document]:
    """The status lists of a file: one, or an array of them.

    Raises:
        InvalidInputError: `status_list_malformed`.
    """
    found = content if isinstance(content, list) else [content]
    if not all(isinstance(item, dict) for item in found):
        raise InvalidInputError(
            "status_list_malformed", "expected a status list credential, or an array of them", zh="不是状态列表文件"
        )
    return found


def require_good(standing: Standing) -> None:
    """Refuse unless a certificate is valid, or was asked for its authenticity alone.

    Raises:
        VerificationError: with the code of the standing.
    """
    if standing.code in (VALID, UNCHECKED):
        return
    english, chinese = standing.words
    hint, hint_zh = _HINTS[standing.code in OPEN]
    raise VerificationError(
        standing.code,
        f"the certificate is {english}",
        zh=f"该证书{chinese}",
        rule="rights.certificate_in_force",
        expected=VALID,
        got=standing.code,
        hint=hint,
        hint_zh=hint_zh,
    )
