"""Rights in data: the holder registers, a registrar confirms with a certificate, titles and revenue shares change
hands.

Nobody signs what it did not check: `confirm` recomputes the asset's id, its ciphertext root and its claim from the
documents themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crypto import merkle
from crypto.canonical import sha256, to_hex
from marketplace import documents
from marketplace.documents import Document, ids, scopes
from marketplace.errors import NotFoundError
from marketplace.procedures import Kind
from marketplace.registrations.codes import to_ledger
from marketplace.rights.remarks import annex_of
from marketplace.rights.standing import OPEN, Standing, judge, list_paths
from marketplace.rulebooks.calendar import Duration
from marketplace.sdk import certificates, lineage, registrations
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client
from marketplace.types import ZERO_DIGEST, AssetStatus, TitleKind, TitleMark


def ciphertext_root(manifest: Mapping[str, Any]) -> str:
    """RFC 6962 root over the digests of the manifest's blobs, in manifest order."""
    return to_hex(merkle.root(documents.blob_digests(manifest)))


def make_claim(
    manifest: Mapping[str, Any], *, level: str, source_class: str, origin: str, shares: Sequence[tuple[str, int]]
) -> Document:
    """The claim of the manifest's holder: all rights that the source can give; `shares` are (holder, basis points).

    Raises:
        InvalidInputError: `malformed_document`: no manifest, or a source that gives no right, e.g. entrusted data.
    """
    documents.validate_manifest(manifest)
    holder, given = manifest["holder"], sorted(scopes.claimable(source_class))
    rights = [{"right": right.name, "holder": holder, "until": None, "limits": ""} for right in given]
    claim: Document = {"type": "claim", "version": 1, "title": manifest["title"], "holder": holder}
    claim |= {"manifest": documents.digest(manifest), "sourceClass": source_class, "origin": origin, "level": level}
    claim |= {"rights": rights, "shares": [{"holder": who, "bps": bps} for who, bps in shares], "evidence": []}
    return documents.validate_claim(claim)


def register(client: Client, manifest: Document, claim: Document, epsilon_budget: int) -> dict[str, Any]:
    """Register a sealed data set whose blobs are uploaded.

    Args:
        epsilon_budget: all the privacy loss that this data set will ever allow, in millionths.
    Returns:
        the intent's outcome with "assetId", "manifestDigest", "ciphertextRoot".
    """
    documents.validate_manifest(manifest)
    documents.validate_claim(claim)
    manifest_digest, claim_digest = client.put_document(manifest), client.put_document(claim)
    asset = ids.asset_id(client.address, manifest_digest)
    message = {
        "assetId": asset,
        "holder": client.address,
        "manifestDigest": manifest_digest,
        "ciphertextRoot": ciphertext_root(manifest),
        "claimDigest": claim_digest,
        "level": documents.LEVELS.index(claim["level"]) + 1,
        "epsilonBudget": epsilon_budget,
        "shareHolders": [share["holder"] for share in claim["shares"]],
        "shareBps": [share["bps"] for share in claim["shares"]],
        "deadline": client.deadline(),
    }
    body = {"register": message, "signature": client.sign("Register", message)}
    facts = {name: message[name] for name in ("assetId", "manifestDigest", "ciphertextRoot")}
    return {**client.submit("/rights/registrations", body), **facts}


def get_asset(client: Client, asset: str) -> dict[str, Any]:
    """A data asset as the ledger says."""
    found: dict[str, Any] = client.get(f"/rights/assets/{asset}")
    return found


def get_annex(client: Client, asset: Mapping[str, Any]) -> Document:
    """The inputs and remarks that a certificate of an asset has to name now (rights.remarks)."""
    declared = lineage.get(client, asset["assetId"])["inputs"]
    inputs = [(row, get_asset(client, row["inputId"])) for row in declared]
    return annex_of(asset, inputs, client.now())


def list_assets(client: Client) -> list[dict[str, Any]]:
    """All registered data assets."""
    return client.pages("/rights/assets")


def get_title(client: Client, title: str) -> dict[str, Any]:
    """A title as the ledger says."""
    found: dict[str, Any] = client.get(f"/rights/titles/{title}")
    return found


def checked_manifest(client: Client, asset: Mapping[str, Any]) -> Document:
    """The manifest of an asset, bound to its id and to its ciphertext root.

    Raises:
        VerificationError: the manifest is not the one that the asset's id and root commit to.
    """
    manifest = documents.validate_manifest(client.get_document(asset["manifestDigest"]))
    rule = "rights.asset_is_its_manifest"
    expect(ids.asset_id(manifest["holder"], asset["manifestDigest"]), asset["assetId"], "asset_id_differs", rule)
    expect(ciphertext_root(manifest), asset["ciphertextRoot"], "ciphertext_root_differs", rule)
    return manifest


def confirm(client: Client, asset_id: str, term: Duration | None = None) -> dict[str, Any]:
    """Certify a deposited case as a registrar: check it, issue the certificate (W3C VC 2.0), sign Confirm.

    Args:
        term: validity of a first registration or a renewal, from its deposit (of public data renewed, from the last
            end), at most what the case's rulebook allows; registrations.USUAL_TERM by default. Other kinds keep the
            entry's end.
    Returns:
        the intent's outcome with "certificateDigest", "certificate" and its "code".
    Raises:
        RuleError: `case_not_deposited`, `certificate_term`, `certificate_term_kept`, `certificate_codes_exhausted`.
        VerificationError: documents and register do not agree.
    """
    asset = get_asset(client, asset_id)
    if asset["registration"] is None:
        raise NotFoundError("case_unknown", f"nothing was filed about asset {asset_id}", zh="该资产尚未申请登记")
    case = registrations.get_case(client, asset["registration"]["latestCase"])
    manifest = checked_manifest(client, asset)
    claim = documents.validate_claim(client.get_document(asset["claimDigest"]))
    expect(claim["manifest"], asset["manifestDigest"], "claim_differs", "rights.claim_is_about_this_manifest")
    expect(documents.LEVELS.index(claim["level"]) + 1, asset["level"], "level_differs", "rights.level_as_claimed")
    code = registrations.get_code(client, case["caseId"])
    valid_until = registrations.end_of_term(case, asset["validUntil"], term)
    entries = client.post(f"/rights/assets/{asset_id}/status-place", {}, repeatable=True)
    annex = get_annex(client, asset)
    later = {} if case["kind"] == Kind.FIRST else _passed_on(asset, case)
    certificate = certificates.issue(
        client,
        {**asset, "holder": later.get("holder", asset["holder"])},
        manifest,
        {**claim, **later},
        term=(case["depositedAt"], valid_until),
        entries=entries,
        code=code,
        kind=Kind(case["kind"]),
        annex=annex,
    )
    message = {
        "assetId": asset_id,
        "claimDigest": asset["claimDigest"],
        "certificateDigest": certificates.digest(certificate),
        "code": to_ledger(code),
        "rights": scopes.claimed(claim),
        "validUntil": valid_until,
        "registrar": client.address,
        "version": asset["version"],
        "deadline": client.deadline(),
    }
    body = {"confirm": message, "signature": client.sign("Confirm", message), "certificate": certificate}
    outcome = client.submit("/rights/confirmations", body)
    return {**outcome, "certificateDigest": message["certificateDigest"], "certificate": certificate, "code": code}


def _passed_on(asset: Mapping[str, Any], case: Mapping[str, Any]) -> dict[str, Any]:
    """Who holds what once a later case is certified: what a first certificate takes from the claim."""
    giver, taker = case["applicant"], case["counterparty"] if case["kind"] == Kind.TRANSFER else case["applicant"]
    rights = [
        {
            **{"right": TitleKind(title["kind"]).name, "until": None, "limits": ""},
            "holder": taker if title["holder"] == giver else title["holder"],
        }
        for title in asset["titles"]
        if title["parent"] == ZERO_DIGEST and not title["marks"] & TitleMark.ENDED
    ]
    return {"holder": taker, "rights": rights, "shares": asset["shares"]}


def mark(client: Client, asset_id: str, status: AssetStatus, reason: str) -> dict[str, Any]:
    """Suspend (SUSPENDED) or restore (CONFIRMED) a confirmed registration, as a registrar.

    The reason's digest goes onto the ledger, its text stays with the registrar.
    """
    digest = to_hex(sha256(reason.encode()))
    message = {"assetId": asset_id, "status": int(status), "reasonDigest": digest, "registrar": client.address}
    message |= {"version": get_asset(client, asset_id)["version"], "deadline": client.deadline()}
    body = {"mark": message, "signature": client.sign("Mark", message)}
    return {**client.submit("/rights/marks", body), "reasonDigest": digest}


def get_certificate(client: Client, asset_id: str) -> Document:
    """The certificate of an asset, verified against its own proof and against the register.

    Raises:
        VerificationError: it is not the one that the registrar confirmed, or it does not say what the register says.
    """
    certificate: Document = client.get(f"/rights/assets/{asset_id}/certificate")
    certificates.verify(certificate, get_asset(client, asset_id))
    return certificate


def get_standing(client: Client, certificate: Mapping[str, Any], lists: Sequence[Document] = ()) -> Standing:
    """What a certificate is worth now: its registrar's signature stands on the register, its status in the lists.

    Args:
        lists: status lists at hand; the exchange is asked for its own where these leave the status open.
    Returns:
        the verdict; `disputed` by the certificate's list, or by the register where it names none.
    Raises:
        VerificationError: it is not the one that a registrar confirmed.
        InvalidInputError: it names no place in the status lists, or a list does not verify.
    """
    asset = get_asset(client, certificates.asset_of(certificate))
    issuer = certificates.verify(certificate, asset)
    standing = judge(certificate, lists, issuer=issuer, now=client.now())
    if standing.code in OPEN:
        lists = [*lists, *get_status_lists(client, certificate)]
        standing = judge(certificate, lists, issuer=issuer, now=client.now())
    if standing.disputed is None:  # a certificate from before there was a list of disputes: the register says it
        return replace(standing, disputed=bool((asset["registration"] or {}).get("disputed")))
    return standing


def get_status_lists(client: Client, certificate: Mapping[str, Any]) -> list[Document]:
    """The status lists that a certificate names, to be kept beside it for checking it offline within a day."""
    return [client.get(path) for path in list_paths(certificate)]
