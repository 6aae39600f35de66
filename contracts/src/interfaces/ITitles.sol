// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";

/// @title Titles: who may hold, use and operate a data asset, for what, where, until when, and under whom
/// @notice An asset's confirmation creates up to three first titles, the roots of its trees. A holder who may do so grants parts of what
/// it has; a part is never wider than its whole and dies with it. A use title is also created when an order is funded.
interface ITitles is IIntentBatch {
    /// @notice The three data rights: to hold, to use, to operate (who may list).
    enum TitleKind {
        None,
        Hold,
        Use,
        Operate
    }

    /// @notice A title as it stands. `validUntil` of a root is its asset's. An order's use has no scope of its own: it has its listing's.
    /// @param marks bits: 1 exclusive, 2 may grant, 4 may derive, 8 ended, 16 seized, 32 under administrative control, 64 pledged.
    /// @param fields columns of the asset's manifest, bit 0 for the first.
    struct Title {
        address holder;
        TitleKind kind;
        uint8 marks;
        uint32 version;
        uint40 validFrom;
        uint40 validUntil;
        bytes32 assetId;
        bytes32 parent;
        uint32 purposes;
        bytes32 fields;
        uint48 territories;
    }

    /// @notice Signed by both sides: a title is never pushed on somebody. `version` is the title's present one.
    struct Transfer {
        bytes32 titleId;
        address from;
        address to;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by both sides. titleId = keccak256(abi.encode(parent, grantee, termsDigest)); `version` is the parent's present one.
    /// @param marks bits: 1 exclusive, 2 may grant, 4 may derive.
    struct Grant {
        bytes32 titleId;
        bytes32 parent;
        uint8 kind;
        address grantor;
        address grantee;
        uint32 purposes;
        bytes32 fields;
        uint48 territories;
        uint64 validFrom;
        uint64 validUntil;
        uint8 marks;
        bytes32 termsDigest;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `holder`, who gives up a title that was granted to it.
    struct Surrender {
        bytes32 titleId;
        address holder;
        bytes32 reasonDigest;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `registrar`, who has no part in the title.
    struct RevokeTitle {
        bytes32 titleId;
        address registrar;
        bytes32 reasonDigest;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `registrar`, on the order of a court (16) or an authority (32) whose digest is named; `marks` of 0 lifts both.
    struct Encumber {
        bytes32 titleId;
        uint8 marks;
        bytes32 orderDigest;
        address registrar;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by holder and pledgee.
    struct Pledge {
        bytes32 titleId;
        address holder;
        address pledgee;
        bytes32 debtDigest;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `pledgee`: the pledge is over.
    struct ReleasePledge {
        bytes32 titleId;
        address pledgee;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `pledgee`: it allows one transfer, exclusive grant or surrender, named by that intent's struct hash. A permit
    /// raises the title's version by one, so the act states `version` + 1.
    struct Permit {
        bytes32 titleId;
        bytes32 act;
        address pledgee;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `registrar`, on a ruling whose digest is named: the pledged title goes to the pledgee.
    struct Enforce {
        bytes32 titleId;
        bytes32 rulingDigest;
        address registrar;
        uint64 version;
        uint64 deadline;
    }

    /// @notice A first title, or the use title of an order (`parent`: the operate title of its listing).
    event TitleGranted(
        bytes32 indexed titleId,
        bytes32 indexed assetId,
        uint8 kind,
        address indexed holder,
        bytes32 orderId,
        uint64 validUntil,
        bytes32 parent
    );
    /// @notice A part of `parent` was granted.
    event TitleDerived(
        bytes32 indexed titleId,
        bytes32 indexed assetId,
        bytes32 parent,
        uint8 kind,
        address indexed holder,
        uint32 purposes,
        bytes32 fields,
        uint48 territories,
        uint64 validFrom,
        uint64 validUntil,
        uint8 marks,
        bytes32 termsDigest
    );
    event TitleTransferred(bytes32 indexed titleId, address indexed from, address indexed to, uint64 version);
    event TitleEnded(bytes32 indexed titleId, address indexed by, bytes32 reasonDigest, uint64 version);
    event TitleEncumbered(
        bytes32 indexed titleId, uint8 marks, bytes32 orderDigest, address indexed registrar, uint64 version
    );
    event TitlePledged(bytes32 indexed titleId, address indexed pledgee, bytes32 debtDigest, uint64 version);
    event PledgeReleased(bytes32 indexed titleId, address indexed pledgee, uint64 version);
    event ActPermitted(bytes32 indexed titleId, bytes32 act, address indexed pledgee, uint64 version);
    event PledgeEnforced(
        bytes32 indexed titleId, address from, address indexed to, bytes32 rulingDigest, address registrar, uint64 version
    );

    /// @notice The id is not the one that follows from the intent's own fields.
    error TitlesIdMismatch(bytes32 expected, bytes32 got);
    /// @notice This very grant was made before.
    error TitlesExists(bytes32 titleId);
    /// @notice `account` does not hold the title, or it is of another kind or asset than needed.
    error TitlesNotHolder(bytes32 titleId, address account);
    /// @notice An order's use stays with its buyer; a granted title moves only if it may be granted on.
    error TitlesNotTransferable(bytes32 titleId);
    /// @notice Giver and receiver are the same.
    error TitlesSameParty(address account);
    /// @notice Only Rights opens titles, only Listings offers, only Orders grants the uses of orders.
    error TitlesOnlyMarket(address caller);
    /// @notice The parent may not be granted on, or not as this kind.
    error TitlesNotGrantable(bytes32 parent, uint8 kind);
    /// @notice Asked for more than the title has, or for nothing: 1 marks, 2 purposes, 3 fields, 4 territories, 5 term.
    error TitlesWider(bytes32 titleId, uint8 dimension);
    /// @notice The cell overlaps with the exclusive title `other`, or is to be exclusive and overlaps with `other`.
    error TitlesConflict(bytes32 other);
    /// @notice What `titleId` has on offer in this cell may be in use until `until`, so the use of it cannot be exclusive.
    error TitlesOffered(bytes32 titleId, uint64 until);
    /// @notice Thirty-two parts of this title are in force already.
    error TitlesFull(bytes32 titleId);
    /// @notice The title is eight grants away from its root already.
    error TitlesDepth(bytes32 titleId);
    /// @notice `ancestor`, the title itself or one above it, is over: 1 ended, 2 expired, 3 not begun.
    error TitlesOver(bytes32 titleId, bytes32 ancestor, uint8 cause);
    /// @notice `ancestor`, the title itself or one above it, is seized (16) or under administrative control (32).
    error TitlesEncumbered(bytes32 titleId, bytes32 ancestor, uint8 marks);
    /// @notice No order leads from the `current` encumbrances to those `asked` for.
    error TitlesMarks(bytes32 titleId, uint8 current, uint8 asked);
    /// @notice The title is pledged, and the pledgee did not permit this act.
    error TitlesPledged(bytes32 titleId, address pledgee);
    /// @notice Only a title to operate can be pledged.
    error TitlesNotPledgeable(bytes32 titleId);
    /// @notice The title is not pledged to `account`.
    error TitlesNotPledgee(bytes32 titleId, address account);
    /// @notice A first title is not given up: its registration is cancelled.
    error TitlesFirst(bytes32 titleId);
    /// @notice Nobody ends by an act of its own what others hold under it: `part`, or, where that is zero, uses of orders, until `until`.
    error TitlesInUse(bytes32 titleId, bytes32 part, uint64 until);

    /// @notice Hands a title to another active participant.
    function transfer(Transfer calldata transfer_, bytes calldata fromSignature, bytes calldata toSignature) external;

    /// @notice Grants a part of a title.
    function grant(Grant calldata grant_, bytes calldata grantorSignature, bytes calldata granteeSignature) external;

    /// @notice Gives a granted title up, out of which nothing that is granted is in force any more.
    function surrender(Surrender calldata surrender_, bytes calldata holderSignature) external;

    /// @notice Revokes any title; with it dies whatever was granted out of it.
    function revoke(RevokeTitle calldata revocation, bytes calldata registrarSignature) external;

    /// @notice Marks a title as seized or controlled, or lifts that: then nothing under it is transferred, granted or newly sold.
    function encumber(Encumber calldata encumbrance, bytes calldata registrarSignature) external;

    /// @notice Pledges a title to operate.
    function pledge(Pledge calldata pledge_, bytes calldata holderSignature, bytes calldata pledgeeSignature) external;

    /// @notice Releases a pledge.
    function releasePledge(ReleasePledge calldata release, bytes calldata pledgeeSignature) external;

    /// @notice Permits one act on a pledged title.
    function permit(Permit calldata permit_, bytes calldata pledgeeSignature) external;

    /// @notice Gives a pledged title to its pledgee, free of the pledge.
    function enforce(Enforce calldata enforcement, bytes calldata registrarSignature) external;

    /// @notice Gives a first title to the receiver of a registered transfer. Only Rights calls it, and has looked at what
    /// weighs on the title.
    function hand(bytes32 titleId, address to) external;

    /// @notice Creates the first titles of an asset that is confirmed. Only Rights calls it.
    /// @param rights bits: 1 to hold, 2 to use, 4 to operate.
    function open(bytes32 assetId, address holder, uint64 validUntil, uint8 rights) external;

    /// @notice Notes that a cell of a title is on offer until `until`. Only Listings calls it.
    /// @return latest as {requireOperator}.
    function offer(
        bytes32 titleId,
        bytes32 assetId,
        address seller,
        uint32 purposes,
        bytes32 fields,
        uint48 territories,
        uint64 until
    ) external returns (uint64 latest);

    /// @notice Grants `buyer` the use title of an order under `parent`. Only Orders calls it.
    function grantUse(bytes32 parent, bytes32 assetId, bytes32 orderId, address buyer, uint64 validUntil) external;

    /// @notice What stands on record for a title; all zero for an unknown one.
    function title(bytes32 titleId) external view returns (Title memory);

    /// @notice To whom a title is or was last pledged, and the act that was last permitted.
    function pledgeOf(bytes32 titleId) external view returns (address pledgee, bytes32 permitted);

    /// @notice Why a title is not in force, and the ancestor that this comes from: 0 in force, 1 ended, 2 expired, 3 not begun, 4 its
    /// asset is not confirmed, 5 unknown.
    function standing(bytes32 titleId) external view returns (uint8 cause, bytes32 ancestor);

    /// @notice What was granted out of a title and is not over by itself: the first such part, or zero for uses of orders, and its
    /// end; (0, 0) if nothing. Of orders the latest end is known, whether or not they were settled or given back before.
    function inUse(bytes32 titleId) external view returns (bytes32 part, uint64 until);

    /// @notice Whether `account` holds one of the first titles of an asset.
    function hasPart(bytes32 assetId, address account) external view returns (bool);

    /// @notice Reverts unless `account` may offer this cell of the asset under `titleId` now: it holds that title to operate, which is
    /// in force, free, and covers the cell, and no exclusive grant out of it takes the cell away before `until`.
    /// @return latest end of the title's term, unix seconds.
    function requireOperator(
        bytes32 titleId,
        bytes32 assetId,
        address account,
        uint32 purposes,
        bytes32 fields,
        uint48 territories,
        uint64 until
    ) external view returns (uint64 latest);
}
