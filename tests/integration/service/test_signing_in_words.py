"""What a person signs is shown in words before it is signed: offers of titles and shares, keys, consents."""

import json
from pathlib import Path

import pytest

from crypto.keystore import Keys
from marketplace.errors import RuleError, VerificationError
from marketplace.sdk import persons, titles
from marketplace.sdk.client import Client
from marketplace.sdk.titles import Wish
from marketplace.types import Act, TitleKind, TitleMark
from tests.integration.service.town import Shown, Town

DAY = 86_400
WANTED = ("--kind", "使用权", "--term", "90d", "--purpose", "TRANSPORT", "--purpose", "SCI_TECH_INNOVATION")
SCOPE = ("--field", "origin", "--field", "delay", "--territory", "CN-SH", "--territory", "CN-JS")


def test_both_sides_read_a_grant_in_words(town: Town, tmp_path: Path, shown: Shown) -> None:
    offer, asset = tmp_path / "grant.json", town.facts["asset"]
    words = ("rights", "grant", asset, "--to", town["rival"].address, *WANTED, *SCOPE, "--may-derive")
    offered = shown("supplier", *words, "--output", str(offer))
    for told in (offered, shown("rival", "rights", "accept", str(offer))):
        for text in (
            *("USE", "TRANSPORT, SCI_TECH_INNOVATION", "origin, delay", "CN-SH, CN-JS", "MAY_DERIVE"),
            *(town["supplier"].address, town["rival"].address, "Flights"),
        ):
            assert text in told, text
        assert not any(line.endswith(("  1152", "  768")) for line in told.splitlines())
    message = json.loads(offer.read_text("utf-8"))["grant"]
    assert message["validUntil"] - message["validFrom"] == pytest.approx(90 * DAY, abs=5)


def test_an_offer_is_read_in_chinese_and_its_terms_as_json(town: Town, tmp_path: Path, shown: Shown) -> None:
    offer, asset = tmp_path / "grant.json", town.facts["asset"]
    words = (
        "rights",
        "grant",
        asset,
        "--to",
        town["rival"].address,
        "--kind",
        "USE",
        "--term",
        "1d",
        "--field",
        "fare",
    )
    chinese = shown("supplier", *words, "--field", "fare", "--output", str(offer), "--lang", "zh")
    assert "权利" in chinese
    assert "使用权" in chinese
    assert "全部" in chinese
    told = json.loads(shown("rival", "rights", "accept", str(offer), "--json"))["terms"]
    assert (told["fields"], told["purposes"], told["marks"]) == ("fare", "all", "none")
    assert told["receiver"] == town["rival"].address


def test_a_longer_term_than_the_title_above_has_is_refused(town: Town, tmp_path: Path, shown: Shown) -> None:
    supplier, root = town["supplier"], titles.root(town.facts["asset"], TitleKind.OPERATE)
    end = titles.get(supplier, root)["validUntil"]
    with pytest.raises(RuleError) as caught:
        titles.offer_grant(supplier, root, Wish(town["rival"].address, TitleKind.USE, 400 * DAY))
    assert caught.value.code == "grant_beyond_term"
    assert "364d" in caught.value.hint
    assert titles.offer_grant(supplier, root, Wish(town["rival"].address, TitleKind.USE, end - supplier.now() - 5))


def test_a_pledge_carries_its_debt_and_no_other(town: Town, tmp_path: Path, shown: Shown) -> None:
    bank, asset = town["bank"], town.facts["asset"]
    root, file = titles.root(asset, TitleKind.OPERATE), tmp_path / "pledge.json"
    told = shown("supplier", "rights", "pledge", root, "--to", bank.address, "--debt", "loan 17", "--output", str(file))
    assert "loan 17" in told
    assert "OPERATE" in told
    offer = json.loads(file.read_text("utf-8"))
    with pytest.raises(VerificationError) as caught:
        titles.accept(bank, offer | {"debt": "loan 18"})
    assert caught.value.code == "debt_differs"
    assert "loan 17" in shown("bank", "rights", "accept", str(file))
    shown("bank", "rights", "release-pledge", root)
    shares = ("rights", "pledge-share", asset, "--to", bank.address, "--bps", "2500", "--debt", "loan 19")
    told = shown("supplier", *shares, "--output", str(file))
    assert "25 % of the income" in told
    assert "loan 19" in told


def test_what_is_moved_is_named_before_it_moves(town: Town, tmp_path: Path, shown: Shown) -> None:
    file = tmp_path / "offer.json"
    supplier, root = town["supplier"], titles.root(town.facts["asset"], TitleKind.OPERATE)
    wish = Wish(town["collector"].address, TitleKind.USE, DAY, fields=("fare",), marks=TitleMark.MAY_GRANT)
    part = titles.accept(town["collector"], titles.offer_grant(supplier, root, wish))["titleId"]
    offered = shown("collector", "rights", "offer-title", part, "--to", town["buyer"].address, "--output", str(file))
    accepted = shown("buyer", "rights", "accept", str(file), "--lang", "zh")
    assert ("fare" in offered, "MAY_GRANT" in offered) == (True, True)
    assert ("fare" in accepted, "可再授权" in accepted, town["collector"].address in accepted) == (True, True, True)


def test_a_key_is_accepted_with_its_acts_and_limit_in_sight(town: Town, tmp_path: Path, shown: Shown) -> None:
    clerk = town.clients["reading-clerk"] = Client(town.url, Keys(b"\x17" * 32))
    acts, file = Act.ORDERS | Act.READ, tmp_path / "clerk.json"
    proposal = persons.propose_key(town["buyer"], clerk.keys.address, acts, name="Li Lei", limit=50_000, days=90)
    file.write_text(json.dumps(proposal), "utf-8")
    told = shown("reading-clerk", "persons", "accept", str(file))
    for text in (town["buyer"].address, "Li Lei", "ORDERS, READ", "500.00 yuan"):
        assert text in told
    persons.end_key(town["buyer"], clerk.keys.address, "tested")
