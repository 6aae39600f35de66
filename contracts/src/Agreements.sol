// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acts} from "./Acts.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {IAgreements} from "./interfaces/IAgreements.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";

/// @title Agreements
contract Agreements is IAgreements, ParticipantIntents {
    bytes32 private constant AGREE_TYPEHASH = keccak256(
        "Agree(bytes32 agreementId,address partyA,address partyB,bytes32 agreementDigest,uint64 validUntil,uint64 deadline)"
    );
    bytes32 private constant AMEND_TYPEHASH = keccak256(
        "AmendAgreement(bytes32 previousId,bytes32 agreementId,address partyA,address partyB,bytes32 agreementDigest,uint64 validUntil,uint64 deadline)"
    );
    bytes32 private constant RETIRE_TYPEHASH =
        keccak256("RetireAgreement(bytes32 agreementId,address partyA,address partyB,uint64 deadline)");

    /// @dev So that readers can count the seconds in a signed 64-bit integer.
    uint64 private constant LAST_MOMENT = type(uint40).max;

    mapping(bytes32 agreementId => Agreement) private _agreements;

    constructor(IParticipants participants) ParticipantIntents(participants) {}

    /* AGREE */

    /// @inheritdoc IAgreements
    function agree(Agree calldata agreement_, bytes calldata signatureA, bytes calldata signatureB) external override {
        bytes32 structHash = keccak256(abi.encode(AGREE_TYPEHASH, agreement_));
        _requireBoth(agreement_.partyA, agreement_.partyB, structHash, signatureA, signatureB);
        _requireInTime(agreement_.deadline);
        _requireNew(agreement_.agreementId, agreement_.partyA, agreement_.partyB, agreement_.agreementDigest);
        _requireAble(agreement_.partyA, agreement_.partyB, agreement_.validUntil);

        _agreements[agreement_.agreementId] =
            Agreement(agreement_.partyA, agreement_.validUntil, 1, agreement_.partyB, Status.Signed);

        emit Agreed(
            agreement_.agreementId,
            agreement_.partyA,
            agreement_.partyB,
            agreement_.agreementDigest,
            agreement_.validUntil
        );
    }

    /* AMEND */

    /// @inheritdoc IAgreements
    function amend(AmendAgreement calldata change, bytes calldata signatureA, bytes calldata signatureB)
        external
        override
    {
        bytes32 structHash = keccak256(abi.encode(AMEND_TYPEHASH, change));
        _requireBoth(change.partyA, change.partyB, structHash, signatureA, signatureB);
        _requireInTime(change.deadline);
        _requireNew(change.agreementId, change.partyA, change.partyB, change.agreementDigest);
        Agreement storage previous = _agreements[change.previousId];
        _requireSides(change.previousId, previous, change.partyA, change.partyB);
        _requireAble(change.partyA, change.partyB, change.validUntil);

        uint32 version = previous.version + 1;
        previous.status = Status.Amended;
        _agreements[change.agreementId] =
            Agreement(change.partyA, change.validUntil, version, change.partyB, Status.Signed);

        emit AgreementAmended(
            change.previousId,
            change.agreementId,
            change.partyA,
            change.partyB,
            change.agreementDigest,
            change.validUntil,
            version
        );
    }

    /* RETIRE */

    /// @inheritdoc IAgreements
    function retire(RetireAgreement calldata end, bytes calldata signatureA, bytes calldata signatureB)
        external
        override
    {
        bytes32 structHash = keccak256(abi.encode(RETIRE_TYPEHASH, end));
        _requireBoth(end.partyA, end.partyB, structHash, signatureA, signatureB);
        _requireInTime(end.deadline);
        Agreement storage record = _agreements[end.agreementId];
        _requireSides(end.agreementId, record, end.partyA, end.partyB);

        record.status = Status.Retired;

        emit AgreementRetired(end.agreementId);
    }

    /* VIEWS */

    /// @inheritdoc IAgreements
    function agreement(bytes32 agreementId) external view override returns (Agreement memory) {
        return _agreements[agreementId];
    }

    /// @inheritdoc IAgreements
    function requireInForce(bytes32 agreementId, address one, address other) external view override {
        Agreement storage record = _agreements[agreementId];
        _requireInForce(agreementId, record);
        if (one != record.partyA && one != record.partyB) revert AgreementsNotParty(agreementId, one);
        if (other == one || (other != record.partyA && other != record.partyB)) {
            revert AgreementsNotParty(agreementId, other);
        }
    }

    /* CHECKS */

    function _requireBoth(
        address partyA,
        address partyB,
        bytes32 structHash,
        bytes calldata signatureA,
        bytes calldata signatureB
    ) private view {
        _requireSigned(partyA, Acts.AGREEMENTS, structHash, signatureA);
        _requireSigned(partyB, Acts.AGREEMENTS, structHash, signatureB);
    }

    function _requireNew(bytes32 agreementId, address partyA, address partyB, bytes32 digest) private view {
        bytes32 expected = keccak256(abi.encode(partyA, partyB, digest));
        if (expected != agreementId) revert AgreementsIdMismatch(expected, agreementId);
        if (_agreements[expected].status != Status.None) revert AgreementsExists(expected);
    }

    function _requireAble(address partyA, address partyB, uint64 validUntil) private view {
        if (partyA == partyB) revert AgreementsOneParty(partyA);
        PARTICIPANTS.requireActive(partyA, 0);
        PARTICIPANTS.requireActive(partyB, 0);
        if (validUntil <= block.timestamp) revert AgreementsTerm(validUntil, block.timestamp);
        if (validUntil > LAST_MOMENT) revert AgreementsTerm(validUntil, LAST_MOMENT);
    }

    function _requireSides(bytes32 agreementId, Agreement storage record, address partyA, address partyB) private view {
        _requireInForce(agreementId, record);
        if (record.partyA != partyA) revert AgreementsNotParty(agreementId, partyA);
        if (record.partyB != partyB) revert AgreementsNotParty(agreementId, partyB);
    }

    function _requireInForce(bytes32 agreementId, Agreement storage record) private view {
        if (record.status != Status.Signed) revert AgreementsNotInForce(agreementId, uint8(record.status));
        if (block.timestamp > record.validUntil) revert AgreementsExpired(agreementId, record.validUntil);
    }
}
