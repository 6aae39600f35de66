// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Vm} from "./base/Vm.sol";
import {GasBurner, Wallet} from "./base/Wallets.sol";
import {Roles} from "../src/Roles.sol";
import {IIntentBatch} from "../src/interfaces/IIntentBatch.sol";
import {IParticipants} from "../src/interfaces/IParticipants.sol";

/// @notice Batches, and what all signatures have in common.
contract SubmitTest is MarketTest {
    bytes32 private constant REFUSED = keccak256("Refused(uint256,bytes)");
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function testFuzz_aRefusedCallLeavesTheOthersIntact(uint256 bad) public {
        bytes[] memory calls = new bytes[](8);
        for (uint256 i = 0; i < 8; ++i) {
            calls[i] = _admission(0x1000 + i, bad >> i & 1 == 1 ? STRANGER : 0x1000 + i);
        }
        vm.recordLogs();
        participants.submit(calls);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 8);
        for (uint256 i = 0; i < 8; ++i) {
            bool refused = bad >> i & 1 == 1;
            vm.assertEq(participants.participant(_at(0x1000 + i)).version, refused ? 0 : 1);
            if (!refused) continue;
            vm.assertEq(logs[i].topics[0], REFUSED);
            vm.assertEq(uint256(logs[i].topics[1]), i);
            bytes memory reason =
                abi.encodeWithSelector(IIntentBatch.IntentBatchSignatureInvalid.selector, _at(0x1000 + i));
            vm.assertEq(abi.decode(logs[i].data, (bytes)), reason);
        }
    }

    function test_refusesABatchInABatch() public {
        bytes[] memory inner = new bytes[](1);
        inner[0] = _admission(STRANGER, STRANGER);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(IIntentBatch.submit, (inner));
        calls[1] = _admission(0x1001, 0x1001);
        vm.expectEmit(address(participants));
        emit IIntentBatch.Refused(0, abi.encodeWithSelector(IIntentBatch.IntentBatchNested.selector));
        participants.submit(calls);
        vm.assertEq(participants.participant(_at(STRANGER)).version, 0);
        vm.assertEq(participants.participant(_at(0x1001)).version, 1);
    }

    function test_refusesTheSameCallTwiceInABatch() public {
        bytes[] memory calls = new bytes[](2);
        calls[0] = calls[1] = _admission(STRANGER, STRANGER);
        participants.submit(calls);
        vm.assertEq(participants.participant(_at(STRANGER)).version, 1);
    }

    function testFuzz_refusesCalldataOfNoVerb(bytes calldata junk) public {
        bytes[] memory calls = new bytes[](2);
        calls[0] = bytes.concat(hex"ffffffff", junk);
        calls[1] = _admission(STRANGER, STRANGER);
        vm.expectEmit(address(participants));
        emit IIntentBatch.Refused(0, "");
        participants.submit(calls);
        vm.assertEq(participants.participant(_at(STRANGER)).version, 1);
    }

    function test_anEmptyBatchDoesNothing() public {
        participants.submit(new bytes[](0));
    }

    function test_aWalletThatBurnsGasCannotStarveTheOthers() public {
        GasBurner burner = new GasBurner();
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        join.account = address(burner);
        bytes[] memory calls = new bytes[](3);
        calls[0] = calls[1] = abi.encodeCall(IParticipants.admit, (join, "", _admitOf(join), ""));
        calls[2] = _admission(0x1001, 0x1001);
        participants.submit{gas: 1_000_000}(calls);
        vm.assertEq(participants.participant(_at(0x1001)).version, 1);
    }

    /* SIGNATURES */

    function test_acceptsAWalletContract() public {
        Wallet wallet = new Wallet(_at(STRANGER));
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        join.account = address(wallet);
        _send(join, _admitOf(join), STRANGER, REGISTRAR);
        participants.requireActive(address(wallet), Roles.BUYER);
    }

    function test_refusesAWalletContractWhoseOwnerDidNotSign() public {
        Wallet wallet = new Wallet(_at(STRANGER));
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        join.account = address(wallet);
        IParticipants.Admit memory admission = _admitOf(join);
        bytes memory wrong = _sign(BUYER, address(participants), _hash(join));
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        vm.expectRevert(
            abi.encodeWithSelector(IIntentBatch.IntentBatchSignatureInvalid.selector, address(wallet))
        );
        participants.admit(join, wrong, admission, two);
    }

    function testFuzz_refusesASignatureForAnotherChain(uint64 chain) public {
        vm.assume(chain != block.chainid);
        _refusesJoinSignature(_signFor(STRANGER, address(participants), chain, _hash(_joinOf(STRANGER, Roles.BUYER))));
    }

    function testFuzz_refusesASignatureForAnotherContract(address target) public {
        vm.assume(target != address(participants));
        _refusesJoinSignature(_sign(STRANGER, target, _hash(_joinOf(STRANGER, Roles.BUYER))));
    }

    function test_refusesOldSignaturesAfterAChainSplit() public {
        bytes memory signature = _sign(STRANGER, address(participants), _hash(_joinOf(STRANGER, Roles.BUYER)));
        vm.chainId(block.chainid + 1);
        _refusesJoinSignature(signature);
    }

    function test_refusesAMalleableSignature() public {
        bytes memory signature = _sign(STRANGER, address(participants), _hash(_joinOf(STRANGER, Roles.BUYER)));
        (bytes32 r, bytes32 s, uint8 v) = _parts(signature);
        vm.assertLe(uint256(s), HALF_ORDER, "the low one is the valid one");
        _refusesJoinSignature(abi.encodePacked(r, ORDER - uint256(s), v == 27 ? uint8(28) : uint8(27)));
    }

    function testFuzz_refusesBytesThatAreNoSignature(bytes calldata junk) public {
        _refusesJoinSignature(junk);
    }

    function _refusesJoinSignature(bytes memory signature) private {
        IParticipants.Join memory join = _joinOf(STRANGER, Roles.BUYER);
        IParticipants.Admit memory admission = _admitOf(join);
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        _expectSignatureRefused(STRANGER);
        participants.admit(join, signature, admission, two);
    }

    function _admission(uint256 key, uint256 signer) private view returns (bytes memory) {
        IParticipants.Join memory join = _joinOf(key, Roles.BUYER);
        IParticipants.Admit memory admission = _admitOf(join);
        bytes memory one = _sign(signer, address(participants), _hash(join));
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        return abi.encodeCall(IParticipants.admit, (join, one, admission, two));
    }

    function _parts(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
            v := byte(0, mload(add(signature, 96)))
        }
    }
}
