// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";

/// @title Deliveries, from arrangement to acceptance
/// @notice A seller offers delivery under a listing; a buyer asks for it; the seller delivers, the buyer accepts or objects. Acceptance ends the order as a last voucher would; lateness gives the money back.
interface IDeliveries is IIntentBatch {
    /// @notice None -> Arranged by {arrange} -> Inspecting by {deliver} -> Accepted by {accept} or {acknowledge}, Deemed by {deem}, or
    /// Objected by {object} -> Inspecting again by {deliver}. Arranged or Objected -> Lapsed by {lapse}.
    enum Status {
        None,
        Arranged,
        Inspecting,
        Objected,
        Accepted,
        Deemed,
        Lapsed,
        Ended
    }

    /// @dev Ended: its order did, by a voucher of both sides or by a refund, before it was accepted or late. `dueAt` is until when the seller may deliver (Arranged, Objected) or the buyer object (Inspecting). `rounds` were
    /// delivered; `acknowledged` is of the last of them.
    struct Delivery {
        uint64 dueAt;
        uint8 rounds;
        bool acknowledged;
        Status status;
        bytes32 noteHash;
    }

    /// @dev As signed; all zero for a listing under which nothing is delivered.
    struct Offer {
        uint96 amount;
        uint32 deliverWithin;
        uint32 inspection;
        uint32 correction;
        uint8 corrections;
        uint8 marks;
    }

    /// @notice Signed by the listing's seller, once: orders of this listing may be delivered. `amount` is what acceptance makes due. The
    /// seller has `deliverWithin` seconds from the arrangement, the buyer `inspection` seconds for each delivery, the seller
    /// `correction` seconds after each objection and `corrections` of them. `marks`: 1 silence accepts; 2 quality shows only in use,
    /// so that use is not acceptance.
    struct OfferDelivery {
        bytes32 listingId;
        address seller;
        uint96 amount;
        uint32 deliverWithin;
        uint32 inspection;
        uint32 correction;
        uint8 corrections;
        uint8 marks;
        uint64 deadline;
    }

    /// @notice Signed by the order's buyer: deliver, on the terms of the offer. `receiveKey` is the X25519 key to seal to.
    struct Arrange {
        bytes32 orderId;
        bytes32 receiveKey;
        address buyer;
        uint64 deadline;
    }

    /// @notice The delivery note, signed by the listing's seller. `round` counts the order's deliveries from 1.
    struct Deliver {
        bytes32 orderId;
        address seller;
        uint8 round;
        bytes32 ciphertextDigest;
        bytes32 fingerprintId;
        bytes32 plaintextCommitment;
        uint64 deadline;
    }

    /// @notice Signed by the order's buyer: it has opened and verified what this note names. `noteHash` is its EIP-712 struct hash.
    struct Acknowledge {
        bytes32 orderId;
        bytes32 noteHash;
        address buyer;
        uint64 deadline;
    }

    /// @notice Signed by the order's buyer: what this note names is as agreed.
    struct AcceptDelivery {
        bytes32 orderId;
        bytes32 noteHash;
        address buyer;
        uint64 deadline;
    }

    /// @notice Signed by the order's buyer. `defectsDigest` is of its list of defects.
    struct ObjectToDelivery {
        bytes32 orderId;
        bytes32 noteHash;
        bytes32 defectsDigest;
        address buyer;
        uint64 deadline;
    }

    event DeliveryOffered(
        bytes32 indexed listingId,
        address indexed seller,
        uint96 amount,
        uint32 deliverWithin,
        uint32 inspection,
        uint32 correction,
        uint8 corrections,
        uint8 marks
    );
    event DeliveryArranged(bytes32 indexed orderId, address indexed buyer, bytes32 receiveKey, uint64 dueAt);
    event Delivered(
        bytes32 indexed orderId,
        address indexed seller,
        uint8 round,
        bytes32 noteHash,
        bytes32 ciphertextDigest,
        bytes32 fingerprintId,
        bytes32 plaintextCommitment,
        uint64 dueAt
    );
    /// @dev `status` is Inspecting still, or Accepted.
    event DeliveryAcknowledged(bytes32 indexed orderId, bytes32 noteHash, uint8 status);
    event DeliveryObjected(bytes32 indexed orderId, bytes32 noteHash, bytes32 defectsDigest, uint64 dueAt);
    event DeliveryAccepted(bytes32 indexed orderId, bytes32 noteHash);
    event DeliveryDeemed(bytes32 indexed orderId, bytes32 noteHash);
    event DeliveryLapsed(bytes32 indexed orderId);

    /// @notice `account` is not the buyer of the order.
    error DeliveriesNotBuyer(bytes32 orderId, address account);
    /// @notice `account` is not the seller of the order's listing.
    error DeliveriesNotSeller(bytes32 orderId, address account);
    /// @notice The delivery's status does not allow this.
    error DeliveriesStatus(bytes32 orderId, uint8 current);
    /// @notice The buyer must give a key to seal to.
    error DeliveriesKeyZero();
    /// @notice What acceptance makes due is more than the escrow, or than the 2^53 - 1 minor units that there can be.
    error DeliveriesAmount(uint96 amount, uint96 escrow);
    /// @notice The listing's seller offered delivery under it already.
    error DeliveriesOffered(bytes32 listingId);
    /// @notice Nothing is delivered under this listing.
    error DeliveriesNotOffered(bytes32 listingId);
    /// @notice No time to deliver or to inspect, more than nine corrections, or a mark that is not known.
    error DeliveriesTerms(uint32 deliverWithin, uint32 inspection, uint8 corrections, uint8 marks);
    /// @notice Delivery, inspections and corrections at their slowest, and a day, do not fit into the order's term.
    error DeliveriesTimes(uint256 slowest, uint64 validUntil);
    /// @notice This is another delivery than the one that comes next.
    error DeliveriesRound(uint8 expected, uint8 got);
    /// @notice The seller has no correction left, or the time for this is over.
    error DeliveriesOver(bytes32 orderId, uint64 dueAt);
    /// @notice The time for this has not come yet.
    error DeliveriesNotDue(bytes32 orderId, uint64 dueAt);
    /// @notice The buyer speaks of another delivery than the last one.
    error DeliveriesNoteMismatch(bytes32 expected, bytes32 got);
    /// @notice Silence is not acceptance under the terms of this order.
    error DeliveriesSilence(bytes32 orderId);

    /// @notice Offers delivery under a listing.
    function offer(OfferDelivery calldata offer_, bytes calldata sellerSignature) external;

    /// @notice Asks for the delivery of a funded order; the seller's time begins.
    function arrange(Arrange calldata wish, bytes calldata buyerSignature) external;

    /// @notice Delivers, first or corrected; the seller must still hold its title to operate.
    function deliver(Deliver calldata note, bytes calldata sellerSignature) external;

    /// @notice The buyer's receipt. Where quality does not show only in use, it accepts.
    function acknowledge(Acknowledge calldata receipt, bytes calldata buyerSignature) external;

    /// @notice Accepts: the order ends, and what was arranged is paid out.
    function accept(AcceptDelivery calldata acceptance, bytes calldata buyerSignature) external;

    /// @notice Objects within the inspection.
    function object(ObjectToDelivery calldata objection, bytes calldata buyerSignature) external;

    /// @notice After an inspection that passed in silence, accepts, where the terms say so. Anyone may call it.
    function deem(bytes32 orderId) external;

    /// @notice After the time for a delivery or correction, gives the whole escrow back. Anyone may call it.
    function lapse(bytes32 orderId) external;

    /// @notice On what terms orders of a listing are delivered; all zero where they are not.
    function offerOf(bytes32 listingId) external view returns (Offer memory);

    /// @notice How the delivery of an order stands, also where the order ended without it; all zero for none.
    function delivery(bytes32 orderId) external view returns (Delivery memory);
}
