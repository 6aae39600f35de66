"""What stands behind an order, as its parties signed it, and the JSON that it travels in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.canonical import to_hex
from crypto.errors import CryptoError
from marketplace.documents import Document, validate_agreement, validate_form_agreement, validate_terms
from marketplace.documents.shapes import SIGNATURE_TEXT, one_of, record, refuse
from marketplace.errors import VerificationError
from marketplace.intents import INTENTS, struct_hash
from marketplace.pricing import Tariff, tariff_of, terms_under
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

    `registration` may be absent where only the terms are applied; a vault requires it (`chain.check_papers`). `cited`
    is the agreement on a form that has the price, where the terms leave it open; None where they do not.
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
        raise papers_invalid(Words("registration is present", "附有登记"))
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


def papers_invalid(link: Words, got: Words | None = None) -> VerificationError:
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
