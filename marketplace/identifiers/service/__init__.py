"""Finding what an identifier stands for, and what is told about it."""
