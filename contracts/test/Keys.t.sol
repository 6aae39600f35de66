// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Wallet} from "./base/Wallets.sol";
import {Acts} from "../src/Acts.sol";
import {IIntentBatch} from "../src/interfaces/IIntentBatch.sol";
import {IKeys} from "../src/interfaces/IKeys.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";
import {IParticipants} from "../src/interfaces/IParticipants.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ISettlementToken} from "../src/interfaces/ISettlementToken.sol";
import {Roles} from "../src/Roles.sol";

contract KeysTest is MarketTest {
    uint256 private constant CLERK = 0xF1;
    uint256 private constant CHIEF = 0xF2;
    uint256 private constant FRESH = 0xF3;
    uint64 private constant WHOLE = 2 ** 53 - 1;

    /* KEYS */

    function test_anUntouchedAccountHasItsAddressAsKey() public view {
        IKeys.Key memory key = ring.keyOf(_at(BUYER), _at(BUYER));
        vm.assertEq(key.acts, Acts.ALL);
        vm.assertEq(ring.keyOf(_at(BUYER), _at(CLERK)).acts, 0);
    }

    function test_aPersonSignsWhatItMayAndNoMore() public {
        _add(BUYER, CLERK, Acts.ORDERS, 1000);
        bytes32 listing = _listed("terms");
        _send(_issueOf(BUYER, 5000, "ref"), BANK);
        _send(_fundOf(listing, "within"), CLERK);

        IOrders.Fund memory more = _fundOf(listing, "beyond");
        more.escrow = 1001;
        bytes memory signature = _sign(CLERK, address(orders), _hash(more));
        vm.expectRevert(
            abi.encodeWithSelector(IIntentBatch.IntentBatchOverLimit.selector, _at(CLERK), 1001, uint256(1000))
        );
        orders.fund(more, signature);

        IRights.TransferShare memory other = _shareOf(_confirmed("other"), SUPPLIER, BUYER, 1);
        other.from = _at(BUYER);
        signature = _sign(CLERK, address(rights), _hash(other));
        vm.expectRevert(
            abi.encodeWithSelector(
                IIntentBatch.IntentBatchActNotPermitted.selector, _at(BUYER), _at(CLERK), Acts.TITLES
            )
        );
        rights.transferShare(other, signature);
    }

    function test_aKeyEndsAtItsEnd() public {
        _add(SUPPLIER, CLERK, Acts.TITLES, WHOLE, uint64(block.timestamp + 1 days));
        _send(_registerOf("first"), CLERK);
        vm.warp(block.timestamp + 1 days);
        IRights.Register memory late = _registerOf("second");
        bytes memory signature = _sign(CLERK, address(rights), _hash(late));
        _expectSignatureRefused(SUPPLIER);
        rights.register(late, signature);
    }

    function test_titlesStayWhenTheKeyRotates() public {
        bytes32 assetId = _confirmed("kept");
        _rotate(SUPPLIER, SUPPLIER, FRESH);
        _send(_listOf(assetId, "terms"), FRESH);
        vm.assertEq(rights.shares(assetId)[0].holder, _at(SUPPLIER));

        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(_registerOf("late")));
        _expectSignatureRefused(SUPPLIER);
        rights.register(_registerOf("late"), signature);
    }

    function test_aWalletContractWhoseKeyEndedSignsNoMore() public {
        Wallet wallet = new Wallet(_at(SUPPLIER));
        IParticipants.Join memory join = IParticipants.Join(address(wallet), Roles.SUPPLIER, "id", _deadline());
        _send(join, _admitOf(join), SUPPLIER, REGISTRAR);
        IKeys.AddKey memory m = _additionOf(SUPPLIER, CHIEF, Acts.ALL, WHOLE, WHOLE);
        (m.account, m.by, m.version) = (address(wallet), address(wallet), 0);
        ring.addKey(m, _sign(SUPPLIER, address(ring), _hash(m)), _sign(CHIEF, address(ring), _hash(m)));
        IKeys.EndKey memory ending =
            IKeys.EndKey(address(wallet), address(wallet), "stolen", _at(CHIEF), 1, _deadline());
        ring.endKey(ending, _sign(CHIEF, address(ring), _hash(ending)));

        IRights.Register memory late = _registerOf("late");
        late.holder = address(wallet);
        late.assetId = keccak256(abi.encode(late.holder, late.manifestDigest));
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(late));
        vm.expectRevert(
            abi.encodeWithSelector(IIntentBatch.IntentBatchSignatureInvalid.selector, address(wallet))
        );
        rights.register(late, signature);
    }

    function test_refusesAKeyThatIsTaken() public {
        _add(BUYER, CLERK, Acts.QUERIES, WHOLE);
        IKeys.AddKey memory m = _additionOf(SUPPLIER, CLERK, Acts.TITLES, WHOLE, WHOLE);
        _expectTaken(CLERK);
        _sendRaw(m, SUPPLIER, CLERK);

        _end(BUYER, BUYER, CLERK);
        _expectTaken(CLERK);
        _sendRaw(m, SUPPLIER, CLERK);

        m = _additionOf(SUPPLIER, BUYER, Acts.TITLES, WHOLE, WHOLE);
        _expectTaken(BUYER);
        _sendRaw(m, SUPPLIER, BUYER);

        IParticipants.Join memory join = _joinOf(CLERK, Roles.BUYER);
        bytes memory one = _sign(CLERK, address(participants), _hash(join));
        IParticipants.Admit memory admission = _admitOf(join);
        bytes memory two = _sign(REGISTRAR, address(participants), _hash(admission));
        _expectTaken(CLERK);
        participants.admit(join, one, admission, two);
    }

    function test_refusesAGiftOfMoreThanOneHas() public {
        _add(BUYER, CLERK, Acts.ADMINISTER | Acts.QUERIES, WHOLE);
        IKeys.AddKey memory m = _additionOf(BUYER, FRESH, Acts.ORDERS, WHOLE, WHOLE);
        m.by = _at(CLERK);
        vm.expectRevert(abi.encodeWithSelector(IKeys.KeysActs.selector, Acts.ORDERS));
        _sendRaw(m, CLERK, FRESH);
    }

    function test_refusesReplayOfAnAddition() public {
        IKeys.AddKey memory m = _additionOf(BUYER, CLERK, Acts.QUERIES, WHOLE, WHOLE);
        _sendRaw(m, BUYER, CLERK);
        _expectStale(1, 0);
        _sendRaw(m, BUYER, CLERK);
    }

    function test_refusesOwnEnd() public {
        IKeys.EndKey memory m = IKeys.EndKey(_at(BUYER), _at(BUYER), "", _at(BUYER), 0, _deadline());
        bytes memory signature = _sign(BUYER, address(ring), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IKeys.KeysOwnKey.selector, _at(BUYER)));
        ring.endKey(m, signature);
    }

    /// @dev Whatever a few people do with the keys of one account, somebody may do everything for it afterwards.
    function testFuzz_noAccountIsEverWithoutAnAdministrator(uint8[12] calldata acts, uint8[12] calldata who) public {
        uint256[6] memory people = [BUYER, CLERK, CHIEF, FRESH, uint256(0xF4), uint256(0xF5)];
        for (uint256 i = 0; i < acts.length; ++i) {
            (uint256 by, uint256 on) = (people[who[i] % 6], people[(who[i] / 6) % 6]);
            _try(acts[i], by, on);
            bool live;
            for (uint256 j = 0; j < people.length; ++j) {
                IKeys.Key memory key = ring.keyOf(_at(BUYER), _at(people[j]));
                live = live
                    || (key.acts == Acts.ALL && key.limit == WHOLE && key.validFrom <= block.timestamp
                        && block.timestamp < key.validUntil);
            }
            vm.assertTrue(live, "nobody who may do everything");
        }
    }

    function _try(uint8 act, uint256 by, uint256 on) private {
        uint64 version = ring.keysVersion(_at(BUYER));
        if (act % 3 == 0) {
            uint64 until = act % 2 == 0 ? WHOLE : uint64(block.timestamp + 5);
            uint64 limit = act % 5 == 0 ? 1000 : WHOLE;
            IKeys.AddKey memory m = _additionOf(BUYER, on, act % 4 == 0 ? Acts.ALL : Acts.QUERIES, limit, until);
            m.by = _at(by);
            try ring.addKey(m, _sign(by, address(ring), _hash(m)), _sign(on, address(ring), _hash(m))) {} catch {}
        } else if (act % 3 == 1) {
            IKeys.EndKey memory m = IKeys.EndKey(_at(BUYER), _at(on), "", _at(by), version, _deadline());
            try ring.endKey(m, _sign(by, address(ring), _hash(m))) {} catch {}
        } else {
            IKeys.RotateKey memory m = IKeys.RotateKey(_at(BUYER), _at(by), _at(on), version, _deadline());
            bytes32 hash = _hash(m);
            try ring.rotateKey(m, _sign(by, address(ring), hash), _sign(on, address(ring), hash)) {} catch {}
        }
        vm.warp(block.timestamp + 2);
    }

    function test_refusesToEndAWiderKey() public {
        _add(BUYER, CLERK, Acts.ADMINISTER | Acts.QUERIES, WHOLE);
        IKeys.EndKey memory m = IKeys.EndKey(_at(BUYER), _at(BUYER), "", _at(CLERK), 1, _deadline());
        bytes memory signature = _sign(CLERK, address(ring), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IKeys.KeysActs.selector, Acts.ALL));
        ring.endKey(m, signature);
    }

    function test_refusesToEndAKeyOfAHigherLimit() public {
        _add(BUYER, CLERK, Acts.ALL, 1000);
        IKeys.EndKey memory m = IKeys.EndKey(_at(BUYER), _at(BUYER), "", _at(CLERK), 1, _deadline());
        bytes memory signature = _sign(CLERK, address(ring), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IKeys.KeysLimit.selector, WHOLE));
        ring.endKey(m, signature);
    }

    /// @dev Or an administrator of little could name a friend and let it recover the account for a key to everything.
    function test_refusesGuardiansOfWhoMayNotDoEverything() public {
        _add(BUYER, CLERK, Acts.ADMINISTER, WHOLE);
        _add(BUYER, CHIEF, Acts.ALL, WHOLE - 1);
        _refusesGuardians(CLERK, abi.encodeWithSelector(IKeys.KeysActs.selector, Acts.ADMINISTER));
        _refusesGuardians(CHIEF, abi.encodeWithSelector(IKeys.KeysLimit.selector, WHOLE - 1));
    }

    function _refusesGuardians(uint256 by, bytes memory reason) private {
        address[] memory friends = new address[](1);
        friends[0] = _at(SUPPLIER);
        IKeys.SetGuardians memory m =
            IKeys.SetGuardians(_at(BUYER), friends, 1, 1 days, _at(by), 2, _deadline());
        bytes memory signature = _sign(by, address(ring), _hash(m));
        vm.expectRevert(reason);
        ring.setGuardians(m, signature);
    }

    function test_aLimitHoldsForWhatABankSaysItHasPaid() public {
        _add(BANK, CLERK, Acts.MONEY, 1000);
        _send(_issueOf(BUYER, 5000, "ref"), BANK);
        ISettlementToken.Redeem memory wish = _redeemOf(BUYER, 1001, "beyond");
        _send(wish, BUYER);
        ISettlementToken.PayRedemption memory m = _payOf(wish.redemptionId, "payment");
        bytes memory signature = _sign(CLERK, address(token), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IIntentBatch.IntentBatchOverLimit.selector, _at(CLERK), 1001, uint256(1000))
        );
        token.payRedemption(m, signature);

        wish = _redeemOf(BUYER, 1000, "within");
        _send(wish, BUYER);
        _send(_payOf(wish.redemptionId, "payment"), CLERK);
    }

    /* VOUCHERS AND KEYS THAT END */

    function test_aVoucherOutlivesItsKeyByThreeDaysAndNoMore() public {
        bytes32 orderId = _funded("agreement");
        IOrders.Voucher memory voucher = _voucherOf(orderId);
        _add(BUYER, CHIEF, Acts.ALL, WHOLE);
        _end(BUYER, CHIEF, BUYER);
        vm.warp(block.timestamp + 3 days);
        IOrders.Close memory closing = _closeOf(voucher);
        bytes memory one = _sign(BUYER, address(orders), _hash(voucher));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(closing));
        _expectSignatureRefused(BUYER);
        orders.settle(voucher, one, closing, two);

        vm.warp(block.timestamp - 1);
        orders.settle(voucher, one, closing, two);
    }

    /// @dev Or a buyer with friends could make its vouchers worthless a day after it had its answers.
    function testFuzz_aVoucherOutlivesItsKeyByThreeDaysWhateverIsRecoveredMeanwhile(uint32 later) public {
        bytes32 orderId = _funded("agreement");
        IOrders.Voucher memory voucher = _voucherOf(orderId);
        _guard(1, 1 days);
        uint64 ended = _recovered(FRESH);
        _recovered(CHIEF);
        vm.assertEq(ring.keyOf(_at(BUYER), _at(BUYER)).validUntil, ended);
        vm.assertEq(ring.keyOf(_at(BUYER), _at(FRESH)).validUntil, block.timestamp);

        uint64 left = ended + 3 days - uint64(block.timestamp);
        bytes memory signature = _sign(BUYER, address(orders), _hash(voucher));
        IOrders.Voucher memory nothing = IOrders.Voucher(orderId, 0, 0, 0, "none");
        vm.warp(block.timestamp + later % left);
        _send(nothing, CHIEF, _claimOf(nothing, BUYER), CHIEF);
        vm.warp(block.timestamp + 3 days);
        orders.challenge(voucher, signature);
    }

    function _recovered(uint256 key) private returns (uint64) {
        IKeys.Recover memory m = _recoverOf(SUPPLIER);
        m.newKey = _at(key);
        ring.recover(m, _sign(SUPPLIER, address(ring), _hash(m)), _sign(key, address(ring), _hash(m)));
        vm.warp(block.timestamp + 1 days);
        ring.completeRecovery(keccak256(abi.encode(m.account, m.newKey, m.version)));
        return uint64(block.timestamp);
    }

    /* RECOVERY */

    function test_guardiansRecoverAfterTheirNotice() public {
        _guard(2);
        bytes32 id = _recover(SUPPLIER);
        vm.assertEq(ring.recovery(id).readyAt, 0);
        vm.assertEq(_recover(COLLECTOR), id);
        uint64 ready = ring.recovery(id).readyAt;
        vm.assertEq(ready, block.timestamp + 2 days);
        vm.warp(ready - 1);
        vm.expectRevert(abi.encodeWithSelector(IKeys.KeysRecoveryNotReady.selector, id, ready));
        ring.completeRecovery(id);

        vm.warp(ready);
        ring.completeRecovery(id);
        vm.assertEq(ring.keyOf(_at(BUYER), _at(FRESH)).acts, Acts.ALL);
        vm.assertEq(ring.keyOf(_at(BUYER), _at(BUYER)).validUntil, ready);
        _send(_issueOf(BUYER, 5000, "later"), BANK);
        _send(_fundOf(_listed("terms"), "agreement"), FRESH);
        vm.expectRevert(abi.encodeWithSelector(IKeys.KeysRecoveryStatus.selector, id, uint8(3)));
        ring.completeRecovery(id);
    }

    function test_oneGuardianCountsOnce() public {
        _guard(2);
        _recover(SUPPLIER);
        IKeys.Recover memory m = _recoverOf(SUPPLIER);
        (bytes memory one, bytes memory two) = _signed(m, SUPPLIER);
        vm.expectRevert(abi.encodeWithSelector(IKeys.KeysRecoveryOpen.selector, _at(BUYER), _at(SUPPLIER)));
        ring.recover(m, one, two);
    }

    function test_aRegistrarRecoversAfterFourteenDays() public {
        bytes32 id = _recover(REGISTRAR);
        vm.assertEq(ring.recovery(id).readyAt, block.timestamp + 14 days);
    }

    function test_theKeyVetoes() public {
        bytes32 id = _recover(REGISTRAR);
        IKeys.Veto memory m = IKeys.Veto(id, _at(BUYER), _at(BUYER), _deadline());
        ring.veto(m, _sign(BUYER, address(ring), _hash(m)));
        vm.warp(block.timestamp + 30 days);
        vm.expectRevert(abi.encodeWithSelector(IKeys.KeysRecoveryStatus.selector, id, uint8(4)));
        ring.completeRecovery(id);
    }

    /// @dev Whoever lost two accounts may offer one key for both; the second must not be lost for good.
    function test_aRecoveryWhoseKeyWasTakenKeepsNoOtherOut() public {
        bytes32 first = _recover(REGISTRAR);
        IKeys.Recover memory other = _recoverOf(REGISTRAR);
        (other.account, other.version) = (_at(SUPPLIER), ring.keysVersion(_at(SUPPLIER)));
        (bytes memory one, bytes memory two) = _signed(other, REGISTRAR);
        ring.recover(other, one, two);
        vm.warp(block.timestamp + 14 days);
        ring.completeRecovery(first);
        bytes32 second = keccak256(abi.encode(other.account, other.newKey, other.version));
        vm.expectRevert(abi.encodeWithSelector(IKeys.KeysTaken.selector, _at(FRESH)));
        ring.completeRecovery(second);

        other.newKey = _at(CHIEF);
        other.deadline = _deadline();
        one = _sign(REGISTRAR, address(ring), _hash(other));
        two = _sign(CHIEF, address(ring), _hash(other));
        ring.recover(other, one, two);
        vm.warp(block.timestamp + 14 days);
        ring.completeRecovery(keccak256(abi.encode(other.account, other.newKey, other.version)));
        vm.assertEq(ring.keyOf(_at(SUPPLIER), _at(CHIEF)).acts, Acts.ALL);
    }

    function test_refusesOwnMatterInARecovery() public {
        IKeys.Recover memory m = _recoverOf(REGISTRAR);
        m.account = _at(REGISTRAR);
        (bytes memory one, bytes memory two) = _signed(m, REGISTRAR);
        vm.expectRevert(abi.encodeWithSelector(IKeys.KeysOwnMatter.selector, _at(REGISTRAR)));
        ring.recover(m, one, two);
    }

    function test_refusesAStrangerInARecovery() public {
        _guard(1);
        IKeys.Recover memory m = _recoverOf(BANK);
        (bytes memory one, bytes memory two) = _signed(m, BANK);
        vm.expectRevert(abi.encodeWithSelector(IKeys.KeysNotGuardian.selector, _at(BUYER), _at(BANK)));
        ring.recover(m, one, two);
    }

    /* HELPERS */

    function _additionOf(uint256 account, uint256 key, uint32 acts, uint64 limit, uint64 until)
        private
        view
        returns (IKeys.AddKey memory)
    {
        uint64 version = ring.keysVersion(_at(account));
        return IKeys.AddKey(
            _at(account), _at(key), acts, limit, until, "person", _at(account), version, _deadline()
        );
    }

    function _add(uint256 account, uint256 key, uint32 acts, uint64 limit) private {
        _add(account, key, acts, limit, WHOLE);
    }

    function _add(uint256 account, uint256 key, uint32 acts, uint64 limit, uint64 until) private {
        _sendRaw(_additionOf(account, key, acts, limit, until), account, key);
    }

    function _sendRaw(IKeys.AddKey memory m, uint256 by, uint256 key) private {
        ring.addKey(m, _sign(by, address(ring), _hash(m)), _sign(key, address(ring), _hash(m)));
    }

    function _end(uint256 account, uint256 by, uint256 key) private {
        uint64 version = ring.keysVersion(_at(account));
        IKeys.EndKey memory m = IKeys.EndKey(_at(account), _at(key), "reason", _at(by), version, _deadline());
        ring.endKey(m, _sign(by, address(ring), _hash(m)));
    }

    function _rotate(uint256 account, uint256 from, uint256 to) private {
        uint64 version = ring.keysVersion(_at(account));
        IKeys.RotateKey memory m = IKeys.RotateKey(_at(account), _at(from), _at(to), version, _deadline());
        ring.rotateKey(m, _sign(from, address(ring), _hash(m)), _sign(to, address(ring), _hash(m)));
    }

    function _guard(uint8 threshold) private {
        _guard(threshold, 2 days);
    }

    function _guard(uint8 threshold, uint64 delay) private {
        address[] memory guardians = new address[](2);
        (guardians[0], guardians[1]) = (_at(SUPPLIER), _at(COLLECTOR));
        IKeys.SetGuardians memory m =
            IKeys.SetGuardians(_at(BUYER), guardians, threshold, delay, _at(BUYER), 0, _deadline());
        ring.setGuardians(m, _sign(BUYER, address(ring), _hash(m)));
    }

    function _recoverOf(uint256 by) private view returns (IKeys.Recover memory) {
        uint64 version = ring.keysVersion(_at(BUYER));
        return IKeys.Recover(_at(BUYER), _at(FRESH), "lost", _at(by), version, _deadline());
    }

    function _signed(IKeys.Recover memory m, uint256 by) private view returns (bytes memory, bytes memory) {
        return (_sign(by, address(ring), _hash(m)), _sign(FRESH, address(ring), _hash(m)));
    }

    function _recover(uint256 by) private returns (bytes32) {
        IKeys.Recover memory m = _recoverOf(by);
        (bytes memory one, bytes memory two) = _signed(m, by);
        ring.recover(m, one, two);
        return keccak256(abi.encode(m.account, m.newKey, m.version));
    }

    function _expectTaken(uint256 key) private {
        vm.expectRevert(abi.encodeWithSelector(IKeys.KeysTaken.selector, _at(key)));
    }
}
