// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";
import {IKeys} from "./IKeys.sol";

/// @title Who takes part, and as what
/// @notice A participant asks to join; a registrar admits, suspends and reinstates. Only digests of identities stand here.
interface IParticipants is IIntentBatch {
    /// @notice None, CorrectionRequested, Rejected, Exited -> Submitted by {requestAdmission}; None, Submitted, UnderReview, Active ->
    /// Active by {admit}; Active -> Exiting by {resign}; by {setStatus} Submitted -> UnderReview -> CorrectionRequested or
    /// Rejected, Active <-> Suspended, Exiting -> Exited after the notice, and Active, Suspended, Exiting -> Expelled for good.
    enum Status {
        None,
        Active,
        Suspended,
        Submitted,
        UnderReview,
        CorrectionRequested,
        Rejected,
        Exiting,
        Exited,
        Expelled
    }

    /// @param roles bits, see {Roles}. @param version grows by one with every change; 0 before the first.
    /// @param exitAt when the notice of an exit ends, unix seconds; 0 while nobody leaves.
    struct Participant {
        uint32 roles;
        Status status;
        uint64 version;
        uint64 exitAt;
    }

    /// @notice Signed by `account`: "I ask for these roles; this is the digest of my identity document."
    struct Join {
        address account;
        uint32 roles;
        bytes32 identityDigest;
        uint64 deadline;
    }

    /// @notice Signed by `registrar`: "I have checked that document." Repeats the Join; `version` is the participant's present one.
    struct Admit {
        address account;
        uint32 roles;
        bytes32 identityDigest;
        uint64 version;
        address registrar;
        uint64 deadline;
    }

    /// @notice Signed by `account`: "I leave."
    struct Leave {
        address account;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `decider`, a registrar or a regulator; `status` is the one after.
    struct SetStatus {
        address account;
        uint8 status;
        bytes32 reasonDigest;
        uint64 version;
        address decider;
        uint64 deadline;
    }

    event Admitted(
        address indexed account, uint32 roles, bytes32 identityDigest, address indexed registrar, uint64 version
    );
    /// @notice The application stands on the ledger, for review.
    event Applied(address indexed account, uint32 roles, bytes32 identityDigest, uint64 version);
    /// @notice The participant does no new business; from `exitAt` on its exit can be completed.
    event Leaving(address indexed account, uint64 exitAt, uint64 version);
    event StatusChanged(
        address indexed account, uint8 status, bytes32 reasonDigest, address indexed decider, uint64 version
    );

    /// @notice `account` is not an active participant that has all of `roles`.
    error ParticipantsNotActive(address account, uint32 roles);
    /// @notice `roles` holds a bit without meaning.
    error ParticipantsRolesUnknown(uint32 roles);
    /// @notice The registrar admits something else than `account` asked for.
    error ParticipantsMismatch(address account);
    /// @notice Nobody acts in their own matter.
    error ParticipantsOwnMatter(address account);
    /// @notice The participant's `current` status does not allow the change to `asked`.
    error ParticipantsStatus(address account, uint8 current, uint8 asked);

    /// @notice This very application was made before.
    error ParticipantsJoinUsed(address account);
    /// @notice The notice of the exit runs until `exitAt`.
    error ParticipantsExitNotDue(address account, uint64 exitAt);

    /// @notice Puts an application on the ledger, for review. Without a review {admit} suffices.
    function requestAdmission(Join calldata join, bytes calldata joinSignature) external;

    /// @notice Announces a participant's exit.
    function resign(Leave calldata leaving, bytes calldata signature) external;

    /// @notice Admits a participant, or gives an active one other roles or another identity digest.
    function admit(
        Join calldata join,
        bytes calldata joinSignature,
        Admit calldata admission,
        bytes calldata registrarSignature
    ) external;

    /// @notice Whatever a registrar or a regulator decides about an application or a participant, but for the admission.
    function setStatus(SetStatus calldata change, bytes calldata deciderSignature) external;

    /// @notice The contract that knows what signs for an account.
    function KEYS() external view returns (IKeys);

    /// @notice What stands on record for `account`; all zero for a stranger.
    function participant(address account) external view returns (Participant memory);

    /// @notice Reverts with {ParticipantsNotActive} unless `account` is active and has all of `roles` (0: any).
    function requireActive(address account, uint32 roles) external view;
}
