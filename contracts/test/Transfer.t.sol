// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

contract TransferTest is MarketTest {
    bytes32 private assetId;
    bytes32 private operate;

    function setUp() public override {
        super.setUp();
        assetId = _confirmed("manifest");
        operate = _titleId(assetId, ITitles.TitleKind.Operate);
    }

    function testFuzz_handsATitleOver(bool use) public {
        bytes32 titleId = use ? _titleId(assetId, ITitles.TitleKind.Use) : operate;
        ITitles.Transfer memory m = _transferOf(titleId, SUPPLIER, COLLECTOR);
        bytes memory one = _sign(SUPPLIER, address(titles), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(titles), _hash(m));
        vm.expectEmit(address(titles));
        emit ITitles.TitleTransferred(titleId, _at(SUPPLIER), _at(COLLECTOR), 2);
        titles.transfer(m, one, two);
        vm.assertEq(titles.title(titleId).holder, _at(COLLECTOR));
    }

    function testFuzz_refusesATitleToWhatIsNotRegistered(bool lapsed) public {
        ITitles.Transfer memory m = _transferOf(operate, SUPPLIER, COLLECTOR);
        uint64 until = rights.asset(assetId).validUntil;
        if (lapsed) vm.warp(uint256(until) + 1);
        else _send(_markOf(assetId, IRights.AssetStatus.Suspended), REGISTRAR);
        m.deadline = _deadline();
        bytes memory reason = lapsed
            ? abi.encodeWithSelector(IRights.RightsExpired.selector, assetId, until)
            : abi.encodeWithSelector(IRights.RightsStatus.selector, assetId, 3, 2);
        _refuses(m, SUPPLIER, COLLECTOR, reason);
    }

    function test_refusesReplayAfterTheTitleCameBack() public {
        ITitles.Transfer memory m = _transferOf(operate, SUPPLIER, COLLECTOR);
        _send(m, SUPPLIER, COLLECTOR);
        _send(_transferOf(operate, COLLECTOR, SUPPLIER), COLLECTOR, SUPPLIER);
        bytes memory one = _sign(SUPPLIER, address(titles), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(titles), _hash(m));
        _expectStale(3, 1);
        titles.transfer(m, one, two);
    }

    function test_refusesATitleThatIsNotTheGivers() public {
        ITitles.Transfer memory m = _transferOf(operate, BUYER, COLLECTOR);
        _refuses(m, BUYER, COLLECTOR, abi.encodeWithSelector(ITitles.TitlesNotHolder.selector, operate, _at(BUYER)));
    }

    function test_refusesAUseTitle() public {
        bytes32 orderId = _funded("agreement");
        bytes32 asset = keccak256(abi.encode(_at(SUPPLIER), bytes32("agreement")));
        bytes32 use = keccak256(abi.encode(asset, ITitles.TitleKind.Use, orderId));
        ITitles.Transfer memory m = _transferOf(use, BUYER, COLLECTOR);
        _refuses(m, BUYER, COLLECTOR, abi.encodeWithSelector(ITitles.TitlesNotTransferable.selector, use));
    }

    function test_refusesTheSameParty() public {
        ITitles.Transfer memory m = _transferOf(operate, SUPPLIER, SUPPLIER);
        _refuses(m, SUPPLIER, SUPPLIER, abi.encodeWithSelector(ITitles.TitlesSameParty.selector, _at(SUPPLIER)));
    }

    function test_refusesAReceiverWhoDidNotSign() public {
        ITitles.Transfer memory m = _transferOf(operate, SUPPLIER, COLLECTOR);
        bytes memory signature = _sign(SUPPLIER, address(titles), _hash(m));
        _expectSignatureRefused(COLLECTOR);
        titles.transfer(m, signature, signature);
    }

    function test_refusesAGiverWhoDidNotSign() public {
        ITitles.Transfer memory m = _transferOf(operate, SUPPLIER, COLLECTOR);
        bytes memory signature = _sign(COLLECTOR, address(titles), _hash(m));
        _expectSignatureRefused(SUPPLIER);
        titles.transfer(m, signature, signature);
    }

    function test_refusesASuspendedReceiver() public {
        _suspend(COLLECTOR);
        ITitles.Transfer memory m = _transferOf(operate, SUPPLIER, COLLECTOR);
        bytes memory one = _sign(SUPPLIER, address(titles), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(titles), _hash(m));
        _expectInactive(COLLECTOR, 0);
        titles.transfer(m, one, two);
    }

    function test_refusesAnExpiredIntent() public {
        ITitles.Transfer memory m = _transferOf(operate, SUPPLIER, COLLECTOR);
        bytes memory one = _sign(SUPPLIER, address(titles), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(titles), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        titles.transfer(m, one, two);
    }

    function _refuses(ITitles.Transfer memory m, uint256 from, uint256 to, bytes memory reason) private {
        bytes memory one = _sign(from, address(titles), _hash(m));
        bytes memory two = _sign(to, address(titles), _hash(m));
        vm.expectRevert(reason);
        titles.transfer(m, one, two);
    }
}
