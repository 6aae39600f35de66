"""The participant agreement: in both languages, printed whole, and signed or not."""

from html import unescape

import pytest

from marketplace.documents import digest
from marketplace.errors import NotFoundError, RuleError
from marketplace.participants.membership import all_agreements, get_agreement, require_signed, to_html

# A released text is never changed: another wording is another version.
RELEASED = {"2026.1": "0xbcd4f04e0f60ab8064dfdd366ea91b963e203c3d6aad37a2626c4a9cd3a08137"}


def test_a_released_text_stays_as_it_is() -> None:
    assert {item.content["version"]: item.digest for item in all_agreements()} == RELEASED


def test_the_page_has_every_clause_in_both_languages_and_the_digest() -> None:
    agreement = get_agreement()
    page = unescape(to_html(agreement))
    said = [agreement.content["title"], agreement.content["source"]]
    for article in agreement.content["articles"]:
        said += [article["title"], *article["clauses"]]
    assert all(pair["en"] in page and pair["zh"] in page for pair in said)
    assert digest(agreement.content) in page


def test_another_version_is_unknown() -> None:
    with pytest.raises(NotFoundError, match="1999"):
        get_agreement("1999.1")


def test_a_profile_signs_the_agreement_only_by_its_version_and_digest() -> None:
    reference = get_agreement().reference
    require_signed({"membership": reference})
    for other in ({}, {"membership": reference | {"digest": "0x" + "00" * 32}}, {"membership": {"version": "2026.1"}}):
        with pytest.raises(RuleError) as caught:
            require_signed(other)
        assert caught.value.code == "membership_unsigned"
