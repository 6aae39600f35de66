"""Benchmarks. Each module here has `run(quick) -> list[Table]`; `scripts/bench [--quick] [name ...]` prints them.

A benchmark measures us and what it compares us with side by side in one run and quotes ratios: absolute times move
with the machine.
"""
