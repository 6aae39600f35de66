"""Certificates on paper: what is on the page, what is attached, and what the QR code alone is good for."""

import copy
import json
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from pypdf import PdfWriter

from crypto.canonical import sha256, to_hex
from crypto.credential import did_key
from marketplace import cli
from marketplace.documents import iso_time
from marketplace.errors import InvalidInputError, VerificationError
from marketplace.rights import compact
from marketplace.rights.printing import print_certificate
from marketplace.rights.remarks import words_of_input, words_of_remark
from marketplace.rights.standing import DISPUTED, WORDS, Standing, judge
from marketplace.sdk.certificate_files import read_certificate
from tests.certificates import ANNEX, REGISTRAR, certificate, lists, public
from tests.unit.sdk.exchange import NOW

ISSUER = public(REGISTRAR)
CERTIFICATE = certificate()


def _with_shares(number: int) -> dict[str, Any]:
    made = copy.deepcopy(CERTIFICATE)
    made["credentialSubject"]["shares"] = [
        {"bps": 100, "holder": to_hex(sha256(bytes([n % 256, n // 256])))[:42]} for n in range(number)
    ]
    return made


def _text(content: bytes, pages: int = 1) -> str:
    document = pypdfium2.PdfDocument(content)
    assert len(document) == pages
    return "".join(str(page.get_textpage().get_text_bounded()) for page in document)


def test_an_annex_names_inputs_and_remarks_as_the_register_has_them_when_it_is_printed() -> None:
    weighed, valid = certificate(annex=ANNEX), Standing("certificate_valid")
    said = [words_of_input(item) for item in ANNEX["inputs"]] + [words_of_remark(item) for item in ANNEX["remarks"]]
    for printed in (print_certificate(weighed, valid, NOW), print_certificate(CERTIFICATE, valid, NOW, ANNEX)):
        text = _bare(_text(printed, 2))
        assert [words for pair in said for words in pair if _bare(words) not in text] == []
        assert "3remarks,2inputs" in text
    released = _text(print_certificate(weighed, valid, NOW, {"inputs": ANNEX["inputs"], "remarks": []}), 2)
    assert ("Made of" in released, "Remark" in released) == (True, False)
    assert "Annex" not in _text(print_certificate(weighed, valid, NOW, {"inputs": [], "remarks": []}))


def test_a_long_annex_goes_on_on_further_pages() -> None:
    many = {"inputs": ANNEX["inputs"] * 4, "remarks": ANNEX["remarks"] * 12}
    text = _bare(_text(print_certificate(CERTIFICATE, Standing("certificate_valid"), NOW, many), 5))
    assert text.count("来源数据Madeof") == 8
    assert text.count("备注Remark") == 36


def _bare(text: str) -> str:
    """Without breaks, and hyphens, of which a reader of a PDF cannot tell whether they break a line."""
    return "".join(letter for letter in text if not letter.isspace() and letter not in "-\ufffe\x02")


@pytest.mark.parametrize("code", WORDS)
def test_the_page_says_what_the_certificate_is_worth(code: str) -> None:
    text = _text(print_certificate(CERTIFICATE, Standing(code), NOW))
    subject = CERTIFICATE["credentialSubject"]
    english, chinese = WORDS[code]
    expected = [subject["assetId"], subject["holder"], subject["title"]["zh"], "数据产权登记证书", "持有权"]
    expected += [chinese, english]
    assert [item for item in expected if item not in text.replace("\r\n", "")] == []


def test_the_page_has_the_code_and_says_what_is_disputed() -> None:
    plain, disputed, over = (
        _text(print_certificate(CERTIFICATE, Standing(code, NOW, mark), NOW))
        for code, mark in (("certificate_valid", False), ("certificate_valid", True), ("certificate_revoked", True))
    )
    assert all("SJ3102026110001" in text and "登记编码 Registration code" in text for text in (plain, disputed, over))
    assert ("DISPUTED" in plain, "DISPUTED" in disputed, "DISPUTED" in over) == (False, True, False)
    assert "REVOKED" in over
    assert all(word in text for text in (disputed, over) for word in DISPUTED)


def test_the_page_says_which_registration_it_ends_and_who_signs_in_what_capacity() -> None:
    text = _text(print_certificate(CERTIFICATE, Standing("certificate_valid"), NOW)).replace("\r\n", "")
    assert all(
        item in text for item in ("登记类型 Kind", "初次登记 FIRST", "数据产权登记机构", "机构代码 institution 310")
    )


def test_an_earlier_certificate_without_code_kind_and_capacity_is_printed() -> None:
    earlier = copy.deepcopy(CERTIFICATE)
    for part, names in (
        ("credentialSubject", ("registrationCode", "registrationKind")),
        ("issuer", ("role", "institution")),
    ):
        for name in names:
            del earlier[part][name]
    text = _text(print_certificate(earlier, Standing("certificate_valid"), NOW))
    assert [item for item in ("Registration code", "登记类型", "institution") if item in text] == []


def test_the_attachment_is_the_credential(tmp_path: Path) -> None:
    path = tmp_path / "certificate.pdf"
    path.write_bytes(print_certificate(CERTIFICATE, Standing("certificate_valid"), NOW))
    assert read_certificate(path) == CERTIFICATE


def test_many_shares_fit_a_page_and_a_code() -> None:
    many = _with_shares(16)
    assert compact.unpack(compact.pack(many)) == many
    assert "more in the attachment" in _text(print_certificate(many, Standing("certificate_valid"), NOW))
    with pytest.raises(InvalidInputError) as caught:
        compact.pack(_with_shares(400))
    assert caught.value.code == "certificate_too_large"


def test_the_code_holds_the_whole_certificate() -> None:
    assert judge(compact.unpack(compact.pack(CERTIFICATE)), [], issuer=ISSUER, now=NOW, unchecked=True).code == (
        "certificate_status_unchecked"
    )


@pytest.mark.parametrize("text", ["", "TDM1:", "TDM2:ABC", "TDM1:A", "TDM1::::", "TDM1:äöü", "TDM1:" + "0" * 5000])
def test_other_text_is_no_code(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        compact.unpack(text)
    assert (caught.value.code, bool(caught.value.zh)) == ("qr_malformed", True)


def test_files_that_hold_no_certificate_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "printed.pdf"
    path.write_bytes(printed := print_certificate(CERTIFICATE, Standing("certificate_valid"), NOW))
    bare, doubled = PdfWriter(), PdfWriter(clone_from=path)
    bare.add_blank_page(100, 100)
    doubled.add_attachment("certificate.json", b"{}")
    files = [b"", b"[]", b"{", b"%PDF-1.7", printed[: len(printed) // 2], bytes((8 << 20) + 1)]
    for writer in (bare, doubled):
        writer.write(path)
        files.append(path.read_bytes())
    for content in files:
        path.write_bytes(content)
        with pytest.raises(InvalidInputError) as caught:
            read_certificate(path)
        assert caught.value.code == "certificate_malformed"


def test_the_command_reads_pdf_and_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "certificate.pdf"
    path.write_bytes(print_certificate(CERTIFICATE, Standing("certificate_valid"), NOW))
    trusted = ["--issuer", did_key(ISSUER), "--json"]
    for given in ([str(path)], ["--qr", compact.pack(CERTIFICATE)]):
        assert cli.main(["rights", "verify-certificate", *given, *trusted, "--without-status"]) == 0
        assert "certificate_status_unchecked" in capsys.readouterr().out
        assert cli.main(["rights", "verify-certificate", *given, *trusted]) != 0
        captured = capsys.readouterr()
        assert "certificate_status_unknown" in captured.out + captured.err
    assert cli.main(["rights", "verify-certificate", *trusted]) == 2


@pytest.mark.parametrize(
    ("language", "reason"), [("en", "status unknown: a status list from before"), ("zh", "状态未知：状态列表早于证书")]
)
def test_the_command_takes_no_list_from_before_the_certificate(
    language: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.rights.commands.assets.time.time", lambda: float(NOW + 60))
    path, given = tmp_path / "certificate.json", tmp_path / "lists.json"
    path.write_text(json.dumps(CERTIFICATE), "utf-8")
    command = ["rights", "verify-certificate", str(path), "--issuer", did_key(ISSUER), "--status-list", str(given)]
    given.write_text(json.dumps(lists(now=NOW - 50)), "utf-8")
    assert cli.main([*command, "--lang", language]) == cli.EXIT_CODES[VerificationError]
    refused = " ".join(capsys.readouterr().err.split())
    assert reason in refused
    assert iso_time(NOW - 50) in refused
    given.write_text(json.dumps(lists(now=NOW)), "utf-8")
    assert cli.main([*command, "--lang", language]) == 0
    assert iso_time(NOW) in capsys.readouterr().out
    assert cli.main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["asOf"] == iso_time(NOW)
