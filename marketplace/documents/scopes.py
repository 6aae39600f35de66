"""What titles cover, in words and as the bit masks that are signed; names of rights; which titles a source can give.

The lists are data: titles-cn-1.toml beside this file, with the source of each. Columns are those of an asset's
manifest: dimensions, then measures, in its order.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from marketplace.documents.common import PURPOSES
from marketplace.errors import InvalidInputError
from marketplace.types import TitleKind, TitleMark, right_bit

RULEBOOK = "titles-cn-1.toml"
YEARS = ("2026", "2022", "2021")
REVENUE = "REVENUE"
_MAX_FIELDS = 256


@cache
def rulebook() -> Mapping[str, Any]:
    """The data file as it stands."""
    text = resources.files(__name__.rpartition(".")[0]).joinpath(RULEBOOK).read_text(encoding="utf-8")
    found = tomllib.loads(text)
    if tuple(found["purposes"]["codes"]) != PURPOSES:
        raise AssertionError(f"{RULEBOOK} and the documents name different purposes")
    return found


def rulebook_name() -> str:
    """Id and version, e.g. "titles-cn/1"."""
    return f"{rulebook()['id']}/{rulebook()['version']}"


def purposes_mask(names: Iterable[str]) -> int:
    """The mask of these purposes. Raises InvalidInputError `scope_unknown`."""
    return _mask(rulebook()["purposes"]["codes"], names, "purpose", "用途")


def purposes_of(mask: int) -> list[str]:
    """The names of a mask's known bits."""
    return _names(rulebook()["purposes"]["codes"], mask)


def territories_mask(regions: Iterable[str]) -> int:
    """The mask of regions: "CN" for all provinces, "CN-SH" or "310000" for one, any other country for abroad.

    A region below a province counts as its province. None at all is everywhere.

    Raises:
        InvalidInputError: `scope_unknown`.
    """
    bits = [_region_mask(region) for region in regions]
    whole = (1 << len(_places())) - 1
    mask = 0
    for bit in bits:
        mask |= bit
    return mask if bits else whole


def territories_of(mask: int) -> list[str]:
    """ISO codes of a mask's known bits, "CN" for all provinces together, "ABROAD"."""
    provinces = (1 << len(_places()) - 1) - 1
    known = [place["iso"] or "ABROAD" for place in _places()]
    if mask & provinces == provinces:
        return ["CN", *(["ABROAD"] if mask & (provinces + 1) else [])]
    return _names(known, mask)


def is_within(region: str, regions: Sequence[str]) -> bool:
    """Whether a region ("CN-SH") is one of these or in one of them; in no regions at all is everywhere."""
    return not regions or any(region == item or region.startswith(f"{item}-") for item in regions)


def columns_of(manifest: Mapping[str, Any]) -> list[str]:
    """The columns that `fields` are bits of: dimensions, then measures."""
    return [part["name"] for group in ("dimensions", "measures") for part in manifest[group]]


def fields_mask(manifest: Mapping[str, Any], names: Sequence[str] = ()) -> str:
    """The mask of these columns, 32 bytes in hex; of every column where none is named.

    Raises:
        InvalidInputError: `scope_unknown`.
    """
    columns = columns_of(manifest)
    return f"0x{_mask(columns, names or columns, 'column', '字段'):064x}"


def fields_of(manifest: Mapping[str, Any], mask: str) -> list[str]:
    """The columns of a mask."""
    return _names(columns_of(manifest), int(mask, 16))


def scope_of_terms(terms: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a listing under these terms offers: purposes, fields and territories of the intent List."""
    return {
        "purposes": purposes_mask(terms["purposes"]),
        "fields": fields_mask(manifest, terms["fields"]),
        "territories": territories_mask(terms["regions"]),
    }


def parse_right(text: str) -> TitleKind:
    """A right from any of its names, of any year, in either language.

    Raises:
        InvalidInputError: `right_unknown`, or `right_is_revenue`: income is paid by shares and is no title.
    """
    wanted = text.strip()
    for right, years in rulebook()["names"].items():
        spellings = {right, *(name[language] for name in years.values() for language in ("zh", "en"))}
        if wanted.lower() not in {spelling.lower() for spelling in spellings}:
            continue
        if right == REVENUE:
            raise InvalidInputError(
                "right_is_revenue",
                f"{text} is an entitlement to revenue, which is no registered right",
                zh=f"{text} 为收益分配，不是登记的权利",
                rule="rights.names_of_rights",
                rulebook=rulebook_name(),
                hint="move revenue shares instead: marketplace rights transfer-share",
                hint_zh="请转让收益份额：marketplace rights transfer-share",
            )
        return TitleKind[right]
    raise InvalidInputError(
        "right_unknown",
        f"{text} names no right",
        zh=f"{text} 不是权利名称",
        rule="rights.names_of_rights",
        rulebook=rulebook_name(),
        expected=[name["zh"] for years in rulebook()["names"].values() for name in years.values()],
        got=text,
        hint="HOLD, USE or OPERATE, or a name of 2026, 2022 or 2021",
        hint_zh="持有权、使用权、经营权，或 2022、2021 年的名称",
    )


def name_of(kind: TitleKind, language: str = "zh", year: str = "2026") -> str:
    """What a right was called; the name of 2026 where that year had none of its own."""
    years = rulebook()["names"][kind.name]
    return str(years.get(year, years["2026"])[language])


def claimable(source_class: str) -> frozenset[TitleKind]:
    """Which titles the holder of data of this source may claim."""
    return frozenset(TitleKind[name] for name in rulebook()["claims"][source_class]["rights"])


def claimed(claim: Mapping[str, Any]) -> int:
    """The rights that a claim names for its own holder, as the bits of a confirmation's `rights`."""
    mask = 0
    for item in claim["rights"]:
        mask |= right_bit(TitleKind[item["right"]]) if item["holder"] == claim["holder"] else 0
    return mask


def beyond_source(claim: Mapping[str, Any]) -> list[str]:
    """The rights that a claim names and its source cannot give."""
    given = claimable(claim["sourceClass"])
    return sorted({item["right"] for item in claim["rights"] if TitleKind[item["right"]] not in given})


def source_on_form(source_class: str) -> str:
    """How a registration form names a source: data fused of several are derived, the form has no word of their own."""
    return "DERIVED" if source_class == "FUSED" else source_class


def needs_consents(source_class: str) -> bool:
    """Whether operating data of this source needs the consent of each input's operator."""
    return bool(rulebook()["claims"][source_class].get("consents", False))


def has_inputs(source_class: str) -> bool:
    """Whether data of this source are made of other data, which are declared before the confirmation."""
    return bool(rulebook()["claims"][source_class].get("inputs", False))


def words_of(marks: int) -> list[str]:
    """Names of a title's marks, e.g. ["exclusive", "may_grant"]."""
    return [mark.name.lower() for mark in TitleMark if mark.name and mark in TitleMark(marks)]


def _places() -> Sequence[Mapping[str, str]]:
    places: Sequence[Mapping[str, str]] = rulebook()["territories"]["places"]
    return places


def _region_mask(region: str) -> int:
    places = _places()
    abroad = 1 << len(places) - 1
    country, _, part = region.partition("-")
    if region == "ABROAD" or (region.isalpha() and len(region) == 2 and region != "CN"):
        return abroad
    if region == "CN":
        return abroad - 1
    for bit, place in enumerate(places[:-1]):
        numbers = (place["code"], place["code"][:2])
        if region in (place["iso"], *numbers) or (country == "CN" and part[:2] == numbers[1]):
            return 1 << bit
    if country != "CN" and part:
        return abroad
    raise _unknown("territory", "地域", region, [place["iso"] for place in places[:-1]])


def _mask(known: Sequence[str], names: Iterable[str], what: str, zh: str) -> int:
    mask = 0
    for name in names:
        if name not in known or known.index(name) >= _MAX_FIELDS:
            raise _unknown(what, zh, name, list(known))
        mask |= 1 << known.index(name)
    return mask


def _names(known: Sequence[str], mask: int) -> list[str]:
    return [name for bit, name in enumerate(known) if mask >> bit & 1]


def _unknown(what: str, zh: str, got: str, expected: list[str]) -> InvalidInputError:
    return InvalidInputError(
        "scope_unknown",
        f"{got} is no {what}",
        zh=f"没有名为 {got} 的{zh}",
        rule="titles.names_of_scopes",
        rulebook=rulebook_name(),
        expected=expected,
        got=got,
    )
