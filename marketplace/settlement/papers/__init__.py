"""Statements, invoices and trade vouchers: pure functions of what the ledger and the documents say.

Whoever has the same facts builds the same paper, so it can be said of a paper in somebody's hand whether it is the one
that follows, and where first it is not.
"""
