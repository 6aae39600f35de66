// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IDeliveries} from "../src/interfaces/IDeliveries.sol";
import {ILineage} from "../src/interfaces/ILineage.sol";
import {IListings} from "../src/interfaces/IListings.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

/// @notice The gas that `marketplace/ledger/planning.py` lends to what asks every input of a product is enough for fifteen inputs, each
/// sold by a consent under a title with thirty-two exclusive parts.
/// forge-config: default.isolate = true
contract LargestOfferTest is MarketTest {
    uint256 private constant CALL_GAS = 350_000;
    uint256 private constant WALK_GAS = 450_000;
    uint256 private constant BYTE_GAS = 1_000;

    bytes32 private product;

    function setUp() public override {
        super.setUp();
        bytes32[] memory middle = new bytes32[](8);
        middle[0] = _made("middle", _inputs(7, 0));
        bytes32[] memory others = _inputs(7, 100);
        for (uint256 i = 0; i < 7; ++i) {
            middle[i + 1] = others[i];
        }
        product = _made("product", middle);
        _divide(_titleId(product, ITitles.TitleKind.Operate), SUPPLIER, COLLECTOR);
        (,, uint8 size) = lineage.lineage(product);
        vm.assertEq(uint256(size), 16);
    }

    function test_listsOffersAndFundsTheLargestProduct() public {
        IListings.List memory m = _listOf(product, "terms");
        _enough(address(listings), abi.encodeCall(IListings.list, (m, _sign(SUPPLIER, address(listings), _hash(m)))));
        IDeliveries.OfferDelivery memory o = _offerOf(m.listingId);
        _enough(
            address(deliveries), abi.encodeCall(IDeliveries.offer, (o, _sign(SUPPLIER, address(deliveries), _hash(o))))
        );
        IOrders.Fund memory f = _fundOf(m.listingId, "agreement");
        _send(_issueOf(BUYER, 5000, "payment"), BANK);
        _enough(address(orders), abi.encodeCall(IOrders.fund, (f, _sign(BUYER, address(orders), _hash(f)))));
    }

    /* HELPERS */

    function _enough(address target, bytes memory data) private {
        (bool done,) = target.call{gas: CALL_GAS + BYTE_GAS * data.length + 15 * WALK_GAS}(data);
        vm.assertTrue(done, "the planned gas is too little");
    }

    function _inputs(uint256 count, uint256 first) private returns (bytes32[] memory inputs) {
        inputs = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            inputs[i] = _confirmedBy(COLLECTOR, bytes32(first + i + 1));
            _divide(_titleId(inputs[i], ITitles.TitleKind.Operate), COLLECTOR, SUPPLIER);
        }
    }

    /// @dev Thirty-two exclusive parts for another purpose than the offer's.
    function _divide(bytes32 titleId, uint256 from, uint256 to) private {
        for (uint256 i = 0; i < 32; ++i) {
            ITitles.Grant memory m = _grantOf(titleId, from, to, bytes32(i + 1));
            (m.marks, m.purposes, m.fields) = (1, 2, bytes32(uint256(1) << i));
            m.validUntil = uint64(block.timestamp + 200 days);
            titles.grant(m, _sign(from, address(titles), _hash(m)), _sign(to, address(titles), _hash(m)));
        }
    }

    /// @dev A product of SUPPLIER, of inputs to which COLLECTOR consents; one that SUPPLIER made itself needs no consent.
    function _made(bytes32 manifest, bytes32[] memory inputs) private returns (bytes32 assetId) {
        assetId = _deposited(manifest);
        ILineage.DeclareLineage memory m = _declareOf(assetId, 0, 0);
        (m.inputs, m.titles, m.bps) = (inputs, new bytes32[](inputs.length), new uint16[](inputs.length));
        for (uint256 i = 0; i < inputs.length; ++i) {
            m.bps[i] = 1001;
            bytes32 use = _titleId(inputs[i], ITitles.TitleKind.Use);
            if (titles.title(use).holder == _at(SUPPLIER)) m.titles[i] = use;
        }
        _send(m, SUPPLIER);
        _send(_confirmOf(assetId), REGISTRAR);
        for (uint256 i = 0; i < inputs.length; ++i) {
            if (m.titles[i] == 0) _send(_consentOf(assetId, inputs[i], 1001), COLLECTOR);
        }
    }
}
