"""Who may apply: whoever the ledger's table lets be admitted or reviewed, and nobody else."""

import pytest

from marketplace.errors import RuleError
from marketplace.participants.rules import STATES
from marketplace.participants.service.applying import require_may_apply
from marketplace.types import ParticipantStatus

ACCOUNT = "0x" + "aa" * 20
CODES = {
    ParticipantStatus.EXPELLED: "participant_expelled",
    ParticipantStatus.SUSPENDED: "participant_suspended",
    ParticipantStatus.EXITING: "participant_exiting",
}


@pytest.mark.parametrize("status", ParticipantStatus)
def test_an_application_that_could_never_be_admitted_is_refused_at_once(status: ParticipantStatus) -> None:
    if status in STATES["requestAdmission"] or status in STATES["admit"]:
        require_may_apply(ACCOUNT, status)
        return
    with pytest.raises(RuleError) as refused:
        require_may_apply(ACCOUNT, status)
    assert refused.value.code == CODES[status]
    assert refused.value.got == status.name
