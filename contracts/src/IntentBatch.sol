// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IIntentBatch} from "./interfaces/IIntentBatch.sol";

/// @title IntentBatch
/// @notice Base of every contract of the market: the signing domain, the checks common to all intents, and batches.
abstract contract IntentBatch is IIntentBatch, EIP712("Marketplace", "1") {
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

    /// @dev A key's signature is tried first: that way the code of an ordinary key's address is never asked for, which keeps empty
    /// accounts out of the state and makes state roots equal on every EVM. A contract wallet is asked by ERC-1271.
    function _requireSigned(address signer, bytes32 structHash, bytes calldata signature) internal view {
        bytes32 digest = _hashTypedDataV4(structHash);
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecover(digest, signature);
        if (problem == ECDSA.RecoverError.NoError && recovered == signer) return;
        if (!SignatureChecker.isValidERC1271SignatureNow(signer, digest, signature)) {
            revert IntentBatchSignatureInvalid(signer);
        }
    }

    function _requireInTime(uint64 deadline) internal view {
        if (block.timestamp > deadline) revert IntentBatchExpired(deadline, block.timestamp);
    }

    function _requireVersion(uint64 current, uint64 stated) internal pure {
        if (current != stated) revert IntentBatchStale(current, stated);
    }
}
