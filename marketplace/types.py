"""Words and units that every room shares.

Money is an integer in minor units (fen), epsilon an integer in millionths, time an integer in unix seconds (UTC)
wherever it is signed.
"""

from enum import IntEnum, IntFlag
from typing import NewType

Address = NewType("Address", str)  # "0x" and 40 lower-case hex digits
Digest = NewType("Digest", str)  # "0x" and 64 lower-case hex digits

MICRO = 1_000_000
NO_LIMIT = 2**53 - 1  # fen: more than there can be; seconds: no end
ZERO_DIGEST = Digest("0x" + "00" * 32)
ZERO_ADDRESS = Address("0x" + "00" * 20)  # nobody: as the ledger writes an account where there is none


class Role(IntFlag):
    """What a participant is admitted as; bits as on the ledger (contracts/src/Roles.sol).

    The roles of the national guides and measures, but for two that nobody is admitted to: whom the data are about, and
    the public. Either is admitted without a role where it acts under its name, as to object. REVIEWER to OPERATOR are
    on record and sign nothing yet that others may not.
    """

    SUPPLIER = 1
    BUYER = 2
    REGISTRAR = 4
    BANK = 8
    EXCHANGE = 16
    PANEL = 32
    AUDITOR = 64
    REGULATOR = 128
    REVIEWER = 256  # of compliance
    ASSESSOR = 512  # of quality
    VALUER = 1024
    ARBITRATOR = 2048
    DELIVERER = 4096
    AUTHORITY = 8192  # authorises the operation of public data
    IMPLEMENTER = 16_384  # carries that authorisation out
    OPERATOR = 32_768  # operates public data under it


OVERSEERS = Role.REGISTRAR | Role.AUDITOR | Role.EXCHANGE | Role.REGULATOR
"""Who sees the matters of all parties."""


class Act(IntFlag):
    """What a key may sign for its account; bits as on the ledger (contracts/src/Acts.sol)."""

    ADMINISTER = 1  # the account itself: its keys, guardians, standing
    TITLES = 2  # registrations, titles and shares, as their holder
    LISTINGS = 4
    ORDERS = 8  # up to the key's limit
    QUERIES = 16  # queries and their vouchers, up to the key's limit
    SETTLEMENT = 32  # closing of orders, as their seller; claims on orders, as either side
    REGISTRY = 64  # whatever a registrar decides
    MONEY = 128  # whatever a bank does, and asking one for money back, up to the key's limit
    EVIDENCE = 256  # anchoring of the log
    READ = 512  # signing in
    AGREEMENTS = 1024
    RECOVERY = 2048  # the recovery of another account, as its guardian or a registrar
    CLEARING = 4096  # batches of clearing as the exchange; debts in them, up to the limit, as the debtor


class RecoveryStatus(IntEnum):
    """Standing of the recovery of an account."""

    NONE = 0
    PROPOSED = 1
    NOTICE = 2
    COMPLETED = 3
    VETOED = 4


class ParticipantStatus(IntEnum):
    """Standing of a participant."""

    NONE = 0
    ACTIVE = 1
    SUSPENDED = 2
    SUBMITTED = 3
    UNDER_REVIEW = 4
    CORRECTION_REQUESTED = 5
    REJECTED = 6
    EXITING = 7
    EXITED = 8
    EXPELLED = 9


class AssetStatus(IntEnum):
    """Standing of a data asset in the register."""

    NONE = 0
    REGISTERED = 1
    CONFIRMED = 2
    SUSPENDED = 3
    REVOKED = 4
    CANCELLED = 5


class TitleKind(IntEnum):
    """The three data rights of the 2026 registration guide: 持有权, 使用权, 经营权."""

    HOLD = 1
    USE = 2
    OPERATE = 3


def right_bit(kind: TitleKind) -> int:
    """The bit of a right in a confirmation's `rights`: 1 to hold, 2 to use, 4 to operate."""
    return 1 << kind - 1


class TitleMark(IntFlag):
    """What a title's holder may do beyond its kind, and what weighs on the title; bits as on the ledger."""

    EXCLUSIVE = 1
    MAY_GRANT = 2
    MAY_DERIVE = 4
    ENDED = 8
    SEIZED = 16
    CONTROLLED = 32
    PLEDGED = 64
    ENCUMBRANCES = 48


class TitleFault(IntEnum):
    """Why a title is not in force; numbers as on the ledger (contracts/src/Titles.sol)."""

    NONE = 0
    ENDED = 1
    EXPIRED = 2
    NOT_BEGUN = 3
    ASSET_NOT_CONFIRMED = 4
    UNKNOWN = 5


class TitleDimension(IntEnum):
    """What a part of a title may not have more of than its whole; numbers as on the ledger."""

    MARKS = 1
    PURPOSES = 2
    FIELDS = 3
    TERRITORIES = 4
    TERM = 5


class ListingStatus(IntEnum):
    """Standing of a listing."""

    NONE = 0
    LISTED = 1
    DELISTED = 2


class AgreementStatus(IntEnum):
    """Standing of an agreement on a form; one that is signed is in force until its end."""

    NONE = 0
    SIGNED = 1
    AMENDED = 2
    RETIRED = 3


class RedemptionStatus(IntEnum):
    """Standing of a redemption: money of the market that its holder wants back at a bank."""

    NONE = 0
    LOCKED = 1
    PAID = 2
    REJECTED = 3
    EXPIRED = 4


class OrderStatus(IntEnum):
    """Standing of an order."""

    NONE = 0
    FUNDED = 1
    SETTLED = 2
    REFUNDED = 3
    CLAIMED = 4


class ConsentStatus(IntEnum):
    """Standing of a consent that a product is sold; one withdrawn may be given again."""

    NONE = 0
    GIVEN = 1
    WITHDRAWN = 2


class DeliveryStatus(IntEnum):
    """Standing of the delivery of an order; an objected one may be corrected, an ended one ended with its order."""

    NONE = 0
    ARRANGED = 1
    INSPECTING = 2
    OBJECTED = 3
    ACCEPTED = 4
    DEEMED = 5
    LAPSED = 6
    ENDED = 7


class DeliveryMark(IntFlag):
    """Terms of acceptance; bits as on the ledger (contracts/src/Deliveries.sol)."""

    SILENCE_ACCEPTS = 1
    QUALITY_IN_USE = 2  # so that use is not acceptance


class BatchStatus(IntEnum):
    """Standing of a clearing batch."""

    NONE = 0
    OPEN = 1
    CLOSED = 2
    CONFIRMED = 3
    SETTLED = 4


class DebtStatus(IntEnum):
    """Standing of a debt in clearing; an entered debt of a settled batch is paid."""

    NONE = 0
    ENTERED = 1
    DROPPED = 2
