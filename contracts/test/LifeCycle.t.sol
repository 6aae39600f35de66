// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IRegistrations} from "../src/interfaces/IRegistrations.sol";
import {IParticipants} from "../src/interfaces/IParticipants.sol";
import {Roles} from "../src/Roles.sol";

contract LifeCycleTest is MarketTest {
    function test_anApplicationIsReviewedCorrectedAndAdmitted() public {
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        _request(join, STRANGER);
        _decide(STRANGER, IParticipants.Status.UnderReview);
        _decide(STRANGER, IParticipants.Status.CorrectionRequested);
        bytes memory signature = _sign(STRANGER, address(participants), _hash(join));
        vm.expectRevert(abi.encodeWithSelector(IParticipants.ParticipantsJoinUsed.selector, _at(STRANGER)));
        participants.requestAdmission(join, signature);

        join.identityDigest = "corrected";
        _request(join, STRANGER);
        _decide(STRANGER, IParticipants.Status.UnderReview);
        _send(join, _admitOf(join), STRANGER, REGISTRAR);
        participants.requireActive(_at(STRANGER), Roles.BUYER);
    }

    function test_refusesToAdmitWhatWasRejected() public {
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        _request(join, STRANGER);
        _decide(STRANGER, IParticipants.Status.UnderReview);
        _decide(STRANGER, IParticipants.Status.Rejected);
        IParticipants.Admit memory admission = _admitOf(join);
        bytes memory one = _sign(STRANGER, address(participants), _hash(join));
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        _expectStatus(STRANGER, IParticipants.Status.Rejected, IParticipants.Status.Active);
        participants.admit(join, one, admission, two);
    }

    function test_aParticipantLeavesByItsOwnSignature() public {
        _resign(BUYER, BUYER);
        _expectInactive(BUYER, 0);
        participants.requireActive(_at(BUYER), 0);
        _decide(BUYER, IParticipants.Status.Exited);
        vm.assertEq(uint8(participants.participant(_at(BUYER)).status), uint8(IParticipants.Status.Exited));
    }

    function test_aVenueLeavesAfterItsNotice() public {
        _resign(EXCHANGE, EXCHANGE);
        uint64 exitAt = participants.participant(_at(EXCHANGE)).exitAt;
        vm.assertEq(exitAt, block.timestamp + 93 days);
        vm.warp(exitAt - 1);
        IParticipants.SetStatus memory m = _statusOf(EXCHANGE, IParticipants.Status.Exited);
        bytes memory signature = _sign(REGISTRAR, address(participants), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IParticipants.ParticipantsExitNotDue.selector, _at(EXCHANGE), exitAt)
        );
        participants.setStatus(m, signature);
        vm.warp(exitAt);
        _decide(EXCHANGE, IParticipants.Status.Exited);
    }

    function testFuzz_whoLeavesGivesTheNoticeOfTheRulebookInForce(uint32 registrar, uint32 exchange, uint32 roles) public {
        roles = roles % Roles.ALL + 1;
        bytes32 term = bytes32(uint256(1) | uint256(registrar) << 64 | uint256(exchange) << 96);
        IRegistrations.Adopt memory m =
            IRegistrations.Adopt("new", "entry", "beside", term, RULEBOOK, _at(EXCHANGE), _deadline());
        _send(m, EXCHANGE);
        _admit(BUYER, roles);
        _resign(BUYER, BUYER);
        uint64 longest = roles & Roles.REGISTRAR != 0 ? registrar : 0;
        if (roles & Roles.EXCHANGE != 0 && exchange > longest) longest = exchange;
        vm.assertEq(participants.participant(_at(BUYER)).exitAt, block.timestamp + longest);
    }

    function test_refusesAnExitThatAnotherSigned() public {
        IParticipants.Leave memory m =
            IParticipants.Leave(_at(BUYER), participants.participant(_at(BUYER)).version, _deadline());
        bytes memory signature = _sign(REGISTRAR, address(participants), _hash(m));
        _expectSignatureRefused(BUYER);
        participants.resign(m, signature);
    }

    function testFuzz_anExpulsionIsForGood(uint8 asked) public {
        _decide(BUYER, IParticipants.Status.Expelled);
        IParticipants.SetStatus memory m = _statusOf(BUYER, IParticipants.Status.Active);
        m.status = asked;
        bytes memory signature = _sign(REGISTRAR, address(participants), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IParticipants.ParticipantsStatus.selector, _at(BUYER), uint8(9), asked)
        );
        participants.setStatus(m, signature);
    }

    function _request(IParticipants.Join memory join, uint256 by) private {
        participants.requestAdmission(join, _sign(by, address(participants), _hash(join)));
    }

    function _decide(uint256 who, IParticipants.Status status) private {
        _send(_statusOf(who, status), REGISTRAR);
    }

    function _resign(uint256 who, uint256 by) private {
        uint64 version = participants.participant(_at(who)).version;
        IParticipants.Leave memory m = IParticipants.Leave(_at(who), version, _deadline());
        participants.resign(m, _sign(by, address(participants), _hash(m)));
    }

    function _expectStatus(uint256 who, IParticipants.Status current, IParticipants.Status asked) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IParticipants.ParticipantsStatus.selector, _at(who), uint8(current), uint8(asked)
            )
        );
    }
}
