"""Which declaration fits which source, and how deep a product may be."""

from typing import Any

import pytest

from marketplace.errors import RuleError
from marketplace.lineage.rules import Input, Lineage, Registers, declare, tree_of
from marketplace.lineage.sources import fault_of
from marketplace.participants.rules import Participant, Participants
from marketplace.rights.records import Asset, Rights
from marketplace.rights.title_records import Titles
from marketplace.types import ZERO_DIGEST, AssetStatus, ParticipantStatus, Role

TITLE, HOLDER, NOW = "0x" + "11" * 32, "0x" + "22" * 20, 1_800_000_000


@pytest.mark.parametrize(
    ("source", "titles", "code"),
    [
        ("COLLECTED_GENERATED", None, None),
        ("COLLECTED_GENERATED", [], "lineage_differs"),
        ("DERIVED", None, "lineage_missing"),
        ("DERIVED", [], None),
        ("DERIVED", [TITLE], None),
        ("DERIVED", [TITLE, ZERO_DIGEST], "lineage_differs"),
        ("FUSED", None, "lineage_missing"),
        ("FUSED", [TITLE], "lineage_differs"),
        ("FUSED", [TITLE, ZERO_DIGEST], None),
    ],
)
def test_a_declaration_fits_its_source(source: str, titles: list[str] | None, code: str | None) -> None:
    fault = fault_of(source, titles)
    assert (fault[0] if fault else None) == code


def test_a_product_has_at_most_four_levels_below_it() -> None:
    names = [f"0x{number:064x}" for number in range(1, 7)]
    lineage, rights, people = Lineage(), Rights(), Participants()
    people.records[HOLDER] = Participant(int(Role.SUPPLIER), ParticipantStatus.ACTIVE)
    for place, name in enumerate(names):
        rights.assets[name] = Asset(HOLDER, 1, ZERO_DIGEST, 1, [], AssetStatus.CONFIRMED, NOW + 1)
        if 0 < place < 5:
            lineage.trees[name] = tree_of(lineage, (Input(names[place - 1], ZERO_DIGEST, 0),))
    rights.assets[names[5]].status = AssetStatus.REGISTERED
    message: dict[str, Any] = {
        "assetId": names[5],
        "holder": HOLDER,
        "inputs": [names[4]],
        "titles": [ZERO_DIGEST],
        "bps": [0],
    }
    message |= {"agreementDigest": ZERO_DIGEST, "deadline": NOW}
    with pytest.raises(RuleError) as refused:
        declare(lineage, Registers(people, rights, Titles()), message, NOW)
    assert (refused.value.code, refused.value.got) == ("lineage_too_deep", 6)
    declare(lineage, Registers(people, rights, Titles()), message | {"inputs": [names[3]]}, NOW)
