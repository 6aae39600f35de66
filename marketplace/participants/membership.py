"""The participant agreement: the market's rules of membership, which an applicant signs with its application.

A file is never changed once it was released: another wording is another version. The profile names version and digest,
and the signed Join names the profile's digest; so the ledger commits to the text that was agreed to.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from marketplace.documents import digest
from marketplace.errors import NotFoundError, RuleError

_FOLDER = Path(__file__).parent / "membership_agreements"
_STYLE = """
body{font:15px/1.7 "Noto Serif CJK SC","Songti SC",serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#191c22}
h1{text-align:center;font-size:1.5rem}h1 small,h2 small{display:block;font-size:.65em;color:#555;font-weight:normal}
h2{font-size:1.05rem;margin:1.4rem 0 .3rem}p{margin:.3rem 0}p.en{color:#444;font-size:.92em}
code{font-size:.85em;word-break:break-all}footer{border-top:1px solid #999;font-size:.8em;color:#444;margin-top:2rem}
@media print{body{margin-bottom:2.2cm}footer{position:fixed;bottom:0;left:0;right:0;background:#fff}}
"""


@dataclass(frozen=True)
class MembershipAgreement:
    """One version of the agreement.

    Args:
        content: the file's content: type, version, title, source, articles; texts in English and Chinese.
        digest: its digest.
    """

    content: Mapping[str, Any]
    digest: str

    @property
    def reference(self) -> dict[str, str]:
        """How a profile names it."""
        return {"version": str(self.content["version"]), "digest": self.digest}

    def as_json(self) -> dict[str, Any]:
        """Content and digest."""
        return {**self.content, "digest": self.digest}


@cache
def all_agreements() -> tuple[MembershipAgreement, ...]:
    """Every version, the newest last."""
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(_FOLDER.glob("*.json"))]
    return tuple(MembershipAgreement(content, digest(content)) for content in contents)


def get_agreement(version: str | None = None) -> MembershipAgreement:
    """A version, e.g. "2026.1"; the newest when None.

    Raises:
        NotFoundError: `membership_agreement_unknown`.
    """
    fitting = [item for item in all_agreements() if version in (None, item.content["version"])]
    if not fitting:
        known = ", ".join(item.content["version"] for item in all_agreements())
        raise NotFoundError(
            "membership_agreement_unknown",
            f"there is no participant agreement {version}",
            zh=f"没有入场协议版本 {version}",
            rule="participants.agreement_is_known",
            expected=known,
            got=version,
            hint="leave the version out for the newest one",
            hint_zh="不填写版本即为最新版本",
        )
    return fitting[-1]


def require_signed(profile: Mapping[str, Any]) -> None:
    """Refuse a profile that names no participant agreement, or another text than its version has.

    Domain, onboarding: the signature of the agreement makes a participant active; its digest goes to the ledger.

    Raises:
        RuleError: `membership_unsigned`.
    """
    named, known = profile.get("membership"), [item.reference for item in all_agreements()]
    if named not in known:
        raise RuleError(
            "membership_unsigned",
            "the application does not sign the participant agreement",
            zh="申请未签署入场协议",
            rule="participants.agreement_signed_with_the_application",
            expected=known,
            got=named,
            hint="read `marketplace participants agreement`, and apply anew: the application names it",
            hint_zh="请阅读 `marketplace participants agreement` 后重新申请，申请将载明该协议",
        )


def to_html(agreement: MembershipAgreement) -> str:
    """The agreement as a page of one file, without script or outside resource; prints with the digest on every page."""
    content, title = agreement.content, agreement.content["title"]
    parts = [
        "<!doctype html>",
        f'<html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title["zh"])} {agreement.digest}</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title['zh'])}<small>{escape(title['en'])} {content['version']}</small></h1>",
        *(_article(number, article) for number, article in enumerate(content["articles"], 1)),
        f'<p>{escape(content["source"]["zh"])}</p><p class="en">{escape(content["source"]["en"])}</p>',
        f"<footer>协议摘要 Digest <code>{agreement.digest}</code></footer></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _article(number: int, article: Mapping[str, Any]) -> str:
    title = article["title"]
    clauses = "".join(
        f'<p>{number}.{place} {escape(clause["zh"])}</p><p class="en">{number}.{place} {escape(clause["en"])}</p>'
        for place, clause in enumerate(article["clauses"], 1)
    )
    chinese, english = escape(title["zh"]), escape(title["en"])
    return f"<h2>第 {number} 条 {chinese}<small>Article {number} {english}</small></h2>{clauses}"
