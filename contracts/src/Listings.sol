// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acts} from "./Acts.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {ILineage} from "./interfaces/ILineage.sol";
import {IListings} from "./interfaces/IListings.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {ITitles} from "./interfaces/ITitles.sol";

/// @title Listings
contract Listings is IListings, ParticipantIntents {
    bytes32 private constant LIST_TYPEHASH = keccak256(
        "List(bytes32 listingId,bytes32 assetId,bytes32 titleId,address seller,bytes32 termsDigest,uint32 purposes,bytes32 fields,uint48 territories,uint96 price,uint16 currency,uint64 validUntil,uint64 deadline)"
    );
    bytes32 private constant DELIST_TYPEHASH =
        keccak256("Delist(bytes32 listingId,address seller,uint64 version,uint64 deadline)");

    /// @dev 2^53 - 1: more money than there can be, and exact in every JSON reader.
    uint96 private constant MOST = 2 ** 53 - 1;

    ITitles public immutable TITLES;
    ILineage public immutable override LINEAGE;

    mapping(bytes32 listingId => Listing) private _listings;

    constructor(IParticipants participants, ITitles titles, ILineage lineage) ParticipantIntents(participants) {
        TITLES = titles;
        LINEAGE = lineage;
    }

    /* LIST */

    /// @inheritdoc IListings
    function list(List calldata listing_, bytes calldata sellerSignature) external override {
        bytes32 structHash = keccak256(abi.encode(LIST_TYPEHASH, listing_));
        _requireSigned(listing_.seller, Acts.LISTINGS, structHash, sellerSignature);
        _requireInTime(listing_.deadline);
        bytes32 expected = keccak256(abi.encode(listing_.seller, listing_.assetId, listing_.termsDigest));
        if (expected != listing_.listingId) revert ListingsIdMismatch(expected, listing_.listingId);
        if (_listings[expected].status != Status.None) revert ListingsExists(expected);
        if (listing_.price > MOST) revert ListingsPrice(listing_.price);
        PARTICIPANTS.requireActive(listing_.seller, 0);
        uint64 latest = TITLES.offer(
            listing_.titleId,
            listing_.assetId,
            listing_.seller,
            listing_.purposes,
            listing_.fields,
            listing_.territories,
            listing_.validUntil
        );
        if (listing_.validUntil <= block.timestamp || listing_.validUntil > latest) {
            revert ListingsTerm(listing_.validUntil, latest);
        }
        LINEAGE.requireSellable(
            listing_.assetId, listing_.purposes, listing_.territories, listing_.validUntil
        );

        _listings[expected] = Listing(
            listing_.seller,
            listing_.price,
            listing_.assetId,
            listing_.titleId,
            listing_.fields,
            listing_.validUntil,
            Status.Listed,
            1,
            listing_.purposes,
            listing_.territories,
            listing_.currency
        );

        _emitListed(listing_);
    }

    /* DELIST */

    /// @inheritdoc IListings
    function delist(Delist calldata delisting, bytes calldata sellerSignature) external override {
        bytes32 structHash = keccak256(abi.encode(DELIST_TYPEHASH, delisting));
        _requireSigned(delisting.seller, Acts.LISTINGS, structHash, sellerSignature);
        _requireInTime(delisting.deadline);
        Listing storage record = _listings[delisting.listingId];
        _requireListed(delisting.listingId, record.status);
        if (record.seller != delisting.seller) revert ListingsNotSeller(delisting.listingId, delisting.seller);
        _requireVersion(record.version, delisting.version);

        record.status = Status.Delisted;
        record.version += 1;

        emit Delisted(delisting.listingId, record.version);
    }

    /* VIEWS */

    /// @inheritdoc IListings
    function listing(bytes32 listingId) external view override returns (Listing memory) {
        return _listings[listingId];
    }

    /// @inheritdoc IListings
    function requireLive(bytes32 listingId) external view override returns (Listing memory record) {
        record = _listings[listingId];
        _requireListed(listingId, record.status);
        if (block.timestamp > record.validUntil) revert ListingsExpired(listingId, record.validUntil);
        PARTICIPANTS.requireActive(record.seller, 0);
        TITLES.requireOperator(
            record.titleId,
            record.assetId,
            record.seller,
            record.purposes,
            record.fields,
            record.territories,
            record.validUntil
        );
        LINEAGE.requireSellable(record.assetId, record.purposes, record.territories, record.validUntil);
    }

    /* EFFECTS */

    function _emitListed(List calldata listing_) private {
        emit Listed(
            listing_.listingId,
            listing_.assetId,
            listing_.titleId,
            listing_.seller,
            listing_.termsDigest,
            listing_.purposes,
            listing_.fields,
            listing_.territories,
            listing_.price,
            listing_.currency,
            listing_.validUntil
        );
    }

    /* CHECKS */

    function _requireListed(bytes32 listingId, Status current) private pure {
        if (current != Status.Listed) revert ListingsNotListed(listingId, uint8(current));
    }
}
