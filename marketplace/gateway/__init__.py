"""The seller's gateway: answers calls on the seller's own table, and keeps a signed record of each."""
