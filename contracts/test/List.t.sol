// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IListings} from "../src/interfaces/IListings.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

contract ListTest is MarketTest {
    bytes32 private assetId;
    bytes32 private operate;

    function setUp() public override {
        super.setUp();
        assetId = _confirmed("manifest");
        operate = _titleId(assetId, ITitles.TitleKind.Operate);
    }

    function testFuzz_lists(bytes32 terms, uint96 price, uint64 term) public {
        IListings.List memory m = _listOf(assetId, terms);
        price = uint96(price % 2 ** 53);
        (m.price, m.validUntil) = (price, uint64(block.timestamp + term % 365 days + 1));
        bytes memory signature = _sign(SUPPLIER, address(listings), _hash(m));
        vm.expectEmit(address(listings));
        emit IListings.Listed(
            m.listingId, assetId, operate, _at(SUPPLIER), terms, 1, bytes32(uint256(1)), 1, price, CNY, m.validUntil
        );
        listings.list(m, signature);
        vm.assertEq(listings.requireLive(m.listingId).price, price);
    }

    /// @dev Readers keep it in a signed 64-bit integer.
    function testFuzz_refusesAPriceAboveAllMoney(uint96 price) public {
        vm.assume(price >= 2 ** 53);
        IListings.List memory m = _listOf(assetId, "terms");
        m.price = price;
        _refuses(m, SUPPLIER, abi.encodeWithSelector(IListings.ListingsPrice.selector, price));
    }

    function test_refusesReplayEvenAfterDelisting() public {
        IListings.List memory m = _listOf(assetId, "terms");
        _send(m, SUPPLIER);
        _send(_delistOf(m.listingId), SUPPLIER);
        _refuses(m, SUPPLIER, abi.encodeWithSelector(IListings.ListingsExists.selector, m.listingId));
    }

    function testFuzz_refusesAForeignId(bytes32 id) public {
        IListings.List memory m = _listOf(assetId, "terms");
        vm.assume(id != m.listingId);
        bytes32 expected = m.listingId;
        m.listingId = id;
        _refuses(m, SUPPLIER, abi.encodeWithSelector(IListings.ListingsIdMismatch.selector, expected, id));
    }

    function test_refusesASellerWithoutTheOperateTitle() public {
        IListings.List memory m = _listOf(assetId, "terms");
        m.seller = _at(COLLECTOR);
        m.listingId = keccak256(abi.encode(m.seller, assetId, m.termsDigest));
        _refuses(m, COLLECTOR, abi.encodeWithSelector(ITitles.TitlesNotHolder.selector, operate, _at(COLLECTOR)));
    }

    function test_refusesASellerWhoGaveTheOperateTitleAway() public {
        _send(_transferOf(operate, SUPPLIER, COLLECTOR), SUPPLIER, COLLECTOR);
        IListings.List memory m = _listOf(assetId, "terms");
        _refuses(m, SUPPLIER, abi.encodeWithSelector(ITitles.TitlesNotHolder.selector, operate, _at(SUPPLIER)));
    }

    function test_refusesAnUnconfirmedAsset() public {
        bytes32 other = _registered("other");
        IListings.List memory m = _listOf(other, "terms");
        _refuses(m, SUPPLIER, abi.encodeWithSelector(IRights.RightsStatus.selector, other, 1, 2));
    }

    function test_refusesAnExpiredAsset() public {
        uint64 until = rights.asset(assetId).validUntil;
        vm.warp(uint256(until) + 1);
        IListings.List memory m = _listOf(assetId, "terms");
        _refuses(m, SUPPLIER, abi.encodeWithSelector(IRights.RightsExpired.selector, assetId, until));
    }

    function testFuzz_refusesATermBeyondTheAsset(uint64 until) public {
        uint64 latest = rights.asset(assetId).validUntil;
        vm.assume(until <= block.timestamp || until > latest);
        IListings.List memory m = _listOf(assetId, "terms");
        m.validUntil = until;
        _refuses(m, SUPPLIER, abi.encodeWithSelector(IListings.ListingsTerm.selector, until, latest));
    }

    function test_refusesASuspendedSeller() public {
        _suspend(SUPPLIER);
        IListings.List memory m = _listOf(assetId, "terms");
        bytes memory signature = _sign(SUPPLIER, address(listings), _hash(m));
        _expectInactive(SUPPLIER, 0);
        listings.list(m, signature);
    }

    function test_refusesAnotherSigner() public {
        IListings.List memory m = _listOf(assetId, "terms");
        bytes memory signature = _sign(BUYER, address(listings), _hash(m));
        _expectSignatureRefused(SUPPLIER);
        listings.list(m, signature);
    }

    function test_refusesAnExpiredIntent() public {
        IListings.List memory m = _listOf(assetId, "terms");
        bytes memory signature = _sign(SUPPLIER, address(listings), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        listings.list(m, signature);
    }

    function _refuses(IListings.List memory m, uint256 key, bytes memory reason) private {
        bytes memory signature = _sign(key, address(listings), _hash(m));
        vm.expectRevert(reason);
        listings.list(m, signature);
    }
}
