"""Who signs for the parties of an order: what a key holder is shown about their keys, and what it remembers of it.

A key proof (participants/proofs.py) can leave out the last changes, and so show an ended key as a living one. What was
shown once stays known here: every later proof has to begin with it, or nothing is answered.
"""

from collections.abc import Iterable
from typing import Protocol

from marketplace.errors import VerificationError
from marketplace.participants.proofs import Proven
from marketplace.queries.permission.papers import OrderPapers
from marketplace.words import Words


class Memory(Protocol):
    """Of the histories of accounts' keys, the longest that was ever shown."""

    def keys_seen(self, account: str) -> tuple[int, str]:
        """How many changes, and the digest after the last; (0, "") for none."""

    def remember_keys(self, account: str, changes: int, trail: str) -> None:
        """Remember a longer history."""


def check_remembered(memory: Memory, proven: Proven, parties: Iterable[str]) -> None:
    """Check that nothing which was shown before is left out, and remember what is new.

    Args:
        parties: accounts whose signatures are about to be judged.
    Raises:
        VerificationError: `keys_left_out`.
    """
    for account in sorted({*parties, *proven.signers, *proven.trails}):
        trail, (changes, last) = proven.trails.get(account, ()), memory.keys_seen(account)
        if changes and (len(trail) < changes or trail[changes - 1] != last):
            raise _left_out(account, changes, len(trail))
        if len(trail) > changes:
            memory.remember_keys(account, len(trail), trail[-1])


def parties_of(papers: OrderPapers) -> set[str]:
    """Accounts that signed an order's papers."""
    registration = {str(papers.registration.message["holder"])} if papers.registration else set()
    return {str(papers.listing.message["seller"]), str(papers.fund.message["buyer"]), *registration}


def _left_out(account: str, known: int, shown: int) -> VerificationError:
    return VerificationError(
        "keys_left_out",
        f"{known} changes of the keys of {account} were shown here before; now they are left out, or others are shown",
        zh=f"此前已出示账户 {account} 的 {known} 项密钥变更，本次缺失或不一致",
        rule="vault.keys_are_not_forgotten",
        expected=Words(
            f"a history that begins with the {known} changes that are known", f"以已知的 {known} 项变更为开端的历史"
        ),
        got=f"{shown} changes",
        hint="the exchange hides or rewrites changes of keys: keep this refusal, and tell the account's owner; if it "
        "was put back from an old copy, see `marketplace vault forget-keys`",
        hint_zh="交易所隐瞒或改写了密钥变更：请保留本拒绝并告知账户所有人；"
        "若系恢复旧备份所致，见 `marketplace vault forget-keys`",
    )
