"""A recovery ends the keys before it, and those of earlier generations keep the end that they had."""

from marketplace.participants.keys import ALL_ACTS, Key, KeyRing, Recovery, Register, complete_recovery
from marketplace.types import NO_LIMIT, RecoveryStatus

ACCOUNT, CLERK, FIRST, SECOND = (f"0x{place:040x}" for place in range(1, 5))
NOW, DAY = 1_800_000_000, 86_400
REGISTER = Register(lambda account: account == ACCOUNT, lambda _account, _roles: True)


def test_a_second_recovery_changes_no_end_of_the_first() -> None:
    state = KeyRing(held={(ACCOUNT, CLERK): Key(ALL_ACTS, 5, NOW - DAY, NOW - 7)})
    for place, key in enumerate((FIRST, SECOND)):
        state.recoveries[key] = Recovery(ACCOUNT, key, 1, DAY, frozenset(), RecoveryStatus.NOTICE)
        complete_recovery(state, REGISTER, key, NOW + place * DAY)
    ends = [state.key_of(ACCOUNT, key).valid_until for key in (CLERK, ACCOUNT, FIRST, SECOND)]
    assert ends == [NOW - 7, NOW, NOW + DAY, NO_LIMIT]
    assert state.key_of(ACCOUNT, ACCOUNT).is_live(NOW + 3 * DAY - 1, grace=3 * DAY)
    assert not state.key_of(ACCOUNT, ACCOUNT).is_live(NOW + 3 * DAY, grace=3 * DAY)
