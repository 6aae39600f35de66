"""Banks' statements in one form, and whether the ledger says the same. Pure; files are read elsewhere."""
