// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IListings} from "../src/interfaces/IListings.sol";

contract DelistTest is MarketTest {
    bytes32 private listingId;

    function setUp() public override {
        super.setUp();
        listingId = _listed("terms");
    }

    function test_delists() public {
        IListings.Delist memory m = _delistOf(listingId);
        bytes memory signature = _sign(SUPPLIER, address(listings), _hash(m));
        vm.expectEmit(address(listings));
        emit IListings.Delisted(listingId, 2);
        listings.delist(m, signature);
        vm.expectRevert(abi.encodeWithSelector(IListings.ListingsNotListed.selector, listingId, 2));
        listings.requireLive(listingId);
    }

    function test_aSuspendedSellerMayStillTakeAnOfferBack() public {
        _suspend(SUPPLIER);
        _send(_delistOf(listingId), SUPPLIER);
    }

    function test_refusesReplay() public {
        IListings.Delist memory m = _delistOf(listingId);
        _send(m, SUPPLIER);
        _refuses(m, SUPPLIER, abi.encodeWithSelector(IListings.ListingsNotListed.selector, listingId, 2));
    }

    function test_refusesAnotherThanTheSeller() public {
        IListings.Delist memory m = _delistOf(listingId);
        m.seller = _at(BUYER);
        _refuses(
            m, BUYER, abi.encodeWithSelector(IListings.ListingsNotSeller.selector, listingId, _at(BUYER))
        );
    }

    function testFuzz_refusesAnUnknownListing(bytes32 id) public {
        vm.assume(id != listingId);
        IListings.Delist memory m = _delistOf(id);
        _refuses(m, SUPPLIER, abi.encodeWithSelector(IListings.ListingsNotListed.selector, id, 0));
    }

    function testFuzz_refusesAnotherVersion(uint64 version) public {
        vm.assume(version != 1);
        IListings.Delist memory m = _delistOf(listingId);
        m.version = version;
        bytes memory signature = _sign(SUPPLIER, address(listings), _hash(m));
        _expectStale(1, version);
        listings.delist(m, signature);
    }

    function test_refusesAnotherSigner() public {
        IListings.Delist memory m = _delistOf(listingId);
        bytes memory signature = _sign(BUYER, address(listings), _hash(m));
        _expectSignatureRefused(SUPPLIER);
        listings.delist(m, signature);
    }

    function test_refusesAnExpiredIntent() public {
        IListings.Delist memory m = _delistOf(listingId);
        bytes memory signature = _sign(SUPPLIER, address(listings), _hash(m));
        vm.warp(uint256(m.deadline) + 1);
        _expectExpired(m.deadline);
        listings.delist(m, signature);
    }

    function _refuses(IListings.Delist memory m, uint256 key, bytes memory reason) private {
        bytes memory signature = _sign(key, address(listings), _hash(m));
        vm.expectRevert(reason);
        listings.delist(m, signature);
    }
}
