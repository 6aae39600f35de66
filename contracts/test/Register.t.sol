// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

contract RegisterTest is MarketTest {
    function testFuzz_registers(bytes32 manifest, bytes32 root, bytes32 claim, uint8 level, uint64 budget) public {
        IRights.Register memory m = _registerOf(manifest);
        (m.ciphertextRoot, m.claimDigest, m.level) = (root, claim, level % 6 + 1);
        m.epsilonBudget = budget % 1_000_000_000_000 + 1;
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        vm.expectEmit(address(rights));
        emit IRights.Registered(
            m.assetId, m.holder, manifest, root, claim, m.level, m.epsilonBudget, m.shareHolders, m.shareBps
        );
        rights.register(m, signature);

        IRights.Asset memory asset = rights.asset(m.assetId);
        vm.assertEq(uint8(asset.status), uint8(IRights.AssetStatus.Registered));
        vm.assertEq(asset.registrant, m.holder);
        vm.assertEq(asset.version, 1);
        vm.assertEq(rights.budgetLeft(m.assetId), m.epsilonBudget);
        vm.assertEq(rights.shares(m.assetId).length, 2);
        vm.assertEq(titles.title(_titleId(m.assetId, ITitles.TitleKind.Hold)).holder, address(0));
    }

    function test_refusesReplay() public {
        IRights.Register memory m = _registerOf("manifest");
        _send(m, SUPPLIER);
        _refuses(m, abi.encodeWithSelector(IRights.RightsExists.selector, m.assetId));
    }

    function testFuzz_refusesAForeignId(bytes32 id) public {
        IRights.Register memory m = _registerOf("manifest");
        vm.assume(id != m.assetId);
        bytes32 expected = m.assetId;
        m.assetId = id;
        _refuses(m, abi.encodeWithSelector(IRights.RightsIdMismatch.selector, expected, id));
    }

    function testFuzz_refusesALevelOutsideOneToSix(uint8 level) public {
        vm.assume(level == 0 || level > 6);
        IRights.Register memory m = _registerOf("manifest");
        m.level = level;
        _refuses(m, abi.encodeWithSelector(IRights.RightsLevel.selector, level));
    }

    function testFuzz_refusesABudgetBeyondReason(uint64 budget) public {
        vm.assume(budget == 0 || budget > 1_000_000_000_000);
        IRights.Register memory m = _registerOf("manifest");
        m.epsilonBudget = budget;
        _refuses(m, abi.encodeWithSelector(IRights.RightsBudgetRange.selector, budget));
    }

    function testFuzz_refusesSharesThatDoNotSumToTheWhole(uint16 one, uint16 two) public {
        vm.assume(one == 0 || two == 0 || uint256(one) + two != 10_000);
        IRights.Register memory m = _registerOf("manifest");
        (m.shareBps[0], m.shareBps[1]) = (one, two);
        _refuses(m, abi.encodeWithSelector(IRights.RightsSharesInvalid.selector));
    }

    function test_refusesTheSameShareHolderTwice() public {
        IRights.Register memory m = _registerOf("manifest");
        m.shareHolders[1] = m.shareHolders[0];
        _refuses(m, abi.encodeWithSelector(IRights.RightsSharesInvalid.selector));
    }

    function testFuzz_refusesNoOrTooManyShareHolders(uint8 count) public {
        vm.assume(count == 0 || count > 16);
        IRights.Register memory m = _registerOf("manifest");
        m.shareHolders = new address[](count);
        m.shareBps = new uint16[](count);
        _refuses(m, abi.encodeWithSelector(IRights.RightsSharesInvalid.selector));
    }

    function test_refusesListsOfUnequalLength() public {
        IRights.Register memory m = _registerOf("manifest");
        m.shareBps = new uint16[](1);
        m.shareBps[0] = 10_000;
        _refuses(m, abi.encodeWithSelector(IRights.RightsSharesInvalid.selector));
    }

    function test_refusesAShareHolderWhoIsNoParticipant() public {
        IRights.Register memory m = _registerOf("manifest");
        m.shareHolders[1] = _at(STRANGER);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        _expectInactive(STRANGER, 0);
        rights.register(m, signature);
    }

    /// @dev Else a registrant could bar every registrar but one of its choice, by one bp each.
    function testFuzz_refusesARegistrarAmongTheOtherShareHolders(uint16 bps, bool last) public {
        IRights.Register memory m = _registerOf("manifest");
        m.shareHolders[last ? 1 : 0] = _at(REGISTRAR);
        (m.shareBps[0], m.shareBps[1]) = (bps % 9_999 + 1, 9_999 - bps % 9_999);
        _refuses(m, abi.encodeWithSelector(IRights.RightsToRegistrar.selector, _at(REGISTRAR)));
    }

    function test_aRegistrarSharesInItsOwnData() public {
        _admit(SUPPLIER, Roles.SUPPLIER | Roles.REGISTRAR);
        _send(_registerOf("manifest"), SUPPLIER);
    }

    function test_refusesAHolderWhoIsNoSupplier() public {
        IRights.Register memory m = _registerOf("manifest");
        m.holder = _at(BUYER);
        m.assetId = keccak256(abi.encode(m.holder, m.manifestDigest));
        bytes memory signature = _sign(BUYER, address(rights), _hash(m));
        _expectInactive(BUYER, Roles.SUPPLIER);
        rights.register(m, signature);
    }

    function testFuzz_refusesAnotherSigner(uint256 key) public {
        key = key % 1e30 + 1;
        vm.assume(key != SUPPLIER);
        IRights.Register memory m = _registerOf("manifest");
        bytes memory signature = _sign(key, address(rights), _hash(m));
        _expectSignatureRefused(SUPPLIER);
        rights.register(m, signature);
    }

    function test_refusesAnExpiredIntent() public {
        IRights.Register memory m = _registerOf("manifest");
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        rights.register(m, signature);
    }

    function _refuses(IRights.Register memory m, bytes memory reason) private {
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        vm.expectRevert(reason);
        rights.register(m, signature);
    }
}
