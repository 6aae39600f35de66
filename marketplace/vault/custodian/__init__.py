"""The custodian: it holds the other half of a data set's sealing key, on a machine of its own, and opens no port.

Neither vault nor custodian can open anything alone. What the custodian adds to an answer it decides by its own account.
"""
