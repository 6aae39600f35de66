"""Certificates as files: what somebody shows you, and what to make of it."""

from typing import Any

from marketplace.documents import Document
from marketplace.errors import InvalidInputError, VerificationError
from marketplace.rights.standing import UNCHECKED, VALID, Standing


def certificate_in(content: Any) -> Document:
    """A certificate of a file.

    Raises:
        InvalidInputError: `certificate_malformed`.
    """
    if not isinstance(content, dict):
        raise InvalidInputError("certificate_malformed", "expected a certificate, a JSON object", zh="不是证书文件")
    return content


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
    raise VerificationError(
        standing.code,
        f"the certificate is {english}",
        zh=f"该证书{chinese}",
        rule="rights.certificate_in_force",
        expected=VALID,
        got=standing.code,
        hint="do not rely on it; ask the exchange for the register's present state",
        hint_zh="请勿据此行事；请向交易机构查询登记现状",
    )
