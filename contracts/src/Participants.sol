// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acts} from "./Acts.sol";
import {IntentBatch} from "./IntentBatch.sol";
import {Roles} from "./Roles.sol";
import {IKeys} from "./interfaces/IKeys.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";

/// @title Participants
contract Participants is IParticipants, IntentBatch {
    bytes32 private constant JOIN_TYPEHASH =
        keccak256("Join(address account,uint32 roles,bytes32 identityDigest,uint64 deadline)");
    bytes32 private constant ADMIT_TYPEHASH = keccak256(
        "Admit(address account,uint32 roles,bytes32 identityDigest,uint64 version,address registrar,uint64 deadline)"
    );
    bytes32 private constant SET_STATUS_TYPEHASH = keccak256(
        "SetStatus(address account,uint8 status,bytes32 reasonDigest,uint64 version,address registrar,uint64 deadline)"
    );

    IKeys public immutable override KEYS;

    mapping(address account => Participant) private _participants;

    /// @param registrar the first registrar; every other participant is admitted by a registrar.
    /// @param keys made later: its address is known in advance.
    constructor(address registrar, IKeys keys) {
        KEYS = keys;
        _participants[registrar] = Participant(Roles.REGISTRAR, Status.Active, 1);
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
        if (join.roles == 0 || join.roles > Roles.ALL) revert ParticipantsRolesUnknown(join.roles);
        KEYS.requireNoKey(join.account);
        _requireRegistrar(admission.registrar, join.account);
        Participant storage record = _participants[join.account];
        _requireVersion(record.version, admission.version);
        if (record.status == Status.Suspended) {
            revert ParticipantsStatus(join.account, uint8(record.status), uint8(Status.Active));
        }

        uint64 version = admission.version + 1;
        _participants[join.account] = Participant(join.roles, Status.Active, version);

        emit Admitted(join.account, join.roles, join.identityDigest, admission.registrar, version);
    }

    /* SUSPEND AND REINSTATE */

    /// @inheritdoc IParticipants
    function setStatus(SetStatus calldata change, bytes calldata registrarSignature) external override {
        bytes32 structHash = keccak256(abi.encode(SET_STATUS_TYPEHASH, change));
        _requireSigned(change.registrar, Acts.REGISTRY, structHash, registrarSignature);
        _requireInTime(change.deadline);
        _requireRegistrar(change.registrar, change.account);
        Participant storage record = _participants[change.account];
        _requireVersion(record.version, change.version);
        _requireChange(change.account, uint8(record.status), change.status);

        record.status = Status(change.status);
        uint64 version = change.version + 1;
        record.version = version;

        emit StatusChanged(change.account, change.status, change.reasonDigest, change.registrar, version);
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

    function _requireActive(address account, uint32 roles) private view {
        Participant storage record = _participants[account];
        if (record.status != Status.Active || record.roles & roles != roles) {
            revert ParticipantsNotActive(account, roles);
        }
    }

    function _requireRegistrar(address registrar, address account) private view {
        if (registrar == account) revert ParticipantsOwnMatter(account);
        _requireActive(registrar, Roles.REGISTRAR);
    }

    function _requireSame(Join calldata join, Admit calldata admission) private pure {
        bool same = join.account == admission.account && join.roles == admission.roles
            && join.identityDigest == admission.identityDigest;
        if (!same) revert ParticipantsMismatch(join.account);
    }

    function _requireChange(address account, uint8 current, uint8 asked) private pure {
        bool known = asked == uint8(Status.Active) || asked == uint8(Status.Suspended);
        if (!known || current == asked || current == uint8(Status.None)) {
            revert ParticipantsStatus(account, current, asked);
        }
    }
}
