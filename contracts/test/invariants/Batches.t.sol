// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Signing} from "../base/Signing.sol";
import {Targets} from "../base/Targets.sol";
import {BatchesHandler} from "./BatchesHandler.sol";
import {Clearing} from "../../src/Clearing.sol";
import {Orders} from "../../src/Orders.sol";
import {SettlementToken} from "../../src/SettlementToken.sol";
import {IClearing} from "../../src/interfaces/IClearing.sol";
import {IOrders} from "../../src/interfaces/IOrders.sol";

/// @notice What holds of clearing after any number of calls by anybody. Numbers as in contracts/README.md.
contract BatchInvariants is Signing, Targets {
    BatchesHandler private handler;
    Clearing private clearing;
    Orders private orders;
    SettlementToken[2] private monies;

    uint16 private constant CNY = 156;
    uint16 private constant HKD = 344;

    function setUp() public {
        handler = new BatchesHandler();
        (address c, address o, address yuan, address dollars) = handler.market();
        (clearing, orders) = (Clearing(c), Orders(o));
        monies = [SettlementToken(yuan), SettlementToken(dollars)];
    }

    function _handler() internal view override returns (address) {
        return address(handler);
    }

    function _actions() internal pure override returns (bytes4[] memory selectors) {
        selectors = new bytes4[](10);
        selectors[0] = BatchesHandler.open.selector;
        selectors[1] = BatchesHandler.owe.selector;
        selectors[2] = BatchesHandler.fund.selector;
        selectors[3] = BatchesHandler.clear.selector;
        selectors[4] = BatchesHandler.close.selector;
        selectors[5] = BatchesHandler.collect.selector;
        selectors[6] = BatchesHandler.drop.selector;
        selectors[7] = BatchesHandler.confirm.selector;
        selectors[8] = BatchesHandler.pay.selector;
        selectors[9] = BatchesHandler.wait_.selector;
    }

    /// @notice I-18: credits and debits of a batch differ by the money that orders brought, it counts its parties rightly, and
    /// what is left in a settled one is nothing.
    function invariant_aBatchHasWhatOrdersBroughtAndDebtorsPaid() public view {
        (uint256 count,,) = handler.counts();
        for (uint256 i = 0; i < count; ++i) {
            bytes32 batchId = handler.batches(i);
            (uint256 ofOrders, uint256 collected, uint256 paid) = handler.brought(batchId);
            (uint256 credit, uint256 debit, uint256 uncovered, uint256 unpaid) = _sums(batchId);
            IClearing.Batch memory record = clearing.batch(batchId);
            vm.assertEq(credit, debit + ofOrders, "I-18");
            vm.assertEq(uncovered, record.uncovered, "I-18");
            vm.assertEq(unpaid, record.unpaid, "I-18");
            if (record.status == IClearing.Status.Settled) vm.assertEq(ofOrders + collected, paid, "I-18");
            vm.assertLe(paid, ofOrders + collected, "I-18");
        }
    }

    /// @notice I-1, I-2, I-18: of each currency nothing is made or lost, and the contract has what its batches have.
    function invariant_clearingHasWhatItsBatchesHave() public view {
        uint256[2] memory held;
        (uint256 count,,) = handler.counts();
        for (uint256 i = 0; i < count; ++i) {
            bytes32 batchId = handler.batches(i);
            (uint256 ofOrders, uint256 collected, uint256 paid) = handler.brought(batchId);
            held[clearing.batch(batchId).currency == HKD ? 1 : 0] += ofOrders + collected - paid;
        }
        for (uint256 i = 0; i < 2; ++i) {
            vm.assertEq(monies[i].balanceOf(address(clearing)), held[i], "I-18");
            vm.assertEq(_everybodysMoney(monies[i]), monies[i].totalSupply(), "I-1");
        }
    }

    /// @notice What the handler sees at the moment it happens.
    function invariant_nothingWasSeenThatMustNotHappen() public view {
        vm.assertEq(bytes(handler.violation()), "");
    }

    /// @dev The invariants are worth what the handler reaches: a batch with an order, a debt that is paid and one that is dropped.
    function test_theHandlerReachesTheEndOfABatch() public {
        handler.open(20 days, false);
        handler.fund(false, 300);
        handler.clear(0, 1, 100);
        handler.owe(1, 0, 1, 8 * 40 + 1);
        handler.owe(1, 1, 4, 1403);
        handler.owe(1, 1, 4, 1404);
        uint256 before = handler.accepted();
        handler.close(1, 1 days, 4);
        handler.drop(1, 4, false); // refused: it is not time
        for (uint256 i = 1; i < 6; ++i) {
            handler.collect(1, i, false);
        }
        handler.wait_(2 days);
        for (uint256 i = 1; i < 6; ++i) {
            handler.drop(1, i, false);
        }
        handler.confirm(1, 1);
        for (uint256 i = 0; i < 6; ++i) {
            handler.pay(1, i);
        }
        vm.assertTrue(handler.accepted() - before >= 6, "reached little");
        vm.assertEq(uint8(clearing.batch(handler.batches(0)).status), uint8(IClearing.Status.Settled));
        (, uint256 debts,) = handler.counts();
        vm.assertEq(debts, 3);
        vm.assertEq(uint8(clearing.debt(handler.debts(2)).status), uint8(IClearing.DebtStatus.Dropped));
        vm.assertEq(uint8(orders.order(handler.funded(0)).status), uint8(IOrders.Status.Settled));
        invariant_aBatchHasWhatOrdersBroughtAndDebtorsPaid();
        invariant_clearingHasWhatItsBatchesHave();
        invariant_nothingWasSeenThatMustNotHappen();
    }

    /// @dev And one that its exchange left.
    function test_theHandlerReachesTheEndOfABatchWithoutItsExchange() public {
        handler.open(1 days, true);
        handler.fund(true, 300);
        handler.clear(0, 1, 100);
        handler.close(1, 0, 3);
        vm.assertEq(uint8(clearing.batch(handler.batches(0)).status), uint8(IClearing.Status.Open));
        handler.wait_(2 days);
        handler.close(1, 0, 3);
        handler.confirm(1, 3);
        for (uint256 i = 0; i < 6; ++i) {
            handler.pay(1, i);
        }
        vm.assertEq(uint8(clearing.batch(handler.batches(0)).status), uint8(IClearing.Status.Settled));
        invariant_aBatchHasWhatOrdersBroughtAndDebtorsPaid();
        invariant_clearingHasWhatItsBatchesHave();
        invariant_nothingWasSeenThatMustNotHappen();
    }

    function _sums(bytes32 batchId)
        private
        view
        returns (uint256 credit, uint256 debit, uint256 uncovered, uint256 unpaid)
    {
        address[6] memory all = handler.parties();
        for (uint256 i = 0; i < all.length; ++i) {
            IClearing.Position memory p = clearing.position(batchId, all[i]);
            credit += p.credit;
            debit += p.debit;
            if (p.debit > p.credit + p.collected) ++uncovered;
            if (p.entered && !p.paid) ++unpaid;
        }
    }

    function _everybodysMoney(SettlementToken money) private view returns (uint256 sum) {
        sum = money.balanceOf(address(clearing)) + money.balanceOf(address(orders));
        address[6] memory all = handler.parties();
        for (uint256 i = 0; i < all.length; ++i) {
            sum += money.balanceOf(all[i]);
        }
    }
}
