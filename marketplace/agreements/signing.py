"""What stands under a printed agreement: whether it is signed, by whom, and what it is worth now."""

from dataclasses import dataclass

DRAFT: tuple[str, str] = ("草案：尚未签署，无约束力", "draft: not signed, binding nobody")


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
