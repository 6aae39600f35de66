"""Webhooks: rules, outbox, delivery."""
