"""Revenue shares and the privacy budget in detail; whole verbs are compared with the contracts in tests/integration."""

from functools import partial
from typing import Any

import pytest

from marketplace.errors import RuleError
from marketplace.participants.rules import Participant, Participants
from marketplace.procedures import CaseState, Kind, Procedure
from marketplace.registrations.codes import to_ledger
from marketplace.registrations.records import Case, Record, Registrations
from marketplace.rights import rules, shares
from marketplace.rights.records import Asset, Rights, Share
from marketplace.rights.title_records import Titles
from marketplace.types import AssetStatus, ParticipantStatus, Role

PEOPLE = ["0x" + f"{i:02x}" * 20 for i in range(1, 19)]
ASSET = "0x" + "aa" * 32


@pytest.fixture
def participants() -> Participants:
    return Participants({account: Participant(1, ParticipantStatus.ACTIVE, 1) for account in PEOPLE})


def _rights(*bps: int) -> Rights:
    shares = [Share(account, share) for account, share in zip(PEOPLE, bps, strict=False)]
    return Rights({ASSET: Asset(PEOPLE[0], 1, ASSET, 1000, shares, status=AssetStatus.CONFIRMED)})


def _move(rights: Rights, participants: Participants, giver: int, taker: int, bps: int) -> list[tuple[int, int]]:
    handover = {
        "assetId": ASSET,
        "from": PEOPLE[giver],
        "to": PEOPLE[taker],
        "bps": bps,
        "version": rights.assets[ASSET].share_version,
        "deadline": 1,
    }
    shares.transfer_share(rights, participants, handover, 0)
    return [(PEOPLE.index(share.holder), share.bps) for share in rights.assets[ASSET].shares]


def test_part_of_a_share_goes_to_a_new_holder_at_the_end(participants: Participants) -> None:
    assert _move(_rights(9000, 1000), participants, 0, 2, 4000) == [(0, 5000), (1, 1000), (2, 4000)]


def test_a_whole_share_leaves_its_place_to_a_new_holder(participants: Participants) -> None:
    assert _move(_rights(9000, 1000), participants, 0, 2, 9000) == [(2, 9000), (1, 1000)]


def test_an_emptied_place_goes_to_the_next_new_holder(participants: Participants) -> None:
    rights = _rights(9000, 1000)
    assert _move(rights, participants, 0, 1, 9000) == [(0, 0), (1, 10_000)]
    assert [share.bps for share in rights.assets[ASSET].payees()] == [10_000]
    assert _move(rights, participants, 1, 2, 1) == [(2, 1), (1, 9999)]


def test_a_seventeenth_holder_is_refused_and_nothing_moved(participants: Participants) -> None:
    rights = _rights(*[625] * 16)
    with pytest.raises(RuleError) as caught:
        _move(rights, participants, 0, 16, 1)
    assert caught.value.code == "shares_full"
    assert [share.bps for share in rights.assets[ASSET].shares] == [625] * 16


@pytest.mark.parametrize("bps", [0, 1001])
def test_nobody_gives_more_than_they_have(participants: Participants, bps: int) -> None:
    with pytest.raises(RuleError) as caught:
        _move(_rights(9000, 1000), participants, 1, 2, bps)
    assert (caught.value.code, caught.value.expected, caught.value.got) == ("share_too_small", 1000, bps)


@pytest.mark.parametrize(
    ("holders", "bps"),
    [
        ([], []),
        ([0], [9999]),
        ([0, 0], [5000, 5000]),
        ([0, 1], [10_000, 0]),
        ([0], [5000, 5000]),
        (range(17), [588] * 17),
    ],
)
def test_shares_that_are_no_division_of_the_whole_are_refused(holders: list[int], bps: list[int]) -> None:
    with pytest.raises(RuleError) as caught:
        rules.require_shares([PEOPLE[i] for i in holders], bps)
    assert caught.value.code == "asset_shares_invalid"


def test_the_budget_counts_what_orders_hold_and_gets_back_what_they_did_not_spend() -> None:
    rights = _rights(10_000)
    order_id = "0x" + "bb" * 32
    rules.commit_budget(rights, ASSET, order_id, 600)
    with pytest.raises(RuleError) as caught:
        rules.commit_budget(rights, ASSET, order_id, 600)
    assert (caught.value.code, caught.value.expected, caught.value.got) == ("budget_exceeded", 400, 600)
    rules.release_budget(rights, ASSET, order_id, 500)
    assert rights.assets[ASSET].budget_left == 900


@pytest.mark.parametrize(
    ("kind", "until", "code"),
    [
        (Kind.CHANGE, 500, ""),
        (Kind.CHANGE, 499, "asset_term"),
        (Kind.CHANGE, 501, "asset_term"),
        (Kind.RENEWAL, 501, ""),
        (Kind.RENEWAL, 500, "asset_term"),
        (Kind.RENEWAL, 900, "certificate_term"),
        (Kind.RENEWAL, 9, "asset_term_over"),
    ],
)
def test_a_renewal_alone_moves_the_end_and_only_as_far_as_its_deposit(kind: Kind, until: int, code: str) -> None:
    registrar, digest = PEOPLE[3], "0x" + "5c" * 32
    asset = Asset(PEOPLE[0], 1, digest, 10, [], status=AssetStatus.CONFIRMED, valid_until=500)
    case = Case(digest, PEOPLE[0], kind, Procedure.ORDINARY, CaseState.DEPOSITED, digest, digest, 1, 800, 800, False)
    entries = Registrations(cases={digest: case}, records={digest: Record(PEOPLE[0], 500, latest_case=digest)})
    known = Participants({registrar: Participant(int(Role.REGISTRAR), ParticipantStatus.ACTIVE, 1)})
    message: dict[str, Any] = dict.fromkeys(("assetId", "claimDigest", "certificateDigest"), digest)
    message |= {
        "code": to_ledger("SJ3102026090001"),
        "rights": 7,
        "validUntil": until,
        "registrar": registrar,
        "version": 1,
        "deadline": 10,
    }
    act = partial(rules.confirm, Rights({digest: asset}), message, 10, titles=Titles(), participants=known)
    if not code:
        assert act(registrations=entries)[0].args["validUntil"] == until
        return
    with pytest.raises(RuleError) as caught:
        act(registrations=entries)
    assert caught.value.code == code
    assert (asset.valid_until, case.state) == (500, CaseState.DEPOSITED)
