"""One question after another: may it be answered, and with which share of the key."""
