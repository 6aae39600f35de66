// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IClearing} from "../src/interfaces/IClearing.sol";
import {IDeliveries} from "../src/interfaces/IDeliveries.sol";
import {ILineage} from "../src/interfaces/ILineage.sol";
import {IListings} from "../src/interfaces/IListings.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";
import {IRegistrations} from "../src/interfaces/IRegistrations.sol";
import {IRights} from "../src/interfaces/IRights.sol";
import {ITitles} from "../src/interfaces/ITitles.sol";

/// @notice The gas that `marketplace/ledger/planning.py` lends to what divides money is enough for the largest tree: sixteen assets
/// of sixteen holders each, none of whom ever had any money.
/// forge-config: default.isolate = true
contract LargestTreeTest is MarketTest {
    uint256 private constant CALL_GAS = 350_000;
    uint256 private constant SPLIT_GAS = 1_500_000;
    uint256 private constant BYTE_GAS = 1_000;
    uint96 private constant ESCROW = 1_000_000_007;

    bytes32 private listingId;
    uint256 private people;

    function setUp() public override {
        super.setUp();
        bytes32[] memory leaves = new bytes32[](7);
        for (uint256 i = 0; i < 7; ++i) {
            leaves[i] = _owned(bytes32(i + 1), new bytes32[](0));
        }
        bytes32[] memory middle = new bytes32[](8);
        middle[0] = _owned("middle", leaves);
        for (uint256 i = 1; i < 8; ++i) {
            middle[i] = _owned(bytes32(i + 100), new bytes32[](0));
        }
        bytes32 product = _owned("product", middle);
        (,, uint8 size) = lineage.lineage(product);
        vm.assertEq(uint256(size), 16);
        vm.assertEq(lineage.split(product, ESCROW).length, 256);
        IListings.List memory m = _listOf(product, "terms");
        _send(m, SUPPLIER);
        listingId = m.listingId;
    }

    function test_settlesTheLargestTree() public {
        IOrders.Voucher memory v = _spent();
        IOrders.Close memory c = _closeOf(v);
        bytes memory data = abi.encodeCall(
            IOrders.settle, (v, _sign(BUYER, address(orders), _hash(v)), c, _sign(SUPPLIER, address(orders), _hash(c)))
        );
        _enough(address(orders), data, 16);
        vm.assertEq(token.balanceOf(address(orders)), 0);
    }

    function test_finishesAClaimOnTheLargestTree() public {
        IOrders.Voucher memory v = _spent();
        _send(v, BUYER, _claimOf(v, SUPPLIER), SUPPLIER);
        vm.warp(block.timestamp + 30 days);
        _enough(address(orders), abi.encodeCall(IOrders.finish, (v.orderId)), 16);
        vm.assertEq(token.balanceOf(address(orders)), 0);
    }

    function test_clearsTheLargestTree() public {
        bytes32 id = keccak256(abi.encode(_at(EXCHANGE), uint48(7)));
        IClearing.OpenBatch memory m =
            IClearing.OpenBatch(id, _at(EXCHANGE), 7, CNY, uint64(block.timestamp + 1 days), _deadline());
        clearing.openBatch(m, _sign(EXCHANGE, address(clearing), _hash(m)));
        IOrders.Voucher memory v = _spent();
        IOrders.Clear memory c = IOrders.Clear(v.orderId, _hash(v), id, _at(SUPPLIER), _deadline());
        bytes memory data = abi.encodeCall(
            IOrders.clear, (v, _sign(BUYER, address(orders), _hash(v)), c, _sign(SUPPLIER, address(orders), _hash(c)))
        );
        _enough(address(orders), data, 16);
        vm.assertEq(token.balanceOf(address(clearing)), ESCROW);
    }

    function test_acceptancePaysTheLargestTree() public {
        IDeliveries.AcceptDelivery memory m = _acceptOf(_delivered(1));
        _enough(
            address(deliveries), abi.encodeCall(IDeliveries.accept, (m, _sign(BUYER, address(deliveries), _hash(m)))), 16
        );
        vm.assertEq(token.balanceOf(address(orders)), 0);
    }

    function test_aReceiptThatAcceptsPaysTheLargestTree() public {
        IDeliveries.Acknowledge memory m = _acknowledgeOf(_delivered(1));
        _enough(
            address(deliveries),
            abi.encodeCall(IDeliveries.acknowledge, (m, _sign(BUYER, address(deliveries), _hash(m)))),
            16
        );
        vm.assertEq(token.balanceOf(address(orders)), 0);
    }

    function test_whatLapsesGoesBackForAnOrdinaryCallsGas() public {
        _send(_offerOf(listingId), SUPPLIER);
        bytes32 orderId = _fund();
        _send(_arrangeOf(orderId), BUYER);
        vm.warp(uint256(deliveries.delivery(orderId).dueAt) + 1);
        _enough(address(deliveries), abi.encodeCall(IDeliveries.lapse, (orderId)), 0);
        vm.assertEq(token.balanceOf(_at(BUYER)), ESCROW);
    }

    function test_aRefundTakesAnOrdinaryCallsGas() public {
        bytes32 orderId = _fund();
        vm.warp(block.timestamp + 60 days);
        _enough(address(orders), abi.encodeCall(IOrders.refund, (orderId)), 0);
        vm.assertEq(token.balanceOf(_at(BUYER)), ESCROW);
    }

    /* HELPERS */

    function _enough(address target, bytes memory data, uint256 assets) private {
        uint256 planned = CALL_GAS + BYTE_GAS * data.length + assets * SPLIT_GAS;
        (bool done,) = target.call{gas: planned}(data);
        vm.assertTrue(done, "the planned gas is too little");
    }

    function _fund() private returns (bytes32) {
        IOrders.Fund memory m = _fundOf(listingId, "agreement");
        m.escrow = ESCROW;
        _send(_issueOf(BUYER, ESCROW, listingId), BANK);
        _send(m, BUYER);
        return m.orderId;
    }

    function _spent() private returns (IOrders.Voucher memory v) {
        v = _voucherOf(_fund());
        v.amount = ESCROW - 1;
    }

    function _delivered(uint8 marks) private returns (bytes32 orderId) {
        IDeliveries.OfferDelivery memory o = _offerOf(listingId);
        o.amount = ESCROW - 1;
        o.marks = marks;
        _send(o, SUPPLIER);
        orderId = _fund();
        _send(_arrangeOf(orderId), BUYER);
        _send(_deliverOf(orderId), SUPPLIER);
    }

    /// @dev A confirmed product of SUPPLIER, of sixteen holders who share in nothing else.
    function _owned(bytes32 manifest, bytes32[] memory inputs) private returns (bytes32) {
        IRights.Register memory m = _registerOf(manifest);
        (m.shareHolders, m.shareBps) = (new address[](16), new uint16[](16));
        for (uint256 i = 0; i < 16; ++i) {
            _admit(0x10000 + ++people, Roles.BUYER);
            m.shareHolders[i] = _at(0x10000 + people);
            m.shareBps[i] = i == 0 ? 625 + 7 : i == 1 ? 625 - 7 : 625;
        }
        _send(m, SUPPLIER);
        _deposit(_fileOf(m.assetId, IRegistrations.Kind.First));
        if (inputs.length > 0) _send(_made(m.assetId, inputs), SUPPLIER);
        _send(_confirmOf(m.assetId), REGISTRAR);
        return m.assetId;
    }

    function _made(bytes32 assetId, bytes32[] memory inputs) private view returns (ILineage.DeclareLineage memory m) {
        m = _declareOf(assetId, 0, 0);
        (m.inputs, m.titles, m.bps) = (inputs, new bytes32[](inputs.length), new uint16[](inputs.length));
        for (uint256 i = 0; i < inputs.length; ++i) {
            m.titles[i] = _titleId(inputs[i], ITitles.TitleKind.Use);
            m.bps[i] = 1001;
        }
    }
}
