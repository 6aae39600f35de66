"""The market's invariants in Python, after any signed calls in any order. Numbers as in contracts/README.md."""

import copy
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from marketplace.calls import encode_batch, encode_call
from marketplace.deployment import Genesis
from marketplace.errors import MarketplaceError
from marketplace.events import Event
from marketplace.types import AssetStatus, BatchStatus, OrderStatus, RedemptionStatus, TitleKind
from scripts.documentation import notifications
from tests.histories import ADDRESSES, BUILDERS, TREASURY, Call, History
from tests.registering import rulebook


class Market(RuleBasedStateMachine):
    """A market in which everything is signed, and half of it wrongly."""

    @initialize(
        seed=st.integers(0, 2**32 - 1),
        fee_bps=st.sampled_from([0, 250, 10_000]),
        currencies=st.sampled_from([("CNY",), ("CNY", "HKD"), ("CNY", "JPY", "USD")]),
    )
    def found(self, seed: int, fee_bps: int, currencies: tuple[str, ...]) -> None:
        genesis = Genesis("0x" + "11" * 20, ADDRESSES["registrar"], TREASURY, fee_bps, rulebook().digest, currencies)
        self.history = History(Random(seed), genesis, 1_800_000_000)
        self.ledger = self.history.state
        self.done: list[Call] = []
        self.events: list[Event] = []
        opening = self.history.opening()
        for call in opening:
            self._run(call)
        assert self.done == opening

    @rule(verb=st.sampled_from(sorted(BUILDERS)), times=st.integers(1, 6))
    def call(self, verb: str, times: int) -> None:
        """A few calls of one kind."""
        for _ in range(times):
            call = self.history.next_call(verb)
            if call is not None:
                self._run(call)

    @rule()
    def trade(self) -> None:
        """What a market is for, so that most runs get as far as an order."""
        for verb in ("register", "confirm", "list", "fund", "settle"):
            self.call(verb, 2)

    @rule()
    def clear_debts(self) -> None:
        """A batch from its opening to its last payment, as far as half of it being wrong allows."""
        for verb in ("openBatch", "owe", "fund", "clear", "closeBatch", "collect", "drop", "confirmBatch", "pay"):
            self.call(verb, 4)

    @rule(seconds=st.sampled_from([1, 3600, 86_400, 31 * 86_400]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.history.now += seconds

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """I-10: no call takes effect twice."""
        call = data.draw(st.sampled_from(self.done))
        before = copy.deepcopy(vars(self.ledger))
        outcome = self._outcome(call)
        assert outcome.refusal is not None
        assert vars(self.ledger) == before

    @rule(verb=st.sampled_from(sorted(BUILDERS)))
    def batch(self, verb: str) -> None:
        """I-11: a batch does what its calls do one after the other, and a refused one leaves no trace."""
        drawn = [self.history.next_call(verb) for _ in range(3)]
        calls = [call for call in drawn if call is not None and call.contract == BUILDERS[verb][0]]
        data = encode_batch([encode_call(call.contract, call.verb, call.arguments) for call in calls])
        one_by_one = copy.deepcopy(self.ledger)
        expected = []
        for call in calls:
            calldata = encode_call(call.contract, call.verb, call.arguments)
            expected += one_by_one.apply_transaction(call.contract, calldata, self.history.now, self.history.recover)
        outcomes = self.ledger.apply_transaction(BUILDERS[verb][0], data, self.history.now, self.history.recover)
        assert [item.events for item in outcomes] == [item.events for item in expected]
        assert [_code(item.refusal) for item in outcomes] == [_code(item.refusal) for item in expected]
        for call, outcome in zip(calls, outcomes, strict=True):
            self._note(call, outcome.events, outcome.refusal)

    @invariant()
    def money_is_conserved(self) -> None:
        """I-1, I-2, of every currency by itself: I-33."""
        funded = [order for order in self.ledger.orders.records.values() if order.status is OrderStatus.FUNDED]
        for money in (token.accounts for token in self.ledger.tokens.values()):
            assert sum(money.balance(account) for account in money.total_in) == money.issued - money.redeemed
            assert all(money.balance(account) >= 0 for account in money.total_in)
            escrows = [order.escrow for order in funded if order.currency == money.currency.number]
            assert money.balance(money.escrow) == sum(escrows)
        for order in self.ledger.orders.records.values():
            assert order.currency == self.ledger.listings.records[order.listing_id].currency

    @invariant()
    def clearing_holds_what_it_owes(self) -> None:
        """I-18: credits and debts of a batch differ by what orders brought; what is held is what is to be paid."""
        batches = self.ledger.batches
        entered = [event.args for event in self.events if event.name == "Entered"]
        held = dict.fromkeys(self._numbers, 0)
        for key, batch in batches.records.items():
            brought = sum(sum(args["amounts"]) for args in entered if args["batchId"] == key)
            assert sum(p.credit - p.debit for p in batch.positions.values()) == brought
            held[batch.currency] += sum(p.net for p in batch.positions.values() if not p.paid)
            assert all(p.net >= 0 for p in batch.positions.values()) or batch.status <= BatchStatus.CLOSED
        for number, amount in held.items():
            assert self.ledger.accounts.of(number).balance(batches.account) == amount

    @property
    def _numbers(self) -> list[int]:
        return [token.accounts.currency.number for token in self.ledger.tokens.values()]

    @invariant()
    def what_is_locked_is_being_redeemed(self) -> None:
        """I-21."""
        for token in self.ledger.tokens.values():
            accounts, records = token.accounts, token.redemptions.records.values()
            locked = sum(record.amount for record in records if record.status is RedemptionStatus.LOCKED)
            assert accounts.balance(accounts.locked) == locked
            assert accounts.redeemed == sum(item.amount for item in records if item.status is RedemptionStatus.PAID)

    @invariant()
    def what_went_in_came_out(self) -> None:
        """I-3: every closed order's fee, shares and rest sum to its escrow."""
        paid = [event for event in self.events if event.name == "SharePaid"]
        for event in self.events:
            if event.name == "Settled":
                order = event.args["orderId"]
                shares = sum(share.args["amount"] for share in paid if share.args["orderId"] == order)
                total = event.args["fee"] + shares + event.args["refund"]
                assert total == self.ledger.orders.records[order].escrow

    @invariant()
    def epsilon_is_never_over_budget(self) -> None:
        """I-5."""
        for asset in self.ledger.rights.assets.values():
            assert 0 <= asset.released <= asset.committed
            assert 0 <= asset.budget_left <= asset.epsilon_budget

    @invariant()
    def titles_and_shares_are_whole(self) -> None:
        """I-7, I-9."""
        rights = self.ledger.rights
        confirmed = [asset for asset in rights.assets.values() if asset.status >= AssetStatus.CONFIRMED]
        titles = self.ledger.titles.records.values()
        for kind in TitleKind:
            assert sum(title.kind is kind for title in titles if title.parent is None) == len(confirmed)
        assert sum(title.number == 0 for title in titles) == len(self.ledger.orders.records)
        for asset in rights.assets.values():
            assert sum(share.bps for share in asset.shares) == 10_000
            assert len({share.holder for share in asset.shares}) == len(asset.shares) <= 16

    def _run(self, call: Call) -> None:
        outcome = self._outcome(call)
        self._note(call, outcome.events, outcome.refusal)

    def _outcome(self, call: Call) -> Any:
        data = encode_call(call.contract, call.verb, call.arguments)
        (outcome,) = self.ledger.apply_transaction(call.contract, data, self.history.now, self.history.recover)
        return outcome

    def _note(self, call: Call, events: list[Event], refusal: MarketplaceError | None) -> None:
        assert (refusal is None) == bool(events)
        if refusal is None:
            assert notifications.names(call.contract, call.verb, events), (call.verb, [item.name for item in events])
            self.done.append(call)
            self.events += events


def _code(refusal: MarketplaceError | None) -> str:
    return refusal.code if refusal else ""


TestMarket = Market.TestCase
TestMarket.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
