// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IClearing} from "../src/interfaces/IClearing.sol";
import {ICurrencies} from "../src/interfaces/ICurrencies.sol";
import {IIntentBatch} from "../src/interfaces/IIntentBatch.sol";
import {IListings} from "../src/interfaces/IListings.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";
import {ISettlementToken} from "../src/interfaces/ISettlementToken.sol";

/// @notice I-33: what is signed in one currency is paid in it and in no other.
contract CurrenciesTest is MarketTest {
    bytes32 private assetId;

    function setUp() public override {
        super.setUp();
        assetId = _confirmed("currencies");
        _issueIn(CNY, 5000);
        _issueIn(HKD, 700);
    }

    function _issueIn(uint16 currency, uint256 amount) private {
        ISettlementToken.Issue memory m = _issueOf(BUYER, amount, "ref");
        m.currency = currency;
        address money = address(orders.tokenOf(currency));
        ISettlementToken(money).issue(m, _sign(BANK, money, _hash(m)));
    }

    function _listIn(uint16 currency) private returns (bytes32) {
        IListings.List memory m = _listOf(assetId, bytes32(uint256(currency)));
        m.currency = currency;
        _send(m, SUPPLIER);
        return m.listingId;
    }

    function _fundIn(bytes32 listingId, uint16 currency, uint96 escrow) private view returns (IOrders.Fund memory m) {
        m = _fundOf(listingId, "agreement");
        (m.currency, m.escrow) = (currency, escrow);
    }

    function _batchIn(uint16 currency) private view returns (IClearing.OpenBatch memory) {
        bytes32 id = keccak256(abi.encode(_at(EXCHANGE), uint48(currency)));
        uint64 until = uint64(block.timestamp + 1 days);
        return IClearing.OpenBatch(id, _at(EXCHANGE), currency, currency, until, _deadline());
    }

    function _openIn(uint16 currency) private returns (bytes32) {
        IClearing.OpenBatch memory m = _batchIn(currency);
        clearing.openBatch(m, _sign(EXCHANGE, address(clearing), _hash(m)));
        return m.batchId;
    }

    function test_anOrderIsPaidInTheCurrencyOfItsListing() public {
        IOrders.Fund memory m = _fundIn(_listIn(HKD), HKD, 600);
        _send(m, BUYER);
        vm.assertEq(dollars.balanceOf(address(orders)), 600);
        vm.assertEq(token.balanceOf(_at(BUYER)), 5000);
        IOrders.Voucher memory v = _voucherOf(m.orderId);
        _send(v, BUYER, _closeOf(v), SUPPLIER);
        vm.assertEq(dollars.balanceOf(_at(BUYER)), 400);
        vm.assertEq(dollars.balanceOf(TREASURY), 7);
        vm.assertEq(dollars.balanceOf(address(orders)), 0);
        vm.assertEq(token.balanceOf(TREASURY) + token.balanceOf(address(orders)), 0);
    }

    function test_aRefundIsInTheCurrencyOfItsOrder() public {
        IOrders.Fund memory m = _fundIn(_listIn(HKD), HKD, 600);
        _send(m, BUYER);
        vm.warp(uint256(m.validUntil) + 3 days + 1);
        orders.refund(m.orderId);
        vm.assertEq(dollars.balanceOf(_at(BUYER)), 700);
    }

    function testFuzz_refusesAnOrderInAnotherCurrencyThanItsListing(uint16 currency) public {
        vm.assume(currency != HKD);
        IOrders.Fund memory m = _fundIn(_listIn(HKD), currency, 600);
        bytes memory signature = _sign(BUYER, address(orders), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ICurrencies.CurrenciesDiffer.selector, HKD, currency));
        orders.fund(m, signature);
    }

    function testFuzz_refusesAnOrderInACurrencyTheMarketHasNot(uint16 currency) public {
        vm.assume(currency != HKD && currency != CNY);
        IOrders.Fund memory m = _fundIn(_listIn(currency), currency, 600);
        bytes memory signature = _sign(BUYER, address(orders), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ICurrencies.CurrenciesUnknown.selector, currency));
        orders.fund(m, signature);
    }

    function test_moneyOfOneCurrencyDoesNotCoverAnother() public {
        IOrders.Fund memory m = _fundIn(_listIn(HKD), HKD, 701);
        bytes memory signature = _sign(BUYER, address(orders), _hash(m));
        vm.expectRevert();
        orders.fund(m, signature);
    }

    function testFuzz_aTokenTakesNoOtherCurrency(uint16 currency) public {
        vm.assume(currency != HKD);
        ISettlementToken.Issue memory m = _issueOf(BUYER, 1, "another");
        m.currency = currency;
        bytes memory signature = _sign(BANK, address(dollars), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ICurrencies.CurrenciesDiffer.selector, HKD, currency));
        dollars.issue(m, signature);
    }

    function test_whatABankSignsForOneTokenIsNothingToAnother() public {
        ISettlementToken.Issue memory m = _issueOf(BUYER, 1, "another");
        m.currency = HKD;
        bytes memory signature = _sign(BANK, address(token), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IIntentBatch.IntentBatchSignatureInvalid.selector, _at(BANK)));
        dollars.issue(m, signature);
    }

    function test_aBatchIsOfOneCurrency() public {
        bytes32 batchId = _openIn(HKD);
        IOrders.Fund memory m = _fundIn(_listIn(HKD), HKD, 600);
        _send(m, BUYER);
        IOrders.Voucher memory v = _voucherOf(m.orderId);
        IOrders.Clear memory c = IOrders.Clear(m.orderId, _hash(v), batchId, _at(SUPPLIER), _deadline());
        orders.clear(v, _sign(BUYER, address(orders), _hash(v)), c, _sign(SUPPLIER, address(orders), _hash(c)));
        vm.assertEq(dollars.balanceOf(address(clearing)), 600);
        vm.assertEq(clearing.batch(batchId).currency, HKD);
    }

    function test_refusesAnOrderInABatchOfAnotherCurrency() public {
        bytes32 batchId = _openIn(CNY);
        IOrders.Fund memory m = _fundIn(_listIn(HKD), HKD, 600);
        _send(m, BUYER);
        IOrders.Voucher memory v = _voucherOf(m.orderId);
        IOrders.Clear memory c = IOrders.Clear(m.orderId, _hash(v), batchId, _at(SUPPLIER), _deadline());
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        vm.expectRevert(abi.encodeWithSelector(ICurrencies.CurrenciesDiffer.selector, CNY, HKD));
        orders.clear(v, one, c, two);
    }

    function testFuzz_refusesADebtInAnotherCurrencyThanItsBatch(uint16 currency) public {
        vm.assume(currency != HKD);
        bytes32 batchId = _openIn(HKD);
        bytes32 id = keccak256(abi.encode(_at(BUYER), _at(SUPPLIER), bytes32("ref")));
        IClearing.Owe memory m =
            IClearing.Owe(id, batchId, _at(BUYER), _at(SUPPLIER), 5, currency, "ref", _deadline());
        bytes memory signature = _sign(BUYER, address(clearing), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ICurrencies.CurrenciesDiffer.selector, HKD, currency));
        clearing.owe(m, signature);
    }

    function testFuzz_refusesABatchInACurrencyTheMarketHasNot(uint16 currency) public {
        vm.assume(currency != HKD && currency != CNY);
        IClearing.OpenBatch memory m = _batchIn(currency);
        bytes memory signature = _sign(EXCHANGE, address(clearing), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ICurrencies.CurrenciesUnknown.selector, currency));
        clearing.openBatch(m, signature);
    }

    function test_aDebtIsCollectedAndPaidInItsCurrency() public {
        bytes32 batchId = _openIn(HKD);
        bytes32 id = keccak256(abi.encode(_at(BUYER), _at(SUPPLIER), bytes32("ref")));
        IClearing.Owe memory m = IClearing.Owe(id, batchId, _at(BUYER), _at(SUPPLIER), 50, HKD, "ref", _deadline());
        clearing.owe(m, _sign(BUYER, address(clearing), _hash(m)));
        vm.warp(uint256(clearing.batch(batchId).closeBy) + 1);
        clearing.closeOverdue(batchId);
        clearing.collect(batchId, _at(BUYER), 50);
        clearing.confirmOverdue(batchId);
        clearing.pay(batchId, _at(SUPPLIER));
        vm.assertEq(dollars.balanceOf(_at(SUPPLIER)), 50);
        vm.assertEq(token.balanceOf(_at(SUPPLIER)), 0);
    }

    function test_theTokensAreWhatTheTablesSay() public view {
        for (uint256 i = 0; i < 2; ++i) {
            (uint16 currency, address money) = i == 0 ? (CNY, address(token)) : (HKD, address(dollars));
            vm.assertEq(address(orders.tokenOf(currency)), money);
            vm.assertEq(address(clearing.tokenOf(currency)), money);
            vm.assertEq(ISettlementToken(money).allowance(_at(BUYER), address(orders)), type(uint256).max);
        }
        vm.assertEq(bytes(dollars.symbol()), "SHKD");
        vm.assertEq(dollars.CURRENCY(), HKD);
    }
}
