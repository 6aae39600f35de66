"""Every refusal of the ledger, really raised: nothing in its texts is left to fill in."""

import re

import pytest

from marketplace.errors import RuleError
from marketplace.participants.rules import STATES
from marketplace.procedures import CaseState, Step
from marketplace.refusals import REFUSALS, from_revert, refuse, to_revert
from marketplace.refusals.registers import BEFORE
from marketplace.types import ParticipantStatus
from marketplace.words import CHINESE as CHINESE_WORDS
from marketplace.words import Words
from tests.refusals import inputs, left_open, sample_values

CHINESE = re.compile("[\u4e00-\u9fff]")
COUNTS = {
    "ClearingLegs": {"legs", "stated"},
    "ClearingUncovered": {"uncovered"},
    "DeliveriesRound": {"expected", "got"},
    "DeliveriesTerms": {"deliverWithin", "inspection", "corrections"},
    "RightsLevel": {"level"},  # it is refused because it has no name
}
"""Small numbers that count something, by error."""
PRESENT = {"current", "state", "status"}
"""What the contracts' errors call how a thing stands."""


@pytest.mark.parametrize("error", REFUSALS)
def test_a_refusal_leaves_nothing_to_fill_in(error: str) -> None:
    for place in range(4):
        refused = refuse(error, **sample_values(error, place))
        assert not left_open(refused)
        assert CHINESE.search(refused.zh)
        assert CHINESE.search(refused.hint_zh)
        assert from_revert(to_revert(refused)).as_dict() == refused.as_dict()


@pytest.mark.parametrize("error", REFUSALS)
def test_a_refusal_names_states_kinds_and_bits_in_words(error: str) -> None:
    """Small numbers in the contracts' errors are numbers of something, and mean nothing to a reader."""
    refusal = REFUSALS[error]
    told = {term.of or name for name, term in refusal.terms.items()}
    numbers = {name for name, kind in inputs(error).items() if kind in ("uint8", "uint32")} - COUNTS.get(error, set())
    assert numbers <= told, "terms=: what says it in words"
    unnamed = {f"{{{name}}}" for name in numbers - refusal.terms.keys()}
    texts = (refusal.message, refusal.zh, refusal.hint, refusal.hint_zh, *_words(refusal.expected, refusal.got))
    assert not [text for text in texts if any(name in text for name in unnamed)]
    assert not numbers & ({refusal.expected, refusal.got} - refusal.terms.keys())


@pytest.mark.parametrize("error", REFUSALS)
def test_how_a_thing_stands_is_not_what_was_expected_of_it(error: str) -> None:
    refusal = REFUSALS[error]
    states = {name for name, term in refusal.terms.items() if (term.of or name) in PRESENT}
    assert refusal.expected not in states
    assert not [text for text in _words(refusal.expected) if any(f"{{{name}}}" in text for name in states)]
    if states:
        assert refusal.got in states or [text for text in _words(refusal.got) if any(name in text for name in states)]
        assert refusal.expected, "which state, step or kind would have been accepted"


def _words(*parts: str | Words) -> list[str]:
    return [text for part in parts if isinstance(part, Words) for text in part]


def test_the_statuses_before_one_are_those_of_the_rules() -> None:
    before: dict[ParticipantStatus, set[ParticipantStatus]] = {}
    for verb in STATES.values():
        for status, following in verb.items():
            for after in following:
                before.setdefault(after, set()).add(status)
    assert {status: set(found) for status, found in BEFORE.items()} == before


def test_every_member_has_a_chinese_word() -> None:
    for kind, words in CHINESE_WORDS.items():
        assert list(words) == [member.name for member in kind]
        assert all(CHINESE.search(text) for text in words.values())


def test_a_step_that_is_out_of_turn_says_when_it_is_in_turn() -> None:
    refused = refuse("RegistrationsStep", caseId="0x01", state=CaseState.SUBMITTED, step=Step.OPEN_NOTICE)
    assert (refused.got, refused.got_zh) == ("SUBMITTED", "已提交")
    assert refused.expected == "OPEN_NOTICE in one of the states: UNDER_REVIEW"
    assert refused.expected_zh == "“开始公示”仅可在下列状态办理：审核中"
    assert refused.zh == "案件 0x01 的状态为“已提交”，不能办理“开始公示”"


def test_numbers_that_nobody_gave_a_meaning_are_told_all_the_same() -> None:
    assert (
        refuse("RegistrationsStep", caseId="0x01", state=99, step=200).expected
        == "undefined (200) in one of the states: none"
    )
    assert "undefined (200)" in refuse("ParticipantsStatus", account="0x01", current=1, asked=200).message
    assert refuse("RegistrationsKind", kind=7, procedure=9).got == "REVOCATION by undefined (9)"


def test_a_pattern_that_is_quoted_leaves_nothing_to_fill_in() -> None:
    assert (
        left_open(RuleError("a_code", "should match '^0x[0-9a-f]{64}$'", zh="须符合 ^0x[0-9a-f]{64}$", rule="a.b"))
        == []
    )


def test_people_are_told_moments_and_programs_seconds() -> None:
    refused = refuse("RegistrationsLate", caseId="0x01", dueAt=1_795_823_425, statedAt=1_795_823_426)
    assert "2026-11-27T23:50:25Z" in refused.message
    assert "2026-11-27T23:50:26Z" in refused.zh
    assert "1795823425" not in f"{refused.message} {refused.zh} {refused.expected} {refused.expected_zh}"
    assert refuse("ParticipantsExitNotDue", account="0x01", exitAt=5).values == {"account": "0x01", "exitAt": 5}
