"""What a source can give: claims, forms and confirmations keep within it, over HTTP."""

from collections.abc import Mapping
from typing import Any

from marketplace.documents import LEVELS
from marketplace.procedures import Kind, Step
from marketplace.rulebooks.calendar import days
from marketplace.sdk import registrations, rights
from marketplace.sdk.client import Client
from marketplace.types import TitleKind
from tests.integration.service.test_registrations import decide, refused, sealed
from tests.integration.service.town import BUDGET, Town
from tests.registering import FIELDS

PUBLIC = "AUTOMATED_PUBLIC_COLLECTION"


def test_what_was_collected_in_public_is_not_operated(town: Town) -> None:
    supplier, registrar, manifest = town["supplier"], town["registrar"], sealed(town, "public")
    shares = [(supplier.address, 10_000)]
    claim = rights.make_claim(manifest, level=LEVELS[1], source_class=PUBLIC, origin="ENTERPRISE", shares=shares)
    assert [right["right"] for right in claim["rights"]] == ["HOLD", "USE"]
    greedy = {**claim, "rights": [*claim["rights"], {**claim["rights"][0], "right": "OPERATE"}]}
    assert refused(lambda: rights.register(supplier, manifest, greedy, BUDGET)) == "right_not_claimable"
    asset = str(rights.register(supplier, manifest, claim, BUDGET)["assetId"])

    def file(source: str) -> str:
        fields = {**FIELDS, "sourceClass": source}
        filed = registrations.file(supplier, asset, Kind.FIRST, fields, non_publication="the data set is a test's own")
        return str(filed["caseId"])

    assert refused(lambda: file("COLLECTED_GENERATED")) == "source_differs"
    case = file(PUBLIC)
    for step in (Step.ACCEPT, Step.WAIVE_NOTICE, Step.DEPOSIT):
        decide(town, case, step, "the reasons hold" if step is Step.WAIVE_NOTICE else None)

    greedy_client = _Greedy(town.url, registrar.keys)
    assert refused(lambda: rights.confirm(greedy_client, asset, days(300))) == "rights_differ"
    greedy_client.close()
    rights.confirm(registrar, asset, days(300))
    opened = rights.get_asset(supplier, asset)["titles"]
    assert sorted(title["kind"] for title in opened) == [TitleKind.HOLD, TitleKind.USE]
    assert refused(lambda: town.list_product(asset)) == "title_not_held"


class _Greedy(Client):
    """A registrar who gives all rights, whatever was claimed."""

    def sign(self, name: str, message: Mapping[str, Any]) -> str:
        if name == "Confirm" and isinstance(message, dict):
            message["rights"] = 7
        return super().sign(name, message)
