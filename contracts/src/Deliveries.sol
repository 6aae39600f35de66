// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acts} from "./Acts.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {IDeliveries} from "./interfaces/IDeliveries.sol";
import {IListings} from "./interfaces/IListings.sol";
import {IOrders} from "./interfaces/IOrders.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {ITitles} from "./interfaces/ITitles.sol";

/// @title Deliveries
contract Deliveries is IDeliveries, ParticipantIntents {
    bytes32 private constant OFFER_TYPEHASH = keccak256(
        "OfferDelivery(bytes32 listingId,address seller,uint96 amount,uint32 deliverWithin,uint32 inspection,uint32 correction,uint8 corrections,uint8 marks,uint64 deadline)"
    );
    bytes32 private constant ARRANGE_TYPEHASH =
        keccak256("Arrange(bytes32 orderId,bytes32 receiveKey,address buyer,uint64 deadline)");
    bytes32 private constant DELIVER_TYPEHASH = keccak256(
        "Deliver(bytes32 orderId,address seller,uint8 round,bytes32 ciphertextDigest,bytes32 fingerprintId,bytes32 plaintextCommitment,uint64 deadline)"
    );
    bytes32 private constant ACKNOWLEDGE_TYPEHASH =
        keccak256("Acknowledge(bytes32 orderId,bytes32 noteHash,address buyer,uint64 deadline)");
    bytes32 private constant ACCEPT_TYPEHASH =
        keccak256("AcceptDelivery(bytes32 orderId,bytes32 noteHash,address buyer,uint64 deadline)");
    bytes32 private constant OBJECT_TYPEHASH = keccak256(
        "ObjectToDelivery(bytes32 orderId,bytes32 noteHash,bytes32 defectsDigest,address buyer,uint64 deadline)"
    );

    uint8 private constant SILENCE_ACCEPTS = 1;
    uint8 private constant QUALITY_IN_USE = 2;
    uint8 private constant ALL_MARKS = 3;
    uint8 private constant MOST_CORRECTIONS = 9;
    /// @dev 2^53 - 1: more money than there can be, and exact in every JSON reader.
    uint96 private constant MOST = 2 ** 53 - 1;
    /// @dev So long before the order's term ends the slowest course is over: else a refund could overtake a deemed acceptance.
    uint64 private constant SETTLING = 1 days;

    IOrders public immutable ORDERS;
    IListings public immutable LISTINGS;
    ITitles public immutable TITLES;

    mapping(bytes32 listingId => Offer) private _offers;
    mapping(bytes32 orderId => Delivery) private _deliveries;

    constructor(IParticipants participants, IOrders orders, IListings listings, ITitles titles)
        ParticipantIntents(participants)
    {
        ORDERS = orders;
        LISTINGS = listings;
        TITLES = titles;
    }

    /* OFFER */

    /// @inheritdoc IDeliveries
    function offer(OfferDelivery calldata offer_, bytes calldata sellerSignature) external override {
        bytes32 structHash = keccak256(abi.encode(OFFER_TYPEHASH, offer_));
        _requireSigned(offer_.seller, Acts.LISTINGS, structHash, sellerSignature);
        _requireInTime(offer_.deadline);
        IListings.Listing memory listing = LISTINGS.requireLive(offer_.listingId);
        if (listing.seller != offer_.seller) revert DeliveriesNotSeller(offer_.listingId, offer_.seller);
        if (_offers[offer_.listingId].inspection > 0) revert DeliveriesOffered(offer_.listingId);
        if (offer_.amount > MOST) revert DeliveriesAmount(offer_.amount, MOST);
        bool timeless = offer_.deliverWithin == 0 || offer_.inspection == 0;
        if (timeless || offer_.corrections > MOST_CORRECTIONS || offer_.marks > ALL_MARKS) {
            revert DeliveriesTerms(offer_.deliverWithin, offer_.inspection, offer_.corrections, offer_.marks);
        }

        _offers[offer_.listingId] = Offer(
            offer_.amount,
            offer_.deliverWithin,
            offer_.inspection,
            offer_.correction,
            offer_.corrections,
            offer_.marks
        );

        emit DeliveryOffered(
            offer_.listingId,
            offer_.seller,
            offer_.amount,
            offer_.deliverWithin,
            offer_.inspection,
            offer_.correction,
            offer_.corrections,
            offer_.marks
        );
    }

    /* ARRANGE */

    /// @inheritdoc IDeliveries
    function arrange(Arrange calldata wish, bytes calldata buyerSignature) external override {
        bytes32 structHash = keccak256(abi.encode(ARRANGE_TYPEHASH, wish));
        _requireSigned(wish.buyer, Acts.ORDERS, structHash, buyerSignature);
        _requireInTime(wish.deadline);
        IOrders.Order memory order = _requireFunded(wish.orderId);
        _requireBuyer(wish.orderId, order, wish.buyer);
        Delivery storage record = _deliveries[wish.orderId];
        _requireStatus(wish.orderId, record, Status.None);
        if (wish.receiveKey == 0) revert DeliveriesKeyZero();
        Offer memory terms = _offers[order.listingId];
        _requireFits(terms, order);

        record.dueAt = uint64(block.timestamp) + terms.deliverWithin;
        record.status = Status.Arranged;

        emit DeliveryArranged(wish.orderId, wish.buyer, wish.receiveKey, record.dueAt);
    }

    /* DELIVER */

    /// @inheritdoc IDeliveries
    function deliver(Deliver calldata note, bytes calldata sellerSignature) external override {
        bytes32 noteHash = keccak256(abi.encode(DELIVER_TYPEHASH, note));
        _requireSigned(note.seller, Acts.SETTLEMENT, noteHash, sellerSignature);
        _requireInTime(note.deadline);
        bytes32 listingId = _requireFunded(note.orderId).listingId;
        IListings.Listing memory listing = LISTINGS.listing(listingId);
        if (listing.seller != note.seller) revert DeliveriesNotSeller(note.orderId, note.seller);
        Delivery storage record = _deliveries[note.orderId];
        if (record.status != Status.Objected) _requireStatus(note.orderId, record, Status.Arranged);
        if (note.round != record.rounds + 1) revert DeliveriesRound(record.rounds + 1, note.round);
        Offer memory terms = _offers[listingId];
        if (record.rounds > terms.corrections || block.timestamp > record.dueAt) {
            revert DeliveriesOver(note.orderId, record.dueAt);
        }
        TITLES.requireOperator(
            listing.titleId,
            listing.assetId,
            listing.seller,
            listing.purposes,
            listing.fields,
            listing.territories,
            listing.validUntil
        );

        record.rounds = note.round;
        record.acknowledged = false;
        record.status = Status.Inspecting;
        record.dueAt = uint64(block.timestamp) + terms.inspection;
        record.noteHash = noteHash;

        _emitDelivered(note, noteHash, record.dueAt);
    }

    /* ACCEPT OR OBJECT */

    /// @inheritdoc IDeliveries
    function acknowledge(Acknowledge calldata receipt, bytes calldata buyerSignature) external override {
        bytes32 structHash = keccak256(abi.encode(ACKNOWLEDGE_TYPEHASH, receipt));
        _requireSigned(receipt.buyer, Acts.ORDERS, structHash, buyerSignature);
        _requireInTime(receipt.deadline);
        (Delivery storage record, IOrders.Order memory order) =
            _requireInspecting(receipt.orderId, receipt.buyer, receipt.noteHash);
        if (record.acknowledged) revert DeliveriesStatus(receipt.orderId, uint8(record.status));

        Offer storage terms = _offers[order.listingId];
        bool accepts = terms.marks & QUALITY_IN_USE == 0;

        record.acknowledged = true;
        if (accepts) record.status = Status.Accepted;

        emit DeliveryAcknowledged(receipt.orderId, receipt.noteHash, uint8(record.status));

        if (accepts) ORDERS.conclude(receipt.orderId, terms.amount, receipt.noteHash);
    }

    /// @inheritdoc IDeliveries
    function accept(AcceptDelivery calldata acceptance, bytes calldata buyerSignature) external override {
        bytes32 structHash = keccak256(abi.encode(ACCEPT_TYPEHASH, acceptance));
        _requireSigned(acceptance.buyer, Acts.ORDERS, structHash, buyerSignature);
        _requireInTime(acceptance.deadline);
        (Delivery storage record, IOrders.Order memory order) =
            _requireInspecting(acceptance.orderId, acceptance.buyer, acceptance.noteHash);

        record.status = Status.Accepted;

        emit DeliveryAccepted(acceptance.orderId, acceptance.noteHash);

        ORDERS.conclude(acceptance.orderId, _offers[order.listingId].amount, acceptance.noteHash);
    }

    /// @inheritdoc IDeliveries
    function object(ObjectToDelivery calldata objection, bytes calldata buyerSignature) external override {
        bytes32 structHash = keccak256(abi.encode(OBJECT_TYPEHASH, objection));
        _requireSigned(objection.buyer, Acts.ORDERS, structHash, buyerSignature);
        _requireInTime(objection.deadline);
        (Delivery storage record, IOrders.Order memory order) =
            _requireInspecting(objection.orderId, objection.buyer, objection.noteHash);
        if (block.timestamp > record.dueAt) revert DeliveriesOver(objection.orderId, record.dueAt);
        Offer storage terms = _offers[order.listingId];
        bool last = record.rounds > terms.corrections;

        record.status = Status.Objected;
        record.dueAt =
            last ? order.validUntil : uint64(block.timestamp) + terms.correction;

        emit DeliveryObjected(objection.orderId, objection.noteHash, objection.defectsDigest, record.dueAt);
    }

    /* WHAT ANYONE MAY DO */

    /// @inheritdoc IDeliveries
    function deem(bytes32 orderId) external override {
        Offer storage terms = _offers[_requireFunded(orderId).listingId];
        Delivery storage record = _deliveries[orderId];
        _requireStatus(orderId, record, Status.Inspecting);
        if (terms.marks & SILENCE_ACCEPTS == 0) revert DeliveriesSilence(orderId);
        if (block.timestamp <= record.dueAt) revert DeliveriesNotDue(orderId, record.dueAt);

        record.status = Status.Deemed;

        emit DeliveryDeemed(orderId, record.noteHash);

        ORDERS.conclude(orderId, terms.amount, record.noteHash);
    }

    /// @inheritdoc IDeliveries
    function lapse(bytes32 orderId) external override {
        _requireFunded(orderId);
        Delivery storage record = _deliveries[orderId];
        if (record.status != Status.Objected) _requireStatus(orderId, record, Status.Arranged);
        if (block.timestamp <= record.dueAt) revert DeliveriesNotDue(orderId, record.dueAt);

        record.status = Status.Lapsed;

        emit DeliveryLapsed(orderId);

        ORDERS.giveBack(orderId);
    }

    /* VIEWS */

    /// @inheritdoc IDeliveries
    function offerOf(bytes32 listingId) external view override returns (Offer memory) {
        return _offers[listingId];
    }

    /// @inheritdoc IDeliveries
    function delivery(bytes32 orderId) external view override returns (Delivery memory shown) {
        shown = _deliveries[orderId];
        if (shown.status == Status.None || shown.status > Status.Objected) return shown;
        // Every verb asks the order, so nothing is written here when it ends.
        if (ORDERS.order(orderId).status != IOrders.Status.Funded) shown.status = Status.Ended;
    }

    /* EFFECTS */

    function _emitDelivered(Deliver calldata note, bytes32 noteHash, uint64 dueAt) private {
        emit Delivered(
            note.orderId,
            note.seller,
            note.round,
            noteHash,
            note.ciphertextDigest,
            note.fingerprintId,
            note.plaintextCommitment,
            dueAt
        );
    }

    /* CHECKS */

    function _requireFits(Offer memory terms, IOrders.Order memory order) private view {
        if (terms.inspection == 0) revert DeliveriesNotOffered(order.listingId);
        if (terms.amount > order.escrow) revert DeliveriesAmount(terms.amount, order.escrow);
        uint256 slowest = block.timestamp + terms.deliverWithin + uint256(terms.inspection) * (uint256(terms.corrections) + 1)
            + uint256(terms.correction) * terms.corrections + SETTLING;
        if (slowest > order.validUntil) revert DeliveriesTimes(slowest, order.validUntil);
    }

    function _requireInspecting(bytes32 orderId, address buyer, bytes32 noteHash)
        private
        view
        returns (Delivery storage record, IOrders.Order memory order)
    {
        order = _requireFunded(orderId);
        _requireBuyer(orderId, order, buyer);
        record = _deliveries[orderId];
        _requireStatus(orderId, record, Status.Inspecting);
        if (record.noteHash != noteHash) revert DeliveriesNoteMismatch(record.noteHash, noteHash);
    }

    function _requireFunded(bytes32 orderId) private view returns (IOrders.Order memory order) {
        order = ORDERS.order(orderId);
        if (order.status != IOrders.Status.Funded) revert IOrders.OrdersNotFunded(orderId, uint8(order.status));
    }

    function _requireBuyer(bytes32 orderId, IOrders.Order memory order, address account) private pure {
        if (order.buyer != account) revert DeliveriesNotBuyer(orderId, account);
    }

    function _requireStatus(bytes32 orderId, Delivery storage record, Status wanted) private view {
        if (record.status != wanted) revert DeliveriesStatus(orderId, uint8(record.status));
    }
}
