"""Every off-ledger document: its exact shape and its digest, for service, SDK, vault, panel and auditor alike.

A document is canonical JSON (RFC 8785, integers only), named by the SHA-256 of those bytes; on the ledger stand digests
alone. `validate_<kind>(value)` returns the same object, typed as a dict, or raises InvalidInputError
`malformed_document` with the path of the fault. Digests, ids and addresses are "0x" and lower-case hex; times are
"2026-01-31T08:00:00Z"; money is in fen, epsilon in millionths, both below 2^53 so that every JSON reader agrees.

kind         made by      says
profile      participant  who it is; off-ledger, blinded by `nonce` so that its digest tells nothing
manifest     vault        what was sealed: dimensions, measures with bounds, blobs of every column of every batch
claim        holder       rights claimed in an asset: source class, rights table, revenue shares, level
lineage      holder       how a product was made, and of what that the register does not have
terms        seller       what a listing permits, its price, privacy budget, and whose panel counts
agreement    buyer        which terms an order accepts, for which purpose and region
form_agreement both sides  a model form filled in: parties, term, the form's fields; orders may be made under it
query        buyer        one question
voucher      buyer        cumulative promise to pay, with its signature
defects      buyer        what is wrong with a delivery
payout       holder       which bank account redeemed money is paid to
result       panel        residues of the evaluated ciphertext, one per number of the plan
statement    panel node   one node's BLS signature of one result
attestation  service      t-of-n statements of the same result, aggregated
shares       vault        which numbers are released, and the residues sealed to the buyer
release      vault        signed: this query was answered by these shares at this epsilon
refusal      vault        signed: this query is refused, by which rule
gateway      seller       where the gateway of a listing of calls answers
call_batch   seller       call records, each signed: what was asked and answered, hit or miss, how many, how fast
service_record  seller    the service level of one order in one period, from its call records
service_answer  buyer     accepts a service record, or says what is against it
"""

from collections.abc import Callable

from marketplace.documents.answers import (
    release_message,
    validate_attestation,
    validate_refusal,
    validate_release,
    validate_result,
    validate_shares,
    validate_statement,
)
from marketplace.documents.api import (
    validate_call_batch,
    validate_gateway,
    validate_service_answer,
    validate_service_record,
)
from marketplace.documents.cases import validate_form, validate_paper
from marketplace.documents.columns import (
    COUNTS,
    SALT,
    all_chunks,
    bin_count,
    blob_digests,
    cell_count,
    cell_shape,
    ciphertext_root,
    column_chunks,
    column_names,
    missing_counts,
    public_cell_count,
    public_shape,
    row_count,
    series_of,
)
from marketplace.documents.common import (
    COMPUTATIONS,
    DATA_ORIGINS,
    FORMS,
    LEVELS,
    MAX_CELLS,
    MAX_DEPTH,
    MAX_DOCUMENT,
    MAX_FACTOR,
    MAX_NUMBERS,
    MAX_TERMS,
    MAX_WEIGHTS,
    PURPOSES,
    ROLE_NAMES,
    SOURCE_CLASSES,
    Document,
    canonical,
    digest,
    iso_time,
    unix_seconds,
)
from marketplace.documents.manifest import check_places, key_holders, validate_manifest
from marketplace.documents.market import (
    money_of,
    payment_reference,
    validate_agreement,
    validate_claim,
    validate_defects,
    validate_form_agreement,
    validate_lineage,
    validate_payout,
    validate_profile,
    validate_terms,
)
from marketplace.documents.plans import validate_plan
from marketplace.documents.question import (
    validate_query,
    validate_voucher,
    voucher_document,
    voucher_message,
)
from marketplace.documents.shapes import refuse
from marketplace.documents.versions import differences
from marketplace.words import Words

VALIDATORS: dict[str, Callable[[object], Document]] = {
    "profile": validate_profile,
    "manifest": validate_manifest,
    "claim": validate_claim,
    "terms": validate_terms,
    "agreement": validate_agreement,
    "form_agreement": validate_form_agreement,
    "query": validate_query,
    "voucher": validate_voucher,
    "lineage": validate_lineage,
    "payout": validate_payout,
    "defects": validate_defects,
    "result": validate_result,
    "statement": validate_statement,
    "attestation": validate_attestation,
    "shares": validate_shares,
    "release": validate_release,
    "refusal": validate_refusal,
    "gateway": validate_gateway,
    "call_batch": validate_call_batch,
    "service_record": validate_service_record,
    "service_answer": validate_service_answer,
    "registration_form": validate_form,
    "registration_paper": validate_paper,
}


def validate(value: object) -> Document:
    """Any document, by its own "type".

    Raises:
        InvalidInputError: unknown type, wrong shape, or too large.
    """
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in VALIDATORS:
        raise refuse(
            "document.type", Words("one of " + ", ".join(VALIDATORS), "下列之一：" + "、".join(VALIDATORS)), kind
        )
    checked = VALIDATORS[kind](value)
    canonical(checked)
    return checked


__all__ = [
    "COMPUTATIONS",
    "COUNTS",
    "DATA_ORIGINS",
    "FORMS",
    "LEVELS",
    "MAX_CELLS",
    "MAX_DEPTH",
    "MAX_DOCUMENT",
    "MAX_FACTOR",
    "MAX_NUMBERS",
    "MAX_TERMS",
    "MAX_WEIGHTS",
    "PURPOSES",
    "ROLE_NAMES",
    "SALT",
    "SOURCE_CLASSES",
    "VALIDATORS",
    "Document",
    "all_chunks",
    "bin_count",
    "blob_digests",
    "canonical",
    "cell_count",
    "cell_shape",
    "check_places",
    "ciphertext_root",
    "column_chunks",
    "column_names",
    "differences",
    "digest",
    "iso_time",
    "key_holders",
    "missing_counts",
    "money_of",
    "payment_reference",
    "public_cell_count",
    "public_shape",
    "release_message",
    "row_count",
    "series_of",
    "unix_seconds",
    "validate",
    "validate_agreement",
    "validate_attestation",
    "validate_claim",
    "validate_defects",
    "validate_form_agreement",
    "validate_lineage",
    "validate_manifest",
    "validate_payout",
    "validate_plan",
    "validate_profile",
    "validate_query",
    "validate_refusal",
    "validate_release",
    "validate_result",
    "validate_shares",
    "validate_statement",
    "validate_terms",
    "validate_voucher",
    "voucher_document",
    "voucher_message",
]
