"""Do an order's papers fit together? Every rule here uses public documents only, so all parties apply the same ones.

The chain of promises: the holder signed Register (manifest, ciphertext root, privacy budget) and List (asset, terms);
the buyer signed Fund (listing, agreement); the agreement names the terms. Where the price is negotiated, the buyer's
agreement names the one on a form that has it, which the seller signed. Ids are hashes of what they stand for, so the
chain is checked without asking anybody.
"""

from collections.abc import Mapping
from typing import Any

from marketplace.agreements.forms import validate_agreement_on_form
from marketplace.agreements.scope import check_order_within
from marketplace.documents import ciphertext_root, digest, money_of, unix_seconds
from marketplace.documents.ids import agreement_id, asset_id, listing_id, order_id
from marketplace.documents.scopes import scope_of_terms
from marketplace.errors import MarketplaceError, RuleError
from marketplace.participants.keybook import SECOND, KeyBook
from marketplace.pricing import is_negotiated, price_fits
from marketplace.queries.permission.papers import OrderPapers, SignedIntent, papers_invalid
from marketplace.refusals.checks import require_in_time
from marketplace.refusals.reasons import reason_of
from marketplace.types import ZERO_DIGEST
from marketplace.words import Words


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
    if papers.registration is None:
        raise papers_invalid(Words("registration is present", "附有登记"))
    links = _links_to_data(papers, papers.registration.message, manifest)
    for link, holds in (links | _links_to_order(papers) | _links_to_cited(papers, times)).items():
        if not holds:
            raise papers_invalid(link)
    _check_price(papers)
    seller = str(papers.listing.message["seller"])
    signed = [
        ("Register", papers.registration, str(manifest["holder"])),
        ("List", papers.listing, seller),
        ("Fund", papers.fund, str(papers.fund.message["buyer"])),
    ]
    for name, intent, signer in signed:
        _check_signature(name, intent, signer, book, taken=times.get(name.lower()), now=now)
    if papers.cited is not None:
        name, intent = papers.cited.name, papers.cited.signed
        _check_signature(name, intent, seller, book, taken=times.get("cited"), now=now)


def _links_to_data(
    papers: OrderPapers, registration: Mapping[str, Any], manifest: Mapping[str, Any]
) -> dict[Words, bool]:
    """Registration, terms and listing are about the data that the manifest describes."""
    listing, terms, manifest_digest = papers.listing.message, papers.terms, digest(manifest)
    return {
        Words("registration names the manifest", "登记所载清单"): registration["manifestDigest"] == manifest_digest,
        Words("registration names the ciphertext", "登记所载密文"): registration["ciphertextRoot"]
        == ciphertext_root(manifest),
        Words("registration's holder", "登记的持有人"): registration["holder"] == manifest["holder"],
        Words("registration names the asset", "登记所载资产"): registration["assetId"] == listing["assetId"],
        Words("terms name the manifest", "条款所载清单"): terms["manifest"] == manifest_digest,
        Words("terms name the asset", "条款所载资产"): terms["asset"] == listing["assetId"],
        Words("asset id", "资产编号"): listing["assetId"] == asset_id(manifest["holder"], manifest_digest),
        Words("listing names the terms", "挂牌所载条款"): listing["termsDigest"] == digest(terms),
        Words("listing price", "挂牌价格"): listing["price"] == terms["price"] and price_fits(terms),
        Words("listing's and order's currency", "挂牌与订单的货币"): listing["currency"]
        == papers.fund.message["currency"]
        == money_of(terms).number,
        Words("listing offers what its terms say", "挂牌范围与条款一致"): scope_of_terms(terms, manifest)
        == {name: listing[name] for name in ("purposes", "fields", "territories")},
    }


def _links_to_order(papers: OrderPapers) -> dict[Words, bool]:
    """Order and acceptance are for this listing on these terms, and between these two."""
    listing, fund, agreement = papers.listing.message, papers.fund.message, papers.agreement
    return {
        Words("listing id", "挂牌编号"): listing["listingId"]
        == listing_id(listing["seller"], listing["assetId"], listing["termsDigest"]),
        Words("order names the listing", "订单所载挂牌"): fund["listingId"]
        == listing["listingId"]
        == agreement["listing"],
        Words("agreement names the terms", "接受文件所载条款"): agreement["terms"] == listing["termsDigest"],
        Words("agreement's buyer", "接受文件的买方"): agreement["buyer"] == fund["buyer"],
        Words("order names the agreement", "订单所载接受文件"): fund["agreementDigest"] == digest(agreement),
        Words("order id", "订单编号"): fund["orderId"]
        == order_id(fund["buyer"], fund["listingId"], fund["agreementDigest"]),
    }


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
        raise papers_invalid(link, told) from error


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
        raise papers_invalid(link, told) from error
