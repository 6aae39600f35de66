"""Clearing: debts and orders of many parties, netted into one movement each."""
