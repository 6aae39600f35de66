// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";

/// @title Agreements between two parties
/// @notice Two parties sign one document (a model form filled in), whose digest stands here. They amend or retire it together or not at
/// all. Terms stay between them; an order may name the agreement under which it is made.
interface IAgreements is IIntentBatch {
    /// @notice None -> Signed by {agree} -> Amended by {amend}, or Retired by {retire}. A signed one is in force until its end.
    enum Status {
        None,
        Signed,
        Amended,
        Retired
    }

    struct Agreement {
        address partyA;
        uint64 validUntil;
        uint32 version;
        address partyB;
        Status status;
    }

    /// @notice Signed by `partyA` and `partyB`. agreementId = keccak256(abi.encode(partyA, partyB, agreementDigest)).
    struct Agree {
        bytes32 agreementId;
        address partyA;
        address partyB;
        bytes32 agreementDigest;
        uint64 validUntil;
        uint64 deadline;
    }

    /// @notice Signed by `partyA` and `partyB` of the agreement `previousId`, which `agreementId` takes the place of.
    struct AmendAgreement {
        bytes32 previousId;
        bytes32 agreementId;
        address partyA;
        address partyB;
        bytes32 agreementDigest;
        uint64 validUntil;
        uint64 deadline;
    }

    /// @notice Signed by `partyA` and `partyB`.
    struct RetireAgreement {
        bytes32 agreementId;
        address partyA;
        address partyB;
        uint64 deadline;
    }

    event Agreed(
        bytes32 indexed agreementId,
        address indexed partyA,
        address indexed partyB,
        bytes32 agreementDigest,
        uint64 validUntil
    );
    event AgreementAmended(
        bytes32 indexed previousId,
        bytes32 indexed agreementId,
        address partyA,
        address partyB,
        bytes32 agreementDigest,
        uint64 validUntil,
        uint32 version
    );
    event AgreementRetired(bytes32 indexed agreementId);

    /// @notice The id is not the one that follows from the intent's own fields.
    error AgreementsIdMismatch(bytes32 expected, bytes32 got);
    /// @notice These two parties signed this document before.
    error AgreementsExists(bytes32 agreementId);
    /// @notice Nobody agrees with itself.
    error AgreementsOneParty(address account);
    /// @notice The agreement must end after now, and in 40 bits of seconds.
    error AgreementsTerm(uint64 validUntil, uint256 time);
    /// @notice The agreement is not in force: it is unknown (0), amended (2) or retired (3).
    error AgreementsNotInForce(bytes32 agreementId, uint8 current);
    /// @notice The agreement's term is over.
    error AgreementsExpired(bytes32 agreementId, uint64 validUntil);
    /// @notice `account` is not a party to the agreement, or not on that side.
    error AgreementsNotParty(bytes32 agreementId, address account);

    /// @notice Enters an agreement that both parties signed.
    function agree(Agree calldata agreement_, bytes calldata signatureA, bytes calldata signatureB) external;

    /// @notice Puts a new version in the place of an agreement in force; orders that are funded run on under the old one.
    function amend(AmendAgreement calldata change, bytes calldata signatureA, bytes calldata signatureB) external;

    /// @notice Ends an agreement in force; orders that are funded run on.
    function retire(RetireAgreement calldata end, bytes calldata signatureA, bytes calldata signatureB) external;

    /// @notice What stands on record for an agreement; all zero for an unknown one.
    function agreement(bytes32 agreementId) external view returns (Agreement memory);

    /// @notice Reverts unless the agreement is in force now between these two, whichever side each is on.
    function requireInForce(bytes32 agreementId, address one, address other) external view;
}
