"""The register at a block for a person, in English or Chinese, or as JSON."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from marketplace.auditor.deeds import FACTS, WORDS
from marketplace.auditor.findings import Report
from marketplace.auditor.printing import Surface, print_findings
from marketplace.auditor.register import Register
from marketplace.documents.scopes import name_of
from marketplace.procedures import KIND_WORDS, CaseState
from marketplace.types import AssetStatus, ParticipantStatus, Role, TitleKind
from marketplace.words import CHINESE

CHINESE_WORDS = {
    **CHINESE[Role],
    **CHINESE[ParticipantStatus],
    **CHINESE[AssetStatus],
    **CHINESE[CaseState],
    **KIND_WORDS,
    # standing and encumbrances of titles
    **{"in_force": "有效", "ended": "已终止", "expired": "已到期", "not_begun": "未生效"},
    **{"asset_expired": "登记已到期", "asset_suspended": "登记已暂停", "asset_revoked": "登记已撤销"},
    **{"asset_cancelled": "登记已注销", "asset_registered": "尚未确权"},
    # consents
    **{"missing": "未取得", "given": "有效", "withdrawn": "已撤回", "expired": "已到期"},
    **{"title_moved": "同意方已转让权利", "title_over": "同意方权利已失效"},
    **{"seized": "查封", "controlled": "管控", "pledged": "质押"},
}
#: what a title's holder may do beyond its kind
POWERS = {
    "exclusive": ("exclusive", "独占"),
    "may_grant": ("may grant", "可再授权"),
    "may_derive": ("may derive", "可衍生"),
}
_Column = tuple[str, str, str, Callable[[Any], str]]


def print_register(run: Surface, report: Report, register: Register | None) -> None:
    """Print the register, and what was found on the way to it."""
    if run.as_json:
        run.json({"register": register.as_dict() if register else None, **report.as_dict()})
        return
    if register is not None:
        _print(run, register)
    for _, message, zh in report.notes:
        run.notice(run.tr(message, zh))
    print_findings(run, report)


def _print(run: Surface, register: Register) -> None:
    run.say(
        f"Register at block {register.height}, {register.time}, from signed intents alone",
        f"区块 {register.height}（{register.time}）时的登记簿，仅由签名意图重演得出",
    )
    for title, zh, rows, columns in (
        ("Participants", "主体", register.participants, _PEOPLE),
        ("Assets", "资产", register.assets, _ASSETS),
        ("Cases", "案件", register.cases, _CASES),
        ("Titles", "权利", register.titles, _TITLES),
        ("Inputs of products", "产品来源", register.inputs, _INPUTS),
    ):
        run.say(f"{title}: {len(rows)}", f"{zh}：{len(rows)}")
        if rows:
            run.rows([_told(run, row) for row in rows], columns)
    for row in (*register.participants, *register.assets, *register.cases, *register.titles):
        name = row.get("titleId") or row.get("caseId") or row.get("assetId") or row["account"]
        run.say(f"Acts on {name}", f"{name} 的行为")
        run.rows([_act(run, act) for act in row["acts"]], _ACTS)


def _act(run: Surface, act: Mapping[str, Any]) -> dict[str, Any]:
    """An act in the reader's words: what was done, with what tells it from others, and who signed."""
    facts = [f"{run.tr(*FACTS[name])} {act[name]}" for name in FACTS if name in act]
    deeds = ", ".join(run.tr(*WORDS[deed]) for deed in act["deeds"])
    return {**act, "deed": deeds, "facts": "; ".join(facts), "signers": _signers(act)}


def _told(run: Surface, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row in the reader's words, with its last act."""
    words = {name: _word(run, row[name]) for name in ("status", "state", "standing", "consent") if row.get(name)}
    if "roles" in row:
        words["roles"] = ", ".join(run.tr(role, CHINESE_WORDS[role]) for role in row["roles"])
    if "titleId" in row and "inputId" not in row:
        words["kind"] = name_of(TitleKind[row["kind"]], "en" if run.tr("en", "zh") == "en" else "zh")
        words["encumbrances"] = ", ".join(run.tr(word, CHINESE_WORDS[word]) for word in row["encumbrances"])
        words["powers"] = ", ".join(run.tr(*POWERS[word]) for word in row["marks"] if word in POWERS)
    elif "shareEncumbrances" in row:
        words["shares"] = "; ".join(f"{holder} {bps / 100:g}%" for holder, bps in row["shares"].items())
        words["weights"] = "; ".join(
            f"{weight['holder']} "
            + ", ".join(run.tr(word, CHINESE_WORDS[word]) for word in weight["encumbrances"])
            + (f" ({weight['bps']} -> {weight['pledgee']})" if weight["pledgee"] else "")
            for weight in row["shareEncumbrances"]
        )
    elif "caseId" in row:
        words["kind"] = run.tr(row["kind"], CHINESE_WORDS[row["kind"]])
        codes = ", ".join(item["code"] for item in row["broken"])
        words["kept"] = codes or run.tr("kept", "均已遵守")
    last = row["acts"][-1] if row["acts"] else None
    return {**row, **words, "last": last["block"] if last else None, "intent": last["intent"] if last else None}


def _word(run: Surface, name: str) -> str:
    """States have the names that the ledger's documents write; what follows from several of them has words."""
    return run.tr(name.replace("_", " ") if name.islower() else name, CHINESE_WORDS[name])


def _signers(act: Mapping[str, Any]) -> str:
    """Each account, and the key where it is not the account's own."""
    return ", ".join(
        item["account"] if item["account"] == item["key"] else f"{item['account']} ({item['key']})"
        for item in act["signatures"]
    )


def _plain(value: Any) -> str:
    return "–" if value in (None, "", 0) else str(value)


def _joined(values: Iterable[str]) -> str:
    return values if isinstance(values, str) else ", ".join(values) or "–"


_LAST: tuple[_Column, ...] = (
    ("last", "block", "区块", _plain),
    ("intent", "by intent", "依据意图", _plain),
)
_PEOPLE: tuple[_Column, ...] = (
    ("account", "account", "账户", str),
    ("status", "status", "状态", str),
    ("roles", "roles", "角色", _joined),
    *_LAST,
)
_ASSETS: tuple[_Column, ...] = (
    ("assetId", "asset", "资产", str),
    ("status", "status", "状态", str),
    ("registrant", "registrant", "登记人", str),
    ("certificateCode", "certificate", "凭证编号", _plain),
    ("validUntil", "until", "有效期至", _plain),
    ("disputes", "disputes", "争议", _plain),
    ("shares", "shares of income", "收益份额", _plain),
    ("weights", "shares pledged or seized", "收益份额负担", _plain),
    *_LAST,
)
_CASES: tuple[_Column, ...] = (
    ("caseId", "case", "案件", str),
    ("assetId", "asset", "资产", str),
    ("kind", "kind", "类型", str),
    ("state", "state", "状态", str),
    ("applicant", "applicant", "申请人", str),
    ("noticeEnd", "notice until", "公示至", _plain),
    ("decideBy", "decide by", "办结期限", _plain),
    ("kept", "clocks and notices", "期限与公示", str),
    *_LAST,
)
_TITLES: tuple[_Column, ...] = (
    ("titleId", "title", "权利编号", str),
    ("kind", "right", "权利", str),
    ("holder", "holder", "权利人", str),
    ("standing", "standing", "效力", str),
    ("purposes", "purposes", "用途", _joined),
    ("fields", "fields", "字段", _joined),
    ("territories", "territories", "地域", _joined),
    ("validUntil", "until", "期限至", _plain),
    ("parent", "part of", "上级权利", _plain),
    ("powers", "powers", "权能", _plain),
    ("encumbrances", "encumbrances", "负担", _plain),
    *_LAST,
)
_INPUTS: tuple[_Column, ...] = (
    ("assetId", "product", "产品", str),
    ("inputId", "made of", "来源", str),
    ("bps", "basis points", "万分比", str),
    ("titleId", "by title", "依据权利", _plain),
    ("consent", "consent", "同意", _plain),
    ("consenter", "consent of", "同意方", _plain),
    ("consentUntil", "until", "期限至", _plain),
    *_LAST,
)
_ACTS: tuple[_Column, ...] = (
    ("block", "block", "区块", str),
    ("time", "time", "时间", str),
    ("deed", "act", "行为", _plain),
    ("facts", "about", "内容", _plain),
    ("intent", "intent", "意图", _plain),
    ("signers", "signed by (key)", "签署人（密钥）", _plain),
)
