"""Every place in the program that refuses, read from its source: which code, words, rule and hint it gives.

A place is a call of a class of marketplace/errors.py. Where its code is a parameter of the function around it, the
places that call the function are read instead, and so on outwards. What an f-string has in braces stays in braces.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from marketplace.errors import MarketplaceError

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ("message", "zh", "rule", "hint", "hint_zh")
FACTS = ("expected", "got", "rulebook")
CODE = re.compile("[a-z][a-z0-9_]+")
Function = ast.FunctionDef | ast.AsyncFunctionDef
_MOST, _DEEP = 16, 4  # alternatives of one text; calls outwards


@dataclass(frozen=True)
class Site:
    """One place that refuses, with one code.

    Args:
        code: what it states; no slug where it could not be read.
        family: the error's class.
        texts: as far as they are stated; those of TEXTS, and of FACTS what is stated as a text.
    """

    path: str
    line: int
    code: str
    family: type[MarketplaceError]
    texts: Mapping[str, str]

    def told(self, name: str) -> str:
        """A text as a reader gets it: the place's own, else its family's."""
        return self.texts.get(name) or str(getattr(self.family, name.upper(), ""))


@dataclass(frozen=True)
class Frame:
    """A call in a function; the frame before it in a chain is the function that it calls."""

    module: str
    function: Function | None
    call: ast.Call


Chain = tuple[Frame, ...]  # innermost first
UNBOUND = "\0"  # stands for a parameter of the outermost function


@cache
def sites() -> tuple[Site, ...]:
    """All places that refuse, in the order of files and lines."""
    found: dict[tuple[str, int, str], Site] = {}
    for module in _trees():
        for function, call in _calls(module):
            family = _class_of(module, call)
            if family is not None:
                for site in _read((Frame(module, function, call),), family):
                    found.setdefault((site.path, site.line, site.code), site)
    return tuple(sorted(found.values(), key=lambda site: (site.path, site.line, site.code)))


def _read(chain: Chain, family: type[MarketplaceError]) -> Iterator[Site]:
    arguments = _stated(chain, family)
    codes = _values(arguments["code"], chain) if "code" in arguments else ["?"]
    words = [_text(arguments[name], chain) for name in TEXTS if name in arguments]
    if (any(UNBOUND in code for code in codes) or any(map(_is_unbound, words))) and len(chain) < _DEEP:
        callers = list(_callers(chain[-1]))
        for caller in callers:
            yield from _read((*chain, caller), family)
        if callers:
            return
    stated = [name for name in (*TEXTS, *FACTS) if name in arguments]
    texts = {name: _text(arguments[name], chain).replace(UNBOUND, "") for name in stated}
    path = str(_path(chain[-1].module).relative_to(ROOT))
    for code in codes:
        yield Site(path, chain[-1].call.lineno, code.replace(UNBOUND, "?"), family, texts)


def _stated(chain: Chain, family: type[MarketplaceError]) -> dict[str, ast.expr]:
    """The arguments of the innermost call by the names of the class's constructor; `**name` of a dict literal too."""
    call = chain[0].call
    names = [name for name in inspect.signature(family.__init__).parameters if name != "self"]
    stated = dict(zip(names, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg is not None:
            stated[keyword.arg] = keyword.value
        elif isinstance(keyword.value, ast.Name):
            for literal in _assigned(chain[0].function, keyword.value.id):
                if isinstance(literal, ast.Dict):
                    stated |= {k.value: v for k, v in zip(literal.keys, literal.values, strict=True) if _is_text(k)}  # type: ignore[union-attr]
    return stated


def _text(node: ast.expr, chain: Chain) -> str:
    """What a text is; the first where it can be several, "" where nothing is given."""
    return next(iter(_values(node, chain)), "")


def _values(node: ast.expr, chain: Chain, at: int = 0) -> list[str]:
    """What a text can be, in frame `at` of the chain."""
    match node:
        case ast.Constant(value):
            found = [str(value)]
        case ast.JoinedStr(parts):
            found = _joined([_values(part, chain, at) for part in parts])
        case ast.FormattedValue(inner):
            known = _values(inner, chain, at) if isinstance(inner, ast.Name) else ["{"]
            found = known if all(UNBOUND in text or "{" not in text for text in known) else [_braced(inner)]
        case ast.BinOp(left, ast.Add(), right):
            found = _joined([_values(left, chain, at), _values(right, chain, at)])
        case ast.IfExp(_, body, otherwise):
            found = [*_values(body, chain, at), *_values(otherwise, chain, at)]
        case ast.Call(ast.Attribute(text, "rstrip" | "strip" | "format" | "format_map")):
            found = _values(text, chain, at)
        case ast.Name(name):
            found = _named(name, chain, at)
        case _:
            found = [_braced(node)]
    return found


def _named(name: str, chain: Chain, at: int) -> list[str]:
    frame = chain[at]
    parameters = frame.function.args if frame.function else None
    if parameters and name in [a.arg for a in (*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs)]:
        if at + 1 == len(chain):
            return [UNBOUND + "{" + name + "}"]
        given = _argument(parameters, name, chain[at + 1].call)
        return [] if given is None else _values(given, chain, at + 1)
    assigned = [node for node in _assigned(frame.function, name) if not _mentions(node, name)]
    local = [text for node in assigned for text in _values(node, chain, at)]
    return local or _constant(frame.module, name) or ["{" + name + "}"]


def _constant(module: str, name: str) -> list[str]:
    """The text that a module gives a name, itself or by an import."""
    home, _, original = _imported(module).get(name, "").rpartition(".")
    if home in _trees():
        return _constant(home, original)
    values = [text for node in _assigned(_trees()[module], name) for text in _values(node, (_nowhere(module),))]
    return [text for text in values if "{" not in text]


def _nowhere(module: str) -> Frame:
    return Frame(module, None, ast.Call(ast.Name(""), [], []))


def _argument(parameters: ast.arguments, name: str, call: ast.Call) -> ast.expr | None:
    """What a call gives for a parameter; its default, else None, where it gives nothing."""
    names = [item.arg for item in (*parameters.posonlyargs, *parameters.args) if item.arg not in ("self", "cls")]
    given = dict(zip(names, call.args, strict=False)) | {k.arg: k.value for k in call.keywords if k.arg}
    defaults = dict(zip(reversed(names), reversed(parameters.defaults), strict=False))
    kept = {item.arg: node for item, node in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True) if node}
    return given.get(name) or defaults.get(name) or kept.get(name)


def _assigned(place: Function | ast.Module | None, name: str) -> Iterator[ast.expr]:
    """What is assigned to a name in a function, or at the top of a module; also as a part of a tuple."""
    for node in place.body if isinstance(place, ast.Module) else ast.walk(place) if place else ():
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            yield from [node.value] if node.value else []
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == name:
                    yield node.value
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = zip(target.elts, node.value.elts, strict=False)
                    yield from (value for part, value in pairs if isinstance(part, ast.Name) and part.id == name)


def _callers(frame: Frame) -> Iterator[Frame]:
    """Every call of the function of a frame, in the whole program."""
    if frame.function is None:
        return
    name = frame.function.name
    for module in _trees():
        here = module == frame.module
        direct = here or _imported(module).get(name) == f"{frame.module}.{name}"
        for function, call in _calls(module):
            called = call.func
            if isinstance(called, ast.Name) and called.id == name and direct:
                yield Frame(module, function, call)
            elif isinstance(called, ast.Attribute) and called.attr == name and isinstance(called.value, ast.Name):
                owner = called.value.id
                if (here and owner in ("self", "cls")) or _imported(module).get(owner) == frame.module:
                    yield Frame(module, function, call)


def _class_of(module: str, call: ast.Call) -> type[MarketplaceError] | None:
    """The error class that is called; None for any other call."""
    if not (isinstance(call.func, ast.Name) and call.func.id.endswith("Error")):
        return None
    home, _, name = _imported(module).get(call.func.id, f"{module}.{call.func.id}").rpartition(".")
    found = getattr(importlib.import_module(home), name, None) if home.startswith("marketplace") else None
    return found if isinstance(found, type) and issubclass(found, MarketplaceError) else None


@cache
def _trees() -> dict[str, ast.Module]:
    paths = sorted((ROOT / "marketplace").rglob("*.py"))
    named = {_module(path): path for path in paths if "migrations" not in path.parts and path.name != "__main__.py"}
    return {name: ast.parse(path.read_text("utf-8")) for name, path in named.items()}


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _path(module: str) -> Path:
    base = ROOT / module.replace(".", "/")
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


@cache
def _calls(module: str) -> list[tuple[Function | None, ast.Call]]:
    """Every call in a module, with the innermost function around it."""
    found: list[tuple[Function | None, ast.Call]] = []

    def visit(node: ast.AST, function: Function | None) -> None:
        function = node if isinstance(node, Function) else function
        if isinstance(node, ast.Call):
            found.append((function, node))
        for child in ast.iter_child_nodes(node):
            visit(child, function)

    visit(_trees()[module], None)
    return found


@cache
def _imported(module: str) -> dict[str, str]:
    nodes = [node for node in ast.walk(_trees()[module]) if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in nodes for alias in node.names}


def _mentions(node: ast.expr, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node))


def _joined(parts: list[list[str]]) -> list[str]:
    return ["".join(chosen) for chosen in product(*parts)][:_MOST]


def _braced(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute | ast.Name):
        return "{" + (node.attr if isinstance(node, ast.Attribute) else node.id) + "}"
    return "{…}"


def _is_unbound(text: str) -> bool:
    return re.fullmatch(UNBOUND + r"\{\w+\}", text) is not None


def _is_text(node: Any) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
