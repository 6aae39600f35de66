"""A sum over the rows of a hidden category: the cost of a product of ciphertexts, and SEAL's own as floor."""

import numpy as np

from crypto.seal.engine import engine
from crypto.seal.headroom_products import prove_product
from crypto.seal.keys import SealingKey
from crypto.seal.parameters import PRODUCTS
from crypto.seal.products import combine_product, evaluate_product, open_rows, release_product, seal_rows
from scripts.benchmarks.sealing.alone import alone
from scripts.benchmarks.tables import Table, milliseconds, versions

LARGEST = 5_000
REPEATS = 5


def products_table(rows: int) -> Table:
    """One number over so many rows."""
    found, peak = alone(measure_alone, rows)
    notes = [
        versions("tenseal", "numpy"),
        "floor: SEAL's multiplication of the same ciphertexts alone; scattered: two rows of five by a public mask",
        "a process of its own, both columns opened and in memory; VmHWM, interpreter and SEAL included",
    ]
    return Table(
        f"A product of two sealed columns, {rows:,} rows, {PRODUCTS.name}",
        ["what", ""],
        [*found, ["peak RSS MiB", peak]],
        notes,
    )


def measure_alone(rows: int) -> list[list[str]]:
    """The table's rows."""
    draw, key, made = np.random.default_rng(1), SealingKey.generate(PRODUCTS), engine(PRODUCTS)
    values, flags = draw.integers(0, LARGEST, rows), (draw.random(rows) < 0.3).astype(np.int64)
    starts = range(0, rows, PRODUCTS.degree)
    blobs = [[seal_rows(key, column[at : at + PRODUCTS.degree]) for at in starts] for column in (values, flags)]
    measure, indicator = ([open_rows(PRODUCTS, blob) for blob in column] for column in blobs)
    some, every = draw.random(rows) < 0.4, np.ones(rows, dtype=np.bool_)
    proven = prove_product(PRODUCTS, rows=rows, chunks=len(starts), indicators=1, total=rows * LARGEST)
    number = evaluate_product(PRODUCTS, measure, [indicator], some)
    share = release_product(key, number.c1, number.c2, 0, proven)
    if combine_product(PRODUCTS, number.c0, share) != int((values * flags)[some].sum()):
        raise AssertionError("the sealed number is not numpy's")

    def floor() -> None:
        for one, other in zip(measure, indicator, strict=True):
            made.multiply_together(one.ciphertext, other.ciphertext)

    times = {
        "all rows, ms": milliseconds(lambda: evaluate_product(PRODUCTS, measure, [indicator], every), REPEATS),
        "scattered rows, ms": milliseconds(lambda: evaluate_product(PRODUCTS, measure, [indicator], some), REPEATS),
        "floor, ms": milliseconds(floor, REPEATS),
        "share, ms": milliseconds(lambda: release_product(key, number.c1, number.c2, 0, proven), REPEATS),
    }
    found = [[name, f"{took:.2f}"] for name, took in times.items()]
    found.append(["bytes per value at rest", f"{sum(map(len, blobs[0])) / rows:.2f}"])
    return found
