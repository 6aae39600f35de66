"""Lineage: what derived products are made of, the consents they need, and what their inputs get."""
