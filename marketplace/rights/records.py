"""What the register of rights holds: assets with their privacy budget and revenue shares."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from marketplace.refusals import refuse
from marketplace.types import ZERO_ADDRESS, AssetStatus, TitleMark

MAX_SHARE_HOLDERS = 16
WHOLE_BPS = 10_000
UNMARKED = TitleMark(0)


@dataclass
class Share:
    """Part of the revenue in hundredths of a percent. Of 0: an emptied place for the next holder."""

    holder: str
    bps: int


@dataclass
class Encumbrance:
    """What weighs on a holder's share: `bps` of it are pledged to `pledgee`, or to nobody if 0; as a whole it may be
    marked as seized or under control. `version` counts the acts on it.
    """

    pledgee: str = ZERO_ADDRESS
    bps: int = 0
    marks: TitleMark = UNMARKED
    version: int = 0


@dataclass
class Asset:
    """One registered data set. Epsilon in millionths; the counters `committed` and `released` only grow. `parties`: who
    ever took a title or a pledge of one, or objected."""

    registrant: str
    level: int
    claim_digest: str
    epsilon_budget: int
    shares: list[Share]
    status: AssetStatus = AssetStatus.REGISTERED
    valid_until: int = 0
    committed: int = 0
    released: int = 0
    version: int = 1
    share_version: int = 1
    encumbrances: dict[str, Encumbrance] = field(default_factory=dict)
    parties: set[str] = field(default_factory=set)

    @property
    def budget_left(self) -> int:
        """What orders may still commit."""
        return self.epsilon_budget - (self.committed - self.released)

    def bps_of(self, holder: str) -> int:
        """What `holder` has of the income."""
        return next((share.bps for share in self.shares if share.holder == holder), 0)

    def has_part(self, account: str) -> bool:
        """Whether `account` registered it, shares in its income, has an open pledge of a share, or ever was a party."""
        pledges = (weight for weight in self.encumbrances.values() if weight.bps)
        shares = self.bps_of(account) > 0 or any(pledge.pledgee == account for pledge in pledges)
        return account == self.registrant or account in self.parties or shares

    def encumbrance_of(self, holder: str) -> Encumbrance:
        """What weighs on `holder`'s share, to read; of an untouched one nothing."""
        return self.encumbrances.get(holder, Encumbrance())

    def payees(self) -> Iterator[Share]:
        """The entries that hold something, in their fixed order."""
        return (share for share in self.shares if share.bps)


@dataclass
class Rights:
    """The state of the contract: assets by id."""

    assets: dict[str, Asset] = field(default_factory=dict)

    def require_asset(self, asset_id: str, status: AssetStatus) -> Asset:
        """The asset, refused unless it has this status."""
        asset = self.assets.get(asset_id)
        current = asset.status if asset else AssetStatus.NONE
        if asset is None or current is not status:
            raise refuse("RightsStatus", assetId=asset_id, current=int(current), required=int(status))
        return asset

    def require_certifiable(self, asset_id: str) -> Asset:
        """The asset, refused unless it waits for its first certificate or has one."""
        asset = self.assets.get(asset_id)
        if asset is not None and asset.status is AssetStatus.CONFIRMED:
            return asset
        return self.require_asset(asset_id, AssetStatus.REGISTERED)

    def require_confirmed(self, asset_id: str, now: int) -> int:
        """Refuse an asset that is not confirmed or whose term is over; returns the end of its term."""
        asset = self.require_asset(asset_id, AssetStatus.CONFIRMED)
        if now > asset.valid_until:
            raise refuse("RightsExpired", assetId=asset_id, validUntil=asset.valid_until)
        return asset.valid_until

    def note_party(self, asset_id: str, account: str) -> None:
        """`account` took a title or a pledge of one, or objected: it decides nothing about the asset any more."""
        self.assets[asset_id].parties.add(account)

    def require_budget(self, asset_id: str, epsilon: int) -> None:
        """Refuse to commit more than is left."""
        left = self.assets[asset_id].budget_left
        if epsilon > left:
            raise refuse("RightsBudgetExceeded", assetId=asset_id, left=left, asked=epsilon)
