// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Acts} from "./Acts.sol";
import {Currencies} from "./Currencies.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {Roles} from "./Roles.sol";
import {IAgreements} from "./interfaces/IAgreements.sol";
import {IClearing} from "./interfaces/IClearing.sol";
import {IDeliveries} from "./interfaces/IDeliveries.sol";
import {ILineage} from "./interfaces/ILineage.sol";
import {IListings} from "./interfaces/IListings.sol";
import {IOrders} from "./interfaces/IOrders.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {IRights} from "./interfaces/IRights.sol";
import {ITitles} from "./interfaces/ITitles.sol";

/// @title Orders
contract Orders is IOrders, Currencies, ParticipantIntents {
    bytes32 private constant FUND_TYPEHASH = keccak256(
        "Fund(bytes32 orderId,bytes32 listingId,address buyer,uint96 escrow,uint16 currency,uint64 epsilonCap,uint64 validUntil,bytes32 agreementDigest,bytes32 agreementId,uint64 deadline)"
    );
    bytes32 private constant VOUCHER_TYPEHASH =
        keccak256("Voucher(bytes32 orderId,uint96 amount,uint64 epsilon,uint32 calls,bytes32 callsRoot)");
    bytes32 private constant CLOSE_TYPEHASH =
        keccak256("Close(bytes32 orderId,bytes32 voucherHash,address seller,uint64 deadline)");
    bytes32 private constant CLEAR_TYPEHASH =
        keccak256("Clear(bytes32 orderId,bytes32 voucherHash,bytes32 batchId,address seller,uint64 deadline)");
    bytes32 private constant CLAIM_TYPEHASH =
        keccak256("Claim(bytes32 orderId,bytes32 voucherHash,address by,uint64 deadline)");

    uint16 private constant WHOLE_BPS = 10_000;
    /// @dev So long a voucher outlives the key that signed it: or a buyer could take its answers and then end the key.
    uint64 private constant VOUCHER_GRACE = 3 days;
    /// @dev So long a claimed order waits for a higher voucher before anybody's claim moves money.
    uint64 private constant CHALLENGE_WINDOW = 3 days;
    /// @dev So long after its term an order waits for a voucher before its escrow goes back: or who sleeps past the term would lose
    /// what was used.
    uint64 private constant REFUND_GRACE = 3 days;

    IRights public immutable RIGHTS;
    ITitles public immutable TITLES;
    IListings public immutable LISTINGS;
    IAgreements public immutable AGREEMENTS;
    IClearing public immutable CLEARING;
    address public immutable DELIVERIES;
    ILineage public immutable LINEAGE;
    address public immutable TREASURY;
    uint16 public immutable FEE_BPS;

    mapping(bytes32 orderId => Order) private _orders;
    mapping(bytes32 orderId => Window) private _windows;

    /// @param treasury where the exchange's fee goes. @param feeBps the fee, in hundredths of a percent of the amount spent.
    constructor(
        IParticipants participants,
        IRights rights,
        ITitles titles,
        IListings listings,
        IAgreements agreements,
        uint16[] memory currencies,
        IERC20[] memory tokens,
        IClearing clearing,
        address deliveries,
        address treasury,
        uint16 feeBps
    ) Currencies(currencies, tokens) ParticipantIntents(participants) {
        if (feeBps > WHOLE_BPS) revert OrdersFeeRange(feeBps);
        RIGHTS = rights;
        TITLES = titles;
        LISTINGS = listings;
        AGREEMENTS = agreements;
        CLEARING = clearing;
        DELIVERIES = deliveries;
        LINEAGE = listings.LINEAGE();
        TREASURY = treasury;
        FEE_BPS = feeBps;
    }

    /* FUND */

    /// @inheritdoc IOrders
    function fund(Fund calldata order_, bytes calldata buyerSignature) external override {
        bytes32 structHash = keccak256(abi.encode(FUND_TYPEHASH, order_));
        _requireSignedFor(order_.buyer, Acts.ORDERS, order_.escrow, 0, structHash, buyerSignature);
        _requireInTime(order_.deadline);
        bytes32 expected = keccak256(abi.encode(order_.buyer, order_.listingId, order_.agreementDigest));
        if (expected != order_.orderId) revert OrdersIdMismatch(expected, order_.orderId);
        if (_orders[expected].status != Status.None) revert OrdersExists(expected);
        PARTICIPANTS.requireActive(order_.buyer, Roles.BUYER);
        IListings.Listing memory listing = LISTINGS.requireLive(order_.listingId);
        _requireTerms(order_, listing);
        if (order_.agreementId != 0) AGREEMENTS.requireInForce(order_.agreementId, listing.seller, order_.buyer);

        _orders[expected] = Order(
            order_.buyer,
            order_.escrow,
            order_.listingId,
            order_.epsilonCap,
            order_.validUntil,
            Status.Funded,
            order_.currency
        );

        _emitFunded(order_, listing.assetId);

        if (order_.escrow > 0) {
            tokenOf(order_.currency).transferFrom(order_.buyer, address(this), order_.escrow);
        }
        RIGHTS.commitBudget(listing.assetId, expected, order_.epsilonCap);
        TITLES.grantUse(listing.titleId, listing.assetId, expected, order_.buyer, order_.validUntil);
    }

    /* SETTLE */

    /// @inheritdoc IOrders
    function settle(
        Voucher calldata voucher,
        bytes calldata buyerSignature,
        Close calldata closing,
        bytes calldata sellerSignature
    ) external override {
        Order storage record = _orders[voucher.orderId];
        _requireOpen(voucher.orderId, record.status);
        bytes32 voucherHash = _requireVoucher(record.buyer, voucher, VOUCHER_GRACE, buyerSignature);
        bytes32 closeHash = keccak256(abi.encode(CLOSE_TYPEHASH, closing));
        _requireSigned(closing.seller, Acts.SETTLEMENT, closeHash, sellerSignature);
        _requireInTime(closing.deadline);
        bytes32 assetId = _requireClosing(record, voucher, closing.orderId, voucherHash, closing.voucherHash, closing.seller);

        record.status = Status.Settled;

        _pay(voucher, voucherHash, record, assetId);
    }

    /// @inheritdoc IOrders
    function clear(
        Voucher calldata voucher,
        bytes calldata buyerSignature,
        Clear calldata clearing,
        bytes calldata sellerSignature
    ) external override {
        Order storage record = _orders[voucher.orderId];
        _requireOpen(voucher.orderId, record.status);
        bytes32 voucherHash = _requireVoucher(record.buyer, voucher, VOUCHER_GRACE, buyerSignature);
        bytes32 clearHash = keccak256(abi.encode(CLEAR_TYPEHASH, clearing));
        _requireSigned(clearing.seller, Acts.SETTLEMENT, clearHash, sellerSignature);
        _requireInTime(clearing.deadline);
        bytes32 assetId = _requireClosing(
            record, voucher, clearing.orderId, voucherHash, clearing.voucherHash, clearing.seller
        );

        record.status = Status.Settled;

        _enter(voucher, voucherHash, record, assetId, clearing.batchId);
    }

    /* WHERE ONE SIDE IS ALONE */

    /// @inheritdoc IOrders
    function claim(
        Voucher calldata voucher,
        bytes calldata buyerSignature,
        Claim calldata claim_,
        bytes calldata signature
    ) external override {
        Order storage record = _orders[voucher.orderId];
        _requireFunded(voucher.orderId, record.status);
        bytes32 voucherHash = _requireVoucher(record.buyer, voucher, VOUCHER_GRACE, buyerSignature);
        bytes32 claimHash = keccak256(abi.encode(CLAIM_TYPEHASH, claim_));
        _requireSigned(claim_.by, Acts.SETTLEMENT, claimHash, signature);
        _requireInTime(claim_.deadline);
        _requireNamed(voucher.orderId, claim_.orderId, voucherHash, claim_.voucherHash);
        _requireClaimable(record, voucher.orderId, claim_.by);
        _requireWithin(record, voucher);
        if (voucher.callsRoot == 0) revert OrdersCallsRootZero();

        record.status = Status.Claimed;

        _openWindow(voucher, voucherHash, claim_.by, uint64(block.timestamp) + CHALLENGE_WINDOW);
    }

    /// @inheritdoc IOrders
    function challenge(Voucher calldata voucher, bytes calldata buyerSignature) external override {
        Order storage record = _orders[voucher.orderId];
        if (record.status == Status.Funded) return _present(record, voucher, buyerSignature);
        _requireClaimed(voucher.orderId, record.status);
        Window storage window = _windows[voucher.orderId];
        // What was good when the window opened is good until it ends.
        uint64 grace = VOUCHER_GRACE + CHALLENGE_WINDOW + uint64(block.timestamp) - window.until;
        bytes32 voucherHash = _requireVoucher(record.buyer, voucher, grace, buyerSignature);
        if (block.timestamp > window.until) revert OrdersWindowOver(voucher.orderId, window.until);
        _requireWithin(record, voucher);
        if (voucher.callsRoot == 0) revert OrdersCallsRootZero();
        bool leads = voucher.amount > window.amount
            || (voucher.amount == window.amount && voucher.calls > window.calls);
        if (!leads && voucher.epsilon <= window.epsilon) {
            revert OrdersNotHigher(voucher.orderId, window.amount, window.epsilon);
        }

        if (leads) {
            (window.voucherHash, window.callsRoot) = (voucherHash, voucher.callsRoot);
            (window.amount, window.calls) = (voucher.amount, voucher.calls);
        }
        if (voucher.epsilon > window.epsilon) window.epsilon = voucher.epsilon;

        emit Challenged(
            voucher.orderId, window.voucherHash, window.amount, window.epsilon, window.calls, window.callsRoot
        );
    }

    /// @inheritdoc IOrders
    function finish(bytes32 orderId) external override {
        Order storage record = _orders[orderId];
        _requireClaimed(orderId, record.status);
        Window memory window = _windows[orderId];
        if (block.timestamp <= window.until) revert OrdersWindowOpen(orderId, window.until);

        record.status = Status.Settled;

        _pay(
            Voucher(orderId, window.amount, window.epsilon, window.calls, window.callsRoot),
            window.voucherHash,
            record,
            LISTINGS.listing(record.listingId).assetId
        );
    }

    /* REFUND */

    /// @inheritdoc IOrders
    function refund(bytes32 orderId) external override {
        Order storage record = _orders[orderId];
        _requireFunded(orderId, record.status);
        uint64 until = record.validUntil + REFUND_GRACE; // fits: no title lasts longer than 40 bits
        if (block.timestamp <= until) revert OrdersNotDue(orderId, until);

        _giveBack(orderId, record);
    }

    /* FOR DELIVERIES */

    /// @inheritdoc IOrders
    function conclude(bytes32 orderId, uint96 amount, bytes32 noteHash) external override {
        if (msg.sender != DELIVERIES) revert OrdersOnlyDeliveries(msg.sender);
        Order storage record = _orders[orderId];
        _requireFunded(orderId, record.status);

        record.status = Status.Settled;

        _pay(Voucher(orderId, amount, 0, 1, noteHash), noteHash, record, LISTINGS.listing(record.listingId).assetId);
    }

    /// @inheritdoc IOrders
    function giveBack(bytes32 orderId) external override {
        if (msg.sender != DELIVERIES) revert OrdersOnlyDeliveries(msg.sender);
        Order storage record = _orders[orderId];
        _requireFunded(orderId, record.status);

        _giveBack(orderId, record);
    }

    /* VIEWS */

    /// @inheritdoc IOrders
    function order(bytes32 orderId) external view override returns (Order memory) {
        return _orders[orderId];
    }

    /// @inheritdoc IOrders
    function windowOf(bytes32 orderId) external view override returns (Window memory) {
        return _windows[orderId];
    }

    /* PAYMENT */

    /// @dev fee <= amount <= escrow, so neither subtraction can go below zero. escrow = fee + sum of shares + rest, exactly.
    function _pay(Voucher memory voucher, bytes32 voucherHash, Order storage record, bytes32 assetId) private {
        (uint96 fee, uint96 rest) = _end(voucher, voucherHash, record, assetId);
        IERC20 token = tokenOf(record.currency);
        _transfer(token, TREASURY, fee);
        ILineage.Part[] memory parts = LINEAGE.split(assetId, voucher.amount - fee);
        for (uint256 i = 0; i < parts.length; ++i) {
            emit SharePaid(voucher.orderId, parts[i].holder, parts[i].assetId, parts[i].amount);
            _transfer(token, parts[i].holder, parts[i].amount);
        }
        _transfer(token, record.buyer, rest);
    }

    /// @dev The same parts in the same order, as credits of the batch; all money together fits 64 bits.
    function _enter(
        Voucher memory voucher,
        bytes32 voucherHash,
        Order storage record,
        bytes32 assetId,
        bytes32 batchId
    ) private {
        (uint96 fee, uint96 rest) = _end(voucher, voucherHash, record, assetId);
        ILineage.Part[] memory parts = LINEAGE.split(assetId, voucher.amount - fee);
        address[] memory parties = new address[](parts.length + 2);
        uint64[] memory credits = new uint64[](parts.length + 2);
        (parties[0], credits[0]) = (TREASURY, uint64(fee));
        for (uint256 i = 0; i < parts.length; ++i) {
            (parties[i + 1], credits[i + 1]) = (parts[i].holder, uint64(parts[i].amount));
            emit SharePaid(voucher.orderId, parts[i].holder, parts[i].assetId, parts[i].amount);
        }
        (parties[parts.length + 1], credits[parts.length + 1]) = (record.buyer, uint64(rest));
        _transfer(tokenOf(record.currency), address(CLEARING), record.escrow);
        CLEARING.enter(batchId, voucher.orderId, record.currency, parties, credits);
    }

    function _end(Voucher memory voucher, bytes32 voucherHash, Order storage record, bytes32 assetId)
        private
        returns (uint96 fee, uint96 rest)
    {
        fee = uint96(uint256(voucher.amount) * FEE_BPS / WHOLE_BPS);
        rest = record.escrow - voucher.amount;

        emit Settled(
            voucher.orderId,
            voucherHash,
            voucher.amount,
            voucher.epsilon,
            voucher.calls,
            voucher.callsRoot,
            fee,
            rest
        );

        RIGHTS.releaseBudget(assetId, voucher.orderId, record.epsilonCap - voucher.epsilon);
    }

    /// @dev Nobody ended the order within its term: a voucher against the refund opens the window that a claim would have opened.
    function _present(Order storage record, Voucher calldata voucher, bytes calldata buyerSignature) private {
        bytes32 voucherHash = _requireVoucher(record.buyer, voucher, VOUCHER_GRACE, buyerSignature);
        if (block.timestamp <= record.validUntil) revert OrdersNotClaimed(voucher.orderId, uint8(Status.Funded));
        uint64 until = record.validUntil + REFUND_GRACE;
        if (block.timestamp > until) revert OrdersTermOver(voucher.orderId, until);
        _requireNotDelivered(voucher.orderId);
        _requireWithin(record, voucher);
        if (voucher.callsRoot == 0) revert OrdersCallsRootZero();

        record.status = Status.Claimed;

        _openWindow(voucher, voucherHash, address(0), uint64(block.timestamp) + CHALLENGE_WINDOW);
    }

    function _openWindow(Voucher calldata voucher, bytes32 voucherHash, address by, uint64 until) private {
        _windows[voucher.orderId] =
            Window(voucherHash, voucher.callsRoot, voucher.amount, voucher.epsilon, voucher.calls, until);

        emit Claimed(
            voucher.orderId,
            by,
            voucherHash,
            voucher.amount,
            voucher.epsilon,
            voucher.calls,
            voucher.callsRoot,
            until
        );
    }

    function _giveBack(bytes32 orderId, Order storage record) private {
        record.status = Status.Refunded;

        emit Refunded(orderId, record.escrow);

        _transfer(tokenOf(record.currency), record.buyer, record.escrow);
    }

    function _transfer(IERC20 token, address to, uint96 amount) private {
        if (amount > 0) token.transfer(to, amount);
    }

    /* CHECKS */

    function _requireTerms(Fund calldata order_, IListings.Listing memory listing) private view {
        if (order_.buyer == listing.seller) revert OrdersOwnListing(order_.buyer);
        if (order_.currency != listing.currency) revert CurrenciesDiffer(listing.currency, order_.currency);
        tokenOf(order_.currency);
        if (order_.escrow < listing.price) revert OrdersEscrowTooSmall(order_.escrow, listing.price);
        if (order_.epsilonCap == 0) revert OrdersEpsilonCapZero();
        if (order_.validUntil <= block.timestamp || order_.validUntil > listing.validUntil) {
            revert OrdersTerm(order_.validUntil, listing.validUntil);
        }
    }

    function _requireClosing(
        Order storage record,
        Voucher calldata voucher,
        bytes32 closedOrder,
        bytes32 voucherHash,
        bytes32 closedVoucher,
        address seller
    ) private view returns (bytes32 assetId) {
        _requireNamed(voucher.orderId, closedOrder, voucherHash, closedVoucher);
        IListings.Listing memory listing = LISTINGS.listing(record.listingId);
        if (listing.seller != seller) revert OrdersNotSeller(voucher.orderId, seller);
        _requireWithin(record, voucher);
        // Zero where nothing was claimed.
        Window storage window = _windows[voucher.orderId];
        bool lower = voucher.amount < window.amount
            || (voucher.amount == window.amount && voucher.calls < window.calls);
        if (lower || voucher.epsilon < window.epsilon) {
            revert OrdersBelowClaim(voucher.orderId, window.amount, window.epsilon);
        }
        return listing.assetId;
    }

    function _requireClaimable(Order storage record, bytes32 orderId, address by) private view {
        if (by != record.buyer && by != LISTINGS.listing(record.listingId).seller) {
            revert OrdersNotParty(orderId, by);
        }
        if (block.timestamp > record.validUntil) revert OrdersTermOver(orderId, record.validUntil);
        _requireNotDelivered(orderId);
    }

    function _requireNotDelivered(bytes32 orderId) private view {
        if (IDeliveries(DELIVERIES).delivery(orderId).status != IDeliveries.Status.None) {
            revert OrdersDelivered(orderId);
        }
    }

    function _requireVoucher(address buyer, Voucher calldata voucher, uint64 grace, bytes calldata signature)
        private
        view
        returns (bytes32 voucherHash)
    {
        voucherHash = keccak256(abi.encode(VOUCHER_TYPEHASH, voucher));
        _requireSignedFor(buyer, Acts.QUERIES, voucher.amount, grace, voucherHash, signature);
    }

    function _requireNamed(bytes32 orderId, bytes32 namedOrder, bytes32 voucherHash, bytes32 namedVoucher)
        private
        pure
    {
        if (namedOrder != orderId) revert OrdersCloseMismatch(orderId, namedOrder);
        if (namedVoucher != voucherHash) revert OrdersCloseMismatch(voucherHash, namedVoucher);
    }

    function _requireWithin(Order storage record, Voucher calldata voucher) private view {
        if (voucher.amount > record.escrow) revert OrdersAmountOverEscrow(voucher.amount, record.escrow);
        if (voucher.epsilon > record.epsilonCap) revert OrdersEpsilonOverCap(voucher.epsilon, record.epsilonCap);
    }

    function _requireFunded(bytes32 orderId, Status current) private pure {
        if (current != Status.Funded) revert OrdersNotFunded(orderId, uint8(current));
    }

    function _requireClaimed(bytes32 orderId, Status current) private pure {
        if (current != Status.Claimed) revert OrdersNotClaimed(orderId, uint8(current));
    }

    /// @dev Both sides together may end an order that one of them claimed.
    function _requireOpen(bytes32 orderId, Status current) private pure {
        if (current != Status.Claimed) _requireFunded(orderId, current);
    }

    function _emitFunded(Fund calldata order_, bytes32 assetId) private {
        emit Funded(
            order_.orderId,
            order_.listingId,
            assetId,
            order_.buyer,
            order_.escrow,
            order_.epsilonCap,
            order_.validUntil,
            order_.agreementDigest,
            order_.agreementId
        );
    }
}
