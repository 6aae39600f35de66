"""Products: what may be bought, computed, for which price and purpose."""
