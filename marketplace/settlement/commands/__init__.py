"""`marketplace settlement`: money."""

from marketplace.settlement.commands import money as _money
from marketplace.settlement.commands import reconciliation as _reconciliation
from marketplace.settlement.commands import redemptions as _redemptions
from marketplace.settlement.commands.group import app

__all__ = ["_money", "_reconciliation", "_redemptions", "app"]
