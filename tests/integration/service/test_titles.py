"""Titles over HTTP, from the SDK to the ledger and back in the read model: grants, sub-grants, pledges, seizure, and
who is refused what.
"""

from typing import Any

import pytest

from marketplace.errors import RuleError
from marketplace.rulebooks.calendar import days
from marketplace.sdk import identifiers, listings, queries, rights, settlement, shares, titles
from marketplace.sdk.client import Client
from marketplace.sdk.titles import Wish
from marketplace.types import TitleKind, TitleMark
from tests.integration.service.test_registrations import refused, registered
from tests.integration.service.town import ESCROW, Town

DAY = 86_400
ROLE = "participant_not_active"  # of the ledger: no active participant with that role


@pytest.fixture(scope="module")
def operated(town: Town) -> str:
    """The supplier's title to operate a data set of its own."""
    asset, case = registered(town, "titles"), town.facts["case"]
    town.deposit_case(asset)
    town.facts["case"] = case
    rights.confirm(town["registrar"], asset, days(300))
    return titles.root(asset, TitleKind.OPERATE)


def granted(grantor: Client, grantee: Client, parent: str, kind: TitleKind = TitleKind.USE, **terms: Any) -> str:
    wish = Wish(grantee.address, kind, terms.pop("term", 30 * DAY), **terms)
    return str(titles.accept(grantee, titles.offer_grant(grantor, parent, wish))["titleId"])


def held(client: Client) -> list[str]:
    """The titles that the read model gives to this client's account."""
    return [row["titleId"] for row in client.pages("/rights/titles", holder=client.address)]


def test_titles_are_granted_sub_granted_and_die_with_the_one_above(town: Town, operated: str) -> None:
    supplier, collector, buyer, rival = (town[name] for name in ("supplier", "collector", "buyer", "rival"))
    part = granted(
        supplier, collector, operated, TitleKind.OPERATE, fields=("origin", "delay"), marks=TitleMark.MAY_GRANT
    )
    shown = titles.get(collector, part)
    assert (shown["holder"], shown["parent"], shown["kind"]) == (collector.address, operated, TitleKind.OPERATE)
    assert part in held(collector)
    use = granted(collector, buyer, part, fields=("delay",), term=10 * DAY)
    assert titles.get(buyer, use)["parent"] == part
    assert use in held(buyer)

    def grant(grantor: Client, parent: str, **terms: Any) -> str:
        return refused(lambda: granted(grantor, rival, parent, term=DAY, **terms))

    assert grant(collector, part, fields=("delay", "carrier")) == "title_wider"
    assert grant(collector, part, marks=TitleMark.MAY_DERIVE) == "title_wider"
    assert grant(buyer, use, fields=("delay",)) == "title_not_grantable"
    assert grant(rival, part) == "title_not_held"
    assert grant(supplier, operated, kind=TitleKind.OPERATE, marks=TitleMark.EXCLUSIVE) == "title_conflict"
    stolen = titles.offer_grant(collector, part, Wish(buyer.address, TitleKind.USE, DAY))
    assert refused(lambda: titles.accept(rival, stolen)) == "offer_for_another"

    assert refused(lambda: titles.revoke(supplier, part, "mine again")) == "asset_own_matter"
    assert refused(lambda: titles.revoke(town["auditor"], part, "so there")) == ROLE
    titles.revoke(town["registrar"], part, "the agreement was rescinded")
    assert titles.get(collector, part)["marks"] & TitleMark.ENDED
    assert grant(collector, part) == "title_over"
    assert titles.get(buyer, use)["standing"]["ancestor"] == part
    listed = {row["titleId"]: row["standing"] for row in titles.of_asset(buyer, titles.get(buyer, use)["assetId"])}
    assert (listed[use]["word"], listed[use]["ancestor"], listed[operated]["word"]) == ("ended", part, "in_force")
    assert refused(lambda: titles.surrender(supplier, operated, "tired")) == "title_first"


def test_what_was_granted_may_be_given_up(town: Town, operated: str) -> None:
    use = granted(town["supplier"], town["buyer"], operated, fields=("fare",))
    assert refused(lambda: titles.surrender(town["rival"], use, "not mine")) == "title_not_held"
    titles.surrender(town["buyer"], use, "not needed")
    assert titles.get(town["buyer"], use)["marks"] & TitleMark.ENDED


def test_a_pledged_title_moves_only_as_its_pledgee_permits(town: Town, operated: str) -> None:
    supplier, collector, rival = town["supplier"], town["collector"], town["rival"]
    asset = titles.get(supplier, operated)["assetId"]
    use = titles.root(asset, TitleKind.USE)
    assert refused(lambda: titles.accept(rival, titles.offer_pledge(supplier, use, rival.address, "loan 7"))) == (
        "title_not_pledgeable"
    )
    mine = titles.offer_pledge(rival, operated, collector.address, "loan 7")
    assert refused(lambda: titles.accept(collector, mine)) == "title_not_held"
    pledge = titles.offer_pledge(supplier, operated, rival.address, "loan 7")
    titles.accept(rival, pledge)
    shown = titles.get(supplier, operated)
    assert (shown["marks"] & TitleMark.PLEDGED, shown["pledgee"]) == (TitleMark.PLEDGED, rival.address)

    transfer = titles.offer_transfer(supplier, operated, collector.address)
    part = titles.offer_grant(
        supplier, operated, Wish(collector.address, TitleKind.USE, DAY, fields=("fare",), marks=TitleMark.EXCLUSIVE)
    )
    for offer in (transfer, part):  # each states the version after a permit
        with pytest.raises(RuleError) as unpermitted:
            titles.accept(collector, offer)
        assert (unpermitted.value.code, unpermitted.value.got) == ("title_pledged", rival.address)
        for hint in (unpermitted.value.hint, unpermitted.value.hint_zh):
            assert "marketplace rights permit" in hint
    ahead = {**transfer["transfer"], "version": shown["version"] + 2}
    unread = {"transfer": ahead, "fromSignature": supplier.sign("Transfer", ahead)}
    assert refused(lambda: titles.accept(collector, unread)) == "intent_stale"
    hasty = {**transfer["transfer"], "version": shown["version"]}
    unasked = {"transfer": hasty, "fromSignature": supplier.sign("Transfer", hasty)}
    assert refused(lambda: titles.accept(collector, unasked)) == "title_pledged"
    assert refused(lambda: titles.permit(collector, transfer)) == "title_not_pledgee"
    titles.permit(rival, transfer)
    titles.accept(collector, transfer)
    moved = titles.get(collector, operated)
    assert (moved["holder"], moved["marks"] & TitleMark.PLEDGED) == (collector.address, TitleMark.PLEDGED)
    assert operated in held(collector)

    assert refused(lambda: titles.release_pledge(supplier, operated)) == "title_not_pledgee"
    assert refused(lambda: titles.enforce(rival, operated, "ruling 8")) == "asset_own_matter"
    assert refused(lambda: titles.enforce(town["auditor"], operated, "ruling 8")) == ROLE
    titles.enforce(town["registrar"], operated, "ruling 8")
    ended = titles.get(rival, operated)
    assert (ended["holder"], ended["marks"] & TitleMark.PLEDGED) == (rival.address, 0)
    assert refused(lambda: titles.enforce(town["registrar"], operated, "ruling 9")) == "title_not_pledgee"
    titles.accept(supplier, titles.offer_transfer(rival, operated, supplier.address))

    titles.accept(rival, titles.offer_pledge(supplier, operated, rival.address, "loan 9"))
    titles.release_pledge(rival, operated)
    assert not titles.get(supplier, operated)["marks"] & TitleMark.PLEDGED


def test_a_seized_title_is_neither_granted_nor_moved_nor_sold(town: Town, operated: str) -> None:
    supplier, buyer, registrar = town["supplier"], town["buyer"], town["registrar"]
    assert refused(lambda: titles.encumber(supplier, operated, TitleMark.SEIZED, "order 5")) == "asset_own_matter"
    assert refused(lambda: titles.encumber(town["auditor"], operated, TitleMark.SEIZED, "order 5")) == ROLE
    assert refused(lambda: titles.encumber(registrar, operated, TitleMark.PLEDGED, "order 5")) == "title_marks"
    titles.encumber(registrar, operated, TitleMark.SEIZED, "order 5")
    assert titles.get(supplier, operated)["marks"] & TitleMark.ENCUMBRANCES == TitleMark.SEIZED
    assert refused(lambda: granted(supplier, buyer, operated)) == "title_encumbered"
    pledge = titles.offer_pledge(supplier, operated, buyer.address, "loan 1")
    assert refused(lambda: titles.accept(buyer, pledge)) == "title_encumbered"
    transfer = titles.offer_transfer(supplier, operated, buyer.address)
    assert refused(lambda: titles.accept(buyer, transfer)) == "title_encumbered"
    asset = titles.get(supplier, operated)["assetId"]
    assert refused(lambda: town.list_product(asset)) == "title_encumbered"
    assert refused(lambda: titles.encumber(registrar, operated, TitleMark.SEIZED, "order 6")) == "title_marks"

    titles.encumber(registrar, operated, TitleMark.CONTROLLED, "decision 3")
    assert titles.get(supplier, operated)["marks"] & TitleMark.ENCUMBRANCES == TitleMark.ENCUMBRANCES
    assert refused(lambda: titles.lift(registrar, operated, None, "order 7")) == "lift_ambiguous"
    titles.lift(registrar, operated, TitleMark.SEIZED, "order 7")
    assert titles.get(supplier, operated)["marks"] & TitleMark.ENCUMBRANCES == TitleMark.CONTROLLED
    assert refused(lambda: titles.lift(registrar, operated, TitleMark.SEIZED, "order 7")) == "lift_nothing"
    titles.lift(registrar, operated, None, "decision 4")
    assert titles.get(buyer, granted(supplier, buyer, operated))["holder"] == buyer.address


def test_columns_that_a_listing_does_not_offer_are_not_answered(town: Town) -> None:
    listing = town.list_product(town.facts["asset"], fields=("delay", "origin"))
    assert sorted(listings.get(town["buyer"], listing)["terms"]["fields"]) == ["delay", "origin"]
    settlement.issue(town["bank"], town["buyer"].address, ESCROW)
    order = town.fund(listing)
    for sql in ("SELECT carrier, COUNT(*) FROM data GROUP BY carrier", "SELECT COUNT(*) FROM data WHERE month = 1"):
        assert refused(lambda sql=sql: queries.ask(town["buyer"], order, sql, 1_000_000, 20)) == "column_not_permitted"  # type: ignore[misc]


def test_a_pledged_share_stays_and_pays_until_a_ruling(town: Town, operated: str) -> None:
    supplier, rival, buyer, registrar = (town[name] for name in ("supplier", "rival", "buyer", "registrar"))
    asset = titles.get(supplier, operated)["assetId"]
    share = shares.of(supplier, asset, supplier.address)
    assert share is not None
    offer = shares.offer_pledge(supplier, asset, rival.address, 4_000, "loan 12")
    assert refused(lambda: titles.accept(buyer, offer)) == "offer_for_another"
    assert titles.accept(rival, offer)["assetId"] == asset
    shown = shares.of(buyer, asset, supplier.address)
    assert shown == share | {"pledgedBps": 4_000, "pledgee": rival.address, "encumbranceVersion": 1}
    version = rights.get_asset(buyer, asset)["shareVersion"]  # a certificate is superseded by another one
    assert version == 1

    again = shares.offer_pledge(supplier, asset, buyer.address, 1, "loan 13")
    assert refused(lambda: titles.accept(buyer, again)) == "share_pledged"
    assert refused(lambda: shares.transfer(supplier, asset, buyer.address, share["bps"])) == "share_pledged"
    assert refused(lambda: shares.release(supplier, asset, supplier.address)) == "share_not_pledgee"
    assert refused(lambda: shares.enforce(rival, asset, supplier.address, "mine")) == "asset_own_matter"
    assert refused(lambda: shares.enforce(town["auditor"], asset, supplier.address, "so there")) == ROLE

    shares.encumber(registrar, asset, supplier.address, TitleMark.SEIZED, "order 8")
    assert refused(lambda: shares.transfer(supplier, asset, buyer.address, 1)) == "share_encumbered"
    assert refused(lambda: shares.enforce(registrar, asset, supplier.address, "ruling 4")) == "share_encumbered"
    assert refused(lambda: shares.encumber(registrar, asset, buyer.address, TitleMark.SEIZED, "x")) == "share_marks"
    told = identifiers.resolve(buyer, asset)["remarks"]
    whole = {"object": "SHARE", "holder": supplier.address}
    assert told[-2:] == [whole | {"mark": "SEIZED", "bps": 10_000}, whole | {"mark": "PLEDGED", "bps": 4_000}]
    lines = buyer.get(f"/identifiers/{asset}/page")["lines"]
    assert lines[-1]["value"]["zh"] == f"质押：收益份额 40.00 % · {supplier.address}"
    shares.encumber(registrar, asset, supplier.address, TitleMark.CONTROLLED, "decision 5")
    assert refused(lambda: shares.lift(registrar, asset, supplier.address, None, "order 9")) == "lift_ambiguous"
    shares.lift(registrar, asset, supplier.address, TitleMark.SEIZED, "order 9")
    shares.lift(registrar, asset, supplier.address, None, "decision 6")
    assert refused(lambda: shares.lift(registrar, asset, supplier.address, None, "order 9")) == "lift_nothing"

    shares.enforce(registrar, asset, supplier.address, "ruling 5")
    got = shares.of(buyer, asset, rival.address)
    assert got is not None
    assert got["bps"] == 4_000
    left = shares.of(buyer, asset, supplier.address)
    assert left == share | {"bps": share["bps"] - 4_000, "encumbranceVersion": 6}
    assert rights.get_asset(buyer, asset)["shareVersion"] == version + 1
    shares.transfer(supplier, asset, buyer.address, 500)
    titles.accept(buyer, shares.offer_pledge(rival, asset, buyer.address, 10, "loan 14"))
    shares.release(buyer, asset, rival.address)
    assert shares.of(buyer, asset, rival.address) == got | {"encumbranceVersion": 2}
