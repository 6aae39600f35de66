"""Key proofs: what was signed is known, what was not is refused, whoever hands it over."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.keystore import Keys
from marketplace.errors import InvalidInputError, RuleError, VerificationError
from marketplace.intents import sign_intent
from marketplace.participants.proofs import MAX_STEPS, KeyProof, Proven, Step, read_proof, verify_proof
from marketplace.types import Act
from tests.keyproofs import Journal
from tests.sealed_market import DEPLOYMENT, NOW, keys

OWNER, CLERK, SECOND, THIEF = keys("buyer"), keys("clerk"), keys("second"), keys("thief")
GUARDIANS = [keys("aunt"), keys("uncle")]
ACCOUNT = OWNER.address
VOUCHER = {"orderId": "0x" + "11" * 32, "amount": 500, "epsilon": 1, "calls": 1, "callsRoot": "0x" + "22" * 32}


def shown(journal: Journal, now: int = NOW, registrars: tuple[str, ...] = ()) -> Proven:
    return verify_proof(read_proof(journal.proof().as_json()), DEPLOYMENT, now, registrars)


def signs(proven: Proven, signer: Keys, at: int = NOW, amount: int = 500) -> str:
    """Whether this key may sign a voucher for the account: "yes", or the refusal's code."""
    message = VOUCHER | {"amount": amount}
    try:
        signature = sign_intent("Voucher", message, DEPLOYMENT, signer.signing_key)
        assert proven.book.require("Voucher", message, ACCOUNT, signature, at) == signer.address
    except RuleError as error:
        return error.code
    return "yes"


NO = "intent_signature_invalid"


def test_an_account_that_never_changed_its_keys_signs_with_its_address() -> None:
    proven = shown(Journal())
    assert [signs(proven, item) for item in (OWNER, THIEF)] == ["yes", NO]


def test_a_person_signs_what_it_may_and_no_more() -> None:
    journal = Journal()
    journal.add(ACCOUNT, OWNER, CLERK, Act.QUERIES | Act.READ, limit=600)
    journal.add(ACCOUNT, OWNER, SECOND, Act.READ)
    proven = shown(journal)
    assert [signs(proven, CLERK), signs(proven, CLERK, amount=601)] == ["yes", "act_over_limit"]
    assert signs(proven, SECOND) == "act_not_permitted"
    assert signs(proven, CLERK, at=journal.at - 500) == NO, "before it was a key"


def test_a_chain_of_keys_leads_back_to_the_address() -> None:
    journal = Journal()
    journal.rotate(ACCOUNT, OWNER, SECOND)
    journal.add(ACCOUNT, SECOND, CLERK)
    ended = journal.at
    journal.end(ACCOUNT, CLERK, SECOND)
    proven = shown(journal)
    assert [signs(proven, item) for item in (OWNER, SECOND, CLERK)] == [NO, NO, "yes"]
    assert proven.book.keys_at(ACCOUNT, NOW) == [CLERK.address]
    assert [signs(proven, SECOND, at=ended - 1), signs(proven, OWNER, at=ended - 3)] == ["yes", "yes"]


def recovered(guardians: int, day: int = 86_400) -> Journal:
    journal = Journal(at=NOW - 2 * 86_400)
    journal.name_guardians(ACCOUNT, OWNER, GUARDIANS, 2)
    for guardian in GUARDIANS[:guardians]:
        name = journal.approve(ACCOUNT, guardian.address, guardian, CLERK)
    journal.at += day
    journal.complete(ACCOUNT, name)
    return journal


def test_guardians_recover_and_every_older_key_ends() -> None:
    proven = shown(recovered(2))
    assert [signs(proven, OWNER), signs(proven, CLERK)] == [NO, "yes"]
    assert signs(proven, OWNER, at=NOW - 2 * 86_400) == "yes"
    assert proven.signers == {item.address for item in GUARDIANS}


def test_what_was_signed_before_two_recoveries_is_known_still() -> None:
    journal = recovered(2)
    name = ""
    for guardian in GUARDIANS:
        name = journal.approve(ACCOUNT, guardian.address, guardian, SECOND)
    journal.at += 86_400
    journal.complete(ACCOUNT, name)
    proven = shown(journal, now=journal.at)
    assert [signs(proven, item, at=journal.at) for item in (OWNER, CLERK, SECOND)] == [NO, NO, "yes"]
    assert signs(proven, OWNER, at=NOW - 2 * 86_400) == "yes"


def test_a_guardian_signs_with_another_key_of_its_own() -> None:
    journal = Journal(at=NOW - 2 * 86_400)
    journal.add(GUARDIANS[0].address, GUARDIANS[0], SECOND, Act.RECOVERY)
    journal.name_guardians(ACCOUNT, OWNER, GUARDIANS[:1], 1)
    name = journal.approve(ACCOUNT, GUARDIANS[0].address, SECOND, CLERK)
    journal.at += 86_400
    journal.complete(ACCOUNT, name)
    assert signs(shown(journal), CLERK) == "yes"


def by_registrar() -> Journal:
    journal, registrar = Journal(at=NOW - 15 * 86_400), keys("registrar")
    name = journal.approve(ACCOUNT, registrar.address, registrar, CLERK)
    journal.at += 14 * 86_400
    journal.complete(ACCOUNT, name)
    return journal


def test_a_registrar_counts_for_whom_the_verifier_said_so() -> None:
    assert signs(shown(by_registrar(), registrars=(keys("registrar").address,)), CLERK) == "yes"
    with pytest.raises(VerificationError) as caught:
        shown(by_registrar())
    assert caught.value.code == "key_proof_invalid"


def test_what_an_unknown_registrar_asked_for_in_vain_harms_no_proof() -> None:
    journal, registrar = Journal(), keys("registrar")
    name = journal.approve(ACCOUNT, registrar.address, registrar, THIEF)
    assert [signs(shown(journal), item) for item in (OWNER, THIEF)] == ["yes", NO]
    journal.veto(ACCOUNT, OWNER, name)
    journal.rotate(ACCOUNT, OWNER, SECOND)
    assert [signs(shown(journal), item) for item in (OWNER, SECOND, THIEF)] == [NO, "yes", NO]


def test_an_unknown_registrar_does_not_complete_what_a_guardian_began() -> None:
    journal, registrar = Journal(at=NOW - 20 * 86_400), keys("registrar")
    journal.name_guardians(ACCOUNT, OWNER, GUARDIANS, 2)
    journal.approve(ACCOUNT, GUARDIANS[0].address, GUARDIANS[0], CLERK)
    name = journal.approve(ACCOUNT, registrar.address, registrar, CLERK)
    journal.at += 14 * 86_400
    journal.complete(ACCOUNT, name)
    with pytest.raises(VerificationError):
        shown(journal)
    assert signs(shown(journal, registrars=(registrar.address,)), CLERK) == "yes"


def invented(journal: Journal) -> None:
    journal.add(ACCOUNT, THIEF, CLERK)


def grown(journal: Journal) -> None:
    journal.add(ACCOUNT, OWNER, CLERK, Act.QUERIES | Act.ADMINISTER)
    journal.add(ACCOUNT, CLERK, THIEF, Act.TITLES)


def by_an_ended_one(journal: Journal) -> None:
    journal.rotate(ACCOUNT, OWNER, CLERK)
    journal.add(ACCOUNT, OWNER, THIEF)


def given_twice(journal: Journal) -> None:
    journal.add(ACCOUNT, OWNER, CLERK)
    journal.steps.append(journal.steps[-1])


def with_a_gap(journal: Journal) -> None:
    for name in ("one", "two", "three"):
        journal.add(ACCOUNT, OWNER, keys(name))
    del journal.steps[1]


def backwards(journal: Journal) -> None:
    journal.add(ACCOUNT, OWNER, CLERK)
    journal.at -= 10
    journal.add(ACCOUNT, OWNER, SECOND)


def to_come(journal: Journal) -> None:
    journal.at = NOW + 86_400
    journal.add(ACCOUNT, OWNER, CLERK)


def late(journal: Journal) -> None:
    journal.add(ACCOUNT, OWNER, CLERK)
    journal.steps = [replace(journal.steps[0], at=NOW + 60 * 86_400)]


def of_another_contract(journal: Journal) -> None:
    journal.steps.append(Step(bytes.fromhex("12345678"), NOW))


@pytest.mark.parametrize(
    "change",
    [invented, grown, by_an_ended_one, given_twice, with_a_gap, backwards, to_come, late, of_another_contract],
)
def test_what_the_ledger_would_have_refused_proves_nothing(change: Callable[[Journal], None]) -> None:
    journal = Journal()
    change(journal)
    with pytest.raises(VerificationError) as caught:
        shown(journal, now=NOW + 61 * 86_400 if change is late else NOW)
    assert caught.value.code == "key_proof_invalid"


@pytest.mark.parametrize("journal", [recovered(1), recovered(2, day=3_600)])
def test_too_few_guardians_or_too_short_a_notice_recover_nothing(journal: Journal) -> None:
    with pytest.raises(VerificationError):
        shown(journal)


def test_a_trail_is_of_what_was_said_and_when_and_grows_at_its_end() -> None:
    journal, longer, later = Journal(), Journal(), Journal(at=NOW - 5)
    for item in (journal, longer, later):
        item.add(ACCOUNT, OWNER, CLERK)
    longer.end(ACCOUNT, OWNER, CLERK)
    first, second, third = (shown(item).trails[ACCOUNT] for item in (journal, longer, later))
    assert (len(first), len(second)) == (1, 2)
    assert second[:1] == first != third


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(VerificationError):
        verify_proof(KeyProof((Step(data, NOW),)), DEPLOYMENT, NOW)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"steps": []},
        {"steps": [], "times": {"settle": 1}},
        {"steps": [], "times": []},
        {"steps": [{"call": "0x1", "at": 1}], "times": {}},
        {"steps": [{"call": "0x11", "at": 1}] * (MAX_STEPS + 1), "times": {}},
    ],
)
def test_another_shape_is_no_proof(value: object) -> None:
    with pytest.raises(InvalidInputError):
        read_proof(value)


def test_a_history_that_cannot_be_shown_is_not_an_empty_one() -> None:
    """Else an address that was ended long ago would sign again, once nobody can show its end."""
    hidden = read_proof(KeyProof(None, {}).as_json())
    with pytest.raises(VerificationError) as caught:
        verify_proof(hidden, DEPLOYMENT, NOW)
    assert caught.value.code == "key_proof_absent"
