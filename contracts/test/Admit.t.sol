// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Participants} from "../src/Participants.sol";
import {Roles} from "../src/Roles.sol";
import {IParticipants} from "../src/interfaces/IParticipants.sol";

contract AdmitTest is MarketTest {
    function testFuzz_admits(uint32 roles, bytes32 identity) public {
        roles = roles % (Roles.ALL + 1);
        IParticipants.Join memory join = _joinOf(STRANGER, roles);
        join.identityDigest = identity;
        IParticipants.Admit memory admission = _admitOf(join);

        bytes memory one = _sign(STRANGER, address(participants), _hash(join));
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        vm.expectEmit(address(participants));
        emit IParticipants.Admitted(_at(STRANGER), roles, identity, _at(REGISTRAR), 1);
        participants.admit(join, one, admission, two);

        IParticipants.Participant memory record = participants.participant(_at(STRANGER));
        vm.assertEq(record.roles, roles);
        vm.assertEq(uint8(record.status), uint8(IParticipants.Status.Active));
        vm.assertEq(record.version, 1);
    }

    function test_givesAnActiveParticipantOtherRoles() public {
        _admit(BUYER, Roles.SUPPLIER);
        vm.assertEq(participants.participant(_at(BUYER)).roles, Roles.SUPPLIER);
        vm.assertEq(participants.participant(_at(BUYER)).version, 2);
    }

    function test_whoeverHasNoRoleIsActiveAndNothingElse() public {
        _admit(STRANGER, 0);
        participants.requireActive(_at(STRANGER), 0);
        bytes memory refusal =
            abi.encodeWithSelector(IParticipants.ParticipantsNotActive.selector, _at(STRANGER), Roles.BUYER);
        vm.expectRevert(refusal);
        participants.requireActive(_at(STRANGER), Roles.BUYER);
    }

    function test_constructorAdmitsTheFirstRegistrar() public {
        Participants fresh = new Participants(_at(STRANGER), ring, registrations);
        fresh.requireActive(_at(STRANGER), Roles.REGISTRAR);
    }

    function test_refusesReplay() public {
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        IParticipants.Admit memory admission = _admitOf(join);
        _send(join, admission, STRANGER, REGISTRAR);
        _expectStaleOn(join, admission);
    }

    function testFuzz_refusesAnotherSignerOfTheJoin(uint256 key) public {
        key = key % 1e30 + 1;
        vm.assume(key != STRANGER);
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        IParticipants.Admit memory admission = _admitOf(join);
        bytes memory one = _sign(key, address(participants), _hash(join));
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        _expectSignatureRefused(STRANGER);
        participants.admit(join, one, admission, two);
    }

    function test_refusesAnAdmissionThatTheRegistrarDidNotSign() public {
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        IParticipants.Admit memory admission = _admitOf(join);
        bytes memory one = _sign(STRANGER, address(participants), _hash(join));
        bytes memory two = _sign(STRANGER, address(participants), _hash(admission));
        _expectSignatureRefused(REGISTRAR);
        participants.admit(join, one, admission, two);
    }

    function test_refusesARegistrarWithoutTheRole() public {
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        IParticipants.Admit memory admission = _admitOf(join);
        admission.registrar = _at(BANK);
        bytes memory one = _sign(STRANGER, address(participants), _hash(join));
        bytes memory two = _sign(BANK, address(participants), _hash(admission));
        _expectInactive(BANK, Roles.REGISTRAR);
        participants.admit(join, one, admission, two);
    }

    function test_refusesOwnMatter() public {
        IParticipants.Join memory join = _joinOf(REGISTRAR, Roles.ALL);
        IParticipants.Admit memory admission = _admitOf(join);
        bytes memory one = _sign(REGISTRAR, address(participants), _hash(join));
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        vm.expectRevert(
            abi.encodeWithSelector(IParticipants.ParticipantsOwnMatter.selector, _at(REGISTRAR))
        );
        participants.admit(join, one, admission, two);
    }

    function testFuzz_refusesWhatWasNotAppliedFor(uint32 roles, bytes32 identity) public {
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        IParticipants.Admit memory admission = _admitOf(join);
        vm.assume(roles != admission.roles || identity != admission.identityDigest);
        (admission.roles, admission.identityDigest) = (roles, identity);
        bytes memory one = _sign(STRANGER, address(participants), _hash(join));
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        vm.expectRevert(abi.encodeWithSelector(IParticipants.ParticipantsMismatch.selector, _at(STRANGER)));
        participants.admit(join, one, admission, two);
    }

    function testFuzz_refusesUnknownRoles(uint32 roles) public {
        vm.assume(roles > Roles.ALL);
        IParticipants.Join memory join = _joinOf(STRANGER, roles);
        IParticipants.Admit memory admission = _admitOf(join);
        bytes memory one = _sign(STRANGER, address(participants), _hash(join));
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        vm.expectRevert(abi.encodeWithSelector(IParticipants.ParticipantsRolesUnknown.selector, roles));
        participants.admit(join, one, admission, two);
    }

    function test_refusesASuspendedParticipant() public {
        _suspend(BUYER);
        IParticipants.Join memory join = _joinOf(BUYER, Roles.BUYER);
        IParticipants.Admit memory admission = _admitOf(join);
        bytes memory one = _sign(BUYER, address(participants), _hash(join));
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        vm.expectRevert(abi.encodeWithSelector(IParticipants.ParticipantsStatus.selector, _at(BUYER), 2, 1));
        participants.admit(join, one, admission, two);
    }

    function testFuzz_refusesAnExpiredIntent(uint64 late, bool isJoin) public {
        late = late % 1e9 + 1;
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        IParticipants.Admit memory admission = _admitOf(join);
        if (isJoin) admission.deadline = type(uint64).max;
        else join.deadline = type(uint64).max;
        uint64 deadline = isJoin ? join.deadline : admission.deadline;
        bytes memory one = _sign(STRANGER, address(participants), _hash(join));
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        vm.warp(uint256(deadline) + late);
        _expectExpired(deadline);
        participants.admit(join, one, admission, two);
    }

    function test_admitsInTheLastSecondBeforeTheDeadline() public {
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        IParticipants.Admit memory admission = _admitOf(join);
        vm.warp(join.deadline);
        _send(join, admission, STRANGER, REGISTRAR);
    }

    function _expectStaleOn(IParticipants.Join memory join, IParticipants.Admit memory admission) private {
        bytes memory one = _sign(STRANGER, address(participants), _hash(join));
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        _expectStale(1, 0);
        participants.admit(join, one, admission, two);
    }
}
