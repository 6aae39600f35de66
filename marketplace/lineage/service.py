"""Lineage: a registrant declares what its product was made of, and who operates an input consents or withdraws."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from marketplace.documents import validate_claim, validate_lineage
from marketplace.errors import RuleError
from marketplace.evidence.inbox import Statement, check_statement
from marketplace.evidence.inbox.outlook import told, why_not_consented
from marketplace.evidence.inbox.submitting import submit
from marketplace.intents import Deployment
from marketplace.lineage.tables import LineageConsent, LineageDeclaration, LineageInput
from marketplace.rights.service import get_asset, require_lineage
from marketplace.storage.documents import read_document, store_document
from marketplace.types import Digest


def declare(session: Session, deployment: Deployment, said: Statement, papers: object, now: int) -> Digest:
    """Queue the declaration of a product's inputs, and keep the papers whose digest it names.

    Raises:
        NotFoundError: `asset_unknown`.
        RuleError: `lineage_papers_differ`, `lineage_differs`, or what the rules of lineage say.
    """
    check_statement(said, deployment, now)
    message = said.message
    asset = get_asset(session, message["assetId"])
    document = validate_lineage(papers)
    digest = store_document(session, document, now=now, public=True)
    if (digest, document["asset"]) != (message["agreementDigest"], asset.asset_id):
        raise RuleError(
            "lineage_papers_differ",
            "the declaration names other papers, or they are about another product",
            zh="申报所载摘要与所附文件不符，或文件所指为另一产品",
            rule="lineage.declared_by_its_papers",
            expected=message["agreementDigest"],
            got=digest,
            hint="sign the digest of the very papers that you send",
            hint_zh="请签署所附文件自身的摘要",
        )
    claim = validate_claim(read_document(session, asset.claim_digest))
    require_lineage(claim["sourceClass"], message["titles"])
    return submit(session, deployment, said, "declare", now)


def consent(session: Session, deployment: Deployment, said: Statement, now: int) -> Digest:
    """Queue a consent. Raises RuleError as the rules of lineage say."""
    return submit(session, deployment, said, "consent", now)


def withdraw(session: Session, deployment: Deployment, said: Statement, now: int) -> Digest:
    """Queue the withdrawal of a consent. Raises RuleError as the rules of lineage say."""
    return submit(session, deployment, said, "withdraw", now)


def lineage_json(session: Session, asset_id: str, now: int) -> dict[str, Any]:
    """What a product is made of, with every consent, and what is made of it.

    A consent has its "standing" at `now`: {"inForce", "reason"}, the reason as {"code", "message", "zh"} or None.

    Raises:
        NotFoundError: `asset_unknown`.
    """
    get_asset(session, asset_id)
    declared = session.get(LineageDeclaration, asset_id)
    above = session.exec(
        select(LineageInput).where(LineageInput.input_id == asset_id).order_by(col(LineageInput.asset_id))
    ).all()
    below = session.exec(
        select(LineageInput).where(LineageInput.asset_id == asset_id).order_by(col(LineageInput.place))
    ).all()
    pairs = [(row.asset_id, row.input_id) for row in (*below, *above)]
    given = {pair: consent for pair in pairs if (consent := session.get(LineageConsent, pair))}
    why = why_not_consented(session, list(given), now)
    told_of = {
        pair: consent.as_json() | {"standing": {"inForce": why[pair] is None, "reason": told(why[pair])}}
        for pair, consent in given.items()
    }
    return {
        "assetId": asset_id,
        "declaration": declared.as_json() if declared else None,
        "inputs": [_with_consent(row, told_of) for row in below],
        "products": [_with_consent(row, told_of) for row in above],
    }


def _with_consent(row: LineageInput, consents: Mapping[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    return row.as_json() | {"consent": consents.get((row.asset_id, row.input_id))}
