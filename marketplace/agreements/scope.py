"""Does an order fit the agreement that it cites? The same rules for service and auditor, from documents alone.

That the agreement is signed by both and in force, the ledger has checked; here it is about what they agreed.
"""

from collections.abc import Mapping
from typing import Any

from marketplace.agreements.forms import form_of
from marketplace.errors import RuleError


def check_order_within(agreement: Mapping[str, Any], *, asset: str, purpose: str, region: str) -> None:
    """Refuse an order for other data, another purpose or another place than the agreement names.

    Args:
        agreement: valid, on a form.
    Raises:
        RuleError: `agreement_covers_no_orders`, `agreement_other_data`, `purpose_not_agreed`, `region_not_agreed`.
        NotFoundError: `form_unknown`. VerificationError: `form_differs`.
    """
    fields = agreement["fields"]
    if not form_of(agreement).covers_orders:
        raise _refusal(
            "agreement_covers_no_orders",
            f"nothing is bought under an agreement on the form {agreement['form']}",
            f"示范文本 {agreement['form']} 的协议不适用于下单",
            "an agreement on data provision or fusion development",
            agreement["form"],
        )
    if asset not in fields["assets"]:
        raise _refusal(
            "agreement_other_data",
            "the agreement is about other data than the listing",
            "协议所涉数据与挂牌不符",
            ", ".join(fields["assets"]) or "no registered data",
            asset,
        )
    if purpose not in fields["purposes"]:
        raise _refusal(
            "purpose_not_agreed",
            f"the agreement is not for the purpose {purpose}",
            f"协议不允许用于 {purpose}",
            ", ".join(fields["purposes"]),
            purpose,
        )
    regions = fields["regions"]
    if regions and not any(region == item or region.startswith(f"{item}-") for item in regions):
        raise _refusal(
            "region_not_agreed",
            f"the agreement is not for use in {region}",
            f"协议不允许在 {region} 使用",
            ", ".join(regions),
            region,
        )


def _refusal(code: str, message: str, zh: str, expected: str, got: str) -> RuleError:
    return RuleError(
        code,
        message,
        zh=zh,
        rule="agreements.order_within",
        expected=expected,
        got=got,
        hint="order within the agreement, cite another one, or amend it together",
        hint_zh="请在协议范围内下单、引用其他协议，或由双方变更协议",
    )
