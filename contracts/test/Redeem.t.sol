// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IParticipants} from "../src/interfaces/IParticipants.sol";
import {ISettlementToken} from "../src/interfaces/ISettlementToken.sol";

contract RedeemTest is MarketTest {
    uint96 private constant MONEY = 1000;

    function setUp() public override {
        super.setUp();
        _send(_issueOf(BUYER, MONEY, "payment in"), BANK);
    }

    function testFuzz_locksWhatItsHolderWantsBack(uint96 amount) public {
        ISettlementToken.Redeem memory m = _redeemOf(BUYER, amount % MONEY + 1, "payout");
        bytes memory signature = _sign(BUYER, address(token), _hash(m));
        vm.expectEmit(address(token));
        emit IERC20.Transfer(_at(BUYER), address(token), m.amount);
        vm.expectEmit(address(token));
        emit ISettlementToken.RedemptionRequested(
            m.redemptionId, m.account, m.amount, m.payoutDigest, m.bank, m.payBy
        );
        token.redeem(m, signature);
        _expectMoney(MONEY - m.amount, m.amount, MONEY);
        vm.assertEq(uint8(token.redemption(m.redemptionId).status), uint8(ISettlementToken.RedemptionStatus.Locked));
    }

    function testFuzz_whatTheBankHasPaidIsDestroyed(uint96 amount, uint32 later) public {
        ISettlementToken.Redeem memory m = _locked(amount % MONEY + 1);
        vm.warp(uint256(block.timestamp) + later % 30 days); // late is better than never, while nobody has asked for it back
        ISettlementToken.PayRedemption memory pay = _payOf(m.redemptionId, "payment out");
        bytes memory signature = _sign(BANK, address(token), _hash(pay));
        vm.expectEmit(address(token));
        emit IERC20.Transfer(address(token), address(0), m.amount);
        vm.expectEmit(address(token));
        emit ISettlementToken.RedemptionPaid(m.redemptionId, m.account, m.amount, pay.ref, pay.bank);
        token.payRedemption(pay, signature);
        _expectMoney(MONEY - m.amount, 0, MONEY - m.amount);
        vm.assertTrue(token.isUsed("payment out"), "used");
    }

    function testFuzz_whatTheBankRejectsGoesBack(uint96 amount) public {
        ISettlementToken.Redeem memory m = _locked(amount % MONEY + 1);
        ISettlementToken.RejectRedemption memory reject = _rejectOf(m.redemptionId);
        bytes memory signature = _sign(BANK, address(token), _hash(reject));
        vm.expectEmit(address(token));
        emit IERC20.Transfer(address(token), _at(BUYER), m.amount);
        vm.expectEmit(address(token));
        emit ISettlementToken.RedemptionRejected(m.redemptionId, m.account, m.amount, reject.reasonDigest, m.bank);
        token.rejectRedemption(reject, signature);
        _expectMoney(MONEY, 0, MONEY);
    }

    function testFuzz_anyoneTakesASilentBanksTimeAway(address caller, uint32 later) public {
        ISettlementToken.Redeem memory m = _locked(700);
        vm.warp(uint256(m.payBy) + 1 + later);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(address(token), _at(BUYER), m.amount);
        vm.expectEmit(address(token));
        emit ISettlementToken.RedemptionExpired(m.redemptionId, m.account, m.amount, m.bank);
        vm.prank(caller);
        token.expireRedemption(m.redemptionId);
        _expectMoney(MONEY, 0, MONEY);
    }

    function testFuzz_refusesToExpireWhileTheBankMayPay(uint64 time) public {
        ISettlementToken.Redeem memory m = _locked(700);
        vm.warp(START + time % (m.payBy - START + 1));
        vm.expectRevert(
            abi.encodeWithSelector(ISettlementToken.SettlementTokenNotDue.selector, m.redemptionId, m.payBy)
        );
        token.expireRedemption(m.redemptionId);
    }

    function testFuzz_whatHasEndedStaysEnded(uint8 first, uint8 second) public {
        ISettlementToken.Redeem memory m = _locked(700);
        uint8 end = _end(m.redemptionId, first % 3);
        vm.assertEq(uint8(token.redemption(m.redemptionId).status), end);
        bytes memory reason = abi.encodeWithSelector(
            ISettlementToken.SettlementTokenRedemptionStatus.selector, m.redemptionId, end
        );
        if (second % 4 == 3) {
            m.deadline = _deadline();
            m.payBy = uint64(block.timestamp + 5 days);
            _refuses(m, BUYER, reason);
            return;
        }
        bytes memory one = _sign(BANK, address(token), _hash(_payOf(m.redemptionId, "another payment")));
        bytes memory two = _sign(BANK, address(token), _hash(_rejectOf(m.redemptionId)));
        vm.expectRevert(reason);
        if (second % 4 == 0) token.payRedemption(_payOf(m.redemptionId, "another payment"), one);
        else if (second % 4 == 1) token.rejectRedemption(_rejectOf(m.redemptionId), two);
        else token.expireRedemption(m.redemptionId);
    }

    function test_refusesWhatNobodyAskedFor() public {
        vm.expectRevert(
            abi.encodeWithSelector(ISettlementToken.SettlementTokenRedemptionStatus.selector, bytes32("none"), 0)
        );
        token.expireRedemption("none");
    }

    function testFuzz_refusesMoreThanThereIs(uint96 amount) public {
        vm.assume(amount > MONEY);
        _refuses(
            _redeemOf(BUYER, amount, "payout"),
            BUYER,
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, _at(BUYER), MONEY, amount)
        );
    }

    function test_lockedMoneyCannotBeLockedOrSpentAgain() public {
        _locked(700);
        _refuses(
            _redeemOf(BUYER, 400, "another payout"),
            BUYER,
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, _at(BUYER), 300, 400)
        );
        vm.prank(address(orders));
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, _at(BUYER), 300, 400)
        );
        token.transferFrom(_at(BUYER), address(orders), 400);
    }

    function test_refusesNothing() public {
        _refuses(
            _redeemOf(BUYER, 0, "payout"),
            BUYER,
            abi.encodeWithSelector(ISettlementToken.SettlementTokenAmount.selector, 0)
        );
    }

    function testFuzz_refusesAnIdOfAnotherPayout(bytes32 id) public {
        ISettlementToken.Redeem memory m = _redeemOf(BUYER, 5, "payout");
        vm.assume(id != m.redemptionId);
        bytes32 expected = m.redemptionId;
        m.redemptionId = id;
        _refuses(
            m, BUYER, abi.encodeWithSelector(ISettlementToken.SettlementTokenRedemptionId.selector, expected, id)
        );
    }

    function testFuzz_refusesAWaitThatIsTooShortOrTooLong(uint64 payBy) public {
        vm.assume(payBy < START + 1 days || payBy > START + 90 days);
        ISettlementToken.Redeem memory m = _redeemOf(BUYER, 5, "payout");
        m.payBy = payBy;
        _refuses(
            m,
            BUYER,
            abi.encodeWithSelector(
                ISettlementToken.SettlementTokenPayBy.selector, payBy, START + 1 days, START + 90 days
            )
        );
    }

    function testFuzz_refusesAReferenceThatWasUsed(bool byAnIssue) public {
        ISettlementToken.Redeem memory m = _locked(500);
        bytes32 ref = "payment in";
        if (!byAnIssue) {
            ISettlementToken.Redeem memory other = _redeemOf(BUYER, 5, "another payout");
            _send(other, BUYER);
            _send(_payOf(other.redemptionId, "payment out"), BANK);
            ref = "payment out";
        }
        bytes memory signature = _sign(BANK, address(token), _hash(_payOf(m.redemptionId, ref)));
        vm.expectRevert(abi.encodeWithSelector(ISettlementToken.SettlementTokenRefUsed.selector, ref));
        token.payRedemption(_payOf(m.redemptionId, ref), signature);
    }

    function test_refusesToIssueForAPaymentThatWentOut() public {
        _send(_payOf(_locked(500).redemptionId, "payment out"), BANK);
        bytes memory signature = _sign(BANK, address(token), _hash(_issueOf(BUYER, 1, "payment out")));
        vm.expectRevert(abi.encodeWithSelector(ISettlementToken.SettlementTokenRefUsed.selector, bytes32("payment out")));
        token.issue(_issueOf(BUYER, 1, "payment out"), signature);
    }

    function test_refusesABankThatWasNotAsked() public {
        bytes32 id = _locked(500).redemptionId;
        _admit(0xA9, Roles.BANK);
        ISettlementToken.PayRedemption memory pay = _payOf(id, "payment out");
        ISettlementToken.RejectRedemption memory reject = _rejectOf(id);
        (pay.bank, reject.bank) = (_at(0xA9), _at(0xA9));
        bytes memory one = _sign(0xA9, address(token), _hash(pay));
        bytes memory two = _sign(0xA9, address(token), _hash(reject));
        bytes memory reason =
            abi.encodeWithSelector(ISettlementToken.SettlementTokenNotBank.selector, id, _at(0xA9));
        vm.expectRevert(reason);
        token.payRedemption(pay, one);
        vm.expectRevert(reason);
        token.rejectRedemption(reject, two);
    }

    function test_aSuspendedBankNeitherPaysNorRejects() public {
        bytes32 id = _locked(500).redemptionId;
        _suspend(BANK);
        bytes memory one = _sign(BANK, address(token), _hash(_payOf(id, "payment out")));
        bytes memory two = _sign(BANK, address(token), _hash(_rejectOf(id)));
        _expectInactive(BANK, Roles.BANK);
        token.payRedemption(_payOf(id, "payment out"), one);
        _expectInactive(BANK, Roles.BANK);
        token.rejectRedemption(_rejectOf(id), two);
    }

    function test_refusesASuspendedHolderAndABankWithoutTheRole() public {
        ISettlementToken.Redeem memory m = _redeemOf(BUYER, 5, "payout");
        m.bank = _at(SUPPLIER);
        bytes memory signature = _sign(BUYER, address(token), _hash(m));
        _expectInactive(SUPPLIER, Roles.BANK);
        token.redeem(m, signature);
        _suspend(BUYER);
        m = _redeemOf(BUYER, 5, "payout");
        signature = _sign(BUYER, address(token), _hash(m));
        _expectInactive(BUYER, 0);
        token.redeem(m, signature);
    }

    /// @dev Money that a bank holds for somebody does not fall to the bank when the market parts from him.
    function testFuzz_whoLeftOrWasExpelledGetsItsMoneyBack(uint8 how, uint96 amount) public {
        if (how % 3 == 0) {
            _send(_statusOf(BUYER, IParticipants.Status.Expelled), REGISTRAR);
        } else {
            IParticipants.Leave memory leaving = IParticipants.Leave(_at(BUYER), 1, _deadline());
            participants.resign(leaving, _sign(BUYER, address(participants), _hash(leaving)));
            if (how % 3 == 2) _send(_statusOf(BUYER, IParticipants.Status.Exited), REGISTRAR);
        }
        ISettlementToken.Redeem memory m = _locked(amount % MONEY + 1);
        _send(_payOf(m.redemptionId, "payment out"), BANK);
        _expectMoney(MONEY - m.amount, 0, MONEY - m.amount);
    }

    function test_refusesOwnMatter() public {
        _refuses(
            _redeemOf(BANK, 5, "payout"),
            BANK,
            abi.encodeWithSelector(ISettlementToken.SettlementTokenOwnMatter.selector, _at(BANK))
        );
    }

    function test_refusesAnotherSigner() public {
        ISettlementToken.Redeem memory m = _redeemOf(BUYER, 5, "payout");
        bytes memory signature = _sign(BANK, address(token), _hash(m));
        _expectSignatureRefused(BUYER);
        token.redeem(m, signature);
        bytes32 id = _locked(5).redemptionId;
        bytes memory one = _sign(BUYER, address(token), _hash(_payOf(id, "payment out")));
        bytes memory two = _sign(BUYER, address(token), _hash(_rejectOf(id)));
        _expectSignatureRefused(BANK);
        token.payRedemption(_payOf(id, "payment out"), one);
        _expectSignatureRefused(BANK);
        token.rejectRedemption(_rejectOf(id), two);
    }

    function test_refusesExpiredIntents() public {
        bytes32 id = _locked(5).redemptionId;
        ISettlementToken.Redeem memory m = _redeemOf(BUYER, 5, "another payout");
        ISettlementToken.PayRedemption memory pay = _payOf(id, "payment out");
        ISettlementToken.RejectRedemption memory reject = _rejectOf(id);
        bytes memory zero = _sign(BUYER, address(token), _hash(m));
        bytes memory one = _sign(BANK, address(token), _hash(pay));
        bytes memory two = _sign(BANK, address(token), _hash(reject));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        token.redeem(m, zero);
        _expectExpired(pay.deadline);
        token.payRedemption(pay, one);
        _expectExpired(reject.deadline);
        token.rejectRedemption(reject, two);
    }

    function test_whatWasPaidOutMakesRoomForNewMoney() public {
        _send(_payOf(_locked(MONEY).redemptionId, "payment out"), BANK);
        _send(_issueOf(SUPPLIER, 2 ** 53 - 1, "all the money"), BANK);
        vm.assertEq(token.totalSupply(), 2 ** 53 - 1);
    }

    function _locked(uint96 amount) private returns (ISettlementToken.Redeem memory m) {
        m = _redeemOf(BUYER, amount, "payout");
        _send(m, BUYER);
    }

    function _end(bytes32 id, uint8 how) private returns (uint8) {
        if (how == 0) _send(_payOf(id, "payment out"), BANK);
        if (how == 1) _send(_rejectOf(id), BANK);
        if (how == 2) {
            vm.warp(uint256(token.redemption(id).payBy) + 1);
            token.expireRedemption(id);
        }
        return how + 2;
    }

    function _expectMoney(uint256 ofHolder, uint256 locked, uint256 all) private view {
        vm.assertEq(token.balanceOf(_at(BUYER)), ofHolder);
        vm.assertEq(token.balanceOf(address(token)), locked);
        vm.assertEq(token.totalSupply(), all);
    }

    function _refuses(ISettlementToken.Redeem memory m, uint256 key, bytes memory reason) private {
        bytes memory signature = _sign(key, address(token), _hash(m));
        vm.expectRevert(reason);
        token.redeem(m, signature);
    }
}
