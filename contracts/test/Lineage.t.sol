// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {ILineage} from "../src/interfaces/ILineage.sol";
import {IListings} from "../src/interfaces/IListings.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

/// @notice SUPPLIER makes a product of what COLLECTOR operates.
contract LineageTest is MarketTest {
    bytes32 private input;
    bytes32 private product;

    function setUp() public override {
        super.setUp();
        input = _confirmedBy(COLLECTOR, "input");
        product = _deposited("product");
    }

    /* DECLARE */

    function test_declaresWhatAProductIsMadeOf() public {
        ILineage.DeclareLineage memory m = _declareOf(product, input, 2000);
        bytes memory signature = _sign(SUPPLIER, address(lineage), _hash(m));
        vm.expectEmit(address(lineage));
        emit ILineage.LineageDeclared(product, _at(SUPPLIER), m.inputs, m.titles, m.bps, "papers");
        lineage.declare(m, signature);
        (ILineage.Input[] memory inputs, uint8 depth, uint8 size) = lineage.lineage(product);
        vm.assertEq(inputs.length, 1);
        vm.assertEq(inputs[0].assetId, input);
        vm.assertEq(uint256(inputs[0].bps), 2000);
        vm.assertEq(uint256(depth), 1);
        vm.assertEq(uint256(size), 2);
    }

    function test_refusesReplayOfADeclaration() public {
        _declare(2000);
        vm.expectRevert(abi.encodeWithSelector(ILineage.LineageExists.selector, product));
        _send(_declareOf(product, input, 2000), SUPPLIER);
    }

    function test_refusesADeclarationByOthers() public {
        ILineage.DeclareLineage memory m = _declareOf(product, input, 2000);
        m.holder = _at(COLLECTOR);
        vm.expectRevert(
            abi.encodeWithSelector(ILineage.LineageNotRegistrant.selector, product, _at(COLLECTOR))
        );
        _send(m, COLLECTOR);
    }

    function test_refusesToDeclareInputsOfWhatIsConfirmed() public {
        _send(_confirmOf(product), REGISTRAR);
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsStatus.selector, product, 2, 1));
        _send(_declareOf(product, input, 2000), SUPPLIER);
    }

    function test_refusesAnInputThatIsNotConfirmedSoNothingIsMadeOfItself() public {
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsStatus.selector, product, 1, 2));
        _send(_declareOf(product, product, 2000), SUPPLIER);
    }

    function testFuzz_refusesInputsThatAreNotWellFormed(uint16 bps, uint8 count) public {
        ILineage.DeclareLineage memory m = _declareOf(product, input, bps);
        count = count % 10 + 2;
        (m.inputs, m.titles, m.bps) = (new bytes32[](count), new bytes32[](count), new uint16[](count));
        for (uint256 i = 0; i < count; ++i) {
            m.inputs[i] = i == 1 ? m.inputs[0] : keccak256(abi.encode(i)); // the second is the first again
        }
        m.bps[0] = bps;
        vm.expectRevert(abi.encodeWithSelector(ILineage.LineageInputs.selector, count, bps));
        _send(m, SUPPLIER);
        m.titles = new bytes32[](1);
        vm.expectRevert(abi.encodeWithSelector(ILineage.LineageInputs.selector, count, bps));
        _send(m, SUPPLIER);
    }

    function test_refusesAProductOfFiveLevels() public {
        bytes32 below = input;
        for (uint256 i = 1; i <= 4; ++i) {
            below = _productOf(below, bytes32(i));
        }
        (, uint8 depth, uint8 size) = lineage.lineage(below);
        vm.assertEq(uint256(depth), 4);
        vm.assertEq(uint256(size), 5);
        vm.expectRevert(abi.encodeWithSelector(ILineage.LineageTooDeep.selector, 5, 6));
        _send(_declareOf(product, below, 1), SUPPLIER);
    }

    function test_takesATitleThatLetsItsHolderDerive() public {
        bytes32 own = _confirmed("own");
        ILineage.DeclareLineage memory m = _declareOf(product, own, 2000);
        m.titles[0] = _titleId(own, ITitles.TitleKind.Hold); // to hold is not to derive
        vm.expectRevert(
            abi.encodeWithSelector(ILineage.LineageTitle.selector, m.titles[0], own, _at(SUPPLIER))
        );
        _send(m, SUPPLIER);
        m.titles[0] = _titleId(input, ITitles.TitleKind.Use); // another's
        vm.expectRevert(
            abi.encodeWithSelector(ILineage.LineageTitle.selector, m.titles[0], own, _at(SUPPLIER))
        );
        _send(m, SUPPLIER);
        m.titles[0] = _titleId(own, ITitles.TitleKind.Use);
        _send(m, SUPPLIER);
        _send(_confirmOf(product), REGISTRAR);
        _list(); // needs nobody's consent
    }

    /* CONSENT */

    function test_refusesToListWithoutTheConsentOfWhoOperatesTheInput() public {
        _declare(2000);
        _send(_confirmOf(product), REGISTRAR);
        _expectNoConsent(0);
        _list();
        _consent(2000);
        _list();
    }

    function test_aWithdrawnConsentStopsNewOrdersAndNoFundedOne() public {
        bytes32 listingId = _onOffer(2000);
        _send(_issueOf(BUYER, 2000, "money"), BANK);
        IOrders.Fund memory one = _fundOf(listingId, "one");
        _send(one, BUYER);
        _send(_withdrawalOf(product, input), COLLECTOR);
        IOrders.Fund memory two = _fundOf(listingId, "two");
        _expectNoConsent(2);
        _send(two, BUYER);
        IOrders.Voucher memory v = _voucherOf(one.orderId);
        _send(v, BUYER, _closeOf(v), SUPPLIER);
        vm.assertEq(uint8(orders.order(one.orderId).status), uint8(IOrders.Status.Settled));
        _consent(2000); // given again
        _send(two, BUYER);
    }

    function test_refusesReplayOfAConsentAndOfAWithdrawal() public {
        _declare(2000);
        ILineage.GiveConsent memory m = _consentOf(product, input, 2000);
        _send(m, COLLECTOR);
        _expectStale(1, 0);
        _send(m, COLLECTOR);
        ILineage.WithdrawConsent memory w = _withdrawalOf(product, input);
        _send(w, COLLECTOR);
        _expectNoConsent(2);
        _send(w, COLLECTOR);
    }

    function test_refusesAConsentToAnotherPartOrForAnotherInput() public {
        _declare(2000);
        ILineage.GiveConsent memory m = _consentOf(product, input, 1999);
        vm.expectRevert(abi.encodeWithSelector(ILineage.LineageBps.selector, 2000, 1999));
        _send(m, COLLECTOR);
        m = _consentOf(product, product, 2000);
        vm.expectRevert(abi.encodeWithSelector(ILineage.LineageNoInput.selector, product, product));
        _send(m, COLLECTOR);
    }

    function test_refusesTheConsentOfOneWhoDoesNotOperateTheInput() public {
        _declare(2000);
        ILineage.GiveConsent memory m = _consentOf(product, input, 2000);
        m.holder = _at(SUPPLIER);
        vm.expectRevert(
            abi.encodeWithSelector(ITitles.TitlesNotHolder.selector, m.titleId, _at(SUPPLIER))
        );
        _send(m, SUPPLIER);
        m = _consentOf(product, input, 2000);
        m.titleId = _titleId(input, ITitles.TitleKind.Use);
        vm.expectRevert(
            abi.encodeWithSelector(ITitles.TitlesNotHolder.selector, m.titleId, _at(COLLECTOR))
        );
        _send(m, COLLECTOR);
    }

    function test_refusesTheConsentOfOneWhoMayNotDerive() public {
        _declare(2000);
        ILineage.GiveConsent memory m = _consentUnder(STRANGER, 0);
        vm.expectRevert(
            abi.encodeWithSelector(ILineage.LineageTitle.selector, m.titleId, input, _at(STRANGER))
        );
        _send(m, STRANGER);
    }

    function test_nobodyConsentsToItsOwnProduct() public {
        _declare(2000);
        ILineage.GiveConsent memory m = _consentUnder(SUPPLIER, 4);
        vm.expectRevert(
            abi.encodeWithSelector(ILineage.LineageOwnConsent.selector, product, _at(SUPPLIER))
        );
        _send(m, SUPPLIER);
    }

    function test_onlyItsGiverReplacesAConsentWhileItOperates() public {
        _declare(2000);
        _consent(2000);
        ILineage.GiveConsent memory m = _consentUnder(STRANGER, 4);
        vm.expectRevert(
            abi.encodeWithSelector(ILineage.LineageNotConsenter.selector, product, input, _at(STRANGER))
        );
        _send(m, STRANGER);
        _consent(2000); // its own, again
        bytes32 first = _titleId(input, ITitles.TitleKind.Operate);
        _send(_transferOf(first, COLLECTOR, BUYER), COLLECTOR, BUYER);
        m.version = 2;
        _send(m, STRANGER);
    }

    function testFuzz_aConsentEndsWithinFortyBits(uint64 beyond) public {
        _declare(2000);
        ILineage.GiveConsent memory m = _consentOf(product, input, 2000);
        m.validUntil = uint64(type(uint40).max) + 1 + beyond % 2 ** 63;
        vm.expectRevert(
            abi.encodeWithSelector(
                ILineage.LineageTerm.selector, product, input, m.validUntil, uint64(block.timestamp)
            )
        );
        _send(m, COLLECTOR);
        m.validUntil = type(uint40).max;
        _send(m, COLLECTOR);
    }

    function test_onlyWhoGaveAConsentWithdrawsIt() public {
        _declare(2000);
        _consent(2000);
        ILineage.WithdrawConsent memory w = _withdrawalOf(product, input);
        w.holder = _at(SUPPLIER);
        vm.expectRevert(
            abi.encodeWithSelector(ILineage.LineageNotConsenter.selector, product, input, _at(SUPPLIER))
        );
        _send(w, SUPPLIER);
    }

    function testFuzz_aConsentCoversTheWholeOffer(uint32 early) public {
        _declare(2000);
        ILineage.GiveConsent memory m = _consentOf(product, input, 2000);
        uint64 until = uint64(block.timestamp + 30 days); // as _listOf
        m.validUntil = until - early % 29 days - 1;
        _send(m, COLLECTOR);
        _send(_confirmOf(product), REGISTRAR);
        vm.expectRevert(
            abi.encodeWithSelector(ILineage.LineageTerm.selector, product, input, m.validUntil, until)
        );
        _list();
    }

    function test_aConsentIsNeverWiderThanTheTitleBehindIt() public {
        _declare(2000);
        ITitles.Grant memory grant = _grantOf(_titleId(input, ITitles.TitleKind.Operate), COLLECTOR, STRANGER, "terms");
        _admit(STRANGER, Roles.SUPPLIER);
        (grant.purposes, grant.validUntil, grant.marks) = (2, uint64(block.timestamp + 60 days), 4); // the offer is for purpose 1
        _send(grant, COLLECTOR, STRANGER);
        ILineage.GiveConsent memory m = _consentOf(product, input, 2000);
        (m.holder, m.titleId) = (_at(STRANGER), grant.titleId);
        _send(m, STRANGER);
        _send(_confirmOf(product), REGISTRAR);
        vm.expectRevert(abi.encodeWithSelector(ITitles.TitlesWider.selector, grant.titleId, 2));
        _list();
    }

    function test_aConsentFollowsTheTitle() public {
        bytes32 listingId = _onOffer(2000);
        bytes32 titleId = _titleId(input, ITitles.TitleKind.Operate);
        _send(_transferOf(titleId, COLLECTOR, BUYER), COLLECTOR, BUYER);
        vm.expectRevert(
            abi.encodeWithSelector(ITitles.TitlesNotHolder.selector, titleId, _at(COLLECTOR))
        );
        listings.requireLive(listingId);
    }

    /* CASCADE */

    function test_whatStopsAnInputStopsItsProductsAtAnyDepth() public {
        bytes32 below = _productOf(input, "middle"); // needs the consent of COLLECTOR, see _productOf
        ILineage.DeclareLineage memory m = _declareOf(product, below, 1000);
        m.titles[0] = _titleId(below, ITitles.TitleKind.Operate); // SUPPLIER's own
        _send(m, SUPPLIER);
        _send(_confirmOf(product), REGISTRAR);
        bytes32 listingId = _list();
        _send(_markOf(input, IRights.AssetStatus.Suspended), REGISTRAR);
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsStatus.selector, input, 3, 2));
        listings.requireLive(listingId);
        _send(_markOf(input, IRights.AssetStatus.Confirmed), REGISTRAR);
        listings.requireLive(listingId);
        _send(_markOf(below, IRights.AssetStatus.Suspended), REGISTRAR);
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsStatus.selector, below, 3, 2));
        listings.requireLive(listingId);
        _send(_markOf(below, IRights.AssetStatus.Confirmed), REGISTRAR);
        _send(_withdrawalOf(below, input), COLLECTOR);
        vm.expectRevert(abi.encodeWithSelector(ILineage.LineageNoConsent.selector, below, input, 2));
        listings.requireLive(listingId);
    }

    /* SPLIT */

    function test_paysTheShareHoldersOfTheInputsOfThisMoment() public {
        bytes32 orderId = _ordered(_onOffer(2000));
        _send(_shareOf(input, COLLECTOR, BUYER, 2500), COLLECTOR);
        IOrders.Voucher memory v = _voucherOf(orderId);
        IOrders.Close memory c = _closeOf(v);
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        vm.expectEmit(address(orders)); // net 293: 58.6 to the input, 234.4 to the product
        emit IOrders.SharePaid(orderId, _at(SUPPLIER), product, 211); // 234 * 0.9 = 210.6
        vm.expectEmit(address(orders));
        emit IOrders.SharePaid(orderId, _at(COLLECTOR), product, 23);
        vm.expectEmit(address(orders));
        emit IOrders.SharePaid(orderId, _at(COLLECTOR), input, 44); // 59 * 0.75 = 44.25
        vm.expectEmit(address(orders));
        emit IOrders.SharePaid(orderId, _at(BUYER), input, 15);
        orders.settle(v, one, c, two);
        vm.assertEq(token.balanceOf(TREASURY), 7);
        vm.assertEq(token.balanceOf(_at(SUPPLIER)), 211);
        vm.assertEq(token.balanceOf(_at(COLLECTOR)), 67);
        vm.assertEq(token.balanceOf(_at(BUYER)), 700 + 15);
    }

    /// @notice I-28: whatever the tree, its parts and the holders of shares, the parts sum to the net.
    function testFuzz_nestedPartsSumExactly(uint96 net, uint16[5] memory bps, uint16 moved) public {
        bytes32[] memory made = new bytes32[](5);
        for (uint256 i = 0; i < 5; ++i) {
            made[i] = _tangled(made, i, bps[i]);
            _send(_shareOf(made[i], SUPPLIER, BUYER, moved % 9000 + 1), SUPPLIER);
        }
        ILineage.Part[] memory parts = lineage.split(made[4], net);
        (,, uint8 size) = lineage.lineage(made[4]);
        vm.assertEq(uint256(size), 12);
        vm.assertLe(parts.length, 12 * 3, "parts");
        uint256 sum = 0;
        for (uint256 i = 0; i < parts.length; ++i) {
            sum += parts[i].amount;
        }
        vm.assertEq(sum, net);
    }

    function testFuzz_anAssetWithoutInputsIsSplitByItsSharesAlone(uint96 net) public view {
        ILineage.Part[] memory parts = lineage.split(input, net);
        vm.assertEq(parts.length, 1);
        vm.assertEq(parts[0].holder, _at(COLLECTOR));
        vm.assertEq(uint256(parts[0].amount), net);
    }

    function test_sixteenAssetsAreAffordable() public {
        bytes32[] memory made = new bytes32[](15);
        ILineage.DeclareLineage memory m = _declareOf(product, input, 0);
        (m.inputs, m.titles, m.bps) = (new bytes32[](2), new bytes32[](2), new uint16[](2));
        for (uint256 i = 0; i < 2; ++i) {
            m.inputs[i] = _wide(made, i); // two products of six inputs each: fifteen assets in all
            m.titles[i] = _titleId(m.inputs[i], ITitles.TitleKind.Operate);
            m.bps[i] = 4000;
        }
        _send(m, SUPPLIER);
        _send(_confirmOf(product), REGISTRAR);
        bytes32 orderId = _ordered(_list());
        IOrders.Voucher memory v = _voucherOf(orderId);
        v.amount = 1000;
        IOrders.Close memory c = _closeOf(v);
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        uint256 before = gasleft();
        orders.settle(v, one, c, two);
        vm.assertLe(before - gasleft(), 1_500_000, "the dearest settlement");
    }

    /* HELPERS */

    function _declare(uint16 bps) private {
        _send(_declareOf(product, input, bps), SUPPLIER);
    }

    function _consent(uint16 bps) private {
        _send(_consentOf(product, input, bps), COLLECTOR);
    }

    function _list() private returns (bytes32) {
        IListings.List memory m = _listOf(product, "terms");
        bytes memory signature = _sign(SUPPLIER, address(listings), _hash(m));
        listings.list(m, signature);
        return m.listingId;
    }

    /// @dev Of `key`, under a part of the title to operate that has these marks.
    function _consentUnder(uint256 key, uint8 marks) private returns (ILineage.GiveConsent memory m) {
        if (key == STRANGER) _admit(STRANGER, Roles.SUPPLIER);
        ITitles.Grant memory grant = _grantOf(_titleId(input, ITitles.TitleKind.Operate), COLLECTOR, key, "terms");
        grant.marks = marks;
        _send(grant, COLLECTOR, key);
        m = _consentOf(product, input, 2000);
        (m.holder, m.titleId) = (_at(key), grant.titleId);
    }

    function _onOffer(uint16 bps) private returns (bytes32) {
        _declare(bps);
        _consent(bps);
        _send(_confirmOf(product), REGISTRAR);
        return _list();
    }

    function _ordered(bytes32 listingId) private returns (bytes32) {
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        _send(_issueOf(BUYER, m.escrow, "money"), BANK);
        _send(m, BUYER);
        return m.orderId;
    }

    function _expectNoConsent(uint8 current) private {
        vm.expectRevert(abi.encodeWithSelector(ILineage.LineageNoConsent.selector, product, input, current));
    }

    /// @dev A confirmed product of SUPPLIER, under its own title where it operates the input, else by COLLECTOR's consent.
    function _productOf(bytes32 below, bytes32 manifest) private returns (bytes32 made) {
        made = _deposited(manifest);
        ILineage.DeclareLineage memory m = _declareOf(made, below, 1000);
        bool own = rights.asset(below).registrant == _at(SUPPLIER);
        if (own) m.titles[0] = _titleId(below, ITitles.TitleKind.Operate);
        _send(m, SUPPLIER);
        if (!own) _send(_consentOf(made, below, 1000), COLLECTOR);
        _send(_confirmOf(made), REGISTRAR);
    }

    /// @dev Number `i`, made of the two before it, as far as there are two: so its tree has the same assets many times.
    function _tangled(bytes32[] memory made, uint256 i, uint16 bps) private returns (bytes32 assetId) {
        assetId = _deposited(bytes32(i + 1));
        uint256 count = i < 2 ? i : 2;
        ILineage.DeclareLineage memory m = _declareOf(assetId, 0, 0);
        (m.inputs, m.titles, m.bps) = (new bytes32[](count), new bytes32[](count), new uint16[](count));
        for (uint256 j = 0; j < count; ++j) {
            m.inputs[j] = made[i - 1 - j];
            m.titles[j] = _titleId(m.inputs[j], ITitles.TitleKind.Use);
            m.bps[j] = j == 0 ? bps % 10_001 : (10_000 - bps % 10_001) / 2;
        }
        _send(m, SUPPLIER);
        _send(_confirmOf(assetId), REGISTRAR);
    }

    function _wide(bytes32[] memory made, uint256 i) private returns (bytes32 assetId) {
        for (uint256 j = 0; j < 6; ++j) {
            made[j] = _confirmed(keccak256(abi.encode(i, j)));
        }
        assetId = _deposited(keccak256(abi.encode("wide", i)));
        ILineage.DeclareLineage memory m = _declareOf(assetId, 0, 0);
        (m.inputs, m.titles, m.bps) = (new bytes32[](6), new bytes32[](6), new uint16[](6));
        for (uint256 j = 0; j < 6; ++j) {
            (m.inputs[j], m.titles[j], m.bps[j]) = (made[j], _titleId(made[j], ITitles.TitleKind.Use), 1000);
        }
        _send(m, SUPPLIER);
        _send(_confirmOf(assetId), REGISTRAR);
    }
}
