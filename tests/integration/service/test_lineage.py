"""A product is fused of a data set: declared, consented to, listed, and stopped by the withdrawal, over HTTP."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pypdfium2
import pytest

from marketplace.documents import LEVELS
from marketplace.documents.ids import title_id
from marketplace.rulebooks.calendar import days
from marketplace.sdk import identifiers, lineage, listings, rights, titles
from marketplace.sdk.client import Client
from marketplace.sdk.lineage import Source
from marketplace.types import AssetStatus, ConsentStatus, TitleKind, TitleMark
from tests.integration.service.test_registrations import refused, registered, sealed
from tests.integration.service.test_titles import granted
from tests.integration.service.town import BUDGET, Shown, Town
from tests.registering import FIELDS

NOTE = {"en": "joined by month", "zh": "按月融合"}
YEAR = 365 * 86_400
MARKS = TitleMark.MAY_DERIVE | TitleMark.MAY_GRANT


def offered(town: Town, listing: str) -> str | None:
    """Why a listing cannot be bought, as resolver and lists say it alike; None where it can."""
    reader = town["buyer"]
    said = identifiers.resolve(reader, listing)
    (row,) = [row for row in listings.list_all(reader) if row["listingId"] == listing]
    for standing in (row["standing"], listings.get(reader, listing)["standing"]):
        assert standing == {name: said[name] for name in ("status", "inForce", "reason")}
    assert said["inForce"] is (said["reason"] is None)
    return None if said["reason"] is None else str(said["reason"]["code"])


@contextmanager
def passed_on(giver: Client, taker: Client, title: str) -> Iterator[None]:
    """Meanwhile somebody else holds the title."""
    titles.accept(taker, titles.offer_transfer(giver, title, taker.address))
    yield
    titles.accept(giver, titles.offer_transfer(taker, title, giver.address))


def test_what_stops_a_sale_is_said_before_somebody_orders(town: Town, shown: Shown) -> None:
    asset = registered(town, "stopped")
    town.deposit_case(asset)
    rights.confirm(town["registrar"], asset, days(300))
    listing, root = town.list_product(asset), title_id(asset, TitleKind.OPERATE)
    assert offered(town, listing) is None
    titles.encumber(town["registrar"], root, TitleMark.SEIZED, "order 9")
    assert offered(town, listing) == "title_encumbered"
    titles.lift(town["registrar"], root, TitleMark.SEIZED, "order 10")
    assert offered(town, listing) is None
    rights.mark(town["registrar"], asset, AssetStatus.SUSPENDED, "to be looked into")
    assert offered(town, listing) == refused(lambda: town.fund(listing)) == "asset_status"
    rights.mark(town["registrar"], asset, AssetStatus.CONFIRMED, "nothing in it")
    titles.revoke(town["registrar"], root, "false proof")
    assert offered(town, listing) == refused(lambda: town.fund(listing)) == "title_over"
    assert "cannot be bought now" in shown("buyer", "listings", "show", listing)
    assert "目前不可购买" in shown("buyer", "listings", "list", "--lang", "zh")


def test_a_fused_product_is_sold_only_while_its_input_consents(
    town: Town, http: httpx.Client, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    supplier, collector, registrar = town["supplier"], town["collector"], town["registrar"]
    source = registered(town, "source")
    town.deposit_case(source)
    rights.confirm(registrar, source, days(300))
    first = title_id(source, TitleKind.OPERATE)
    part = granted(supplier, collector, first, TitleKind.OPERATE, marks=MARKS, term=200 * 86_400)
    manifest = sealed(town, "fused")
    shares = [(supplier.address, 10_000)]
    claim = rights.make_claim(manifest, level=LEVELS[1], source_class="FUSED", origin="ENTERPRISE", shares=shares)
    product = str(rights.register(supplier, manifest, claim, BUDGET)["assetId"])
    town.deposit_case(product, fields={**FIELDS, "sourceClass": "DERIVED"})
    assert refused(lambda: rights.confirm(registrar, product, days(300))) == "lineage_missing"

    own = Source(source, 2500, title_id(source, TitleKind.USE))
    assert refused(lambda: lineage.declare(supplier, product, [own], NOTE)) == "lineage_differs"
    stranger = town["buyer"]
    assert refused(lambda: lineage.declare(stranger, product, [Source(source, 2500)], NOTE)) == "lineage_not_registrant"
    lineage.declare(supplier, product, [Source(source, 2500)], NOTE, outside=["open weather data"])
    assert refused(lambda: lineage.declare(supplier, product, [Source(source, 1)], NOTE)) == "lineage_exists"
    with monkeypatch.context() as patch:  # a registrar whose program names no inputs
        patch.setattr(rights, "get_annex", lambda *_: {"inputs": [], "remarks": []})
        assert refused(lambda: rights.confirm(registrar, product, days(300))) == "certificate_differs"
    rights.confirm(registrar, product, days(300))
    told = rights.get_certificate(town["buyer"], product)["credentialSubject"]
    assert [(item["assetId"], item["basis"], item["status"]) for item in told["inputs"]] == [
        (source, "CONSENT", "confirmed")
    ]
    rights.mark(registrar, source, AssetStatus.SUSPENDED, "to be looked into")
    (now,) = identifiers.resolve(town["buyer"], product)["inputs"]
    assert (now["identifier"], now["status"]) == (told["inputs"][0]["identifier"], "suspended")
    rights.mark(registrar, source, AssetStatus.CONFIRMED, "nothing in it")
    printed = http.get(f"/rights/assets/{product}/certificate", headers={"accept": "application/pdf"}, timeout=60)
    assert len(pypdfium2.PdfDocument(printed.content)) == 2  # an annex names the input
    assert refused(lambda: town.list_product(product)) == "lineage_no_consent"

    until = int(time.time()) + YEAR
    assert refused(lambda: lineage.consent(stranger, product, source, until)) == "title_not_held"
    assert refused(lambda: lineage.consent(supplier, product, source, until)) == "lineage_own_consent"
    lineage.consent(collector, product, source, until, title=part)
    listing = town.list_product(product)
    town.fund(listing)
    (seen,) = lineage.get(stranger, product)["inputs"]
    assert (seen["inputId"], seen["bps"], seen["consent"]["status"]) == (source, 2500, ConsentStatus.GIVEN)
    assert [row["assetId"] for row in lineage.get(stranger, source)["products"]] == [product]

    assert (seen["consent"]["standing"], offered(town, listing)) == ({"inForce": True, "reason": None}, None)
    with passed_on(collector, town["rival"], part):
        (seen,) = lineage.get(stranger, product)["inputs"]
        assert not seen["consent"]["standing"]["inForce"]
        assert seen["consent"]["standing"]["reason"]["code"] == offered(town, listing) == "title_not_held"
        assert "not in force" in shown("buyer", "lineage", "show", product)
        assert "未生效" in shown("buyer", "lineage", "show", source, "--lang", "zh")
    assert offered(town, listing) is None

    assert refused(lambda: lineage.withdraw(stranger, product, source)) == "lineage_not_consenter"
    lineage.withdraw(collector, product, source)
    assert refused(lambda: town.fund(listing)) == offered(town, listing) == "lineage_no_consent"
