"""Deliveries: files sealed to the buyer, and their acceptance."""
