"""Every standing that the ledger knows has a word of the resolver's, in both languages."""

import pytest

from marketplace.identifiers import standing
from marketplace.types import AssetStatus, ListingStatus, OrderStatus, ParticipantStatus


@pytest.mark.parametrize("status", [item for item in ParticipantStatus if item])
def test_participants(status: ParticipantStatus) -> None:
    found = standing.of_party(status)
    assert all(standing.NAMES[found.status].values())
    assert found.in_force is (status is ParticipantStatus.ACTIVE)


@pytest.mark.parametrize("status", [item for item in OrderStatus if item])
def test_orders(status: OrderStatus) -> None:
    found = standing.of_order(status, 5)
    assert all(standing.NAMES[found.status].values())
    assert found.in_force is (status in (OrderStatus.FUNDED, OrderStatus.CLAIMED))


@pytest.mark.parametrize("status", [item for item in AssetStatus if item])
@pytest.mark.parametrize("now", [1, 9])
def test_data_certificates_and_products(status: AssetStatus, now: int) -> None:
    found = [standing.of_data(status, 5, now), standing.of_certificate(status, 5, now, moved=True)]
    found += [standing.of_product(item, 5, now, sold=sold) for item in ListingStatus if item for sold in (True, False)]
    assert all(item.status in standing.NAMES for item in found)
