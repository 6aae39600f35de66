"""The state tables: what the guide's and the measures' flow needs is there, and every case ends."""

import re
from pathlib import Path

import pytest

from marketplace.procedures import (
    FINAL,
    KINDS,
    TABLES,
    WAIVABLE,
    WHOSE,
    Kind,
    Procedure,
    Step,
    next_state,
    opens_period,
)
from marketplace.procedures import CaseState as S
from marketplace.registrations.clocks import NAMES
from marketplace.rulebooks import all_rulebooks

PATH = (
    (S.SUBMITTED, Step.ACCEPT, S.UNDER_REVIEW),
    (S.UNDER_REVIEW, Step.REQUEST_SUPPLEMENT, S.SUPPLEMENT_REQUESTED),
    (S.SUPPLEMENT_REQUESTED, Step.SUPPLEMENT, S.UNDER_REVIEW),
    (S.UNDER_REVIEW, Step.OPEN_NOTICE, S.PUBLIC_NOTICE),
    (S.PUBLIC_NOTICE, Step.OBJECT, S.OBJECTION_PENDING),
    (S.OBJECTION_PENDING, Step.REJECT, S.PUBLIC_NOTICE),
    (S.PUBLIC_NOTICE, Step.DEPOSIT, S.DEPOSITED),
    (S.DEPOSITED, Step.CERTIFY, S.CERTIFIED),
)


@pytest.mark.parametrize("procedure", [Procedure.ORDINARY, Procedure.PUBLIC_DATA])
def test_the_way_of_a_case(procedure: Procedure) -> None:
    for state, step, following in PATH:
        assert next_state(procedure, state, step) is following


def test_nothing_is_deposited_while_an_objection_is_open() -> None:
    for procedure, table in TABLES.items():
        assert next_state(procedure, S.OBJECTION_PENDING, Step.DEPOSIT) is S.NONE
        assert {state for (state, step) in table if step is Step.DEPOSIT} <= {S.PUBLIC_NOTICE, S.CLEARED}


def test_silence_accepts_an_ordinary_application_and_ends_a_hearing() -> None:
    having = [item for item in TABLES if next_state(item, S.SUBMITTED, Step.ACCEPT_BY_SILENCE) is not S.NONE]
    assert having == [Procedure.ORDINARY, Procedure.REVOCATION]


@pytest.mark.parametrize("procedure", list(TABLES))
def test_every_state_is_reached_and_leads_to_an_end(procedure: Procedure) -> None:
    table = TABLES[procedure]
    start = {S.SUBMITTED} | ({S.DRAFT} if procedure is Procedure.ORDINARY else set())
    reached = set(start)
    while True:
        more = {following for (state, _), following in table.items() if state in reached} - reached
        if not more:
            break
        reached |= more
    assert {state for state, _ in table} <= reached
    for state in reached - FINAL:
        assert any(place is state for place, _ in table), f"{state.name} is a dead end"
    assert not {state for state, _ in table} & FINAL


def test_every_step_is_somebody_s() -> None:
    assert set(WHOSE) == set(Step) - {Step.NONE}
    assert not opens_period(Procedure.LATE_OBJECTION, Step.REJECT)


def test_every_kind_is_taken_by_some_procedure() -> None:
    assert {kind for kinds in KINDS.values() for kind in kinds} == set(Kind) - {Kind.NONE}
    assert Kind.TRANSFER not in KINDS[Procedure.PUBLIC_DATA]
    assert Kind.CORRECTION not in KINDS[Procedure.ORDINARY]


def test_the_rulebooks_take_what_the_contract_takes() -> None:
    for book in all_rulebooks().values():
        for procedure, kinds in KINDS.items():
            content = book.content[NAMES[procedure]]
            assert set(content["kinds"]) == {kind.name for kind in kinds}
            assert {Kind[name] for name in content.get("notice_unneeded", [])} <= WAIVABLE


def test_a_revocation_is_decided_after_a_hearing() -> None:
    table = TABLES[Procedure.REVOCATION]
    assert {step for state, step in table if state is S.SUBMITTED} == {
        *(Step.REPLY, Step.ACCEPT_BY_SILENCE, Step.WITHDRAW),
    }
    assert {state for state, step in table if step is Step.END} == {S.UNDER_REVIEW}


def test_the_contract_s_tables_are_these() -> None:
    """The text that contracts/test/Procedures.t.sol compares with the contract, cell by cell."""
    cells = [next_state(item, state, int(step)) for item in TABLES for state in S for step in Step]
    source = Path(__file__).resolve().parents[3] / "contracts" / "test" / "Procedures.t.sol"
    (found,) = re.findall(r'hex"([0-9a-f]+)"', source.read_text("utf-8"))
    assert found == bytes(map(int, cells)).hex()
