"""From released integers to values with standard errors, and whether the buyer may believe them."""
