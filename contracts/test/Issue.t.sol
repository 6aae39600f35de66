// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ISettlementToken} from "../src/interfaces/ISettlementToken.sol";

contract IssueTest is MarketTest {
    uint256 private constant MAX_SUPPLY = 2 ** 53 - 1;

    function testFuzz_issues(uint256 amount, bytes32 ref) public {
        amount = amount % MAX_SUPPLY + 1;
        ISettlementToken.Issue memory m = _issueOf(BUYER, amount, ref);
        bytes memory signature = _sign(BANK, address(token), _hash(m));
        vm.expectEmit(address(token));
        emit IERC20.Transfer(address(0), _at(BUYER), amount);
        vm.expectEmit(address(token));
        emit ISettlementToken.Issued(_at(BUYER), amount, ref, _at(BANK));
        token.issue(m, signature);
        vm.assertEq(token.balanceOf(_at(BUYER)), amount);
        vm.assertEq(token.totalSupply(), amount);
    }

    function test_isMoneyInFen() public view {
        vm.assertEq(token.decimals(), 2);
        vm.assertEq(bytes(token.symbol()), "SCNY");
        vm.assertEq(bytes(token.name()), "Settlement Yuan");
    }

    function testFuzz_refusesReplayAndAnyOtherIssueForThePayment(uint256 amount) public {
        amount = amount % (MAX_SUPPLY - 5) + 1;
        _send(_issueOf(BUYER, 5, "payment"), BANK);
        _refuses(
            _issueOf(BUYER, amount, "payment"),
            BANK,
            abi.encodeWithSelector(ISettlementToken.SettlementTokenRefUsed.selector, bytes32("payment"))
        );
    }

    function testFuzz_refusesAnAmountOutOfRange(uint256 amount) public {
        vm.assume(amount == 0 || amount > MAX_SUPPLY);
        _refuses(
            _issueOf(BUYER, amount, "payment"),
            BANK,
            abi.encodeWithSelector(ISettlementToken.SettlementTokenAmount.selector, amount)
        );
    }

    function testFuzz_refusesMoreMoneyThanTheMarketHolds(uint256 first, uint256 second) public {
        first = first % MAX_SUPPLY + 1;
        second = MAX_SUPPLY - first + 1 + second % first;
        _send(_issueOf(BUYER, first, "first"), BANK);
        _refuses(
            _issueOf(SUPPLIER, second, "second"),
            BANK,
            abi.encodeWithSelector(ISettlementToken.SettlementTokenAmount.selector, second)
        );
    }

    function test_refusesOwnMatter() public {
        _refuses(
            _issueOf(BANK, 1, "payment"),
            BANK,
            abi.encodeWithSelector(ISettlementToken.SettlementTokenOwnMatter.selector, _at(BANK))
        );
    }

    function test_refusesABankWithoutTheRole() public {
        ISettlementToken.Issue memory m = _issueOf(BUYER, 1, "payment");
        m.bank = _at(SUPPLIER);
        bytes memory signature = _sign(SUPPLIER, address(token), _hash(m));
        _expectInactive(SUPPLIER, Roles.BANK);
        token.issue(m, signature);
    }

    function test_refusesAnAccountThatIsNoParticipant() public {
        ISettlementToken.Issue memory m = _issueOf(STRANGER, 1, "payment");
        bytes memory signature = _sign(BANK, address(token), _hash(m));
        _expectInactive(STRANGER, 0);
        token.issue(m, signature);
    }

    function test_refusesAnotherSigner() public {
        ISettlementToken.Issue memory m = _issueOf(BUYER, 1, "payment");
        bytes memory signature = _sign(BUYER, address(token), _hash(m));
        _expectSignatureRefused(BANK);
        token.issue(m, signature);
    }

    function test_refusesAnExpiredIntent() public {
        ISettlementToken.Issue memory m = _issueOf(BUYER, 1, "payment");
        bytes memory signature = _sign(BANK, address(token), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        token.issue(m, signature);
    }

    function testFuzz_holdersCannotPassMoneyOnAmongThemselves(uint256 amount, address caller) public {
        amount = amount % MAX_SUPPLY + 1;
        vm.assume(caller != address(orders) && caller != address(0));
        _send(_issueOf(BUYER, amount, "payment"), BANK);
        bytes memory reason = abi.encodeWithSelector(ISettlementToken.SettlementTokenClosedLoop.selector);
        vm.prank(_at(BUYER));
        vm.expectRevert(reason);
        token.transfer(_at(SUPPLIER), amount);
        vm.prank(_at(BUYER));
        vm.expectRevert(reason);
        token.approve(_at(SUPPLIER), amount);
        vm.prank(caller);
        vm.expectRevert();
        token.transferFrom(_at(BUYER), caller, amount);
    }

    function _refuses(ISettlementToken.Issue memory m, uint256 key, bytes memory reason) private {
        bytes memory signature = _sign(key, address(token), _hash(m));
        vm.expectRevert(reason);
        token.issue(m, signature);
    }
}
