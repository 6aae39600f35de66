// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IDeliveries} from "../src/interfaces/IDeliveries.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

contract DeliveriesTest is MarketTest {
    bytes32 private orderId;
    bytes32 private listingId;

    function setUp() public override {
        super.setUp();
        orderId = _funded("agreement");
        listingId = orders.order(orderId).listingId;
    }

    function test_acceptancePaysEverybodyAndEndsTheOrder() public {
        _inspecting(3);
        IDeliveries.AcceptDelivery memory m = _acceptOf(orderId);
        vm.expectEmit(address(deliveries));
        emit IDeliveries.DeliveryAccepted(orderId, m.noteHash);
        vm.expectEmit(address(orders));
        emit IOrders.Settled(orderId, m.noteHash, 700, 0, 1, m.noteHash, 17, 300);
        deliveries.accept(m, _sign(BUYER, address(deliveries), _hash(m)));
        _expectPaid();
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotFunded.selector, orderId, 2));
        deliveries.deem(orderId);
    }

    function test_aDeliveryWhoseOrderBothSidesEndedHasEnded() public {
        _inspecting(3);
        IOrders.Voucher memory v = _voucherOf(orderId);
        _send(v, BUYER, _closeOf(v), SUPPLIER);
        vm.assertEq(uint8(deliveries.delivery(orderId).status), uint8(IDeliveries.Status.Ended));
    }

    function test_aDeliveryThatNobodyAcceptedHasEndedWithTheRefund() public {
        _inspecting(2);
        vm.warp(block.timestamp + 30 days);
        orders.refund(orderId);
        vm.assertEq(uint8(deliveries.delivery(orderId).status), uint8(IDeliveries.Status.Ended));
    }

    function test_aReceiptAcceptsOnlyWhereQualityShowsBeforeUse() public {
        _inspecting(2);
        _send(_acknowledgeOf(orderId), BUYER);
        vm.assertTrue(deliveries.delivery(orderId).acknowledged, "receipt");
        vm.assertEq(uint8(orders.order(orderId).status), uint8(IOrders.Status.Funded));
        _refuses(IDeliveries.Status.Inspecting);
    }

    function test_aReceiptAcceptsWhereQualityShowsAtOnce() public {
        _inspecting(1);
        _send(_acknowledgeOf(orderId), BUYER);
        _expectPaid();
    }

    function testFuzz_silenceAcceptsAfterTheInspectionAlone(uint32 time, address caller) public {
        _inspecting(3);
        uint64 due = deliveries.delivery(orderId).dueAt;
        vm.warp(block.timestamp + time % (due - block.timestamp + 1));
        vm.expectRevert(abi.encodeWithSelector(IDeliveries.DeliveriesNotDue.selector, orderId, due));
        deliveries.deem(orderId);
        vm.warp(uint256(due) + 1);
        vm.prank(caller);
        deliveries.deem(orderId);
        _expectPaid();
    }

    function test_silenceIsNoAcceptanceWithoutATerm() public {
        _inspecting(2);
        vm.warp(block.timestamp + 3 days);
        vm.expectRevert(abi.encodeWithSelector(IDeliveries.DeliveriesSilence.selector, orderId));
        deliveries.deem(orderId);
    }

    function testFuzz_anyoneGetsTheMoneyBackWhereNothingCame(address caller, uint32 later) public {
        _arranged(3);
        uint64 due = deliveries.delivery(orderId).dueAt;
        vm.warp(due);
        vm.expectRevert(abi.encodeWithSelector(IDeliveries.DeliveriesNotDue.selector, orderId, due));
        deliveries.lapse(orderId);
        vm.warp(uint256(due) + 1 + later % 1 days);
        _refusesLate(due);
        vm.prank(caller);
        deliveries.lapse(orderId);
        vm.assertEq(token.balanceOf(_at(BUYER)), 1000);
        vm.assertEq(uint8(orders.order(orderId).status), uint8(IOrders.Status.Refunded));
    }

    function test_anObjectionIsCorrectedAndTheCorrectionInspected() public {
        _inspecting(3);
        _send(_objectOf(orderId), BUYER);
        vm.assertEq(deliveries.delivery(orderId).dueAt, block.timestamp + 12 hours);
        _send(_deliverOf(orderId), SUPPLIER);
        vm.assertEq(deliveries.delivery(orderId).rounds, 2);
        _send(_acceptOf(orderId), BUYER);
        _expectPaid();
    }

    function test_theLastObjectionLeavesTheMoneyUntilTheTerm() public {
        _inspecting(3);
        _send(_objectOf(orderId), BUYER);
        _send(_deliverOf(orderId), SUPPLIER);
        _send(_objectOf(orderId), BUYER);
        uint64 until = orders.order(orderId).validUntil;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IDeliveries.DeliveriesNotDue.selector, orderId, until));
        deliveries.lapse(orderId);
        _refusesLate(until);
        vm.warp(uint256(until) + 1);
        deliveries.lapse(orderId);
        vm.assertEq(token.balanceOf(_at(BUYER)), 1000);
    }

    function test_refusesALateObjection() public {
        _inspecting(3);
        uint64 due = deliveries.delivery(orderId).dueAt;
        vm.warp(uint256(due) + 1);
        IDeliveries.ObjectToDelivery memory m = _objectOf(orderId);
        bytes memory signature = _sign(BUYER, address(deliveries), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IDeliveries.DeliveriesOver.selector, orderId, due));
        deliveries.object(m, signature);
    }

    function test_refusesToDeliverWithoutTheTitle() public {
        _arranged(3);
        bytes32 titleId = _titleId(listings.listing(listingId).assetId, ITitles.TitleKind.Operate);
        _send(_transferOf(titleId, SUPPLIER, COLLECTOR), SUPPLIER, COLLECTOR);
        IDeliveries.Deliver memory m = _deliverOf(orderId);
        bytes memory signature = _sign(SUPPLIER, address(deliveries), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesNotHolder.selector, titleId, _at(SUPPLIER)));
        deliveries.deliver(m, signature);
    }

    /// @dev Readers keep it in a signed 64-bit integer.
    function testFuzz_refusesAnOfferAboveAllMoney(uint96 amount) public {
        vm.assume(amount >= 2 ** 53);
        IDeliveries.OfferDelivery memory m = _offerOf(listingId);
        m.amount = amount;
        bytes memory signature = _sign(SUPPLIER, address(deliveries), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IDeliveries.DeliveriesAmount.selector, amount, uint96(2 ** 53 - 1))
        );
        deliveries.offer(m, signature);
    }

    function test_refusesAnOrderThatIsTooShortForTheSlowestCourse() public {
        IDeliveries.OfferDelivery memory m = _offerOf(listingId);
        m.inspection = 3 days;
        _send(m, SUPPLIER);
        uint256 slowest = block.timestamp + 1 days + 6 days + 12 hours + 1 days;
        uint64 until = orders.order(orderId).validUntil;
        IDeliveries.Arrange memory wish = _arrangeOf(orderId);
        bytes memory signature = _sign(BUYER, address(deliveries), _hash(wish));
        vm.expectRevert(abi.encodeWithSelector(IDeliveries.DeliveriesTimes.selector, slowest, until));
        deliveries.arrange(wish, signature);
    }

    /// @dev Or the buyer of answers could arrange a delivery that never comes, and have its money back.
    function test_refusesToArrangeWhatWasNotOffered() public {
        IDeliveries.Arrange memory wish = _arrangeOf(orderId);
        bytes memory signature = _sign(BUYER, address(deliveries), _hash(wish));
        vm.expectRevert(abi.encodeWithSelector(IDeliveries.DeliveriesNotOffered.selector, listingId));
        deliveries.arrange(wish, signature);
    }

    function testFuzz_onlyDeliveriesEndsAnOrderSo(address caller) public {
        if (caller == address(deliveries)) return;
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersOnlyDeliveries.selector, caller));
        orders.conclude(orderId, 1, "note");
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersOnlyDeliveries.selector, caller));
        orders.giveBack(orderId);
    }

    function test_refusesAnotherRound() public {
        _arranged(3);
        IDeliveries.Deliver memory m = _deliverOf(orderId);
        m.round = 2;
        bytes memory signature = _sign(SUPPLIER, address(deliveries), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IDeliveries.DeliveriesRound.selector, 1, 2));
        deliveries.deliver(m, signature);
    }

    function _arranged(uint8 marks) private {
        IDeliveries.OfferDelivery memory m = _offerOf(listingId);
        m.marks = marks;
        if (marks != 3) m.corrections = 0;
        _send(m, SUPPLIER);
        _send(_arrangeOf(orderId), BUYER);
    }

    function _inspecting(uint8 marks) private {
        _arranged(marks);
        _send(_deliverOf(orderId), SUPPLIER);
    }

    function _expectPaid() private view {
        vm.assertEq(token.balanceOf(_at(SUPPLIER)) + token.balanceOf(_at(COLLECTOR)), 683);
        vm.assertEq(token.balanceOf(TREASURY), 17);
        vm.assertEq(token.balanceOf(_at(BUYER)), 300);
        vm.assertEq(token.balanceOf(address(orders)), 0);
        vm.assertEq(uint8(orders.order(orderId).status), uint8(IOrders.Status.Settled));
        vm.assertEq(rights.budgetLeft(listings.listing(listingId).assetId), BUDGET);
    }

    function _refuses(IDeliveries.Status status) private {
        IDeliveries.Acknowledge memory m = _acknowledgeOf(orderId);
        bytes memory signature = _sign(BUYER, address(deliveries), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IDeliveries.DeliveriesStatus.selector, orderId, uint8(status))
        );
        deliveries.acknowledge(m, signature);
    }

    function _refusesLate(uint64 due) private {
        IDeliveries.Deliver memory m = _deliverOf(orderId);
        bytes memory signature = _sign(SUPPLIER, address(deliveries), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IDeliveries.DeliveriesOver.selector, orderId, due));
        deliveries.deliver(m, signature);
    }
}
