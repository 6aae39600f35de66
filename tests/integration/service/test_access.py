"""The authorisation matrix over HTTP: every operation for every caller, on an object of theirs, of others, and on none.

The table is marketplace/web/access.py; nothing here knows an operation by heart but how to ask for it (asking.py).
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from marketplace.documents.identifiers import Kind, identifier
from marketplace.queries.tables import RequestWish
from marketplace.types import Role
from marketplace.web.access import ACCESS, NOBODY, Access, Anyone, Holds, Joined, Party, Signed, SignedIn
from tests.integration.service.asking import (
    REQUESTS,
    ROLES,
    STRANGERS,
    SUSPENDED,
    UNKNOWN,
    UNKNOWNS,
    World,
    make_world,
)
from tests.integration.service.town import Town

MAY_NOT = (401, 403, 404)
CALLERS = (None, *STRANGERS)


@pytest.fixture(scope="module")
def world(town: Town) -> World:
    return make_world(town)


@pytest.fixture(scope="module")
def documented(http: httpx.Client) -> dict[str, Any]:
    document: dict[str, Any] = http.get("/openapi.json").json()
    return document


def of_kind(kind: type[Access]) -> list[str]:
    return [name for name, access in ACCESS.items() if isinstance(access, kind)]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield operation["operationId"], method.upper(), path, operation


def holds(caller: str | None, roles: Role) -> bool:
    """Whether the caller is an active participant with one of the roles."""
    return bool(ROLES.get(caller or "", NOBODY) & roles)


def test_every_operation_is_in_the_table_and_no_other(documented: dict[str, Any]) -> None:
    names = {name for name, *_ in operations(documented)}
    assert names - ACCESS.keys() == set(), "say who may call it, and whose object it touches: marketplace/web/access.py"
    assert ACCESS.keys() - names == set(), "marketplace/web/access.py names an operation that is not there"
    assert set(of_kind(Party)) == REQUESTS.keys(), "say how to ask for it: tests/integration/service/asking.py"


@pytest.mark.parametrize("operation", of_kind(Party))
@pytest.mark.parametrize("caller", CALLERS)
def test_a_strangers_object_does_not_exist(
    world: World, http: httpx.Client, operation: str, caller: str | None
) -> None:
    access = ACCESS[operation]
    assert isinstance(access, Party)
    foreign, missing = world.objects[access.kind], UNKNOWNS.get(access.kind, UNKNOWN)
    theirs = world.ask(http, operation, caller, foreign)
    if holds(caller, access.roles):
        assert theirs.status_code not in MAY_NOT, theirs.text
        return
    nothing = world.ask(http, operation, caller, missing)
    expected = 404 if caller or access.hidden else 401
    assert theirs.status_code == expected, theirs.text
    assert told(theirs, foreign) == told(nothing, missing)


@pytest.mark.parametrize("operation", of_kind(Party))
def test_its_parties_may(world: World, http: httpx.Client, operation: str) -> None:
    access = ACCESS[operation]
    assert isinstance(access, Party)
    parties = world.relations[access.kind]
    for relation, party in parties.items():
        fresh = {"webhook": world.webhook, "identity": world.identity}.get(access.kind)
        target = fresh() if fresh else world.objects[access.kind]
        answer = world.ask(http, operation, party, target)
        if relation in access.parties:
            assert answer.status_code not in MAY_NOT, answer.text
        else:
            assert answer.status_code == 404, f"{relation}: {answer.text}"


@pytest.mark.parametrize("operation", of_kind(Holds))
@pytest.mark.parametrize("caller", CALLERS)
def test_a_role_opens_what_it_opens(
    world: World, http: httpx.Client, documented: dict[str, Any], operation: str, caller: str | None
) -> None:
    access = ACCESS[operation]
    assert isinstance(access, Holds)
    answer = plain(world, http, documented, operation, caller)
    if caller is None:
        assert refused(answer, 401) == "not_signed_in"
    elif holds(caller, access.roles):
        assert answer.status_code not in (401, 403), answer.text
    else:
        assert refused(answer, 403) == "role_missing"


@pytest.mark.parametrize("operation", [name for name in of_kind(SignedIn) + of_kind(Joined) if name != "sign_out"])
@pytest.mark.parametrize("caller", CALLERS)
def test_a_sign_in_opens_ones_own(
    world: World, http: httpx.Client, documented: dict[str, Any], operation: str, caller: str | None
) -> None:
    access = ACCESS[operation]
    answer = plain(world, http, documented, operation, caller)
    if caller is None:
        assert refused(answer, 401) == "not_signed_in"
        return
    if isinstance(access, Joined) and caller == "stranger":
        assert refused(answer, 404) == "participant_unknown"
        return
    if operation == "unlink_myself":  # these sign in with keys, which are no link
        assert refused(answer, 404) == "identity_unknown"
        return
    assert answer.status_code not in MAY_NOT, answer.text
    if isinstance(access, SignedIn) and access.lists and not holds(caller, access.all_for):
        assert answer.json()["items"] == [], "a list shows rows that are not the caller's"


def test_signing_out_needs_a_session(world: World, http: httpx.Client) -> None:
    assert refused(http.delete("/session"), 401) == "not_signed_in"
    held = {"authorization": f"Bearer {world.tokens.pop('stranger', None) or world.token('stranger')}"}
    world.tokens.pop("stranger", None)
    assert http.delete("/session", headers=held).status_code == 204
    assert refused(http.delete("/session", headers=held), 401) == "session_over"


@pytest.mark.parametrize("operation", of_kind(Anyone))
def test_what_is_public_is_the_same_for_everybody(
    world: World, http: httpx.Client, documented: dict[str, Any], operation: str
) -> None:
    answers = [plain(world, http, documented, operation, caller) for caller in CALLERS]
    assert {answer.status_code for answer in answers} & {401, 403} == set()
    assert len({answer.status_code for answer in answers}) == 1


@pytest.mark.parametrize("operation", of_kind(Signed))
def test_nobody_acts_with_a_signature_that_is_not_theirs(
    world: World, http: httpx.Client, documented: dict[str, Any], operation: str
) -> None:
    access = ACCESS[operation]
    assert isinstance(access, Signed)
    for caller in (None, "stranger", "lone-REGISTRAR", SUSPENDED):
        answer = plain(world, http, documented, operation, caller)
        assert refused(answer, answer.status_code) == access.refusal, answer.text
        assert answer.status_code == (403 if access.verb == "EIP-4361" else 409)


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["code"])


def told(answer: httpx.Response, name: str) -> tuple[Any, ...]:
    """All that an answer tells, without the name that the caller has chosen, however it is written."""
    body = {key: value for key, value in answer.json().items() if key not in ("instance", "trace_id")}
    words = str(body).replace(name, "…")
    words = words.replace(str(identifier(Kind.ORDER, name)), "…") if len(name) == len(UNKNOWN) else words
    return answer.status_code, words, sorted(set(answer.headers) - {"content-length"})


def plain(
    world: World, http: httpx.Client, document: dict[str, Any], operation: str, caller: str | None
) -> httpx.Response:
    """A request of the documented shape, with values that mean nothing."""
    method, path, described = next((m, p, o) for name, m, p, o in operations(document) if name == operation)
    query = {}
    for parameter in described.get("parameters", []):
        value = example(document, parameter["schema"])
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", str(value))
        elif parameter.get("required") and parameter["in"] == "query":
            query[parameter["name"]] = value
    headers = {} if caller is None else {"authorization": f"Bearer {world.token(caller)}"}
    content = described.get("requestBody", {}).get("content", {})
    body: dict[str, Any] = {}
    if "application/json" in content and method != "PUT":
        body = {"json": example(document, content["application/json"]["schema"])}
    elif content:
        body = {"content": b"x"}
    return http.request(method, path, headers=headers, params=query, **body)


def example(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """The plainest value of a schema."""
    if "$ref" in schema:
        return example(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if schema.get("examples"):
        return schema["examples"][0]
    if "anyOf" in schema:
        return example(document, schema["anyOf"][0])
    if schema.get("type") == "array":
        return [example(document, schema["items"])] * schema.get("minItems", 1)
    if schema.get("type") == "object":
        return {name: example(document, schema["properties"][name]) for name in schema.get("required", [])}
    return {"string": "text", "integer": int(schema.get("minimum", 1)), "boolean": False}.get(
        str(schema.get("type")), 0
    )


def test_a_stranger_leaves_nothing_behind(world: World, http: httpx.Client) -> None:
    """Polling as the holder of a key that nobody needs writes no row."""
    for path in ("/vault/tasks", "/custodian/tasks"):
        held = {"authorization": f"Bearer {world.token('stranger')}"}
        assert http.post(path, headers=held, json={"requests": True}).json() == {"task": None}
    with world.town.context.reading() as session:
        assert session.get(RequestWish, world.town["stranger"].address) is None
