"""An agreement as a web page of one file: no script, no outside resource; prints with the digest on every page."""

from html import escape

from marketplace.agreements.signing import Signed
from marketplace.agreements.wording import Article, Bilingual, Paper

_STYLE = """
body{font:15px/1.7 "Noto Serif CJK SC","Songti SC",serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#191c22}
h1{text-align:center;font-size:1.5rem}h1 small,h2 small{display:block;font-size:.65em;color:#555;font-weight:normal}
h2{font-size:1.05rem;margin:1.4rem 0 .3rem}p{margin:.3rem 0}p.en{color:#444;font-size:.92em}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.25rem .5rem;text-align:left}
code{font-size:.85em;word-break:break-all}.note{color:#666;font-size:.85em}
.standing{border:2px solid #9e1b21;color:#9e1b21;padding:.4rem;text-align:center}
footer{border-top:1px solid #999;font-size:.8em;color:#444;margin-top:2rem}
@media print{body{margin-bottom:2.2cm}footer{position:fixed;bottom:0;left:0;right:0;background:#fff}}
"""


def to_html(paper: Paper, signed: Signed) -> str:
    """The page, UTF-8 text."""
    parts = [
        "<!doctype html>",
        f'<html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(paper.title[0])} {paper.digest}</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{escape(paper.title[0])}<small>{escape(paper.title[1])}</small></h1>",
        f'<p class="standing">{escape(signed.words[0])}<br>{escape(signed.words[1])}</p>',
        _facts(paper),
        *map(_article, paper.articles),
        _annex(paper),
        _sign_off(paper, signed),
        f'<p class="note">{escape(paper.note[0])}<br>{escape(paper.note[1])}</p>',
        f"<footer>协议摘要 Digest <code>{paper.digest}</code></footer></body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _facts(paper: Paper) -> str:
    rows = [(f"{label[0]} {label[1]}", address) for label, address in paper.parties]
    rows += [("协议编号 Agreement", paper.agreement_id), ("示范文本 Form", f"{paper.form} · {paper.form_digest}")]
    rows += [("前一版本 Amends", paper.amends)] if paper.amends else []
    lines = "".join(f"<tr><th>{escape(name)}</th><td><code>{escape(value)}</code></td></tr>" for name, value in rows)
    return f"<table>{lines}</table>"


def _article(article: Article) -> str:
    chinese, english = map(escape, article.title)
    clauses = "".join(
        f'<p>{article.number}.{number} {escape(zh)}</p><p class="en">{article.number}.{number} {escape(en)}</p>'
        for number, (zh, en) in enumerate(article.clauses, 1)
    )
    return f"<h2>第 {article.number} 条 {chinese}<small>Article {article.number} {english}</small></h2>{clauses}"


def _annex(paper: Paper) -> str:
    if not paper.annex:
        return ""
    lines = "".join(f"<tr><td>{_both(metric)}</td><td>{_both(limit)}</td></tr>" for metric, limit in paper.annex)
    return f"<h2>附件：质量指标<small>Annex: quality</small></h2><table>{lines}</table>"


def _sign_off(paper: Paper, signed: Signed) -> str:
    made = dict(signed.signatures)
    lines = "".join(
        f"<tr><th>{_both(label)}</th><td><code>{address}</code><br>"
        f"<code>{made.get(address, '____________________')}</code></td></tr>"
        for label, address in paper.parties
    )
    place = f'<p class="note">{escape(signed.place)}</p>' if signed.place else ""
    return f"<h2>签署<small>Signatures</small></h2><table>{lines}</table>{place}"


def _both(pair: Bilingual) -> str:
    return f"{escape(pair[0])} {escape(pair[1])}"
