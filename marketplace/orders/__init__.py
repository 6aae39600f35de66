"""Orders: escrow, privacy ceiling and the right to use."""
