"""What the key's holder gives of each number: a share, with the noise already in it, in the way of the number's form.

Noise is drawn before a share is made, so that no share without noise ever exists. A form is a row of SHARERS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crypto.seal.evaluate import SealedNumber
from crypto.seal.headroom import Headroom
from crypto.seal.pads import PadProof, release_padded
from crypto.seal.products import SealedProduct, release_product
from crypto.seal.release import release_share
from marketplace.documents import Document
from marketplace.queries.evaluation import SealedColumns
from marketplace.queries.planning.forms import prove_plan, reaches
from marketplace.queries.planning.forms.rows import taken_of
from marketplace.queries.planning.numbers import Number, Plan
from marketplace.queries.protocol.opening import Sealed
from marketplace.vault.keeping.ring import FormKey


@dataclass(frozen=True)
class Asked:
    """What is answered: the plan on the data of a manifest, and where the data's public columns come from."""

    manifest: Document
    plan: Plan
    columns: SealedColumns


Share = Callable[[Number, Sealed, int], int]
"""The share of a number that was evaluated, with this much noise: at most 32 bytes."""


def sharer(asked: Asked, key: FormKey) -> Share:
    """Makes the shares of a plan's numbers with the key of the plan's form, or the half of it that is here."""
    return SHARERS[asked.manifest["forms"][asked.plan.form]["form"]](asked, key)


def _cells(asked: Asked, key: Any) -> Share:  # noqa: ARG001 - of the plan a share of cells needs nothing
    def share(number: Number, sealed: Sealed, noise: int) -> int:  # noqa: ARG001
        assert isinstance(sealed, SealedNumber)
        return release_share(key, sealed.c1, noise)

    return share


def _products(asked: Asked, key: Any) -> Share:
    """With the proof of each statistic, made once for all of its numbers: without one there is no release."""
    proven = prove_plan(asked.manifest, asked.plan)

    def share(number: Number, sealed: Sealed, noise: int) -> int:
        proof = proven[number.statistic]
        assert isinstance(sealed, SealedProduct)
        assert isinstance(proof, Headroom)
        return release_product(key, sealed.c1, sealed.c2, noise, proof)

    return share


def _rows(asked: Asked, key: Any) -> Share:
    """Of what the plan takes, whatever was evaluated: no ciphertext can make a holder answer for anything else."""
    manifest, form, columns = asked.manifest, asked.plan.form, asked.columns
    proven, reach = prove_plan(manifest, asked.plan), reaches(manifest, form)

    def share(number: Number, sealed: Sealed, noise: int) -> int:  # noqa: ARG001
        proof = proven[number.statistic]
        assert isinstance(proof, PadProof)
        taken = taken_of(manifest, form, number, reach(number), lambda batch: columns.salt(batch, form))
        return release_padded(key, taken, noise, proof)

    return share


SHARERS: dict[str, Callable[[Asked, Any], Share]] = {"cells": _cells, "rows": _rows, "products": _products}
