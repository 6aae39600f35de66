// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IIntentBatch} from "../src/interfaces/IIntentBatch.sol";
import {IListings} from "../src/interfaces/IListings.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

/// @notice What weighs on titles: pledges, seizure, administrative control.
contract PledgeTest is MarketTest {
    bytes32 private assetId;
    bytes32 private operate;

    function setUp() public override {
        super.setUp();
        assetId = _confirmed("manifest");
        operate = _titleId(assetId, ITitles.TitleKind.Operate);
    }

    function testFuzz_nothingIsPledgedOfWhatIsNotRegistered(bool lapsed) public {
        uint64 until = rights.asset(assetId).validUntil;
        if (lapsed) vm.warp(uint256(until) + 1);
        else _send(_markOf(assetId, IRights.AssetStatus.Suspended), REGISTRAR);
        ITitles.Pledge memory m = _pledgeOf(operate, SUPPLIER, BUYER);
        bytes memory one = _sign(SUPPLIER, address(titles), _hash(m));
        bytes memory two = _sign(BUYER, address(titles), _hash(m));
        bytes memory reason = lapsed
            ? abi.encodeWithSelector(IRights.RightsExpired.selector, assetId, until)
            : abi.encodeWithSelector(IRights.RightsStatus.selector, assetId, 3, 2);
        vm.expectRevert(reason);
        titles.pledge(m, one, two);
        IRights.PledgeShare memory share = _pledgeOf(assetId, SUPPLIER, BUYER, 100);
        one = _sign(SUPPLIER, address(rights), _hash(share));
        two = _sign(BUYER, address(rights), _hash(share));
        vm.expectRevert(reason);
        rights.pledgeShare(share, one, two);
    }

    function test_aPledgedTitleMovesOnlyWithThePledgeesPermit() public {
        _pledge();
        ITitles.Transfer memory m = _transferOf(operate, SUPPLIER, COLLECTOR);
        _refusesTransfer(m, abi.encodeWithSelector(ITitles.TitlesPledged.selector, operate, _at(BUYER)));
        m.version += 1;
        _permit(_hash(m));
        ITitles.Transfer memory other = _transferOf(operate, SUPPLIER, BUYER);
        bytes memory one = _sign(SUPPLIER, address(titles), _hash(other));
        bytes memory two = _sign(BUYER, address(titles), _hash(other));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesPledged.selector, operate, _at(BUYER)));
        titles.transfer(other, one, two);
        _send(m, SUPPLIER, COLLECTOR);
        vm.assertEq(titles.title(operate).holder, _at(COLLECTOR));
        vm.assertEq(titles.title(operate).marks & 64, 64); // the pledge goes along
    }

    function test_aPledgedTitleIsGrantedExclusivelyOnlyWithThePledgeesPermit() public {
        _pledge();
        ITitles.Grant memory m = _grantOf(operate, SUPPLIER, COLLECTOR, "plain");
        m.purposes = 2;
        _send(m, SUPPLIER, COLLECTOR);
        m = _grantOf(operate, SUPPLIER, COLLECTOR, "exclusive");
        m.marks = 1;
        bytes memory one = _sign(SUPPLIER, address(titles), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(titles), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesPledged.selector, operate, _at(BUYER)));
        titles.grant(m, one, two);
        m.version += 1;
        _permit(_hash(m));
        _send(m, SUPPLIER, COLLECTOR);
    }

    function test_aReleasedTitleMovesFreely() public {
        _pledge();
        ITitles.ReleasePledge memory m =
            ITitles.ReleasePledge(operate, _at(BUYER), titles.title(operate).version, _deadline());
        titles.releasePledge(m, _sign(BUYER, address(titles), _hash(m)));
        _send(_transferOf(operate, SUPPLIER, COLLECTOR), SUPPLIER, COLLECTOR);
        ITitles.Permit memory late = ITitles.Permit(operate, "act", _at(BUYER), 4, _deadline());
        bytes memory signature = _sign(BUYER, address(titles), _hash(late));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesNotPledgee.selector, operate, _at(BUYER)));
        titles.permit(late, signature);
    }

    function test_aRulingGivesThePledgedTitleToThePledgee() public {
        _pledge();
        ITitles.Enforce memory m =
            ITitles.Enforce(operate, "ruling", _at(REGISTRAR), titles.title(operate).version, _deadline());
        bytes memory signature = _sign(REGISTRAR, address(titles), _hash(m));
        vm.expectEmit(address(titles));
        emit ITitles.PledgeEnforced(operate, _at(SUPPLIER), _at(BUYER), "ruling", _at(REGISTRAR), 3);
        titles.enforce(m, signature);
        vm.assertEq(titles.title(operate).holder, _at(BUYER));
        vm.assertEq(titles.title(operate).marks & 64, 0);
        _expectStaleOrUnpledged(m);
    }

    function test_onlyARightToOperateIsPledged() public {
        bytes32 hold = _titleId(assetId, ITitles.TitleKind.Hold);
        ITitles.Pledge memory m = _pledgeOf(hold, SUPPLIER, BUYER);
        bytes memory one = _sign(SUPPLIER, address(titles), _hash(m));
        bytes memory two = _sign(BUYER, address(titles), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesNotPledgeable.selector, hold));
        titles.pledge(m, one, two);
    }

    function test_aSecondPledgeIsRefused() public {
        _pledge();
        ITitles.Pledge memory m = _pledgeOf(operate, SUPPLIER, COLLECTOR);
        bytes memory one = _sign(SUPPLIER, address(titles), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(titles), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesPledged.selector, operate, _at(BUYER)));
        titles.pledge(m, one, two);
    }

    function testFuzz_whatIsSeizedOrControlledIsNeitherMovedNorGrantedNorOffered(bool controlled) public {
        uint8 marks = controlled ? 32 : 16;
        ITitles.Grant memory part = _grantOf(operate, SUPPLIER, COLLECTOR, "part");
        part.marks = 2;
        _send(part, SUPPLIER, COLLECTOR);
        _encumber(marks);
        bytes memory reason = abi.encodeWithSelector(ITitles.TitlesEncumbered.selector, operate, operate, marks);
        _refusesTransfer(_transferOf(operate, SUPPLIER, COLLECTOR), reason);
        IListings.List memory l = _listOf(assetId, "terms");
        bytes memory signature = _sign(SUPPLIER, address(listings), _hash(l));
        vm.expectRevert(reason);
        listings.list(l, signature);
        ITitles.Grant memory below = _grantOf(part.titleId, COLLECTOR, BUYER, "below");
        bytes memory one = _sign(COLLECTOR, address(titles), _hash(below));
        bytes memory two = _sign(BUYER, address(titles), _hash(below));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesEncumbered.selector, part.titleId, operate, marks));
        titles.grant(below, one, two);
        _encumber(0);
        _send(below, COLLECTOR, BUYER);
        _send(l, SUPPLIER);
    }

    function testFuzz_refusesMarksThatAreNoEncumbrances(uint8 marks) public {
        vm.assume(marks & ~uint8(48) != 0 || marks == 0);
        ITitles.Encumber memory m = _encumberOf(marks);
        bytes memory signature = _sign(REGISTRAR, address(titles), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesMarks.selector, operate, 0, marks));
        titles.encumber(m, signature);
    }

    function test_refusesARegistrarInItsOwnMatter() public {
        _send(_transferOf(operate, SUPPLIER, REGISTRAR), SUPPLIER, REGISTRAR);
        ITitles.Encumber memory m = _encumberOf(16);
        bytes memory signature = _sign(REGISTRAR, address(titles), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsOwnMatter.selector, _at(REGISTRAR)));
        titles.encumber(m, signature);
    }

    function test_refusesARegistrarWhoIsThePledgee() public {
        _send(_pledgeOf(operate, SUPPLIER, REGISTRAR), SUPPLIER, REGISTRAR);
        ITitles.Enforce memory m =
            ITitles.Enforce(operate, "ruling", _at(REGISTRAR), titles.title(operate).version, _deadline());
        bytes memory signature = _sign(REGISTRAR, address(titles), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsOwnMatter.selector, _at(REGISTRAR)));
        titles.enforce(m, signature);
    }

    /* HELPERS */

    function _pledge() private {
        _send(_pledgeOf(operate, SUPPLIER, BUYER), SUPPLIER, BUYER);
    }

    function _permit(bytes32 act) private {
        ITitles.Permit memory m =
            ITitles.Permit(operate, act, _at(BUYER), titles.title(operate).version, _deadline());
        titles.permit(m, _sign(BUYER, address(titles), _hash(m)));
    }

    function _encumberOf(uint8 marks) private view returns (ITitles.Encumber memory) {
        uint64 version = titles.title(operate).version;
        return ITitles.Encumber(operate, marks, "order", _at(REGISTRAR), version, _deadline());
    }

    function _encumber(uint8 marks) private {
        ITitles.Encumber memory m = _encumberOf(marks);
        titles.encumber(m, _sign(REGISTRAR, address(titles), _hash(m)));
    }

    function _expectStaleOrUnpledged(ITitles.Enforce memory m) private {
        bytes memory signature = _sign(REGISTRAR, address(titles), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesNotPledgee.selector, operate, _at(BUYER)));
        titles.enforce(m, signature);
    }

    function _refusesTransfer(ITitles.Transfer memory m, bytes memory reason) private {
        bytes memory one = _sign(SUPPLIER, address(titles), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(titles), _hash(m));
        vm.expectRevert(reason);
        titles.transfer(m, one, two);
    }
}
