"""Registering data, confirming it with a certificate, and moving shares; titles: `titles`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from crypto import merkle
from crypto.canonical import to_hex
from marketplace.documents import LEVELS, Document, blob_digests, differences, ids, validate_claim, validate_manifest
from marketplace.documents.identifiers import Kind
from marketplace.documents.scopes import beyond_source, claimable, claimed, rulebook_name
from marketplace.errors import NotFoundError, RuleError
from marketplace.evidence.inbox import Statement, check_statement, is_under_way, precheck, queue, remember
from marketplace.evidence.inbox.naming import require_free
from marketplace.evidence.inbox.submitting import submit
from marketplace.intents import Deployment
from marketplace.lineage.sources import fault_of
from marketplace.lineage.tables import LineageDeclaration, LineageInput
from marketplace.procedures import Kind as CaseKind
from marketplace.procedures import Step
from marketplace.registrations.codes import from_ledger
from marketplace.registrations.tables import RegisterEntry, RegistrationAct, RegistrationCase
from marketplace.rights import certificates
from marketplace.rights.service.standings import standings
from marketplace.rights.tables import Asset, Share, ShareEncumbrance, Title, Version
from marketplace.storage.blobs import BlobStore
from marketplace.storage.documents import has_document, read_document, store_document
from marketplace.types import ZERO_DIGEST, AssetStatus, Digest
from marketplace.words import Words, of_rights

Part = TypeVar("Part", Share, Title, RegisterEntry)


def get_asset(session: Session, asset_id: str) -> Asset:
    """A data asset as the ledger says. Raises NotFoundError `asset_unknown`."""
    row = session.get(Asset, asset_id)
    if row is None:
        raise NotFoundError("asset_unknown", f"there is no data asset {asset_id}", zh="没有该数据资产")
    return row


def asset_json(session: Session, asset: Asset, now: int) -> dict[str, Any]:
    """One asset as `assets_json` shows it."""
    return assets_json(session, [asset], now)[0]


def assets_json(session: Session, assets: Sequence[Asset], now: int) -> list[dict[str, Any]]:
    """Assets with shares, titles and the standing of each at `now`, what is left of their privacy budget (millionths),
    and their entry in the register.

    Asks for the parts of all of them at once, however many there are.
    """
    names = [asset.asset_id for asset in assets]
    wanted = select(Share).where(col(Share.asset_id).in_(names))
    shares = _by_asset(session.exec(wanted.order_by(col(Share.bps).desc(), col(Share.holder))))
    weighs = select(ShareEncumbrance).where(col(ShareEncumbrance.asset_id).in_(names))
    weights = {(row.asset_id, row.holder): row for row in session.exec(weighs)}
    titles = _by_asset(
        session.exec(
            select(Title)
            .where(col(Title.asset_id).in_(names), Title.order_id == ZERO_DIGEST)
            .order_by(col(Title.title_id))
        )
    )
    held = [title for found in titles.values() for title in found]
    stand = standings(session, held, {asset.asset_id: asset for asset in assets}, now)
    entries = _by_asset(session.exec(select(RegisterEntry).where(col(RegisterEntry.asset_id).in_(names))))
    known = [entry for found in entries.values() for entry in found]
    earlier, deposits = superseded(session, known), _deposits(session, known)
    return [
        {
            **asset.as_json(),
            "epsilonLeft": asset.epsilon_budget - (asset.epsilon_committed - asset.epsilon_released),
            "shares": [share_json(item, weights.get((item.asset_id, item.holder))) for item in shares[asset.asset_id]],
            "titles": [title.as_json() | {"standing": stand[title.title_id]} for title in titles[asset.asset_id]],
            "registration": next((_entry_json(item, earlier, deposits) for item in entries[asset.asset_id]), None),
        }
        for asset in assets
    ]


def share_json(share: Share, weight: ShareEncumbrance | None) -> dict[str, Any]:
    """A share, and what weighs on it."""
    shown: dict[str, Any] = {"holder": share.holder, "bps": share.bps, "pledgedBps": 0, "pledgee": None}
    if weight is None:
        return shown | {"marks": 0, "encumbranceVersion": 0}
    pledge = {"pledgedBps": weight.bps, "pledgee": weight.pledgee} if weight.bps else {}
    return shown | pledge | {"marks": weight.marks, "encumbranceVersion": weight.version}


def _by_asset(rows: Iterable[Part]) -> Mapping[str, list[Part]]:
    found: dict[str, list[Part]] = defaultdict(list)
    for row in rows:
        found[row.asset_id].append(row)
    return found


def _entry_json(
    entry: RegisterEntry, earlier: Mapping[str, list[dict[str, Any]]], deposits: Mapping[str, int]
) -> dict[str, Any]:
    shown = {**entry.as_json(), "disputed": entry.disputes > 0, "superseded": earlier.get(entry.asset_id, [])}
    return shown | {"depositedAt": deposits.get(entry.certified_case, 0)}


def _deposits(session: Session, entries: Sequence[RegisterEntry]) -> dict[str, int]:
    """When the registrations that stand took effect, by case; unix seconds."""
    names = [entry.certified_case for entry in entries]
    query = select(RegistrationCase.case_id, RegistrationCase.deposited_at)
    return dict(session.exec(query.where(col(RegistrationCase.case_id).in_(names))).all())


def superseded(session: Session, entries: Sequence[RegisterEntry]) -> dict[str, list[dict[str, Any]]]:
    """Earlier certificates of entries by asset, the oldest first: digest, case, and when that took effect."""
    query = (
        select(RegistrationAct, RegistrationCase.asset_id, RegistrationCase.deposited_at)
        .join(RegistrationCase, col(RegistrationCase.case_id) == RegistrationAct.case_id)
        .where(
            col(RegistrationCase.asset_id).in_([entry.asset_id for entry in entries]),
            RegistrationAct.step == int(Step.CERTIFY),
            col(RegistrationAct.case_id).not_in([entry.certified_case for entry in entries]),
        )
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for act, asset_id, deposited_at in session.exec(query.order_by(col(RegistrationAct.event_block))):
        told = {"certificateDigest": act.evidence_digest, "caseId": act.case_id, "depositedAt": deposited_at}
        found[asset_id].append(told)
    return found


def manifest_of(session: Session, asset: Asset) -> Document:
    """The manifest that an asset's registration names."""
    return read_document(session, asset.manifest_digest)


def register(session: Session, deployment: Deployment, blobs: BlobStore, wish: Statement, now: int) -> Digest:
    """Queue a registration whose manifest, claim and sealed blobs are all here and say what is signed.

    Raises:
        RuleError: `document_missing`, `blob_missing`, `registration_differs`, `previous_unregistered`,
            `version_not_next`, or what the rules of rights say.
    """
    name, message = wish.digest(deployment), wish.message
    if is_under_way(session, name):
        return name
    check_statement(wish, deployment, now)
    _check_documents(session, blobs, message)
    arguments = [dict(message), wish.signatures[0]]
    precheck.run(session, "Rights", "register", arguments, now)
    remember(session, deployment, wish, message["assetId"])
    _note_version(session, message)
    by = message["holder"]
    return queue(session, contract="Rights", verb="register", arguments=arguments, digest=name, by=by, now=now)


def confirm(
    session: Session,
    deployment: Deployment,
    decision: Statement,
    certificate: Document,
    *,
    entries: list[Document],
    annex: Document,
    now: int,
) -> Digest:
    """Queue a confirmation with its certificate, which becomes public.

    Args:
        entries: its place in the status lists, as this service gave it out.
        annex: the inputs and remarks that it has to name (service.annexes).
    Raises:
        InvalidInputError: the certificate is not the one that was signed for, or does not verify.
        RuleError: `identifier_taken`, or what the rules of rights say.
    """
    name, message = decision.digest(deployment), decision.message
    if is_under_way(session, name):
        return name
    check_statement(decision, deployment, now)
    get_asset(session, message["assetId"])
    certificates.check_certificate(certificate, message, now)
    certificates.check_status(certificate, entries)
    certificates.check_annex(certificate, annex)
    _check_registration(session, certificate, message)
    _check_confirmed_rights(session, message)
    require_free(session, Kind.CERTIFICATE, message["certificateDigest"])
    arguments = [dict(message), decision.signatures[0]]
    precheck.run(session, "Rights", "confirm", arguments, now)
    store_document(session, certificate, now=now, public=True)
    by = message["registrar"]
    return queue(session, contract="Rights", verb="confirm", arguments=arguments, digest=name, by=by, now=now)


def mark(session: Session, deployment: Deployment, decision: Statement, now: int) -> Digest:
    """Queue a suspension or restoration of a registration. Raises RuleError as the rules say."""
    name, message = decision.digest(deployment), decision.message
    if is_under_way(session, name):
        return name
    check_statement(decision, deployment, now)
    get_asset(session, message["assetId"])
    arguments = [dict(message), decision.signatures[0]]
    precheck.run(session, "Rights", "mark", arguments, now)
    by = message["registrar"]
    return queue(session, contract="Rights", verb="mark", arguments=arguments, digest=name, by=by, now=now)


def act_on_share(session: Session, deployment: Deployment, verb: str, deed: Statement, now: int) -> Digest:
    """Queue the transfer, pledge, release, enforcement or encumbrance of a share. Raises RuleError as the rules say."""
    return submit(session, deployment, deed, verb, now)


def certificate_body(session: Session, asset_id: str) -> Document:
    """The certificate of a confirmed asset. Raises NotFoundError `certificate_unknown`."""
    asset = get_asset(session, asset_id)
    if asset.status < AssetStatus.CONFIRMED:
        raise NotFoundError("certificate_unknown", "this asset is not confirmed yet", zh="该资产尚未确权")
    return read_document(session, asset.certificate_digest)


def _check_registration(session: Session, certificate: Document, message: Mapping[str, Any]) -> None:
    entry = session.get(RegisterEntry, message["assetId"])
    case = session.get(RegistrationCase, entry.latest_case) if entry else None
    if case is not None:  # without one the ledger's own rules refuse it
        certificates.check_registration(certificate, CaseKind(case.kind), from_ledger(message["code"]))
        certificates.check_effect(certificate, case.deposited_at)


def _note_version(session: Session, message: Mapping[str, Any]) -> None:
    manifest, holder = read_document(session, message["manifestDigest"]), message["holder"]
    if manifest["previous"] is not None:
        previous, first = ids.asset_id(holder, manifest["previous"]), ids.asset_id(holder, manifest["series"])
        session.merge(Version(asset_id=message["assetId"], previous=previous, series=first))


def _check_documents(session: Session, blobs: BlobStore, message: Mapping[str, Any]) -> None:
    for field in ("manifestDigest", "claimDigest"):
        if not has_document(session, message[field]):
            raise RuleError(
                "document_missing",
                f"the document {message[field]} ({field}) is not here yet",
                zh="所引用的文档尚未上传",
                rule="rights.documents_are_here",
                got=message[field],
                hint=f"upload it first: PUT /documents/{message[field]}",
                hint_zh="请先上传该文档",
            )
    manifest = validate_manifest(read_document(session, message["manifestDigest"]))
    claim = validate_claim(read_document(session, message["claimDigest"]))
    stated = _stated(manifest, claim)
    signed = {field: message[field] for field in stated}
    if stated != signed or claim["manifest"] != message["manifestDigest"] or claim["holder"] != message["holder"]:
        raise RuleError(
            "registration_differs",
            "manifest, claim and registration do not say the same",
            zh="清单、权利主张与登记内容不一致",
            rule="rights.registration_is_its_documents",
            expected=stated,
            got=signed,
            hint="sign a registration whose claim and manifest state the same asset, holder, level and budget",
            hint_zh="请签署与清单、权利主张在资产、持有人、级别与预算上一致的登记",
        )
    _check_source(claim)
    _check_version(session, manifest, message)
    _check_blobs(blobs, manifest)


def _check_source(claim: Document) -> None:
    """A claim names no right that its source cannot give, e.g. to operate what was collected in public."""
    beyond = beyond_source(claim)
    if beyond:
        raise RuleError(
            "right_not_claimable",
            f"data of source {claim['sourceClass']} do not give the rights {', '.join(beyond)}",
            zh=f"来源为 {claim['sourceClass']} 的数据不能主张 {'、'.join(beyond)}",
            rule="rights.titles_by_source",
            rulebook=rulebook_name(),
            expected=sorted(kind.name for kind in claimable(claim["sourceClass"])),
            got=beyond,
            hint="claim no more than the source gives, or name the source as it is",
            hint_zh="请勿主张超出来源的权利，或如实填写数据来源",
        )


def _check_confirmed_rights(session: Session, message: Mapping[str, Any]) -> None:
    """The titles that come with a confirmation are those that the registered claim names."""
    claim = validate_claim(read_document(session, get_asset(session, message["assetId"]).claim_digest))
    _check_source(claim)
    rows = select(LineageInput.title_id).where(LineageInput.asset_id == message["assetId"])
    declared = session.get(LineageDeclaration, message["assetId"])
    require_lineage(claim["sourceClass"], None if declared is None else list(session.exec(rows)))
    if message["rights"] != claimed(claim):
        stated, wanted = of_rights(message["rights"]), of_rights(claimed(claim))
        raise RuleError(
            "rights_differ",
            f"the confirmation gives the rights {stated.en}, the claim names {wanted.en}",
            zh=f"确认的权利为{stated.zh}，权利主张所载为{wanted.zh}",
            rule="rights.titles_as_claimed",
            expected=wanted,
            got=stated,
            hint="state the claim's rights as bits: 1 to hold, 2 to use, 4 to operate",
            hint_zh="请以位表示主张的权利：1 持有、2 使用、4 经营",
        )


def require_lineage(source_class: str, titles: Sequence[str] | None) -> None:
    """Refuse a declaration of inputs that does not fit the claimed source, or its absence.

    Args:
        titles: of each declared input, zero for one that needs a consent; None where nothing was declared.
    """
    fault = fault_of(source_class, titles)
    if fault is None:
        return
    _, expected, got = fault
    if titles is None:
        raise _unfit("lineage_missing", source_class, expected, got)
    raise _unfit("lineage_differs", source_class, expected, got)


def _unfit(code: str, source_class: str, expected: str, got: str) -> RuleError:
    return RuleError(
        code,
        f"data of source {source_class}: {expected} asked for, {got}",
        zh=f"来源为 {source_class} 的数据须与其来源申报相符",
        rule="lineage.fits_the_source",
        rulebook=rulebook_name(),
        expected=expected,
        got=got,
        hint="derived data rest on titles, fused ones on consents, others have none: `marketplace lineage declare`",
        hint_zh="衍生数据依据权利，融合数据依据同意，其他数据无来源：`marketplace lineage declare`",
    )


def _check_version(session: Session, manifest: Document, message: Mapping[str, Any]) -> None:
    """A later version follows from one that its holder registered, with the same budget."""
    if manifest["previous"] is None:
        return
    previous = session.get(Asset, ids.asset_id(message["holder"], manifest["previous"]))
    if previous is None:
        raise RuleError(
            "previous_unregistered",
            "the version before is not registered by this holder",
            zh="前一版本尚未由该持有方登记",
            rule="rights.versions_follow",
            expected=Words("a registered asset whose manifest is previous", "清单即 previous 所指的已登记资产"),
            got=manifest["previous"],
            hint="register the versions of a series in their order",
            hint_zh="请按先后顺序登记各版本",
        )
    found = list(differences(manifest, manifest_of(session, previous)))
    if message["epsilonBudget"] != previous.epsilon_budget:
        found.append(("epsilonBudget", previous.epsilon_budget, message["epsilonBudget"]))
    for what, expected, got in found:
        raise RuleError(
            "version_not_next",
            f"the version does not follow from the one before: {what}",
            zh=f"该版本与前一版本不衔接:{what}",
            rule="rights.versions_follow",
            expected=expected,
            got=got,
            hint="make the version anew from the newest one: `marketplace vault append`, `correct` or `withdraw`",
            hint_zh="请从最新版本重新制作：`marketplace vault append`、`correct` 或 `withdraw`",
        )


def _stated(manifest: Document, claim: Document) -> dict[str, Any]:
    return {
        "holder": manifest["holder"],
        "ciphertextRoot": to_hex(merkle.root(blob_digests(manifest))),
        "level": LEVELS.index(claim["level"]) + 1,
        "shareHolders": [share["holder"] for share in claim["shares"]],
        "shareBps": [share["bps"] for share in claim["shares"]],
    }


def _check_blobs(blobs: BlobStore, manifest: Document) -> None:
    missing = [name for name in map(to_hex, blob_digests(manifest)) if not blobs.has(name)]
    if missing:
        raise RuleError(
            "blob_missing",
            f"{len(missing)} sealed blobs of the manifest are not here yet",
            zh=f"清单中的 {len(missing)} 个密文块尚未上传",
            rule="rights.blobs_are_here",
            got=missing[:3],
            hint=f"upload them first: PUT /blobs/{missing[0]}, and so on",
            hint_zh="请先上传这些密文块",
        )
