"""The state tables: what the guide's and the measures' flow needs is there, and every case ends."""

import re
from pathlib import Path

import pytest

from marketplace.registrations.procedures import FINAL, KINDS, TABLES, WHOSE, next_state, opens_period
from marketplace.registrations.records import CaseState as S
from marketplace.registrations.records import Kind, Procedure, Step

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


def test_silence_accepts_in_the_ordinary_procedure_alone() -> None:
    having = [item for item in TABLES if next_state(item, S.SUBMITTED, Step.ACCEPT_BY_SILENCE) is not S.NONE]
    assert having == [Procedure.ORDINARY]


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


def test_only_kinds_whose_deposit_has_an_effect_are_taken() -> None:
    """Another kind would stay deposited for ever, and keep every later case of its asset out."""
    assert {kind for kinds in KINDS.values() for kind in kinds} == {Kind.FIRST, Kind.LATE_OBJECTION}
    assert S.DEPOSITED not in FINAL
    assert all({step for at, step in table if at is S.DEPOSITED} <= {Step.CERTIFY} for table in TABLES.values())


def test_the_contract_s_tables_are_these() -> None:
    """The text that contracts/test/Procedures.t.sol compares with the contract, cell by cell."""
    cells = [next_state(item, state, int(step)) for item in TABLES for state in S for step in Step]
    source = Path(__file__).resolve().parents[3] / "contracts" / "test" / "Procedures.t.sol"
    (found,) = re.findall(r'hex"([0-9a-f]+)"', source.read_text("utf-8"))
    assert found == bytes(map(int, cells)).hex()
