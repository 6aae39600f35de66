// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IDeliveries} from "../src/interfaces/IDeliveries.sol";
import {IKeys} from "../src/interfaces/IKeys.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";

/// @notice One side alone: {IOrders-claim}, {IOrders-challenge}, {IOrders-finish}.
contract ClaimTest is MarketTest {
    uint64 private constant WINDOW = 3 days;

    bytes32 private orderId;
    bytes32 private assetId;
    uint64 private until;

    function setUp() public override {
        super.setUp();
        orderId = _funded("agreement");
        assetId = keccak256(abi.encode(_at(SUPPLIER), bytes32("agreement")));
        until = uint64(block.timestamp) + WINDOW;
    }

    /* THE HIGHEST VOUCHER IS PAID */

    /// @dev I-29: whichever was claimed, and in whatever order the others are presented.
    function testFuzz_theHighestVoucherThatWasPresentedIsPaid(uint96[4] memory amounts, uint64[4] memory epsilons)
        public
    {
        (uint96 most, uint64 spent) = (0, 0);
        for (uint256 i = 0; i < 4; ++i) {
            IOrders.Voucher memory v = _voucher(amounts[i] % 1001, epsilons[i] % 1_000_001, uint32(i));
            bool higher = v.amount > most || v.epsilon > spent || (v.amount == most && i > 0);
            if (i == 0) {
                _send(v, BUYER, _claimOf(v, BUYER), BUYER);
            } else if (higher) {
                _challenge(v, BUYER);
            }
            if (v.amount > most) most = v.amount;
            if (v.epsilon > spent) spent = v.epsilon;
        }
        vm.warp(until + 1);
        orders.finish(orderId);

        uint256 fee = uint256(most) * FEE_BPS / 10_000;
        vm.assertEq(token.balanceOf(TREASURY), fee);
        vm.assertEq(token.balanceOf(_at(SUPPLIER)) + token.balanceOf(_at(COLLECTOR)), most - fee);
        vm.assertEq(token.balanceOf(_at(BUYER)), 1000 - most);
        vm.assertEq(token.balanceOf(address(orders)), 0);
        vm.assertEq(rights.budgetLeft(assetId), BUDGET - spent);
        vm.assertEq(uint8(orders.order(orderId).status), uint8(IOrders.Status.Settled));
    }

    /// @dev A buyer makes as many vouchers as it likes; none of them hides a greater amount.
    function testFuzz_noClaimHidesAGreaterAmount(uint64 epsilon, uint32 calls, uint96 amount) public {
        IOrders.Voucher memory v = _voucher(0, epsilon % 1_000_001, calls);
        _send(v, BUYER, _claimOf(v, BUYER), BUYER);
        _challenge(_voucher(amount % 1000 + 1, 1, 1), BUYER);
        vm.assertEq(orders.windowOf(orderId).amount, amount % 1000 + 1);
        vm.assertEq(orders.windowOf(orderId).calls, 1);
        vm.assertTrue(orders.windowOf(orderId).epsilon >= 1, "epsilon only rises");
    }

    function test_emitsWhatItDid() public {
        IOrders.Voucher memory low = _voucher(0, 0, 0);
        IOrders.Claim memory c = _claimOf(low, BUYER);
        bytes memory one = _sign(BUYER, address(orders), _hash(low));
        bytes memory two = _sign(BUYER, address(orders), _hash(c));
        vm.expectEmit(address(orders));
        emit IOrders.Claimed(orderId, _at(BUYER), _hash(low), 0, 0, 0, "calls", until);
        orders.claim(low, one, c, two);
        IOrders.Voucher memory high = _voucherOf(orderId);
        bytes memory signature = _sign(BUYER, address(orders), _hash(high));
        vm.expectEmit(address(orders));
        emit IOrders.Challenged(orderId, _hash(high), 300, 400_000, 3, "calls");
        vm.prank(address(0xF00));
        orders.challenge(high, signature);
        vm.warp(until + 1);
        vm.expectEmit(address(orders));
        emit IOrders.Settled(orderId, _hash(high), 300, 400_000, 3, "calls", 7, 700);
        vm.prank(address(0xF00));
        orders.finish(orderId);
    }

    function test_theSellerClaimsToo() public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        _send(v, BUYER, _claimOf(v, SUPPLIER), SUPPLIER);
        vm.assertEq(uint8(orders.order(orderId).status), uint8(IOrders.Status.Claimed));
    }

    function test_aSuspensionDoesNotFreezeMoneyThatIsOwed() public {
        _suspend(SUPPLIER);
        _suspend(BUYER);
        _claimed(0);
        _challenge(_voucherOf(orderId), BUYER);
        vm.warp(until + 1);
        orders.finish(orderId);
        vm.assertEq(token.balanceOf(_at(SUPPLIER)), 264);
    }

    function test_moreCallsForTheSameMoneyAreHigher() public {
        _claimed(300);
        _challenge(_voucher(300, 0, 7), BUYER);
        vm.assertEq(orders.windowOf(orderId).calls, 7);
    }

    /* BOTH SIDES TOGETHER */

    function test_bothSidesEndAClaimAtOnce() public {
        _claimed(100);
        IOrders.Voucher memory v = _voucherOf(orderId);
        _send(v, BUYER, _closeOf(v), SUPPLIER);
        vm.assertEq(token.balanceOf(_at(SUPPLIER)), 264);
        vm.warp(until + 1);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotClaimed.selector, orderId, 2));
        orders.finish(orderId);
    }

    function testFuzz_bothSidesDoNotEndAClaimBelowIt(uint96 amount, uint64 epsilon) public {
        _send(_voucherOf(orderId), BUYER, _claimOf(_voucherOf(orderId), BUYER), BUYER);
        IOrders.Voucher memory v = _voucher(amount % 1001, epsilon % 1_000_001, 3);
        vm.assume(v.amount < 300 || v.epsilon < 400_000);
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        IOrders.Close memory c = _closeOf(v);
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersBelowClaim.selector, orderId, 300, 400_000));
        orders.settle(v, one, c, two);
    }

    function test_bothSidesDoNotEndAClaimByFewerCallsForTheSameMoney() public {
        _send(_voucherOf(orderId), BUYER, _claimOf(_voucherOf(orderId), BUYER), BUYER);
        IOrders.Voucher memory v = _voucher(300, 400_000, 2);
        IOrders.Close memory c = _closeOf(v);
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersBelowClaim.selector, orderId, 300, 400_000));
        orders.settle(v, one, c, two);
        v.calls = 3;
        _send(v, BUYER, _closeOf(v), SUPPLIER);
    }

    /* REFUND NEVER OVERTAKES */

    function testFuzz_aClaimedOrderIsNotRefunded(uint32 later) public {
        vm.warp(orders.order(orderId).validUntil);
        _claimed(300);
        vm.warp(block.timestamp + later);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotFunded.selector, orderId, 4));
        orders.refund(orderId);
    }

    function test_refusesAClaimAfterTheTerm() public {
        uint64 end = orders.order(orderId).validUntil;
        vm.warp(uint256(end) + 1);
        IOrders.Voucher memory v = _voucherOf(orderId);
        _refuses(v, _claimOf(v, BUYER), BUYER, abi.encodeWithSelector(IOrders.OrdersTermOver.selector, orderId, end));
    }

    /* AFTER THE TERM */

    /// @dev I-36: the seller slept, and whoever holds its voucher presents it.
    function testFuzz_aVoucherOpensTheWindowAfterTheTerm(address caller, uint64 time, uint96 amount) public {
        uint64 end = orders.order(orderId).validUntil;
        vm.warp(uint256(end) + 1 + time % WINDOW);
        IOrders.Voucher memory v = _voucher(amount % 1001, 0, 3);
        bytes memory signature = _sign(BUYER, address(orders), _hash(v));
        until = uint64(block.timestamp) + WINDOW;
        vm.expectEmit(address(orders));
        emit IOrders.Claimed(orderId, address(0), _hash(v), v.amount, 0, 3, "calls", until);
        vm.prank(caller);
        orders.challenge(v, signature);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotFunded.selector, orderId, 4));
        orders.refund(orderId);
        if (v.amount < 1000) _challenge(_voucher(1000, 0, 4), BUYER);
        vm.warp(uint256(until) + 1);
        orders.finish(orderId);
        vm.assertEq(token.balanceOf(_at(BUYER)), 0);
    }

    function test_nothingIsPresentedInTheLastSecondOfTheTermNorThreeDaysAfterIt() public {
        uint64 end = orders.order(orderId).validUntil;
        IOrders.Voucher memory v = _voucherOf(orderId);
        bytes memory signature = _sign(BUYER, address(orders), _hash(v));
        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotClaimed.selector, orderId, 1));
        orders.challenge(v, signature);
        vm.warp(end + WINDOW + 1);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersTermOver.selector, orderId, end + WINDOW));
        orders.challenge(v, signature);
        orders.refund(orderId);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotClaimed.selector, orderId, 3));
        orders.challenge(v, signature);
    }

    function testFuzz_refusesAfterTheTermWhatTheBuyerDidNotSign(uint256 key) public {
        key = key % type(uint128).max + 1;
        vm.assume(key != BUYER);
        vm.warp(orders.order(orderId).validUntil + 1);
        IOrders.Voucher memory v = _voucherOf(orderId);
        bytes memory signature = _sign(key, address(orders), _hash(v));
        vm.expectRevert();
        orders.challenge(v, signature);
    }

    function test_refusesAfterTheTermWhatIsBeyondTheOrderOrHasNoRoot() public {
        vm.warp(orders.order(orderId).validUntil + 1);
        IOrders.Voucher memory v = _voucher(1001, 0, 3);
        bytes memory signature = _sign(BUYER, address(orders), _hash(v));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersAmountOverEscrow.selector, 1001, 1000));
        orders.challenge(v, signature);
        v = IOrders.Voucher(orderId, 0, 0, 0, 0);
        signature = _sign(BUYER, address(orders), _hash(v));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersCallsRootZero.selector));
        orders.challenge(v, signature);
    }

    /* THE WINDOW */

    function testFuzz_nothingIsPaidWithinTheWindow(uint64 time) public {
        _claimed(300);
        vm.warp(START + time % (WINDOW + 1));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersWindowOpen.selector, orderId, until));
        orders.finish(orderId);
    }

    function testFuzz_nothingIsPresentedAfterTheWindow(uint32 later) public {
        _claimed(0);
        vm.warp(uint256(until) + 1 + later % (WINDOW * 10));
        IOrders.Voucher memory v = _voucherOf(orderId);
        bytes memory signature = _sign(BUYER, address(orders), _hash(v));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersWindowOver.selector, orderId, until));
        orders.challenge(v, signature);
    }

    function test_theLastSecondOfTheWindowCounts() public {
        _claimed(0);
        vm.warp(until);
        _challenge(_voucherOf(orderId), BUYER);
        vm.assertEq(orders.windowOf(orderId).amount, 300);
    }

    function testFuzz_refusesWhatIsNotHigher(uint96 amount, uint64 epsilon, uint32 calls) public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        _send(v, BUYER, _claimOf(v, BUYER), BUYER);
        v = _voucher(amount % 301, epsilon % 400_001, calls % 4);
        bytes memory signature = _sign(BUYER, address(orders), _hash(v));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotHigher.selector, orderId, 300, 400_000));
        orders.challenge(v, signature);
    }

    function test_refusesAVoucherBeyondTheOrder() public {
        _claimed(0);
        IOrders.Voucher memory v = _voucher(1001, 0, 1);
        bytes memory signature = _sign(BUYER, address(orders), _hash(v));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersAmountOverEscrow.selector, 1001, 1000));
        orders.challenge(v, signature);
        v = _voucher(1000, 1_000_001, 1);
        signature = _sign(BUYER, address(orders), _hash(v));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersEpsilonOverCap.selector, 1_000_001, 1_000_000));
        orders.challenge(v, signature);
    }

    function test_refusesAChallengeOfWhatIsNotClaimed() public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        bytes memory signature = _sign(BUYER, address(orders), _hash(v));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotClaimed.selector, orderId, 1));
        orders.challenge(v, signature);
    }

    function testFuzz_refusesAChallengeThatTheBuyerDidNotSign(uint256 key) public {
        key = key % 1e30 + 1;
        vm.assume(key != BUYER);
        _claimed(0);
        IOrders.Voucher memory v = _voucherOf(orderId);
        bytes memory signature = _sign(key, address(orders), _hash(v));
        _expectSignatureRefused(BUYER);
        orders.challenge(v, signature);
    }

    /* KEYS THAT ENDED */

    /// @dev What was good when the window opened is good until it ends, though its key ended three days before that.
    function test_aVoucherOutlivesItsKeyUntilTheWindowEnds() public {
        _rotateBuyer();
        uint64 ended = uint64(block.timestamp);
        vm.warp(ended + 3 days - 1);
        IOrders.Voucher memory low = _voucher(0, 0, 0);
        _send(low, 0xC2, _claimOf(low, BUYER), 0xC2);
        vm.warp(block.timestamp + WINDOW);
        _challenge(_voucherOf(orderId), BUYER);
        vm.assertEq(orders.windowOf(orderId).amount, 300);
    }

    function test_refusesAVoucherOfAKeyThatEndedLongBeforeTheWindow() public {
        _rotateBuyer();
        vm.warp(block.timestamp + 3 days);
        IOrders.Voucher memory low = _voucher(0, 0, 0);
        _send(low, 0xC2, _claimOf(low, BUYER), 0xC2);
        vm.warp(block.timestamp + 1 days);
        IOrders.Voucher memory v = _voucherOf(orderId);
        bytes memory signature = _sign(BUYER, address(orders), _hash(v));
        _expectSignatureRefused(BUYER);
        orders.challenge(v, signature);
    }

    /* WHO AND WHAT */

    function testFuzz_refusesAClaimOfAStranger(uint256 key) public {
        key = key % 2 == 0 ? COLLECTOR : EXCHANGE;
        IOrders.Voucher memory v = _voucherOf(orderId);
        bytes memory reason = abi.encodeWithSelector(IOrders.OrdersNotParty.selector, orderId, _at(key));
        _refuses(v, _claimOf(v, key), key, reason);
    }

    function test_refusesAClaimThatItsPartyDidNotSign() public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        IOrders.Claim memory c = _claimOf(v, BUYER);
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        _expectSignatureRefused(BUYER);
        orders.claim(v, one, c, two);
    }

    function test_refusesAnExpiredClaim() public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        IOrders.Claim memory c = _claimOf(v, BUYER);
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(BUYER, address(orders), _hash(c));
        vm.warp(uint256(c.deadline) + 1);
        _expectExpired(c.deadline);
        orders.claim(v, one, c, two);
    }

    function testFuzz_refusesAClaimOfAnotherVoucherOrOrder(bytes32 other) public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        IOrders.Claim memory c = _claimOf(v, BUYER);
        vm.assume(other != orderId && other != c.voucherHash);
        bytes32 right = c.voucherHash;
        c.voucherHash = other;
        _refuses(v, c, BUYER, abi.encodeWithSelector(IOrders.OrdersCloseMismatch.selector, right, other));
        (c.voucherHash, c.orderId) = (right, other);
        _refuses(v, c, BUYER, abi.encodeWithSelector(IOrders.OrdersCloseMismatch.selector, orderId, other));
    }

    function test_refusesReplay() public {
        _claimed(300);
        IOrders.Voucher memory v = _voucher(300, 0, 3);
        _refuses(v, _claimOf(v, BUYER), BUYER, abi.encodeWithSelector(IOrders.OrdersNotFunded.selector, orderId, 4));
        vm.warp(until + 1);
        orders.finish(orderId);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotClaimed.selector, orderId, 2));
        orders.finish(orderId);
    }

    /// @dev Or its storage slot could return to zero.
    function test_refusesARootOfZero() public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        v.callsRoot = 0;
        _refuses(v, _claimOf(v, BUYER), BUYER, abi.encodeWithSelector(IOrders.OrdersCallsRootZero.selector));
        _claimed(0);
        bytes memory signature = _sign(BUYER, address(orders), _hash(v));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersCallsRootZero.selector));
        orders.challenge(v, signature);
    }

    /* DELIVERIES */

    function test_anOrderWhoseDeliveryIsArrangedIsNotClaimed() public {
        IDeliveries.OfferDelivery memory offer = _offerOf(orders.order(orderId).listingId);
        _send(offer, SUPPLIER);
        _send(_arrangeOf(orderId), BUYER);
        IOrders.Voucher memory v = _voucherOf(orderId);
        _refuses(v, _claimOf(v, BUYER), BUYER, abi.encodeWithSelector(IOrders.OrdersDelivered.selector, orderId));
    }

    function test_nothingIsPresentedToAnOrderWhoseDeliveryIsArranged() public {
        IDeliveries.OfferDelivery memory offer = _offerOf(orders.order(orderId).listingId);
        _send(offer, SUPPLIER);
        _send(_arrangeOf(orderId), BUYER);
        vm.warp(orders.order(orderId).validUntil + 1);
        IOrders.Voucher memory v = _voucherOf(orderId);
        bytes memory signature = _sign(BUYER, address(orders), _hash(v));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersDelivered.selector, orderId));
        orders.challenge(v, signature);
    }

    function test_noDeliveryIsArrangedForAClaimedOrder() public {
        IDeliveries.OfferDelivery memory offer = _offerOf(orders.order(orderId).listingId);
        _send(offer, SUPPLIER);
        _claimed(0);
        IDeliveries.Arrange memory m = _arrangeOf(orderId);
        bytes memory signature = _sign(BUYER, address(deliveries), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotFunded.selector, orderId, 4));
        deliveries.arrange(m, signature);
    }

    /* PIECES */

    function _voucher(uint96 amount, uint64 epsilon, uint32 calls) private view returns (IOrders.Voucher memory) {
        return IOrders.Voucher(orderId, amount, epsilon, calls, "calls");
    }

    function _claimed(uint96 amount) private {
        IOrders.Voucher memory v = _voucher(amount, 0, 3);
        _send(v, BUYER, _claimOf(v, BUYER), BUYER);
    }

    function _rotateBuyer() private {
        IKeys.RotateKey memory m = IKeys.RotateKey(_at(BUYER), _at(BUYER), _at(0xC2), 0, _deadline());
        bytes32 hash = _hash(m);
        ring.rotateKey(m, _sign(BUYER, address(ring), hash), _sign(0xC2, address(ring), hash));
    }

    function _refuses(IOrders.Voucher memory v, IOrders.Claim memory c, uint256 by, bytes memory reason) private {
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(by, address(orders), _hash(c));
        vm.expectRevert(reason);
        orders.claim(v, one, c, two);
    }
}
