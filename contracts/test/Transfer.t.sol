// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IRights} from "../src/interfaces/IRights.sol";

contract TransferTest is MarketTest {
    bytes32 private assetId;
    bytes32 private operate;

    function setUp() public override {
        super.setUp();
        assetId = _confirmed("manifest");
        operate = _titleId(assetId, IRights.TitleKind.Operate);
    }

    function testFuzz_handsATitleOver(bool hold) public {
        bytes32 titleId = hold ? _titleId(assetId, IRights.TitleKind.Hold) : operate;
        IRights.Transfer memory m = _transferOf(titleId, SUPPLIER, COLLECTOR);
        bytes memory one = _sign(SUPPLIER, address(rights), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(rights), _hash(m));
        vm.expectEmit(address(rights));
        emit IRights.TitleTransferred(titleId, _at(SUPPLIER), _at(COLLECTOR), 2);
        rights.transfer(m, one, two);
        vm.assertEq(rights.title(titleId).holder, _at(COLLECTOR));
    }

    function test_refusesReplayAfterTheTitleCameBack() public {
        IRights.Transfer memory m = _transferOf(operate, SUPPLIER, COLLECTOR);
        _send(m, SUPPLIER, COLLECTOR);
        _send(_transferOf(operate, COLLECTOR, SUPPLIER), COLLECTOR, SUPPLIER);
        bytes memory one = _sign(SUPPLIER, address(rights), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(rights), _hash(m));
        _expectStale(3, 1);
        rights.transfer(m, one, two);
    }

    function test_refusesATitleThatIsNotTheGivers() public {
        IRights.Transfer memory m = _transferOf(operate, BUYER, COLLECTOR);
        _refuses(m, BUYER, COLLECTOR, abi.encodeWithSelector(IRights.RightsNotHolder.selector, operate, _at(BUYER)));
    }

    function test_refusesAUseTitle() public {
        bytes32 orderId = _funded("agreement");
        bytes32 asset = keccak256(abi.encode(_at(SUPPLIER), bytes32("agreement")));
        bytes32 use = keccak256(abi.encode(asset, IRights.TitleKind.Use, orderId));
        IRights.Transfer memory m = _transferOf(use, BUYER, COLLECTOR);
        _refuses(m, BUYER, COLLECTOR, abi.encodeWithSelector(IRights.RightsNotTransferable.selector, use));
    }

    function test_refusesTheSameParty() public {
        IRights.Transfer memory m = _transferOf(operate, SUPPLIER, SUPPLIER);
        _refuses(m, SUPPLIER, SUPPLIER, abi.encodeWithSelector(IRights.RightsSameParty.selector, _at(SUPPLIER)));
    }

    function test_refusesAReceiverWhoDidNotSign() public {
        IRights.Transfer memory m = _transferOf(operate, SUPPLIER, COLLECTOR);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        _expectSignatureRefused(COLLECTOR);
        rights.transfer(m, signature, signature);
    }

    function test_refusesAGiverWhoDidNotSign() public {
        IRights.Transfer memory m = _transferOf(operate, SUPPLIER, COLLECTOR);
        bytes memory signature = _sign(COLLECTOR, address(rights), _hash(m));
        _expectSignatureRefused(SUPPLIER);
        rights.transfer(m, signature, signature);
    }

    function test_refusesASuspendedReceiver() public {
        _suspend(COLLECTOR);
        IRights.Transfer memory m = _transferOf(operate, SUPPLIER, COLLECTOR);
        bytes memory one = _sign(SUPPLIER, address(rights), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(rights), _hash(m));
        _expectInactive(COLLECTOR, 0);
        rights.transfer(m, one, two);
    }

    function test_refusesAnExpiredIntent() public {
        IRights.Transfer memory m = _transferOf(operate, SUPPLIER, COLLECTOR);
        bytes memory one = _sign(SUPPLIER, address(rights), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(rights), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        rights.transfer(m, one, two);
    }

    function _refuses(IRights.Transfer memory m, uint256 from, uint256 to, bytes memory reason) private {
        bytes memory one = _sign(from, address(rights), _hash(m));
        bytes memory two = _sign(to, address(rights), _hash(m));
        vm.expectRevert(reason);
        rights.transfer(m, one, two);
    }
}
