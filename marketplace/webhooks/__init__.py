"""Webhooks: what happened is told to the systems of those whom it concerns."""
