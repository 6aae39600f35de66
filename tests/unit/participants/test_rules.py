"""The status table of participants, cell by cell."""

from collections.abc import Callable

import pytest

from marketplace.errors import RuleError
from marketplace.participants.rules import (
    ALL_ROLES,
    STATES,
    Participant,
    Participants,
    admit,
    request_admission,
    resign,
    set_status,
)
from marketplace.rulebooks import LAWFUL, rulebook_named
from marketplace.rulebooks.bounds import bounds_of
from marketplace.types import ParticipantStatus, Role

OTHER = "0x" + "55" * 20
REGISTRAR, ACCOUNT, DIGEST = "0x" + "11" * 20, "0x" + "22" * 20, "0x" + "33" * 32
NONE, ACTIVE, SUSPENDED = ParticipantStatus.NONE, ParticipantStatus.ACTIVE, ParticipantStatus.SUSPENDED


def _state(status: ParticipantStatus) -> Participants:
    record = Participant(int(Role.BUYER), status, 5)
    return Participants({REGISTRAR: Participant(int(Role.REGISTRAR), ACTIVE, 1), ACCOUNT: record})


def _admit(state: Participants) -> None:
    join = {"account": ACCOUNT, "roles": 3, "identityDigest": DIGEST, "deadline": 9}
    admit(state, join, {**join, "version": 5, "registrar": REGISTRAR}, 9)


def _set(state: Participants, status: int, decider: str = REGISTRAR) -> None:
    change = {"account": ACCOUNT, "status": status, "reasonDigest": DIGEST, "version": 5, "decider": decider}
    set_status(state, change | {"deadline": 9}, 9)


@pytest.mark.parametrize("before", ParticipantStatus)
def test_admission(before: ParticipantStatus) -> None:
    state = _state(before)
    if before in (NONE, ACTIVE, ParticipantStatus.SUBMITTED, ParticipantStatus.UNDER_REVIEW):
        _admit(state)
        assert state.of(ACCOUNT) == Participant(3, ACTIVE, 6)
        return
    with pytest.raises(RuleError) as caught:
        _admit(state)
    assert caught.value.code == "participant_status"


@pytest.mark.parametrize("before", ParticipantStatus)
@pytest.mark.parametrize("asked", range(11))
def test_status_changes(before: ParticipantStatus, asked: int) -> None:
    state = _state(before)
    if asked in STATES["setStatus"].get(before, ()):
        _set(state, asked)
        assert state.of(ACCOUNT) == Participant(int(Role.BUYER), ParticipantStatus(asked), 6)
        return
    with pytest.raises(RuleError) as caught:
        _set(state, asked)
    assert caught.value.code == "participant_status"
    assert state.of(ACCOUNT).version == 5


@pytest.mark.parametrize("role", Role)
def test_a_registrar_or_a_regulator_decides_but_never_about_itself(role: Role) -> None:
    state = _state(ACTIVE)
    state.records[OTHER] = Participant(int(role), ACTIVE, 1)
    if role in (Role.REGISTRAR, Role.REGULATOR):
        _set(state, SUSPENDED, OTHER)
        assert state.of(ACCOUNT).status is SUSPENDED
    else:
        with pytest.raises(RuleError) as caught:
            _set(state, SUSPENDED, OTHER)
        assert caught.value.code == "participant_not_active"
    state.records[ACCOUNT] = Participant(int(role), ACTIVE, 5)
    with pytest.raises(RuleError) as caught:
        _set(state, SUSPENDED, ACCOUNT)
    assert caught.value.code == "participant_own_matter"


@pytest.mark.parametrize(("roles", "known"), [(0, True), (ALL_ROLES, True), (ALL_ROLES + 1, False)])
def test_a_participant_has_any_roles_or_none_but_no_unknown_one(roles: int, known: bool) -> None:
    join = {"account": ACCOUNT, "roles": roles, "identityDigest": DIGEST, "deadline": 9}
    calls: tuple[Callable[[Participants], object], ...] = (
        lambda state: request_admission(state, join, 9),
        lambda state: admit(state, join, {**join, "version": 5, "registrar": REGISTRAR}, 9),
    )
    for call in calls:
        if known:
            call(_state(NONE))
            continue
        with pytest.raises(RuleError) as caught:
            call(_state(NONE))
        assert caught.value.code == "participant_roles_unknown"


@pytest.mark.parametrize(("roles", "active"), [(0, True), (2, True), (1, False), (3, False)])
def test_active_means_active_with_all_of_the_roles(roles: int, active: bool) -> None:
    assert _state(ACTIVE).is_active(ACCOUNT, roles) is active
    assert not _state(SUSPENDED).is_active(ACCOUNT, roles)


def test_whoever_was_expelled_never_comes_back() -> None:
    assert all(ParticipantStatus.EXPELLED not in table for table in STATES.values())


def test_an_application_counts_once() -> None:
    state, join = _state(NONE), {"account": ACCOUNT, "roles": 3, "identityDigest": DIGEST, "deadline": 9}
    request_admission(state, join, 9)
    _at(state, ParticipantStatus.REJECTED)
    with pytest.raises(RuleError) as caught:
        request_admission(state, join, 9)
    assert caught.value.code == "application_used"
    (event,) = request_admission(state, {**join, "identityDigest": "0x" + "44" * 32}, 9)
    assert (event.name, state.of(ACCOUNT).status) == ("Applied", ParticipantStatus.SUBMITTED)


@pytest.mark.parametrize(
    ("roles", "days"), [(Role.BUYER, 0), (Role.EXCHANGE, 93), (Role.REGISTRAR | Role.EXCHANGE, 186)]
)
def test_an_exit_waits_for_the_notice_of_its_roles(roles: Role, days: int) -> None:
    state = _state(ACTIVE)
    state.records[ACCOUNT] = Participant(int(roles), ACTIVE, 4)
    resign(state, {"account": ACCOUNT, "version": 4, "deadline": 9}, bounds_of(rulebook_named(LAWFUL)), 9)
    assert not state.is_active(ACCOUNT)
    assert state.of(ACCOUNT).exit_at == 9 + days * 86_400
    if days:
        with pytest.raises(RuleError) as caught:
            _set(state, ParticipantStatus.EXITED)
        assert caught.value.code == "exit_not_due"
    change = {"account": ACCOUNT, "status": 8, "reasonDigest": DIGEST, "version": 5, "decider": REGISTRAR}
    set_status(state, change | {"deadline": 2**40}, 9 + days * 86_400)
    assert state.of(ACCOUNT).status is ParticipantStatus.EXITED


def _at(state: Participants, status: ParticipantStatus) -> None:
    state.records[ACCOUNT] = Participant(0, status, 7)
