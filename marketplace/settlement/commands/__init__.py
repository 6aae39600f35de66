"""`marketplace settlement`: money."""

from marketplace.settlement.commands import money as _money
from marketplace.settlement.commands import redemptions as _redemptions
from marketplace.settlement.commands.group import app

__all__ = ["_money", "_redemptions", "app"]
