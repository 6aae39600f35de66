// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IListings} from "../src/interfaces/IListings.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

contract FundTest is MarketTest {
    bytes32 private listingId;
    bytes32 private assetId;

    function setUp() public override {
        super.setUp();
        listingId = _listed("terms");
        assetId = listings.listing(listingId).assetId;
        _send(_issueOf(BUYER, 1_000_000, "payment"), BANK);
    }

    function testFuzz_funds(uint96 escrow, uint64 cap, uint64 term, bytes32 agreement) public {
        IOrders.Fund memory m = _fundOf(listingId, agreement);
        m.escrow = escrow % 999_901 + 100;
        m.epsilonCap = cap % BUDGET + 1;
        m.validUntil = uint64(block.timestamp + term % 30 days + 1);
        bytes memory signature = _sign(BUYER, address(orders), _hash(m));
        vm.expectEmit(address(orders));
        emit IOrders.Funded(
            m.orderId, listingId, assetId, _at(BUYER), m.escrow, m.epsilonCap, m.validUntil, agreement, 0
        );
        orders.fund(m, signature);

        vm.assertEq(token.balanceOf(_at(BUYER)), 1_000_000 - m.escrow);
        vm.assertEq(token.balanceOf(address(orders)), m.escrow);
        vm.assertEq(rights.budgetLeft(assetId), BUDGET - m.epsilonCap);
        ITitles.Title memory use = titles.title(keccak256(abi.encode(assetId, ITitles.TitleKind.Use, m.orderId)));
        vm.assertEq(use.holder, _at(BUYER));
        vm.assertEq(use.validUntil, m.validUntil);
    }

    function test_refusesReplay() public {
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        _send(m, BUYER);
        _refuses(m, abi.encodeWithSelector(IOrders.OrdersExists.selector, m.orderId));
    }

    function testFuzz_refusesAForeignId(bytes32 id) public {
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        vm.assume(id != m.orderId);
        bytes32 expected = m.orderId;
        m.orderId = id;
        _refuses(m, abi.encodeWithSelector(IOrders.OrdersIdMismatch.selector, expected, id));
    }

    function testFuzz_refusesAnEscrowBelowOneCall(uint96 escrow) public {
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        m.escrow = escrow % 100;
        _refuses(m, abi.encodeWithSelector(IOrders.OrdersEscrowTooSmall.selector, m.escrow, 100));
    }

    function testFuzz_refusesMoreMoneyThanTheBuyerHas(uint96 escrow) public {
        vm.assume(escrow > 1_000_000);
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        m.escrow = escrow;
        _refuses(
            m,
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientBalance.selector, _at(BUYER), 1_000_000, uint256(escrow)
            )
        );
        vm.assertEq(uint8(orders.order(m.orderId).status), uint8(IOrders.Status.None));
    }

    function testFuzz_refusesMoreEpsilonThanIsLeft(uint64 cap) public {
        vm.assume(cap > BUDGET);
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        m.epsilonCap = cap;
        _refuses(m, abi.encodeWithSelector(IRights.RightsBudgetExceeded.selector, assetId, BUDGET, cap));
        vm.assertEq(token.balanceOf(address(orders)), 0);
    }

    function test_refusesWhatEarlierOrdersCommitted() public {
        IOrders.Fund memory m = _fundOf(listingId, "first");
        m.epsilonCap = BUDGET;
        _send(m, BUYER);
        m = _fundOf(listingId, "second");
        _refuses(m, abi.encodeWithSelector(IRights.RightsBudgetExceeded.selector, assetId, 0, m.epsilonCap));
    }

    function test_refusesNoEpsilon() public {
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        m.epsilonCap = 0;
        _refuses(m, abi.encodeWithSelector(IOrders.OrdersEpsilonCapZero.selector));
    }

    function testFuzz_refusesATermBeyondTheListing(uint64 until) public {
        uint64 latest = listings.listing(listingId).validUntil;
        vm.assume(until <= block.timestamp || until > latest);
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        m.validUntil = until;
        _refuses(m, abi.encodeWithSelector(IOrders.OrdersTerm.selector, until, latest));
    }

    function test_refusesTheSellerAsBuyer() public {
        _admit(SUPPLIER, Roles.SUPPLIER | Roles.BUYER);
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        m.buyer = _at(SUPPLIER);
        m.orderId = keccak256(abi.encode(m.buyer, listingId, m.agreementDigest));
        bytes memory signature = _sign(SUPPLIER, address(orders), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrdersOwnListing.selector, _at(SUPPLIER)));
        orders.fund(m, signature);
    }

    function test_refusesABuyerWithoutTheRole() public {
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        m.buyer = _at(COLLECTOR);
        m.orderId = keccak256(abi.encode(m.buyer, listingId, m.agreementDigest));
        bytes memory signature = _sign(COLLECTOR, address(orders), _hash(m));
        _expectInactive(COLLECTOR, Roles.BUYER);
        orders.fund(m, signature);
    }

    function test_refusesADelistedOffer() public {
        _send(_delistOf(listingId), SUPPLIER);
        _refuses(
            _fundOf(listingId, "agreement"),
            abi.encodeWithSelector(IListings.ListingsNotListed.selector, listingId, 2)
        );
    }

    function test_refusesAnExpiredListing() public {
        uint64 until = listings.listing(listingId).validUntil;
        vm.warp(uint256(until) + 1);
        _refuses(
            _fundOf(listingId, "agreement"),
            abi.encodeWithSelector(IListings.ListingsExpired.selector, listingId, until)
        );
    }

    function test_refusesAnOfferWhoseSellerGaveTheOperateTitleAway() public {
        bytes32 operate = _titleId(assetId, ITitles.TitleKind.Operate);
        _send(_transferOf(operate, SUPPLIER, COLLECTOR), SUPPLIER, COLLECTOR);
        _refuses(
            _fundOf(listingId, "agreement"),
            abi.encodeWithSelector(ITitles.TitlesNotHolder.selector, operate, _at(SUPPLIER))
        );
    }

    function test_refusesAnOfferOfASuspendedSeller() public {
        _suspend(SUPPLIER);
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        bytes memory signature = _sign(BUYER, address(orders), _hash(m));
        _expectInactive(SUPPLIER, 0);
        orders.fund(m, signature);
    }

    function test_refusesAnotherSigner() public {
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        bytes memory signature = _sign(SUPPLIER, address(orders), _hash(m));
        _expectSignatureRefused(BUYER);
        orders.fund(m, signature);
    }

    function test_refusesAnExpiredIntent() public {
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        bytes memory signature = _sign(BUYER, address(orders), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        orders.fund(m, signature);
    }

    function testFuzz_onlyOrdersMovesTheBudget(address caller) public {
        vm.assume(caller != address(orders));
        bytes memory reason = abi.encodeWithSelector(IRights.RightsOnlyOrders.selector, caller);
        vm.prank(caller);
        vm.expectRevert(reason);
        rights.commitBudget(assetId, "order", 1);
        vm.prank(caller);
        vm.expectRevert(reason);
        rights.releaseBudget(assetId, "order", 1);
    }

    function testFuzz_onlyOrdersGrantsUsesAndOnlyRightsOpensTitles(address caller) public {
        vm.assume(caller != address(orders) && caller != address(rights) && caller != address(listings));
        bytes memory reason = abi.encodeWithSelector(ITitles.TitlesOnlyMarket.selector, caller);
        vm.prank(caller);
        vm.expectRevert(reason);
        titles.grantUse("parent", assetId, "order", caller, START);
        vm.prank(caller);
        vm.expectRevert(reason);
        titles.open(assetId, caller, START, 7);
        vm.prank(caller);
        vm.expectRevert(reason);
        titles.offer("title", assetId, caller, 1, bytes32(uint256(1)), 1, START);
    }

    function _refuses(IOrders.Fund memory m, bytes memory reason) private {
        bytes memory signature = _sign(BUYER, address(orders), _hash(m));
        vm.expectRevert(reason);
        orders.fund(m, signature);
    }
}
