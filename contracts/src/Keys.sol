// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acts} from "./Acts.sol";
import {IntentBatch} from "./IntentBatch.sol";
import {Roles} from "./Roles.sol";
import {IKeys} from "./interfaces/IKeys.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";

/// @title Keys
/// @dev Keys and Participants know each other: who is on the register is asked there, what signs for it here.
contract Keys is IKeys, IntentBatch {
    /// @dev One slot. A recovery opens another generation, and so ends every key of the one before.
    struct Ring {
        uint64 version;
        uint32 generation;
    }

    /// @dev One slot.
    struct Held {
        uint32 acts;
        uint64 limit;
        uint64 validFrom;
        uint64 validUntil;
        uint32 generation;
    }

    bytes32 private constant ADD_KEY_TYPEHASH = keccak256(
        "AddKey(address account,address key,uint32 acts,uint64 limit,uint64 validUntil,bytes32 personDigest,address by,uint64 version,uint64 deadline)"
    );
    bytes32 private constant END_KEY_TYPEHASH = keccak256(
        "EndKey(address account,address key,bytes32 reasonDigest,address by,uint64 version,uint64 deadline)"
    );
    bytes32 private constant ROTATE_KEY_TYPEHASH =
        keccak256("RotateKey(address account,address oldKey,address newKey,uint64 version,uint64 deadline)");
    bytes32 private constant SET_GUARDIANS_TYPEHASH = keccak256(
        "SetGuardians(address account,address[] guardians,uint8 threshold,uint64 delay,address by,uint64 version,uint64 deadline)"
    );
    bytes32 private constant RECOVER_TYPEHASH = keccak256(
        "Recover(address account,address newKey,bytes32 reasonDigest,address by,uint64 version,uint64 deadline)"
    );
    bytes32 private constant VETO_TYPEHASH =
        keccak256("Veto(bytes32 recoveryId,address account,address by,uint64 deadline)");

    /// @dev No limit, no end: exact in every JSON reader, and more money than there can be.
    uint64 internal constant WHOLE = 2 ** 53 - 1;
    uint256 private constant MAX_GUARDIANS = 8;
    uint64 private constant MIN_DELAY = 1 days;
    uint64 private constant MAX_DELAY = 30 days;
    uint64 private constant REGISTRAR_DELAY = 14 days;

    IParticipants public immutable PARTICIPANTS;

    mapping(address account => Ring) private _rings;
    /// @dev When a generation's keys ended. Each is kept: what a key signed may count for days after its end, and an account may be
    /// recovered twice meanwhile.
    mapping(address account => mapping(uint32 generation => uint64 at)) private _ended;
    mapping(address account => mapping(address key => Held)) private _held;
    mapping(address key => address account) private _accountOf;
    mapping(address account => Guardians) private _guardians;
    mapping(bytes32 setOfGuardians => mapping(address guardian => bool)) private _guards;
    mapping(bytes32 recoveryId => Recovery) private _recoveries;
    mapping(bytes32 recoveryId => mapping(address guardian => bool)) private _approved;
    /// @dev The recovery that was put on notice last.
    mapping(address account => bytes32 recoveryId) private _onNotice;

    constructor(IParticipants participants) {
        PARTICIPANTS = participants;
    }

    /* ADD, END, ROTATE */

    /// @inheritdoc IKeys
    function addKey(AddKey calldata addition, bytes calldata bySignature, bytes calldata keySignature) external override {
        _requireSignedAddition(addition, bySignature, keySignature);
        _requireInTime(addition.deadline);
        Key memory giver = _requireAdministrator(addition.account, addition.by);
        Ring storage ring = _rings[addition.account];
        _requireVersion(ring.version, addition.version);
        if (addition.acts == 0 || addition.acts & ~giver.acts != 0) revert KeysActs(addition.acts);
        if (addition.limit > giver.limit) revert KeysLimit(addition.limit);
        _requireTerm(addition.acts, addition.validUntil);
        _requireFree(addition.key, addition.account);

        ring.version = addition.version + 1;
        Key memory given = Key(addition.acts, addition.limit, uint64(block.timestamp), addition.validUntil);
        _give(addition.account, addition.key, given);

        _emitAdded(addition);
    }

    /// @inheritdoc IKeys
    function endKey(EndKey calldata ending, bytes calldata bySignature) external override {
        _requireSignedBy(ending.by, keccak256(abi.encode(END_KEY_TYPEHASH, ending)), bySignature);
        _requireInTime(ending.deadline);
        Key memory ender = _requireAdministrator(ending.account, ending.by);
        _requireVersion(_rings[ending.account].version, ending.version);
        if (ending.key == ending.by) revert KeysOwnKey(ending.key);
        Key memory ended = _requireLiveKey(ending.account, ending.key);
        if (ended.acts & ~ender.acts != 0) revert KeysActs(ended.acts);
        if (ended.limit > ender.limit) revert KeysLimit(ended.limit);

        uint64 version = ending.version + 1;
        _rings[ending.account].version = version;
        _end(ending.account, ending.key, ended);

        emit KeyEnded(ending.account, ending.key, ending.reasonDigest, ending.by, version);
    }

    /// @inheritdoc IKeys
    function rotateKey(RotateKey calldata rotation, bytes calldata oldSignature, bytes calldata newSignature)
        external
        override
    {
        bytes32 structHash = keccak256(abi.encode(ROTATE_KEY_TYPEHASH, rotation));
        _requireSignedBy(rotation.oldKey, structHash, oldSignature);
        _requireSignedBy(rotation.newKey, structHash, newSignature);
        _requireInTime(rotation.deadline);
        _requireStanding(rotation.account);
        Key memory old = _requireLiveKey(rotation.account, rotation.oldKey);
        _requireVersion(_rings[rotation.account].version, rotation.version);
        _requireFree(rotation.newKey, rotation.account);

        uint64 version = rotation.version + 1;
        _rings[rotation.account].version = version;
        _end(rotation.account, rotation.oldKey, old);
        old.validFrom = uint64(block.timestamp);
        _give(rotation.account, rotation.newKey, old);

        emit KeyRotated(rotation.account, rotation.oldKey, rotation.newKey, version);
    }

    /* RECOVERY */

    /// @inheritdoc IKeys
    function setGuardians(SetGuardians calldata naming, bytes calldata bySignature) external override {
        _requireSignedBy(naming.by, _hash(naming), bySignature);
        _requireInTime(naming.deadline);
        Key memory namer = _requireAdministrator(naming.account, naming.by);
        _requireVersion(_rings[naming.account].version, naming.version);
        // What guardians recover is a key to everything, so that is what it takes to name them.
        if (namer.acts != Acts.ALL) revert KeysActs(namer.acts);
        if (namer.limit != WHOLE) revert KeysLimit(namer.limit);
        uint256 count = naming.guardians.length;
        bool reachable = naming.threshold <= count && (naming.threshold == 0) == (count == 0);
        if (count > MAX_GUARDIANS || !reachable) revert KeysGuardians(naming.account);
        if (naming.delay < MIN_DELAY || naming.delay > MAX_DELAY) revert KeysDelay(naming.delay);
        _nameGuardians(naming);

        uint64 version = naming.version + 1;
        _rings[naming.account].version = version;

        emit GuardiansSet(
            naming.account, naming.guardians, naming.threshold, naming.delay, naming.by, version
        );
    }

    /// @inheritdoc IKeys
    function recover(Recover calldata recovery_, bytes calldata bySignature, bytes calldata newKeySignature)
        external
        override
    {
        bytes32 structHash = keccak256(abi.encode(RECOVER_TYPEHASH, recovery_));
        _requireSigned(recovery_.by, Acts.RECOVERY, structHash, bySignature);
        _requireSignedBy(recovery_.newKey, structHash, newKeySignature);
        _requireInTime(recovery_.deadline);
        if (recovery_.by == recovery_.account) revert KeysOwnMatter(recovery_.account);
        _requireStanding(recovery_.account);
        _requireVersion(_rings[recovery_.account].version, recovery_.version);
        _requireFree(recovery_.newKey, recovery_.account);
        _approve(recovery_);
    }

    /// @inheritdoc IKeys
    function veto(Veto calldata objection, bytes calldata bySignature) external override {
        _requireSignedBy(objection.by, keccak256(abi.encode(VETO_TYPEHASH, objection)), bySignature);
        _requireInTime(objection.deadline);
        _requireAdministrator(objection.account, objection.by);
        Recovery storage record = _recoveries[objection.recoveryId];
        if (record.account != objection.account) revert KeysNotAdministrator(record.account, objection.by);
        if (record.status != RecoveryStatus.Proposed && record.status != RecoveryStatus.Notice) {
            revert KeysRecoveryStatus(objection.recoveryId, uint8(record.status));
        }

        record.status = RecoveryStatus.Vetoed;
        uint64 version = ++_rings[objection.account].version;

        emit RecoveryVetoed(objection.recoveryId, objection.account, objection.by, version);
    }

    /// @inheritdoc IKeys
    function completeRecovery(bytes32 recoveryId) external override {
        Recovery storage record = _recoveries[recoveryId];
        if (record.status != RecoveryStatus.Notice) revert KeysRecoveryStatus(recoveryId, uint8(record.status));
        if (block.timestamp < record.readyAt) revert KeysRecoveryNotReady(recoveryId, record.readyAt);
        address account = record.account;
        _requireFree(record.newKey, account);

        record.status = RecoveryStatus.Completed;
        Ring storage ring = _rings[account];
        uint64 version = ++ring.version;
        _ended[account][ring.generation] = uint64(block.timestamp);
        ++ring.generation;
        _give(account, record.newKey, Key(Acts.ALL, WHOLE, uint64(block.timestamp), WHOLE));

        emit Recovered(recoveryId, account, record.newKey, version);
    }

    /* VIEWS */

    /// @inheritdoc IKeys
    function keyOf(address account, address key) external view override returns (Key memory) {
        return _keyOf(account, key);
    }

    /// @inheritdoc IKeys
    function keysVersion(address account) external view override returns (uint64) {
        return _rings[account].version;
    }

    /// @inheritdoc IKeys
    function accountOf(address key) external view override returns (address) {
        return _accountOf[key];
    }

    /// @inheritdoc IKeys
    function guardians(address account) external view override returns (Guardians memory) {
        return _guardians[account];
    }

    /// @inheritdoc IKeys
    function recovery(bytes32 recoveryId) external view override returns (Recovery memory) {
        return _recoveries[recoveryId];
    }

    /// @inheritdoc IKeys
    function requireNoKey(address account) external view override {
        if (_accountOf[account] != address(0)) revert KeysTaken(account);
    }

    /* WHAT SIGNS FOR AN ACCOUNT */

    function _keyOf(address account, address key) internal view override returns (Key memory) {
        Ring storage ring = _rings[account];
        if (ring.version == 0) return key == account ? Key(Acts.ALL, WHOLE, 0, WHOLE) : Key(0, 0, 0, 0);
        Held memory held = _held[account][key];
        if (held.acts == 0) {
            if (key != account) return Key(0, 0, 0, 0);
            held = Held(Acts.ALL, WHOLE, 0, WHOLE, 0);
        }
        uint64 until = held.validUntil;
        if (held.generation != ring.generation) {
            uint64 ended = _ended[account][held.generation];
            if (ended < until) until = ended;
        }
        return Key(held.acts, held.limit, held.validFrom, until);
    }

    /* CHECKS AND EFFECTS */

    function _requireAdministrator(address account, address by) private view returns (Key memory key) {
        _requireStanding(account);
        key = _keyOf(account, by);
        if (!_isLive(key, 0) || key.acts & Acts.ADMINISTER == 0) revert KeysNotAdministrator(account, by);
    }

    function _requireLiveKey(address account, address key) private view returns (Key memory record) {
        record = _keyOf(account, key);
        if (!_isLive(record, 0)) revert KeysNotLive(account, key);
    }

    /// @dev An administrator has no end, so that an account is never without one.
    function _requireTerm(uint32 acts, uint64 validUntil) private view {
        bool bounded = validUntil > block.timestamp && validUntil <= WHOLE;
        if (!bounded || (acts & Acts.ADMINISTER != 0 && validUntil != WHOLE)) revert KeysTerm(validUntil);
    }

    function _requireStanding(address account) private view {
        if (!_isRegistered(account)) revert KeysUnknown(account);
    }

    function _isRegistered(address account) private view returns (bool) {
        return PARTICIPANTS.participant(account).version != 0;
    }

    function _isActive(address account, uint32 roles) private view returns (bool) {
        IParticipants.Participant memory record = PARTICIPANTS.participant(account);
        return record.status == IParticipants.Status.Active && record.roles & roles == roles;
    }

    function _requireFree(address key, address account) private view {
        if (!_isFree(key, account)) revert KeysTaken(key);
    }

    /// @dev What is not free never is again.
    function _isFree(address key, address account) private view returns (bool) {
        return key != account && _accountOf[key] == address(0) && !_isRegistered(key);
    }

    function _requireSignedAddition(AddKey calldata addition, bytes calldata one, bytes calldata two) private view {
        bytes32 structHash = keccak256(abi.encode(ADD_KEY_TYPEHASH, addition));
        _requireSignedBy(addition.by, structHash, one);
        _requireSignedBy(addition.key, structHash, two);
    }

    function _give(address account, address key, Key memory given) private {
        _accountOf[key] = account;
        _hold(account, key, given);
    }

    /// @dev An account's own address becomes a written key only here, when it ends.
    function _end(address account, address key, Key memory record) private {
        uint64 until = record.validUntil;
        record.validUntil = uint64(block.timestamp);
        _hold(account, key, record);
        record.validUntil = until;
    }

    function _hold(address account, address key, Key memory record) private {
        _held[account][key] =
            Held(record.acts, record.limit, record.validFrom, record.validUntil, _rings[account].generation);
    }

    function _emitAdded(AddKey calldata addition) private {
        emit KeyAdded(
            addition.account,
            addition.key,
            addition.acts,
            addition.limit,
            uint64(block.timestamp),
            addition.validUntil,
            addition.personDigest,
            addition.by,
            addition.version + 1
        );
    }

    function _nameGuardians(SetGuardians calldata naming) private {
        Guardians storage record = _guardians[naming.account];
        uint32 number = record.number + 1;
        mapping(address => bool) storage guards = _guards[_setId(naming.account, number)];
        for (uint256 i = 0; i < naming.guardians.length; ++i) {
            address guardian = naming.guardians[i];
            bool fit = guardian != naming.account && !guards[guardian] && _isActive(guardian, 0);
            if (!fit) revert KeysGuardians(naming.account);
            guards[guardian] = true;
        }
        _guardians[naming.account] = Guardians(number, uint8(naming.guardians.length), naming.threshold, naming.delay);
    }

    function _approve(Recover calldata recovery_) private {
        bytes32 id = keccak256(abi.encode(recovery_.account, recovery_.newKey, recovery_.version));
        Recovery memory record = _recoveries[id];
        if (record.status == RecoveryStatus.None) record = _proposed(recovery_);
        if (record.status != RecoveryStatus.Proposed) revert KeysRecoveryStatus(id, uint8(record.status));
        if (_isOpen(recovery_.account) || _approved[id][recovery_.by]) revert KeysRecoveryOpen(recovery_.account, recovery_.by);
        _count(id, record, recovery_.by);
        _recoveries[id] = record;

        emit RecoveryApproved(
            id,
            recovery_.account,
            recovery_.newKey,
            recovery_.by,
            recovery_.reasonDigest,
            record.approvals,
            record.threshold,
            record.readyAt
        );
    }

    /// @dev A recovery whose key was taken meanwhile can never be completed, and must not keep the next one out.
    function _isOpen(address account) private view returns (bool) {
        Recovery storage record = _recoveries[_onNotice[account]];
        return record.status == RecoveryStatus.Notice && _isFree(record.newKey, account);
    }

    function _proposed(Recover calldata recovery_) private view returns (Recovery memory) {
        Guardians storage named = _guardians[recovery_.account];
        return Recovery(
            recovery_.account,
            RecoveryStatus.Proposed,
            0,
            named.threshold,
            named.number,
            recovery_.newKey,
            named.delay,
            0
        );
    }

    /// @dev A guardian counts as one, also where it is a registrar; a registrar who is none stands for all of them, with a notice of
    /// its own.
    function _count(bytes32 id, Recovery memory record, address by) private {
        bool guards = _guards[_setId(record.account, record.guardianSet)][by];
        bool suffices;
        if (guards) {
            if (!_isActive(by, 0)) revert KeysNotGuardian(record.account, by);
            _approved[id][by] = true;
            suffices = ++record.approvals >= record.threshold;
        } else {
            if (!_isActive(by, Roles.REGISTRAR)) revert KeysNotGuardian(record.account, by);
            record.delay = REGISTRAR_DELAY;
            suffices = true;
        }
        if (suffices) {
            record.status = RecoveryStatus.Notice;
            record.readyAt = uint64(block.timestamp) + record.delay;
            _onNotice[record.account] = id;
        }
    }

    function _setId(address account, uint32 number) private pure returns (bytes32) {
        return keccak256(abi.encode(account, number));
    }

    function _hash(SetGuardians calldata naming) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                SET_GUARDIANS_TYPEHASH,
                naming.account,
                keccak256(abi.encodePacked(naming.guardians)),
                naming.threshold,
                naming.delay,
                naming.by,
                naming.version,
                naming.deadline
            )
        );
    }
}
