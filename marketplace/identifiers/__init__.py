"""Persistent identifiers: from a text to what it stands for, as record, page and DID document."""
