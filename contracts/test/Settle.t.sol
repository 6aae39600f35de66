// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {MarketTest} from "./base/MarketTest.sol";
import {Orders} from "../src/Orders.sol";
import {Roles} from "../src/Roles.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";

contract SettleTest is MarketTest {
    bytes32 private orderId;
    bytes32 private assetId;

    function setUp() public override {
        super.setUp();
        orderId = _funded("agreement");
        assetId = keccak256(abi.encode(_at(SUPPLIER), bytes32("agreement")));
    }

    function testFuzz_paysEverybodyAndSumsToTheEscrow(uint96 amount, uint64 epsilon) public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        (v.amount, v.epsilon) = (amount % 1001, epsilon % 1_000_001);
        uint256 fee = uint256(v.amount) * FEE_BPS / 10_000;
        _send(v, BUYER, _closeOf(v), SUPPLIER);

        uint256 paid = token.balanceOf(_at(SUPPLIER)) + token.balanceOf(_at(COLLECTOR));
        vm.assertEq(token.balanceOf(TREASURY), fee);
        vm.assertEq(paid, v.amount - fee);
        vm.assertEq(token.balanceOf(_at(BUYER)), 1000 - v.amount);
        vm.assertEq(token.balanceOf(address(orders)), 0);
        vm.assertEq(rights.budgetLeft(assetId), BUDGET - v.epsilon);
        vm.assertEq(uint8(orders.order(orderId).status), uint8(IOrders.Status.Settled));
    }

    function test_emitsWhatItDid() public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        IOrders.Close memory c = _closeOf(v);
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        vm.expectEmit(address(orders));
        emit IOrders.Settled(orderId, _hash(v), 300, 400_000, 3, "calls", 7, 700);
        vm.expectEmit(address(orders));
        emit IOrders.SharePaid(orderId, _at(SUPPLIER), assetId, 264); // 293 * 0.9 = 263.7
        vm.expectEmit(address(orders));
        emit IOrders.SharePaid(orderId, _at(COLLECTOR), assetId, 29); // 293 * 0.1 = 29.3
        orders.settle(v, one, c, two);
    }

    function test_paysTheShareHoldersOfThisMoment() public {
        _send(_shareOf(assetId, SUPPLIER, BUYER, 9000), SUPPLIER);
        IOrders.Voucher memory v = _voucherOf(orderId);
        _send(v, BUYER, _closeOf(v), SUPPLIER);
        vm.assertEq(token.balanceOf(_at(SUPPLIER)), 0);
        vm.assertEq(token.balanceOf(_at(BUYER)), 700 + 264);
    }

    function test_sixteenShareHoldersAreAffordable() public {
        for (uint256 key = 0xE0; key < 0xE0 + 14; ++key) {
            _admit(key, Roles.BUYER);
            _send(_shareOf(assetId, SUPPLIER, key, 100), SUPPLIER);
        }
        IOrders.Voucher memory v = _voucherOf(orderId);
        v.amount = 1000;
        IOrders.Close memory c = _closeOf(v);
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        uint256 before = gasleft();
        orders.settle(v, one, c, two);
        vm.assertLe(before - gasleft(), 800_000, "the dearest settlement");
    }

    function test_aSuspensionDoesNotFreezeMoneyThatIsOwed() public {
        _suspend(SUPPLIER);
        _suspend(BUYER);
        IOrders.Voucher memory v = _voucherOf(orderId);
        _send(v, BUYER, _closeOf(v), SUPPLIER);
        vm.assertEq(token.balanceOf(_at(SUPPLIER)), 264);
    }

    function test_refusesReplay() public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        _send(v, BUYER, _closeOf(v), SUPPLIER);
        _refuses(v, _closeOf(v), abi.encodeWithSelector(IOrders.OrdersNotFunded.selector, orderId, 2));
    }

    function testFuzz_refusesAnUnknownOrder(bytes32 id) public {
        vm.assume(id != orderId);
        IOrders.Voucher memory v = _voucherOf(id);
        _refuses(v, _closeOf(v), abi.encodeWithSelector(IOrders.OrdersNotFunded.selector, id, 0));
    }

    function testFuzz_refusesAVoucherAboveTheEscrow(uint96 amount) public {
        vm.assume(amount > 1000);
        IOrders.Voucher memory v = _voucherOf(orderId);
        v.amount = amount;
        _refuses(v, _closeOf(v), abi.encodeWithSelector(IOrders.OrdersAmountOverEscrow.selector, amount, 1000));
    }

    function testFuzz_refusesAVoucherAboveTheEpsilonCap(uint64 epsilon) public {
        vm.assume(epsilon > 1_000_000);
        IOrders.Voucher memory v = _voucherOf(orderId);
        v.epsilon = epsilon;
        _refuses(
            v, _closeOf(v), abi.encodeWithSelector(IOrders.OrdersEpsilonOverCap.selector, epsilon, 1_000_000)
        );
    }

    function testFuzz_refusesAClosingOfAnotherVoucher(uint96 amount) public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        IOrders.Close memory c = _closeOf(v);
        vm.assume(amount != v.amount);
        v.amount = amount;
        _refuses(v, c, abi.encodeWithSelector(IOrders.OrdersCloseMismatch.selector, _hash(v), c.voucherHash));
    }

    function testFuzz_refusesAClosingOfAnotherOrder(bytes32 id) public {
        vm.assume(id != orderId);
        IOrders.Voucher memory v = _voucherOf(orderId);
        IOrders.Close memory c = _closeOf(v);
        c.orderId = id;
        _refuses(v, c, abi.encodeWithSelector(IOrders.OrdersCloseMismatch.selector, orderId, id));
    }

    function test_refusesAnotherSeller() public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        IOrders.Close memory c = _closeOf(v);
        c.seller = _at(COLLECTOR);
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(COLLECTOR, address(orders), _hash(c));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersNotSeller.selector, orderId, _at(COLLECTOR)));
        orders.settle(v, one, c, two);
    }

    function testFuzz_refusesAVoucherThatTheBuyerDidNotSign(uint256 key) public {
        key = key % 1e30 + 1;
        vm.assume(key != BUYER);
        IOrders.Voucher memory v = _voucherOf(orderId);
        IOrders.Close memory c = _closeOf(v);
        bytes memory one = _sign(key, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        _expectSignatureRefused(BUYER);
        orders.settle(v, one, c, two);
    }

    function test_refusesAClosingThatTheSellerDidNotSign() public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        IOrders.Close memory c = _closeOf(v);
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(BUYER, address(orders), _hash(c));
        _expectSignatureRefused(SUPPLIER);
        orders.settle(v, one, c, two);
    }

    function test_refusesAnExpiredClosing() public {
        IOrders.Voucher memory v = _voucherOf(orderId);
        IOrders.Close memory c = _closeOf(v);
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        vm.warp(uint256(c.deadline) + 1);
        _expectExpired(c.deadline);
        orders.settle(v, one, c, two);
    }

    function testFuzz_deploymentRefusesAFeeAboveEverything(uint16 feeBps) public {
        vm.assume(feeBps > 10_000);
        (uint16[] memory currencies, IERC20[] memory tokens) = _monies(address(dollars));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersFeeRange.selector, feeBps));
        new Orders(
            participants,
            rights,
            titles,
            listings,
            agreements,
            currencies,
            tokens,
            clearing,
            address(deliveries),
            TREASURY,
            feeBps
        );
    }

    function _refuses(IOrders.Voucher memory v, IOrders.Close memory c, bytes memory reason) private {
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        vm.expectRevert(reason);
        orders.settle(v, one, c, two);
    }
}
