"""Where plans are evaluated: in this process, in others beside it, or on a Dask cluster. One setting, the same bytes.

setting.py    reads the setting and opens what it asks for
option.py     the same as an option of commands
columns.py    evaluates pieces on workers, whoever they are: order, repeats, failures
processes.py  worker processes of this program
worker.py     such a process: pieces in, sealed numbers out
cluster.py    a Dask cluster (extra "cluster")

SEAL's binding never gives up Python's lock, so threads would wait for each other. Workers get digests, public cells and
weights, read blobs from files, and hold no key.
"""

from marketplace.compute.setting import open_compute

__all__ = ["open_compute"]
