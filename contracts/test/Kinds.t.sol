// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IParticipants} from "../src/interfaces/IParticipants.sol";
import {IRegistrations} from "../src/interfaces/IRegistrations.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

/// @notice What follows from the kinds of registration after the first.
contract KindsTest is MarketTest {
    bytes32 private assetId;
    bytes32 private hold;
    bytes32 private operate;

    function setUp() public override {
        super.setUp();
        assetId = _confirmed("manifest");
        hold = _titleId(assetId, ITitles.TitleKind.Hold);
        operate = _titleId(assetId, ITitles.TitleKind.Operate);
        vm.warp(START + 1);
    }

    /* RENEWAL, CHANGE, CORRECTION */

    function test_aRenewalExtendsTheTerm() public {
        _deposit(_fileOf(assetId, IRegistrations.Kind.Renewal));
        IRights.Confirm memory m = _anew("SJ3102026010001");
        uint64 before = rights.asset(assetId).validUntil;
        m.validUntil = before;
        _refuses(m, abi.encodeWithSelector(IRights.RightsTerm.selector, before, before));
        m.validUntil = before + 300 days;
        _send(m, REGISTRAR);
        vm.assertEq(rights.asset(assetId).validUntil, m.validUntil);
        vm.assertEq(registrations.recordOf(assetId).code, m.code);
        vm.assertEq(titles.title(hold).validUntil, m.validUntil);
        vm.assertEq(titles.title(hold).version, 1);
        _operates(assetId, SUPPLIER);
    }

    function test_aRenewalThatIsNotAskedForInTimeIsNone() public {
        vm.warp(rights.asset(assetId).validUntil + 1);
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.Renewal);
        bytes memory reason =
            abi.encodeWithSelector(IRegistrations.RegistrationsLapsed.selector, assetId, rights.asset(assetId).validUntil);
        _refuses(m, SUPPLIER, reason);
    }

    function testFuzz_aChangeKeepsTheTerm(uint64 validUntil) public {
        uint64 until = rights.asset(assetId).validUntil;
        validUntil = uint64(START + 2 + validUntil % (4 * 365 days));
        vm.assume(validUntil != until);
        _deposit(_fileOf(assetId, IRegistrations.Kind.Change));
        IRights.Confirm memory m = _anew("SJ3102026010001");
        m.validUntil = validUntil;
        _refuses(m, abi.encodeWithSelector(IRights.RightsTerm.selector, validUntil, until));
        m.validUntil = until;
        _send(m, REGISTRAR);
        vm.assertEq(registrations.recordOf(assetId).certificateDigest, bytes32("another certificate"));
        vm.assertEq(rights.asset(assetId).version, 3);
    }

    function test_nothingIsCertifiedAnewWithoutADepositedCase() public {
        bytes32 latest = registrations.recordOf(assetId).latestCase;
        bytes memory reason = abi.encodeWithSelector(IRegistrations.RegistrationsStep.selector, latest, 10, 20);
        _refuses(_anew("SJ3102026010001"), reason);
    }

    function test_aCodeIsNeverGivenTwice() public {
        _deposit(_fileOf(assetId, IRegistrations.Kind.Change));
        IRights.Confirm memory m = _anew("SJ3102026010001");
        m.code = _codeOf(assetId);
        _refuses(m, abi.encodeWithSelector(IRegistrations.RegistrationsCodeUsed.selector, m.code));
    }

    function test_anEntryStaysWithItsProcedure() public {
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.Correction);
        (m.procedure, m.depositDigest) = (uint8(IRegistrations.Procedure.PublicData), "proof");
        _refuses(m, SUPPLIER, abi.encodeWithSelector(IRegistrations.RegistrationsKind.selector, 4, 2));
    }

    function test_aDepositedCaseThatCannotBeCertifiedIsTerminated() public {
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.Change);
        _deposit(m);
        _send(_decideOf(m.caseId, IRegistrations.Step.Terminate), REGISTRAR);
        vm.assertEq(uint8(registrations.caseOf(m.caseId).state), uint8(IRegistrations.State.Terminated));
    }

    /* TRANSFER */

    function test_aTransferHandsOverAllThatTheTransferorHolds() public {
        _send(_transferOf(_titleId(assetId, ITitles.TitleKind.Use), SUPPLIER, BUYER), SUPPLIER, BUYER);
        _deposit(_fileOf(assetId, IRegistrations.Kind.Transfer));
        vm.expectEmit(address(titles));
        emit ITitles.TitleTransferred(hold, _at(SUPPLIER), _at(COLLECTOR), 2);
        _send(_anew("SJ3102026010001"), REGISTRAR);
        vm.assertEq(rights.asset(assetId).registrant, _at(COLLECTOR));
        vm.assertEq(registrations.recordOf(assetId).holder, _at(COLLECTOR));
        vm.assertEq(titles.title(hold).holder, _at(COLLECTOR));
        vm.assertEq(titles.title(operate).holder, _at(COLLECTOR));
        vm.assertEq(titles.title(_titleId(assetId, ITitles.TitleKind.Use)).holder, _at(BUYER));
        _operates(assetId, COLLECTOR);
        vm.warp(START + 2);
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.Change);
        bytes memory reason =
            abi.encodeWithSelector(IRegistrations.RegistrationsNotParty.selector, m.caseId, _at(SUPPLIER));
        _refuses(m, SUPPLIER, reason);
    }

    /// @dev It would bar every other case of the asset, and nobody could join it.
    function test_aTransferGoesToAnActiveParticipantAlone() public {
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.Transfer);
        m.counterparty = _at(STRANGER);
        bytes memory reason =
            abi.encodeWithSelector(IParticipants.ParticipantsNotActive.selector, _at(STRANGER), uint32(0));
        _refuses(m, SUPPLIER, reason);
        _admit(STRANGER, 0);
        _send(m, SUPPLIER);
        vm.assertEq(registrations.caseOf(m.caseId).counterparty, _at(STRANGER));
    }

    function test_aTransferWaitsUntilTheReceiverJoins() public {
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.Transfer);
        _send(m, SUPPLIER);
        IRegistrations.Decide memory d = _decideOf(m.caseId, IRegistrations.Step.Accept);
        _refuses(d, abi.encodeWithSelector(IRegistrations.RegistrationsStep.selector, m.caseId, 1, 2));
    }

    function test_aTransferIsNotCertifiedOverASeizureOrAPledge() public {
        _send(_pledgeOf(operate, SUPPLIER, BUYER), SUPPLIER, BUYER);
        _deposit(_fileOf(assetId, IRegistrations.Kind.Transfer));
        _refuses(
            _anew("SJ3102026010001"), abi.encodeWithSelector(ITitles.TitlesPledged.selector, operate, _at(BUYER))
        );
        _encumber(hold, 16);
        _refuses(
            _anew("SJ3102026010001"), abi.encodeWithSelector(ITitles.TitlesEncumbered.selector, hold, hold, 16)
        );
    }

    function test_theReceiverDoesNotCertifyItsOwnTransfer() public {
        _admit(0xE1, Roles.REGISTRAR);
        IRegistrations.File memory f = _fileOf(assetId, IRegistrations.Kind.Transfer);
        f.counterparty = _at(0xE1);
        _send(f, SUPPLIER);
        IRegistrations.Act memory join = _actOf(f.caseId, IRegistrations.Step.Join);
        join.actor = f.counterparty;
        _send(join, 0xE1);
        _send(_decideOf(f.caseId, IRegistrations.Step.Accept), REGISTRAR);
        _send(_decideOf(f.caseId, IRegistrations.Step.WaiveNotice), REGISTRAR);
        _send(_decideOf(f.caseId, IRegistrations.Step.Deposit), REGISTRAR);
        IRights.Confirm memory m = _anew("SJ3102026010001");
        m.registrar = _at(0xE1);
        bytes memory signature = _sign(0xE1, address(rights), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IRegistrations.RegistrationsOwnMatter.selector, f.caseId, _at(0xE1))
        );
        rights.confirm(m, signature);
    }

    function test_theRightToHoldMovesByARegisteredTransferAlone() public {
        ITitles.Transfer memory m = _transferOf(hold, SUPPLIER, COLLECTOR);
        bytes memory one = _sign(SUPPLIER, address(titles), _hash(m));
        bytes memory two = _sign(COLLECTOR, address(titles), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesNotTransferable.selector, hold));
        titles.transfer(m, one, two);
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesOnlyMarket.selector, address(this)));
        titles.hand(hold, _at(COLLECTOR));
    }

    /* CANCELLATION */

    function test_aCancellationEndsTheEntryAndItsTitles() public {
        bytes32 caseId = _cleared(_fileOf(assetId, IRegistrations.Kind.Cancellation));
        IRegistrations.Decide memory d = _decideOf(caseId, IRegistrations.Step.Deposit);
        _refuses(d, abi.encodeWithSelector(IRegistrations.RegistrationsStep.selector, caseId, 8, 19));
        vm.expectEmit(address(rights));
        emit IRights.Marked(assetId, 5, "paper", _at(REGISTRAR), 3);
        _send(_decideOf(caseId, IRegistrations.Step.End), REGISTRAR);
        vm.assertEq(uint8(registrations.caseOf(caseId).state), uint8(IRegistrations.State.Ended));
        vm.assertEq(uint8(rights.asset(assetId).status), uint8(IRights.AssetStatus.Cancelled));
        (uint8 cause,) = titles.standing(operate);
        vm.assertEq(cause, 4);
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsStatus.selector, assetId, 5, 2));
        _operates(assetId, SUPPLIER);
        vm.warp(START + 2);
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.Change);
        _refuses(m, SUPPLIER, abi.encodeWithSelector(IRegistrations.RegistrationsAsset.selector, assetId, 5));
    }

    function test_aCancellationEndsNothingThatSomebodyElseHoldsOrReliesOn() public {
        bytes32 caseId = _cleared(_fileOf(assetId, IRegistrations.Kind.Cancellation));
        IRegistrations.Decide memory d = _decideOf(caseId, IRegistrations.Step.End);
        _send(_pledgeOf(operate, SUPPLIER, BUYER), SUPPLIER, BUYER);
        _refuses(d, abi.encodeWithSelector(ITitles.TitlesPledged.selector, operate, _at(BUYER)));
        _encumber(hold, 48);
        _refuses(d, abi.encodeWithSelector(ITitles.TitlesEncumbered.selector, hold, hold, 48));
        _encumber(hold, 0);
        bytes32 use = _titleId(assetId, ITitles.TitleKind.Use);
        _send(_transferOf(use, SUPPLIER, BUYER), SUPPLIER, BUYER);
        _refuses(d, abi.encodeWithSelector(ITitles.TitlesNotHolder.selector, use, _at(SUPPLIER)));
    }

    function test_whatDoesNotEndAnEntryCannotEndIt() public {
        bytes32 caseId = _cleared(_fileOf(assetId, IRegistrations.Kind.Change));
        IRegistrations.Decide memory d = _decideOf(caseId, IRegistrations.Step.End);
        _refuses(d, abi.encodeWithSelector(IRegistrations.RegistrationsStep.selector, caseId, 8, 22));
    }

    function testFuzz_onlyACaseEndsAnEntry(address caller) public {
        vm.assume(caller != address(registrations));
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsOnlyRegistrations.selector, caller));
        rights.end(assetId, IRights.AssetStatus.Revoked, caller, "reason");
    }

    /* REVOCATION */

    function test_aRevocationHearsTheHolderFirst() public {
        bytes32 caseId = _revoking();
        IRegistrations.Decide memory d = _decideOf(caseId, IRegistrations.Step.End);
        _refuses(d, abi.encodeWithSelector(IRegistrations.RegistrationsStep.selector, caseId, 2, 22));
        IRegistrations.Act memory reply = _actOf(caseId, IRegistrations.Step.Reply);
        reply.actor = _at(BUYER);
        bytes memory signature = _sign(BUYER, address(registrations), _hash(reply));
        vm.expectRevert(
            abi.encodeWithSelector(IRegistrations.RegistrationsNotParty.selector, caseId, _at(BUYER))
        );
        registrations.act(reply, signature);
        reply.actor = _at(SUPPLIER);
        _send(reply, SUPPLIER);
        _send(_decideOf(caseId, IRegistrations.Step.End), REGISTRAR);
        vm.assertEq(uint8(rights.asset(assetId).status), uint8(IRights.AssetStatus.Revoked));
    }

    function test_aHolderWhoKeepsSilentHadItsTime() public {
        bytes32 caseId = _revoking();
        uint64 dueAt = registrations.caseOf(caseId).dueAt;
        vm.expectRevert(
            abi.encodeWithSelector(
                IRegistrations.RegistrationsEarly.selector, caseId, dueAt, uint64(block.timestamp)
            )
        );
        registrations.expire(caseId);
        vm.warp(dueAt + 1);
        registrations.expire(caseId);
        _send(_decideOf(caseId, IRegistrations.Step.End), REGISTRAR);
        vm.assertEq(uint8(rights.asset(assetId).status), uint8(IRights.AssetStatus.Revoked));
    }

    function test_aRevocationCanBeDropped() public {
        bytes32 caseId = _revoking();
        IRegistrations.Act memory reply = _actOf(caseId, IRegistrations.Step.Reply);
        reply.actor = _at(SUPPLIER);
        _send(reply, SUPPLIER);
        IRegistrations.Decide memory d = _decideOf(caseId, IRegistrations.Step.Reject);
        d.dueAt = 0;
        _send(d, REGISTRAR);
        vm.assertEq(uint8(registrations.caseOf(caseId).state), uint8(IRegistrations.State.Dismissed));
        _operates(assetId, SUPPLIER);
    }

    function test_noOpenCaseOfTheHoldersKeepsARevocationOut() public {
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.Change);
        _deposit(m);
        bytes32 caseId = _revoking();
        IRegistrations.Act memory reply = _actOf(caseId, IRegistrations.Step.Reply);
        reply.actor = _at(SUPPLIER);
        _send(reply, SUPPLIER);
        _send(_decideOf(caseId, IRegistrations.Step.End), REGISTRAR);
        vm.assertEq(registrations.recordOf(assetId).latestCase, m.caseId);
        _refuses(_anew("SJ3102026010001"), abi.encodeWithSelector(IRights.RightsStatus.selector, assetId, 4, 1));
    }

    function test_anEntryIsRevokedOnce() public {
        bytes32 caseId = _revoking();
        vm.warp(block.timestamp + 1);
        bytes32 other = _revoking();
        vm.warp(registrations.caseOf(other).dueAt + 1);
        registrations.expire(caseId);
        registrations.expire(other);
        _send(_decideOf(caseId, IRegistrations.Step.End), REGISTRAR);
        IRegistrations.Decide memory d = _decideOf(other, IRegistrations.Step.End);
        _refuses(d, abi.encodeWithSelector(IRights.RightsMark.selector, assetId, 4, 4));
    }

    function test_onlyARegistrarWithoutAPartFilesARevocation() public {
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.Revocation);
        m.applicant = _at(BUYER);
        m.caseId = _caseId(m);
        bytes memory signature = _sign(BUYER, address(registrations), _hash(m));
        _expectInactive(BUYER, Roles.REGISTRAR);
        registrations.file(m, signature);
        _admit(COLLECTOR, Roles.REGISTRAR);
        m.applicant = _at(COLLECTOR);
        m.caseId = _caseId(m);
        _refuses(m, COLLECTOR, abi.encodeWithSelector(IRights.RightsOwnMatter.selector, _at(COLLECTOR)));
    }

    /* HELPERS */

    function _revoking() private returns (bytes32) {
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.Revocation);
        _send(m, REGISTRAR);
        return m.caseId;
    }

    function _cleared(IRegistrations.File memory m) private returns (bytes32) {
        _send(m, SUPPLIER);
        _send(_decideOf(m.caseId, IRegistrations.Step.Accept), REGISTRAR);
        _send(_decideOf(m.caseId, IRegistrations.Step.WaiveNotice), REGISTRAR);
        return m.caseId;
    }

    /// @dev A further certificate for the same term.
    function _anew(bytes32 code) private view returns (IRights.Confirm memory m) {
        m = _confirmOf(assetId);
        (m.code, m.certificateDigest) = (code, "another certificate");
        m.validUntil = rights.asset(assetId).validUntil;
        m.version = rights.asset(assetId).version;
    }

    function _encumber(bytes32 titleId, uint8 marks) private {
        uint64 version = titles.title(titleId).version;
        ITitles.Encumber memory m =
            ITitles.Encumber(titleId, marks, "order", _at(REGISTRAR), version, _deadline());
        titles.encumber(m, _sign(REGISTRAR, address(titles), _hash(m)));
    }

    function _refuses(IRegistrations.File memory m, uint256 key, bytes memory reason) private {
        bytes memory signature = _sign(key, address(registrations), _hash(m));
        vm.expectRevert(reason);
        registrations.file(m, signature);
    }

    function _refuses(IRegistrations.Decide memory d, bytes memory reason) private {
        bytes memory signature = _sign(REGISTRAR, address(registrations), _hash(d));
        vm.expectRevert(reason);
        registrations.decide(d, signature);
    }

    function _refuses(IRights.Confirm memory m, bytes memory reason) private {
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        vm.expectRevert(reason);
        rights.confirm(m, signature);
    }
}
