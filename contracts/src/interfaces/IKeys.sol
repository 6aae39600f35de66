// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";

/// @title What signs for an account
/// @notice An account's address is its identity for good: titles, money and identifiers hang on it. What signs for it are its keys,
/// and they change. An account that never changed a thing has one key: its own address.
/// @dev What a key may do never changes; to give a person other powers, give it another key. So every key has one span of time, and
/// an address that was once a key is never a key again, of any account.
interface IKeys is IIntentBatch {
    /// @param acts bits, see {Acts}; 0: no key. @param limit most that it may sign for, in fen; 2^53 - 1: no limit.
    /// @param validFrom unix seconds, included. @param validUntil unix seconds, excluded; 2^53 - 1: no end.
    struct Key {
        uint32 acts;
        uint64 limit;
        uint64 validFrom;
        uint64 validUntil;
    }

    /// @notice None -> Proposed -> Notice -> Completed; Proposed and Notice -> Vetoed.
    enum RecoveryStatus {
        None,
        Proposed,
        Notice,
        Completed,
        Vetoed
    }

    /// @param approvals guardians who signed. @param threshold how many are needed. @param delay seconds of notice that follow.
    /// @param readyAt when the notice ends, unix seconds; 0 before it begins. @param guardianSet the set that approves.
    struct Recovery {
        address account;
        RecoveryStatus status;
        uint8 approvals;
        uint8 threshold;
        uint32 guardianSet;
        address newKey;
        uint64 delay;
        uint64 readyAt;
    }

    /// @param number grows by one with every change; 0: never named. @param delay seconds of notice after the last approval.
    struct Guardians {
        uint32 number;
        uint8 count;
        uint8 threshold;
        uint64 delay;
    }

    /// @notice Signed by `by`, a key of `account` that may administer, and by `key` itself. `personDigest` stands for the document
    /// that says who holds the key. `version` is that of the account's keys.
    struct AddKey {
        address account;
        address key;
        uint32 acts;
        uint64 limit;
        uint64 validUntil;
        bytes32 personDigest;
        address by;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `by`, another key of `account` that may administer, and at least all that `key` may.
    struct EndKey {
        address account;
        address key;
        bytes32 reasonDigest;
        address by;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `oldKey`, a live key of `account`, and by `newKey`, which may do the same from now on.
    struct RotateKey {
        address account;
        address oldKey;
        address newKey;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `by`, a key of `account` that may do everything without a limit, as what guardians recover may. Replaces
    /// earlier guardians; none and 0 withdraws them.
    struct SetGuardians {
        address account;
        address[] guardians;
        uint8 threshold;
        uint64 delay;
        address by;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `by`, a guardian of `account` or a registrar, and by `newKey`.
    struct Recover {
        address account;
        address newKey;
        bytes32 reasonDigest;
        address by;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `by`, a key of `account` that may administer.
    struct Veto {
        bytes32 recoveryId;
        address account;
        address by;
        uint64 deadline;
    }

    event KeyAdded(
        address indexed account,
        address indexed key,
        uint32 acts,
        uint64 limit,
        uint64 validFrom,
        uint64 validUntil,
        bytes32 personDigest,
        address by,
        uint64 version
    );
    event KeyEnded(address indexed account, address indexed key, bytes32 reasonDigest, address by, uint64 version);
    event KeyRotated(address indexed account, address indexed oldKey, address indexed newKey, uint64 version);
    event GuardiansSet(
        address indexed account, address[] guardians, uint8 threshold, uint64 delay, address by, uint64 version
    );
    /// @notice `by` wants `newKey` to be the one key of `account`. `readyAt` is 0 while approvals are missing.
    event RecoveryApproved(
        bytes32 indexed recoveryId,
        address indexed account,
        address newKey,
        address indexed by,
        bytes32 reasonDigest,
        uint8 approvals,
        uint8 threshold,
        uint64 readyAt
    );
    event RecoveryVetoed(bytes32 indexed recoveryId, address indexed account, address by, uint64 version);
    /// @notice From now on `newKey` alone signs for `account`.
    event Recovered(bytes32 indexed recoveryId, address indexed account, address indexed newKey, uint64 version);

    /// @notice `account` is not on the register.
    error KeysUnknown(address account);
    /// @notice `by` is no live key of `account`, or may not administer it.
    error KeysNotAdministrator(address account, address by);
    /// @notice `key` is an account, or is or was a key.
    error KeysTaken(address key);
    /// @notice The acts are empty or hold a bit without meaning, or are wider than those of the key that gives or ends
    /// them, or do not suffice to name guardians.
    error KeysActs(uint32 acts);
    /// @notice The end lies in the past or beyond 2^53 - 1, or an administrator would have one.
    error KeysTerm(uint64 validUntil);
    /// @notice The limit is higher than that of the key that gives or ends it, or one that names guardians has a limit.
    error KeysLimit(uint64 limit);
    /// @notice `key` is no live key of `account`.
    error KeysNotLive(address account, address key);
    /// @notice Nobody ends the key that it signs with: rotate it, or let another administrator end it.
    error KeysOwnKey(address key);
    /// @notice More than eight guardians, one twice, the account itself, or a threshold that they cannot reach or need not.
    error KeysGuardians(address account);
    /// @notice The notice must be between a day and thirty days.
    error KeysDelay(uint64 delay);
    /// @notice `by` is neither a guardian of `account` nor a registrar.
    error KeysNotGuardian(address account, address by);
    /// @notice Nobody recovers its own account for others to approve.
    error KeysOwnMatter(address account);
    /// @notice Another recovery of `account` is on notice, or `by` has approved this one already.
    error KeysRecoveryOpen(address account, address by);
    /// @notice The recovery has another status.
    error KeysRecoveryStatus(bytes32 recoveryId, uint8 current);
    /// @notice The notice runs until `readyAt`.
    error KeysRecoveryNotReady(bytes32 recoveryId, uint64 readyAt);

    /// @notice Gives `account` another key.
    function addKey(AddKey calldata addition, bytes calldata bySignature, bytes calldata keySignature) external;

    /// @notice Ends a key.
    function endKey(EndKey calldata ending, bytes calldata bySignature) external;

    /// @notice Replaces a key by another with the same powers.
    function rotateKey(RotateKey calldata rotation, bytes calldata oldSignature, bytes calldata newSignature) external;

    /// @notice Names who may recover `account`.
    function setGuardians(SetGuardians calldata naming, bytes calldata bySignature) external;

    /// @notice Asks for a recovery, or approves it. The notice begins with the last approval that is needed, or at once if a
    /// registrar signs.
    function recover(Recover calldata recovery_, bytes calldata bySignature, bytes calldata newKeySignature) external;

    /// @notice Stops a recovery.
    function veto(Veto calldata objection, bytes calldata bySignature) external;

    /// @notice Ends every key of the account but the new one. Anybody may call it once the notice is over.
    function completeRecovery(bytes32 recoveryId) external;

    /// @notice What `key` may sign for `account`; `validUntil` says when it ended, if it ended.
    function keyOf(address account, address key) external view returns (Key memory);

    /// @notice Version of the account's keys: 0 until the first change.
    function keysVersion(address account) external view returns (uint64);

    /// @notice The account that `key` is or was a key of, or zero. An account's own address is not told here.
    function accountOf(address key) external view returns (address);

    /// @notice Reverts with {KeysTaken} if `account` is or was a key.
    function requireNoKey(address account) external view;

    /// @notice The account's guardians as named last.
    function guardians(address account) external view returns (Guardians memory);

    /// @notice A recovery; all zero for none.
    function recovery(bytes32 recoveryId) external view returns (Recovery memory);
}
