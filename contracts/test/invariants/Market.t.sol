// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Signing} from "../base/Signing.sol";
import {Targets} from "../base/Targets.sol";
import {Handler} from "./Handler.sol";
import {Listings} from "../../src/Listings.sol";
import {Orders} from "../../src/Orders.sol";
import {Rights} from "../../src/Rights.sol";
import {SettlementToken} from "../../src/SettlementToken.sol";
import {Titles} from "../../src/Titles.sol";
import {IListings} from "../../src/interfaces/IListings.sol";
import {IOrders} from "../../src/interfaces/IOrders.sol";
import {IRights} from "../../src/interfaces/IRights.sol";
import {ISettlementToken} from "../../src/interfaces/ISettlementToken.sol";
import {ITitles} from "../../src/interfaces/ITitles.sol";

/// @notice What holds after any number of calls, in any order, by anybody. Numbers as in contracts/README.md.
contract MarketInvariants is Signing, Targets {
    Handler private handler;
    Rights private rights;
    Titles private titles;
    SettlementToken private token;
    Orders private orders;
    Listings private listings;

    address private constant TREASURY = address(0x7EA5);
    uint16 private constant CNY = 156;
    uint16 private constant HKD = 344;

    function setUp() public {
        handler = new Handler();
        (address r, address t, address l, address s, address o) = handler.market();
        (rights, titles, listings) = (Rights(r), Titles(t), Listings(l));
        (token, orders) = (SettlementToken(s), Orders(o));
    }

    function _handler() internal view override returns (address) {
        return address(handler);
    }

    function _actions() internal pure override returns (bytes4[] memory selectors) {
        selectors = new bytes4[](31);
        selectors[0] = Handler.issue.selector;
        selectors[1] = Handler.register.selector;
        selectors[2] = Handler.confirm.selector;
        selectors[3] = Handler.transfer.selector;
        selectors[4] = Handler.transferShare.selector;
        selectors[5] = Handler.list.selector;
        selectors[6] = Handler.delist.selector;
        selectors[7] = Handler.fund.selector;
        selectors[8] = Handler.settle.selector;
        selectors[9] = Handler.refund.selector;
        selectors[10] = Handler.anchor.selector;
        selectors[11] = Handler.setStatus.selector;
        selectors[12] = Handler.replay.selector;
        selectors[13] = Handler.wait_.selector;
        selectors[14] = Handler.agree.selector;
        selectors[15] = Handler.redeem.selector;
        selectors[16] = Handler.endRedemption.selector;
        selectors[17] = Handler.grant.selector;
        selectors[18] = Handler.revokeTitle.selector;
        selectors[19] = Handler.offer.selector;
        selectors[20] = Handler.arrange.selector;
        selectors[21] = Handler.deliver.selector;
        selectors[22] = Handler.inspect.selector;
        selectors[23] = Handler.endDelivery.selector;
        selectors[24] = Handler.claim.selector;
        selectors[25] = Handler.challenge.selector;
        selectors[26] = Handler.finish.selector;
        selectors[27] = Handler.weighShare.selector;
        selectors[28] = Handler.derive.selector;
        selectors[29] = Handler.consent.selector;
        selectors[30] = Handler.withdraw.selector;
    }

    /// @notice I-1: money is neither made nor lost: what was issued and not paid out is what accounts, treasury and escrow have, and
    /// what is locked.
    function invariant_moneyIsConserved() public view {
        _checkConserved(token, CNY);
    }

    /// @notice I-33: the same of every currency by itself, so that none ever became another.
    function invariant_eachCurrencyIsConservedByItself() public view {
        SettlementToken dollars = SettlementToken(handler.moneyOf(HKD));
        _checkConserved(dollars, HKD);
        _checkLocked(dollars, HKD);
        _checkEscrow(dollars, HKD);
    }

    function _checkConserved(SettlementToken money, uint16 currency) private view {
        uint256 sum = money.balanceOf(TREASURY) + money.balanceOf(address(orders)) + money.balanceOf(address(money));
        for (uint256 i = 0; i < handler.peopleCount(); ++i) {
            sum += money.balanceOf(vm.addr(handler.people(i)));
        }
        vm.assertEq(sum, handler.issued(currency) - handler.paidOut(currency), "I-1");
        vm.assertEq(money.totalSupply(), handler.issued(currency) - handler.paidOut(currency), "I-1");
    }

    /// @notice I-21: the token itself holds exactly what open redemptions have locked.
    function invariant_lockedIsTheSumOfOpenRedemptions() public view {
        _checkLocked(token, CNY);
    }

    function _checkLocked(SettlementToken money, uint16 currency) private view {
        uint256 sum = 0;
        for (uint256 i = 0; i < handler.redemptionCount(); ++i) {
            bytes32 id = handler.redemptions(i);
            ISettlementToken.Redemption memory record = money.redemption(id);
            vm.assertTrue(handler.redeemedIn(id) == currency || record.account == address(0), "I-33");
            if (record.status == ISettlementToken.RedemptionStatus.Locked) sum += record.amount;
        }
        vm.assertEq(money.balanceOf(address(money)), sum, "I-21");
    }

    /// @notice I-2: the escrow holds exactly what funded orders, claimed ones among them, put into it.
    function invariant_escrowIsTheSumOfFundedOrders() public view {
        _checkEscrow(token, CNY);
    }

    function _checkEscrow(SettlementToken money, uint16 currency) private view {
        uint256 sum = 0;
        for (uint256 i = 0; i < handler.fundedCount(); ++i) {
            IOrders.Order memory order = orders.order(handler.funded(i));
            vm.assertEq(order.currency, listings.listing(order.listingId).currency, "I-33");
            bool open = order.status == IOrders.Status.Funded || order.status == IOrders.Status.Claimed;
            if (open && order.currency == currency) sum += order.escrow;
        }
        vm.assertEq(money.balanceOf(address(orders)), sum, "I-2");
    }

    /// @notice I-5, I-6: per asset, committed minus released is what open, refunded and settled orders may have learned, and
    /// never more than the budget.
    function invariant_epsilonIsNeverOverBudget() public view {
        for (uint256 i = 0; i < handler.assetCount(); ++i) {
            IRights.Asset memory asset = rights.asset(handler.assets(i));
            uint256 used = asset.epsilonCommitted - asset.epsilonReleased;
            vm.assertLe(used, asset.epsilonBudget, "I-5");
            vm.assertEq(used, _usedByOrders(handler.assets(i)), "I-6");
        }
    }

    /// @notice I-7: a confirmed asset has one title to hold and one to operate, another has none.
    function invariant_titlesAreUnique() public view {
        for (uint256 i = 0; i < handler.assetCount(); ++i) {
            bytes32 assetId = handler.assets(i);
            bool confirmed = rights.asset(assetId).status >= IRights.AssetStatus.Confirmed;
            ITitles.Title memory hold = titles.title(keccak256(abi.encode(assetId, ITitles.TitleKind.Hold)));
            ITitles.Title memory operate = titles.title(keccak256(abi.encode(assetId, ITitles.TitleKind.Operate)));
            vm.assertTrue((hold.holder != address(0)) == confirmed, "I-7");
            vm.assertTrue((operate.holder != address(0)) == confirmed, "I-7");
            ITitles.Title memory use = titles.title(keccak256(abi.encode(assetId, ITitles.TitleKind.Use)));
            vm.assertTrue((use.holder != address(0)) == confirmed, "I-7");
            if (!confirmed) continue;
            vm.assertTrue(hold.kind == ITitles.TitleKind.Hold && operate.kind == ITitles.TitleKind.Operate, "I-7");
        }
    }

    /// @notice I-22 to I-24: titles are within their wholes, none outlives one above it, and where two overlap of which one is
    /// exclusive, one is above the other, or one is an older use under a right to operate.
    function invariant_titlesStandWithinTheirWholes() public view {
        for (uint256 i = 0; i < handler.grantedCount(); ++i) {
            bytes32 id = handler.granted(i);
            ITitles.Title memory one = titles.title(id);
            if (one.parent == 0) continue;
            ITitles.Title memory whole = titles.title(one.parent);
            vm.assertTrue(one.purposes & ~whole.purposes == 0 && one.fields & ~whole.fields == 0, "I-22");
            vm.assertTrue(one.territories & ~whole.territories == 0 && one.validUntil <= whole.validUntil, "I-22");
            vm.assertTrue((one.marks & ~whole.marks) & 7 == 0 && one.kind <= whole.kind, "I-22");
            (uint8 cause,) = titles.standing(id);
            (uint8 above,) = titles.standing(one.parent);
            vm.assertTrue(cause != 0 || above == 0, "I-24");
            for (uint256 j = 0; j < i && cause == 0; ++j) {
                _checkPair(handler.granted(j), id);
            }
        }
    }

    function _checkPair(bytes32 older, bytes32 newer) private view {
        (ITitles.Title memory one, ITitles.Title memory two) = (titles.title(older), titles.title(newer));
        (uint8 cause,) = titles.standing(older);
        bool overlaps = one.purposes & two.purposes != 0 && one.territories & two.territories != 0
            && one.fields & two.fields != 0 && one.validFrom <= two.validUntil && two.validFrom <= one.validUntil;
        if (one.parent == 0 || cause != 0 || one.assetId != two.assetId || !overlaps) return;
        if ((one.marks | two.marks) & 1 == 0 || _isAbove(older, newer)) return;
        bool spared = _isPlainUse(older) && two.kind == ITitles.TitleKind.Operate;
        vm.assertTrue(spared || (_isPlainUse(newer) && one.kind == ITitles.TitleKind.Operate), "I-23");
    }

    function _isAbove(bytes32 upper, bytes32 id) private view returns (bool) {
        for (; id != 0; id = titles.title(id).parent) {
            if (id == upper) return true;
        }
        return false;
    }

    function _isPlainUse(bytes32 id) private view returns (bool) {
        ITitles.Title memory title = titles.title(id);
        return title.kind == ITitles.TitleKind.Use && title.marks & 1 == 0;
    }

    /// @notice I-9: revenue shares are at most sixteen distinct holders and sum to 10000.
    function invariant_sharesSumToTheWhole() public view {
        for (uint256 i = 0; i < handler.assetCount(); ++i) {
            IRights.Share[] memory shares = rights.shares(handler.assets(i));
            uint256 sum = 0;
            for (uint256 j = 0; j < shares.length; ++j) {
                sum += shares[j].bps;
                for (uint256 k = 0; k < j; ++k) {
                    vm.assertTrue(shares[j].holder != shares[k].holder, "I-9");
                }
            }
            vm.assertEq(sum, 10_000, "I-9");
            vm.assertLe(shares.length, 16, "I-9");
        }
    }

    /// @notice I-34: what is pledged of a share its holder has, and its pledgee has a place to get it.
    function invariant_pledgedSharesAreHeld() public view {
        for (uint256 i = 0; i < handler.assetCount(); ++i) {
            bytes32 assetId = handler.assets(i);
            IRights.Share[] memory shares = rights.shares(assetId);
            for (uint256 p = 0; p < handler.peopleCount(); ++p) {
                address holder = vm.addr(handler.people(p));
                IRights.Encumbrance memory weight = rights.encumbranceOf(assetId, holder);
                if (weight.bps == 0 && weight.marks == 0) continue;
                uint256 place = _placeIn(shares, holder);
                vm.assertTrue(place < shares.length, "I-34");
                vm.assertLe(weight.bps, shares[place].bps, "I-34");
                vm.assertTrue(shares[place].bps != 0, "I-34");
                if (weight.bps != 0) vm.assertTrue(_placeIn(shares, weight.pledgee) < shares.length, "I-34");
            }
        }
    }

    function _placeIn(IRights.Share[] memory shares, address holder) private pure returns (uint256 place) {
        while (place < shares.length && shares[place].holder != holder) ++place;
    }

    /// @notice I-4, I-8, I-10 to I-14: what the handler sees at the moment it happens.
    function invariant_nothingWasSeenThatMustNotHappen() public view {
        vm.assertEq(bytes(handler.violation()), "");
    }

    /// @dev The invariants are worth what the handler reaches: an order that is settled, and one that is refunded.
    function test_theHandlerReachesTheEndOfAnOrder() public {
        uint256 before = handler.accepted();
        handler.fund(0, 2, 500, 1000, 1 days);
        handler.fund(0, 2, 600, 2000, 1 days);
        handler.settle(0, 100, 10, 1);
        handler.transferShare(0, 0, 3, 4000);
        handler.wait_(4 days + 2);
        handler.refund(1);
        handler.anchor(5, "root");
        handler.delist(0);
        handler.transfer(0, 1, false);
        handler.setStatus(0);
        vm.assertEq(handler.accepted() - before, 9);
        vm.assertEq(uint8(orders.order(handler.funded(0)).status), uint8(IOrders.Status.Settled));
        vm.assertEq(uint8(orders.order(handler.funded(1)).status), uint8(IOrders.Status.Refunded));
        invariant_moneyIsConserved();
        invariant_escrowIsTheSumOfFundedOrders();
        invariant_epsilonIsNeverOverBudget();
        invariant_nothingWasSeenThatMustNotHappen();
    }

    /// @dev And a voucher that is presented after the term of an order that nobody ended.
    function test_theHandlerReachesAVoucherAfterTheTerm() public {
        handler.fund(0, 2, 500, 1000, 1 days);
        uint256 before = handler.accepted();
        handler.challenge(0, 100, 10, 3);
        handler.wait_(1 days + 1);
        handler.refund(0);
        handler.challenge(0, 100, 10, 3);
        handler.challenge(0, 300, 10, 1);
        handler.wait_(3 days + 1);
        handler.refund(0);
        handler.finish(0);
        vm.assertEq(handler.accepted() - before, 3);
        vm.assertEq(uint8(orders.order(handler.funded(0)).status), uint8(IOrders.Status.Settled));
        invariant_moneyIsConserved();
        invariant_escrowIsTheSumOfFundedOrders();
        invariant_nothingWasSeenThatMustNotHappen();
    }

    /// @dev And claims that are finished, closed by both sides, and left open.
    function test_theHandlerReachesEveryEndOfAClaim() public {
        for (uint96 i = 0; i < 3; ++i) {
            handler.fund(0, 2, 500 + i, 1000, 1 days);
        }
        uint256 before = handler.accepted();
        for (uint256 i = 1; i <= 3; ++i) {
            handler.claim(i, 100, 10, 1);
        }
        handler.challenge(1, 300, 5, 1);
        handler.challenge(1, 200, 20, 1);
        handler.settle(2, 100, 10, 1);
        handler.wait_(4 days);
        handler.refund(0);
        handler.finish(1);
        vm.assertEq(handler.accepted() - before, 7);
        IOrders.Status[3] memory ends = [IOrders.Status.Claimed, IOrders.Status.Settled, IOrders.Status.Settled];
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(uint8(orders.order(handler.funded(i)).status), uint8(ends[i]));
        }
        vm.assertEq(handler.spent(handler.funded(1)), 20);
        invariant_moneyIsConserved();
        invariant_escrowIsTheSumOfFundedOrders();
        invariant_epsilonIsNeverOverBudget();
        invariant_nothingWasSeenThatMustNotHappen();
    }

    /// @dev And shares that are pledged, released, enforced and seized.
    function test_theHandlerReachesEveryEndOfAPledgedShare() public {
        uint256 before = handler.accepted();
        handler.weighShare(0, 0, 3, 10, 0);
        handler.weighShare(0, 0, 3, 0, 3);
        handler.weighShare(0, 0, 3, 10, 0);
        handler.weighShare(0, 0, 3, 0, 7);
        handler.weighShare(0, 0, 3, 0, 1); // refused: it is seized
        handler.weighShare(0, 0, 3, 0, 7);
        handler.weighShare(0, 0, 3, 0, 1);
        vm.assertEq(handler.accepted() - before, 6);
        invariant_pledgedSharesAreHeld();
        invariant_sharesSumToTheWhole();
        invariant_nothingWasSeenThatMustNotHappen();
    }

    /// @dev And a product of a product, ordered, paid through three assets, and stopped by a consent that is withdrawn.
    function test_theHandlerReachesAProductOfAProduct() public {
        handler.derive(8, 15, 2000, false); // another's, of the first asset
        handler.derive(3, 9, 3000, false);
        vm.assertEq(handler.derivedCount(), 2);
        handler.fund(4, 2, 500, 1000, 1 days);
        vm.assertEq(handler.fundedCount(), 1);
        handler.settle(0, 100, 10, 1);
        vm.assertEq(uint8(orders.order(handler.funded(0)).status), uint8(IOrders.Status.Settled));
        handler.withdraw(0);
        handler.fund(4, 2, 501, 1000, 1 days);
        vm.assertEq(handler.fundedCount(), 1);
        invariant_moneyIsConserved();
        invariant_escrowIsTheSumOfFundedOrders();
        invariant_nothingWasSeenThatMustNotHappen();
    }

    /// @dev And deliveries that are accepted, deemed accepted and lapsed.
    function test_theHandlerReachesEveryEndOfADelivery() public {
        handler.offer(0, 400, 1, 3);
        for (uint96 i = 0; i < 3; ++i) {
            handler.fund(0, 2, 500 + i, 1000, 19 days);
        }
        uint256 before = handler.accepted();
        for (uint256 i = 1; i <= 2; ++i) {
            handler.arrange(i, 1);
            handler.deliver(i);
        }
        handler.inspect(1, 0);
        handler.inspect(1, 2);
        handler.deliver(1);
        handler.inspect(1, 1);
        handler.arrange(3, 1);
        handler.wait_(3 days);
        handler.endDelivery(2, true);
        handler.endDelivery(3, false);
        vm.assertEq(handler.accepted() - before, 11);
        vm.assertEq(uint8(orders.order(handler.funded(0)).status), uint8(IOrders.Status.Refunded));
        vm.assertEq(uint8(orders.order(handler.funded(1)).status), uint8(IOrders.Status.Settled));
        vm.assertEq(uint8(orders.order(handler.funded(2)).status), uint8(IOrders.Status.Settled));
        invariant_moneyIsConserved();
        invariant_escrowIsTheSumOfFundedOrders();
        invariant_epsilonIsNeverOverBudget();
        invariant_nothingWasSeenThatMustNotHappen();
    }

    /// @dev And the same in the other currency, in which nobody funds an order of the first.
    function test_theHandlerReachesOrdersOfBothCurrencies() public {
        handler.list(0, 10, 7);
        handler.fund(3, 2, 500, 1000, 1 days);
        vm.assertEq(handler.fundedCount(), 0);
        handler.fund(3, 2, 500, 1000, 1 days + 1);
        handler.fund(0, 2, 600, 2000, 1 days + 1);
        handler.redeem(1, 1003);
        vm.assertEq(orders.order(handler.funded(0)).currency, HKD);
        vm.assertEq(orders.order(handler.funded(1)).currency, CNY);
        handler.settle(0, 100, 10, 1);
        handler.wait_(4 days + 2);
        handler.refund(1);
        vm.assertEq(uint8(orders.order(handler.funded(0)).status), uint8(IOrders.Status.Settled));
        vm.assertEq(uint8(orders.order(handler.funded(1)).status), uint8(IOrders.Status.Refunded));
        vm.assertEq(handler.redemptionCount(), 1);
        invariant_moneyIsConserved();
        invariant_eachCurrencyIsConservedByItself();
        invariant_escrowIsTheSumOfFundedOrders();
        invariant_nothingWasSeenThatMustNotHappen();
    }

    /// @dev And a redemption that is paid, one that is rejected, one that expires and one that stays open.
    function test_theHandlerReachesEveryEndOfARedemption() public {
        for (uint256 i = 0; i < 4; ++i) {
            handler.redeem(i, 1000);
        }
        handler.endRedemption(0, 1);
        handler.endRedemption(1, 2);
        handler.endRedemption(2, 3);
        handler.wait_(4 days);
        handler.wait_(2 days);
        handler.endRedemption(2, 3);
        vm.assertEq(handler.redemptionCount(), 4);
        uint8[4] memory ends = [2, 3, 4, 1];
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(uint8(token.redemption(handler.redemptions(i)).status), ends[i]);
        }
        vm.assertEq(handler.paidOut(CNY), 1000);
        invariant_moneyIsConserved();
        invariant_lockedIsTheSumOfOpenRedemptions();
        invariant_nothingWasSeenThatMustNotHappen();
    }

    function _usedByOrders(bytes32 assetId) private view returns (uint256 used) {
        for (uint256 i = 0; i < handler.fundedCount(); ++i) {
            bytes32 orderId = handler.funded(i);
            IOrders.Order memory order = orders.order(orderId);
            IListings.Listing memory listing = listings.listing(order.listingId);
            if (listing.assetId != assetId) continue;
            used += order.status == IOrders.Status.Settled ? handler.spent(orderId) : order.epsilonCap;
        }
    }
}
