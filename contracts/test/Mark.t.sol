// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

contract MarkTest is MarketTest {
    bytes32 private assetId;

    function setUp() public override {
        super.setUp();
        assetId = _confirmed("manifest");
    }

    function testFuzz_suspendsAndRestores(bytes32 reason) public {
        IRights.Mark memory m = _markOf(assetId, IRights.AssetStatus.Suspended);
        m.reasonDigest = reason;
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        vm.expectEmit(address(rights));
        emit IRights.Marked(assetId, 3, reason, _at(REGISTRAR), 3);
        rights.mark(m, signature);
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsStatus.selector, assetId, 3, 2));
        _operates(assetId, SUPPLIER);

        _send(_markOf(assetId, IRights.AssetStatus.Confirmed), REGISTRAR);
        _operates(assetId, SUPPLIER);
        vm.assertEq(rights.asset(assetId).version, 4);
    }

    function testFuzz_refusesAMarkOutsideTheTable(uint8 status, bool suspended) public {
        if (suspended) _send(_markOf(assetId, IRights.AssetStatus.Suspended), REGISTRAR);
        uint8 current = suspended ? 3 : 2;
        vm.assume(status != (suspended ? 2 : 3));
        IRights.Mark memory m = _markOf(assetId, IRights.AssetStatus.Suspended);
        m.status = status;
        _refuses(m, abi.encodeWithSelector(IRights.RightsMark.selector, assetId, current, status));
    }

    function test_refusesAnAssetThatWasNotConfirmed() public {
        assetId = _registered("other");
        IRights.Mark memory m = _markOf(assetId, IRights.AssetStatus.Suspended);
        _refuses(m, abi.encodeWithSelector(IRights.RightsMark.selector, assetId, 1, 3));
    }

    function test_refusesReplay() public {
        IRights.Mark memory m = _markOf(assetId, IRights.AssetStatus.Suspended);
        _send(m, REGISTRAR);
        _send(_markOf(assetId, IRights.AssetStatus.Confirmed), REGISTRAR);
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        _expectStale(4, 2);
        rights.mark(m, signature);
    }

    function test_refusesARegistrarWhoHoldsAShare() public {
        _admit(COLLECTOR, Roles.REGISTRAR);
        _refusesOwnMatter(COLLECTOR);
    }

    function test_refusesARegistrarWhoHoldsATitle() public {
        _send(_transferOf(_titleId(assetId, ITitles.TitleKind.Operate), SUPPLIER, BUYER), SUPPLIER, BUYER);
        _admit(BUYER, Roles.REGISTRAR);
        _refusesOwnMatter(BUYER);
    }

    function test_refusesARegistrarWhoTookATitle() public {
        _admit(BUYER, Roles.REGISTRAR);
        bytes32 operate = _titleId(assetId, ITitles.TitleKind.Operate);
        ITitles.Grant memory m = _grantOf(operate, SUPPLIER, BUYER, "terms");
        _send(m, SUPPLIER, BUYER);
        _refusesOwnMatter(BUYER);
        _send(_surrenderOf(m.titleId, BUYER), BUYER);
        _refusesOwnMatter(BUYER);
    }

    function test_refusesARegistrarWhoPassedItsTitleOn() public {
        bytes32 operate = _titleId(assetId, ITitles.TitleKind.Operate);
        _send(_transferOf(operate, SUPPLIER, BUYER), SUPPLIER, BUYER);
        _send(_transferOf(operate, BUYER, COLLECTOR), BUYER, COLLECTOR);
        _admit(BUYER, Roles.REGISTRAR);
        _refusesOwnMatter(BUYER);
    }

    function test_refusesARegistrarWhoTookAPledge() public {
        _admit(BUYER, Roles.REGISTRAR);
        _send(_pledgeOf(_titleId(assetId, ITitles.TitleKind.Operate), SUPPLIER, BUYER), SUPPLIER, BUYER);
        _refusesOwnMatter(BUYER);
    }

    function test_onlyTheRegistersNoteParties() public {
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsOnlyRegistrations.selector, address(this)));
        rights.noteParty(assetId, _at(REGISTRAR));
    }

    function test_refusesARegistrarWithoutTheRole() public {
        IRights.Mark memory m = _markOf(assetId, IRights.AssetStatus.Suspended);
        m.registrar = _at(BUYER);
        bytes memory signature = _sign(BUYER, address(rights), _hash(m));
        _expectInactive(BUYER, Roles.REGISTRAR);
        rights.mark(m, signature);
    }

    function test_refusesAnotherSigner() public {
        IRights.Mark memory m = _markOf(assetId, IRights.AssetStatus.Suspended);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        _expectSignatureRefused(REGISTRAR);
        rights.mark(m, signature);
    }

    function test_refusesAnExpiredIntent() public {
        IRights.Mark memory m = _markOf(assetId, IRights.AssetStatus.Suspended);
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        rights.mark(m, signature);
    }

    function _refuses(IRights.Mark memory m, bytes memory reason) private {
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        vm.expectRevert(reason);
        rights.mark(m, signature);
    }

    function _refusesOwnMatter(uint256 key) private {
        IRights.Mark memory m = _markOf(assetId, IRights.AssetStatus.Suspended);
        m.registrar = _at(key);
        bytes memory signature = _sign(key, address(rights), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsOwnMatter.selector, _at(key)));
        rights.mark(m, signature);
    }
}
