"""The log and the operator's settings."""
