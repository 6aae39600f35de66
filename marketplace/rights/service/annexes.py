"""What a certificate tells besides titles and shares, as the register stands."""

from sqlmodel import Session, col, select

from marketplace.documents import Document
from marketplace.lineage.tables import LineageInput
from marketplace.rights.remarks import annex_of
from marketplace.rights.service import asset_json, get_asset
from marketplace.rights.tables import Asset


def annex(session: Session, asset: Asset, now: int) -> Document:
    """`remarks.annex_of` for an asset at `now`, unix seconds."""
    declared = select(LineageInput, Asset).join(Asset, col(Asset.asset_id) == LineageInput.input_id)
    declared = declared.where(LineageInput.asset_id == asset.asset_id).order_by(col(LineageInput.place))
    inputs = [(row.as_json(), source.as_json()) for row, source in session.exec(declared)]
    return annex_of(asset_json(session, asset), inputs, now)


def annex_by_id(session: Session, asset_id: str, now: int) -> Document:
    """The same by the asset's id. Raises NotFoundError `asset_unknown`."""
    return annex(session, get_asset(session, asset_id), now)
