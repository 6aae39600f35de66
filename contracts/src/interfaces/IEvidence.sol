// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";

/// @title Anchors of the event log
/// @notice The exchange pins the root of its append-only log, so that history cannot be rewritten behind an anchor.
interface IEvidence is IIntentBatch {
    /// @notice Signed by `exchange`. `previousRoot` is the last anchored root (zero at first); `size` is the log's number of leaves: below 2^48, so every store keeps it.
    struct Anchor {
        uint48 size;
        bytes32 root;
        bytes32 previousRoot;
        address exchange;
        uint64 deadline;
    }

    event Anchored(uint48 indexed size, bytes32 root, bytes32 previousRoot);

    /// @notice The log must have grown since the last anchor.
    error EvidenceSize(uint48 last, uint48 got);
    /// @notice The anchor does not continue from the last one.
    error EvidencePreviousRoot(bytes32 expected, bytes32 got);
    /// @notice No log has a root of zero.
    error EvidenceRootZero();

    /// @notice Anchors a root.
    function anchor(Anchor calldata anchor_, bytes calldata exchangeSignature) external;

    /// @notice The last anchor; zero, zero before the first.
    function latest() external view returns (uint48 size, bytes32 root);
}
