"""May this order ask this query? Every rule here uses public documents only, so service and vault apply the same ones.

The chain of promises: the holder signed Register (manifest, ciphertext root, privacy budget) and List (asset, terms);
the buyer signed Fund (listing, agreement); the agreement names the terms. Where the price is negotiated, the buyer's
agreement names the one on a form that has it, which the seller signed. Ids are hashes of what they stand for, so the
chain is checked without asking anybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.canonical import to_hex
from crypto.errors import CryptoError
from marketplace.agreements.forms import validate_agreement_on_form
from marketplace.agreements.scope import check_order_within
from marketplace.documents import (
    Document,
    ciphertext_root,
    digest,
    money_of,
    unix_seconds,
    validate_agreement,
    validate_form_agreement,
    validate_terms,
)
from marketplace.documents.ids import agreement_id, asset_id, listing_id, order_id
from marketplace.documents.scopes import is_within, scope_of_terms
from marketplace.documents.shapes import SIGNATURE_TEXT, one_of, record, refuse
from marketplace.errors import MarketplaceError, RuleError, VerificationError
from marketplace.intents import INTENTS, struct_hash
from marketplace.participants.keybook import SECOND, KeyBook
from marketplace.pricing import Tariff, is_negotiated, price_fits, tariff_of, terms_under
from marketplace.refusals.checks import require_in_time
from marketplace.refusals.reasons import reason_of
from marketplace.types import ZERO_DIGEST
from marketplace.words import Words


@dataclass(frozen=True)
class SignedIntent:
    """An intent's message and the 65-byte signature of its one signer."""

    message: Mapping[str, Any]
    signature: bytes


@dataclass(frozen=True)
class Cited:
    """An agreement on a form as its seller's side signed it.

    Args:
        name: "Agree" or "AmendAgreement". signed: that intent with the seller's signature; the buyer's is its order.
        document: what they agreed.
    """

    name: str
    signed: SignedIntent
    document: Document


@dataclass(frozen=True)
class OrderPapers:
    """What stands behind an order: the seller's List, the buyer's Fund, terms, agreement and the holder's Register.

    `registration` may be absent where only the terms are applied; a vault requires it (`check_papers`). `cited` is the
    agreement on a form that has the price, where the terms leave it open; None where they do not.
    """

    listing: SignedIntent
    fund: SignedIntent
    terms: Document
    agreement: Document
    registration: SignedIntent | None = None
    cited: Cited | None = None

    @property
    def tariff(self) -> Tariff:
        """What the order pays. Raises RuleError, InvalidInputError as `pricing.terms_under` does."""
        document = self.cited.document if self.cited else None
        return tariff_of(terms_under(self.terms, document), self.agreement)

    @property
    def order(self) -> str:
        """Order id."""
        return str(self.fund.message["orderId"])

    @property
    def asset(self) -> str:
        """Asset id."""
        return str(self.listing.message["assetId"])


def read_papers(value: object) -> OrderPapers:
    """Order papers from JSON: "register", "list" and "fund", each {"message", "signature"}; "terms" and "agreement";
    "cited" with "name", "message", "signature" and "document" where there is one.

    Raises:
        InvalidInputError: another shape.
    """
    signed = dict.fromkeys(("register", "list", "fund"), _signed)
    record({**signed, "terms": _any, "agreement": _any}, {"cited": _CITED})(value, "order")
    assert isinstance(value, dict)
    return OrderPapers(
        listing=_intent("List", value["list"]),
        fund=_intent("Fund", value["fund"]),
        terms=validate_terms(value["terms"]),
        agreement=validate_agreement(value["agreement"]),
        registration=_intent("Register", value["register"]),
        cited=_cited(value["cited"]) if "cited" in value else None,
    )


def papers_document(papers: OrderPapers) -> Document:
    """The JSON that `read_papers` reads.

    Raises:
        VerificationError: `order_papers_invalid`, without a registration.
    """
    signed = {"register": papers.registration, "list": papers.listing, "fund": papers.fund}
    if papers.registration is None:
        raise _invalid(Words("registration is present", "附有登记"))
    shown = {
        name: {"message": dict(item.message), "signature": to_hex(item.signature)}
        for name, item in signed.items()
        if item is not None
    }
    return {**shown, "terms": papers.terms, "agreement": papers.agreement, **_shown_cited(papers.cited)}


def _shown_cited(cited: Cited | None) -> Document:
    if cited is None:
        return {}
    signed = {"message": dict(cited.signed.message), "signature": to_hex(cited.signed.signature)}
    return {"cited": {"name": cited.name, **signed, "document": cited.document}}


def check_papers(
    papers: OrderPapers, manifest: Mapping[str, Any], book: KeyBook, times: Mapping[str, int], now: int
) -> None:
    """Check every signature and every id of the chain from manifest to order.

    Args:
        book: what signs for whom.
        times: when the ledger took "register", "list", "fund" and "cited", unix seconds; of what is not in it, whoever
            signed has to be a key now.
        now: unix seconds.
    Raises:
        VerificationError: `order_papers_invalid`, with the link that does not hold.
    """
    listing, fund, manifest_digest = papers.listing.message, papers.fund.message, digest(manifest)
    if papers.registration is None:
        raise _invalid(Words("registration is present", "附有登记"))
    registration = papers.registration.message
    links = {
        Words("registration names the manifest", "登记所载清单"): registration["manifestDigest"] == manifest_digest,
        Words("registration names the ciphertext", "登记所载密文"): registration["ciphertextRoot"]
        == ciphertext_root(manifest),
        Words("registration's holder", "登记的持有人"): registration["holder"] == manifest["holder"],
        Words("registration names the asset", "登记所载资产"): registration["assetId"] == listing["assetId"],
        Words("terms name the manifest", "条款所载清单"): papers.terms["manifest"] == manifest_digest,
        Words("terms name the asset", "条款所载资产"): papers.terms["asset"] == listing["assetId"],
        Words("asset id", "资产编号"): listing["assetId"] == asset_id(manifest["holder"], manifest_digest),
        Words("listing names the terms", "挂牌所载条款"): listing["termsDigest"] == digest(papers.terms),
        Words("listing price", "挂牌价格"): listing["price"] == papers.terms["price"] and price_fits(papers.terms),
        Words("listing's and order's currency", "挂牌与订单的货币"): listing["currency"]
        == fund["currency"]
        == money_of(papers.terms).number,
        Words("listing offers what its terms say", "挂牌范围与条款一致"): scope_of_terms(papers.terms, manifest)
        == {name: listing[name] for name in ("purposes", "fields", "territories")},
        Words("listing id", "挂牌编号"): listing["listingId"]
        == listing_id(listing["seller"], listing["assetId"], listing["termsDigest"]),
        Words("order names the listing", "订单所载挂牌"): fund["listingId"]
        == listing["listingId"]
        == papers.agreement["listing"],
        Words("agreement names the terms", "接受文件所载条款"): papers.agreement["terms"] == listing["termsDigest"],
        Words("agreement's buyer", "接受文件的买方"): papers.agreement["buyer"] == fund["buyer"],
        Words("order names the agreement", "订单所载接受文件"): fund["agreementDigest"] == digest(papers.agreement),
        Words("order id", "订单编号"): fund["orderId"]
        == order_id(fund["buyer"], fund["listingId"], fund["agreementDigest"]),
    }
    for link, holds in (links | _links_to_cited(papers, times)).items():
        if not holds:
            raise _invalid(link)
    _check_price(papers)
    signed = (
        ("Register", papers.registration, manifest["holder"]),
        ("List", papers.listing, listing["seller"]),
        ("Fund", papers.fund, fund["buyer"]),
    )
    for name, intent, signer in signed:
        _check_signature(name, intent, str(signer), book, taken=times.get(name.lower()), now=now)
    if papers.cited is not None:
        name, intent = papers.cited.name, papers.cited.signed
        _check_signature(name, intent, str(listing["seller"]), book, taken=times.get("cited"), now=now)


def _check_price(papers: OrderPapers) -> None:
    """A negotiated price holds for what it was agreed for: these data, this purpose and region, this way of delivery.
    The ledger asks only that some agreement is in force between the two."""
    if papers.cited is None or not is_negotiated(papers.terms):
        return
    try:
        check_order_within(
            validate_agreement_on_form(papers.cited.document),
            asset=papers.asset,
            purpose=papers.agreement["purpose"],
            region=papers.agreement["region"],
            terms=papers.terms,
            offer=None,
        )
    except MarketplaceError as error:
        told = reason_of(error)
        link = Words(f"the agreed price: {error.code}", f"约定价格（{error.code}）：{told.zh}")
        raise _invalid(link, told) from error


def _links_to_cited(papers: OrderPapers, times: Mapping[str, int]) -> dict[Words, bool]:
    """A negotiated price is that of the agreement which order and acceptance name, between its buyer and its seller."""
    cited, fund = papers.cited, papers.fund.message
    under = papers.agreement.get("under", fund["agreementId"]) == fund["agreementId"]
    links = {Words("agreement names the one that the order is under", "接受文件所载协议与订单所依协议一致"): under}
    if not is_negotiated(papers.terms):
        return links
    if cited is None:
        return {**links, Words("the agreement that has the price", "载明价格的协议"): False}
    message, document = cited.signed.message, cited.document
    one, two = str(message["partyA"]), str(message["partyB"])
    funded = times.get("fund", message["validUntil"])
    return {
        **links,
        Words("agreement that has the price", "接受文件所载协议为载明价格者"): papers.agreement.get("under")
        == message["agreementId"],
        Words("its digest", "协议摘要"): message["agreementDigest"] == digest(document),
        Words("its id", "协议编号"): message["agreementId"] == agreement_id(one, two, message["agreementDigest"]),
        Words("its parties", "协议当事人"): {one, two} == {fund["buyer"], papers.listing.message["seller"]},
        Words("its document's sides", "协议文件的双方"): (document["partyA"], document["partyB"]) == (one, two),
        Words("its document's end", "协议文件的期限"): unix_seconds(document["validUntil"]) == message["validUntil"],
        Words("what it amends", "协议所变更的协议"): (document["amends"] or ZERO_DIGEST)
        == message.get("previousId", ZERO_DIGEST),
        Words("in force when the order was funded", "订单出资时协议有效"): times.get("cited", funded)
        <= funded
        <= message["validUntil"],
    }


def check_permitted(papers: OrderPapers, query: Mapping[str, Any], manifest: Mapping[str, Any], now: int) -> None:
    """Check the query against the terms that the order accepted.

    Args:
        now: unix seconds.
    Raises:
        RuleError: `order_mismatch`, `data_mismatch`, `order_expired`, `listing_expired`, `computation_not_permitted`,
            `column_not_permitted`, `purpose_not_permitted`, `region_not_permitted`, `epsilon_above_maximum`.
    """
    if (query["order"], query["asset"]) != (papers.order, papers.asset):
        raise _rule("order_mismatch", "the query is for another order or asset", "查询属于其他订单或资产", papers.order)
    if query["ciphertextRoot"] != ciphertext_root(manifest):
        raise _rule(
            "data_mismatch", "the query is for other sealed data", "查询针对其他密封数据", ciphertext_root(manifest)
        )
    _check_term(papers, now)
    check_use(papers.terms, papers.agreement)
    _check_computations(papers.terms, query)


def _check_term(papers: OrderPapers, now: int) -> None:
    if now > papers.fund.message["validUntil"]:
        raise _rule("order_expired", "the order has expired", "订单已过期", papers.fund.message["validUntil"], now)
    end = min(int(papers.listing.message["validUntil"]), unix_seconds(papers.terms["termEnd"]))
    if now > end:
        raise _rule("listing_expired", "the term of the listing has ended", "挂牌期限已过", end, now)


def check_use(terms: Mapping[str, Any], agreement: Mapping[str, Any]) -> None:
    """Refuse a use that the terms do not permit.

    Args:
        terms: the listing's. agreement: the buyer's acceptance, which states purpose and region.
    Raises:
        RuleError: `purpose_not_permitted`, `region_not_permitted`.
    """
    if agreement["purpose"] not in terms["purposes"]:
        raise _rule(
            "purpose_not_permitted",
            f"the listing does not permit the purpose {agreement['purpose']}",
            f"挂牌不允许用途 {agreement['purpose']}",
            ", ".join(terms["purposes"]),
            agreement["purpose"],
        )
    regions = terms["regions"]
    if not is_within(agreement["region"], regions):
        raise _rule(
            "region_not_permitted",
            f"the listing does not permit use in {agreement['region']}",
            f"挂牌不允许在 {agreement['region']} 使用",
            ", ".join(regions),
            agreement["region"],
        )


def _check_computations(terms: Mapping[str, Any], query: Mapping[str, Any]) -> None:
    for item in query["select"]:
        if item["op"] not in terms["computations"]:
            raise _rule(
                "computation_not_permitted",
                f"the listing does not permit {item['op']}",
                f"挂牌不允许计算 {item['op']}",
                ", ".join(terms["computations"]),
                item["op"],
            )
    kept = sorted(_columns_of(query) - set(terms["fields"])) if terms["fields"] else []
    if kept:
        raise _rule(
            "column_not_permitted",
            f"the listing does not offer the columns {', '.join(kept)}",
            f"挂牌不提供字段 {', '.join(kept)}",
            ", ".join(terms["fields"]),
            ", ".join(kept),
        )
    if query["epsilon"] > terms["epsilonPerQueryMax"]:
        raise _rule(
            "epsilon_above_maximum",
            "the query asks for more epsilon than one query may spend",
            "查询申请的隐私预算超过单次上限",
            Words(f"at most {terms['epsilonPerQueryMax']} millionths", f"至多百万分之 {terms['epsilonPerQueryMax']}"),
            query["epsilon"],
        )


def _columns_of(query: Mapping[str, Any]) -> set[str]:
    """Every dimension and measure that a query is about, filters included."""
    columns = set(query["groupBy"])
    for item in query["select"]:
        one = {item.get(name) for name in ("measure", "target", "dimension")} - {None}
        columns |= (
            one | set(item.get("measures", ())) | set(item.get("regressors", ())) | set(item.get("coefficients", ()))
        )
    pending = [query["where"]] if query["where"] else []
    while pending:
        ((word, inner),) = pending.pop().items()
        if word == "in":
            columns.add(inner["dimension"])
        else:
            pending += inner if isinstance(inner, list) else [inner]
    return columns


def _rule(code: str, message: str, zh: str, expected: object, got: object = None) -> RuleError:
    return RuleError(
        code,
        message,
        zh=zh,
        rule="queries." + code,
        expected=expected,
        got=got,
        hint="ask within the order and the terms of its listing; where one has ended, order anew",
        hint_zh="请在订单与挂牌条款允许的范围内提问；已到期的请重新下单",
    )


def _invalid(link: Words, got: Words | None = None) -> VerificationError:
    """The refusal over a link that does not hold.

    Args:
        got: why, where more is known than that.
    """
    return VerificationError(
        "order_papers_invalid",
        f"the order's papers do not fit together: {link.en}",
        zh=f"订单文件不一致：{link.zh}",
        rule="orders.papers",
        expected=link,
        got=got,
    )


def _check_signature(
    name: str, intent: SignedIntent, signer: str, book: KeyBook, *, taken: int | None, now: int
) -> None:
    """A key of the signer signed it, and might when the ledger took it, which was before its deadline."""
    try:
        if taken is None:
            book.require_now(name, intent.message, signer, intent.signature, now)
        else:
            require_in_time(intent.message, taken)
            book.require(name, intent.message, signer, intent.signature, taken, grace=SECOND)
    except RuleError as error:
        told = reason_of(error)
        link = Words(
            f"signature of {name} by {signer}: {error.code}", f"{signer} 对 {name} 的签名（{error.code}）：{told.zh}"
        )
        raise _invalid(link, told) from error


def _signed(value: object, path: str) -> None:
    record({"message": _any, "signature": SIGNATURE_TEXT})(value, path)


def _any(value: object, path: str) -> None:
    if not isinstance(value, dict):
        raise refuse(path, Words("an object", "对象"), value)


def _form(value: object, _path: str) -> None:
    validate_form_agreement(value)


_CITED = record(
    {"name": one_of(["Agree", "AmendAgreement"]), "message": _any, "signature": SIGNATURE_TEXT, "document": _form}
)


def _cited(value: Mapping[str, Any]) -> Cited:
    return Cited(value["name"], _intent(value["name"], value), value["document"])


def _intent(name: str, value: Mapping[str, Any]) -> SignedIntent:
    try:
        struct_hash(name, value["message"])
    except CryptoError as error:
        raise refuse(
            f"order.{name}",
            Words(f"the fields of {INTENTS[name].type_string}", f"{INTENTS[name].type_string} 的各字段"),
            str(error),
        ) from error
    return SignedIntent(value["message"], bytes.fromhex(value["signature"][2:]))
