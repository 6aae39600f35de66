"""Step 9: what the ledger names by digest is there, and says what the ledger's acts allow."""
