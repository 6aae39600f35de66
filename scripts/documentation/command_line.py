"""docs/cli.md: every command, from the commands themselves."""

from collections.abc import Iterator
from typing import Any

import typer

from marketplace import cli
from marketplace.console.command import OPTIONS
from marketplace.console.lazy import Deferred

INTRODUCTION = """# The command line

Written by `scripts/generate-docs` from the commands themselves; do not edit it by hand.

Every party works from a folder of its own: `--home`, else `MARKETPLACE_HOME`, else `~/.marketplace`. It holds
`keystore.json` (Ethereum V3, mode 0600), `config.toml` (the service and its pinned profile) and `journal.db` (vouchers,
answers, the last seen checkpoint). The password comes from `MARKETPLACE_PASSWORD`, from the file that
`MARKETPLACE_PASSWORD_FILE` names, or from the keyboard.

Money is written in yuan (`2.50`), epsilon as a decimal (`0.5`), durations with a unit: `s`, `m` (minutes), `h`, `d`,
`mo` (months) and `y`, the last two by the date in Shanghai, as rulebooks count (`2y` from 26 November 2026 ends on
26 November 2028, `1y` from 29 February on 28 February); with `--json` they are integers: fen,
millionths, seconds. With `--json` standard output holds one JSON value, and a refusal is one JSON object on standard
error.
"""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its full name, in the order of the help."""
    root: Any = typer.main.get_command(cli.app)
    for name, found in root.commands.items():
        yield from leaves(name, found.load() if isinstance(found, Deferred) else found)


def leaves(path: str, found: Any) -> Iterator[tuple[str, Any]]:
    """The commands in a group; the command itself where it is none."""
    inner = getattr(found, "commands", None)
    if inner is None:
        yield path, found
        return
    for name, child in inner.items():
        yield from leaves(f"{path} {name}", child)


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, shared_options(), exit_codes()]
    last = ""
    for name, found in commands():
        stage = name.partition(" ")[0]
        if stage != last:
            parts.append(f"## {stage}\n\n{cli.GROUPS[stage][1]}\n")
            last = stage
        parts.append(section(name, found))
    return "\n".join(parts)


def shared_options() -> str:
    """The options that every command has."""
    rows = ["## Options of every command", "", "They may stand before the group or after the verb.", ""]
    rows += ["| option | |", "| --- | --- |"]
    example = dict(commands())["keys show"]
    own = {parameter.name for parameter in example.params} & set(OPTIONS)
    rows += [row(parameter) for parameter in example.params if parameter.name in own]
    return "\n".join(rows) + "\n"


def exit_codes() -> str:
    """The one table of exit codes."""
    rows = ["## Exit codes", "", "| code | when |", "| --- | --- |", "| 0 | done |"]
    rows.append(f"| {cli.EXIT_UNEXPECTED} | unexpected: a defect |")
    rows += [f"| {code} | `{kind.__name__}`: {first_line(kind)} |" for kind, code in cli.EXIT_CODES.items()]
    rows.append(f"| {cli.EXIT_INTERRUPTED} | interrupted |")
    return "\n".join(rows) + "\n"


def first_line(kind: type) -> str:
    """The summary of a class."""
    return (kind.__doc__ or "").strip().splitlines()[0]


def section(name: str, found: Any) -> str:
    """One command: usage, help, arguments and options."""
    explanation, _, example = plain(found.help or "").partition("Example:")
    own = [parameter for parameter in found.params if parameter.name not in OPTIONS and parameter.name != "help"]
    lines = [
        f"### marketplace {name}",
        "",
        explanation.strip(),
        "",
        "```console",
        f"$ {' '.join(example.split())}",
        "```",
        "",
    ]
    if own:
        lines += ["| argument or option | |", "| --- | --- |", *map(row, own), ""]
    return "\n".join(lines)


def row(parameter: Any) -> str:
    """One argument or option as a line of a table."""
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    if parameter.param_type_name == "argument":
        names = f"`{(parameter.metavar or parameter.name).upper().strip('[]')}`"
    notes = ["required"] if parameter.required else []
    if not parameter.required and parameter.default not in (None, False, "", [], ()):
        notes.append(f"default `{parameter.default}`")
    text = plain(parameter.help or "").replace("|", "\\|")
    return f"| {names} | {text}{' (' + ', '.join(notes) + ')' if notes else ''} |"


def plain(text: str) -> str:
    """Help text without its markup."""
    return text.replace("\\[", "[")
