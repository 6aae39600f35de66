"""What is signed about the keys of an account, in words. Pure."""

from collections.abc import Mapping
from typing import Any

from marketplace.documents import iso_time
from marketplace.quantities import worth
from marketplace.types import NO_LIMIT, Act
from marketplace.words import Words, of_bits

Line = tuple[Words, Words]
"""What a line is about, and what it says."""


def of_key(message: Mapping[str, Any], name: str) -> list[Line]:
    """What an AddKey lets a key do: for which account, which acts, up to which amount, until when.

    Args:
        name: of the person, from the document whose digest is signed.
    """
    return [
        (Words("account", "账户"), _plain(message["account"])),
        (Words("key", "密钥"), _plain(message["key"])),
        (Words("person", "人员"), _plain(name)),
        (Words("may sign", "权限"), of_bits(Act, message["acts"])),
        (Words("limit", "单笔限额"), _limit(message["limit"])),
        (Words("until", "有效期至"), _end(message["validUntil"])),
        (Words("proposed by", "提议人"), _plain(message["by"])),
        (Words("to be accepted by", "接受截止"), _plain(iso_time(message["deadline"]))),
    ]


def of_recovery(message: Mapping[str, Any], reason: str) -> list[Line]:
    """What a Recover asks for: whose account goes to which key, and why."""
    return [
        (Words("account", "账户"), _plain(message["account"])),
        (
            Words("act", "行为"),
            Words("all its keys end; the new key administers it", "原有密钥全部终止，新密钥接管账户"),
        ),
        (Words("new key", "新密钥"), _plain(message["newKey"])),
        (Words("reason", "理由"), _plain(reason)),
        (Words("to be approved by", "批准截止"), _plain(iso_time(message["deadline"]))),
    ]


def _limit(fen: int) -> Words:
    if fen == NO_LIMIT:
        return Words("none", "不限")
    english, chinese = worth(fen)
    return Words(f"{english} for each act over money", f"每笔 {chinese}")


def _end(moment: int) -> Words:
    return Words("no end", "无期限") if moment == NO_LIMIT else _plain(iso_time(moment))


def _plain(text: object) -> Words:
    return Words(str(text), str(text))
