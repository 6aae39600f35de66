"""The currencies that a market may be founded with, and the token that each has.

CURRENCIES is a kept list: alphabetic code, numeric code and minor unit as in ISO 4217, list one, of the maintenance
agency (SIX, https://www.six-group.com/en/products-services/financial-information/data-standards.html), whose entries
for these have stood since the edition of 2015. What a market settles in is decided when it is founded: CNY first, then
what MARKETPLACE_CURRENCIES adds. Nothing converts one into another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.errors import InvalidInputError

TOKEN = "SettlementToken"  # noqa: S105 - the contract of the first currency; a further one's has its code behind it
FIRST = "CNY"


@dataclass(frozen=True)
class Currency:
    """One currency.

    Args:
        code: three letters, as documents and people write it.
        number: three digits, as what is signed and the ledger write it.
        exponent: decimals of its minor unit.
        name: in English. zh: in Chinese.
    """

    code: str
    number: int
    exponent: int
    name: str
    zh: str

    @property
    def contract(self) -> str:
        """The name of its token among a deployment's contracts."""
        return TOKEN if self.code == FIRST else TOKEN + self.code


CNY = Currency(FIRST, 156, 2, "Yuan", "元")
CURRENCIES: dict[str, Currency] = {
    currency.code: currency
    for currency in (
        CNY,
        Currency("AED", 784, 2, "UAE Dirham", "阿联酋迪拉姆"),
        Currency("AUD", 36, 2, "Australian Dollar", "澳大利亚元"),
        Currency("BHD", 48, 3, "Bahraini Dinar", "巴林第纳尔"),
        Currency("BRL", 986, 2, "Brazilian Real", "巴西雷亚尔"),
        Currency("CAD", 124, 2, "Canadian Dollar", "加拿大元"),
        Currency("CHF", 756, 2, "Swiss Franc", "瑞士法郎"),
        Currency("EUR", 978, 2, "Euro", "欧元"),
        Currency("GBP", 826, 2, "Pound Sterling", "英镑"),
        Currency("HKD", 344, 2, "Hong Kong Dollar", "港元"),
        Currency("IDR", 360, 2, "Rupiah", "印尼盾"),
        Currency("INR", 356, 2, "Indian Rupee", "印度卢比"),
        Currency("JPY", 392, 0, "Yen", "日元"),
        Currency("KRW", 410, 0, "Won", "韩元"),
        Currency("KWD", 414, 3, "Kuwaiti Dinar", "科威特第纳尔"),
        Currency("KZT", 398, 2, "Tenge", "哈萨克斯坦坚戈"),
        Currency("MOP", 446, 2, "Pataca", "澳门元"),
        Currency("MYR", 458, 2, "Malaysian Ringgit", "马来西亚林吉特"),
        Currency("NZD", 554, 2, "New Zealand Dollar", "新西兰元"),
        Currency("PHP", 608, 2, "Philippine Peso", "菲律宾比索"),
        Currency("RUB", 643, 2, "Russian Ruble", "俄罗斯卢布"),
        Currency("SAR", 682, 2, "Saudi Riyal", "沙特里亚尔"),
        Currency("SGD", 702, 2, "Singapore Dollar", "新加坡元"),
        Currency("THB", 764, 2, "Baht", "泰铢"),
        Currency("TWD", 901, 2, "New Taiwan Dollar", "新台币"),
        Currency("USD", 840, 2, "US Dollar", "美元"),
        Currency("VND", 704, 0, "Dong", "越南盾"),
        Currency("ZAR", 710, 2, "Rand", "南非兰特"),
    )
}
_BY_NUMBER = {currency.number: currency for currency in CURRENCIES.values()}
MOST = 8  # currencies of one market


def currency_of(code: str) -> Currency:
    """The currency with this alphabetic code.

    Raises:
        InvalidInputError: `currency_unknown`.
    """
    found = CURRENCIES.get(code)
    if found is None:
        raise unknown(code, sorted(CURRENCIES))
    return found


def unknown(code: str, known: Sequence[str]) -> InvalidInputError:
    """The error for a currency that is not among `known`."""
    return InvalidInputError(
        "currency_unknown",
        f"expected one of the currencies {', '.join(known)}, got {code[:20]!r}",
        zh=f"应为货币 {', '.join(known)} 之一，收到 {code[:20]!r}",
        expected=", ".join(known),
        got=code[:20],
        hint="name a currency that the market was founded with: see `currencies` of GET /profile",
        hint_zh="请填写市场设立时确定的货币：见 GET /profile 的 `currencies`",
    )


def code_of(number: int) -> str:
    """The alphabetic code of a numeric one; the number itself where none is kept: what may be signed can be shown."""
    found = _BY_NUMBER.get(number)
    return found.code if found else f"{number:03d}"


def number_of(code: str) -> int:
    """The other way round."""
    found = CURRENCIES.get(code)
    return found.number if found else int(code)


def token_of(number: int) -> str:
    """The name that the token of a numeric code has, or would have, among a deployment's contracts."""
    found = _BY_NUMBER.get(number)
    return found.contract if found else f"{TOKEN}{number:03d}"


def currency_at(contract: str) -> Currency | None:
    """The currency of a contract of this name; None for any other contract."""
    if contract == TOKEN:
        return CNY
    found = CURRENCIES.get(contract.removeprefix(TOKEN)) if contract.startswith(TOKEN) else None
    return found if found is not CNY else None


def kind_of(contract: str) -> str:
    """The name of the build that a contract of this name is made of: all tokens are of one."""
    return TOKEN if currency_at(contract) else contract


def parse_currencies(text: str) -> tuple[str, ...]:
    """The codes of a market's currencies, e.g. of "CNY,HKD".

    Raises:
        InvalidInputError: `currency_unknown`, or `currencies_malformed`: CNY is not the first, one is named twice, or
            they are more than a market may have.
    """
    codes = tuple(part.strip() for part in text.split(","))
    for code in codes:
        currency_of(code)
    if codes[0] != CNY.code or len(set(codes)) != len(codes) or len(codes) > MOST:
        raise InvalidInputError(
            "currencies_malformed",
            f"expected CNY and then at most {MOST - 1} others, each once, got {text[:80]!r}",
            zh=f"应以 CNY 开头，其后至多 {MOST - 1} 种其他货币，不得重复，收到 {text[:80]!r}",
            expected="CNY,HKD",
            got=text[:80],
            hint="put CNY first: prices in terms that name no currency are in it",
            hint_zh="请将 CNY 置于首位：未注明货币的条款以其计价",
        )
    return codes
