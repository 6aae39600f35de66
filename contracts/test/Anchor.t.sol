// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IEvidence} from "../src/interfaces/IEvidence.sol";

contract AnchorTest is MarketTest {
    function testFuzz_anchorsFormAChain(uint32 first, uint32 more, bytes32 one, bytes32 two) public {
        vm.assume(first > 0 && more > 0 && one != 0 && two != 0);
        _send(_anchorOf(first, one), EXCHANGE);
        IEvidence.Anchor memory m = _anchorOf(uint48(first) + more, two);
        bytes memory signature = _sign(EXCHANGE, address(evidence), _hash(m));
        vm.expectEmit(address(evidence));
        emit IEvidence.Anchored(m.size, two, one);
        evidence.anchor(m, signature);
        (uint48 size, bytes32 root) = evidence.latest();
        vm.assertEq(size, m.size);
        vm.assertEq(root, two);
    }

    function testFuzz_refusesALogThatDidNotGrow(uint48 size) public {
        _send(_anchorOf(1000, "root"), EXCHANGE);
        size = size % 1001;
        _refuses(
            _anchorOf(size, "other"), EXCHANGE, abi.encodeWithSelector(IEvidence.EvidenceSize.selector, 1000, size)
        );
    }

    function testFuzz_refusesABrokenChain(bytes32 previous) public {
        _send(_anchorOf(1000, "root"), EXCHANGE);
        vm.assume(previous != "root");
        IEvidence.Anchor memory m = _anchorOf(1001, "other");
        m.previousRoot = previous;
        _refuses(
            m,
            EXCHANGE,
            abi.encodeWithSelector(IEvidence.EvidencePreviousRoot.selector, bytes32("root"), previous)
        );
    }

    function test_refusesAZeroRoot() public {
        _refuses(_anchorOf(1, 0), EXCHANGE, abi.encodeWithSelector(IEvidence.EvidenceRootZero.selector));
    }

    function test_refusesWhoeverIsNotTheExchange() public {
        IEvidence.Anchor memory m = _anchorOf(1, "root");
        m.exchange = _at(SUPPLIER);
        bytes memory signature = _sign(SUPPLIER, address(evidence), _hash(m));
        _expectInactive(SUPPLIER, Roles.EXCHANGE);
        evidence.anchor(m, signature);
    }

    function test_refusesReplay() public {
        IEvidence.Anchor memory m = _anchorOf(1, "root");
        _send(m, EXCHANGE);
        _refuses(m, EXCHANGE, abi.encodeWithSelector(IEvidence.EvidenceSize.selector, 1, 1));
    }

    function test_refusesAnotherSigner() public {
        IEvidence.Anchor memory m = _anchorOf(1, "root");
        bytes memory signature = _sign(SUPPLIER, address(evidence), _hash(m));
        _expectSignatureRefused(EXCHANGE);
        evidence.anchor(m, signature);
    }

    function test_refusesAnExpiredIntent() public {
        IEvidence.Anchor memory m = _anchorOf(1, "root");
        bytes memory signature = _sign(EXCHANGE, address(evidence), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        evidence.anchor(m, signature);
    }

    function _refuses(IEvidence.Anchor memory m, uint256 key, bytes memory reason) private {
        bytes memory signature = _sign(key, address(evidence), _hash(m));
        vm.expectRevert(reason);
        evidence.anchor(m, signature);
    }
}
