"""The context of one call of the CLI, and everything it may print.

Results go to standard output, everything else to standard error. With `--json` standard output holds exactly one JSON
value and, on failure, standard error exactly one JSON object: the error.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from marketplace.console import fields
from marketplace.currencies import CNY
from marketplace.errors import MarketplaceError
from marketplace.quantities import moment, money
from marketplace.words import Words

LABELS = {
    "en": {"error": "refused", "rule": "rule", "expected": "expected", "got": "got", "hint": "hint", "code": "code"},
    "zh": {"error": "未通过", "rule": "规则", "expected": "要求", "got": "实际", "hint": "建议", "code": "代码"},
}
ENDLESS = 10_000
PLACES = frozenset({"contract", "verb", "by", "call", "transaction", "status"})
Column = tuple[str, str, str, Callable[[Any], str | Words]]


def choose_language(given: str | None = None) -> str:
    """ "zh" or "en": the option, else MARKETPLACE_LANG, else LC_ALL or LANG."""
    wish = given or os.environ.get("MARKETPLACE_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "en"
    return "zh" if wish.lower().startswith("zh") else "en"


class Run:
    """One call of the CLI.

    Args:
        home: the participant's folder; None for the default.
        url: the service; None for the configured one.
        as_json: machine-readable output.
        language: "en" or "zh".
    """

    def __init__(
        self, *, home: Path | None = None, url: str | None = None, as_json: bool = False, language: str = "en"
    ) -> None:
        self.home, self.url, self.as_json, self.language = home, url, as_json, language
        # Without a terminal nothing has to fit, and an id that is folded cannot be copied.
        self.out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else ENDLESS)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)
        self._notices: list[str] = []

    def tr(self, en: str, zh: str) -> str:
        """The text in the chosen language."""
        return zh if self.language == "zh" else en

    def say(self, en: str, zh: str = "") -> None:
        """A line for a person; nothing with --json."""
        if not self.as_json:
            self.out.print(Text(self.tr(en, zh or en)))

    def notice(self, text: str) -> None:
        """Something that a person should know; on standard error, so that results stay clean."""
        self._notices.append(text)
        if not self.as_json:
            self.err.print(Text(text, style="yellow"))

    def log(self, message: str, zh: str = "") -> None:
        """What a long-running command does, as it happens: a line with the time, or a JSON object a line."""
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.as_json:
            self.out.file.write(json.dumps({"at": at, "message": message, "zh": zh}, ensure_ascii=False) + "\n")
        else:
            self.out.print(Text(f"{at}  {self.tr(message, zh or message)}"))
        self.out.file.flush()

    def result(self, data: Mapping[str, Any], en: str, zh: str = "") -> None:
        """One fact: a sentence and its fields, or JSON."""
        if self.as_json:
            self._print_json(data)
            return
        self.say(en, zh)
        self.facts(data)

    def facts(self, data: Mapping[str, Any]) -> None:
        """Fields of one object, a line each, whole, so that an id can be copied; nothing with --json.

        What is an object itself, and where an intent stands in its block, is for programs and left out.
        """
        told = {name: value for name, value in data.items() if name not in PLACES and not isinstance(value, Mapping)}
        self._lines({fields.label(name, self.language): _moment(name, value) for name, value in told.items()})

    def terms(self, lines: Sequence[tuple[Words, Words]]) -> None:
        """What somebody is about to sign, a line each: what it is about, and what it says; nothing with --json."""
        self._lines({self.tr(*label): printable(self.tr(*says)) for label, says in lines})

    def _lines(self, shown: Mapping[str, Any]) -> None:
        width = max(map(cell_len, shown), default=0)
        for name, value in shown.items():
            padding = " " * (width - cell_len(name))
            if not self.as_json:
                self.out.print(Text(f"  {name}{padding}  ", style="dim") + Text(_plain(value)))

    def confirm_signing(self) -> None:
        """Let a person at a terminal say yes before something is signed; where nobody sits at one, nobody is asked.

        Raises:
            KeyboardInterrupt: the person said no.
        """
        if self.as_json or not sys.stdin.isatty():
            return
        self.err.print(Text(self.tr("sign this? [y/N] ", "签署以上内容？[y/N] ")), end="")
        if input().strip().lower() not in {"y", "yes", "是"}:
            raise KeyboardInterrupt

    def rows(
        self, rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], title: str = "", data: object = None
    ) -> None:
        """A table, or JSON.

        Args:
            columns: (key, English heading, Chinese heading, formatter); amounts with the formatter `quantities.money`
                are yuan, or of the currency that a row's "currency" names; what a formatter gives as Words is shown
                in the reader's language (naming.py).
            data: what to print with --json instead of `rows`.
        """
        if self.as_json:
            self._print_json(rows if data is None else data)
            return
        rows, columns = _in_currencies(rows, columns)
        table = Table(title=title or None, title_justify="left")
        for _, en, zh, _format in columns:
            table.add_column(self.tr(en, zh), overflow="fold")
        for row in rows:
            table.add_row(*(self._cell(row.get(key), form) for key, _, _, form in columns))
        self.out.print(table)

    def _cell(self, value: Any, form: Callable[[Any], str | Words]) -> Text:
        shown = "–" if value is None else form(value)
        return Text(self.tr(*shown) if isinstance(shown, Words) else shown)

    def json(self, data: object) -> None:
        """Print `data` as JSON, if JSON was asked for."""
        if self.as_json:
            self._print_json(data)

    def document(self, data: object) -> None:
        """Print a document that is JSON by itself, with or without --json."""
        self._print_json(data)

    @contextmanager
    def progress(self, en: str, zh: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """A progress bar on standard error when a person watches; yields a function that advances it."""
        with self.stages({"": (en, zh)}) as report:
            done = 0

            def advance(count: int) -> None:
                nonlocal done
                done += count
                report("", done, total or 0)

            report("", 0, total or 0)
            yield advance

    @contextmanager
    def stages(self, names: Mapping[str, tuple[str, str]]) -> Iterator[Callable[[str, int, int], None]]:
        """A progress bar for each stage of a long work; yields a function that is told (stage, done, total).

        Args:
            names: stage to its English and Chinese name. A total of 0 means that nobody knows it.
        """
        if self.as_json or not self.err.is_terminal:
            yield _silent
            return
        with progress_bar(self.err) as bar:
            tasks: dict[str, TaskID] = {}

            def report(stage: str, done: int, total: int) -> None:
                if stage not in tasks:
                    tasks[stage] = bar.add_task(self.tr(*names.get(stage, (stage, stage))), total=total or None)
                bar.update(tasks[stage], completed=done, total=total or None)

            yield report

    def ask_secret(self, en: str, zh: str = "") -> str | None:
        """A secret typed by a person, without echo; None when nobody is there to type."""
        if not sys.stdin.isatty():
            return None
        import getpass  # noqa: PLC0415 - only where a person types

        return getpass.getpass(self.tr(en, zh or en) + ": ")

    def show_error(self, error: MarketplaceError, exit_code: int) -> None:
        """Print a refusal: code, rule, expected and got, hint; in the chosen language."""
        if self.as_json:
            content = {**error.as_dict(), "exit": exit_code, **({"notices": self._notices} if self._notices else {})}
            self.err.file.write(json.dumps(content, ensure_ascii=False, default=str) + "\n")
            return
        labels = LABELS[self.language]
        self.err.print(Text(f"{labels['error']}: ", style="bold red") + Text(self.tr(error.message, error.zh)))
        for name, value in self._details(error):
            self.err.print(Text(f"  {labels[name]}: ", style="dim") + Text(_plain(value)))

    def _details(self, error: MarketplaceError) -> Iterator[tuple[str, object]]:
        yield "code", error.code
        rule, hint = f"{error.rule} ({error.rulebook})", self.tr(error.hint, error.hint_zh)
        expected, got = error.expected, error.got
        if self.language == "zh":
            expected, got = error.expected_zh or expected, error.got_zh or got
        for name, value in (("rule", rule), ("expected", expected), ("got", got), ("hint", hint)):
            if value not in (None, ""):
                yield name, value

    def _print_json(self, data: object) -> None:
        self.out.file.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")
        for text in self._notices:
            self.err.file.write(json.dumps({"notice": text}, ensure_ascii=False) + "\n")


def printable(text: str) -> str:
    """Somebody else's words on one line, without what a terminal would take for a command."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def progress_bar(console: Console) -> Progress:
    """Description, bar, count, count a second and time left; gone when done."""
    words = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}")
    return Progress(*words, _RateColumn(), TimeRemainingColumn(), console=console, transient=True)


class _RateColumn(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s")


def _silent(stage: str, done: int, total: int) -> None:
    """Nobody watches."""


def _moment(name: str, value: Any) -> Any:
    """Seconds of unix time as people read them."""
    if name in fields.MOMENTS and isinstance(value, int) and value:
        return moment(value)
    return value


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _in_currencies(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]
) -> tuple[Sequence[Mapping[str, Any]], Sequence[Column]]:
    """The same where all amounts are yuan; else amounts with their currency, under headings without one."""
    if all(row.get("currency", CNY.code) == CNY.code for row in rows):
        return rows, columns
    names = [key for key, _, _, form in columns if form is money]
    shown = [{**row, **{name: _amount(row, name) for name in names}} for row in rows]
    plain = [
        (key, en.replace("yuan", "amount"), zh.replace("(元)", ""), str) if form is money else (key, en, zh, form)
        for key, en, zh, form in columns
    ]
    return shown, plain


def _amount(row: Mapping[str, Any], name: str) -> str | None:
    code = row.get("currency", CNY.code)
    return None if row.get(name) is None else f"{money(row[name], code)} {code}"


_current: ContextVar[Run | None] = ContextVar("marketplace_run", default=None)


def begin(run: Run) -> Run:
    """Make `run` the call whose failure the entry point reports."""
    _current.set(run)
    return run


def current() -> Run:
    """The call under way; before one has begun, a call in the environment's language."""
    return _current.get() or Run(language=choose_language())
