// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";

/// @title Orders, from escrow to settlement
/// @notice A buyer puts money into escrow. Calls are paid by cumulative vouchers that stay outside; the last one settles the order.
/// A side that is left alone claims with what it has; after a window, in which any higher voucher wins, anyone finishes.
/// If nobody closes or claims, anyone may give the buyer everything back after the term.
interface IOrders is IIntentBatch {
    /// @notice None -> Funded by {fund} -> Settled by {settle}, {clear} or {conclude}, or Refunded by {refund} or
    /// {giveBack}; or Funded -> Claimed by {claim} -> Settled by {finish}, {settle} or {clear}.
    enum Status {
        None,
        Funded,
        Settled,
        Refunded,
        Claimed
    }

    struct Order {
        address buyer;
        uint96 escrow;
        bytes32 listingId;
        uint64 epsilonCap;
        uint64 validUntil;
        Status status;
        uint16 currency;
    }

    /// @notice Signed by `buyer`. orderId = keccak256(abi.encode(buyer, listingId, agreementDigest)). `agreementDigest` is of the buyer's
    /// acceptance of the listing's terms; `currency` is the listing's: neither side's signature can be read in another; `agreementId` is the agreement of both sides under which it orders, or zero for none.
    struct Fund {
        bytes32 orderId;
        bytes32 listingId;
        address buyer;
        uint96 escrow;
        uint16 currency;
        uint64 epsilonCap;
        uint64 validUntil;
        bytes32 agreementDigest;
        bytes32 agreementId;
        uint64 deadline;
    }

    /// @notice Signed by the order's buyer. Everything in it is the sum over all calls so far; it replaces the one before it.
    struct Voucher {
        bytes32 orderId;
        uint96 amount;
        uint64 epsilon;
        uint32 calls;
        bytes32 callsRoot;
    }

    /// @notice Signed by the listing's seller: "this voucher is the last one". `voucherHash` is its EIP-712 struct hash.
    struct Close {
        bytes32 orderId;
        bytes32 voucherHash;
        address seller;
        uint64 deadline;
    }

    /// @notice Signed by the listing's seller: "this voucher is the last one, and its money may go through this clearing batch".
    struct Clear {
        bytes32 orderId;
        bytes32 voucherHash;
        bytes32 batchId;
        address seller;
        uint64 deadline;
    }

    /// @notice Signed by `by`, the order's buyer or its listing's seller: "end this order by this voucher, or by a higher one".
    struct Claim {
        bytes32 orderId;
        bytes32 voucherHash;
        address by;
        uint64 deadline;
    }

    /// @notice What a claimed order will be settled with, and until when a higher voucher replaces it. Of all that were
    /// presented: the greatest amount, with the calls of that voucher; and the greatest epsilon.
    struct Window {
        bytes32 voucherHash;
        bytes32 callsRoot;
        uint96 amount;
        uint64 epsilon;
        uint32 calls;
        uint64 until;
    }

    event Funded(
        bytes32 indexed orderId,
        bytes32 indexed listingId,
        bytes32 assetId,
        address indexed buyer,
        uint96 escrow,
        uint64 epsilonCap,
        uint64 validUntil,
        bytes32 agreementDigest,
        bytes32 agreementId
    );
    event Settled(
        bytes32 indexed orderId,
        bytes32 voucherHash,
        uint96 amount,
        uint64 epsilon,
        uint32 calls,
        bytes32 callsRoot,
        uint96 fee,
        uint96 refund
    );
    event Claimed(
        bytes32 indexed orderId,
        address indexed by,
        bytes32 voucherHash,
        uint96 amount,
        uint64 epsilon,
        uint32 calls,
        bytes32 callsRoot,
        uint64 until
    );
    /// @notice What stands in the window now.
    event Challenged(
        bytes32 indexed orderId,
        bytes32 voucherHash,
        uint96 amount,
        uint64 epsilon,
        uint32 calls,
        bytes32 callsRoot
    );
    /// @notice A share holder's part, through its share of `assetId`: the asset of the order, or an input of it, see {ILineage-split}.
    event SharePaid(bytes32 indexed orderId, address indexed holder, bytes32 assetId, uint96 amount);
    event Refunded(bytes32 indexed orderId, uint96 amount);

    /// @notice The exchange's fee would be more than everything.
    error OrdersFeeRange(uint16 feeBps);
    /// @notice The id is not the one that follows from the intent's own fields.
    error OrdersIdMismatch(bytes32 expected, bytes32 got);
    /// @notice This agreement was funded already.
    error OrdersExists(bytes32 orderId);
    /// @notice A seller does not buy from itself.
    error OrdersOwnListing(address buyer);
    /// @notice The escrow does not cover one call.
    error OrdersEscrowTooSmall(uint96 escrow, uint96 price);
    /// @notice An order needs some privacy budget.
    error OrdersEpsilonCapZero();
    /// @notice The order must end after now and no later than the listing.
    error OrdersTerm(uint64 validUntil, uint64 latest);
    /// @notice The order is not in escrow: it is unknown (0), settled (2) or refunded (3); or it is claimed (4).
    error OrdersNotFunded(bytes32 orderId, uint8 current);
    /// @notice No claim on the order waits: it is unknown (0), funded (1), settled (2) or refunded (3).
    error OrdersNotClaimed(bytes32 orderId, uint8 current);
    /// @notice What is signed beside the voucher names another order or another voucher.
    error OrdersCloseMismatch(bytes32 expected, bytes32 got);
    /// @notice `account` is not the seller of the order's listing.
    error OrdersNotSeller(bytes32 orderId, address account);
    /// @notice The voucher claims more money than the escrow holds.
    error OrdersAmountOverEscrow(uint96 amount, uint96 escrow);
    /// @notice The voucher claims more privacy budget than the order has.
    error OrdersEpsilonOverCap(uint64 epsilon, uint64 epsilonCap);
    /// @notice `account` is neither buyer nor seller of the order.
    error OrdersNotParty(bytes32 orderId, address account);
    /// @notice After its term an order is not claimed; after three days more it is only refunded.
    error OrdersTermOver(bytes32 orderId, uint64 validUntil);
    /// @notice A delivery was arranged for the order: acceptance or its time ends it.
    error OrdersDelivered(bytes32 orderId);
    /// @notice No list of calls has a root of zero.
    error OrdersCallsRootZero();
    /// @notice The voucher is above what stands in neither amount nor epsilon.
    error OrdersNotHigher(bytes32 orderId, uint96 amount, uint64 epsilon);
    /// @notice Both sides agree on less than what one of them has claimed.
    error OrdersBelowClaim(bytes32 orderId, uint96 amount, uint64 epsilon);
    /// @notice The window for higher vouchers has ended.
    error OrdersWindowOver(bytes32 orderId, uint64 until);
    /// @notice The window for higher vouchers has not ended yet.
    error OrdersWindowOpen(bytes32 orderId, uint64 until);
    /// @notice The order's term, and the time after it in which a voucher may be presented, are not over yet.
    error OrdersNotDue(bytes32 orderId, uint64 validUntil);
    /// @notice Only the contract of deliveries ends an order so.
    error OrdersOnlyDeliveries(address caller);

    /// @notice Puts the buyer's money into escrow, commits privacy budget and grants the use title.
    function fund(Fund calldata order_, bytes calldata buyerSignature) external;

    /// @notice Pays the fee and the share holders of this moment, those of inputs too, by the last voucher; the rest goes back to
    /// the buyer. Of a claimed order not by less than what was claimed.
    function settle(
        Voucher calldata voucher,
        bytes calldata buyerSignature,
        Close calldata closing,
        bytes calldata sellerSignature
    ) external;

    /// @notice As {settle}, but the same parts become credits of an open clearing batch, which gets the escrow.
    function clear(
        Voucher calldata voucher,
        bytes calldata buyerSignature,
        Clear calldata clearing,
        bytes calldata sellerSignature
    ) external;

    /// @notice Within the order's term, one side alone asks for its end by a voucher of the buyer's. No money moves: a window
    /// opens, of three days. Nothing but a voucher ends the order then, be its term over or not.
    function claim(
        Voucher calldata voucher,
        bytes calldata buyerSignature,
        Claim calldata claim_,
        bytes calldata signature
    ) external;

    /// @notice Within the window, a higher voucher of the buyer's takes the place of what stands. Anyone may present it. A key
    /// that signed it may have ended, if not more than three days before the window opened. In the three days after the term of an
    /// order that nobody ended, any voucher of the buyer's opens the window, as {claim} does, for nobody in particular.
    function challenge(Voucher calldata voucher, bytes calldata buyerSignature) external;

    /// @notice After the window, settles by what stands in it, as {settle} does. Anyone may call it.
    function finish(bytes32 orderId) external;

    /// @notice Three days after the term, gives the whole escrow back. Anyone may call it. Privacy budget stays committed: what was asked in
    /// a broken-off order is not known here.
    function refund(bytes32 orderId) external;

    /// @notice For {IDeliveries} alone, which sees that `amount` is within the escrow: an accepted delivery ends the order as a voucher
    /// of one call without epsilon would. `noteHash` stands in place of the voucher's hash and of its calls' root.
    function conclude(bytes32 orderId, uint96 amount, bytes32 noteHash) external;

    /// @notice For {IDeliveries} alone: as {refund}, before the term, where a delivery did not come in time.
    function giveBack(bytes32 orderId) external;

    /// @notice What stands on record for an order; all zero for an unknown one.
    function order(bytes32 orderId) external view returns (Order memory);

    /// @notice What was claimed of an order and presented since; all zero where nothing was.
    function windowOf(bytes32 orderId) external view returns (Window memory);
}
