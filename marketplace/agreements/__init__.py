"""Agreements: two sides fill in and sign a model form; amended and retired only by both; orders cite them."""
