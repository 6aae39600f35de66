"""Cryptography of the marketplace. Knows nothing of markets, HTTP, files or settings; import submodules by full name."""
