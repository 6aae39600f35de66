// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IListings} from "../src/interfaces/IListings.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";
import {IRegistrations} from "../src/interfaces/IRegistrations.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

/// @notice Nobody ends by an act of its own what others hold under it.
contract InUseTest is MarketTest {
    bytes32 private assetId;
    bytes32 private operate;

    function setUp() public override {
        super.setUp();
        assetId = _confirmed("manifest");
        operate = _titleId(assetId, ITitles.TitleKind.Operate);
        _send(_issueOf(BUYER, 10_000, "money"), BANK);
        vm.warp(START + 1);
    }

    function testFuzz_aCancellationWaitsForWhatWasGranted(uint32 term, uint32 wait) public {
        term = 1 hours + term % 300 days;
        wait = wait % (2 * term);
        ITitles.Grant memory part = _part(term);
        _send(part, SUPPLIER, COLLECTOR);
        bytes32 caseId = _cleared(IRegistrations.Kind.Cancellation);
        vm.warp(block.timestamp + wait);
        IRegistrations.Decide memory m = _decideOf(caseId, IRegistrations.Step.End);
        if (wait <= term) _refuses(m, _inUse(operate, part.titleId, part.validUntil));
        else _send(m, REGISTRAR);
        vm.assertEq(uint8(rights.asset(assetId).status), wait <= term ? 2 : 5);
    }

    function testFuzz_aCancellationWaitsForTheUsesOfOrders(uint32 wait) public {
        wait = wait % 14 days;
        IOrders.Fund memory order = _ordered(operate, SUPPLIER);
        IOrders.Voucher memory voucher = _voucherOf(order.orderId);
        _send(voucher, BUYER, _closeOf(voucher), SUPPLIER);
        bytes32 caseId = _cleared(IRegistrations.Kind.Cancellation);
        vm.warp(block.timestamp + wait);
        IRegistrations.Decide memory m = _decideOf(caseId, IRegistrations.Step.End);
        if (block.timestamp <= order.validUntil) _refuses(m, _inUse(operate, 0, order.validUntil));
        else _send(m, REGISTRAR);
    }

    function test_aCancellationEndsWhatNobodyElseHoldsAnyMore() public {
        ITitles.Grant memory part = _part(30 days);
        _send(part, SUPPLIER, COLLECTOR);
        bytes32 caseId = _cleared(IRegistrations.Kind.Cancellation);
        _send(_surrenderOf(part.titleId, COLLECTOR), COLLECTOR);
        _send(_decideOf(caseId, IRegistrations.Step.End), REGISTRAR);
        vm.assertEq(uint8(rights.asset(assetId).status), 5);
    }

    function test_aPartOfTheTitleToUseCountsToo() public {
        bytes32 use = _titleId(assetId, ITitles.TitleKind.Use);
        ITitles.Grant memory part = _grantOf(use, SUPPLIER, BUYER, "licence");
        part.kind = uint8(ITitles.TitleKind.Use);
        _send(part, SUPPLIER, BUYER);
        bytes32 caseId = _cleared(IRegistrations.Kind.Cancellation);
        _refuses(_decideOf(caseId, IRegistrations.Step.End), _inUse(use, part.titleId, part.validUntil));
    }

    function test_aRevocationAfterItsHearingEndsWhateverIsHeld() public {
        _send(_part(30 days), SUPPLIER, COLLECTOR);
        _ordered(operate, SUPPLIER);
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.Revocation);
        _send(m, REGISTRAR);
        IRegistrations.Act memory reply = _actOf(m.caseId, IRegistrations.Step.Reply);
        reply.actor = _at(SUPPLIER);
        _send(reply, SUPPLIER);
        _send(_decideOf(m.caseId, IRegistrations.Step.End), REGISTRAR);
        vm.assertEq(uint8(rights.asset(assetId).status), 4);
    }

    function test_aTitleIsNotSurrenderedOverOthers() public {
        ITitles.Grant memory above = _part(30 days);
        _send(above, SUPPLIER, COLLECTOR);
        ITitles.Grant memory below = _grantOf(above.titleId, COLLECTOR, BUYER, "below");
        _send(below, COLLECTOR, BUYER);
        ITitles.Surrender memory m = _surrenderOf(above.titleId, COLLECTOR);
        bytes memory signature = _sign(COLLECTOR, address(titles), _hash(m));
        vm.expectRevert(_inUse(above.titleId, below.titleId, below.validUntil));
        titles.surrender(m, signature);
        _send(_surrenderOf(below.titleId, BUYER), BUYER);
        titles.surrender(m, signature);
    }

    function test_aTitleIsNotSurrenderedOverUsesOfOrders() public {
        ITitles.Grant memory above = _part(30 days);
        _send(above, SUPPLIER, COLLECTOR);
        IOrders.Fund memory order = _ordered(above.titleId, COLLECTOR);
        ITitles.Surrender memory m = _surrenderOf(above.titleId, COLLECTOR);
        m.deadline = order.validUntil + 1;
        bytes memory signature = _sign(COLLECTOR, address(titles), _hash(m));
        vm.warp(order.validUntil);
        vm.expectRevert(_inUse(above.titleId, 0, order.validUntil));
        titles.surrender(m, signature);
        vm.warp(order.validUntil + 1);
        titles.surrender(m, signature);
    }

    function test_theLatestUseCounts() public {
        IOrders.Fund memory later = _ordered(operate, SUPPLIER);
        IOrders.Fund memory sooner = _fundOf(later.listingId, "sooner");
        sooner.validUntil = later.validUntil - 1 days;
        _send(sooner, BUYER);
        (bytes32 part, uint64 until) = titles.inUse(operate);
        vm.assertEq(part, bytes32(0));
        vm.assertEq(until, later.validUntil);
    }

    /* HELPERS */

    function _part(uint32 term) private view returns (ITitles.Grant memory m) {
        m = _grantOf(operate, SUPPLIER, COLLECTOR, "part");
        m.marks = 2;
        m.validUntil = uint64(block.timestamp + term);
    }

    function _ordered(bytes32 titleId, uint256 seller) private returns (IOrders.Fund memory m) {
        IListings.List memory listing = _listOf(assetId, "terms");
        (listing.titleId, listing.seller) = (titleId, _at(seller));
        listing.validUntil = uint64(block.timestamp + 20 days);
        listing.listingId = keccak256(abi.encode(listing.seller, assetId, listing.termsDigest));
        _send(listing, seller);
        m = _fundOf(listing.listingId, "agreement");
        _send(m, BUYER);
    }

    function _cleared(IRegistrations.Kind kind) private returns (bytes32) {
        IRegistrations.File memory m = _fileOf(assetId, kind);
        _send(m, SUPPLIER);
        _send(_decideOf(m.caseId, IRegistrations.Step.Accept), REGISTRAR);
        _send(_decideOf(m.caseId, IRegistrations.Step.WaiveNotice), REGISTRAR);
        return m.caseId;
    }

    function _inUse(bytes32 titleId, bytes32 part, uint64 until) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITitles.TitlesInUse.selector, titleId, part, until);
    }

    function _refuses(IRegistrations.Decide memory m, bytes memory reason) private {
        bytes memory signature = _sign(REGISTRAR, address(registrations), _hash(m));
        vm.expectRevert(reason);
        registrations.decide(m, signature);
    }
}
