// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";

contract RefundTest is MarketTest {
    bytes32 private orderId;
    uint64 private until;

    function setUp() public override {
        super.setUp();
        orderId = _funded("agreement");
        until = orders.order(orderId).validUntil + 3 days;
    }

    function testFuzz_anyoneRefundsThreeDaysAfterTheTerm(address caller, uint32 later) public {
        vm.warp(uint256(until) + 1 + later);
        vm.expectEmit(address(orders));
        emit IOrders.Refunded(orderId, 1000);
        vm.prank(caller);
        orders.refund(orderId);
        vm.assertEq(token.balanceOf(_at(BUYER)), 1000);
        vm.assertEq(token.balanceOf(address(orders)), 0);
    }

    function test_privacyBudgetStaysCommitted() public {
        vm.warp(uint256(until) + 1);
        orders.refund(orderId);
        bytes32 assetId = keccak256(abi.encode(_at(SUPPLIER), bytes32("agreement")));
        vm.assertEq(rights.budgetLeft(assetId), BUDGET - 1_000_000);
    }

    function testFuzz_refusesWhileAVoucherMayBePresented(uint64 time) public {
        vm.warp(START + time % (until - START + 1));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotDue.selector, orderId, until));
        orders.refund(orderId);
    }

    function test_refusesInTheLastSecond() public {
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotDue.selector, orderId, until));
        orders.refund(orderId);
        vm.warp(uint256(until) + 1);
        orders.refund(orderId);
    }

    function test_refusesASecondRefund() public {
        vm.warp(uint256(until) + 1);
        orders.refund(orderId);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotFunded.selector, orderId, 3));
        orders.refund(orderId);
    }

    function test_refusesASettledOrder() public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        _send(v, BUYER, _closeOf(v), SUPPLIER);
        vm.warp(uint256(until) + 1);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotFunded.selector, orderId, 2));
        orders.refund(orderId);
    }

    function test_aRefundedOrderCannotBeSettled() public {
        vm.warp(uint256(until) + 1);
        orders.refund(orderId);
        IOrders.Voucher memory v = _voucherOf(orderId);
        IOrders.Close memory c = _closeOf(v);
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotFunded.selector, orderId, 3));
        orders.settle(v, one, c, two);
    }
}
