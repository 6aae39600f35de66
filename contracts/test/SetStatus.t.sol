// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IParticipants} from "../src/interfaces/IParticipants.sol";

contract SetStatusTest is MarketTest {
    function testFuzz_suspendsAndReinstates(bytes32 reason) public {
        IParticipants.SetStatus memory m = _statusOf(BUYER, IParticipants.Status.Suspended);
        m.reasonDigest = reason;
        bytes memory signature = _sign(REGISTRAR, address(participants), _hash(m));
        vm.expectEmit(address(participants));
        emit IParticipants.StatusChanged(_at(BUYER), 2, reason, _at(REGISTRAR), 2);
        participants.setStatus(m, signature);
        _expectInactive(BUYER, 0);
        participants.requireActive(_at(BUYER), 0);

        _send(_statusOf(BUYER, IParticipants.Status.Active), REGISTRAR);
        participants.requireActive(_at(BUYER), Roles.BUYER);
        vm.assertEq(participants.participant(_at(BUYER)).version, 3);
    }

    function test_refusesReplay() public {
        IParticipants.SetStatus memory m = _statusOf(BUYER, IParticipants.Status.Suspended);
        _send(m, REGISTRAR);
        _send(_statusOf(BUYER, IParticipants.Status.Active), REGISTRAR);
        bytes memory signature = _sign(REGISTRAR, address(participants), _hash(m));
        _expectStale(3, 1);
        participants.setStatus(m, signature);
    }

    function testFuzz_refusesAChangeOutsideTheTable(uint8 status, bool suspended) public {
        if (suspended) _suspend(BUYER);
        uint8 current = suspended ? 2 : 1;
        vm.assume(status != (suspended ? 1 : 2) && status != uint8(IParticipants.Status.Expelled));
        IParticipants.SetStatus memory m = _statusOf(BUYER, IParticipants.Status.Active);
        m.status = status;
        bytes memory signature = _sign(REGISTRAR, address(participants), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IParticipants.ParticipantsStatus.selector, _at(BUYER), current, status)
        );
        participants.setStatus(m, signature);
    }

    function test_refusesAStranger() public {
        IParticipants.SetStatus memory m = _statusOf(STRANGER, IParticipants.Status.Suspended);
        bytes memory signature = _sign(REGISTRAR, address(participants), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IParticipants.ParticipantsStatus.selector, _at(STRANGER), 0, 2));
        participants.setStatus(m, signature);
    }

    function testFuzz_aRegulatorDecidesToo(uint8 asked) public {
        _admit(STRANGER, Roles.REGULATOR);
        IParticipants.SetStatus memory m = _statusOf(BUYER, IParticipants.Status.Suspended);
        (m.status, m.decider) = (asked % 2 == 0 ? 2 : uint8(IParticipants.Status.Expelled), _at(STRANGER));
        _send(m, STRANGER);
        vm.assertEq(uint8(participants.participant(_at(BUYER)).status), m.status);
    }

    function testFuzz_noOtherRoleDecides(uint32 roles) public {
        roles = roles & Roles.ALL & ~(Roles.REGISTRAR | Roles.REGULATOR);
        vm.assume(roles != 0);
        _admit(STRANGER, roles);
        IParticipants.SetStatus memory m = _statusOf(BUYER, IParticipants.Status.Suspended);
        m.decider = _at(STRANGER);
        bytes memory signature = _sign(STRANGER, address(participants), _hash(m));
        _expectInactive(STRANGER, Roles.REGISTRAR);
        participants.setStatus(m, signature);
    }

    function test_noRegulatorDecidesInItsOwnMatter() public {
        _admit(STRANGER, Roles.REGULATOR);
        IParticipants.SetStatus memory m = _statusOf(STRANGER, IParticipants.Status.Suspended);
        m.decider = _at(STRANGER);
        bytes memory signature = _sign(STRANGER, address(participants), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IParticipants.ParticipantsOwnMatter.selector, _at(STRANGER)));
        participants.setStatus(m, signature);
    }

    function test_refusesOwnMatter() public {
        IParticipants.SetStatus memory m = _statusOf(REGISTRAR, IParticipants.Status.Suspended);
        bytes memory signature = _sign(REGISTRAR, address(participants), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IParticipants.ParticipantsOwnMatter.selector, _at(REGISTRAR))
        );
        participants.setStatus(m, signature);
    }

    function test_refusesASuspendedRegistrar() public {
        _admit(STRANGER, Roles.REGISTRAR);
        _suspend(STRANGER);
        IParticipants.SetStatus memory m = _statusOf(BUYER, IParticipants.Status.Suspended);
        m.decider = _at(STRANGER);
        bytes memory signature = _sign(STRANGER, address(participants), _hash(m));
        _expectInactive(STRANGER, Roles.REGISTRAR);
        participants.setStatus(m, signature);
    }

    function testFuzz_refusesAnotherSigner(uint256 key) public {
        key = key % 1e30 + 1;
        vm.assume(key != REGISTRAR);
        IParticipants.SetStatus memory m = _statusOf(BUYER, IParticipants.Status.Suspended);
        bytes memory signature = _sign(key, address(participants), _hash(m));
        _expectSignatureRefused(REGISTRAR);
        participants.setStatus(m, signature);
    }

    function test_refusesAnExpiredIntent() public {
        IParticipants.SetStatus memory m = _statusOf(BUYER, IParticipants.Status.Suspended);
        bytes memory signature = _sign(REGISTRAR, address(participants), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        participants.setStatus(m, signature);
    }
}
