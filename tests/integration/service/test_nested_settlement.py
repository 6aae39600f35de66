"""A product of a product and a data set is sold over HTTP: its price goes to the holders of the day, level by level.

    product   45 % its own holders   40 % middle   15 % other
    middle    75 % its own holder    25 % source

The amounts are worked out by hand here, by largest remainder: 900 less the venue's 2.5 % are 878.
"""

import time
from pathlib import Path

import pytest

from marketplace.auditor.bundle import open_bundle
from marketplace.auditor.trust import Trust
from marketplace.auditor.verifier import audit
from marketplace.documents import LEVELS
from marketplace.documents.ids import title_id
from marketplace.rulebooks.calendar import days
from marketplace.sdk import deliveries, evidence, lineage, papers, rights, settlement, shares
from marketplace.sdk.lineage import Source
from marketplace.types import TitleKind, TitleMark
from tests.integration.service.delivering import PRICE, TERMS, a_file, order_file
from tests.integration.service.test_papers import month_of
from tests.integration.service.test_registrations import sealed
from tests.integration.service.test_titles import granted
from tests.integration.service.town import BUDGET, YEAR, Town
from tests.registering import FIELDS

NOTE = {"en": "joined by month", "zh": "按月融合"}
NET = 878
Shares = dict[str, int]


def entered(town: Town, name: str, held: Shares, sources: list[Source] | None = None) -> str:
    """An asset of the supplier's with its share holders; of `sources`, whose operator consents, a fused one."""
    supplier, collector = town["supplier"], town["collector"]
    manifest, parts = sealed(town, f"nested-{name}"), [(town[holder].address, bps) for holder, bps in held.items()]
    kind = "FUSED" if sources else "COLLECTED_GENERATED"
    claim = rights.make_claim(manifest, level=LEVELS[1], source_class=kind, origin="ENTERPRISE", shares=parts)
    asset = str(rights.register(supplier, manifest, claim, BUDGET)["assetId"])
    town.deposit_case(asset, fields={**FIELDS, "sourceClass": "DERIVED"} if sources else FIELDS)
    if sources:
        lineage.declare(supplier, asset, sources, NOTE)
    rights.confirm(town["registrar"], asset, days(300))
    for source in sources or ():
        above, term = title_id(source.asset, TitleKind.OPERATE), 200 * 86_400
        part = granted(supplier, collector, above, TitleKind.OPERATE, marks=TitleMark.MAY_DERIVE, term=term)
        lineage.consent(collector, asset, source.asset, int(time.time()) + YEAR, title=part)
    return asset


@pytest.fixture(scope="module")
def assets(town: Town) -> dict[str, str]:
    source = entered(town, "source", {"supplier": 9000, "collector": 1000})
    other = entered(town, "other", {"collector": 3333, "rival": 6667})
    middle = entered(town, "middle", {"supplier": 10_000}, [Source(source, 2500)])
    made_of = [Source(middle, 4000), Source(other, 1500)]
    product = entered(town, "product", {"supplier": 7001, "collector": 2999}, made_of)
    return {"product": product, "middle": middle, "other": other, "source": source}


@pytest.fixture(scope="module")
def sold(town: Town, assets: dict[str, str]) -> str:
    """An order of the product, paid; meanwhile the collector passed on a part of what it held of the source."""
    plan, delivery = deliveries.full_set(PRICE), deliveries.file_terms(["id"], {"delay": "1"})
    listing = town.list_product(assets["product"], computations=[], price=None, plan=plan, delivery=delivery)
    deliveries.offer(town["supplier"], listing, TERMS)
    order = order_file(town, listing)
    deliveries.deliver(town["supplier"], order, a_file(21))
    shares.transfer(town["collector"], assets["source"], town["rival"].address, 400)
    deliveries.receive(town["buyer"], order)
    deliveries.accept(town["buyer"], order)
    return order


DUE = [
    *(("product", "supplier", 277), ("product", "collector", 118)),  # of 395
    ("middle", "supplier", 263),  # of 351, less 88 for the source
    *(("other", "collector", 44), ("other", "rival", 88)),  # of 132
    *(("source", "supplier", 79), ("source", "collector", 5), ("source", "rival", 4)),  # of 88
]


def test_the_price_reaches_every_holder_of_the_day_exactly(town: Town, assets: dict[str, str], sold: str) -> None:
    told = settlement.statement(town["supplier"], sold)
    found = [(line["asset"], line["to"], line["amount"]) for line in told["lines"] if line["what"] == "share"]
    assert found == [(assets[name], town[holder].address, amount) for name, holder, amount in DUE]
    assert sum(amount for *_, amount in found) == NET
    rest = {line["what"]: line["amount"] for line in told["lines"] if line["what"] != "share"}
    assert (rest, told["sum"], told["escrow"]) == ({"fee": PRICE - NET, "refund": 0}, PRICE, PRICE)


def test_each_holders_month_and_the_trade_voucher_show_it(town: Town, assets: dict[str, str], sold: str) -> None:
    voucher = papers.content(town["buyer"], papers.trade_voucher(town["buyer"], sold))
    paid = [(share["asset"], share["holder"], share["amount"]) for share in voucher["payment"]["shares"]]
    assert paid == [(assets[name], town[holder].address, amount) for name, holder, amount in DUE]
    month = month_of(voucher["payment"]["settledAt"])
    for holder in ("supplier", "collector", "rival"):
        lines = papers.content(town[holder], papers.statement(town[holder], month))["movements"]
        due = sum(amount for _, to, amount in DUE if to == holder)
        assert sum(line["amount"] for line in lines if line["about"] == sold) == due


def test_the_audit_finds_no_difference(town: Town, sold: str, tmp_path: Path) -> None:
    evidence.download_bundle(town["auditor"], tmp_path / "evidence.zip")
    trust = Trust(registrar=town["registrar"].address, log_key=town["auditor"].profile.pin.log_key)
    with open_bundle(tmp_path / "evidence.zip") as bundle:
        report = audit(bundle, trust, reexecute=0)
    assert report.findings == []
    assert report.passed
