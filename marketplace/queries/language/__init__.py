"""The questions that there are, as typed values and as SQL text."""
