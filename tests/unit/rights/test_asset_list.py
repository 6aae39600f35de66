"""The list of assets shows every part of every asset, and asks the store as often for many as for two."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event

from marketplace.app import make_app
from marketplace.intents import CONTRACTS, Deployment
from marketplace.registrations.tables import RegisterEntry
from marketplace.rights.commands.showing import standing_of
from marketplace.rights.tables import Asset, Share, ShareEncumbrance, Title
from marketplace.settings import KEY_NAMES, Settings
from marketplace.storage.blobs import BlobStore
from marketplace.storage.engine import make_engine, session
from marketplace.storage.migrate import upgrade
from marketplace.types import ZERO_DIGEST, Address, TitleMark
from marketplace.web.context import Context

FIRST, SECOND = "0x" + "aa" * 20, "0x" + "bb" * 20


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def app(engine: Engine, tmp_path: Path) -> FastAPI:
    given: dict[str, Any] = {name: secrets.token_hex(32) for name in KEY_NAMES}
    settings = Settings(**given, genesis_registrar=Address(FIRST), data_dir=tmp_path, public_url="http://127.0.0.1")
    context = Context(
        settings=settings,
        engine=engine,
        blobs=BlobStore(settings.blobs, settings.max_blob_bytes),
        deployment=Deployment(1, dict.fromkeys(CONTRACTS, FIRST)),
        treasury=FIRST,
        ledger_problem=lambda: None,
    )
    return make_app(context)


def get(app: FastAPI, path: str, **params: int | str) -> Any:
    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            return await client.get(path, params=params)

    answer = asyncio.run(asked())
    assert answer.status_code == 200, answer.text
    return answer.json()


def digest(number: int) -> str:
    return f"0x{number:064x}"


def put_assets(engine: Engine, numbers: range) -> None:
    """Assets with two shares, two titles of their own, the title of an order, and every other one in the register."""
    nothing: dict[str, Any] = {
        "manifest_digest": ZERO_DIGEST,
        "ciphertext_root": ZERO_DIGEST,
        "claim_digest": ZERO_DIGEST,
    }
    nothing |= {"certificate_digest": ZERO_DIGEST}
    counts: dict[str, Any] = {
        "epsilon_budget": 9,
        "epsilon_committed": 4,
        "epsilon_released": 1,
        "version": 1,
        "share_version": 1,
    }
    with session(engine) as opened:
        for number in numbers:
            name = digest(number)
            opened.add(Asset(asset_id=name, holder=FIRST, level=1, status=2, valid_until=9, **nothing, **counts))
            opened.add(Share(asset_id=name, holder=FIRST, bps=1_000 + number))
            opened.add(Share(asset_id=name, holder=SECOND, bps=9_000 - number))
            weight: dict[str, Any] = {"pledgee": FIRST, "bps": 100 + number, "debt_digest": ZERO_DIGEST, "marks": 16}
            opened.add(ShareEncumbrance(asset_id=name, holder=SECOND, version=3, **weight))
            for part, order in enumerate((ZERO_DIGEST, ZERO_DIGEST, digest(1))):
                opened.add(title(f"0x{number:032x}{part:032x}", name, order))
            if number % 2:
                row: dict[str, Any] = {
                    "valid_until": 9,
                    "latest_case": ZERO_DIGEST,
                    "certificate_digest": ZERO_DIGEST,
                    "code": "",
                }
                row |= {"certified_case": ZERO_DIGEST, "form_digest": ZERO_DIGEST, "share_version": 0, "moves": 0}
                opened.add(RegisterEntry(asset_id=name, holder=FIRST, disputes=number % 3, upheld=0, **row))


def title(name: str, asset: str, order: str) -> Title:
    texts: dict[str, Any] = dict.fromkeys(("parent", "fields", "terms_digest"), ZERO_DIGEST)
    texts |= {"pledgee": FIRST, "holder": FIRST}
    numbers: dict[str, Any] = dict.fromkeys(
        ("marks", "purposes", "territories", "valid_from", "valid_until", "permitted"), 0
    )
    return Title(title_id=name, asset_id=asset, order_id=order, kind=1, moves=0, version=1, **texts, **numbers)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that the store is asked meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_longer_list_asks_the_store_no_more_often(engine: Engine, app: FastAPI) -> None:
    put_assets(engine, range(1, 3))
    with counted(engine) as few:
        assert len(get(app, "/rights/assets")["items"]) == 2
    put_assets(engine, range(3, 43))
    with counted(engine) as many:
        assert len(get(app, "/rights/assets")["items"]) == 42
    assert sum("FROM assets" in statement for statement in many) == 1, "the counter counts nothing"
    assert len(many) == len(few)


def test_every_asset_is_shown_with_its_own_parts(engine: Engine, app: FastAPI) -> None:
    put_assets(engine, range(1, 7))
    listed = get(app, "/rights/assets", limit=4)["items"]
    assert [asset["assetId"] for asset in listed] == [digest(number) for number in range(1, 5)]
    for number, asset in enumerate(listed, 1):
        assert asset == get(app, f"/rights/assets/{digest(number)}")
        pledge = {"pledgedBps": 100 + number, "pledgee": FIRST, "marks": 16, "encumbranceVersion": 3}
        nothing = {"pledgedBps": 0, "pledgee": None, "marks": 0, "encumbranceVersion": 0}
        assert asset["shares"] == [
            {"holder": SECOND, "bps": 9_000 - number} | pledge,
            {"holder": FIRST, "bps": 1_000 + number} | nothing,
        ]
        assert [held["assetId"] for held in asset["titles"]] == [digest(number)] * 2
        assert {held["orderId"] for held in asset["titles"]} == {ZERO_DIGEST}
        assert asset["epsilonLeft"] == 6
        entry = asset["registration"]
        assert (entry is None) == (number % 2 == 0)
        assert entry is None or entry["disputed"] == (number % 3 > 0)


def put_tree(engine: Engine, asset: str, *, marks: int) -> list[str]:
    """A first title with `marks`, a part of it and a part of that, all to operate and without an end; their ids."""
    put_assets(engine, range(int(asset, 16), int(asset, 16) + 1))
    names = [f"0x{depth:04x}{asset[6:]}" for depth in range(1, 4)]
    with session(engine) as opened:
        opened.get_one(Asset, asset).valid_until = 2**40
        for depth, name in enumerate(names):
            row = title(name, asset, ZERO_DIGEST)
            row.parent, row.marks = (names[depth - 1], 0) if depth else (ZERO_DIGEST, marks)
            row.kind, row.valid_until = 3, 2**40
            opened.add(row)
    return names


@pytest.mark.parametrize("path", ["/rights/titles", "/rights/assets/{}"])
def test_a_title_says_that_it_died_with_one_above_it(engine: Engine, app: FastAPI, path: str) -> None:
    root, part, deepest = put_tree(engine, digest(77), marks=int(TitleMark.ENDED))
    given: dict[str, int | str] = {"holder": FIRST, "kind": 3} if path.endswith("titles") else {}
    found = get(app, path.format(digest(77)), **given)
    stands = {item["titleId"]: item["standing"] for item in found.get("items", found.get("titles"))}
    for name in (root, part, deepest):
        assert (stands[name]["word"], stands[name]["ancestor"]) == ("ended", root)


def test_a_title_under_a_seized_one_says_so_and_stays_in_force(engine: Engine, app: FastAPI) -> None:
    root, _, deepest = put_tree(engine, digest(78), marks=int(TitleMark.SEIZED))
    stands = {item["titleId"]: item["standing"] for item in get(app, "/rights/titles", holder=FIRST, kind=3)["items"]}
    assert stands[deepest] == {"cause": 0, "word": "in_force", "ancestor": None, "encumbered": [root]}
    shown = standing_of(stands[deepest])
    assert (root in shown.en, "查封" in shown.zh) == (True, True)


def test_a_longer_list_of_titles_asks_the_store_no_more_often(engine: Engine, app: FastAPI) -> None:
    put_tree(engine, digest(80), marks=0)
    with counted(engine) as few:
        assert len(get(app, "/rights/titles", holder=FIRST, kind=3)["items"]) == 3
    for number in range(81, 91):
        put_tree(engine, digest(number), marks=0)
    with counted(engine) as many:
        assert len(get(app, "/rights/titles", holder=FIRST, kind=3)["items"]) == 33
    assert len(many) == len(few)
