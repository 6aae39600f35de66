"""docs/errors.md: every code with which anything is refused, from the places and the tables that refuse."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from marketplace import cli
from marketplace.app import STATUS, status_of
from marketplace.auditor.messages import ADVICE, MESSAGES, OWN_ADVICE, STEPS
from marketplace.console import usage
from marketplace.documents.scopes import rulebook_name as titles_rulebook_name
from marketplace.errors import (
    RULES_VERSION,
    InvalidInputError,
    MarketplaceError,
    PortError,
    RuleError,
    VerificationError,
)
from marketplace.pricing import rulebook as pricing_rulebook
from marketplace.queries.protocol.panels import FAILURES
from marketplace.refusals import REFUSALS
from marketplace.refusals.cryptographic import CRYPTO
from marketplace.refusals.sources import SOURCES, Source
from marketplace.rights.standing import VALID, WORDS
from marketplace.rulebooks import LAWFUL, rulebook_named
from marketplace.web import problems
from scripts.documentation.sites import CODE, Site, sites

INTRODUCTION = f"""# Every refusal

Written by `scripts/generate-docs` from the places that refuse; do not edit it by hand.

A refusal has a stable **code**, with one meaning and of one family; the **rule** that refuses and the **rulebook**,
with version, that has it (`{RULES_VERSION}`, unless the table below says another); what was **expected** and what
**came**; and a **hint**; in English and Chinese (`zh`, `expected_zh`, `got_zh`, `hint_zh`). Over HTTP it is a
problem document (RFC 9457) in the language that `Accept-Language` prefers; a command
speaks the language of `--lang`. {{Words in braces}} stand for values.

每一拒绝均有稳定代码、规则及规则手册版本、应为与实际、建议；HTTP 按 `Accept-Language`、命令行按 `--lang` 选择中英文。
"""

ELSEWHERE = {
    "marketplace/refusals/__init__.py": "REFUSALS",
    "marketplace/refusals/cryptographic.py": "CRYPTO",
    "marketplace/web/problems.py": "HTTP",
    "marketplace/console/usage.py": "USAGE",
    "marketplace/sdk/answers.py": "FAILURES, and the words of the vault's signed refusal",
    "marketplace/sdk/certificate_files.py": "WORDS, the standing of a certificate",
    "marketplace/sdk/http/problems.py": "the words of the service's problem document",
    "marketplace/ledger/rpc.py": "its two classes",
    "marketplace/ledger/network.py": "NodeLostError of rpc.py",
    "marketplace/ledger/node.py": "NodeLostError of rpc.py",
    "marketplace/ledger/embedded.py": "NodeLostError of rpc.py",
}
"""Files that refuse with codes that do not stand there, and where they stand."""


class Row(NamedTuple):
    """What a reader of the page learns of one code."""

    code: str
    family: type[MarketplaceError]
    message: str
    zh: str
    rule: str
    hint: str
    hint_zh: str


def rows() -> list[Row]:
    """One row a code, by code; where several places give it, the first one's words and all rules."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in (*(_of_site(site) for site in sites() if CODE.fullmatch(site.code)), *_of_tables()):
        found[row.code].append(row)
    return [_merged(found[code]) for code in sorted(found)]


def page() -> str:
    """The whole page."""
    lines = [INTRODUCTION, "## Families\n", "| family | HTTP | exit code | when |", "| --- | --- | --- | --- |"]
    for family in STATUS:
        summary = (family.__doc__ or "").strip().splitlines()[0]
        lines.append(f"| `{family.__name__}` | {STATUS[family].value} | {_exit(family)} | {summary} |")
    lines += ["", "## Codes\n", "| code | HTTP | meaning | rule | what to do |", "| --- | --- | --- | --- | --- |"]
    lines += [_line(row) for row in rows()]
    lines += ["", "## Rulebooks\n", _RULEBOOKS, "| rule | rulebook |", "| --- | --- |"]
    lines += [f"| `{rule}` | {_BOOKS[source]} |" for rule, source in sorted(SOURCES.items())]
    lines += ["", "## Findings of an audit\n", _AUDIT, "| step | rule | what to do |", "| --- | --- | --- |"]
    lines += [f"| {n} {STEPS[n][0]} | `{rule}` | {hint}<br>{zh} |" for n, (rule, hint, zh) in ADVICE.items() if n]
    lines += ["", _OWN, "| code | rule | what to do |", "| --- | --- | --- |"]
    lines += [f"| `{code}` | `{rule}` | {hint}<br>{zh} |" for code, (rule, hint, zh) in OWN_ADVICE.items()]
    return "\n".join(lines) + "\n"


_RULEBOOKS = f"""Rules that take bounds, clocks, lists or forms from a rulebook cite it with its version; others cite
`{RULES_VERSION}`. 依据规则文件的期限、清单或表单作出的拒绝载明该规则及其版本。
"""
_BOOKS = {
    Source.REGISTRATION: f"of registration, e.g. `{rulebook_named(LAWFUL).name}`: the case's, else the one in force",
    Source.PRICING: f"of pricing, e.g. `{pricing_rulebook.CURRENT}`: the plan's own",
    Source.TITLES: f"of titles: `{titles_rulebook_name()}`",
}
_AUDIT = f"""{len(MESSAGES)} codes, listed in [audit.md](audit.md); rule and hint follow from the step that finds it.
"""
_OWN = """Rules of the market that no document breaks by itself have their own:
"""


def _of_site(site: Site) -> Row:
    return Row(site.code, site.family, *(site.told(name) for name in ("message", "zh", "rule", "hint", "hint_zh")))


def _of_tables() -> Iterator[Row]:
    for entry in REFUSALS.values():
        yield Row(entry.code, RuleError, entry.message, entry.zh, entry.rule, entry.hint, entry.hint_zh)
    for kind, told in CRYPTO.items():
        words = (kind.__doc__ or "").strip().splitlines()[0]
        yield Row(told.code, told.family, words, told.zh, told.rule, told.hint, told.hint_zh)
    for refused in (*problems.HTTP.values(), problems.OTHER):
        yield Row(refused.code, InvalidInputError, "{detail}", refused.zh, refused.rule, refused.hint, refused.hint_zh)
    for code, failure in FAILURES.items():
        rule = "queries.result_is_attested"
        yield Row(code, RuleError, failure.message, failure.zh, rule, failure.hint, failure.hint_zh)
    for code, (words, zh) in WORDS.items():
        if code != VALID:
            more = VerificationError.HINT, VerificationError.HINT_ZH
            yield Row(code, VerificationError, f"the certificate is {words}", zh, "rights.certificate_in_force", *more)
    for code, (words, zh) in usage.CODES.values():
        yield Row(code, InvalidInputError, words, zh, usage.RULE, "see `{command} --help`", "用法见 `{command} --help`")
    for code, words, zh in (
        ("ledger_unreachable", "the ledger node does not answer: {message}", "账本节点无响应"),
        ("ledger_rpc_refused", "{method}: {text}", "账本节点拒绝请求 {method}"),
    ):
        yield Row(code, PortError, words, zh, PortError.RULE, PortError.HINT, PortError.HINT_ZH)


def _merged(same: list[Row]) -> Row:
    first = same[0]
    return first._replace(rule="`, `".join(dict.fromkeys(row.rule for row in same)))


def _line(row: Row) -> str:
    cells = (
        f"`{row.code}`",
        str(status_of(row.family.__new__(row.family)).value),
        f"{row.message}<br>{row.zh}",
        f"`{row.rule}`",
        f"{row.hint}<br>{row.hint_zh}",
    )
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _exit(family: type[MarketplaceError]) -> int:
    return next((code for kind, code in cli.EXIT_CODES.items() if issubclass(family, kind)), cli.EXIT_UNEXPECTED)
