"""Does an order fit the agreement that it cites? The same rules for service and auditor, from documents alone.

That the agreement is signed by both and in force, the ledger has checked; here it is about what they agreed.
"""

from collections.abc import Mapping
from typing import Any

from marketplace.agreements.forms import form_of
from marketplace.documents import digest
from marketplace.documents.scopes import is_within
from marketplace.errors import RuleError
from marketplace.pricing import is_negotiated, plan_of, require_agreed_money, terms_with
from marketplace.types import DeliveryMark
from marketplace.words import Words

_DAY = 86_400


def check_order_within(
    agreement: Mapping[str, Any],
    *,
    asset: str,
    purpose: str,
    region: str,
    terms: Mapping[str, Any],
    offer: Mapping[str, Any] | None,
) -> None:
    """Refuse an order for other data, another purpose or place, at another price, delivered or accepted otherwise than
    the agreement says.

    Args:
        agreement: valid, on a form.
        terms: the listing's. offer: of its deliveries, at least "inspection" (seconds) and "marks"; None without one.
    Raises:
        RuleError: `agreement_covers_no_orders`, `agreement_other_data`, `purpose_not_agreed`, `region_not_agreed`,
            `price_not_agreed`, `plan_not_agreed`, `delivery_not_agreed`, `acceptance_not_agreed`.
        InvalidInputError: a negotiated plan that cannot bill what is ordered, see `pricing.terms_with`.
        NotFoundError: `form_unknown`. VerificationError: `form_differs`.
    """
    _check_use(agreement, asset, purpose, region)
    _check_price(agreement["fields"], terms)
    _check_delivery(agreement["fields"], terms)
    if "delivery" in terms and terms["delivery"]["mode"] == "FILE_DOWNLOAD":
        _check_acceptance(agreement["fields"], offer)


def _check_use(agreement: Mapping[str, Any], asset: str, purpose: str, region: str) -> None:
    fields = agreement["fields"]
    if not form_of(agreement).covers_orders:
        raise _refusal(
            "agreement_covers_no_orders",
            f"nothing is bought under an agreement on the form {agreement['form']}",
            f"示范文本 {agreement['form']} 的协议不适用于下单",
            Words("an agreement on data provision or fusion development", "数据提供或融合开发协议"),
            agreement["form"],
        )
    if asset not in fields["assets"]:
        raise _refusal(
            "agreement_other_data",
            "the agreement is about other data than the listing",
            "协议所涉数据与挂牌不符",
            ", ".join(fields["assets"]) or Words("no registered data", "无登记数据"),
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
    if not is_within(region, regions):
        raise _refusal(
            "region_not_agreed",
            f"the agreement is not for use in {region}",
            f"协议不允许在 {region} 使用",
            ", ".join(regions),
            region,
        )


def _check_price(fields: Mapping[str, Any], terms: Mapping[str, Any]) -> None:
    """The listing's plan is the agreed one, in the same money, or left to the agreement, which then has one that can be
    billed."""
    if is_negotiated(terms):
        terms_with(terms, fields["plan"])
        return
    require_agreed_money(terms)
    plan = plan_of(terms)
    if plan != fields["plan"]:
        raise _refusal(
            "price_not_agreed",
            "the listing has another price plan than the agreement",
            "挂牌的价格方案与协议不一致",
            f"{fields['plan']['mode']} {digest(fields['plan'])}",
            f"{plan['mode']} {digest(plan)}",
        )


def _check_delivery(fields: Mapping[str, Any], terms: Mapping[str, Any]) -> None:
    """Forms of fusion development name no ways of delivery."""
    mode = terms["delivery"]["mode"] if "delivery" in terms else "CIPHERTEXT_QUERY"
    if mode not in fields.get("delivery_modes", [mode]):
        raise _refusal(
            "delivery_not_agreed",
            f"the agreement does not name delivery by {mode}",
            f"协议未约定以 {mode} 方式交付",
            ", ".join(fields["delivery_modes"]),
            mode,
        )


def _check_acceptance(fields: Mapping[str, Any], offer: Mapping[str, Any] | None) -> None:
    """Silence accepts only where the agreement says so, and the inspection is no shorter than agreed."""
    days, deemed = fields["inspection_days"], fields["acceptance_form"] == "DEEMED"
    silent = offer is not None and DeliveryMark.SILENCE_ACCEPTS in DeliveryMark(offer["marks"])
    if offer is None or (silent and not deemed) or offer["inspection"] < days * _DAY:
        raise _refusal(
            "acceptance_not_agreed",
            "the seller offers no delivery yet, or less time to inspect than agreed, or lets silence accept without it",
            "卖方尚未提出交付条件，或检验期短于协议，或协议未约定逾期视为验收",
            Words(f"at least {days} days, {fields['acceptance_form']}", f"至少 {days} 日，{fields['acceptance_form']}"),
            _offered(offer, silent=silent),
        )


def _offered(offer: Mapping[str, Any] | None, *, silent: bool) -> Words:
    if offer is None:
        return Words("no offer", "未提出")
    days, form = offer["inspection"] // _DAY, "DEEMED" if silent else "SIGNED"
    return Words(f"{days} days, {form}", f"{days} 日，{form}")


def _refusal(code: str, message: str, zh: str, expected: str | Words, got: str | Words) -> RuleError:
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
