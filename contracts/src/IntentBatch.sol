// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IIntentBatch} from "./interfaces/IIntentBatch.sol";
import {IKeys} from "./interfaces/IKeys.sol";

/// @title IntentBatch
/// @notice Base of every contract of the market: the signing domain, the checks common to all intents, and batches.
abstract contract IntentBatch is IIntentBatch, EIP712("Marketplace", "1") {
    /// @dev 2^53 - 1: more money than there can be, and exact in every JSON reader.
    uint64 private constant NO_LIMIT = 2 ** 53 - 1;

    /// @inheritdoc IIntentBatch
    function submit(bytes[] calldata calls) external override {
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool accepted, bytes memory reason) = _run(calls[i], gasleft() / (calls.length - i));
            if (!accepted) emit Refused(i, reason);
        }
    }

    /// @dev No verb asks who `msg.sender` is, so a delegatecall to oneself lends nobody another's authority. Wallet contracts are
    /// only ever reached by staticcall, so the selector is the one way into a nested batch.
    function _run(bytes calldata call_, uint256 gas_) private returns (bool, bytes memory) {
        if (call_.length >= 4 && bytes4(call_) == IIntentBatch.submit.selector) {
            return (false, abi.encodeWithSelector(IntentBatchNested.selector));
        }
        return address(this).delegatecall{gas: gas_}(call_);
    }

    /// @dev A live key of `account` that may do `act` signed this. See {_requireSignedFor}.
    function _requireSigned(address account, uint32 act, bytes32 structHash, bytes calldata signature) internal view {
        _requireSignedFor(account, act, 0, 0, structHash, signature);
    }

    /// @dev As {_requireSigned}, for `amount` fen, by a key that is live or ended less than `grace` seconds ago. The account is who
    /// acts; what signs for it is one of its keys. A key's signature is tried first: that way the code of an ordinary key's address
    /// is never asked for, which keeps empty accounts out of the state and makes state roots equal on every EVM. A contract wallet
    /// is asked by ERC-1271.
    function _requireSignedFor(
        address account,
        uint32 act,
        uint256 amount,
        uint64 grace,
        bytes32 structHash,
        bytes calldata signature
    ) internal view {
        bytes32 digest = _hashTypedDataV4(structHash);
        (address key, ECDSA.RecoverError problem,) = ECDSA.tryRecover(digest, signature);
        IKeys.Key memory record;
        if (problem == ECDSA.RecoverError.NoError) record = _keyOf(account, key);
        if (!_isLive(record, grace)) {
            key = account;
            record = _keyOf(account, account);
            bool valid = _isLive(record, grace)
                && SignatureChecker.isValidERC1271SignatureNow(account, digest, signature);
            if (!valid) revert IntentBatchSignatureInvalid(account);
        }
        if (record.acts & act != act) revert IntentBatchActNotPermitted(account, key, act);
        if (amount > record.limit && record.limit != NO_LIMIT) revert IntentBatchOverLimit(key, amount, record.limit);
    }

    /// @dev The key or contract wallet `signer` itself signed this, whomever it may sign for.
    function _requireSignedBy(address signer, bytes32 structHash, bytes calldata signature) internal view {
        bytes32 digest = _hashTypedDataV4(structHash);
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecover(digest, signature);
        if (problem == ECDSA.RecoverError.NoError && recovered == signer) return;
        if (!SignatureChecker.isValidERC1271SignatureNow(signer, digest, signature)) {
            revert IntentBatchSignatureInvalid(signer);
        }
    }

    /// @dev What `key` may sign for `account`; all zero for no key of it.
    function _keyOf(address account, address key) internal view virtual returns (IKeys.Key memory);

    function _isLive(IKeys.Key memory key, uint64 grace) internal view returns (bool) {
        return key.acts != 0 && key.validFrom <= block.timestamp && block.timestamp < uint256(key.validUntil) + grace;
    }

    function _requireInTime(uint64 deadline) internal view {
        if (block.timestamp > deadline) revert IntentBatchExpired(deadline, block.timestamp);
    }

    function _requireVersion(uint64 current, uint64 stated) internal pure {
        if (current != stated) revert IntentBatchStale(current, stated);
    }
}
