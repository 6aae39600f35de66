"""TenSEAL's side of each race: the whole column in one CKKSVector with the parameters of its README (N = 8192,
60+40+40+60 bits, scale 2^40), vector in memory, result decrypted. Each query runs once: it takes seconds.

A sum is `.sum()`, a weighted sum `.dot(weights)`, a variance `.sum()` and `.dot(self)`, a filter or group `.dot(mask)`.
"""

from typing import Any

import numpy as np
import tenseal

from scripts.benchmarks.sealing.samples import (
    GROUPS,
    Integers,
    groups_of,
    mask_of,
    relative_error,
    spread,
    values_of,
    weights_of,
)
from scripts.benchmarks.tables import milliseconds

Found = dict[str, float]
"""Milliseconds; relative error."""


def their_sum(rows: int, threads: int) -> Found:
    """SUM of all rows."""
    values = values_of(rows)
    vector, kept = vector_of(values, threads), list[Any]()
    took = milliseconds(lambda: kept.append(vector.sum()), 1)
    return {"ms": took, "error": relative_error(kept[0].decrypt()[0], int(values.sum()))}


def their_variance(rows: int, threads: int) -> Found:
    """VARIANCE: the sum, and the product with itself."""
    values = values_of(rows)
    vector, kept = vector_of(values, threads), list[Any]()
    took = milliseconds(lambda: kept.extend([vector.sum(), vector.dot(vector)]), 1)
    true = spread(rows, int(values.sum()), int((values * values).sum()))
    seen = spread(rows, kept[0].decrypt()[0], kept[1].decrypt()[0])
    return {"ms": took, "error": relative_error(seen, true)}


def their_dot(rows: int, threads: int) -> Found:
    """A weighted sum."""
    return _dots(values_of(rows), [weights_of(rows)], threads)


def their_filter(rows: int, threads: int) -> Found:
    """The sum of scattered rows, by a mask."""
    mask = np.zeros(rows, dtype=np.int64)
    mask[mask_of(rows)] = 1
    return _dots(values_of(rows), [mask], threads)


def their_groups(rows: int, threads: int) -> Found:
    """SUM by group, one mask a group."""
    groups = groups_of(rows)
    return _dots(values_of(rows), [(groups == group).astype(np.int64) for group in range(GROUPS)], threads)


def vector_of(values: Integers, threads: int) -> Any:
    """The whole column in one vector; 0 threads stand for all cores, TenSEAL's default."""
    context = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS,
        poly_modulus_degree=8192,
        coeff_mod_bit_sizes=[60, 40, 40, 60],
        n_threads=threads or None,
    )
    context.generate_galois_keys()
    context.global_scale = 2**40
    return tenseal.ckks_vector(context, values.astype(np.float64).tolist())


def _dots(values: Integers, weights: list[Integers], threads: int) -> Found:
    vector, kept = vector_of(values, threads), list[Any]()
    lists = [one.astype(np.float64).tolist() for one in weights]
    took = milliseconds(lambda: kept.extend(vector.dot(one) for one in lists), 1)
    true = [int((values * one).sum()) for one in weights]
    return {"ms": took, "error": max(map(relative_error, (number.decrypt()[0] for number in kept), true))}
