"""Joining, admission and standing of participants."""
