"""A compute node: it evaluates queries on ciphertext, signs what it got, and can decrypt nothing.

It opens no port: it asks the service for tasks.
"""
