"""Comparing what the service said with what follows from signed evidence."""

from marketplace.errors import VerificationError


def expect(found: object, wanted: object, code: str, rule: str) -> None:
    """Refuse unless the two are equal.

    Args:
        found: what follows from the evidence in hand.
        wanted: what was stated.
    Raises:
        VerificationError: with `code` and `rule`, and both values.
    """
    if found != wanted:
        raise VerificationError(
            code,
            f"evidence and statement disagree ({rule})",
            zh=f"证据与陈述不一致（{rule}）",
            rule=rule,
            expected=wanted,
            got=found,
            hint="sign and pay nothing on this basis; keep what you received and tell an auditor",
            hint_zh="请勿据此签署或付款；保留所收材料并告知审计方",
        )
