// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";
import {ILineage} from "./ILineage.sol";

/// @title What is on offer
/// @notice Whoever holds a title to operate a confirmed asset may list what that title covers; terms stay outside, their digest
/// is in the id.
interface IListings is IIntentBatch {
    /// @notice None -> Listed by {list} -> Delisted by {delist}.
    enum Status {
        None,
        Listed,
        Delisted
    }

    struct Listing {
        address seller;
        uint96 price;
        bytes32 assetId;
        bytes32 titleId;
        bytes32 fields;
        uint64 validUntil;
        Status status;
        uint32 version;
        uint32 purposes;
        uint48 territories;
        uint16 currency;
    }

    /// @notice Signed by `seller`. listingId = keccak256(abi.encode(seller, assetId, termsDigest)); `price` is for one call,
    /// in minor units of `currency`, an ISO 4217 numeric code; orders are paid in it.
    /// `titleId` is the seller's title to operate; purposes, fields and territories are what of it is on offer.
    struct List {
        bytes32 listingId;
        bytes32 assetId;
        bytes32 titleId;
        address seller;
        bytes32 termsDigest;
        uint32 purposes;
        bytes32 fields;
        uint48 territories;
        uint96 price;
        uint16 currency;
        uint64 validUntil;
        uint64 deadline;
    }

    /// @notice Signed by `seller`. `version` is the listing's present one.
    struct Delist {
        bytes32 listingId;
        address seller;
        uint64 version;
        uint64 deadline;
    }

    event Listed(
        bytes32 indexed listingId,
        bytes32 indexed assetId,
        bytes32 titleId,
        address indexed seller,
        bytes32 termsDigest,
        uint32 purposes,
        bytes32 fields,
        uint48 territories,
        uint96 price,
        uint16 currency,
        uint64 validUntil
    );
    event Delisted(bytes32 indexed listingId, uint64 version);

    /// @notice The id is not the one that follows from the intent's own fields.
    error ListingsIdMismatch(bytes32 expected, bytes32 got);
    /// @notice These terms were listed before; changed terms have another digest.
    error ListingsExists(bytes32 listingId);
    /// @notice The price is more than 2^53 - 1 minor units, which is all the money that there can be.
    error ListingsPrice(uint96 price);
    /// @notice The listing does not stand: it is unknown (0) or delisted (2).
    error ListingsNotListed(bytes32 listingId, uint8 current);
    /// @notice The listing's term is over.
    error ListingsExpired(bytes32 listingId, uint64 validUntil);
    /// @notice The listing must end after now and no later than the asset's confirmation.
    error ListingsTerm(uint64 validUntil, uint64 latest);
    /// @notice `account` is not the seller of the listing.
    error ListingsNotSeller(bytes32 listingId, address account);

    /// @notice Puts an asset on offer.
    function list(List calldata listing_, bytes calldata sellerSignature) external;

    /// @notice Takes an offer back. Orders that are funded already run on.
    function delist(Delist calldata delisting, bytes calldata sellerSignature) external;

    /// @notice Who knows what products are made of.
    function LINEAGE() external view returns (ILineage);

    /// @notice What stands on record for a listing; all zero for an unknown one.
    function listing(bytes32 listingId) external view returns (Listing memory);

    /// @notice Reverts unless the listing can be ordered now: it stands, is in its term, and its seller is an active participant
    /// that still holds the operate title; and no input of the asset stops it, see {ILineage-requireSellable}.
    function requireLive(bytes32 listingId) external view returns (Listing memory);
}
