// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Signed intents, relayed alone or in batches
/// @notice Every verb of the market carries its participants' EIP-712 signatures. Who relays a call has no authority, so calls
/// of different participants may share a transaction.
interface IIntentBatch {
    /// @notice Call `index` of a batch was refused and changed nothing; the calls around it stand.
    /// @param reason the revert data of the call: a custom error of this market, or empty where gas ran out.
    event Refused(uint256 indexed index, bytes reason);

    /// @notice No live key of `signer` made this signature over this intent, for this contract on this chain.
    error IntentBatchSignatureInvalid(address signer);
    /// @notice The intent's `deadline` (unix seconds) lies before the block's time.
    error IntentBatchExpired(uint64 deadline, uint256 time);
    /// @notice The intent states another version than the thing has now: it was replayed, or something came between.
    error IntentBatchStale(uint64 current, uint64 stated);
    /// @notice `key` signs for `account`, but not this `act` (a bit of {Acts}).
    error IntentBatchActNotPermitted(address account, address key, uint32 act);
    /// @notice `key` may sign for at most `limit` fen.
    error IntentBatchOverLimit(address key, uint256 amount, uint256 limit);
    /// @notice A batch may not hold a batch.
    error IntentBatchNested();

    /// @notice Runs each call against this contract. A refused call emits {Refused} and leaves the others intact.
    /// @dev Each call gets an equal share of the gas that is left, so that no participant's wallet can starve the others.
    /// @param calls calldata of this contract's verbs.
    function submit(bytes[] calldata calls) external;
}
