"""What stands under a printed agreement: whether it is signed, by whom, and what it is worth now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.quantities import moment
from marketplace.types import AgreementStatus
from marketplace.words import PROPOSALS

DRAFT: tuple[str, str] = ("草案：尚未签署，无约束力", "draft: not signed, binding nobody")
_STANDING = {
    AgreementStatus.SIGNED: ("双方已签署，有效", "signed by both, in force"),
    AgreementStatus.AMENDED: ("已变更：由后续版本取代", "amended: a later version is in its place"),
    AgreementStatus.RETIRED: ("已由双方解除", "retired by both"),
}
_EXPIRED = ("期限已届满", "its term is over")


@dataclass(frozen=True)
class Signed:
    """The sign-off block of a paper.

    Args:
        words: standing in Chinese and English, as of the printing.
        signatures: (address, EIP-712 signature) of each side that signed; empty for a draft.
        place: where it stands on the ledger, in words; "" for nowhere.
    """

    words: tuple[str, str] = DRAFT
    signatures: tuple[tuple[str, str], ...] = ()
    place: str = ""


def proposal_words(proposal: Mapping[str, Any]) -> Signed:
    """The sign-off block of a proposal: whoever proposed it has signed, and is bound as long as the other may sign.

    Args:
        proposal: as the service shows it, with "signedBy", "state" and "deadline" (unix seconds).
    """
    if proposal["state"] != "open":
        return Signed((f"提议：{PROPOSALS[proposal['state']]}", f"a proposal that is {proposal['state']}"))
    by, until = "、".join(proposal["signedBy"]), moment(proposal["deadline"])
    return Signed(
        (
            f"提议：{by} 已签署，{until} 前受其约束；对方尚未签署",
            f"a proposal: signed by {by}, which it binds until {until}; not signed by the other side",
        )
    )


def standing_words(row: Mapping[str, Any], now: int) -> tuple[str, str]:
    """What an agreement of the ledger is worth at `now` (unix seconds), in Chinese and English.

    Args:
        row: the agreement's row of the read model.
    """
    status = AgreementStatus(row["status"])
    return _EXPIRED if status is AgreementStatus.SIGNED and now > row["validUntil"] else _STANDING[status]


def signed_words(row: Mapping[str, Any], signatures: Mapping[str, str], now: int) -> Signed:
    """The sign-off block of an agreement that the ledger knows.

    Args:
        row: as above. signatures: by address; may be empty where they are not at hand.
    """
    event = row["event"]
    place = f"区块 block {event['block']} · 版本 version {row['version']} · 意图 intent {event['intent']}"
    return Signed(standing_words(row, now), tuple(signatures.items()), place)
