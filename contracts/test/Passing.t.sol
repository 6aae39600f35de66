// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IListings} from "../src/interfaces/IListings.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";
import {IRegistrations} from "../src/interfaces/IRegistrations.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

/// @notice While a transfer is open, what passes stays as its receiver saw it.
contract PassingTest is MarketTest {
    bytes32 private assetId;
    bytes32 private use;
    bytes32 private operate;
    bytes32 private part;
    bytes32 private listingId;
    bytes32 private caseId;

    function setUp() public override {
        super.setUp();
        assetId = _confirmed("manifest");
        use = _titleId(assetId, ITitles.TitleKind.Use);
        operate = _titleId(assetId, ITitles.TitleKind.Operate);
        ITitles.Grant memory granted = _grantOf(operate, SUPPLIER, BANK, "before");
        granted.marks = 2;
        _send(granted, SUPPLIER, BANK);
        part = granted.titleId;
        IListings.List memory listing = _listOf(assetId, "before");
        _send(listing, SUPPLIER);
        listingId = listing.listingId;
        _send(_issueOf(BUYER, 10_000, "money"), BANK);
        vm.warp(START + 1);
    }

    function test_nothingIsGrantedPledgedMovedOfferedOrSoldFromTheFilingOn() public {
        _transfers();
        _refusesAll();
    }

    function testFuzz_whatPassesIsFrozenInEveryStateOfTheCase(uint8 steps) public {
        _transfers();
        _walk(steps % 5);
        _refusesAll();
    }

    function testFuzz_whatPassesIsFreeAgainWhenTheCaseIsOver(uint8 how) public {
        _transfers();
        if (how % 4 == 0) _act(IRegistrations.Step.Withdraw, SUPPLIER);
        if (how % 4 == 1) _walk(2);
        if (how % 4 == 1) _send(_decideOf(caseId, IRegistrations.Step.Refuse), REGISTRAR);
        if (how % 4 == 2) _walk(3);
        if (how % 4 == 2) _act(IRegistrations.Step.Withdraw, SUPPLIER);
        if (how % 4 == 3) _walk(4);
        if (how % 4 == 3) _send(_decideOf(caseId, IRegistrations.Step.Terminate), REGISTRAR);
        _send(_grantOf(operate, SUPPLIER, COLLECTOR, "after"), SUPPLIER, COLLECTOR);
        _send(_listOf(assetId, "after"), SUPPLIER);
        _send(_fundOf(listingId, "after"), BUYER);
        _send(_transferOf(use, SUPPLIER, BUYER), SUPPLIER, BUYER);
        _send(_pledgeOf(operate, SUPPLIER, BUYER), SUPPLIER, BUYER);
    }

    function test_whatOthersHoldMovesOnMeanwhile() public {
        _send(_transferOf(use, SUPPLIER, BUYER), SUPPLIER, BUYER);
        _transfers();
        ITitles.Grant memory own = _grantOf(part, BANK, COLLECTOR, "sub-operator");
        own.kind = uint8(ITitles.TitleKind.Use);
        _send(own, BANK, COLLECTOR);
        _send(_transferOf(use, BUYER, COLLECTOR), BUYER, COLLECTOR);
        _send(_transferOf(part, BANK, COLLECTOR), BANK, COLLECTOR);
    }

    function test_anotherKindOfCaseFreezesNothing() public {
        _deposit(_fileOf(assetId, IRegistrations.Kind.Change));
        _send(_grantOf(operate, SUPPLIER, COLLECTOR, "meanwhile"), SUPPLIER, COLLECTOR);
    }

    function test_whatWasFundedIsDeliveredMeanwhile() public {
        _send(_offerOf(listingId), SUPPLIER);
        IOrders.Fund memory order = _fundOf(listingId, "before");
        _send(order, BUYER);
        _send(_arrangeOf(order.orderId), BUYER);
        _transfers();
        _send(_deliverOf(order.orderId), SUPPLIER);
    }

    function test_aTransferPassesWhatItWasFiledForOrNothing() public {
        _send(_pledgeOf(operate, SUPPLIER, BUYER), SUPPLIER, BUYER);
        _transfers();
        _walk(4);
        ITitles.Enforce memory ruling = ITitles.Enforce(
            operate, "ruling", _at(REGISTRAR), titles.title(operate).version, _deadline()
        );
        titles.enforce(ruling, _sign(REGISTRAR, address(titles), _hash(ruling)));
        _refusesCertificate(abi.encodeWithSelector(IRights.RightsTitlesChanged.selector, assetId, 7, 3));
        _send(_revocationOf(use, REGISTRAR), REGISTRAR);
        _refusesCertificate(abi.encodeWithSelector(IRights.RightsTitlesChanged.selector, assetId, 7, 1));
        vm.assertEq(registrations.caseOf(caseId).passing, 7);
    }

    function test_aTransferNamesWhatPasses() public {
        _send(_transferOf(use, SUPPLIER, BUYER), SUPPLIER, BUYER);
        vm.assertEq(rights.passing(assetId, _at(SUPPLIER)), 5);
        vm.assertEq(rights.passing(assetId, _at(BUYER)), 2);
        _transfers();
        _walk(4);
        _send(_certificate(), REGISTRAR);
        vm.assertEq(rights.passing(assetId, _at(COLLECTOR)), 5);
        vm.assertEq(rights.passing(assetId, _at(SUPPLIER)), 0);
    }

    /* HELPERS */

    function _transfers() private {
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.Transfer);
        caseId = m.caseId;
        _send(m, SUPPLIER);
    }

    /// @dev So many steps on the way to the certificate.
    function _walk(uint8 steps) private {
        if (steps > 0) _act(IRegistrations.Step.Join, COLLECTOR);
        if (steps > 1) _send(_decideOf(caseId, IRegistrations.Step.Accept), REGISTRAR);
        if (steps > 2) _send(_decideOf(caseId, IRegistrations.Step.WaiveNotice), REGISTRAR);
        if (steps > 3) _send(_decideOf(caseId, IRegistrations.Step.Deposit), REGISTRAR);
    }

    function _act(IRegistrations.Step step, uint256 by) private {
        IRegistrations.Act memory m = _actOf(caseId, step);
        m.actor = _at(by);
        _send(m, by);
    }

    function _refusesAll() private {
        bytes memory reason = abi.encodeWithSelector(IRegistrations.RegistrationsPassing.selector, assetId, caseId);
        ITitles.Grant memory grant_ = _grantOf(operate, SUPPLIER, COLLECTOR, "meanwhile");
        bytes memory one = _sign(SUPPLIER, address(titles), _hash(grant_));
        bytes memory two = _sign(COLLECTOR, address(titles), _hash(grant_));
        vm.expectRevert(reason);
        titles.grant(grant_, one, two);
        ITitles.Transfer memory transfer_ = _transferOf(use, SUPPLIER, BUYER);
        one = _sign(SUPPLIER, address(titles), _hash(transfer_));
        two = _sign(BUYER, address(titles), _hash(transfer_));
        vm.expectRevert(reason);
        titles.transfer(transfer_, one, two);
        ITitles.Pledge memory pledge_ = _pledgeOf(operate, SUPPLIER, BUYER);
        one = _sign(SUPPLIER, address(titles), _hash(pledge_));
        two = _sign(BUYER, address(titles), _hash(pledge_));
        vm.expectRevert(reason);
        titles.pledge(pledge_, one, two);
        IListings.List memory listing = _listOf(assetId, "meanwhile");
        one = _sign(SUPPLIER, address(listings), _hash(listing));
        vm.expectRevert(reason);
        listings.list(listing, one);
        IOrders.Fund memory order = _fundOf(listingId, "meanwhile");
        one = _sign(BUYER, address(orders), _hash(order));
        vm.expectRevert(reason);
        orders.fund(order, one);
    }

    function _certificate() private view returns (IRights.Confirm memory m) {
        m = _confirmOf(assetId);
        (m.code, m.certificateDigest) = (bytes32("SJ3102026010001"), "another certificate");
        m.validUntil = rights.asset(assetId).validUntil;
        m.version = rights.asset(assetId).version;
    }

    function _refusesCertificate(bytes memory reason) private {
        IRights.Confirm memory m = _certificate();
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        vm.expectRevert(reason);
        rights.confirm(m, signature);
    }
}
