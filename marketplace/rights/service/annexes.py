"""What a certificate tells besides titles and shares, as the register stands.

The resolver asks for it with every record, so the store is asked for what weighs and for inputs alone.
"""

from sqlalchemy import and_
from sqlmodel import Session, col, select

from marketplace.documents import Document
from marketplace.lineage.tables import LineageInput
from marketplace.rights.remarks import MARKS, annex_of
from marketplace.rights.service import share_json
from marketplace.rights.tables import Asset, Share, ShareEncumbrance, Title
from marketplace.types import ZERO_DIGEST


def annex(session: Session, asset_id: str, now: int) -> Document:
    """`remarks.annex_of` for an asset at `now`, unix seconds; nothing of an unknown one."""
    declared = select(LineageInput, Asset).join(Asset, col(Asset.asset_id) == LineageInput.input_id)
    declared = declared.where(LineageInput.asset_id == asset_id).order_by(col(LineageInput.place))
    inputs = [(row.as_json(), source.as_json()) for row, source in session.exec(declared)]
    titles = select(Title).where(Title.asset_id == asset_id, Title.parent == ZERO_DIGEST, Title.order_id == ZERO_DIGEST)
    titles = titles.where(col(Title.marks).bitwise_and(int(sum(MARKS))) != 0)
    same = and_(col(Share.asset_id) == ShareEncumbrance.asset_id, col(Share.holder) == ShareEncumbrance.holder)
    shares = select(Share, ShareEncumbrance).join(ShareEncumbrance, same).where(Share.asset_id == asset_id)
    shares = shares.where((col(ShareEncumbrance.marks) != 0) | (col(ShareEncumbrance.bps) != 0))
    shares = shares.order_by(col(Share.bps).desc(), col(Share.holder))
    weighed = {
        "titles": [title.as_json() for title in session.exec(titles)],
        "shares": [share_json(share, weight) for share, weight in session.exec(shares)],
    }
    return annex_of(weighed, inputs, now)
