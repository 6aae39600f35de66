"""Asking: a signed question and a signed voucher come in, are checked against public documents, and become a row.

Every rule is the same pure function that the vault applies once more; the service only spares everybody a lost round.
"""
