// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IRights} from "../src/interfaces/IRights.sol";

contract TransferShareTest is MarketTest {
    bytes32 private assetId;

    function setUp() public override {
        super.setUp();
        assetId = _confirmed("manifest");
    }

    function testFuzz_movesPartOfAShareToANewHolder(uint16 bps) public {
        bps = bps % 8999 + 1;
        IRights.TransferShare memory m = _shareOf(assetId, SUPPLIER, BUYER, bps);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        vm.expectEmit(address(rights));
        emit IRights.ShareTransferred(assetId, _at(SUPPLIER), _at(BUYER), bps, 2);
        rights.transferShare(m, signature);
        _holds(0, SUPPLIER, 9000 - bps);
        _holds(1, COLLECTOR, 1000);
        _holds(2, BUYER, bps);
    }

    function test_aWholeShareLeavesItsPlaceToANewHolder() public {
        _send(_shareOf(assetId, SUPPLIER, BUYER, 9000), SUPPLIER);
        vm.assertEq(rights.shares(assetId).length, 2);
        _holds(0, BUYER, 9000);
    }

    function test_anEmptiedPlaceIsTakenByTheNextNewHolder() public {
        _send(_shareOf(assetId, SUPPLIER, COLLECTOR, 9000), SUPPLIER);
        _holds(0, SUPPLIER, 0);
        _send(_shareOf(assetId, COLLECTOR, BUYER, 1), COLLECTOR);
        _holds(0, BUYER, 1);
        _holds(1, COLLECTOR, 9999);
    }

    function testFuzz_refusesMoreThanIsHeld(uint16 bps) public {
        vm.assume(bps == 0 || bps > 9000);
        _refuses(
            _shareOf(assetId, SUPPLIER, BUYER, bps),
            SUPPLIER,
            abi.encodeWithSelector(IRights.RightsShareTooSmall.selector, _at(SUPPLIER), 9000, bps)
        );
    }

    function test_refusesAGiverWithoutAShare() public {
        _refuses(
            _shareOf(assetId, BUYER, SUPPLIER, 1),
            BUYER,
            abi.encodeWithSelector(IRights.RightsShareTooSmall.selector, _at(BUYER), 0, 1)
        );
    }

    function test_refusesASeventeenthHolder() public {
        for (uint256 key = 0xE0; key < 0xE0 + 14; ++key) {
            _admit(key, Roles.BUYER);
            _send(_shareOf(assetId, SUPPLIER, key, 1), SUPPLIER);
        }
        vm.assertEq(rights.shares(assetId).length, 16);
        _refuses(
            _shareOf(assetId, SUPPLIER, BUYER, 1),
            SUPPLIER,
            abi.encodeWithSelector(IRights.RightsSharesFull.selector, assetId)
        );
    }

    function test_refusesReplay() public {
        IRights.TransferShare memory m = _shareOf(assetId, SUPPLIER, BUYER, 10);
        _send(m, SUPPLIER);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        _expectStale(2, 1);
        rights.transferShare(m, signature);
    }

    function test_refusesAnUnconfirmedAsset() public {
        bytes32 other = _registered("other");
        _refuses(
            _shareOf(other, SUPPLIER, BUYER, 1),
            SUPPLIER,
            abi.encodeWithSelector(IRights.RightsStatus.selector, other, 1, 2)
        );
    }

    function test_refusesTheSameParty() public {
        _refuses(
            _shareOf(assetId, SUPPLIER, SUPPLIER, 1),
            SUPPLIER,
            abi.encodeWithSelector(IRights.RightsSameParty.selector, _at(SUPPLIER))
        );
    }

    function test_refusesAReceiverWhoIsNoParticipant() public {
        IRights.TransferShare memory m = _shareOf(assetId, SUPPLIER, STRANGER, 1);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        _expectInactive(STRANGER, 0);
        rights.transferShare(m, signature);
    }

    function test_refusesAnotherSigner() public {
        IRights.TransferShare memory m = _shareOf(assetId, SUPPLIER, BUYER, 1);
        bytes memory signature = _sign(BUYER, address(rights), _hash(m));
        _expectSignatureRefused(SUPPLIER);
        rights.transferShare(m, signature);
    }

    function test_refusesAnExpiredIntent() public {
        IRights.TransferShare memory m = _shareOf(assetId, SUPPLIER, BUYER, 1);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        rights.transferShare(m, signature);
    }

    function _holds(uint256 place, uint256 key, uint256 bps) private view {
        IRights.Share memory share = rights.shares(assetId)[place];
        vm.assertEq(share.holder, _at(key));
        vm.assertEq(share.bps, bps);
    }

    function _refuses(IRights.TransferShare memory m, uint256 key, bytes memory reason) private {
        bytes memory signature = _sign(key, address(rights), _hash(m));
        vm.expectRevert(reason);
        rights.transferShare(m, signature);
    }
}
