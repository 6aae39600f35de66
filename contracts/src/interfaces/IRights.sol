// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";

/// @title Data assets, their revenue shares and privacy budget
/// @notice A supplier registers sealed data; a registrar confirms it, which creates its first titles (see ITitles). Revenue
/// shares are paid to whoever holds them at settlement.
interface IRights is IIntentBatch {
    /// @notice None -> Registered by {register} -> Confirmed by {confirm}; Confirmed <-> Suspended by {mark}, and
    /// either -> Revoked or Cancelled by {end}, which rests on a case.
    enum AssetStatus {
        None,
        Registered,
        Confirmed,
        Suspended,
        Revoked,
        Cancelled
    }

    /// @notice Left of the privacy budget = epsilonBudget - (epsilonCommitted - epsilonReleased), in millionths of epsilon.
    /// @dev The counters only grow, so that no storage slot returns to zero.
    struct Asset {
        address registrant;
        AssetStatus status;
        uint8 level;
        uint64 validUntil;
        uint64 epsilonBudget;
        uint64 epsilonCommitted;
        uint64 epsilonReleased;
        uint32 version;
        uint32 shareVersion;
        bytes32 claimDigest;
    }

    /// @param bps part of the revenue in hundredths of a percent. An entry of 0 holds nothing; the next new holder takes it over.
    struct Share {
        address holder;
        uint16 bps;
    }

    /// @notice What weighs on a holder's share in an asset: `bps` of it are pledged to `pledgee` (0: to nobody, who it was last is
    /// kept), and `marks` of the whole share are 16 for seizure, 32 for administrative control. `version` counts the acts on it.
    struct Encumbrance {
        address pledgee;
        uint16 bps;
        uint8 marks;
        uint32 version;
    }

    /// @notice Signed by `holder`. assetId = keccak256(abi.encode(holder, manifestDigest)); shares sum to 10000.
    struct Register {
        bytes32 assetId;
        address holder;
        bytes32 manifestDigest;
        bytes32 ciphertextRoot;
        bytes32 claimDigest;
        uint8 level;
        uint64 epsilonBudget;
        address[] shareHolders;
        uint16[] shareBps;
        uint64 deadline;
    }

    /// @notice Signed by `registrar`. `version` is the asset's present one, `validUntil` within the term of the deposit. `rights` are bits of
    /// the first titles that the data's source can give: 1 to hold, 2 to use, 4 to operate. `code` is the
    /// certificate's, ASCII and padded with zeros on the right; the asset's registration case has to be deposited.
    struct Confirm {
        bytes32 assetId;
        bytes32 claimDigest;
        bytes32 certificateDigest;
        bytes32 code;
        uint8 rights;
        uint64 validUntil;
        address registrar;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `from`. `version` is the asset's present shareVersion.
    struct TransferShare {
        bytes32 assetId;
        address from;
        address to;
        uint16 bps;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `holder` and `pledgee`. `version` is the share's {encumbranceOf}'s present one, at first 0; the debt itself
    /// stays with them.
    struct PledgeShare {
        bytes32 assetId;
        address holder;
        address pledgee;
        uint16 bps;
        bytes32 debtDigest;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `pledgee`. `version` as in {PledgeShare}.
    struct ReleaseShare {
        bytes32 assetId;
        address holder;
        address pledgee;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `registrar`, who has no part in the asset. `version` as in {PledgeShare}.
    struct EnforceShare {
        bytes32 assetId;
        address holder;
        bytes32 rulingDigest;
        address registrar;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `registrar`, who has no part in the asset. `marks` are those that hold from now on: 16 for seizure, 32 for
    /// administrative control, 0 to lift both. `version` as in {PledgeShare}.
    struct EncumberShare {
        bytes32 assetId;
        address holder;
        uint8 marks;
        bytes32 orderDigest;
        address registrar;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `registrar`. `version` is the asset's present one; the reason itself stays with the registrar.
    struct Mark {
        bytes32 assetId;
        uint8 status;
        bytes32 reasonDigest;
        address registrar;
        uint64 version;
        uint64 deadline;
    }

    event Registered(
        bytes32 indexed assetId,
        address indexed holder,
        bytes32 manifestDigest,
        bytes32 ciphertextRoot,
        bytes32 claimDigest,
        uint8 level,
        uint64 epsilonBudget,
        address[] shareHolders,
        uint16[] shareBps
    );
    event Confirmed(
        bytes32 indexed assetId, bytes32 certificateDigest, uint64 validUntil, address indexed registrar, uint64 version
    );
    event Marked(
        bytes32 indexed assetId, uint8 status, bytes32 reasonDigest, address indexed registrar, uint64 version
    );
    event ShareTransferred(
        bytes32 indexed assetId, address indexed from, address indexed to, uint16 bps, uint64 version
    );
    event SharePledged(
        bytes32 indexed assetId,
        address indexed holder,
        address indexed pledgee,
        uint16 bps,
        bytes32 debtDigest,
        uint64 version
    );
    event ShareReleased(
        bytes32 indexed assetId, address indexed holder, address indexed pledgee, uint64 version
    );
    event ShareEnforced(
        bytes32 indexed assetId,
        address indexed from,
        address indexed to,
        uint16 bps,
        bytes32 rulingDigest,
        address registrar,
        uint64 version
    );
    event ShareEncumbered(
        bytes32 indexed assetId,
        address indexed holder,
        uint8 marks,
        bytes32 orderDigest,
        address registrar,
        uint64 version
    );
    event BudgetCommitted(bytes32 indexed assetId, bytes32 indexed orderId, uint64 amount);
    event BudgetReleased(bytes32 indexed assetId, bytes32 indexed orderId, uint64 amount);

    /// @notice The id is not the one that follows from the intent's own fields.
    error RightsIdMismatch(bytes32 expected, bytes32 got);
    /// @notice This manifest is registered already by this holder.
    error RightsExists(bytes32 assetId);
    /// @notice The asset's `current` status is not the `required` one, or its term is over.
    error RightsStatus(bytes32 assetId, uint8 current, uint8 required);
    /// @notice No mark leads from the asset's `current` status to the one `asked` for.
    error RightsMark(bytes32 assetId, uint8 current, uint8 asked);
    /// @notice The term of the confirmation is over.
    error RightsExpired(bytes32 assetId, uint64 validUntil);
    /// @notice The security level is outside 1..6.
    error RightsLevel(uint8 level);
    /// @notice The privacy budget is zero or beyond reason.
    error RightsBudgetRange(uint64 epsilonBudget);
    /// @notice Revenue shares must be 1..16 distinct holders, each above zero, 10000 in sum.
    error RightsSharesInvalid();
    /// @notice Nobody confirms an asset in which they have a part.
    error RightsOwnMatter(address registrar);
    /// @notice The registrar confirms another claim than the registered one.
    error RightsClaimMismatch(bytes32 expected, bytes32 got);
    /// @notice A confirmation gives at least one of the first titles, and no other: 1 to hold, 2 to use, 4 to operate.
    error RightsNone(uint8 rights);
    /// @notice The confirmation would be over already at the ledger's `time`.
    error RightsOver(uint64 validUntil, uint256 time);
    /// @notice A renewal gives a later end than the `present` one; any other certificate of a confirmed asset keeps it.
    error RightsTerm(uint64 validUntil, uint64 present);
    /// @notice Giver and receiver are the same.
    error RightsSameParty(address account);
    /// @notice Nobody gives a registrar a share unasked, at the registration or after: it could decide nothing about the asset then.
    error RightsToRegistrar(address account);
    /// @notice `holder` has fewer bps than it wants to give, or gives nothing.
    error RightsShareTooSmall(address holder, uint16 has, uint16 asked);
    /// @notice All sixteen places for share holders are taken.
    error RightsSharesFull(bytes32 assetId);
    /// @notice The pledge to `pledgee` leaves `free` bps of `holder`'s share to move; to pledge it leaves none.
    error RightsSharePledged(address holder, address pledgee, uint16 free, uint16 asked);
    /// @notice No part of `holder`'s share is pledged to `account`.
    error RightsNotPledgee(bytes32 assetId, address holder, address account);
    /// @notice The share is seized (16) or under administrative control (32).
    error RightsShareEncumbered(bytes32 assetId, address holder, uint8 marks);
    /// @notice There is no share to mark, or the marks are not others than the `current` ones out of 16 and 32.
    error RightsShareMarks(bytes32 assetId, address holder, uint8 current, uint8 asked);
    /// @notice Only the Orders contract moves the budget.
    error RightsOnlyOrders(address caller);
    /// @notice Other first titles would pass than when the transfer was filed, bits as in {Confirm}.
    error RightsTitlesChanged(bytes32 assetId, uint8 filed, uint8 left);
    /// @notice Only the contract Registrations ends a registration, and only it and Titles note parties.
    error RightsOnlyRegistrations(address caller);
    /// @notice The privacy budget has `left` and the order asks for more.
    error RightsBudgetExceeded(bytes32 assetId, uint64 left, uint64 asked);

    /// @notice Registers sealed data with its claimed rights, level, privacy budget and revenue shares.
    function register(Register calldata registration, bytes calldata holderSignature) external;

    /// @notice Confirms a registered asset; its holder gets the first titles that the confirmation names.
    function confirm(Confirm calldata confirmation, bytes calldata registrarSignature) external;

    /// @notice Hands part of the revenue of an asset to another active participant.
    function transferShare(TransferShare calldata transfer_, bytes calldata fromSignature) external;

    /// @notice Pledges part of a share. Its holder goes on being paid, but the part does not move until {releaseShare} or
    /// {enforceShare}; a place among the sixteen holders is kept for the pledgee.
    function pledgeShare(PledgeShare calldata pledge, bytes calldata holderSignature, bytes calldata pledgeeSignature)
        external;

    /// @notice The pledgee gives the pledge up.
    function releaseShare(ReleaseShare calldata release, bytes calldata pledgeeSignature) external;

    /// @notice Gives the pledged part to the pledgee on a ruling; whatever settles from now on pays the pledgee.
    function enforceShare(EnforceShare calldata enforcement, bytes calldata registrarSignature) external;

    /// @notice Seizes a share, puts it under administrative control, or lifts that. It is neither transferred nor pledged
    /// meanwhile, and its pledge is not enforced; its holder goes on being paid.
    function encumberShare(EncumberShare calldata encumbrance, bytes calldata registrarSignature) external;

    /// @notice Suspends or restores a confirmed registration. What is funded already settles as agreed.
    function mark(Mark calldata mark_, bytes calldata registrarSignature) external;

    /// @notice Ends a registration for good: Cancelled at its holder's wish, who has to hold all first titles free of
    /// seizure and pledge, with nothing in force that was granted out of them, or Revoked. Only Registrations calls it, when a case ends so.
    /// @param by the registrar who decided. @param reasonDigest of the paper of the decision.
    function end(bytes32 assetId, AssetStatus status, address by, bytes32 reasonDigest) external;

    /// @notice Commits `epsilon` of the budget to an order. Only Orders calls it.
    function commitBudget(bytes32 assetId, bytes32 orderId, uint64 epsilon) external;

    /// @notice Gives back what an order committed and did not spend. Only Orders calls it.
    function releaseBudget(bytes32 assetId, bytes32 orderId, uint64 epsilon) external;

    /// @notice What stands on record for an asset; all zero for an unknown one.
    function asset(bytes32 assetId) external view returns (Asset memory);

    /// @notice Revenue share holders in their fixed order, entries of 0 bps included.
    function shares(bytes32 assetId) external view returns (Share[] memory);

    /// @notice What weighs on a holder's share; all zero if nothing ever did.
    function encumbranceOf(bytes32 assetId, address holder) external view returns (Encumbrance memory);

    /// @notice What is left of the privacy budget, in millionths of epsilon.
    function budgetLeft(bytes32 assetId) external view returns (uint64);

    /// @notice For the contracts Titles and Registrations: `account` took a title or a pledge of one by its own signature, or objected.
    function noteParty(bytes32 assetId, address account) external;

    /// @notice Reverts if `account` registered the asset, shares in its revenue, holds a first title to it, or ever was noted as a party.
    function requireNoPart(bytes32 assetId, address account) external view;

    /// @notice Reverts while a transfer of the asset's registration is open that `account` applied for.
    function requireNotPassing(bytes32 assetId, address account) external view;

    /// @notice Which first titles a transfer by `from` would hand over, bits as in {Confirm}: those that it holds and that have not
    /// ended.
    function passing(bytes32 assetId, address from) external view returns (uint8 rights);

    /// @notice Reverts unless the asset is confirmed and in its term.
    /// @return validUntil end of the asset's term, unix seconds.
    function requireConfirmed(bytes32 assetId) external view returns (uint64 validUntil);
}
