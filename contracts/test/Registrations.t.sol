// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Procedures} from "../src/Procedures.sol";
import {Roles} from "../src/Roles.sol";
import {IRegistrations} from "../src/interfaces/IRegistrations.sol";
import {IRights} from "../src/interfaces/IRights.sol";

contract RegistrationsTest is MarketTest {
    uint256 private constant COLLEAGUE = 0xE1;

    bytes32 private assetId;
    IRegistrations.File private filed;

    function setUp() public override {
        super.setUp();
        assetId = _registered("manifest");
        filed = _fileOf(assetId, IRegistrations.Kind.First);
    }

    /* FILE */

    function test_fileRefusesAnotherSigner() public {
        bytes memory signature = _sign(BUYER, address(registrations), _hash(filed));
        _expectSignatureRefused(SUPPLIER);
        registrations.file(filed, signature);
    }

    function test_fileRefusesAnExpiredIntent() public {
        bytes memory signature = _sign(SUPPLIER, address(registrations), _hash(filed));
        vm.warp(uint256(filed.deadline) + 1);
        _expectExpired(filed.deadline);
        registrations.file(filed, signature);
    }

    function testFuzz_fileRefusesATimeThatIsNotNow(uint64 statedAt) public {
        statedAt %= START * 2;
        vm.assume(statedAt > START || statedAt + 1 hours < START);
        filed.statedAt = statedAt;
        _refusesTime(statedAt);
    }

    function test_fileTakesATimeOfAnHourAgoAndNoSecondMore() public {
        filed.statedAt = START - 1 hours - 1;
        _refusesTime(filed.statedAt);
        filed.statedAt += 1;
        filed.caseId = _caseId(filed);
        _send(filed, SUPPLIER);
    }

    function testFuzz_fileRefusesAnotherId(bytes32 id) public {
        bytes32 expected = filed.caseId;
        vm.assume(id != expected);
        filed.caseId = id;
        _refuses(abi.encodeWithSelector(IRegistrations.RegistrationsIdMismatch.selector, expected, id));
    }

    function test_fileRefusesACaseFiledBefore() public {
        _send(filed, SUPPLIER);
        _refuses(abi.encodeWithSelector(IRegistrations.RegistrationsExists.selector, filed.caseId));
    }

    /// @dev The guide has transfers and no corrections, the measures for public data the other way round.
    function testFuzz_fileTakesNoKindThatTheProcedureDoesNotHave(uint8 kind, uint8 procedure) public {
        bool entry = procedure == 1 || procedure == 2;
        vm.assume(!(procedure == 3 && kind == 8) && !(procedure == 4 && kind == 7));
        vm.assume(!(entry && (kind == 1 || kind == 3 || kind == 5 || kind == 6)));
        vm.assume(!(procedure == 1 && kind == 2) && !(procedure == 2 && kind == 4));
        (filed.kind, filed.procedure) = (kind, procedure);
        _refuses(abi.encodeWithSelector(IRegistrations.RegistrationsKind.selector, kind, procedure));
    }

    function testFuzz_fileRefusesAnotherRulebook(bytes32 digest) public {
        vm.assume(digest != RULEBOOK);
        filed.rulebookDigest = digest;
        _refuses(abi.encodeWithSelector(IRegistrations.RegistrationsRulebook.selector, RULEBOOK, digest));
    }

    function testFuzz_fileRefusesDatesThatDoNotFollow(uint64 dueAt, uint64 decideBy) public {
        uint64 latest = filed.statedAt + 20 * 365 days;
        vm.assume(dueAt <= filed.statedAt || decideBy <= dueAt || decideBy > latest);
        (filed.dueAt, filed.decideBy) = (dueAt, decideBy);
        _refuses(abi.encodeWithSelector(IRegistrations.RegistrationsDates.selector, dueAt, decideBy));
    }

    function test_fileAsksPublicDataAloneForTheProofOfDeposit() public {
        filed.depositDigest = "proof";
        _refuses(abi.encodeWithSelector(IRegistrations.RegistrationsDepositProof.selector, bytes32("proof")));
        filed.procedure = uint8(IRegistrations.Procedure.PublicData);
        filed.depositDigest = 0;
        _refuses(abi.encodeWithSelector(IRegistrations.RegistrationsDepositProof.selector, bytes32(0)));
        filed.depositDigest = "proof";
        _send(filed, SUPPLIER);
    }

    function testFuzz_fileRefusesACounterparty(address other) public {
        vm.assume(other != address(0));
        filed.counterparty = other;
        _refuses(abi.encodeWithSelector(IRegistrations.RegistrationsCounterparty.selector, other));
    }

    function test_fileRefusesWhoIsNotActive() public {
        _suspend(SUPPLIER);
        bytes memory signature = _sign(SUPPLIER, address(registrations), _hash(filed));
        _expectInactive(SUPPLIER, 0);
        registrations.file(filed, signature);
    }

    function test_fileRefusesWhoDidNotRegisterTheAsset() public {
        filed.applicant = _at(BUYER);
        filed.caseId = _caseId(filed);
        bytes memory reason = _notParty(filed.caseId, BUYER);
        bytes memory signature = _sign(BUYER, address(registrations), _hash(filed));
        vm.expectRevert(reason);
        registrations.file(filed, signature);
    }

    function test_fileRefusesAnAssetInAnotherState() public {
        bytes32 other = _confirmed("other");
        vm.warp(START + 1);
        filed = _fileOf(other, IRegistrations.Kind.First);
        _refuses(abi.encodeWithSelector(IRegistrations.RegistrationsAsset.selector, filed.assetId, 2));
        filed = _fileOf("unknown", IRegistrations.Kind.First);
        _refuses(abi.encodeWithSelector(IRegistrations.RegistrationsAsset.selector, bytes32("unknown"), 0));
        filed = _lateOf(assetId);
        _refusesOf(BUYER, abi.encodeWithSelector(IRegistrations.RegistrationsAsset.selector, assetId, 1));
    }

    function test_fileRefusesASecondOpenCase() public {
        _send(filed, SUPPLIER);
        bytes32 first = filed.caseId;
        filed.formDigest = "another form";
        filed.caseId = _caseId(filed);
        bytes memory reason = abi.encodeWithSelector(IRegistrations.RegistrationsOpenCase.selector, assetId, first);
        _refuses(reason);
        _send(_of(_actOf(first, IRegistrations.Step.Withdraw), SUPPLIER), SUPPLIER);
        _send(filed, SUPPLIER);
    }

    /* ACT AND DECIDE */

    function test_stepsRefuseAnotherSigner() public {
        bytes32 id = _filed();
        IRegistrations.Act memory m = _of(_actOf(id, IRegistrations.Step.Withdraw), SUPPLIER);
        bytes memory signature = _sign(BUYER, address(registrations), _hash(m));
        _expectSignatureRefused(SUPPLIER);
        registrations.act(m, signature);
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Accept);
        signature = _sign(BUYER, address(registrations), _hash(d));
        _expectSignatureRefused(REGISTRAR);
        registrations.decide(d, signature);
    }

    function test_stepsRefuseAnExpiredIntent() public {
        IRegistrations.Decide memory d = _decideOf(_filed(), IRegistrations.Step.Accept);
        bytes memory signature = _sign(REGISTRAR, address(registrations), _hash(d));
        vm.warp(uint256(d.deadline) + 1);
        _expectExpired(d.deadline);
        registrations.decide(d, signature);
    }

    function testFuzz_stepsRefuseAnotherVersion(uint64 version) public {
        IRegistrations.Decide memory d = _decideOf(_filed(), IRegistrations.Step.Accept);
        vm.assume(version != d.version);
        d.version = version;
        bytes memory signature = _sign(REGISTRAR, address(registrations), _hash(d));
        _expectStale(1, version);
        registrations.decide(d, signature);
    }

    function test_stepsRefuseATimeBeforeTheLastAct() public {
        bytes32 id = _filed();
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Accept);
        d.statedAt -= 1;
        _refuses(d, abi.encodeWithSelector(IRegistrations.RegistrationsTime.selector, d.statedAt, START));
    }

    /// @dev Whatever the table does not have in a state, number out of range included.
    function testFuzz_stepsRefuseWhatTheTableDoesNotHave(uint8 step) public {
        IRegistrations.Decide memory d = _decideOf(_filed(), IRegistrations.Step.Accept);
        bool known = step <= uint8(type(IRegistrations.Step).max);
        vm.assume(!known || _next(d.caseId, IRegistrations.Step(step)) == IRegistrations.State.None);
        d.step = step;
        _refuses(d, _noStep(d.caseId, step));
    }

    function test_nobodySignsWhatSilenceSays() public {
        IRegistrations.Act memory m = _of(_actOf(_filed(), IRegistrations.Step.AcceptBySilence), SUPPLIER);
        _refuses(m, SUPPLIER, _notParty(m.caseId, SUPPLIER));
    }

    function test_partiesDoNotDecideAndRegistrarsDoNotActForThem() public {
        bytes32 id = _filed();
        IRegistrations.Act memory m = _of(_actOf(id, IRegistrations.Step.Accept), SUPPLIER);
        _refuses(m, SUPPLIER, _notParty(id, SUPPLIER));
        _refuses(_decideOf(id, IRegistrations.Step.Withdraw), _notParty(id, REGISTRAR));
        m = _of(_actOf(id, IRegistrations.Step.Withdraw), BUYER);
        _refuses(m, BUYER, _notParty(id, BUYER));
    }

    function test_decideRefusesWhoIsNoRegistrar() public {
        IRegistrations.Decide memory d = _decideOf(_filed(), IRegistrations.Step.Accept);
        d.actor = _at(BUYER);
        bytes memory signature = _sign(BUYER, address(registrations), _hash(d));
        _expectInactive(BUYER, Roles.REGISTRAR);
        registrations.decide(d, signature);
    }

    function test_nobodyDecidesInTheirOwnMatter() public {
        bytes32 id = _filed();
        _admit(SUPPLIER, Roles.REGISTRAR);
        _admit(COLLECTOR, Roles.REGISTRAR);
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Accept);
        d.actor = _at(SUPPLIER);
        _refusesBy(d, SUPPLIER, _ownMatter(id, SUPPLIER));
        d.actor = _at(COLLECTOR); // a share of the revenue is theirs
        _refusesBy(d, COLLECTOR, abi.encodeWithSelector(IRights.RightsOwnMatter.selector, _at(COLLECTOR)));
    }

    function test_nobodyObjectsToTheirOwnAndNobodyTwice() public {
        bytes32 id = _noticed();
        IRegistrations.Act memory m = _of(_actOf(id, IRegistrations.Step.Object), SUPPLIER);
        _refuses(m, SUPPLIER, _ownMatter(id, SUPPLIER));
        _object(id, BUYER);
        _decide(id, IRegistrations.Step.Reject);
        m = _of(_actOf(id, IRegistrations.Step.Object), BUYER);
        _refuses(m, BUYER, abi.encodeWithSelector(IRegistrations.RegistrationsObjected.selector, id, _at(BUYER)));
        _object(id, _stranger());
    }

    function test_anObjectorDoesNotDecideTheObjection() public {
        bytes32 id = _noticed();
        _admit(BUYER, Roles.REGISTRAR);
        _object(id, BUYER);
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Uphold);
        d.actor = _at(BUYER);
        _refusesBy(d, BUYER, abi.encodeWithSelector(IRights.RightsOwnMatter.selector, _at(BUYER)));
    }

    /// @dev Also not when somebody else has objected since.
    function test_refusesADecisionOfARegistrarWhoObjectedBefore() public {
        _admit(COLLEAGUE, Roles.REGISTRAR);
        IRegistrations.File memory m = filed;
        registrations.file(m, _sign(SUPPLIER, address(registrations), _hash(m)));
        _send(_decideOf(m.caseId, IRegistrations.Step.Accept), REGISTRAR);
        _send(_decideOf(m.caseId, IRegistrations.Step.OpenNotice), REGISTRAR);
        _object(m.caseId, COLLEAGUE);
        _send(_decideOf(m.caseId, IRegistrations.Step.Reject), REGISTRAR);
        _object(m.caseId, BUYER);

        IRegistrations.Decide memory decision = _decideOf(m.caseId, IRegistrations.Step.Uphold);
        decision.actor = _at(COLLEAGUE);
        bytes memory signature = _sign(COLLEAGUE, address(registrations), _hash(decision));
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsOwnMatter.selector, _at(COLLEAGUE)));
        registrations.decide(decision, signature);
        _send(_decideOf(m.caseId, IRegistrations.Step.Uphold), REGISTRAR);
    }

    function test_nothingIsDepositedBeforeTheNoticeEnds() public {
        bytes32 id = _noticed();
        uint64 end = registrations.caseOf(id).dueAt;
        vm.warp(end);
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Deposit);
        _refuses(d, abi.encodeWithSelector(IRegistrations.RegistrationsEarly.selector, id, end, end));
        vm.warp(uint256(end) + 1);
        _decide(id, IRegistrations.Step.Deposit);
        vm.assertEq(registrations.caseOf(id).depositedAt, end + 1);
    }

    function test_nothingIsDepositedDuringAnObjectionHoweverLong() public {
        bytes32 id = _noticed();
        _object(id, BUYER);
        vm.warp(block.timestamp + 3650 days);
        _refuses(
            _decideOf(id, IRegistrations.Step.Deposit), _noStep(id, uint8(IRegistrations.Step.Deposit))
        );
    }

    function test_afterARejectedObjectionTheNoticeGoesOn() public {
        bytes32 id = _noticed();
        _object(id, BUYER);
        _decide(id, IRegistrations.Step.Reject);
        IRegistrations.Case memory case_ = registrations.caseOf(id);
        vm.assertEq(uint8(case_.state), uint8(IRegistrations.State.PublicNotice));
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Deposit);
        bytes memory reason =
            abi.encodeWithSelector(IRegistrations.RegistrationsEarly.selector, id, case_.dueAt, d.statedAt);
        _refuses(d, reason);
    }

    function test_nobodyObjectsAfterTheNotice() public {
        bytes32 id = _noticed();
        uint64 end = registrations.caseOf(id).dueAt;
        vm.warp(uint256(end) + 1);
        IRegistrations.Act memory m = _of(_actOf(id, IRegistrations.Step.Object), BUYER);
        _refuses(m, BUYER, abi.encodeWithSelector(IRegistrations.RegistrationsLate.selector, id, end, end + 1));
    }

    function testFuzz_anActOpensAPeriodOrNone(uint64 dueAt) public {
        bytes32 id = _filed();
        vm.assume(dueAt != 0);
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Accept);
        d.dueAt = dueAt;
        _refuses(d, _dates(d));
        d = _decideOf(id, IRegistrations.Step.RequestCorrection);
        d.dueAt = dueAt % (d.statedAt + 1);
        _refuses(d, _dates(d));
    }

    function test_theCasesEndOnlyMovesOn() public {
        bytes32 id = _reviewed();
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Extend);
        d.decideBy -= 1;
        _refuses(d, _dates(d));
        d.decideBy = d.statedAt + 20 * 365 days + 1;
        _refuses(d, _dates(d));
    }

    function testFuzz_whatHasEndedIsNotExtended(uint32 wait) public {
        bytes32 id = _filed();
        _decide(id, IRegistrations.Step.Accept);
        uint64 end = registrations.caseOf(id).decideBy;
        vm.warp(uint256(end) + wait % 400 days);
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Extend);
        if (d.statedAt <= end) {
            _send(d, REGISTRAR);
            return;
        }
        d.decideBy = d.statedAt + 1;
        _refuses(d, abi.encodeWithSelector(IRegistrations.RegistrationsLate.selector, id, end, d.statedAt));
    }

    function test_aCaseIsExtendedOnce() public {
        bytes32 id = _reviewed();
        _decide(id, IRegistrations.Step.Extend);
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Extend);
        _refuses(d, abi.encodeWithSelector(IRegistrations.RegistrationsExtended.selector, id));
    }

    function test_noticeIsWaivedForReasonsAlone() public {
        filed.nonPublicationDigest = 0;
        bytes32 id = _reviewed();
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.WaiveNotice);
        _refuses(d, abi.encodeWithSelector(IRegistrations.RegistrationsNoWaiver.selector, id));
    }

    /* EXPIRE */

    function testFuzz_silenceAcceptsAfterThePeriodAlone(uint64 time) public {
        bytes32 id = _filed();
        uint64 due = registrations.caseOf(id).dueAt;
        time = START + time % (20 * 365 days);
        vm.warp(time);
        if (time <= due) {
            vm.expectRevert(
                abi.encodeWithSelector(IRegistrations.RegistrationsEarly.selector, id, due, time)
            );
            registrations.expire(id);
            return;
        }
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Accept);
        _refuses(d, abi.encodeWithSelector(IRegistrations.RegistrationsLate.selector, id, due, time));
        registrations.expire(id);
        vm.assertEq(uint8(registrations.caseOf(id).state), uint8(IRegistrations.State.UnderReview));
    }

    function test_aCorrectionThatDidNotComeEndsTheCase() public {
        bytes32 id = _filed();
        _decide(id, IRegistrations.Step.RequestCorrection);
        uint64 due = registrations.caseOf(id).dueAt;
        vm.warp(uint256(due) + 1);
        IRegistrations.Act memory m = _of(_actOf(id, IRegistrations.Step.Resubmit), SUPPLIER);
        _refuses(m, SUPPLIER, abi.encodeWithSelector(IRegistrations.RegistrationsLate.selector, id, due, due + 1));
        registrations.expire(id);
        vm.assertEq(uint8(registrations.caseOf(id).state), uint8(IRegistrations.State.DeemedNotFiled));
        _isClosed(id);
    }

    function test_silenceDoesNotAcceptPublicDataOrUnknownCases() public {
        filed.procedure = uint8(IRegistrations.Procedure.PublicData);
        filed.depositDigest = "proof";
        bytes32 id = _filed();
        vm.warp(START + 3650 days);
        bytes memory reason = _noStep(id, uint8(IRegistrations.Step.AcceptBySilence));
        vm.expectRevert(reason);
        registrations.expire(id);
        reason = _noStep("unknown", uint8(IRegistrations.Step.AcceptBySilence));
        vm.expectRevert(reason);
        registrations.expire("unknown");
    }

    /* LATE OBJECTIONS */

    function test_lateObjectionsSetAndClearTheMark() public {
        bytes32 id = _late();
        _decide(id, IRegistrations.Step.Accept);
        _decide(id, IRegistrations.Step.MarkDisputed);
        vm.assertEq(registrations.recordOf(assetId).disputes, 1);
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Reject);
        d.dueAt = 0;
        _send(d, REGISTRAR);
        vm.assertEq(registrations.recordOf(assetId).disputes, 0);
        _isClosed(id);
    }

    /// @dev In whatever case: one's own objection, somebody else's, a change by the holder.
    function test_whoObjectedLateDecidesNothingAboutTheAsset() public {
        _late();
        IRegistrations.File memory other = _lateOf(assetId);
        (other.applicant, other.formDigest) = (_at(COLLECTOR), "another reason");
        other.caseId = keccak256(abi.encode(assetId, _at(COLLECTOR), other.formDigest, other.statedAt));
        _send(other, COLLECTOR);
        _admit(BUYER, Roles.REGISTRAR);
        IRegistrations.Decide memory d = _decideOf(other.caseId, IRegistrations.Step.Accept);
        d.actor = _at(BUYER);
        _refusesBy(d, BUYER, abi.encodeWithSelector(IRights.RightsOwnMatter.selector, _at(BUYER)));
        IRights.Mark memory m = _markOf(assetId, IRights.AssetStatus.Suspended);
        m.registrar = _at(BUYER);
        bytes memory signature = _sign(BUYER, address(rights), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsOwnMatter.selector, _at(BUYER)));
        rights.mark(m, signature);
    }

    function testFuzz_anObjectionThatWasUpheldStaysMarkedUntilTheEntryIsChanged(bool marked, bool passes) public {
        bytes32 id = _late();
        _decide(id, IRegistrations.Step.Accept);
        if (marked) _decide(id, IRegistrations.Step.MarkDisputed);
        IRegistrations.Decide memory d = _decideOf(id, IRegistrations.Step.Uphold);
        bytes memory signature = _sign(REGISTRAR, address(registrations), _hash(d));
        vm.expectEmit(address(registrations));
        emit IRegistrations.DisputeMarked(assetId, id, 1, 1);
        registrations.decide(d, signature);
        _isClosed(id);
        vm.assertEq(registrations.recordOf(assetId).disputes, 1);
        vm.assertEq(registrations.recordOf(assetId).upheld, 1);

        vm.warp(block.timestamp + 1);
        IRegistrations.File memory f = _fileOf(assetId, IRegistrations.Kind.Change);
        if (passes) {
            f = _fileOf(assetId, IRegistrations.Kind.Transfer);
            f.counterparty = _at(COLLECTOR);
        }
        _send(f, SUPPLIER);
        if (passes) _send(_of(_actOf(f.caseId, IRegistrations.Step.Join), COLLECTOR), COLLECTOR);
        _decide(f.caseId, IRegistrations.Step.Accept);
        _decide(f.caseId, IRegistrations.Step.OpenNotice);
        vm.warp(registrations.caseOf(f.caseId).dueAt + 1);
        _decide(f.caseId, IRegistrations.Step.Deposit);
        IRights.Confirm memory m = _confirmOf(assetId);
        m.version = rights.asset(assetId).version;
        (m.code, m.validUntil) = ("SJ3102026010001", rights.asset(assetId).validUntil);
        _send(m, REGISTRAR);
        vm.assertEq(registrations.recordOf(assetId).disputes, 0);
        vm.assertEq(registrations.recordOf(assetId).upheld, 0);
    }

    function test_aRenewalSettlesNoObjection() public {
        bytes32 id = _late();
        _decide(id, IRegistrations.Step.Accept);
        _decide(id, IRegistrations.Step.Uphold);
        vm.warp(block.timestamp + 1);
        IRegistrations.File memory f = _fileOf(assetId, IRegistrations.Kind.Renewal);
        _send(f, SUPPLIER);
        _decide(f.caseId, IRegistrations.Step.Accept);
        _decide(f.caseId, IRegistrations.Step.OpenNotice);
        vm.warp(registrations.caseOf(f.caseId).dueAt + 1);
        _decide(f.caseId, IRegistrations.Step.Deposit);
        IRights.Confirm memory m = _confirmOf(assetId);
        m.version = rights.asset(assetId).version;
        (m.code, m.validUntil) = ("SJ3102026010001", rights.asset(assetId).validUntil + 1);
        _send(m, REGISTRAR);
        vm.assertEq(registrations.recordOf(assetId).upheld, 1);
    }

    function test_theHolderDoesNotObjectToItsOwnEntry() public {
        assetId = _confirmed("other");
        vm.warp(START + 1);
        filed = _fileOf(assetId, IRegistrations.Kind.LateObjection);
        _refuses(_ownMatter(filed.caseId, SUPPLIER));
    }

    function test_theHolderAloneReplies() public {
        bytes32 id = _late();
        _decide(id, IRegistrations.Step.Accept);
        IRegistrations.Act memory m = _of(_actOf(id, IRegistrations.Step.Reply), BUYER);
        _refuses(m, BUYER, _notParty(id, BUYER));
        _send(_of(m, SUPPLIER), SUPPLIER);
    }

    function test_aLapsedEntryTakesNoObjection() public {
        assetId = _confirmed("other");
        uint64 until = rights.asset(assetId).validUntil;
        vm.warp(uint256(until) + 1);
        filed = _lateOf(assetId);
        _refusesOf(BUYER, abi.encodeWithSelector(IRegistrations.RegistrationsLapsed.selector, assetId, until));
        vm.warp(until);
        filed = _lateOf(assetId);
        _send(filed, BUYER);
    }

    /* CERTIFY */

    function test_onlyRightsCertifies() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistrations.RegistrationsOnlyRights.selector, address(this)));
        registrations.certify(assetId, "certificate", _codeOf(assetId), START + 1, _at(REGISTRAR));
    }

    function test_aCodeIsGivenOnce() public {
        bytes32 used = _confirmOf(_confirmed("other")).code;
        _deposit(filed);
        IRights.Confirm memory m = _confirmOf(assetId);
        m.code = used;
        _refuses(m, abi.encodeWithSelector(IRegistrations.RegistrationsCodeUsed.selector, used));
    }

    function testFuzz_aCodeIsSJAndThirteenDigits(uint8 place, bytes1 letter) public {
        _deposit(filed);
        IRights.Confirm memory m = _confirmOf(assetId);
        place %= 32;
        bool fits = place < 2
            ? letter == m.code[place]
            : place < 15 ? letter >= "0" && letter <= "9" : letter == 0;
        vm.assume(!fits);
        uint256 shift = 8 * (31 - uint256(place));
        m.code = bytes32(uint256(m.code) & ~(uint256(0xff) << shift) | uint256(uint8(letter)) << shift);
        _refuses(m, abi.encodeWithSelector(IRegistrations.RegistrationsCode.selector, m.code));
    }

    function test_theFirstCodeOfAMonthIsOne() public {
        _deposit(filed);
        IRights.Confirm memory m = _confirmOf(assetId);
        m.code = "SJ3102026110000";
        _refuses(m, abi.encodeWithSelector(IRegistrations.RegistrationsCode.selector, m.code));
        m.code = "SJ3102026110001";
        _send(m, REGISTRAR);
    }

    function testFuzz_aCertificateEndsWithTheDepositsTerm(uint64 until) public {
        _send(filed, SUPPLIER);
        _decide(filed.caseId, IRegistrations.Step.Accept);
        _decide(filed.caseId, IRegistrations.Step.WaiveNotice);
        IRegistrations.Decide memory d = _decideOf(filed.caseId, IRegistrations.Step.Deposit);
        d.dueAt = d.statedAt + 365 days;
        _send(d, REGISTRAR);
        IRights.Confirm memory m = _confirmOf(assetId);
        m.validUntil = d.dueAt + 1 + until % (4 * 365 days - 1);
        _refuses(m, abi.encodeWithSelector(IRegistrations.RegistrationsTerm.selector, m.validUntil, d.dueAt));
        m.validUntil = d.dueAt;
        _send(m, REGISTRAR);
    }

    /* ADOPT */

    function test_adoptionIsTheExchanges() public {
        IRegistrations.Adopt memory m = IRegistrations.Adopt("new", "entry", "beside", "term", RULEBOOK, _at(BUYER), _deadline());
        bytes memory signature = _sign(BUYER, address(registrations), _hash(m));
        _expectInactive(BUYER, Roles.EXCHANGE);
        registrations.adopt(m, signature);
        m.exchange = _at(EXCHANGE);
        _expectSignatureRefused(EXCHANGE);
        registrations.adopt(m, signature);
        _send(m, EXCHANGE);
        vm.assertEq(registrations.rulebook(), "new");
        _refuses(abi.encodeWithSelector(IRegistrations.RegistrationsRulebook.selector, bytes32("new"), RULEBOOK));
    }

    function test_adoptionRefusesTheSameNoneOrAnotherPrevious() public {
        _refusesAdoption(RULEBOOK, RULEBOOK, RULEBOOK);
        _refusesAdoption(0, RULEBOOK, 0);
        _refusesAdoption("new", "other", "other");
        IRegistrations.Adopt memory m = IRegistrations.Adopt("new", "entry", "beside", "term", RULEBOOK, _at(EXCHANGE), _deadline());
        bytes memory signature = _sign(EXCHANGE, address(registrations), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        registrations.adopt(m, signature);
    }

    /* WHATEVER HAPPENS */

    /// @dev Any walk through a case: certified only after a deposit, and closed for good.
    function testFuzz_noCertificateWithoutDepositAndClosedIsClosed(uint8[24] calldata steps) public {
        bytes32 id = _filed();
        bool closed;
        for (uint256 i = 0; i < steps.length; ++i) {
            IRegistrations.State before = registrations.caseOf(id).state;
            vm.warp(block.timestamp + uint256(steps[i]) * 3 hours);
            bool done = _try(id, _likely(id, before, steps[i]));
            IRegistrations.Case memory case_ = registrations.caseOf(id);
            vm.assertTrue(!closed || !done, "a closed case moved");
            bool certified = case_.state == IRegistrations.State.Certified;
            bool deposited = before == IRegistrations.State.Deposited || before == IRegistrations.State.Certified;
            vm.assertTrue(!certified || (deposited && case_.depositedAt != 0), "certified without deposit");
            vm.assertTrue(certified == (rights.asset(assetId).status == IRights.AssetStatus.Confirmed), "rights");
            closed = Procedures.isOver(case_.state);
        }
    }

    /// @dev Mostly a step that the table has, so that walks come far.
    function _likely(bytes32 id, IRegistrations.State state, uint8 seed) private view returns (IRegistrations.Step) {
        IRegistrations.Procedure procedure = registrations.caseOf(id).procedure;
        for (uint256 i = 0; i < 22 && seed % 7 != 0; ++i) {
            IRegistrations.Step step = IRegistrations.Step((seed + i) % 22);
            bool ends = step == IRegistrations.Step.Withdraw || step == IRegistrations.Step.Terminate;
            if (!ends && Procedures.next(procedure, state, step) != IRegistrations.State.None) return step;
        }
        return IRegistrations.Step(seed % 22);
    }

    function _try(bytes32 id, IRegistrations.Step step) private returns (bool done) {
        bytes memory call = abi.encodeCall(registrations.expire, (id));
        address target = address(registrations);
        if (step == IRegistrations.Step.Certify) {
            IRights.Confirm memory c = _confirmOf(assetId);
            call = abi.encodeCall(rights.confirm, (c, _sign(REGISTRAR, address(rights), _hash(c))));
            target = address(rights);
        } else if (Procedures.isRegistrars(step)) {
            IRegistrations.Decide memory d = _decideOf(id, step);
            call = abi.encodeCall(registrations.decide, (d, _sign(REGISTRAR, target, _hash(d))));
        } else if (step > IRegistrations.Step.None && step != IRegistrations.Step.AcceptBySilence) {
            uint256 key = step == IRegistrations.Step.Object ? BUYER : SUPPLIER;
            IRegistrations.Act memory m = _of(_actOf(id, step), key);
            call = abi.encodeCall(registrations.act, (m, _sign(key, target, _hash(m))));
        }
        (done,) = target.call(call);
    }

    /* HELPERS */

    function _stranger() private returns (uint256) {
        _admit(STRANGER, Roles.BUYER);
        return STRANGER;
    }

    function _filed() private returns (bytes32) {
        _send(filed, SUPPLIER);
        return filed.caseId;
    }

    function _reviewed() private returns (bytes32 id) {
        id = _filed();
        _decide(id, IRegistrations.Step.Accept);
    }

    function _noticed() private returns (bytes32 id) {
        id = _reviewed();
        _decide(id, IRegistrations.Step.OpenNotice);
    }

    function _lateOf(bytes32 asset) private view returns (IRegistrations.File memory m) {
        m = _fileOf(asset, IRegistrations.Kind.LateObjection);
        m.applicant = _at(BUYER);
        m.caseId = _caseId(m);
    }

    function _late() private returns (bytes32) {
        assetId = _confirmed("other");
        IRegistrations.File memory m = _lateOf(assetId);
        _send(m, BUYER);
        return m.caseId;
    }

    function _decide(bytes32 id, IRegistrations.Step step) private {
        _send(_decideOf(id, step), REGISTRAR);
    }

    function _object(bytes32 id, uint256 key) private {
        _send(_of(_actOf(id, IRegistrations.Step.Object), key), key);
    }

    function _of(IRegistrations.Act memory m, uint256 key) private pure returns (IRegistrations.Act memory) {
        m.actor = _at(key);
        return m;
    }

    function _next(bytes32 id, IRegistrations.Step step) private view returns (IRegistrations.State) {
        IRegistrations.Case memory case_ = registrations.caseOf(id);
        return Procedures.next(case_.procedure, case_.state, step);
    }

    function _isClosed(bytes32 id) private view {
        for (uint8 step = 0; step <= uint8(type(IRegistrations.Step).max); ++step) {
            vm.assertEq(uint8(_next(id, IRegistrations.Step(step))), 0);
        }
        vm.assertTrue(Procedures.isOver(registrations.caseOf(id).state), "over");
    }

    function _notParty(bytes32 id, uint256 key) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegistrations.RegistrationsNotParty.selector, id, _at(key));
    }

    function _ownMatter(bytes32 id, uint256 key) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegistrations.RegistrationsOwnMatter.selector, id, _at(key));
    }

    function _noStep(bytes32 id, uint8 step) private view returns (bytes memory) {
        uint8 state = uint8(registrations.caseOf(id).state);
        return abi.encodeWithSelector(IRegistrations.RegistrationsStep.selector, id, state, step);
    }

    function _dates(IRegistrations.Decide memory d) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegistrations.RegistrationsDates.selector, d.dueAt, d.decideBy);
    }

    function _refusesTime(uint64 statedAt) private {
        _refuses(abi.encodeWithSelector(IRegistrations.RegistrationsTime.selector, statedAt, block.timestamp));
    }

    function _refuses(bytes memory reason) private {
        _refusesOf(SUPPLIER, reason);
    }

    function _refusesOf(uint256 key, bytes memory reason) private {
        bytes memory signature = _sign(key, address(registrations), _hash(filed));
        vm.expectRevert(reason);
        registrations.file(filed, signature);
    }

    function _refuses(IRegistrations.Act memory m, uint256 key, bytes memory reason) private {
        bytes memory signature = _sign(key, address(registrations), _hash(m));
        vm.expectRevert(reason);
        registrations.act(m, signature);
    }

    function _refuses(IRegistrations.Decide memory d, bytes memory reason) private {
        _refusesBy(d, REGISTRAR, reason);
    }

    function _refusesBy(IRegistrations.Decide memory d, uint256 key, bytes memory reason) private {
        bytes memory signature = _sign(key, address(registrations), _hash(d));
        vm.expectRevert(reason);
        registrations.decide(d, signature);
    }

    function _refuses(IRights.Confirm memory m, bytes memory reason) private {
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        vm.expectRevert(reason);
        rights.confirm(m, signature);
    }

    /* BOUNDS OF PERIODS */

    function testFuzz_noCorrectionSupplementOrNoticeIsShorterThanItsBound(uint32 bound, uint32 length, uint8 which) public {
        bound = 1 + bound % 200 days;
        length = 1 + length % 400 days;
        _adopted(_bounds(which % 3 == 0 ? bound : 0, which % 3 == 1 ? bound : 0, which % 3 == 2 ? bound : 0, 0));
        IRegistrations.File memory f = _underBounds(_fileOf(_registered("bounded"), IRegistrations.Kind.First));
        _send(f, SUPPLIER);
        IRegistrations.Step step = IRegistrations.Step.RequestCorrection;
        if (which % 3 != 0) {
            _send(_decideOf(f.caseId, IRegistrations.Step.Accept), REGISTRAR);
            step = which % 3 == 1 ? IRegistrations.Step.RequestSupplement : IRegistrations.Step.OpenNotice;
        }
        IRegistrations.Decide memory m = _decideOf(f.caseId, step);
        m.dueAt = m.statedAt + length;
        bytes memory signature = _sign(REGISTRAR, address(registrations), _hash(m));
        if (length < bound) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRegistrations.RegistrationsShort.selector, m.dueAt, m.statedAt + uint64(bound)
                )
            );
        }
        registrations.decide(m, signature);
    }

    function testFuzz_noHearingIsShorterThanItsBound(uint32 bound, uint32 length) public {
        bound = 1 + bound % 200 days;
        length = 1 + length % 400 days;
        IRegistrations.File memory f = _fileOf(_confirmed("heard"), IRegistrations.Kind.Revocation);
        _adopted(_bounds(0, 0, bound, 0));
        f.rulebookDigest = "new";
        f.dueAt = f.statedAt + length;
        f.decideBy = f.dueAt + 1;
        bytes memory signature = _sign(REGISTRAR, address(registrations), _hash(f));
        if (length < bound) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRegistrations.RegistrationsShort.selector, f.dueAt, f.statedAt + uint64(bound)
                )
            );
        }
        registrations.file(f, signature);
    }

    function testFuzz_noRenewalIsAskedForBeforeItsBound(uint32 lead, uint32 wait) public {
        bytes32 assetId = _confirmed("renewed");
        uint64 until = rights.asset(assetId).validUntil;
        lead = 1 + lead % 400 days;
        vm.warp(START + 1 + wait % 364 days);
        _adopted(_bounds(0, 0, 0, lead));
        IRegistrations.File memory f = _underBounds(_fileOf(assetId, IRegistrations.Kind.Renewal));
        bytes memory signature = _sign(SUPPLIER, address(registrations), _hash(f));
        if (f.statedAt + lead < until) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRegistrations.RegistrationsEarly.selector, f.caseId, until - lead, f.statedAt
                )
            );
        }
        registrations.file(f, signature);
    }

    function test_aRulebookHasBoundsAndKeepsThem() public {
        bytes32 bounds = _bounds(1, 2, 3, 4);
        _refusesBounds(_adoptOf(0, bounds, TERM_BOUNDS));
        _refusesBounds(_adoptOf(bounds, 0, TERM_BOUNDS));
        _refusesBounds(_adoptOf(bounds, bounds, 0));
        _adopted(bounds);
        _send(IRegistrations.Adopt(RULEBOOK, bounds, bounds, bounds, "new", _at(EXCHANGE), _deadline()), EXCHANGE);
        bytes32 lower = _bounds(1, 1, 3, 4);
        _refusesBounds(_adoptOf(lower, bounds, TERM_BOUNDS));
        _refusesBounds(_adoptOf(bounds, lower, TERM_BOUNDS));
        _refusesBounds(_adoptOf(bounds, bounds, lower));
        _adopted(bounds);
    }

    function testFuzz_noEntryStandsLongerThanItsBound(uint32 most, uint64 length) public {
        most = 1 + most % (10 * 365 days);
        length = 1 + length % (20 * 365 days);
        IRegistrations.File memory f = _fileOf(_registered("standing"), IRegistrations.Kind.First);
        _send(_termOf(bytes32(uint256(most)), RULEBOOK), EXCHANGE);
        f = _underBounds(f);
        _send(f, SUPPLIER);
        _send(_decideOf(f.caseId, IRegistrations.Step.Accept), REGISTRAR);
        _send(_decideOf(f.caseId, IRegistrations.Step.OpenNotice), REGISTRAR);
        vm.warp(registrations.caseOf(f.caseId).dueAt + 1);
        IRegistrations.Decide memory m = _decideOf(f.caseId, IRegistrations.Step.Deposit);
        m.dueAt = m.statedAt + length;
        bytes memory signature = _sign(REGISTRAR, address(registrations), _hash(m));
        if (length > most) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRegistrations.RegistrationsTerm.selector, m.dueAt, m.statedAt + uint64(most)
                )
            );
        }
        registrations.decide(m, signature);
    }

    function _termOf(bytes32 term, bytes32 previous) private view returns (IRegistrations.Adopt memory) {
        bytes32 bounds = _bounds(1, 1, 1, 1);
        return IRegistrations.Adopt("new", bounds, bounds, term, previous, _at(EXCHANGE), _deadline());
    }

    function _adoptOf(bytes32 entry, bytes32 beside, bytes32 term) private view returns (IRegistrations.Adopt memory) {
        return IRegistrations.Adopt("new", entry, beside, term, RULEBOOK, _at(EXCHANGE), _deadline());
    }

    function _refusesBounds(IRegistrations.Adopt memory m) private {
        bytes memory signature = _sign(EXCHANGE, address(registrations), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IRegistrations.RegistrationsBounds.selector, m.entryBounds, m.besideBounds, m.termBounds)
        );
        registrations.adopt(m, signature);
    }

    /// @dev The same lanes for both procedures of a word.
    function _bounds(uint32 correction, uint32 supplement, uint32 notice, uint32 renewal) private pure returns (bytes32) {
        uint256 half = correction | uint256(supplement) << 32 | uint256(notice) << 64 | uint256(renewal) << 96;
        return bytes32(half | half << 128);
    }

    /// @dev From now on cases follow a rulebook with these bounds.
    function _adopted(bytes32 bounds) private {
        _send(_adoptOf(bounds, bounds, TERM_BOUNDS), EXCHANGE);
    }

    function _underBounds(IRegistrations.File memory m) private pure returns (IRegistrations.File memory) {
        m.rulebookDigest = "new";
        return m;
    }

    function _refusesAdoption(bytes32 chosen, bytes32 previous, bytes32 got) private {
        IRegistrations.Adopt memory m = IRegistrations.Adopt(chosen, "entry", "beside", "term", previous, _at(EXCHANGE), _deadline());
        bytes memory signature = _sign(EXCHANGE, address(registrations), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IRegistrations.RegistrationsRulebook.selector, RULEBOOK, got));
        registrations.adopt(m, signature);
    }
}
