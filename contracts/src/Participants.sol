// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acts} from "./Acts.sol";
import {IntentBatch} from "./IntentBatch.sol";
import {Roles} from "./Roles.sol";
import {IKeys} from "./interfaces/IKeys.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {IRegistrations} from "./interfaces/IRegistrations.sol";

/// @title Participants
contract Participants is IParticipants, IntentBatch {
    bytes32 private constant JOIN_TYPEHASH =
        keccak256("Join(address account,uint32 roles,bytes32 identityDigest,uint64 deadline)");
    bytes32 private constant ADMIT_TYPEHASH = keccak256(
        "Admit(address account,uint32 roles,bytes32 identityDigest,uint64 version,address registrar,uint64 deadline)"
    );
    bytes32 private constant SET_STATUS_TYPEHASH = keccak256(
        "SetStatus(address account,uint8 status,bytes32 reasonDigest,uint64 version,address decider,uint64 deadline)"
    );

    bytes32 private constant LEAVE_TYPEHASH = keccak256("Leave(address account,uint64 version,uint64 deadline)");

    IKeys public immutable override KEYS;
    IRegistrations public immutable REGISTRATIONS;

    mapping(address account => Participant) private _participants;
    mapping(bytes32 join => bool) private _joins;

    /// @param registrar the first registrar; every other participant is admitted by a registrar.
    /// @param keys made later, as `registrations` is: their addresses are known in advance.
    /// @param registrations knows the rulebook, and so what notice a leaving participant gives.
    constructor(address registrar, IKeys keys, IRegistrations registrations) {
        KEYS = keys;
        REGISTRATIONS = registrations;
        _participants[registrar] = Participant(Roles.REGISTRAR, Status.Active, 1, 0);
        emit Admitted(registrar, Roles.REGISTRAR, bytes32(0), registrar, 1);
    }

    /* ADMIT */

    /// @inheritdoc IParticipants
    function admit(
        Join calldata join,
        bytes calldata joinSignature,
        Admit calldata admission,
        bytes calldata registrarSignature
    ) external override {
        _requireSigned(join.account, Acts.ADMINISTER, keccak256(abi.encode(JOIN_TYPEHASH, join)), joinSignature);
        bytes32 admitHash = keccak256(abi.encode(ADMIT_TYPEHASH, admission));
        _requireSigned(admission.registrar, Acts.REGISTRY, admitHash, registrarSignature);
        _requireInTime(join.deadline);
        _requireInTime(admission.deadline);
        _requireSame(join, admission);
        if (join.roles > Roles.ALL) revert ParticipantsRolesUnknown(join.roles);
        KEYS.requireNoKey(join.account);
        _requireRegistrar(admission.registrar, join.account);
        Participant storage record = _participants[join.account];
        _requireVersion(record.version, admission.version);
        _requireAdmissible(join.account, record.status);

        uint64 version = admission.version + 1;
        _participants[join.account] = Participant(join.roles, Status.Active, version, 0);

        emit Admitted(join.account, join.roles, join.identityDigest, admission.registrar, version);
    }

    /* APPLY */

    /// @inheritdoc IParticipants
    function requestAdmission(Join calldata join, bytes calldata joinSignature) external override {
        bytes32 structHash = keccak256(abi.encode(JOIN_TYPEHASH, join));
        _requireSigned(join.account, Acts.ADMINISTER, structHash, joinSignature);
        _requireInTime(join.deadline);
        if (join.roles > Roles.ALL) revert ParticipantsRolesUnknown(join.roles);
        KEYS.requireNoKey(join.account);
        if (_joins[structHash]) revert ParticipantsJoinUsed(join.account);
        Participant storage record = _participants[join.account];
        Status status = record.status;
        bool open = status == Status.None || status == Status.CorrectionRequested || status == Status.Rejected
            || status == Status.Exited;
        if (!open) revert ParticipantsStatus(join.account, uint8(status), uint8(Status.Submitted));

        _joins[structHash] = true;
        record.status = Status.Submitted;
        record.version += 1;

        emit Applied(join.account, join.roles, join.identityDigest, record.version);
    }

    /* LEAVE */

    /// @inheritdoc IParticipants
    function resign(Leave calldata leaving, bytes calldata signature) external override {
        _requireSigned(
            leaving.account, Acts.ADMINISTER, keccak256(abi.encode(LEAVE_TYPEHASH, leaving)), signature
        );
        _requireInTime(leaving.deadline);
        _requireActive(leaving.account, 0);
        Participant storage record = _participants[leaving.account];
        _requireVersion(record.version, leaving.version);

        record.status = Status.Exiting;
        record.exitAt = uint64(block.timestamp) + _notice(record.roles);
        record.version = leaving.version + 1;

        emit Leaving(leaving.account, record.exitAt, record.version);
    }

    /* DECIDE */

    /// @inheritdoc IParticipants
    function setStatus(SetStatus calldata change, bytes calldata deciderSignature) external override {
        bytes32 structHash = keccak256(abi.encode(SET_STATUS_TYPEHASH, change));
        _requireSigned(change.decider, Acts.REGISTRY, structHash, deciderSignature);
        _requireInTime(change.deadline);
        _requireDecider(change.decider, change.account);
        Participant storage record = _participants[change.account];
        _requireVersion(record.version, change.version);
        _requireChange(change.account, record.status, change.status);
        if (change.status == uint8(Status.Exited) && block.timestamp < record.exitAt) {
            revert ParticipantsExitNotDue(change.account, record.exitAt);
        }

        record.status = Status(change.status);
        uint64 version = change.version + 1;
        record.version = version;

        emit StatusChanged(change.account, change.status, change.reasonDigest, change.decider, version);
    }

    /* VIEWS */

    /// @inheritdoc IParticipants
    function participant(address account) external view override returns (Participant memory) {
        return _participants[account];
    }

    /// @inheritdoc IParticipants
    function requireActive(address account, uint32 roles) external view override {
        _requireActive(account, roles);
    }

    /* CHECKS */

    function _keyOf(address account, address key) internal view override returns (IKeys.Key memory) {
        return KEYS.keyOf(account, key);
    }

    function _isActive(address account, uint32 roles) private view returns (bool) {
        Participant storage record = _participants[account];
        return record.status == Status.Active && record.roles & roles == roles;
    }

    function _requireActive(address account, uint32 roles) private view {
        if (!_isActive(account, roles)) revert ParticipantsNotActive(account, roles);
    }

    function _requireRegistrar(address registrar, address account) private view {
        if (registrar == account) revert ParticipantsOwnMatter(account);
        _requireActive(registrar, Roles.REGISTRAR);
    }

    function _requireDecider(address decider, address account) private view {
        if (decider == account) revert ParticipantsOwnMatter(account);
        if (!_isActive(decider, Roles.REGULATOR)) _requireActive(decider, Roles.REGISTRAR);
    }

    /// @dev The longest notice of the rulebook in force that the roles ask for, in seconds; see {IRegistrations.Bounds}.
    function _notice(uint32 roles) private view returns (uint64) {
        uint256 term = uint256(REGISTRATIONS.termBounds());
        uint64 registrar = roles & Roles.REGISTRAR != 0 ? uint32(term >> 64) : 0;
        uint64 exchange = roles & Roles.EXCHANGE != 0 ? uint32(term >> 96) : 0;
        return registrar > exchange ? registrar : exchange;
    }

    function _requireSame(Join calldata join, Admit calldata admission) private pure {
        bool same = join.account == admission.account && join.roles == admission.roles
            && join.identityDigest == admission.identityDigest;
        if (!same) revert ParticipantsMismatch(join.account);
    }

    function _requireAdmissible(address account, Status status) private pure {
        bool admissible = status == Status.None || status == Status.Submitted || status == Status.UnderReview
            || status == Status.Active;
        if (!admissible) revert ParticipantsStatus(account, uint8(status), uint8(Status.Active));
    }

    function _requireChange(address account, Status current, uint8 asked) private pure {
        if (asked > uint8(Status.Expelled) || !_isChange(current, Status(asked))) {
            revert ParticipantsStatus(account, uint8(current), asked);
        }
    }

    function _isChange(Status current, Status asked) private pure returns (bool) {
        if (current == Status.Submitted) return asked == Status.UnderReview;
        if (current == Status.UnderReview) return asked == Status.CorrectionRequested || asked == Status.Rejected;
        if (current == Status.Active) return asked == Status.Suspended || asked == Status.Expelled;
        if (current == Status.Suspended) return asked == Status.Active || asked == Status.Expelled;
        if (current == Status.Exiting) return asked == Status.Exited || asked == Status.Expelled;
        return false;
    }
}
