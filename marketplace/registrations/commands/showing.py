"""How registration cases are shown in a terminal: where they stand, and what was said in them, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from marketplace.console import Run
from marketplace.console.naming import Named, named, yes_no
from marketplace.console.run import printable
from marketplace.console.values import moment, short
from marketplace.procedures import CaseState, Kind, Step
from marketplace.rulebooks import Rulebook, rulebook_of
from marketplace.types import ZERO_DIGEST
from marketplace.words import PARTIES, Words, table_of

_KIND, _STATE = named(Kind, str), named(CaseState, str)
STEP = Named(table_of(Step) | {"FILE": Words("FILE", "提交申请")}, str)
FORMS = ("FILE", Step.RESUBMIT.name)
"""Acts that name a form; all others name a paper."""
LONGEST = 60


def _when(seconds: int) -> str:
    return moment(seconds) if seconds else "–"


def _last(act: Mapping[str, Any]) -> Words:
    text = act["paper"]["text"] if act["paper"] else "…"
    shortened = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    step = STEP(act["name"])
    return Words(f"{step.en}: {shortened}", f"{step.zh}：{shortened}")


COLUMNS = (
    ("caseId", "case", "案件", str),
    ("kindName", "kind", "类型", _KIND),
    ("stateName", "state", "状态", _STATE),
    ("applicant", "applicant", "申请人", short),
    ("dueAt", "period until", "本期至", _when),
    ("decideBy", "case until", "全案至", moment),
    ("overdue", "overdue", "逾期", lambda late: yes_no(late) if late else ""),
    ("provisional", "provisional", "暂定", lambda unknown: yes_no(unknown) if unknown else ""),
)
LISTED = (*COLUMNS, ("lastPaper", "said last", "最近书面意见", _last))
_ACTS = (
    ("name", "step", "步骤", STEP),
    ("actor", "by", "办理人", short),
    ("stateName", "then", "状态", _STATE),
    ("statedAt", "at", "时间", _when),
)
_OPEN = (
    ("name", "open step", "可办步骤", STEP),
    ("whose", "whose", "由谁", named(PARTIES)),
    ("dueAt", "would run until", "期限将至", _when),
)


def show(run: Run, case: Mapping[str, Any]) -> None:
    """Print a case as `sdk.registrations.get_case` gives it: standing, acts, papers, form, open steps."""
    book = rulebook_of(case["rulebookDigest"])
    run.rows([case], COLUMNS)
    lawful = "" if book.is_lawful else " – not the law 并非法定规则"
    run.say(f"rulebook {book.name}{lawful}", f"规则 {book.name}{lawful}")
    run.rows(case["acts"], _ACTS)
    for line in (*said(book, case), *_form(book, case)):
        run.say(*line)
    run.rows(case["open"], _OPEN)


def said(book: Rulebook, case: Mapping[str, Any]) -> Iterator[Words]:
    """What was said in writing, act by act: who, when, ground, text, evidence; or that it is not for the reader."""
    for act in case["acts"]:
        if act["evidenceDigest"] == ZERO_DIGEST or act["name"] in (*FORMS, Step.CERTIFY.name):
            continue
        step, told = STEP(act["name"]), f"{_when(act['statedAt'])}  {act['actor']}"
        yield Words(f"{step.en}  {told}", f"{step.zh}  {told}")
        yield from _paper(book, act)


def _paper(book: Rulebook, act: Mapping[str, Any]) -> Iterator[Words]:
    paper = act["paper"]
    if paper is None:
        name = act["evidenceDigest"]
        yield Words(f"  paper {name}: not for you to read", f"  材料 {name}：不向您开放")
        return
    for ground in book.content["grounds"]:
        if ground["code"] == paper["ground"]:
            place = f"{ground['code']}, {ground['source']} {ground['article']}"
            yield Words(f"  ground: {ground['en']} ({place})", f"  理由：{ground['zh']}（{place}）")
    yield Words(f"  {paper['text']}", f"  {paper['text']}")
    for digest in paper["evidence"]:
        yield Words(f"  evidence {digest}", f"  证据 {digest}")


def _form(book: Rulebook, case: Mapping[str, Any]) -> Iterator[Words]:
    """The form as it stands: the one that was filed, or the last corrected one."""
    form = next((act["paper"] for act in reversed(case["acts"]) if act["name"] in FORMS), None)
    if form is None:
        return
    yield Words("application form", "申请表")
    names = book.content["forms"][form["kind"]]
    for name, value in form["fields"].items():
        yield Words(f"  {names[name]['en']}: {printable(value)}", f"  {names[name]['zh']}：{printable(value)}")
    reasons = Words("reasons against public notice", "申请不公示的理由")
    for key, words in (("nonPublication", reasons), ("deposit", Words("deposited", "存证情况"))):
        if form[key] is not None:
            yield Words(f"  {words.en}: {form[key]}", f"  {words.zh}：{form[key]}")
