"""The same market on either store."""

from pathlib import Path

from marketplace.sdk import queries, settlement
from tests.integration.service.test_way import everybody
from tests.integration.service.town import ESCROW, Town, running, town_settings


def test_an_order_goes_its_way_on_each_store_and_survives_a_restart(database_url: str, tmp_path: Path) -> None:
    settings = town_settings(tmp_path / "service", database_url=database_url)
    with running(settings) as context:
        town = Town(settings.public_url, tmp_path, context)
        town.open_market()
        with everybody(town):
            answer = queries.ask(town["buyer"], town.facts["order"], "SELECT COUNT(*) FROM data", 1000, 60)
        assert answer.price == 500
        town.close()
    with running(settings) as context:  # the journal is replayed; what was promised still stands
        again = Town(settings.public_url, tmp_path, context)
        order = town.facts["order"]
        assert again["buyer"].get(f"/queries/{answer.query}")["state"] == "released"
        settlement.close(again["supplier"], order)
        assert settlement.statement(again["buyer"], order)["sum"] == ESCROW
        again.close()
