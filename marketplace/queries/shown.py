"""A privacy budget as people are told it: in the data set's own unit, and what that means as (epsilon, delta)."""

from collections.abc import Mapping
from typing import Any

from crypto.seal.privacy import PURE, approximate_epsilon
from marketplace.quantities import epsilon


def shown_budget(privacy: Mapping[str, Any], micro: int) -> tuple[str, str]:
    """Millionths of the unit of a manifest's `privacy`, in English and Chinese.

    Under zCDP the epsilon is OpenDP's conversion of all of it at the declared delta; it does not add up, rho does.
    """
    if privacy["measure"] == PURE:
        return f"epsilon {epsilon(micro)}", f"ε {epsilon(micro)}"
    delta = privacy["delta"]
    amounts_to = f"{approximate_epsilon(micro, float(delta)):.3g}"
    unit = epsilon(micro)
    return f"rho {unit} (epsilon {amounts_to} at delta {delta})", f"ρ {unit}（δ={delta} 时相当于 ε {amounts_to}）"
