"""Queries on sealed data: what may be asked, how it is evaluated, what is released, and what the answer means.

Order of reading: query.py (the algebra), sql.py (from text), plan.py (which cells), permission.py, pricing.py and
cohort (may it be answered), accuracy.py and answer.py (what came back).
"""
