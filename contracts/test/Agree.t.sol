// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IAgreements} from "../src/interfaces/IAgreements.sol";

contract AgreeTest is MarketTest {
    function testFuzz_entersWhatBothSigned(bytes32 digest, uint32 term) public {
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, BUYER, digest);
        m.validUntil = uint64(block.timestamp + 1 + term);
        vm.expectEmit(address(agreements));
        emit IAgreements.Agreed(m.agreementId, _at(SUPPLIER), _at(BUYER), digest, m.validUntil);
        _send(m, SUPPLIER, BUYER);
        IAgreements.Agreement memory found = agreements.agreement(m.agreementId);
        vm.assertEq(found.partyA, _at(SUPPLIER));
        vm.assertEq(found.partyB, _at(BUYER));
        vm.assertEq(uint8(found.status), 1);
        vm.assertEq(found.version, 1);
        agreements.requireInForce(m.agreementId, _at(BUYER), _at(SUPPLIER));
        agreements.requireInForce(m.agreementId, _at(SUPPLIER), _at(BUYER));
    }

    function test_isNotInForceForOthers() public {
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, BUYER, "digest");
        _send(m, SUPPLIER, BUYER);
        _expectNotParty(m.agreementId, COLLECTOR);
        agreements.requireInForce(m.agreementId, _at(COLLECTOR), _at(BUYER));
        _expectNotParty(m.agreementId, COLLECTOR);
        agreements.requireInForce(m.agreementId, _at(SUPPLIER), _at(COLLECTOR));
        _expectNotParty(m.agreementId, SUPPLIER);
        agreements.requireInForce(m.agreementId, _at(SUPPLIER), _at(SUPPLIER));
    }

    function test_endsByTime() public {
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, BUYER, "digest");
        _send(m, SUPPLIER, BUYER);
        vm.warp(m.validUntil);
        agreements.requireInForce(m.agreementId, _at(BUYER), _at(SUPPLIER));
        vm.warp(uint256(m.validUntil) + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAgreements.AgreementsExpired.selector, m.agreementId, m.validUntil)
        );
        agreements.requireInForce(m.agreementId, _at(BUYER), _at(SUPPLIER));
    }

    function test_refusesReplay() public {
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, BUYER, "digest");
        _send(m, SUPPLIER, BUYER);
        _refuses(m, abi.encodeWithSelector(IAgreements.AgreementsExists.selector, m.agreementId));
        _send(_retireOf(m.agreementId, SUPPLIER, BUYER), SUPPLIER, BUYER);
        _refuses(m, abi.encodeWithSelector(IAgreements.AgreementsExists.selector, m.agreementId));
    }

    function test_refusesAnotherId() public {
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, BUYER, "digest");
        bytes32 expected = m.agreementId;
        m.agreementId = "another";
        _refuses(m, abi.encodeWithSelector(IAgreements.AgreementsIdMismatch.selector, expected, m.agreementId));
    }

    function test_refusesOneWhoAgreesWithItself() public {
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, SUPPLIER, "digest");
        bytes memory signature = _sign(SUPPLIER, address(agreements), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IAgreements.AgreementsOneParty.selector, _at(SUPPLIER)));
        agreements.agree(m, signature, signature);
    }

    function testFuzz_refusesATermThatIsOver(uint64 until) public {
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, BUYER, "digest");
        m.validUntil = uint64(until % (block.timestamp + 1));
        _refuses(m, abi.encodeWithSelector(IAgreements.AgreementsTerm.selector, m.validUntil, block.timestamp));
    }

    function testFuzz_refusesAnEndBeyondFortyBitsOfSeconds(uint64 until) public {
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, BUYER, "digest");
        m.validUntil = until | uint64(1) << 40;
        _refuses(
            m, abi.encodeWithSelector(IAgreements.AgreementsTerm.selector, m.validUntil, uint256(type(uint40).max))
        );
    }

    function test_refusesOneSideAlone() public {
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, BUYER, "digest");
        bytes memory one = _sign(SUPPLIER, address(agreements), _hash(m));
        _expectSignatureRefused(BUYER);
        agreements.agree(m, one, one);
        bytes memory two = _sign(BUYER, address(agreements), _hash(m));
        _expectSignatureRefused(SUPPLIER);
        agreements.agree(m, two, two);
    }

    function test_refusesASuspendedSide() public {
        _suspend(BUYER);
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, BUYER, "digest");
        bytes memory one = _sign(SUPPLIER, address(agreements), _hash(m));
        bytes memory two = _sign(BUYER, address(agreements), _hash(m));
        _expectInactive(BUYER, 0);
        agreements.agree(m, one, two);
    }

    function test_refusesAStranger() public {
        IAgreements.Agree memory m = _agreeOf(STRANGER, BUYER, "digest");
        bytes memory one = _sign(STRANGER, address(agreements), _hash(m));
        bytes memory two = _sign(BUYER, address(agreements), _hash(m));
        _expectInactive(STRANGER, 0);
        agreements.agree(m, one, two);
    }

    function test_refusesAnExpiredIntent() public {
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, BUYER, "digest");
        bytes memory one = _sign(SUPPLIER, address(agreements), _hash(m));
        bytes memory two = _sign(BUYER, address(agreements), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        agreements.agree(m, one, two);
    }

    function _refuses(IAgreements.Agree memory m, bytes memory reason) private {
        bytes memory one = _sign(SUPPLIER, address(agreements), _hash(m));
        bytes memory two = _sign(BUYER, address(agreements), _hash(m));
        vm.expectRevert(reason);
        agreements.agree(m, one, two);
    }

    function _expectNotParty(bytes32 id, uint256 key) private {
        vm.expectRevert(abi.encodeWithSelector(IAgreements.AgreementsNotParty.selector, id, _at(key)));
    }
}
