// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";

/// @title Titles: who may hold, use and operate a data asset
/// @notice The first titles come with an asset's confirmation; a use title is created when an order is funded.
interface ITitles is IIntentBatch {
    /// @notice The three data rights: to hold, to use, to operate (who may list).
    enum TitleKind {
        None,
        Hold,
        Use,
        Operate
    }

    struct Title {
        address holder;
        TitleKind kind;
        uint32 version;
        uint40 validUntil;
    }

    /// @notice Signed by both sides: a title is never pushed on somebody. `version` is the title's present one.
    struct Transfer {
        bytes32 titleId;
        address from;
        address to;
        uint64 version;
        uint64 deadline;
    }

    event TitleGranted(
        bytes32 indexed titleId,
        bytes32 indexed assetId,
        uint8 kind,
        address indexed holder,
        bytes32 orderId,
        uint64 validUntil
    );
    event TitleTransferred(bytes32 indexed titleId, address indexed from, address indexed to, uint64 version);

    /// @notice `account` does not hold the title.
    error TitlesNotHolder(bytes32 titleId, address account);
    /// @notice A use title belongs to its order and stays with its buyer.
    error TitlesNotTransferable(bytes32 titleId);
    /// @notice Giver and receiver are the same.
    error TitlesSameParty(address account);
    /// @notice Only the Rights contract opens titles, and only Orders grants the uses of orders.
    error TitlesOnlyMarket(address caller);

    /// @notice Hands a title to hold or to operate to another active participant.
    function transfer(Transfer calldata transfer_, bytes calldata fromSignature, bytes calldata toSignature) external;

    /// @notice Creates the first titles of an asset that is confirmed. Only Rights calls it.
    function open(bytes32 assetId, address holder, uint64 validUntil) external;

    /// @notice Grants `buyer` the use title of an order. Only Orders calls it.
    function grantUse(bytes32 assetId, bytes32 orderId, address buyer, uint64 validUntil) external;

    /// @notice What stands on record for a title; all zero for an unknown one.
    function title(bytes32 titleId) external view returns (Title memory);

    /// @notice Whether `account` holds one of the first titles of an asset.
    function hasPart(bytes32 assetId, address account) external view returns (bool);

    /// @notice Reverts unless the asset is confirmed and in its term and `account` holds its operate title.
    /// @return validUntil end of the asset's term, unix seconds.
    function requireOperator(bytes32 assetId, address account) external view returns (uint64 validUntil);
}
