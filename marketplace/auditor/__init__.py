"""The independent verifier: reads an evidence bundle and derives everything again.

It shares no database and no service code with what it audits.
"""
