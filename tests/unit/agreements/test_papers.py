"""A paper says what was agreed, in both languages, with the digest on every page; a field stays a field."""

import io
import json

import pypdf
import pypdfium2
import pytest

from marketplace.agreements.html import to_html
from marketplace.agreements.printing import ATTACHMENT, to_pdf
from marketplace.agreements.signing import Signed, proposal_words
from marketplace.agreements.wording import write_out
from marketplace.documents import canonical, digest
from marketplace.documents.ids import agreement_id
from tests.agreements import FORMS, PARTY_A, PARTY_B, agreement_on

NOW = 1_800_000_000


def pages_of(data: bytes) -> list[str]:
    return [page.get_textpage().get_text_bounded().replace("\r\n", "") for page in pypdfium2.PdfDocument(data)]


@pytest.mark.parametrize("form", FORMS)
def test_every_page_names_the_digest_and_the_document_is_attached(form: str) -> None:
    agreement = agreement_on(form)
    data = to_pdf(agreement, write_out(agreement), Signed(), NOW)
    assert data == to_pdf(agreement, write_out(agreement), Signed(), NOW)
    pages = pages_of(data)
    assert len(pages) >= 2
    for number, page in enumerate(pages, 1):
        assert digest(agreement) in page
        assert f"page {number} of {len(pages)}" in page
    (attached,) = pypdf.PdfReader(io.BytesIO(data)).attachments[ATTACHMENT]
    assert attached == canonical(agreement)
    assert digest(json.loads(attached)) == digest(agreement)


@pytest.mark.parametrize("form", FORMS)
def test_the_page_says_every_field_in_both_languages(form: str) -> None:
    agreement = agreement_on(form)
    page = to_html(write_out(agreement), Signed())
    for name, value in agreement["fields"].items():
        if isinstance(value, dict) and value.keys() == {"en", "zh"}:
            assert f"&lt;{name}&gt;" in page
            assert value["zh"] in page
    assert digest(agreement) in page
    assert agreement_id(PARTY_A, PARTY_B, digest(agreement)) in page
    assert "草案" in page


def test_what_a_party_wrote_is_text_and_nothing_else() -> None:
    bad = {"en": "<script>alert(1)</script> {cure_days} {plan.__class__}", "zh": "{data_name}&<b>"}
    agreement = agreement_on(fields={"data_content": bad})
    page = to_html(write_out(agreement), Signed())
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {cure_days} {plan.__class__}" in page
    assert "{data_name}&amp;&lt;b&gt;" in page
    to_pdf(agreement, write_out(agreement), Signed(), NOW)


def test_words_follow_the_fields() -> None:
    paper = write_out(agreement_on(fields={"forum": "ARBITRATION", "late_bps_per_day": 5, "damages_bps": 2_050}))
    text = [clause for article in paper.articles for clause in article.clauses]
    english, chinese = " ".join(clause[1] for clause in text), " ".join(clause[0] for clause in text)
    assert "arbitration at <institution>" in english
    assert "<court>" not in english
    assert "0.05 % of the amount due" in english
    assert "20.5 %" in chinese
    assert "2.50 yuan for each answered call" in english
    assert (("格式错误率", "format-error rate"), ("不高于 99.5 %", "at most 99.5 %")) in paper.annex


def test_signatures_and_standing_are_printed() -> None:
    agreement = agreement_on()
    signed = Signed(("双方已签署，有效", "signed by both, in force"), ((PARTY_A, "0x" + "51" * 65),), "block 7")
    page = to_html(write_out(agreement), signed)
    assert "0x" + "51" * 65 in page
    assert page.count("____________________") == 1  # Party B's line is still empty
    assert "block 7" in page
    assert "signed by both, in force" in "".join(pages_of(to_pdf(agreement, write_out(agreement), signed, NOW)))


def test_a_proposal_says_whom_it_binds_and_until_when() -> None:
    proposal = {"state": "open", "signedBy": ["0x" + "a1" * 20], "deadline": 1_796_445_738}
    chinese, english = proposal_words(proposal).words
    assert f"signed by 0x{'a1' * 20}, which it binds until 2026-12-05" in english
    assert "对方尚未签署" in chinese
    assert "declined" in proposal_words(proposal | {"state": "declined"}).words[1]
