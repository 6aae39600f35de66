"""What two parties sign about titles, in words: nothing that is signed is left out."""

from marketplace.rights import wording
from marketplace.types import TitleKind, TitleMark
from marketplace.words import Words

ASSET, TITLE, GIVER, TAKER = "0x" + "5f" * 32, "0x" + "7a" * 32, "0x" + "11" * 20, "0x" + "22" * 20
MANIFEST = {
    "title": {"en": "Flights", "zh": "航班"},
    "dimensions": [{"name": "origin"}],
    "measures": [{"name": "delay"}],
}
GRANT = {
    **{"parent": TITLE, "kind": TitleKind.USE, "grantor": GIVER, "grantee": TAKER, "termsDigest": "0x" + "33" * 32},
    **{"purposes": 1 << 10, "fields": f"0x{2:064x}", "territories": 1 << 8, "marks": 3},
    **{"validFrom": 1_767_225_600, "validUntil": 1_769_904_000, "deadline": 1_767_830_400},
}


def told(**changes: object) -> dict[str, Words]:
    """What a changed grant says, by its English labels."""
    return {label.en: says for label, says in wording.of_grant({**GRANT, **changes}, MANIFEST, ASSET)}


def test_a_grant_says_what_bits_and_seconds_mean() -> None:
    says = told()
    assert says["right"].en.startswith("USE")
    assert says["right"].zh == "使用权"
    assert (says["purposes"].en, says["fields"].en) == ("TRANSPORT", "delay")
    assert says["marks"] == Words("EXCLUSIVE, MAY_GRANT", "独占、可再授权")
    assert says["term"].en == "2026-01-01T00:00:00Z until 2026-02-01T00:00:00Z"
    assert (GIVER in says["giver"].en, TAKER in says["receiver"].en) == (True, True)


def test_bits_without_a_name_are_said() -> None:
    assert told(purposes=1 << 30)["purposes"] == Words("unnamed bit 30", "未命名位 30")
    assert told(fields=f"0x{(1 << 200) | 1:064x}")["fields"].en == "origin, unnamed bit 200"
    assert told(territories=1 << 47)["territories"].zh == "未命名位 47"
    assert told(marks=int(TitleMark.EXCLUSIVE) | 1 << 9)["marks"].en == "EXCLUSIVE, undefined (512)"


def test_a_whole_dimension_and_an_empty_one_are_told_apart() -> None:
    assert told(purposes=2**32 - 1)["purposes"] == Words("all", "全部")
    assert told(purposes=0)["purposes"] == Words("none", "无")


def test_a_debt_is_said_or_named_by_its_digest() -> None:
    message = {"assetId": ASSET, "holder": GIVER, "pledgee": TAKER, "bps": 2_500, "debtDigest": "0xdd", "deadline": 0}
    for debt, said in (("loan 17", "loan 17"), (None, "SHA-256 0xdd; its text is not in the file")):
        lines = {label.en: says.en for label, says in wording.of_share_pledge(message, MANIFEST, debt)}
        assert (lines["debt"], lines["share"]) == (said, "25 % of the income")
