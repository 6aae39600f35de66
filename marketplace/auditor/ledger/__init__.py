"""Steps 1 to 5 and 7: the chain is the one that was pinned, its contracts are ours, and the rules give its events."""
