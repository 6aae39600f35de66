// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acts} from "./Acts.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {Procedures} from "./Procedures.sol";
import {Roles} from "./Roles.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {IRegistrations} from "./interfaces/IRegistrations.sol";
import {IRights} from "./interfaces/IRights.sol";

/// @title Registrations
contract Registrations is IRegistrations, ParticipantIntents {
    bytes32 private constant FILE_TYPEHASH = keccak256(
        "File(bytes32 caseId,bytes32 assetId,uint8 kind,uint8 procedure,address applicant,address counterparty,bytes32 formDigest,bytes32 nonPublicationDigest,bytes32 depositDigest,bytes32 rulebookDigest,uint64 statedAt,uint64 dueAt,uint64 decideBy,uint64 deadline)"
    );
    bytes32 private constant ACT_TYPEHASH = keccak256(
        "Act(bytes32 caseId,uint8 step,bytes32 evidenceDigest,uint64 statedAt,uint64 dueAt,uint64 decideBy,address actor,uint64 version,uint64 deadline)"
    );
    bytes32 private constant DECIDE_TYPEHASH = keccak256(
        "Decide(bytes32 caseId,uint8 step,bytes32 evidenceDigest,uint64 statedAt,uint64 dueAt,uint64 decideBy,address actor,uint64 version,uint64 deadline)"
    );
    bytes32 private constant ADOPT_TYPEHASH = keccak256(
        "Adopt(bytes32 rulebookDigest,bytes32 entryBounds,bytes32 besideBounds,bytes32 termBounds,bytes32 previousDigest,address exchange,uint64 deadline)"
    );

    /// @dev How far behind the ledger's time a stated time may be: long enough to be relayed, too short to hide a late act.
    uint256 private constant MAX_LAG = 1 hours;
    uint256 private constant CODE_LENGTH = 15;
    /// @dev No period of any rulebook is longer; it keeps whoever recomputes dates within a calendar.
    uint64 private constant MAX_AHEAD = 20 * 365 days;

    uint256 private constant CORRECTION = 0;
    uint256 private constant SUPPLEMENT = 32;
    uint256 private constant NOTICE = 64;
    uint256 private constant RENEWAL = 96;

    uint256 private constant TERM = 0;
    uint256 private constant TERM_PUBLIC_DATA = 32;

    IRights public immutable RIGHTS;

    bytes32 private _rulebook;
    mapping(bytes32 rulebookDigest => Bounds) private _bounds;
    mapping(bytes32 caseId => Case) private _cases;
    mapping(bytes32 caseId => mapping(address account => bool)) private _objected;
    mapping(bytes32 assetId => Record) private _records;
    mapping(bytes32 code => bytes32 caseId) private _codes;

    /// @param rulebookDigest the rulebook that the exchange was founded with.
    /// @param entryBounds its bounds, as in {Adopt}.
    constructor(
        IParticipants participants,
        IRights rights,
        bytes32 rulebookDigest,
        bytes32 entryBounds,
        bytes32 besideBounds,
        bytes32 termBounds_
    ) ParticipantIntents(participants) {
        RIGHTS = rights;
        _rulebook = rulebookDigest;
        _bounds[rulebookDigest] = Bounds(entryBounds, besideBounds, termBounds_);
        emit RulebookAdopted(rulebookDigest, entryBounds, besideBounds, termBounds_, bytes32(0), address(0));
    }

    /* FILE */

    /// @inheritdoc IRegistrations
    function file(File calldata filing, bytes calldata applicantSignature) external override {
        bytes32 structHash = keccak256(abi.encode(FILE_TYPEHASH, filing));
        _requireSigned(filing.applicant, Acts.TITLES, structHash, applicantSignature);
        _requireInTime(filing.deadline);
        _requireTime(filing.statedAt, 0);
        bytes32 expected = keccak256(abi.encode(filing.assetId, filing.applicant, filing.formDigest, filing.statedAt));
        if (filing.caseId != expected) revert RegistrationsIdMismatch(expected, filing.caseId);
        Case storage record = _cases[filing.caseId];
        if (record.state != State.None) revert RegistrationsExists(filing.caseId);
        if (!Procedures.has(filing.procedure, filing.kind)) revert RegistrationsKind(filing.kind, filing.procedure);
        if (filing.rulebookDigest != _rulebook) revert RegistrationsRulebook(_rulebook, filing.rulebookDigest);
        _requireFilingDates(filing);
        _requireParties(filing);
        bool beside = Procedures.runsBeside(filing.procedure);
        if (!beside) _requireNoOpenCase(filing.assetId);

        _keep(record, filing);
        if (!beside) _records[filing.assetId].latestCase = filing.caseId;
        if (Kind(filing.kind) == Kind.LateObjection) RIGHTS.noteParty(filing.assetId, filing.applicant);

        emit Filed(filing);
    }

    /* ACT */

    /// @inheritdoc IRegistrations
    function act(Act calldata act_, bytes calldata actorSignature) external override {
        bytes32 structHash = keccak256(abi.encode(ACT_TYPEHASH, act_));
        _requireSigned(act_.actor, Acts.TITLES, structHash, actorSignature);
        _step(act_, false);
    }

    /* DECIDE */

    /// @inheritdoc IRegistrations
    function decide(Decide calldata decision, bytes calldata registrarSignature) external override {
        bytes32 structHash = keccak256(abi.encode(DECIDE_TYPEHASH, decision));
        _requireSigned(decision.actor, Acts.REGISTRY, structHash, registrarSignature);
        // The two intents differ in their names alone.
        Act calldata act_;
        assembly ("memory-safe") {
            act_ := decision
        }
        _step(act_, true);
    }

    function _step(Act memory act_, bool decides) private {
        _requireInTime(act_.deadline);
        Case storage record = _cases[act_.caseId];
        State next = _requireStep(act_.caseId, record, act_.step);
        _requireVersion(record.version, act_.version);
        _requireTime(act_.statedAt, record.statedAt);
        _requireActor(record, act_, decides);
        _requirePeriod(act_.caseId, record, Step(act_.step), act_.statedAt);
        _requireDates(record, act_);
        _requireOnce(record, act_);

        State before = record.state;
        uint32 version = _take(record, act_, next);

        emit Acted(
            act_.caseId,
            record.assetId,
            act_.step,
            uint8(next),
            act_.actor,
            act_.evidenceDigest,
            act_.statedAt,
            act_.dueAt,
            act_.decideBy,
            version
        );
        _countDispute(record.assetId, act_.caseId, before, next);
        if (next == State.Ended) _end(record, act_);
    }

    /* EXPIRE */

    /// @inheritdoc IRegistrations
    function expire(bytes32 caseId) external override {
        Case storage record = _cases[caseId];
        Step step = record.state == State.CorrectionRequested ? Step.DeemNotFiled : Step.AcceptBySilence;
        State next = Procedures.next(record.procedure, record.state, step);
        if (next == State.None) revert RegistrationsStep(caseId, uint8(record.state), uint8(step));
        uint64 time = uint64(block.timestamp);
        if (time <= record.dueAt) revert RegistrationsEarly(caseId, record.dueAt, time);

        record.state = next;
        record.version += 1;

        emit Expired(caseId, record.assetId, uint8(step), uint8(next), record.version);
    }

    /* ADOPT */

    /// @inheritdoc IRegistrations
    function adopt(Adopt calldata adoption, bytes calldata exchangeSignature) external override {
        bytes32 structHash = keccak256(abi.encode(ADOPT_TYPEHASH, adoption));
        _requireSigned(adoption.exchange, Acts.ADMINISTER, structHash, exchangeSignature);
        _requireInTime(adoption.deadline);
        if (adoption.previousDigest != _rulebook) revert RegistrationsRulebook(_rulebook, adoption.previousDigest);
        if (adoption.rulebookDigest == _rulebook || adoption.rulebookDigest == 0) {
            revert RegistrationsRulebook(_rulebook, adoption.rulebookDigest);
        }
        _requireActive(adoption.exchange, Roles.EXCHANGE);
        Bounds storage known = _bounds[adoption.rulebookDigest];
        bool differs = known.entry != 0
            && (known.entry != adoption.entryBounds || known.beside != adoption.besideBounds
                || known.term != adoption.termBounds);
        if (differs || adoption.entryBounds == 0 || adoption.besideBounds == 0 || adoption.termBounds == 0) {
            revert RegistrationsBounds(adoption.entryBounds, adoption.besideBounds, adoption.termBounds);
        }

        _rulebook = adoption.rulebookDigest;
        _bounds[adoption.rulebookDigest] = Bounds(adoption.entryBounds, adoption.besideBounds, adoption.termBounds);

        emit RulebookAdopted(
            adoption.rulebookDigest,
            adoption.entryBounds,
            adoption.besideBounds,
            adoption.termBounds,
            adoption.previousDigest,
            adoption.exchange
        );
    }

    /* FOR RIGHTS */

    /// @inheritdoc IRegistrations
    function certify(
        bytes32 assetId,
        bytes32 certificateDigest,
        bytes32 code,
        uint64 validUntil,
        address registrar
    ) external override {
        if (msg.sender != address(RIGHTS)) revert RegistrationsOnlyRights(msg.sender);
        Record storage record = _records[assetId];
        bytes32 caseId = record.latestCase;
        Case storage case_ = _cases[caseId];
        _requireStep(caseId, case_, uint8(Step.Certify));
        if (registrar == case_.counterparty) revert RegistrationsOwnMatter(caseId, registrar);
        if (validUntil > case_.dueAt) revert RegistrationsTerm(validUntil, case_.dueAt);
        _requireCode(code);

        case_.state = State.Certified;
        case_.version += 1;
        record.holder = case_.kind == Kind.Transfer ? case_.counterparty : case_.applicant;
        record.validUntil = validUntil;
        record.certificateDigest = certificateDigest;
        record.code = code;
        _codes[code] = caseId;

        emit Certified(
            caseId, assetId, code, certificateDigest, record.holder, validUntil, registrar, case_.version
        );
        _settleDisputes(assetId, caseId, case_.kind, record);
    }

    /* VIEWS */

    /// @inheritdoc IRegistrations
    function caseOf(bytes32 caseId) external view override returns (Case memory) {
        return _cases[caseId];
    }

    /// @inheritdoc IRegistrations
    function recordOf(bytes32 assetId) external view override returns (Record memory) {
        return _records[assetId];
    }

    /// @inheritdoc IRegistrations
    function requireNotPassing(bytes32 assetId, address account) external view override {
        bytes32 caseId = _records[assetId].latestCase;
        Case storage latest = _cases[caseId];
        bool passes = latest.kind == Kind.Transfer && latest.applicant == account && !Procedures.isOver(latest.state);
        if (passes) revert RegistrationsPassing(assetId, caseId);
    }

    /// @inheritdoc IRegistrations
    function rulebook() external view override returns (bytes32) {
        return _rulebook;
    }

    /// @inheritdoc IRegistrations
    function termBounds() external view override returns (bytes32) {
        return _bounds[_rulebook].term;
    }

    /* EFFECTS */

    function _keep(Case storage record, File calldata filing) private {
        record.applicant = filing.applicant;
        record.kind = Kind(filing.kind);
        record.procedure = Procedure(filing.procedure);
        record.state = Kind(filing.kind) == Kind.Transfer ? State.Draft : State.Submitted;
        record.version = 1;
        if (Kind(filing.kind) == Kind.Transfer) record.passing = RIGHTS.passing(filing.assetId, filing.applicant);
        record.mayWaive = filing.nonPublicationDigest != 0 || Procedures.mayWaive(filing.kind);
        record.counterparty = filing.counterparty;
        record.statedAt = filing.statedAt;
        record.dueAt = filing.dueAt;
        record.decideBy = filing.decideBy;
        record.assetId = filing.assetId;
        record.formDigest = filing.formDigest;
        record.rulebookDigest = filing.rulebookDigest;
    }

    /// @dev An act that opens no period leaves the last one where it is, so that no slot returns to zero.
    function _take(Case storage record, Act memory act_, State next) private returns (uint32 version) {
        Step step = Step(act_.step);
        record.state = next;
        record.statedAt = act_.statedAt;
        record.decideBy = act_.decideBy;
        if (act_.dueAt != 0) record.dueAt = act_.dueAt;
        if (step == Step.Resubmit) record.formDigest = act_.evidenceDigest;
        if (step == Step.Extend) record.extended = true;
        if (step == Step.Deposit) record.depositedAt = act_.statedAt;
        if (step == Step.Object) {
            record.objector = act_.actor;
            _objected[act_.caseId][act_.actor] = true;
            RIGHTS.noteParty(record.assetId, act_.actor);
        }
        version = record.version + 1;
        record.version = version;
    }

    function _countDispute(bytes32 assetId, bytes32 caseId, State before, State next) private {
        Record storage held = _records[assetId];
        bool was = before == State.Disputed;
        if (next == State.Upheld) held.upheld += 1;
        else if (was == (next == State.Disputed)) return;
        if (was && next != State.Upheld) held.disputes -= 1;
        if (!was) held.disputes += 1;
        _emitDisputes(assetId, caseId, held);
    }

    function _emitDisputes(bytes32 assetId, bytes32 caseId, Record storage held) private {
        emit DisputeMarked(assetId, caseId, held.disputes, held.upheld);
    }

    /// @dev An entry that was changed, or passed to another, is not what the objections that were upheld spoke against.
    function _settleDisputes(bytes32 assetId, bytes32 caseId, Kind kind, Record storage held) private {
        if (held.upheld == 0 || kind == Kind.Renewal) return;
        held.disputes -= held.upheld;
        held.upheld = 0;
        _emitDisputes(assetId, caseId, held);
    }

    function _end(Case storage record, Act memory act_) private {
        bool cancels = record.kind == Kind.Cancellation;
        IRights.AssetStatus status = cancels ? IRights.AssetStatus.Cancelled : IRights.AssetStatus.Revoked;
        RIGHTS.end(record.assetId, status, act_.actor, act_.evidenceDigest);
    }

    /* CHECKS */

    function _requireTime(uint64 statedAt, uint64 last) private view {
        if (statedAt > block.timestamp || statedAt + MAX_LAG < block.timestamp || statedAt < last) {
            revert RegistrationsTime(statedAt, block.timestamp);
        }
    }

    function _requireFilingDates(File calldata filing) private view {
        bool ordered = filing.dueAt > filing.statedAt && filing.decideBy > filing.dueAt;
        if (!ordered || filing.decideBy > filing.statedAt + MAX_AHEAD) {
            revert RegistrationsDates(filing.dueAt, filing.decideBy);
        }
        // Until then the holder of what is to be revoked is heard.
        if (Procedure(filing.procedure) == Procedure.Revocation) {
            _requireLength(filing.rulebookDigest, Procedure.Revocation, NOTICE, filing.statedAt, filing.dueAt);
        }
        if ((Procedure(filing.procedure) == Procedure.PublicData) != (filing.depositDigest != 0)) {
            revert RegistrationsDepositProof(filing.depositDigest);
        }
    }

    function _requireParties(File calldata filing) private view {
        Kind kind = Kind(filing.kind);
        if ((kind == Kind.Transfer) != (filing.counterparty != address(0)) || filing.counterparty == filing.applicant) {
            revert RegistrationsCounterparty(filing.counterparty);
        }
        uint32 roles = kind == Kind.Revocation ? Roles.REGISTRAR : 0;
        _requireActive(filing.applicant, roles);
        if (kind == Kind.Transfer) _requireActive(filing.counterparty, 0);
        IRights.Asset memory asset = RIGHTS.asset(filing.assetId);
        bool first = kind == Kind.First;
        bool fits = first
            ? asset.status == IRights.AssetStatus.Registered
            : asset.status == IRights.AssetStatus.Confirmed || asset.status == IRights.AssetStatus.Suspended;
        if (!fits) revert RegistrationsAsset(filing.assetId, uint8(asset.status));
        if (!first && block.timestamp > asset.validUntil) {
            revert RegistrationsLapsed(filing.assetId, asset.validUntil);
        }
        if (kind == Kind.Renewal) _requireRenewable(filing, asset.validUntil);
        if (kind == Kind.Revocation) {
            RIGHTS.requireNoPart(filing.assetId, filing.applicant);
            return;
        }
        address holder = first ? asset.registrant : _records[filing.assetId].holder;
        if (kind == Kind.LateObjection && filing.applicant == holder) {
            revert RegistrationsOwnMatter(filing.caseId, filing.applicant);
        }
        if (kind != Kind.LateObjection && filing.applicant != holder) {
            revert RegistrationsNotParty(filing.caseId, filing.applicant);
        }
        // An entry stays with the procedure that it was made by.
        if (first || kind == Kind.LateObjection) return;
        if (uint8(_cases[_records[filing.assetId].latestCase].procedure) != filing.procedure) {
            revert RegistrationsKind(filing.kind, filing.procedure);
        }
    }

    function _requireActive(address account, uint32 roles) private view {
        PARTICIPANTS.requireActive(account, roles);
    }

    function _requireNoOpenCase(bytes32 assetId) private view {
        bytes32 latest = _records[assetId].latestCase;
        if (latest != 0 && !Procedures.isOver(_cases[latest].state)) revert RegistrationsOpenCase(assetId, latest);
    }

    /// @dev What ends an entry has no deposit, so nothing to certify; what does not end it cannot.
    function _requireStep(bytes32 caseId, Case storage record, uint8 step) private view returns (State next) {
        if (step <= uint8(type(Step).max)) next = Procedures.next(record.procedure, record.state, Step(step));
        bool ends = record.kind == Kind.Cancellation || record.kind == Kind.Revocation;
        bool fits = next != State.None && (ends ? Step(step) != Step.Deposit : Step(step) != Step.End);
        if (!fits) {
            revert RegistrationsStep(caseId, uint8(record.state), step);
        }
    }

    function _requireActor(Case storage record, Act memory act_, bool decides) private view {
        Step step = Step(act_.step);
        // The steps of {expire} are nobody's to sign, and certifying comes through Rights.
        bool unsigned_ = step == Step.AcceptBySilence || step == Step.DeemNotFiled || step == Step.Certify;
        if (unsigned_ || Procedures.isRegistrars(step) != decides) {
            revert RegistrationsNotParty(act_.caseId, act_.actor);
        }
        if (decides) {
            _requireRegistrar(record, act_);
            return;
        }
        _requireActive(act_.actor, 0);
        if (step == Step.Object) {
            if (act_.actor == record.applicant || act_.actor == record.counterparty) {
                revert RegistrationsOwnMatter(act_.caseId, act_.actor);
            }
            if (_objected[act_.caseId][act_.actor]) revert RegistrationsObjected(act_.caseId, act_.actor);
            return;
        }
        address whose = record.applicant;
        if (step == Step.Join) whose = record.counterparty;
        if (step == Step.Reply && Procedures.runsBeside(uint8(record.procedure))) whose = _records[record.assetId].holder;
        if (act_.actor != whose) revert RegistrationsNotParty(act_.caseId, act_.actor);
    }

    /// @dev A revocation is the registrar's own application: it has no part in the asset, but files and decides.
    function _requireRegistrar(Case storage record, Act memory act_) private view {
        bool applies = act_.actor == record.applicant && record.kind != Kind.Revocation;
        if (applies || act_.actor == record.counterparty) revert RegistrationsOwnMatter(act_.caseId, act_.actor);
        RIGHTS.requireNoPart(record.assetId, act_.actor);
        _requireActive(act_.actor, Roles.REGISTRAR);
    }

    function _requirePeriod(bytes32 caseId, Case storage record, Step step, uint64 statedAt) private view {
        if (Procedures.isWithin(record.procedure, step) && statedAt > record.dueAt) {
            revert RegistrationsLate(caseId, record.dueAt, statedAt);
        }
        if (Procedures.isAfter(record.state, step) && statedAt <= record.dueAt) {
            revert RegistrationsEarly(caseId, record.dueAt, statedAt);
        }
        // What has ended cannot be made longer.
        if (step == Step.Extend && statedAt > record.decideBy) {
            revert RegistrationsLate(caseId, record.decideBy, statedAt);
        }
    }

    function _requireDates(Case storage record, Act memory act_) private view {
        bool opens = Procedures.opens(record.procedure, Step(act_.step));
        bool dueFits = opens ? act_.dueAt > act_.statedAt : act_.dueAt == 0;
        bool endFits = Step(act_.step) == Step.Accept ? act_.decideBy > act_.statedAt : act_.decideBy >= record.decideBy;
        uint64 latest = act_.statedAt + MAX_AHEAD;
        if (!dueFits || !endFits || act_.dueAt > latest || act_.decideBy > latest) revert RegistrationsDates(act_.dueAt, act_.decideBy);
        Step step = Step(act_.step);
        bool begins = record.kind == Kind.First || record.kind == Kind.Renewal;
        if (step == Step.Deposit && begins) _requireTerm(record, act_);
        uint256 lane = step == Step.RequestCorrection ? CORRECTION : step == Step.RequestSupplement ? SUPPLEMENT : NOTICE;
        if (lane == NOTICE && step != Step.OpenNotice) return;
        _requireLength(record.rulebookDigest, record.procedure, lane, act_.statedAt, act_.dueAt);
    }

    /// @dev A contract knows no working days: no lawful period is shorter than its rulebook's bound.
    function _requireLength(bytes32 rulebookDigest, Procedure procedure, uint256 lane, uint64 statedAt, uint64 dueAt)
        private
        view
    {
        uint64 earliest = statedAt + _bound(rulebookDigest, procedure, lane);
        if (dueAt < earliest) revert RegistrationsShort(dueAt, earliest);
    }

    /// @dev No entry of this rulebook stands longer after its deposit. What does not begin a term keeps that of the entry, see Rights.
    function _requireTerm(Case storage record, Act memory act_) private view {
        uint256 lane = record.procedure == Procedure.PublicData ? TERM_PUBLIC_DATA : TERM;
        uint64 most = _lane(_bounds[record.rulebookDigest].term, lane);
        if (most != 0 && act_.dueAt > act_.statedAt + most) {
            revert RegistrationsTerm(act_.dueAt, act_.statedAt + most);
        }
    }

    /// @dev No window for renewal opens longer before the end than its rulebook's bound.
    function _requireRenewable(File calldata filing, uint64 validUntil) private view {
        uint64 lead = _bound(filing.rulebookDigest, Procedure(filing.procedure), RENEWAL);
        if (lead != 0 && filing.statedAt + lead < validUntil) {
            revert RegistrationsEarly(filing.caseId, validUntil - lead, filing.statedAt);
        }
    }

    function _bound(bytes32 rulebookDigest, Procedure procedure, uint256 lane) private view returns (uint64) {
        Bounds storage bounds = _bounds[rulebookDigest];
        bytes32 word = Procedures.runsBeside(uint8(procedure)) ? bounds.beside : bounds.entry;
        return _lane(word, uint8(procedure) % 2 == 0 ? 128 + lane : lane);
    }

    function _lane(bytes32 word, uint256 lane) private pure returns (uint64) {
        return uint32(uint256(word) >> lane);
    }

    function _requireOnce(Case storage record, Act memory act_) private view {
        Step step = Step(act_.step);
        if (step == Step.Extend && record.extended) revert RegistrationsExtended(act_.caseId);
        if (step == Step.WaiveNotice && !record.mayWaive) revert RegistrationsNoWaiver(act_.caseId);
    }

    function _requireCode(bytes32 code) private view {
        bool fits = code[0] == "S" && code[1] == "J" && bytes4(code << 88) != "0000";
        for (uint256 i = 2; i < 32; ++i) {
            fits = fits && (i < CODE_LENGTH ? code[i] >= "0" && code[i] <= "9" : code[i] == 0);
        }
        if (!fits) revert RegistrationsCode(code);
        if (_codes[code] != 0) revert RegistrationsCodeUsed(code);
    }
}
