"""docs/security/authorisation.md: who may do what, over HTTP and on the ledger, from the two tables that say so."""

from collections.abc import Iterator

from marketplace.app import ROUTERS
from marketplace.refusals import REFUSALS
from marketplace.refusals.signers import SIGNERS, UNSIGNED, Active, Check, Fresh, Is, NotSuspended
from marketplace.types import Role
from marketplace.web.access import ACCESS, NOBODY, Access, Anyone, Holds, Joined, Party, Signed, SignedIn

INTRODUCTION = """# Who may do what

Written by `scripts/generate-docs` from `marketplace/web/access.py` and `marketplace/refusals/signers.py`; do not edit
it by hand. Every cell is tested: against the running service by `tests/integration/service/test_access.py`, against the
contracts on a node and the rules by `tests/integration/contracts/test_signers.py`. 权限矩阵：由表生成，逐格测试。

**Callers.** *Nobody*: without a sign-in. *Stranger*: signed in with a key that never joined. Then active participants
with no role, or with one each, and no part in the object; *suspended*: one with all roles that is suspended. *Parties*
are those who have a part in the object.

**Cells.** ✓ may. 401 `not_signed_in`. 403 `role_missing`. 404: for this caller the object does not exist; the answer
is, word for word, that for an object that never was. ∅ may, and sees no row but its own.

**To add an operation**: an entry in `ACCESS`, named as the route's function; for one about an object, also how to ask
for it, in `tests/integration/service/asking.py`. **To add a verb**: an entry in `SIGNERS`, its checks in order, and a
builder in `tests/histories.py`. Without them a test fails and says so.

## Over HTTP
"""
LEDGER = """
## On the ledger

Whatever a verb asks of its signers, in its order. A signature that is not its signer's is refused everywhere
(`intent_signature_invalid`), by whomever it is sent.

| verb | intent | signer | must be |
| --- | --- | --- | --- |"""
SIGNED = """
## Signed acts

Whoever relays a signed act needs no sign-in and has no authority. Who must have signed it, and as what, the ledger's
verb says; a signature that is not its author's is refused with the code below, whoever brings it.

| operation | | verb | refused with |
| --- | --- | --- | --- |"""
ONE_ROLE = {(role.name or "").lower(): role for role in Role}
COLUMNS: dict[str, Role] = {"stranger": NOBODY, "no role": NOBODY, **ONE_ROLE, "suspended": NOBODY}


def page() -> str:
    """The whole page."""
    head = ["operation", "", "nobody", *COLUMNS, "parties"]
    lines, acts = [INTRODUCTION, row(head), row(["---"] * len(head))], []
    for name, place, access in entries():
        if isinstance(access, Signed):
            acts.append(row([f"`{name}`", place, f"`{access.verb}`", f"`{access.refusal}`"]))
        else:
            lines.append(row([f"`{name}`", place, *cells(access)]))
    return "\n".join([*lines, SIGNED, *acts, LEDGER, *verbs()]) + "\n"


def verbs() -> Iterator[str]:
    """A line for every signer of every verb of the ledger."""
    for (contract, verb), signers in SIGNERS.items():
        for signer in signers:
            asked = "; then ".join(map(check, signer.checks)) or "anybody, for itself"
            own = f"; never about itself (`{REFUSALS[signer.own].code}`)" if signer.own else ""
            field = f"`{signer.field}`" if signer.field else "by the order"
            yield row([f"`{contract}.{verb}`", f"`{signer.intent}`", field, asked + own])
    for (contract, verb), (english, chinese) in UNSIGNED.items():
        yield row([f"`{contract}.{verb}`", "–", "–", f"{english} {chinese}"])


def check(asked: Check) -> str:
    """What is asked of a signer, and the code with which it is refused."""
    match asked:
        case Active(roles, instead):
            named = f" with the role {roles.name}" if roles else ""
            named += f" or {instead.name}" if instead else ""
            return f"an active participant{named} (`{REFUSALS['ParticipantsNotActive'].code}`)"
        case Is(relation, zh, error, role):
            other = f", or an active {role.name}" if role else ""
            return f"{relation} {zh}{other} (`{REFUSALS[error].code}`)"
        case Fresh(error):
            return f"neither an account nor a key, now or ever (`{REFUSALS[error].code}`)"
        case NotSuspended(error):
            return f"not suspended (`{REFUSALS[error].code}`)"


def entries() -> Iterator[tuple[str, str, Access]]:
    """Every operation with its place and its entry, in the order of the routes."""
    for router in ROUTERS:
        for route in router.routes:
            name = str(getattr(route, "name", ""))
            place = f"{'/'.join(sorted(getattr(route, 'methods', ())))} {getattr(route, 'path', '')}"
            if name in ACCESS:
                yield name, place, ACCESS[name]


def cells(access: Access) -> list[str]:
    """What each caller gets: nobody, then COLUMNS, then the parties."""
    may = [cell(access, roles, name) for name, roles in COLUMNS.items()]
    return [nobody(access), *may, parties(access)]


def nobody(access: Access) -> str:
    """What whoever has not signed in gets."""
    if isinstance(access, Anyone):
        return "✓"
    return "404" if isinstance(access, Party) and access.hidden else "401"


def cell(access: Access, roles: Role, name: str) -> str:
    """What a caller with these roles, and no part in the object, gets."""
    match access:
        case Holds(needed):
            return "✓" if roles & needed else "403"
        case Party(roles=those):
            return "✓" if roles & those else "404"
        case Joined():
            return "404" if name == "stranger" else "✓"
        case SignedIn(lists=what, all_for=those):
            return "∅" if what and not roles & those else "✓"
    return "✓"


def parties(access: Access) -> str:
    """Who has a part in the object, and what else there is to say."""
    if not isinstance(access, Party):
        return ""
    needed = f" as active {access.needs.name}" if access.needs else ""
    note = "; {} {}".format(*access.note) if access.note[0] else ""
    return f"✓ {', '.join(access.parties)} of the {access.kind}{needed}{note}"


def row(texts: list[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(texts) + " |"
