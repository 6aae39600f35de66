"""Blocks, transactions and receipts as Ethereum encodes and commits to them."""
