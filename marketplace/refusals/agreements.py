"""Refusals of agreements between two parties."""

from marketplace.refusals.entry import Refusal, number
from marketplace.types import AgreementStatus
from marketplace.words import Words, word

AGREEMENTS = (
    Refusal(
        "AgreementsIdMismatch",
        "agreement_id_mismatch",
        "agreements.id_follows_from_content",
        "the agreement id {got} does not follow from both parties and the digest",
        "协议编号 {got} 与双方及协议摘要不符",
        "compute the id from the intent's own fields",
        "请由意图自身字段计算编号",
        expected="expected",
        got="got",
    ),
    Refusal(
        "AgreementsExists",
        "agreement_exists",
        "agreements.a_document_once",
        "agreement {agreementId} was signed already",
        "协议 {agreementId} 已签署",
        "another agreement needs another document; its nonce makes it one",
        "另一协议须有另一文档（其 nonce 不同）",
        got="agreementId",
    ),
    Refusal(
        "AgreementsOneParty",
        "agreement_one_party",
        "agreements.two_parties",
        "{account} cannot agree with itself",
        "{account} 不得与自身订立协议",
        "name two participants",
        "请填写两个不同的参与方",
        got="account",
    ),
    Refusal(
        "AgreementsTerm",
        "agreement_term",
        "agreements.ends_later",
        "an agreement until {validUntil} does not end after now and by 2^40 - 1: the bound is {time}",
        "协议期限 {validUntil} 须晚于当前时间且不迟于 2^40 - 1：界限为 {time}",
        "choose an end between these",
        "请选择二者之间的期限",
        expected=Words("after now and by 2^40 - 1", "晚于当前时间且不晚于 2^40 - 1"),
        got="validUntil",
    ),
    Refusal(
        "AgreementsNotInForce",
        "agreement_not_in_force",
        "agreements.status_table",
        "agreement {agreementId} is not in force: it is {current}",
        "协议 {agreementId} 未生效（{current}）",
        "what is not there is signed by both first; of an amended one cite the version after it; for a "
        "retired one sign another",
        "不存在的须先由双方签署；已变更的请引用其后续版本；已解除的请另行签署",
        expected=word(AgreementStatus.SIGNED),
        got="current",
        terms={"current": number(AgreementStatus)},
    ),
    Refusal(
        "AgreementsExpired",
        "agreement_expired",
        "agreements.in_its_term",
        "the term of agreement {agreementId} ended at {validUntil}",
        "协议 {agreementId} 的期限已于 {validUntil} 届满",
        "sign another one",
        "请另行签署",
        expected=Words(
            "an agreement in its term; this one ended at {validUntil}", "在有效期内的协议；该协议止于 {validUntil}"
        ),
        got="agreementId",
    ),
    Refusal(
        "AgreementsNotParty",
        "agreement_not_party",
        "agreements.between_its_parties",
        "{account} is not a party to agreement {agreementId}, or not on that side",
        "{account} 不是协议 {agreementId} 的该方当事人",
        "name an agreement of yours, with each party on its own side",
        "请引用您作为当事人的协议，且双方位置一致",
        got="account",
    ),
)
