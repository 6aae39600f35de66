// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IIntentBatch} from "../src/interfaces/IIntentBatch.sol";
import {IListings} from "../src/interfaces/IListings.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

/// @notice Parts of titles: within their whole, exclusive or not, and dead with it.
contract GrantTest is MarketTest {
    bytes32 private assetId;
    bytes32 private operate;

    function setUp() public override {
        super.setUp();
        assetId = _confirmed("manifest");
        operate = _titleId(assetId, ITitles.TitleKind.Operate);
    }

    function testFuzz_aPartIsNeverWiderThanItsWhole(
        uint32 purposes,
        bytes32 fields,
        uint48 territories,
        uint8 marks,
        uint32 from,
        uint32 until
    ) public {
        bytes32 parent = _given(6, 0x0f, bytes32(uint256(0xff)), 0x33, "parent");
        ITitles.Grant memory m = _grantOf(parent, COLLECTOR, BUYER, "part");
        (m.purposes, m.territories, m.marks) = (purposes % 20, territories % 70, marks % 8);
        m.fields = bytes32(uint256(fields) % 300);
        (m.validFrom, m.validUntil) = (uint64(block.timestamp) + from % 40 days, uint64(block.timestamp) + until % 40 days);
        bool within = m.marks & ~uint8(6) == 0 && m.purposes != 0 && m.purposes & ~uint32(0x0f) == 0 && m.fields != 0
            && m.fields & ~bytes32(uint256(0xff)) == 0 && m.territories != 0 && m.territories & ~uint48(0x33) == 0
            && m.validFrom < m.validUntil && m.validUntil <= titles.title(parent).validUntil;
        bytes memory call_ = abi.encodeCall(
            ITitles.grant, (m, _sign(COLLECTOR, address(titles), _hash(m)), _sign(BUYER, address(titles), _hash(m)))
        );
        (bool accepted,) = address(titles).call(call_);
        vm.assertTrue(accepted == within, "a part is within its whole");
    }

    function test_grantsAPart() public {
        ITitles.Grant memory m = _grantOf(operate, SUPPLIER, COLLECTOR, "part");
        vm.expectEmit(address(titles));
        emit ITitles.TitleDerived(
            m.titleId,
            assetId,
            operate,
            m.kind,
            _at(COLLECTOR),
            m.purposes,
            m.fields,
            m.territories,
            m.validFrom,
            m.validUntil,
            m.marks,
            m.termsDigest
        );
        _send(m, SUPPLIER, COLLECTOR);
        ITitles.Title memory part = titles.title(m.titleId);
        vm.assertEq(part.holder, _at(COLLECTOR));
        vm.assertEq(part.parent, operate);
        _stands(m.titleId, 0, 0);
    }

    function test_refusesReplay() public {
        ITitles.Grant memory m = _grantOf(operate, SUPPLIER, COLLECTOR, "part");
        _send(m, SUPPLIER, COLLECTOR);
        _refuses(m, SUPPLIER, COLLECTOR, abi.encodeWithSelector(ITitles.TitlesExists.selector, m.titleId));
    }

    function test_refusesAForeignId() public {
        ITitles.Grant memory m = _grantOf(operate, SUPPLIER, COLLECTOR, "part");
        bytes32 expected = m.titleId;
        m.titleId = "other";
        bytes memory reason = abi.encodeWithSelector(ITitles.TitlesIdMismatch.selector, expected, bytes32("other"));
        _refuses(m, SUPPLIER, COLLECTOR, reason);
    }

    function test_refusesAGrantorWhoDoesNotHoldTheParent() public {
        ITitles.Grant memory m = _grantOf(operate, COLLECTOR, BUYER, "part");
        bytes memory reason = abi.encodeWithSelector(ITitles.TitlesNotHolder.selector, operate, _at(COLLECTOR));
        _refuses(m, COLLECTOR, BUYER, reason);
    }

    function test_refusesAGrantOutOfTheRightToHold() public {
        bytes32 hold = _titleId(assetId, ITitles.TitleKind.Hold);
        for (uint8 kind = 0; kind < 5; ++kind) {
            ITitles.Grant memory m = _grantOf(hold, SUPPLIER, COLLECTOR, "part");
            m.kind = kind;
            bytes memory reason = abi.encodeWithSelector(ITitles.TitlesNotGrantable.selector, hold, kind);
            _refuses(m, SUPPLIER, COLLECTOR, reason);
        }
    }

    function test_refusesOperatingOutOfTheRightToUse() public {
        bytes32 use = _titleId(assetId, ITitles.TitleKind.Use);
        ITitles.Grant memory m = _grantOf(use, SUPPLIER, COLLECTOR, "part");
        m.kind = uint8(ITitles.TitleKind.Operate);
        _refuses(m, SUPPLIER, COLLECTOR, abi.encodeWithSelector(ITitles.TitlesNotGrantable.selector, use, m.kind));
    }

    function test_refusesToGrantOnWithoutTheMark() public {
        bytes32 part = _given(0, 3, bytes32(uint256(3)), 3, "part");
        ITitles.Grant memory m = _grantOf(part, COLLECTOR, BUYER, "second");
        _refuses(m, COLLECTOR, BUYER, abi.encodeWithSelector(ITitles.TitlesNotGrantable.selector, part, m.kind));
        ITitles.Transfer memory move = _transferOf(part, COLLECTOR, BUYER);
        bytes memory one = _sign(COLLECTOR, address(titles), _hash(move));
        bytes memory two = _sign(BUYER, address(titles), _hash(move));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesNotTransferable.selector, part));
        titles.transfer(move, one, two);
    }

    function test_refusesAnExclusivePartOfWhatIsNotExclusive() public {
        bytes32 part = _given(2, 3, bytes32(uint256(3)), 3, "part");
        ITitles.Grant memory m = _grantOf(part, COLLECTOR, BUYER, "second");
        m.marks = 1;
        _refuses(m, COLLECTOR, BUYER, abi.encodeWithSelector(ITitles.TitlesWider.selector, part, 1));
    }

    /* EXCLUSIVE */

    function testFuzz_refusesASecondTitleInAnExclusiveCell(uint32 purposes, uint48 territories, bool exclusive) public {
        bytes32 first = _given(1, 3, bytes32(uint256(3)), 3, "first");
        ITitles.Grant memory m = _grantOf(operate, SUPPLIER, BUYER, "second");
        (m.purposes, m.territories, m.marks) = (purposes % 8 + 1, territories % 8 + 1, exclusive ? 1 : 0);
        bool overlaps = m.purposes & 3 != 0 && m.territories & 3 != 0;
        if (overlaps) {
            _refuses(m, SUPPLIER, BUYER, abi.encodeWithSelector(ITitles.TitlesConflict.selector, first));
        } else {
            _send(m, SUPPLIER, BUYER);
        }
    }

    function test_refusesAnExclusiveTitleOverOneThatIsNot() public {
        bytes32 first = _given(0, 3, bytes32(uint256(3)), 3, "first");
        ITitles.Grant memory m = _grantOf(operate, SUPPLIER, BUYER, "second");
        m.marks = 1;
        _refuses(m, SUPPLIER, BUYER, abi.encodeWithSelector(ITitles.TitlesConflict.selector, first));
        vm.warp(uint256(titles.title(first).validUntil) + 1);
        (m.validFrom, m.validUntil, m.deadline) =
            (uint64(block.timestamp), uint64(block.timestamp + 1 days), _deadline());
        _send(m, SUPPLIER, BUYER);
    }

    function test_anOlderUseMayRemainUnderAnExclusiveRightToOperateButNotUnderAnExclusiveUse() public {
        ITitles.Grant memory use = _grantOf(operate, SUPPLIER, BUYER, "use");
        use.kind = uint8(ITitles.TitleKind.Use);
        _send(use, SUPPLIER, BUYER);
        bytes32 exclusive = _given(7, 3, bytes32(uint256(3)), 3, "exclusive");
        ITitles.Grant memory second = _grantOf(exclusive, COLLECTOR, STRANGER_IN, "second");
        (second.kind, second.marks) = (uint8(ITitles.TitleKind.Use), 1);
        bytes memory reason = abi.encodeWithSelector(ITitles.TitlesConflict.selector, use.titleId);
        _refuses(second, COLLECTOR, STRANGER_IN, reason);
    }

    function test_usesOfTheFirstUseAndOfTheFirstOperateTitleMeet() public {
        ITitles.Grant memory exclusive = _grantOf(operate, SUPPLIER, BUYER, "exclusive");
        (exclusive.kind, exclusive.marks) = (uint8(ITitles.TitleKind.Use), 1);
        _send(exclusive, SUPPLIER, BUYER);
        bytes32 root = _titleId(assetId, ITitles.TitleKind.Use);
        ITitles.Grant memory m = _grantOf(root, SUPPLIER, COLLECTOR, "second");
        m.kind = uint8(ITitles.TitleKind.Use);
        _refuses(m, SUPPLIER, COLLECTOR, abi.encodeWithSelector(ITitles.TitlesConflict.selector, exclusive.titleId));
    }

    function test_refusesAnExclusiveUseWhereOrdersMayUse() public {
        IListings.List memory l = _listOf(assetId, "terms");
        _send(l, SUPPLIER);
        ITitles.Grant memory m = _grantOf(operate, SUPPLIER, BUYER, "exclusive");
        (m.kind, m.marks) = (uint8(ITitles.TitleKind.Use), 1);
        bytes memory reason = abi.encodeWithSelector(ITitles.TitlesOffered.selector, operate, l.validUntil);
        _refuses(m, SUPPLIER, BUYER, reason);
        m.purposes = 2;
        _send(m, SUPPLIER, BUYER);
    }

    function test_anExclusiveLicenseeShutsOutItsGrantorsOffers() public {
        IListings.List memory before = _listOf(assetId, "before");
        _send(before, SUPPLIER);
        bytes32 part = _given(1, 1, bytes32(uint256(1)), 1, "exclusive");
        IListings.List memory later = _listOf(assetId, "later");
        bytes memory signature = _sign(SUPPLIER, address(listings), _hash(later));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesConflict.selector, part));
        listings.list(later, signature);
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesConflict.selector, part));
        listings.requireLive(before.listingId);
        later.purposes = 2;
        _send(later, SUPPLIER);
        _send(_listUnder(part, "licensee"), COLLECTOR);
    }

    /* OFFERS NEED COVER */

    function testFuzz_refusesAnOfferThatTheTitleDoesNotCover(uint32 purposes, uint48 territories) public {
        bytes32 part = _given(0, 5, bytes32(uint256(1)), 6, "part");
        IListings.List memory l = _listUnder(part, "terms");
        (l.purposes, l.territories) = (purposes % 8, territories % 8);
        bool covers =
            l.purposes != 0 && l.purposes & ~uint32(5) == 0 && l.territories != 0 && l.territories & ~uint48(6) == 0;
        bytes memory signature = _sign(COLLECTOR, address(listings), _hash(l));
        (bool accepted,) = address(listings).call(abi.encodeCall(IListings.list, (l, signature)));
        vm.assertTrue(accepted == covers, "an offer is covered");
    }

    function test_refusesAnOfferUnderATitleToUse() public {
        ITitles.Grant memory m = _grantOf(operate, SUPPLIER, COLLECTOR, "use");
        m.kind = uint8(ITitles.TitleKind.Use);
        _send(m, SUPPLIER, COLLECTOR);
        IListings.List memory l = _listUnder(m.titleId, "terms");
        bytes memory signature = _sign(COLLECTOR, address(listings), _hash(l));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesNotHolder.selector, m.titleId, _at(COLLECTOR)));
        listings.list(l, signature);
    }

    /* CASCADES */

    function test_whatIsGrantedDiesWithAnyTitleAboveIt() public {
        bytes32[] memory chain = _chain(4);
        IListings.List memory l = _listUnder(chain[3], "terms");
        l.seller = titles.title(chain[3]).holder;
        l.listingId = keccak256(abi.encode(l.seller, assetId, l.termsDigest));
        _send(l, _keyAt(3));
        _send(_revocationOf(chain[1], REGISTRAR), REGISTRAR);
        _stands(chain[3], 1, chain[1]);
        _stands(chain[0], 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesOver.selector, chain[3], chain[1], 1));
        listings.requireLive(l.listingId);
    }

    function test_whatIsGrantedDiesWithItsAsset() public {
        bytes32[] memory chain = _chain(2);
        _send(_markOf(assetId, IRights.AssetStatus.Suspended), REGISTRAR);
        _stands(chain[1], 4, operate);
        _send(_markOf(assetId, IRights.AssetStatus.Confirmed), REGISTRAR);
        _stands(chain[1], 0, 0);
    }

    function test_anOrdersUseDiesWithTheTitleOfItsListing() public {
        bytes32 part = _given(0, 3, bytes32(uint256(3)), 3, "part");
        IListings.List memory l = _listUnder(part, "terms");
        _send(l, COLLECTOR);
        IOrders.Fund memory order = _fundOf(l.listingId, "agreement");
        _send(_issueOf(BUYER, order.escrow, "agreement"), BANK);
        _send(order, BUYER);
        bytes32 use = keccak256(abi.encode(assetId, ITitles.TitleKind.Use, order.orderId));
        vm.assertEq(titles.title(use).parent, part);
        vm.assertEq(titles.title(use).assetId, assetId);
        _stands(use, 0, 0);
        _send(_revocationOf(part, REGISTRAR), REGISTRAR);
        _stands(use, 1, part);
    }

    function test_refusesANinthGrantInARow() public {
        bytes32[] memory chain = _chain(8);
        ITitles.Grant memory m = _grantOf(chain[7], _keyAt(7), BUYER, "ninth");
        _refuses(m, _keyAt(7), BUYER, abi.encodeWithSelector(ITitles.TitlesDepth.selector, chain[7]));
    }

    function test_aTitleHasThirtyTwoPartsAndAPlaceIsFreeAgainWhenOneIsOver() public {
        bytes32 first = _given(0, 1, bytes32(uint256(1)), 1, bytes32(uint256(0)));
        for (uint256 i = 1; i < 32; ++i) {
            _given(0, 1, bytes32(uint256(1)), 1, bytes32(i));
        }
        ITitles.Grant memory m = _grantOf(operate, SUPPLIER, COLLECTOR, "last");
        _refuses(m, SUPPLIER, COLLECTOR, abi.encodeWithSelector(ITitles.TitlesFull.selector, operate));
        _send(_surrenderOf(first, COLLECTOR), COLLECTOR);
        _send(m, SUPPLIER, COLLECTOR);
    }

    function test_refusesAHolderWhoGivesUpAFirstTitle() public {
        ITitles.Surrender memory m = _surrenderOf(operate, SUPPLIER);
        bytes memory signature = _sign(SUPPLIER, address(titles), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesFirst.selector, operate));
        titles.surrender(m, signature);
    }

    function test_refusesARegistrarWhoHoldsATitleAbove() public {
        ITitles.Grant memory above = _grantOf(operate, SUPPLIER, REGISTRAR, "above");
        above.marks = 2;
        _send(above, SUPPLIER, REGISTRAR);
        ITitles.Grant memory part = _grantOf(above.titleId, REGISTRAR, COLLECTOR, "part");
        part.marks = 0;
        _send(part, REGISTRAR, COLLECTOR);
        ITitles.RevokeTitle memory m = _revocationOf(part.titleId, REGISTRAR);
        bytes memory signature = _sign(REGISTRAR, address(titles), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsOwnMatter.selector, _at(REGISTRAR)));
        titles.revoke(m, signature);
    }

    function test_refusesARevocationByWhoIsNoRegistrar() public {
        bytes32 part = _given(0, 1, bytes32(uint256(1)), 1, "part");
        ITitles.RevokeTitle memory m = _revocationOf(part, BUYER);
        bytes memory signature = _sign(BUYER, address(titles), _hash(m));
        _expectInactive(BUYER, 4);
        titles.revoke(m, signature);
    }

    /* HELPERS */

    uint256 private constant STRANGER_IN = SUPPLIER;

    function _keyAt(uint256 depth) private pure returns (uint256) {
        return depth % 2 == 0 ? COLLECTOR : SUPPLIER;
    }

    function _chain(uint256 length) private returns (bytes32[] memory ids) {
        ids = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            uint256 grantor = i == 0 ? SUPPLIER : _keyAt(i - 1);
            ITitles.Grant memory m = _grantOf(i == 0 ? operate : ids[i - 1], grantor, _keyAt(i), bytes32(i));
            m.marks = 2;
            _send(m, grantor, _keyAt(i));
            ids[i] = m.titleId;
        }
    }

    function _given(uint8 marks, uint32 purposes, bytes32 fields, uint48 territories, bytes32 terms)
        private
        returns (bytes32)
    {
        ITitles.Grant memory m = _grantOf(operate, SUPPLIER, COLLECTOR, terms);
        (m.marks, m.purposes, m.fields, m.territories) = (marks, purposes, fields, territories);
        _send(m, SUPPLIER, COLLECTOR);
        return m.titleId;
    }

    function _listUnder(bytes32 titleId, bytes32 terms) private view returns (IListings.List memory l) {
        l = _listOf(assetId, terms);
        l.titleId = titleId;
        l.seller = _at(COLLECTOR);
        l.listingId = keccak256(abi.encode(l.seller, assetId, terms));
        l.validUntil = uint64(block.timestamp + 10 days);
        (l.purposes, l.territories) = (
            titles.title(titleId).purposes & ~(titles.title(titleId).purposes - 1),
            titles.title(titleId).territories & ~(titles.title(titleId).territories - 1)
        );
    }

    function _stands(bytes32 titleId, uint8 cause, bytes32 ancestor) private view {
        (uint8 got, bytes32 from) = titles.standing(titleId);
        vm.assertEq(got, cause);
        vm.assertEq(from, ancestor);
    }

    function _refuses(ITitles.Grant memory m, uint256 grantor, uint256 grantee, bytes memory reason) private {
        bytes memory one = _sign(grantor, address(titles), _hash(m));
        bytes memory two = _sign(grantee, address(titles), _hash(m));
        vm.expectRevert(reason);
        titles.grant(m, one, two);
    }
}
