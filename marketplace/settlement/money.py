"""Money: accounts that only count upwards, the exchange's fee, and a split that sums exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.currencies import CNY, Currency
from marketplace.events import Event
from marketplace.refusals import refuse
from marketplace.types import ZERO_ADDRESS

WHOLE_BPS = 10_000
MAX_SUPPLY = 2**53 - 1  # so that every balance and every sum is an integer that all JSON readers keep exact


@dataclass
class Accounts:
    """The state of a currency's settlement token, in minor units.

    Args:
        escrow: the account that holds the money of funded orders: the address of the contract Orders.
        locked: the account that holds what is being redeemed: the address of the token itself.
        total_in, total_out: money ever received and given, by account; a balance is their difference.
        refs: payments that were issued for.
        issued, redeemed: money ever issued and ever paid out; their difference is the sum of all balances.
        currency: which one.
        further: of the market's first currency, the accounts of the others, by numeric code.
    """

    escrow: str
    locked: str = ""
    total_in: dict[str, int] = field(default_factory=dict)
    total_out: dict[str, int] = field(default_factory=dict)
    refs: set[str] = field(default_factory=set)
    issued: int = 0
    redeemed: int = 0
    currency: Currency = CNY
    further: "dict[int, Accounts]" = field(default_factory=dict)

    def of(self, currency: int) -> "Accounts":
        """The accounts of a currency by its numeric code, refused where the market has none."""
        found = self if currency == self.currency.number else self.further.get(currency)
        if found is None:
            raise refuse("CurrenciesUnknown", currency=currency)
        return found

    def require_currency(self, currency: int) -> None:
        """Refuse what is signed in another currency than this."""
        if currency != self.currency.number:
            raise refuse("CurrenciesDiffer", expected=self.currency.number, got=currency)

    def told(self, name: str, args: dict[str, Any]) -> Event:
        """An event of this token."""
        return Event(self.currency.contract, name, args)

    def balance(self, account: str) -> int:
        """What `account` has."""
        return self.total_in.get(account, 0) - self.total_out.get(account, 0)

    def require_balance(self, account: str, amount: int) -> None:
        """Refuse if `account` has less than `amount`."""
        balance = self.balance(account)
        if balance < amount:
            raise refuse("ERC20InsufficientBalance", sender=account, balance=balance, needed=amount)

    def mint(self, account: str, amount: int) -> Event:
        """New money for `account`."""
        self.issued += amount
        self.total_in[account] = self.total_in.get(account, 0) + amount
        return self._transferred(ZERO_ADDRESS, account, amount)

    def burn(self, amount: int) -> Event:
        """Locked money leaves the market."""
        self.redeemed += amount
        self.total_out[self.locked] = self.total_out.get(self.locked, 0) + amount
        return self._transferred(self.locked, ZERO_ADDRESS, amount)

    def lock(self, account: str, amount: int) -> list[Event]:
        """Move money of `account` to what is being redeemed."""
        return self.move(account, self.locked, amount)

    def unlock(self, account: str, amount: int) -> list[Event]:
        """Move locked money back to `account`."""
        return self.move(self.locked, account, amount)

    def take_into_escrow(self, account: str, amount: int) -> list[Event]:
        """Move money of `account` into escrow; no event for nothing."""
        return self.move(account, self.escrow, amount)

    def pay_from_escrow(self, account: str, amount: int) -> list[Event]:
        """Move money out of escrow; no event for nothing."""
        return self.move(self.escrow, account, amount)

    def move(self, giver: str, taker: str, amount: int) -> list[Event]:
        """Move money from one account to another; no event for nothing."""
        if amount == 0:
            return []
        self.require_balance(giver, amount)
        self.total_out[giver] = self.total_out.get(giver, 0) + amount
        self.total_in[taker] = self.total_in.get(taker, 0) + amount
        return [self._transferred(giver, taker, amount)]

    def _transferred(self, giver: str, taker: str, amount: int) -> Event:
        return self.told("Transfer", {"from": giver, "to": taker, "value": amount})


def fee_of(amount: int, fee_bps: int) -> int:
    """The exchange's fee on `amount`, rounded down."""
    return amount * fee_bps // WHOLE_BPS


def split(net: int, bps: Sequence[int]) -> list[int]:
    """Divide `net` by shares so that the parts sum to it exactly, by largest remainder.

    Each gets floor(net * bps / 10000); what is left over goes one fen each to the largest remainders, the earlier one
    first where remainders are equal.

    Args:
        net: fen, at least 0.
        bps: shares that sum to 10000.
    """
    parts = [net * share // WHOLE_BPS for share in bps]
    by_remainder = sorted(range(len(bps)), key=lambda i: (-(net * bps[i] % WHOLE_BPS), i))
    for i in by_remainder[: net - sum(parts)]:
        parts[i] += 1
    return parts
