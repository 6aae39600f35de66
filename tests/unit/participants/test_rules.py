"""The status table of participants, cell by cell."""

import pytest

from marketplace.errors import RuleError
from marketplace.participants.rules import Participant, Participants, admit, set_status
from marketplace.types import ParticipantStatus, Role

REGISTRAR, ACCOUNT, DIGEST = "0x" + "11" * 20, "0x" + "22" * 20, "0x" + "33" * 32
NONE, ACTIVE, SUSPENDED = ParticipantStatus.NONE, ParticipantStatus.ACTIVE, ParticipantStatus.SUSPENDED


def _state(status: ParticipantStatus) -> Participants:
    record = Participant(int(Role.BUYER), status, 5)
    return Participants({REGISTRAR: Participant(int(Role.REGISTRAR), ACTIVE, 1), ACCOUNT: record})


def _admit(state: Participants) -> None:
    join = {"account": ACCOUNT, "roles": 3, "identityDigest": DIGEST, "deadline": 9}
    admit(state, join, {**join, "version": 5, "registrar": REGISTRAR}, 9)


def _set(state: Participants, status: int) -> None:
    change = {"account": ACCOUNT, "status": status, "reasonDigest": DIGEST, "version": 5, "registrar": REGISTRAR}
    set_status(state, change | {"deadline": 9}, 9)


@pytest.mark.parametrize(("before", "allowed"), [(NONE, True), (ACTIVE, True), (SUSPENDED, False)])
def test_admission(before: ParticipantStatus, allowed: bool) -> None:
    state = _state(before)
    if allowed:
        _admit(state)
        assert state.of(ACCOUNT) == Participant(3, ACTIVE, 6)
        return
    with pytest.raises(RuleError) as caught:
        _admit(state)
    assert caught.value.code == "participant_status"


@pytest.mark.parametrize("before", ParticipantStatus)
@pytest.mark.parametrize("asked", range(5))
def test_status_changes(before: ParticipantStatus, asked: int) -> None:
    state = _state(before)
    if (before, asked) in ((ACTIVE, SUSPENDED), (SUSPENDED, ACTIVE)):
        _set(state, asked)
        assert state.of(ACCOUNT) == Participant(int(Role.BUYER), ParticipantStatus(asked), 6)
        return
    with pytest.raises(RuleError) as caught:
        _set(state, asked)
    assert caught.value.code == "participant_status"
    assert state.of(ACCOUNT).version == 5


@pytest.mark.parametrize(("roles", "active"), [(0, True), (2, True), (1, False), (3, False)])
def test_active_means_active_with_all_of_the_roles(roles: int, active: bool) -> None:
    assert _state(ACTIVE).is_active(ACCOUNT, roles) is active
    assert not _state(SUSPENDED).is_active(ACCOUNT, roles)
