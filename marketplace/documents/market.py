"""Documents of the market: who takes part, what is claimed, offered and agreed."""

from typing import Any

from marketplace.currencies import CNY, CURRENCIES, Currency, currency_of
from marketplace.documents.api import API, check_api
from marketplace.documents.common import (
    BILINGUAL,
    BUDGET,
    COHORT,
    COMPUTATIONS,
    DATA_ORIGINS,
    EPSILON,
    LEVELS,
    MONEY,
    PURPOSES,
    REGION,
    ROLE_NAMES,
    SOURCE_CLASSES,
    Document,
    checked,
    digest,
    itself,
    part,
)
from marketplace.documents.credit_code import credit_code
from marketplace.documents.plans import plan_shape
from marketplace.documents.shapes import (
    ADDRESS,
    DIGEST,
    NAME,
    Check,
    array,
    document,
    hex_bytes,
    integer,
    mapping,
    matching,
    nullable,
    one_of,
    record,
    refuse,
    text,
    utc_time,
)
from marketplace.types import Digest
from marketplace.words import Words

# Kinds of applicants (registration guide of 2026) and classes of data merchants at Shanghai.
PARTY_KINDS = ("NATURAL_PERSON", "LEGAL_PERSON", "UNINCORPORATED_BODY")
MERCHANT_CLASSES = ("PROVIDER_CONSUMER", "DELIVERY", "ASSESSMENT", "INTERMEDIARY", "CONSULTING", "OTHER")
_VERSION = matching("[0-9]{4}\\.[0-9]{1,3}", Words("a version such as 2026.1", "版本号，如 2026.1"))
_PROFILE = document(
    "profile",
    {
        "kind": one_of(PARTY_KINDS),
        "merchantClasses": array(one_of(MERCHANT_CLASSES), len(MERCHANT_CLASSES), 0, itself),
        "evidence": array(record({"name": text(120), "digest": DIGEST}), 16, 0, str),
        "account": ADDRESS,
        "name": record({"en": text(120), "zh": text(120)}),
        "creditCode": nullable(credit_code),
        "roles": array(one_of(ROLE_NAMES), len(ROLE_NAMES), 0, itself),
        "nonce": DIGEST,
    },
    # The participant agreement that the applicant signs; absent in applications from before it was asked for.
    {"membership": record({"version": _VERSION, "digest": DIGEST})},
)

_RIGHT = record(
    {
        "right": one_of(["HOLD", "USE", "OPERATE"]),
        "holder": ADDRESS,
        "until": nullable(utc_time),
        "limits": text(400, 0),
    }
)
_SHARE = record({"holder": ADDRESS, "bps": integer(1, 10_000)})
_CLAIM = document(
    "claim",
    {
        "title": BILINGUAL,
        "holder": ADDRESS,
        "manifest": DIGEST,
        "sourceClass": one_of(SOURCE_CLASSES),
        "origin": one_of(DATA_ORIGINS),
        "level": one_of(LEVELS),
        "rights": array(_RIGHT, 48, 1),
        "shares": array(_SHARE, 16, 1, part("holder")),
        "evidence": array(DIGEST, 32, 0, itself),
    },
)

_LINEAGE = document(
    "lineage",
    {
        "asset": DIGEST,
        "note": BILINGUAL,
        "outside": array(text(400), 16, 0, itself),
        "evidence": array(DIGEST, 32, 0, itself),
    },
)

_PAYOUT = document(
    "payout",
    {
        "account": ADDRESS,
        "bank": ADDRESS,
        "beneficiary": text(120),
        "accountNumber": matching(
            "[0-9A-Z]{5,34}",
            Words("5 to 34 digits or capital letters, without spaces", "5 至 34 位数字或大写字母，不含空格"),
        ),
        "nonce": DIGEST,
    },
)

_NODE = record({"address": ADDRESS, "bls": hex_bytes(48), "possession": hex_bytes(96)})
_GROUP = record({"name": NAME, "accounts": array(ADDRESS, 256, 2, itself)})
_TERMS_FIELDS: dict[str, Check] = {
    "title": BILINGUAL,
    "asset": DIGEST,
    "manifest": DIGEST,
    "computations": array(one_of(COMPUTATIONS), len(COMPUTATIONS), 1, itself),
    "purposes": array(one_of(PURPOSES), len(PURPOSES), 1, itself),
    "regions": array(REGION, 64, 0, itself),
    "fields": array(NAME, 80, 0, itself),
    "price": MONEY,
    "epsilonPerQueryMax": EPSILON,
    "buyerCap": nullable(BUDGET),
    "groups": array(_GROUP, 64, 0, part("name")),
    "minimumCohort": COHORT,
    "panel": record({"nodes": array(_NODE, 16, 1, part("address")), "threshold": integer(1, 16)}),
    "termEnd": utc_time,
}
_STEP = matching("[1-9][0-9]{0,5}|0\\.0{0,5}1|1", Words("a unit such as 1, 10 or 0.01", "单位，如 1、10 或 0.01"))
_COLUMN = record({"name": NAME, "step": _STEP})
_DELIVERY = record(
    {
        "mode": one_of(["FILE_DOWNLOAD"]),
        "keys": array(NAME, 8, 1, itself),
        "columns": array(_COLUMN, 64, 1, part("name")),
    }
)
# In which money the terms count; absent for the first currency, so that one meaning has one form.
_TERMS_MONEY: dict[str, Check] = {"currency": one_of([code for code in CURRENCIES if code != CNY.code])}
_TERMS = document("terms", _TERMS_FIELDS, _TERMS_MONEY)
_TERMS_WITH_PLAN = record(
    {"type": one_of(["terms"]), "version": one_of([2]), "plan": plan_shape, **_TERMS_FIELDS}, _TERMS_MONEY
)
_TERMS_OF_FILES = record(
    {
        **{"type": one_of(["terms"]), "version": one_of([3]), "plan": plan_shape, "delivery": _DELIVERY},
        **(_TERMS_FIELDS | {"computations": array(one_of(COMPUTATIONS), 0, 0, itself)}),
    },
    _TERMS_MONEY,
)
_TERMS_OF_CALLS = record(
    {
        **{"type": one_of(["terms"]), "version": one_of([4]), "plan": plan_shape, "delivery": record(API)},
        **(_TERMS_FIELDS | {"computations": array(one_of(COMPUTATIONS), 0, 0, itself)}),
    }
)
_TERMS_BY_VERSION = {2: _TERMS_WITH_PLAN, 3: _TERMS_OF_FILES, 4: _TERMS_OF_CALLS}
_DEFECT = record({"what": text(400), "where": text(400, 0)})
_DEFECTS = document("defects", {"order": DIGEST, "note": DIGEST, "defects": array(_DEFECT, 64, 1), "nonce": DIGEST})


def _any(value: object, path: str) -> None:
    """What a form's field holds is checked by the form (marketplace.agreements.forms)."""


_FORM_AGREEMENT = document(
    "form_agreement",
    {
        "form": matching(
            "GF-[0-9]{4}-[0-9]{4}", Words("a model form such as GF-2025-2615", "示范文本编号，如 GF-2025-2615")
        ),
        "formVersion": _VERSION,
        "formDigest": DIGEST,
        "partyA": ADDRESS,
        "partyB": ADDRESS,
        "amends": nullable(DIGEST),
        "validUntil": utc_time,
        "fields": mapping(_any, 80),
        "nonce": DIGEST,
    },
)
_ACCEPTED: dict[str, Check] = {
    "listing": DIGEST,
    "terms": DIGEST,
    "buyer": ADDRESS,
    "purpose": one_of(PURPOSES),
    "region": REGION,
    "nonce": DIGEST,
}
_AGREEMENT = document("agreement", _ACCEPTED)
_AGREEMENT_UNDER = record({"type": one_of(["agreement"]), "version": one_of([2]), "under": DIGEST, **_ACCEPTED})


def validate_profile(value: object) -> Document:
    """Who applies: kind, name, merchant classes, and digests of the files that prove it, which applicant and registrar
    keep. It names the participant agreement that is signed with it. Whoever is not a natural person has a unified
    social credit code."""
    profile = checked(_PROFILE, value, "profile")
    if (profile["creditCode"] is None) != (profile["kind"] == "NATURAL_PERSON"):
        expected = Words(
            "a code for a legal person or unincorporated body, null for a natural person",
            "法人或非法人组织填写代码，自然人为 null",
        )
        raise refuse("profile.creditCode", expected, profile["creditCode"])
    return profile


def validate_claim(value: object) -> Document:
    """Rights claimed in an asset; shares sum to 10,000 basis points."""
    claim = checked(_CLAIM, value, "claim")
    total = sum(share["bps"] for share in claim["shares"])
    if total != 10_000:
        raise refuse("claim.shares", Words("shares that sum to 10000 basis points", "合计 10000 基点的份额"), total)
    return claim


def validate_lineage(value: object) -> Document:
    """How a product was made of its inputs; `outside` names sources that this register does not have."""
    return checked(_LINEAGE, value, "lineage")


def money_of(terms: Document) -> Currency:
    """The currency in which terms, or a row of a listing or an order, count."""
    return currency_of(str(terms.get("currency", CNY.code)))


def validate_payout(value: object) -> Document:
    """Where a bank pays money to that `account` wants back: for the two of them alone, blinded by `nonce` so that its
    digest on the ledger tells nothing."""
    return checked(_PAYOUT, value, "payout")


def payment_reference(bank: str, reference: str) -> Digest:
    """The name on the ledger of a payment in or out.

    Args:
        bank: address of the bank. reference: the bank's own, as its statements have it; spaces around it do not count.
    """
    return digest({"bank": bank, "reference": reference.strip()})


def validate_terms(value: object) -> Document:
    """Terms of a listing; the threshold is within the panel, and an account in one group of buyers at most.

    `fields` are the columns on offer, all of them when empty.

    Version 1 names a price for each call; version 2 holds a price plan (marketplace.documents.plans) besides, and
    `price` is what its smallest use costs; version 3 is of files that are delivered whole: "delivery" names the way,
    the columns that name a row and those whose last `step` may carry the copy's marks, and nothing is computed;
    version 4 is of calls that the seller's gateway answers (marketplace.documents.api), and nothing is computed either.
    `buyerCap` is the most that one buyer may spend of the data set's budget, over all orders and versions, in
    millionths; null for no cap but the data set's own. The accounts of a group count as one buyer.
    """
    version: Any = value.get("version") if isinstance(value, dict) else None
    shape = _TERMS_BY_VERSION.get(version, _TERMS) if isinstance(version, int) else _TERMS
    terms = checked(shape, value, "terms")
    if version == 3:
        _check_delivery(terms)
    if version == 4:
        check_api(terms["delivery"], terms["plan"])
    members = [account for group in terms["groups"] for account in group["accounts"]]
    if len(set(members)) != len(members):
        raise refuse(
            "terms.groups",
            Words("every account in one group at most", "每个账户至多属于一个组"),
            len(members) - len(set(members)),
        )
    if terms["panel"]["threshold"] > len(terms["panel"]["nodes"]):
        raise refuse(
            "terms.panel.threshold", Words("at most the number of nodes", "不超过节点数"), terms["panel"]["threshold"]
        )
    return terms


def _check_delivery(terms: Document) -> None:
    keys, columns = terms["delivery"]["keys"], [item["name"] for item in terms["delivery"]["columns"]]
    if set(keys) & set(columns):
        raise refuse(
            "terms.delivery.columns",
            Words("other columns than the keys", "键以外的字段"),
            sorted(set(keys) & set(columns)),
        )
    if terms["plan"]["mode"] != "FULL_SET":
        raise refuse(
            "terms.plan.mode",
            Words("FULL_SET: a file is paid for whole", "FULL_SET：文件按整体计价"),
            terms["plan"]["mode"],
        )


def validate_defects(value: object) -> Document:
    """What a buyer finds wrong with a delivery: `note` is the delivery note's struct hash."""
    return checked(_DEFECTS, value, "defects")


def validate_agreement(value: object) -> Document:
    """A buyer's acceptance of terms. Version 2 names the agreement on a form under which it is: "under"."""
    version: Any = value.get("version") if isinstance(value, dict) else None
    return checked(_AGREEMENT_UNDER if version == 2 else _AGREEMENT, value, "agreement")


def validate_form_agreement(value: object) -> Document:
    """An agreement of two sides on a model form; what its fields hold is the form's matter
    (marketplace.agreements.forms.validate_agreement_on_form)."""
    agreement = checked(_FORM_AGREEMENT, value, "form_agreement")
    if agreement["partyA"] == agreement["partyB"]:
        raise refuse(
            "form_agreement.partyB",
            Words("another party than partyA", "不同于甲方（partyA）的当事人"),
            agreement["partyB"],
        )
    return agreement
