// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IListings} from "../src/interfaces/IListings.sol";
import {IRegistrations} from "../src/interfaces/IRegistrations.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

contract ConfirmTest is MarketTest {
    bytes32 private assetId;

    function setUp() public override {
        super.setUp();
        assetId = _deposited("manifest");
    }

    function testFuzz_confirmsAndGrantsTwoTitles(uint64 term, bytes32 certificate) public {
        IRights.Confirm memory m = _confirmOf(assetId);
        m.validUntil = uint64(block.timestamp + term % (5 * 365 days) + 1);
        m.certificateDigest = certificate;
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        vm.expectEmit(address(rights));
        emit IRights.Confirmed(assetId, certificate, m.validUntil, _at(REGISTRAR), 2);
        rights.confirm(m, signature);

        vm.assertEq(uint8(rights.asset(assetId).status), uint8(IRights.AssetStatus.Confirmed));
        _holds(ITitles.TitleKind.Hold, m.validUntil);
        _holds(ITitles.TitleKind.Use, m.validUntil);
        _holds(ITitles.TitleKind.Operate, m.validUntil);
        vm.assertEq(_operates(assetId, SUPPLIER), m.validUntil);
    }

    function test_refusesReplay() public {
        IRights.Confirm memory m = _confirmOf(assetId);
        _send(m, REGISTRAR);
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        _expectStale(2, 1);
        rights.confirm(m, signature);
    }

    function testFuzz_refusesAnUnknownAsset(bytes32 id) public {
        vm.assume(id != assetId);
        _refuses(_confirmOf(id), abi.encodeWithSelector(IRights.RightsStatus.selector, id, 0, 1));
    }

    function testFuzz_refusesAnotherClaim(bytes32 claim) public {
        IRights.Confirm memory m = _confirmOf(assetId);
        vm.assume(claim != m.claimDigest);
        bytes32 expected = m.claimDigest;
        m.claimDigest = claim;
        _refuses(m, abi.encodeWithSelector(IRights.RightsClaimMismatch.selector, expected, claim));
    }

    function testFuzz_refusesAnotherVersion(uint64 version) public {
        IRights.Confirm memory m = _confirmOf(assetId);
        vm.assume(version != m.version);
        m.version = version;
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        _expectStale(1, version);
        rights.confirm(m, signature);
    }

    function testFuzz_refusesWhatWouldBeOverAlready(uint64 until) public {
        until = uint64(until % (block.timestamp + 1));
        IRights.Confirm memory m = _confirmOf(assetId);
        m.validUntil = until;
        _refuses(m, abi.encodeWithSelector(IRights.RightsOver.selector, until, block.timestamp));
    }

    function testFuzz_opensTheFirstTitlesItNamesAndNoOther(uint8 mask) public {
        IRights.Confirm memory m = _confirmOf(assetId);
        m.rights = mask % 7 + 1;
        _send(m, REGISTRAR);
        for (uint8 kind = 1; kind <= 3; ++kind) {
            address holder = m.rights >> (kind - 1) & 1 != 0 ? _at(SUPPLIER) : address(0);
            vm.assertEq(titles.title(_titleId(assetId, ITitles.TitleKind(kind))).holder, holder);
        }
    }

    function testFuzz_refusesNoRightAndUnknownOnes(uint8 mask) public {
        IRights.Confirm memory m = _confirmOf(assetId);
        m.rights = mask % 4 == 0 ? 0 : mask | 8;
        _refuses(m, abi.encodeWithSelector(IRights.RightsNone.selector, m.rights));
    }

    function test_whoMayNotOperateListsNothing() public {
        IRights.Confirm memory m = _confirmOf(assetId);
        m.rights = 3;
        _send(m, REGISTRAR);
        IListings.List memory offer = _listOf(assetId, "terms");
        bytes memory signature = _sign(SUPPLIER, address(listings), _hash(offer));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesNotHolder.selector, offer.titleId, offer.seller));
        listings.list(offer, signature);
    }

    function test_refusesARegistrarWhoHoldsAShare() public {
        _admit(COLLECTOR, Roles.REGISTRAR);
        _refusesOwnMatter(COLLECTOR);
    }

    function test_refusesTheHolderAsRegistrar() public {
        IRights.Register memory m = _registerOf("other");
        (m.shareHolders[0], m.shareHolders[1]) = (_at(BUYER), _at(COLLECTOR));
        _send(m, SUPPLIER);
        assetId = m.assetId;
        _deposit(_fileOf(assetId, IRegistrations.Kind.First));
        _admit(SUPPLIER, Roles.REGISTRAR);
        _refusesOwnMatter(SUPPLIER);
    }

    function test_refusesARegistrarWithoutTheRole() public {
        IRights.Confirm memory m = _confirmOf(assetId);
        m.registrar = _at(BUYER);
        bytes memory signature = _sign(BUYER, address(rights), _hash(m));
        _expectInactive(BUYER, Roles.REGISTRAR);
        rights.confirm(m, signature);
    }

    function test_refusesAnotherSigner() public {
        IRights.Confirm memory m = _confirmOf(assetId);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        _expectSignatureRefused(REGISTRAR);
        rights.confirm(m, signature);
    }

    function test_refusesAnExpiredIntent() public {
        IRights.Confirm memory m = _confirmOf(assetId);
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        rights.confirm(m, signature);
    }

    function _holds(ITitles.TitleKind kind, uint64 until) private view {
        ITitles.Title memory title = titles.title(_titleId(assetId, kind));
        vm.assertEq(title.holder, _at(SUPPLIER));
        vm.assertEq(uint8(title.kind), uint8(kind));
        vm.assertEq(title.validUntil, until);
        vm.assertEq(title.version, 1);
    }

    function _refuses(IRights.Confirm memory m, bytes memory reason) private {
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        vm.expectRevert(reason);
        rights.confirm(m, signature);
    }

    function _refusesOwnMatter(uint256 key) private {
        IRights.Confirm memory m = _confirmOf(assetId);
        m.registrar = _at(key);
        bytes memory signature = _sign(key, address(rights), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsOwnMatter.selector, _at(key)));
        rights.confirm(m, signature);
    }
}
