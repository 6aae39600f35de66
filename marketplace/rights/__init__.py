"""Data assets, titles, revenue shares and certificates."""
