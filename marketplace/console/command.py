"""From a plain function to a command with the options that every command has.

A command is written as `def verb(run: Run, …)`; `--json`, `--lang`, `--home` and `--url` are added here, may stand
before or after the verb, and arrive in `run`. The first line of its docstring is its short help, and the line that
begins with "Example:" shows a use.
"""

import functools
import inspect
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from marketplace.console.run import Run, begin, choose_language
from marketplace.console.usage import RepeatedOption
from marketplace.console.values import Code
from marketplace.documents.identifiers import Identifier

SHARED = "Shared options"
Json = Annotated[bool, typer.Option("--json", help="print JSON for programs 输出 JSON", rich_help_panel=SHARED)]
Language = Annotated[
    str | None, typer.Option("--lang", metavar="en|zh", help="language of messages 语言", rich_help_panel=SHARED)
]
HomePath = Annotated[
    Path | None, typer.Option("--home", help="your folder 工作目录 \\[MARKETPLACE_HOME]", rich_help_panel=SHARED)
]
Url = Annotated[
    str | None, typer.Option("--url", help="the service 服务地址 \\[MARKETPLACE_URL]", rich_help_panel=SHARED)
]
OPTIONS: dict[str, tuple[Any, Any]] = {
    "as_json": (Json, False),
    "lang": (Language, None),
    "home": (HomePath, None),
    "url": (Url, None),
}
Verb = Callable[..., None]
RESOLVER: ContextVar[Callable[[Run, Identifier | Code], str]] = ContextVar("marketplace_resolver")
"""From an identifier to the whole id that it is the beginning of, from a certificate's code to its data's;
set by the entry point, which knows the client."""


class Command(TyperCommand):
    """A command that drops nothing it is told: an option of one value that comes twice is refused, not the last one
    taken.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does, and refuse repetitions."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for parameter, times in Counter(order).items():
            takes_one = getattr(parameter, "nargs", 1) == 1 and not getattr(parameter, "multiple", False)
            if parameter.param_type_name == "option" and takes_one and not _is_switch(parameter) and times > 1:
                raise RepeatedOption(parameter.opts[0], times, ctx)
        return super().parse_args(ctx, args)


def _is_switch(parameter: Any) -> bool:
    return bool(getattr(parameter, "is_flag", False) or getattr(parameter, "count", False))


def group(help_text: str) -> typer.Typer:
    """An empty group of commands."""
    app = typer.Typer(
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    # With a callback the group stays a group even when it has only one command.
    app.callback()(_nothing)
    return app


def command(app: typer.Typer, name: str | None = None) -> Callable[[Verb], Verb]:
    """Decorator: add the function to `app` as the command `name` (its own name by default)."""

    def register(function: Verb) -> Verb:
        help_text = inspect.cleandoc(function.__doc__ or "").replace("[", "\\[")
        verb = name or function.__name__.rstrip("_").replace("_", "-")
        app.command(verb, cls=Command, help=help_text)(as_command(function))
        return function

    return register


def as_command(function: Verb) -> Verb:
    """`function` with its `run` argument made from the shared options."""

    @functools.wraps(function)
    def call(ctx: typer.Context, **values: Any) -> None:
        shared = {option: values.pop(option) for option in OPTIONS}
        run = begin(make_run(ctx, shared))
        function(run, **{name: _whole(run, value) for name, value in values.items()})

    parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    own = [parameter.replace(kind=keyword) for parameter in parameters]
    common = [
        inspect.Parameter(option, keyword, default=default, annotation=kind)
        for option, (kind, default) in OPTIONS.items()
    ]
    signature = inspect.Signature([context, *own, *common])
    call.__signature__ = signature  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
    del call.__wrapped__
    return call


def _whole(run: Run, value: Any) -> Any:
    return RESOLVER.get()(run, value) if isinstance(value, Identifier | Code) else value


def make_run(ctx: typer.Context, shared: dict[str, Any]) -> Run:
    """The call's context: options given to the verb win over those given before it."""
    earlier = ctx.find_root().obj or {}
    chosen = {option: shared[option] or earlier.get(option) for option in OPTIONS}
    return Run(
        home=chosen["home"],
        url=chosen["url"],
        as_json=bool(chosen["as_json"]),
        language=choose_language(chosen["lang"]),
    )


def _nothing() -> None:
    return None
