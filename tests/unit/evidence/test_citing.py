"""What the ledger refused cites the rulebook that governs the call, found beside it in the read model."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from crypto.canonical import to_hex
from marketplace.calls import encode_call
from marketplace.errors import RULES_VERSION
from marketplace.evidence.inbox.citing import decided
from marketplace.ledger.tables import LedgerIntent
from marketplace.refusals import refuse, to_revert
from marketplace.registrations.projections import SUBJECT
from marketplace.registrations.tables import RegistrationCase, RulebookInForce
from marketplace.rulebooks import EVALUATION, LAWFUL, rulebook_named
from marketplace.storage.engine import make_engine, session
from marketplace.storage.metadata import metadata

CASE, OTHER = "0x" + "01" * 32, "0x" + "02" * 32
RUNNING, CHOSEN = rulebook_named(LAWFUL), rulebook_named(EVALUATION)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Session]:
    """The case runs under one rulebook; another is in force since."""
    engine = make_engine(f"sqlite:///{tmp_path / 'market.db'}")
    metadata.create_all(engine)
    with session(engine) as opened:
        blank: dict[str, Any] = dict.fromkeys(RegistrationCase.model_fields, 0)
        opened.add(RegistrationCase(**blank | {"case_id": CASE, "rulebook_digest": RUNNING.digest}))
        opened.add(
            RulebookInForce(
                **dict.fromkeys(RulebookInForce.model_fields, 0)
                | {"subject": SUBJECT, "rulebook_digest": CHOSEN.digest}
            )
        )
        opened.commit()
        yield opened
    engine.dispose()


@pytest.mark.parametrize(
    ("case", "error", "values", "rulebook"),
    [
        (CASE, "RegistrationsEarly", {"dueAt": 9, "statedAt": 8}, RUNNING.name),
        (OTHER, "RegistrationsEarly", {"dueAt": 9, "statedAt": 8}, CHOSEN.name),
        (CASE, "RegistrationsStep", {"state": 2, "step": 13}, RULES_VERSION),
    ],
)
def test_a_refusal_in_a_block_cites_the_rulebook_of_its_case(
    case: str, error: str, values: dict[str, int], rulebook: str, store: Session
) -> None:
    refused = refuse(error, caseId=case, **values)
    row = LedgerIntent(
        digest=OTHER,
        contract="Registrations",
        verb="expire",
        calldata=encode_call("Registrations", "expire", [case]),
        by="0x" + "03" * 20,
        status="refused",
        code=refused.code,
        reason=to_hex(to_revert(refused)),
        queued_at=datetime.now(UTC),
    )
    store.add(row)
    store.commit()
    problem = decided(store, OTHER)["problem"]
    assert (problem["code"], problem["rulebook"]) == (refused.code, rulebook)
