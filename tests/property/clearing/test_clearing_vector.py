"""Whatever the order in which parties are collected from and debts dropped, a batch ends the same, and as it should."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from marketplace.clearing.rules import (
    Batches,
    close_batch,
    collect,
    confirm_batch,
    drop,
    open_batch,
    owe,
    pay,
    payouts_digest,
)
from marketplace.documents.ids import batch_id, debt_id
from marketplace.participants.rules import Participant, Participants
from marketplace.settlement.money import Accounts
from marketplace.types import BatchStatus, DebtStatus, ParticipantStatus, Role

PARTIES = ["0x" + f"{i:040x}" for i in range(1, 7)]
EXCHANGE, VAULT = "0x" + "ee" * 20, "0x" + "cc" * 20
BATCH = batch_id(EXCHANGE, 1)
FAR = 10**9
PAY_BY = 100

Debts = list[tuple[int, int, int]]
DEBTS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 900)).filter(lambda debt: debt[0] != debt[1]),
    max_size=14,
)
MONEY = st.lists(st.integers(0, 1_000), min_size=6, max_size=6)


def entered(debts: Debts, money: list[int]) -> tuple[Batches, Accounts, Participants, list[str]]:
    """A closed batch of these (debtor, creditor, fen) among PARTIES, who have `money`; and the debts' ids."""
    active = Participant(int(Role.EXCHANGE), ParticipantStatus.ACTIVE, 1)
    people = Participants(dict.fromkeys([*PARTIES, EXCHANGE], active))
    accounts, state = Accounts("0x" + "0e" * 20), Batches(VAULT)
    for party, amount in zip(PARTIES, money, strict=True):
        accounts.mint(party, amount)
    opening = {"batchId": BATCH, "exchange": EXCHANGE, "number": 1, "currency": 156, "closeBy": 9, "deadline": FAR}
    open_batch(state, people, accounts, opening, 1)
    ids: list[str] = []
    for number, (debtor, creditor, amount) in enumerate(debts):
        ref = "0x" + f"{number:064x}"
        ids.append(debt_id(PARTIES[debtor], PARTIES[creditor], ref))
        message = {"debtId": ids[-1], "batchId": BATCH, "debtor": PARTIES[debtor], "creditor": PARTIES[creditor]}
        owe(state, people, message | {"currency": 156, "amount": amount, "ref": ref, "deadline": FAR}, 1)
    closing = {"batchId": BATCH, "legs": len(debts), "payBy": PAY_BY, "exchange": EXCHANGE, "deadline": FAR}
    close_batch(state, people, closing, 1)
    return state, accounts, people, ids


def settled(debts: Debts, money: list[int], random: Random) -> tuple[dict[str, int], list[bool]]:
    """Everybody's balance, and which debts were paid, when all is done in a random order."""
    state, accounts, people, ids = entered(debts, money)
    batch = state.records[BATCH]
    while batch.uncovered:
        party = random.choice(batch.uncovered)
        position = batch.at(party)
        if accounts.balance(party) >= position.needed:
            collect(state, accounts, BATCH, party, position.collected + position.needed)
        else:
            drop(state, accounts, BATCH, batch.latest(party), PAY_BY + 1)
    payouts = {party: position.net for party, position in batch.positions.items()}
    message = {"batchId": BATCH, "payoutsDigest": payouts_digest(payouts), "exchange": EXCHANGE, "deadline": FAR}
    confirm_batch(state, people, message, PAY_BY + 1)
    parties = list(batch.positions)
    random.shuffle(parties)
    for party in parties:
        pay(state, accounts, BATCH, party)
    assert batch.status is BatchStatus.SETTLED
    assert accounts.balance(VAULT) == 0
    paid = [state.debts[key].status is DebtStatus.ENTERED for key in ids]
    return {party: accounts.balance(party) for party in PARTIES}, paid


def greatest(debts: Debts, money: list[int]) -> list[bool]:
    """Which debts are paid in the greatest clearing vector, by the definition: start from all of them, and cut every
    party's list to the longest beginning that its money and what it is paid can carry, until nothing changes."""
    paid = [True] * len(debts)
    while True:
        received = [sum(a for (_, c, a), kept in zip(debts, paid, strict=True) if kept and c == i) for i in range(6)]
        left = [has + got for has, got in zip(money, received, strict=True)]
        stopped, now = [False] * 6, []
        for debtor, _, amount in debts:
            stopped[debtor] |= left[debtor] < amount
            left[debtor] -= 0 if stopped[debtor] else amount
            now.append(not stopped[debtor])
        if now == paid:
            return paid
        paid = now


@given(debts=DEBTS, money=MONEY, one=st.integers(0, 2**32), other=st.integers(0, 2**32))
def test_the_order_of_acts_does_not_matter(debts: Debts, money: list[int], one: int, other: int) -> None:
    assert settled(debts, money, Random(one)) == settled(debts, money, Random(other))


@given(debts=DEBTS, money=MONEY, seed=st.integers(0, 2**32))
def test_what_is_paid_is_the_greatest_clearing_vector(debts: Debts, money: list[int], seed: int) -> None:
    balances, paid = settled(debts, money, Random(seed))
    assert paid == greatest(debts, money)
    for place, party in enumerate(PARTIES):
        gained = sum(a for (_, c, a), kept in zip(debts, paid, strict=True) if kept and c == place)
        given_ = sum(a for (d, _, a), kept in zip(debts, paid, strict=True) if kept and d == place)
        assert balances[party] == money[place] + gained - given_
