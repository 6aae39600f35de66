// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IClearing} from "../src/interfaces/IClearing.sol";
import {IIntentBatch} from "../src/interfaces/IIntentBatch.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";
import {IParticipants} from "../src/interfaces/IParticipants.sol";

contract ClearingTest is MarketTest {
    uint256[5] private keys = [SUPPLIER, COLLECTOR, BUYER, 0xE1, 0xE2];
    bytes32 private batchId;
    mapping(address debtor => bytes32 debtId) private latest;

    function setUp() public override {
        super.setUp();
        _admit(0xE1, Roles.BUYER);
        _admit(0xE2, Roles.BUYER);
        IClearing.OpenBatch memory m = _openOf(7);
        batchId = m.batchId;
        _send(m, EXCHANGE);
    }

    /* BUILDERS */

    function _openOf(uint48 number) private view returns (IClearing.OpenBatch memory) {
        bytes32 id = keccak256(abi.encode(_at(EXCHANGE), number));
        return IClearing.OpenBatch(id, _at(EXCHANGE), number, CNY, uint64(block.timestamp + 1 days), _deadline());
    }

    function _oweOf(uint256 debtor, uint256 creditor, uint64 amount, bytes32 ref)
        private
        view
        returns (IClearing.Owe memory)
    {
        bytes32 id = keccak256(abi.encode(_at(debtor), _at(creditor), ref));
        return IClearing.Owe(id, batchId, _at(debtor), _at(creditor), amount, CNY, ref, _deadline());
    }

    function _closeBatchOf() private view returns (IClearing.CloseBatch memory) {
        uint32 legs = clearing.batch(batchId).legs;
        return IClearing.CloseBatch(batchId, legs, uint64(block.timestamp + 1 days), _at(EXCHANGE), _deadline());
    }

    function _confirmBatchOf() private view returns (IClearing.ConfirmBatch memory) {
        return IClearing.ConfirmBatch(batchId, "payouts", _at(EXCHANGE), _deadline());
    }

    function _send(IClearing.OpenBatch memory m, uint256 by) private {
        clearing.openBatch(m, _sign(by, address(clearing), _hash(m)));
    }

    function _send(IClearing.Owe memory m, uint256 by) private {
        clearing.owe(m, _sign(by, address(clearing), _hash(m)));
        latest[m.debtor] = m.debtId;
    }

    function _send(IClearing.CloseBatch memory m, uint256 by) private {
        clearing.closeBatch(m, _sign(by, address(clearing), _hash(m)));
    }

    function _send(IClearing.ConfirmBatch memory m, uint256 by) private {
        clearing.confirmBatch(m, _sign(by, address(clearing), _hash(m)));
    }

    function _clear(bytes32 orderId, uint96 amount) private {
        IOrders.Voucher memory v = _voucherOf(orderId);
        v.amount = amount;
        IOrders.Clear memory c = IOrders.Clear(orderId, _hash(v), batchId, _at(SUPPLIER), _deadline());
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        orders.clear(v, one, c, two);
    }

    function _fillBalance(uint256 key, uint64 amount) private {
        if (amount > 0) _send(_issueOf(key, amount, keccak256(abi.encode("fill", key))), BANK);
    }

    function _settleEverything() private {
        _send(_closeBatchOf(), EXCHANGE);
        vm.warp(block.timestamp + 1 days + 1);
        for (uint256 i = 0; clearing.batch(batchId).uncovered > 0; ++i) {
            address party = _at(keys[i % keys.length]);
            IClearing.Position memory p = clearing.position(batchId, party);
            if (p.debit <= p.credit + p.collected) continue;
            if (token.balanceOf(party) >= p.debit - p.credit - p.collected) {
                clearing.collect(batchId, party, p.debit - p.credit);
            } else {
                clearing.drop(batchId, latest[party]);
                latest[party] = clearing.debt(latest[party]).previous;
            }
        }
        _send(_confirmBatchOf(), EXCHANGE);
        for (uint256 i = 0; i < keys.length; ++i) {
            if (clearing.position(batchId, _at(keys[i])).entered) clearing.pay(batchId, _at(keys[i]));
        }
        if (clearing.position(batchId, TREASURY).entered) clearing.pay(batchId, TREASURY);
    }

    /* WHAT HOLDS */

    /// @notice I-18: whatever is owed and whoever can pay, a batch ends, nothing stays in it, and money is conserved.
    function testFuzz_everyBatchEndsAndConservesMoney(uint256 seed) public {
        for (uint256 i = 0; i < keys.length; ++i) {
            _fillBalance(keys[i], uint64(uint256(keccak256(abi.encode(seed, "balance", i))) % 1000));
        }
        uint256 supply = token.totalSupply();
        for (uint256 i = 0; i < 12; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            uint256 debtor = draw % 5;
            uint256 creditor = (debtor + 1 + (draw >> 8) % 4) % 5;
            _send(_oweOf(keys[debtor], keys[creditor], uint64((draw >> 16) % 700 + 1), bytes32(i)), keys[debtor]);
        }
        _settleEverything();
        vm.assertEq(uint8(clearing.batch(batchId).status), uint8(IClearing.Status.Settled));
        vm.assertEq(token.balanceOf(address(clearing)), 0);
        vm.assertEq(token.totalSupply(), supply);
        uint256 sum = 0;
        for (uint256 i = 0; i < keys.length; ++i) {
            sum += token.balanceOf(_at(keys[i]));
        }
        vm.assertEq(sum, supply);
    }

    function test_aRingOfDebtsNeedsNoMoney() public {
        _send(_oweOf(SUPPLIER, COLLECTOR, 500, "a"), SUPPLIER);
        _send(_oweOf(COLLECTOR, BUYER, 500, "b"), COLLECTOR);
        _send(_oweOf(BUYER, SUPPLIER, 500, "c"), BUYER);
        vm.assertEq(clearing.batch(batchId).uncovered, 0);
        _settleEverything();
        vm.assertEq(uint8(clearing.debt(_oweOf(SUPPLIER, COLLECTOR, 500, "a").debtId).status), 1);
    }

    function test_aFailedPartyIsIsolatedAndItsCreditorsKeepTheRest() public {
        _fillBalance(SUPPLIER, 300);
        _send(_oweOf(SUPPLIER, COLLECTOR, 200, "old"), SUPPLIER);
        _send(_oweOf(SUPPLIER, BUYER, 200, "new"), SUPPLIER);
        _settleEverything();
        vm.assertEq(token.balanceOf(_at(SUPPLIER)), 100);
        vm.assertEq(token.balanceOf(_at(COLLECTOR)), 200);
        vm.assertEq(token.balanceOf(_at(BUYER)), 0);
        bytes32 dropped = _oweOf(SUPPLIER, BUYER, 200, "new").debtId;
        vm.assertEq(uint8(clearing.debt(dropped).status), uint8(IClearing.DebtStatus.Dropped));
    }

    function test_ordersPayThroughTheBatchWhatTheyWouldHavePaidAlone() public {
        bytes32 orderId = _funded("agreement");
        _clear(orderId, 300);
        vm.assertEq(token.balanceOf(address(clearing)), 1000);
        _send(_oweOf(COLLECTOR, BUYER, 29, "rent"), COLLECTOR);
        _settleEverything();
        vm.assertEq(token.balanceOf(TREASURY), 7);
        vm.assertEq(token.balanceOf(_at(SUPPLIER)), 264);
        vm.assertEq(token.balanceOf(_at(COLLECTOR)), 0);
        vm.assertEq(token.balanceOf(_at(BUYER)), 729);
    }

    function test_aDroppedDebtMayEnterTheNextBatch() public {
        _send(_oweOf(SUPPLIER, BUYER, 200, "rent"), SUPPLIER);
        _settleEverything();
        IClearing.OpenBatch memory m = _openOf(8);
        _send(m, EXCHANGE);
        batchId = m.batchId;
        _send(_oweOf(SUPPLIER, BUYER, 200, "rent"), SUPPLIER);
        vm.assertEq(clearing.position(batchId, _at(BUYER)).credit, 200);
    }

    /// @notice I-18, with an exchange that is never heard of again: the order's money reaches its parties all the same.
    function test_aBatchEndsWithoutItsExchange() public {
        bytes32 orderId = _funded("agreement");
        _clear(orderId, 300);
        _send(_oweOf(COLLECTOR, BUYER, 2000, "rent"), COLLECTOR);
        vm.warp(clearing.batch(batchId).closeBy + 1);
        clearing.closeOverdue(batchId);
        vm.warp(clearing.batch(batchId).payBy + 1);
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingUncovered.selector, batchId, 1));
        clearing.confirmOverdue(batchId);
        clearing.drop(batchId, latest[_at(COLLECTOR)]);
        vm.expectEmit(address(clearing));
        emit IClearing.BatchConfirmed(batchId, 0, address(0));
        clearing.confirmOverdue(batchId);
        address[4] memory parties = [_at(SUPPLIER), _at(COLLECTOR), _at(BUYER), TREASURY];
        for (uint256 i = 0; i < parties.length; ++i) {
            clearing.pay(batchId, parties[i]);
        }
        vm.assertEq(token.balanceOf(_at(BUYER)), 700);
        vm.assertEq(token.balanceOf(address(clearing)), 0);
        vm.assertEq(uint8(clearing.batch(batchId).status), uint8(IClearing.Status.Settled));
    }

    function test_anyoneClosesOnlyAfterTheTimeStatedAtOpening() public {
        uint64 closeBy = clearing.batch(batchId).closeBy;
        vm.warp(closeBy);
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingNotOverdue.selector, batchId, closeBy));
        clearing.closeOverdue(batchId);
        vm.warp(closeBy + 1);
        vm.expectEmit(address(clearing));
        emit IClearing.BatchClosed(batchId, 0, 0, closeBy + 1 + 3 days, address(0));
        clearing.closeOverdue(batchId);
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingStatus.selector, batchId, 2, 1));
        clearing.closeOverdue(batchId);
    }

    function test_anyoneConfirmsOnlyAfterTheTimeStatedAtOpening() public {
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingStatus.selector, batchId, 1, 2));
        clearing.confirmOverdue(batchId);
        _send(_closeBatchOf(), EXCHANGE);
        uint64 closeBy = clearing.batch(batchId).closeBy;
        vm.warp(closeBy);
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingNotOverdue.selector, batchId, closeBy));
        clearing.confirmOverdue(batchId);
        vm.warp(closeBy + 1);
        clearing.confirmOverdue(batchId);
        vm.assertEq(uint8(clearing.batch(batchId).status), uint8(IClearing.Status.Settled));
    }

    /* WHAT IS REFUSED */

    /// @dev What followers keep in a signed 64 bit column, and JSON readers as an exact number.
    function testFuzz_refusesANumberThatReadersCannotKeep(uint256 value) public {
        vm.assume(value > type(uint48).max);
        IClearing.OpenBatch memory m = _openOf(0);
        bytes memory call_ = abi.encodeCall(IClearing.openBatch, (m, _sign(EXCHANGE, address(clearing), _hash(m))));
        uint256 place = 4 + 32 * 2; // selector; batchId and exchange come before
        assembly ("memory-safe") {
            mstore(add(add(call_, 32), place), value)
        }
        (bool taken, bytes memory reason) = address(clearing).call(call_);
        vm.assertTrue(!taken, "a reader would stop");
        vm.assertEq(reason.length, 0); // not even read: any check would name itself
    }

    function testFuzz_refusesATimeToCloseThatIsOverOrTooLong(uint64 closeBy) public {
        IClearing.OpenBatch memory m = _openOf(9);
        m.closeBy = closeBy;
        bytes memory signature = _sign(EXCHANGE, address(clearing), _hash(m));
        if (closeBy < block.timestamp || closeBy > block.timestamp + 30 days) {
            vm.expectRevert(
                abi.encodeWithSelector(IClearing.ClearingCloseBy.selector, closeBy, block.timestamp)
            );
        }
        clearing.openBatch(m, signature);
    }

    function test_refusesOrdersOfAnybodyButOrders() public {
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingOnlyOrders.selector, address(this)));
        clearing.enter(batchId, "order", CNY, new address[](0), new uint64[](0));
    }

    function test_refusesADebtThatItsDebtorDidNotSign() public {
        IClearing.Owe memory m = _oweOf(SUPPLIER, BUYER, 1, "r");
        bytes memory signature = _sign(BUYER, address(clearing), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IIntentBatch.IntentBatchSignatureInvalid.selector, _at(SUPPLIER)));
        clearing.owe(m, signature);
    }

    function test_refusesReplayOfADebt() public {
        IClearing.Owe memory m = _oweOf(SUPPLIER, BUYER, 1, "r");
        _send(m, SUPPLIER);
        bytes memory signature = _sign(SUPPLIER, address(clearing), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingDebtExists.selector, m.debtId));
        clearing.owe(m, signature);
    }

    function test_refusesToOpenWithoutTheRole() public {
        IClearing.OpenBatch memory m = _openOf(9);
        m.exchange = _at(BUYER);
        m.batchId = keccak256(abi.encode(m.exchange, m.number));
        bytes memory signature = _sign(BUYER, address(clearing), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IParticipants.ParticipantsNotActive.selector, _at(BUYER), Roles.EXCHANGE)
        );
        clearing.openBatch(m, signature);
    }

    /// @dev While a debt may not be dropped, what orders brought into its batch waits with it.
    function testFuzz_refusesATimeToPayInThatIsOverOrTooLong(uint64 payBy) public {
        IClearing.CloseBatch memory m = _closeBatchOf();
        m.payBy = payBy;
        bytes memory signature = _sign(EXCHANGE, address(clearing), _hash(m));
        if (payBy < block.timestamp || payBy > block.timestamp + 30 days) {
            vm.expectRevert(
                abi.encodeWithSelector(IClearing.ClearingPayBy.selector, payBy, block.timestamp)
            );
        }
        clearing.closeBatch(m, signature);
    }

    function test_refusesToDropBeforeTheTimeToPayInIsOver() public {
        _send(_oweOf(SUPPLIER, BUYER, 200, "rent"), SUPPLIER);
        IClearing.CloseBatch memory m = _closeBatchOf();
        _send(m, EXCHANGE);
        vm.warp(m.payBy);
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingNotDue.selector, batchId, m.payBy));
        clearing.drop(batchId, latest[_at(SUPPLIER)]);
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingShort.selector, _at(SUPPLIER), 0, 200));
        clearing.collect(batchId, _at(SUPPLIER), 200);
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingTotal.selector, 200, 201));
        clearing.collect(batchId, _at(SUPPLIER), 201);
    }

    function test_refusesToDropWhatCanBePaid() public {
        _fillBalance(SUPPLIER, 200);
        _send(_oweOf(SUPPLIER, BUYER, 200, "rent"), SUPPLIER);
        _send(_closeBatchOf(), EXCHANGE);
        vm.warp(block.timestamp + 2 days);
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingSolvent.selector, _at(SUPPLIER), 200, 200));
        clearing.drop(batchId, latest[_at(SUPPLIER)]);
    }

    function test_refusesToDropAnotherDebtThanTheLatest() public {
        _send(_oweOf(SUPPLIER, BUYER, 200, "old"), SUPPLIER);
        bytes32 old = latest[_at(SUPPLIER)];
        _send(_oweOf(SUPPLIER, BUYER, 200, "new"), SUPPLIER);
        _send(_closeBatchOf(), EXCHANGE);
        vm.warp(block.timestamp + 2 days);
        vm.expectRevert(
            abi.encodeWithSelector(IClearing.ClearingNotLatest.selector, latest[_at(SUPPLIER)], old)
        );
        clearing.drop(batchId, old);
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingNotLatest.selector, bytes32(0), bytes32("other")));
        clearing.drop(batchId, "other");
    }

    function test_refusesToConfirmWhileSomebodyIsNotCovered() public {
        _send(_oweOf(SUPPLIER, BUYER, 200, "rent"), SUPPLIER);
        _send(_closeBatchOf(), EXCHANGE);
        IClearing.ConfirmBatch memory m = _confirmBatchOf();
        bytes memory signature = _sign(EXCHANGE, address(clearing), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingUncovered.selector, batchId, 1));
        clearing.confirmBatch(m, signature);
    }

    function test_refusesToPayTwiceOrBeforeTheConfirmation() public {
        _send(_oweOf(SUPPLIER, BUYER, 200, "rent"), SUPPLIER);
        _fillBalance(SUPPLIER, 500);
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingStatus.selector, batchId, 1, 3));
        clearing.pay(batchId, _at(BUYER));
        _send(_closeBatchOf(), EXCHANGE);
        clearing.collect(batchId, _at(SUPPLIER), 200);
        _send(_confirmBatchOf(), EXCHANGE);
        clearing.pay(batchId, _at(BUYER));
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingNothingToPay.selector, batchId, _at(BUYER)));
        clearing.pay(batchId, _at(BUYER));
        vm.assertEq(token.balanceOf(_at(BUYER)), 200);
        clearing.pay(batchId, _at(SUPPLIER));
        vm.assertEq(token.balanceOf(_at(SUPPLIER)), 300);
        vm.assertEq(uint8(clearing.batch(batchId).status), uint8(IClearing.Status.Settled));
    }

    function testFuzz_refusesMoreThanADebtorCanOwe(uint64 amount) public {
        vm.assume(amount == 0 || amount > 2 ** 52 - 1);
        IClearing.Owe memory m = _oweOf(SUPPLIER, BUYER, amount, "r");
        bytes memory signature = _sign(SUPPLIER, address(clearing), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IClearing.ClearingAmount.selector, amount));
        clearing.owe(m, signature);
    }

    /// @notice I-14, for what a drop takes back.
    function test_noSlotReturnsToZeroWhenADebtIsDropped() public {
        _send(_oweOf(SUPPLIER, BUYER, 200, "rent"), SUPPLIER);
        _send(_closeBatchOf(), EXCHANGE);
        vm.warp(block.timestamp + 2 days);
        vm.record();
        clearing.drop(batchId, latest[_at(SUPPLIER)]);
        (, bytes32[] memory writes) = vm.accesses(address(clearing));
        vm.assertTrue(writes.length > 0, "I-14");
        for (uint256 i = 0; i < writes.length; ++i) {
            vm.assertTrue(vm.load(address(clearing), writes[i]) != 0, "I-14");
        }
    }
}
