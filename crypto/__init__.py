"""Cryptography of the marketplace. Knows nothing of markets, HTTP, files or settings.

Import submodules by full name.
"""
