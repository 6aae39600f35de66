"""The kept list of currencies, which token each has, and how its amounts are written."""

from typing import Any

import pytest
from pydantic import ValidationError

from marketplace import documents
from marketplace.currencies import CNY, CURRENCIES, code_of, currency_at, kind_of, number_of, parse_currencies, token_of
from marketplace.deployment import Genesis
from marketplace.errors import InvalidInputError
from marketplace.intents import CONTRACTS, Deployment, names_contracts, sign_intent
from marketplace.quantities import money, parse_money, worth
from marketplace.settings import Settings

SOMEBODY = "0x" + "11" * 20
GENESIS = Genesis(SOMEBODY, SOMEBODY, SOMEBODY, 250, "0x" + "00" * 32, ("CNY", "HKD", "JPY"))


def test_codes_and_numbers_are_those_of_iso_4217_and_distinct() -> None:
    assert len({currency.number for currency in CURRENCIES.values()}) == len(CURRENCIES)
    for code, currency in CURRENCIES.items():
        assert (currency.code, len(code), code.isupper()) == (code, 3, True)
        assert 0 < currency.number < 1000
        assert 0 <= currency.exponent <= 3
        assert (code_of(currency.number), number_of(code)) == (code, currency.number)
    stated = {"CNY": (156, 2), "HKD": (344, 2), "USD": (840, 2), "EUR": (978, 2), "JPY": (392, 0), "KWD": (414, 3)}
    assert {code: (CURRENCIES[code].number, CURRENCIES[code].exponent) for code in stated} == stated
    assert (code_of(7), number_of("007")) == ("007", 7)


def test_each_has_a_token_and_the_first_has_the_plain_name() -> None:
    assert CNY.contract == "SettlementToken"
    for currency in CURRENCIES.values():
        assert token_of(currency.number) == currency.contract
        assert (currency_at(currency.contract), kind_of(currency.contract)) == (currency, "SettlementToken")
    for other in ("SettlementTokenCNY", "SettlementTokenXXX", "SettlementTokenHKD2", "Orders", ""):
        assert currency_at(other) is None
        assert kind_of(other) == other


def test_further_tokens_come_after_the_contracts_whose_places_stay() -> None:
    plain = Genesis(SOMEBODY, SOMEBODY, SOMEBODY, 250, "0x" + "00" * 32)
    assert GENESIS.contracts == (*CONTRACTS, "SettlementTokenHKD", "SettlementTokenJPY")
    assert plain.addresses().items() <= GENESIS.addresses().items()
    assert Deployment(1, GENESIS.addresses()).currencies == ("CNY", "HKD", "JPY")
    assert names_contracts(GENESIS.addresses())
    assert not names_contracts({**GENESIS.addresses(), "SettlementTokenXXX": SOMEBODY})
    assert not names_contracts(dict.fromkeys(CONTRACTS[1:], SOMEBODY))


@pytest.mark.parametrize("text", ["HKD", "HKD,CNY", "CNY,CNY", "CNY,XXX", "", "CNY,", "cny", ",".join(CURRENCIES)])
def test_a_market_has_the_yuan_first_and_each_once(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_currencies(text)
    assert refused.value.code in ("currency_unknown", "currencies_malformed")
    assert refused.value.zh
    if text:
        with pytest.raises(ValidationError):
            Settings.__pydantic_validator__.validate_assignment(Settings.model_construct(), "currencies", text)


def test_a_statement_is_signed_for_the_token_that_it_names() -> None:
    here, key = Deployment(1, GENESIS.addresses()), bytes(31) + b"\x01"
    message: dict[str, Any] = {
        "account": SOMEBODY,
        "amount": 1,
        "ref": "0x" + "00" * 32,
        "bank": SOMEBODY,
        "deadline": 1,
    }
    signed = {sign_intent("Issue", message | {"currency": number}, here, key) for number in (156, 344)}
    assert len(signed) == 2
    with pytest.raises(InvalidInputError) as refused:
        sign_intent("Issue", message | {"currency": 840}, here, key)
    assert (refused.value.code, refused.value.got) == ("currency_unknown", "USD")


@pytest.mark.parametrize(
    ("text", "code", "amount", "shown"),
    [
        ("2.50", "HKD", 250, ("2.50 HKD", "2.50 港元")),
        ("1200", "JPY", 1200, ("1,200 JPY", "1,200 日元")),
        ("0.125", "KWD", 125, ("0.125 KWD", "0.125 科威特第纳尔")),
        ("2.5", "CNY", 250, ("2.50 yuan", "2.50 元")),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(text: str, code: str, amount: int, shown: tuple[str, str]) -> None:
    assert parse_money(text, code) == amount
    assert worth(amount, code) == shown
    assert money(-amount, code) == "-" + shown[0].rpartition(" ")[0]


@pytest.mark.parametrize(("text", "code"), [("1.5", "JPY"), ("0.0001", "KWD"), ("0.001", "HKD"), ("1", "XXX")])
def test_amounts_with_other_decimals_are_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_money(text, code)


def test_terms_name_a_currency_only_where_it_is_not_the_first() -> None:
    assert documents.money_of({}) is CNY
    assert documents.money_of({"currency": "HKD"}) is CURRENCIES["HKD"]
