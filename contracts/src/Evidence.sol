// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acts} from "./Acts.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {Roles} from "./Roles.sol";
import {IEvidence} from "./interfaces/IEvidence.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";

/// @title Evidence
contract Evidence is IEvidence, ParticipantIntents {
    bytes32 private constant ANCHOR_TYPEHASH =
        keccak256("Anchor(uint48 size,bytes32 root,bytes32 previousRoot,address exchange,uint64 deadline)");

    uint48 private _size;
    bytes32 private _root;

    constructor(IParticipants participants) ParticipantIntents(participants) {}

    /* ANCHOR */

    /// @inheritdoc IEvidence
    function anchor(Anchor calldata anchor_, bytes calldata exchangeSignature) external override {
        bytes32 structHash = keccak256(abi.encode(ANCHOR_TYPEHASH, anchor_));
        _requireSigned(anchor_.exchange, Acts.EVIDENCE, structHash, exchangeSignature);
        _requireInTime(anchor_.deadline);
        PARTICIPANTS.requireActive(anchor_.exchange, Roles.EXCHANGE);
        if (anchor_.size <= _size) revert EvidenceSize(_size, anchor_.size);
        if (anchor_.previousRoot != _root) revert EvidencePreviousRoot(_root, anchor_.previousRoot);
        if (anchor_.root == 0) revert EvidenceRootZero();

        _size = anchor_.size;
        _root = anchor_.root;

        emit Anchored(anchor_.size, anchor_.root, anchor_.previousRoot);
    }

    /* VIEWS */

    /// @inheritdoc IEvidence
    function latest() external view override returns (uint48 size, bytes32 root) {
        return (_size, _root);
    }
}
