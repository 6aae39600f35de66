"""Steps 10 and 11: what was used under each order, who vouched for it, what it cost, and whether it is right."""
