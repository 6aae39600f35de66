"""Why something failed is told in both languages: reasons of papers, certificates, documents and files."""

import pytest

from crypto.errors import InvalidSignature
from marketplace.documents import validate_claim
from marketplace.errors import InvalidInputError, RuleError, VerificationError
from marketplace.queries.language.sql import parse_sql
from marketplace.queries.permission.papers import OrderPapers, papers_document
from marketplace.refusals.reasons import reason_of
from marketplace.rights.standing import check_signature
from tests.refusals import english_in


def test_a_reason_is_told_in_both_languages_whoever_gives_it() -> None:
    ours = RuleError("a_code", "no", zh="不可", rule="a.rule", hint="h", hint_zh="请更正")
    assert reason_of(ours) == ("no", "不可")
    assert reason_of(InvalidSignature("bad bytes")) == ("bad bytes", "签名未通过验证")
    assert reason_of(FileNotFoundError(2, "No such file or directory")) == (
        "No such file or directory",
        "文件或目录不存在",
    )
    assert reason_of(OSError(28, "No space left on device")).zh == "系统无法完成该操作"
    assert reason_of(ValueError("line 3\n of it")) == ("line 3 of it", "内容不符合格式")


def test_a_document_says_in_chinese_what_it_should_have_held() -> None:
    with pytest.raises(InvalidInputError) as refused:
        validate_claim([])
    assert (refused.value.expected, refused.value.expected_zh) == ("an object", "对象")
    assert refused.value.zh == "claim：应为对象，实为 []"


def test_a_certificate_says_in_chinese_why_it_does_not_verify() -> None:
    dated = {"validFrom": "2026-01-01T00:00:00Z", "validUntil": "2027-01-01T00:00:00Z"}
    with pytest.raises(InvalidInputError) as refused:
        check_signature(dated, bytes(32))
    assert refused.value.code == "certificate_invalid"
    assert refused.value.zh.startswith("证书验证未通过：")
    assert not english_in(refused.value.zh)
    assert refused.value.got


def test_an_orders_papers_say_in_chinese_which_link_does_not_hold() -> None:
    nothing = OrderPapers(*[None] * 4)  # type: ignore[arg-type]
    with pytest.raises(VerificationError) as refused:
        papers_document(nothing)
    assert refused.value.zh == "订单文件不一致：附有登记"
    assert (refused.value.expected, refused.value.expected_zh) == ("registration is present", "附有登记")


def test_a_query_that_cannot_be_read_says_so_in_chinese() -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_sql("SELECT COUNT(*) FROM t WHERE", {"dimensions": [], "measures": []})
    assert refused.value.zh == "无法解析的 SQL：语法有误"
