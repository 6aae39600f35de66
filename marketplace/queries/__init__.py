"""Queries on sealed data: what may be asked, how it is evaluated, what is released, and what the answer means.

The rooms, each of which uses only those above it:

    language      the algebra as typed values, and SQL that is read into it
    planning      from a question to the numbers that answer it: cells, statistics, forms of sealing, noise
    cohort        what is held back because too few rows are behind it
    permission    may it be asked: the order's papers and terms, its vouchers and budgets
    protocol      what service, panel, key holders and buyer hand each other, sealed and signed
    evaluation    a plan on sealed columns
    answers       from released integers to values with errors, and the buyer's checks of them
    explain.py    what a question would cost and how exact it would be
    service       a question comes in and becomes a row; what a buyer sees of it
    inbox         what panel nodes, vaults and custodians hand in
"""
