"""Money over HTTP."""
