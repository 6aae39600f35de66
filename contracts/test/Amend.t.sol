// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IAgreements} from "../src/interfaces/IAgreements.sol";

contract AmendTest is MarketTest {
    bytes32 private first;

    function setUp() public override {
        super.setUp();
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, BUYER, "first");
        _send(m, SUPPLIER, BUYER);
        first = m.agreementId;
    }

    function testFuzz_versionsFormAChain(uint8 count) public {
        bytes32 last = first;
        for (uint32 version = 2; version < 2 + count % 5; ++version) {
            bytes32 digest = keccak256(abi.encode(version));
            IAgreements.AmendAgreement memory m = _amendOf(last, SUPPLIER, BUYER, digest);
            vm.expectEmit(address(agreements));
            emit IAgreements.AgreementAmended(
                last, m.agreementId, m.partyA, m.partyB, digest, m.validUntil, version
            );
            _send(m, SUPPLIER, BUYER);
            vm.assertEq(uint8(agreements.agreement(last).status), 2);
            vm.assertEq(agreements.agreement(m.agreementId).version, version);
            last = m.agreementId;
        }
        agreements.requireInForce(last, _at(SUPPLIER), _at(BUYER));
    }

    function test_endsTheVersionBefore() public {
        _send(_amendOf(first, SUPPLIER, BUYER, "second"), SUPPLIER, BUYER);
        bytes memory reason = abi.encodeWithSelector(IAgreements.AgreementsNotInForce.selector, first, 2);
        vm.expectRevert(reason);
        agreements.requireInForce(first, _at(SUPPLIER), _at(BUYER));
        _refuses(_amendOf(first, SUPPLIER, BUYER, "third"), reason);
        IAgreements.RetireAgreement memory end = _retireOf(first, SUPPLIER, BUYER);
        bytes memory one = _sign(SUPPLIER, address(agreements), _hash(end));
        bytes memory two = _sign(BUYER, address(agreements), _hash(end));
        vm.expectRevert(reason);
        agreements.retire(end, one, two);
    }

    function test_refusesReplay() public {
        IAgreements.AmendAgreement memory m = _amendOf(first, SUPPLIER, BUYER, "second");
        _send(m, SUPPLIER, BUYER);
        _refuses(m, abi.encodeWithSelector(IAgreements.AgreementsExists.selector, m.agreementId));
    }

    function test_refusesTheSameTextAgain() public {
        IAgreements.AmendAgreement memory m = _amendOf(first, SUPPLIER, BUYER, "first");
        _refuses(m, abi.encodeWithSelector(IAgreements.AgreementsExists.selector, first));
    }

    function test_refusesSwappedSides() public {
        IAgreements.AmendAgreement memory m = _amendOf(first, BUYER, SUPPLIER, "second");
        bytes memory one = _sign(BUYER, address(agreements), _hash(m));
        bytes memory two = _sign(SUPPLIER, address(agreements), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IAgreements.AgreementsNotParty.selector, first, _at(BUYER)));
        agreements.amend(m, one, two);
    }

    function test_refusesAnotherPartyInOnesPlace() public {
        IAgreements.AmendAgreement memory m = _amendOf(first, SUPPLIER, COLLECTOR, "second");
        bytes memory one = _sign(SUPPLIER, address(agreements), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(agreements), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IAgreements.AgreementsNotParty.selector, first, _at(COLLECTOR)));
        agreements.amend(m, one, two);
    }

    function test_refusesAfterTheEnd() public {
        uint64 until = agreements.agreement(first).validUntil;
        vm.warp(uint256(until) + 1);
        IAgreements.AmendAgreement memory m = _amendOf(first, SUPPLIER, BUYER, "second");
        _refuses(m, abi.encodeWithSelector(IAgreements.AgreementsExpired.selector, first, until));
    }

    function test_refusesOneSideAlone() public {
        IAgreements.AmendAgreement memory m = _amendOf(first, SUPPLIER, BUYER, "second");
        bytes memory one = _sign(SUPPLIER, address(agreements), _hash(m));
        _expectSignatureRefused(BUYER);
        agreements.amend(m, one, one);
    }

    function test_refusesASuspendedSide() public {
        _suspend(SUPPLIER);
        IAgreements.AmendAgreement memory m = _amendOf(first, SUPPLIER, BUYER, "second");
        bytes memory one = _sign(SUPPLIER, address(agreements), _hash(m));
        bytes memory two = _sign(BUYER, address(agreements), _hash(m));
        _expectInactive(SUPPLIER, 0);
        agreements.amend(m, one, two);
    }

    function _refuses(IAgreements.AmendAgreement memory m, bytes memory reason) private {
        bytes memory one = _sign(SUPPLIER, address(agreements), _hash(m));
        bytes memory two = _sign(BUYER, address(agreements), _hash(m));
        vm.expectRevert(reason);
        agreements.amend(m, one, two);
    }
}
