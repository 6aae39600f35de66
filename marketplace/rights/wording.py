"""What two parties sign about titles and shares, in words: what bit masks, numbers and digests mean. Pure.

A mask's bits that have no name are named by their number: nothing that is signed is left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from marketplace.documents import Document, iso_time
from marketplace.documents.scopes import columns_of, fields_of, name_of, purposes_of, rulebook, territories_of
from marketplace.rights.title_records import ALL_FIELDS, ALL_PURPOSES, ALL_TERRITORIES
from marketplace.types import TitleKind, TitleMark
from marketplace.words import NONE, Words, joined, of_bits

Line = tuple[Words, Words]
"""What a line is about, and what it says."""
EVERYTHING = Words("all", "全部")


def plain(text: object) -> Words:
    """What is the same in both languages: a name, an address, a number."""
    return Words(str(text), str(text))


def of_grant(message: Mapping[str, Any], manifest: Document, asset: str) -> list[Line]:
    """What a Grant says; `asset` is that of the title above, `manifest` its."""
    return [
        *_data(manifest, asset),
        (Words("act", "行为"), _of("grant out of title", "授权，出自权利", message["parent"])),
        (Words("right", "权利"), right(message["kind"])),
        *_sides(message["grantor"], message["grantee"]),
        *scope(message, manifest),
        (Words("term", "期限"), term(message["validFrom"], message["validUntil"])),
        (Words("marks", "标记"), of_bits(TitleMark, message["marks"])),
        (Words("licence", "许可协议"), plain(f"SHA-256 {message['termsDigest']}")),
        _deadline(message),
    ]


def of_transfer(message: Mapping[str, Any], title: Mapping[str, Any], manifest: Document) -> list[Line]:
    """What a Transfer of `title` hands over."""
    return [
        *_data(manifest, title["assetId"]),
        (Words("act", "行为"), _of("transfer of title", "转让权利", message["titleId"])),
        *_sides(message["from"], message["to"]),
        *_title(title, manifest),
        _deadline(message),
    ]


def of_pledge(message: Mapping[str, Any], title: Mapping[str, Any], manifest: Document, debt: str | None) -> list[Line]:
    """What a Pledge of `title` gives as security; `debt` in words, None where they are not at hand."""
    return [
        *_data(manifest, title["assetId"]),
        (Words("act", "行为"), _of("pledge of title", "质押权利", message["titleId"])),
        *_sides(message["holder"], message["pledgee"]),
        *_title(title, manifest),
        _debt(message, debt),
        _deadline(message),
    ]


def of_share_pledge(message: Mapping[str, Any], manifest: Document, debt: str | None) -> list[Line]:
    """What a PledgeShare gives as security."""
    percent = f"{message['bps'] / 100:g} %"
    return [
        *_data(manifest, message["assetId"]),
        (Words("act", "行为"), Words("pledge of a revenue share", "质押收益份额")),
        *_sides(message["holder"], message["pledgee"]),
        (Words("share", "份额"), Words(f"{percent} of the income", f"收益的 {percent}")),
        _debt(message, debt),
        _deadline(message),
    ]


def scope(cell: Mapping[str, Any], manifest: Document) -> list[Line]:
    """Purposes, fields and territories of a title or a grant."""
    fields, columns = int(cell["fields"], 16), columns_of(manifest)
    codes, places = rulebook()["purposes"]["codes"], rulebook()["territories"]["places"]
    return [
        (Words("purposes", "用途"), _named(cell["purposes"], purposes_of(cell["purposes"]), len(codes), ALL_PURPOSES)),
        (
            Words("fields", "字段"),
            _named(fields, fields_of(manifest, cell["fields"]), len(columns), int(ALL_FIELDS, 16)),
        ),
        (
            Words("territories", "地域"),
            _named(cell["territories"], territories_of(cell["territories"]), len(places), ALL_TERRITORIES),
        ),
    ]


def right(kind: int) -> Words:
    """What a kind of title is called."""
    code = TitleKind(kind)
    return Words(f"{code.name} ({name_of(code, 'en')})", name_of(code, "zh"))


def term(begin: int, end: int) -> Words:
    """From when until when, UTC; `begin` 0 for a first title's, which is its registration's."""
    since = Words(f"{iso_time(begin)} ", f"{iso_time(begin)} ") if begin else plain("")
    return Words(f"{since.en}until {iso_time(end)}", f"{since.zh}至 {iso_time(end)}")


def _title(title: Mapping[str, Any], manifest: Document) -> list[Line]:
    return [
        (Words("right", "权利"), right(title["kind"])),
        *scope(title, manifest),
        (Words("term", "期限"), term(title["validFrom"], title["validUntil"])),
        (Words("marks", "标记"), of_bits(TitleMark, title["marks"])),
    ]


def _of(english: str, chinese: str, name: str) -> Words:
    return Words(f"{english} {name}", f"{chinese} {name}")


def _data(manifest: Document, asset: str) -> list[Line]:
    title = manifest["title"]
    return [(Words("data", "数据"), Words(f"{title['en']} ({asset})", f"{title['zh']}（{asset}）"))]


def _sides(giver: str, taker: str) -> list[Line]:
    return [(Words("giver", "出让方"), plain(giver)), (Words("receiver", "受让方"), plain(taker))]


def _debt(message: Mapping[str, Any], debt: str | None) -> Line:
    digest = message["debtDigest"]
    unknown = Words(f"SHA-256 {digest}; its text is not in the file", f"SHA-256 {digest}；文件未附原文")
    return Words("debt", "债权"), unknown if debt is None else plain(debt)


def _deadline(message: Mapping[str, Any]) -> Line:
    return Words("to be accepted by", "接受截止"), plain(iso_time(message["deadline"]))


def _named(mask: int, names: Sequence[str], known: int, whole: int) -> Words:
    """The names of a mask's bits; `known` bits have one, of the mask `whole` every bit is set."""
    if mask == whole:
        return EVERYTHING
    unnamed = [bit for bit in range(known, whole.bit_length()) if mask >> bit & 1]
    rest = [Words(f"unnamed bit {bit}", f"未命名位 {bit}") for bit in unnamed]
    return joined([*map(plain, names), *rest]) if mask else NONE
