// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IAgreements} from "../src/interfaces/IAgreements.sol";
import {IOrders} from "../src/interfaces/IOrders.sol";

/// @notice How agreements end, and what that means for orders that cite them.
contract RetireTest is MarketTest {
    bytes32 private id;
    bytes32 private listingId;

    function setUp() public override {
        super.setUp();
        IAgreements.Agree memory m = _agreeOf(SUPPLIER, BUYER, "digest");
        _send(m, SUPPLIER, BUYER);
        id = m.agreementId;
        listingId = _listed("terms");
        _send(_issueOf(BUYER, 10_000, "payment"), BANK);
    }

    function test_ends() public {
        vm.expectEmit(address(agreements));
        emit IAgreements.AgreementRetired(id);
        _send(_retireOf(id, SUPPLIER, BUYER), SUPPLIER, BUYER);
        vm.assertEq(uint8(agreements.agreement(id).status), 3);
        _refuses(_retireOf(id, SUPPLIER, BUYER), abi.encodeWithSelector(IAgreements.AgreementsNotInForce.selector, id, 3));
    }

    function test_aSuspendedSideMayStillEndIt() public {
        _suspend(SUPPLIER);
        _send(_retireOf(id, SUPPLIER, BUYER), SUPPLIER, BUYER);
        vm.assertEq(uint8(agreements.agreement(id).status), 3);
    }

    function test_refusesOneSideAlone() public {
        IAgreements.RetireAgreement memory m = _retireOf(id, SUPPLIER, BUYER);
        bytes memory one = _sign(SUPPLIER, address(agreements), _hash(m));
        _expectSignatureRefused(BUYER);
        agreements.retire(m, one, one);
    }

    function test_refusesStrangers() public {
        IAgreements.RetireAgreement memory m = _retireOf(id, SUPPLIER, STRANGER);
        bytes memory one = _sign(SUPPLIER, address(agreements), _hash(m));
        bytes memory two = _sign(STRANGER, address(agreements), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IAgreements.AgreementsNotParty.selector, id, _at(STRANGER)));
        agreements.retire(m, one, two);
    }

    function test_refusesAnUnknownOne() public {
        IAgreements.RetireAgreement memory m = _retireOf("unknown", SUPPLIER, BUYER);
        _refuses(m, abi.encodeWithSelector(IAgreements.AgreementsNotInForce.selector, bytes32("unknown"), 0));
    }

    function test_anOrderUnderItRunsOnAndNoNewOneStarts() public {
        IOrders.Fund memory m = _under("one");
        vm.expectEmit(address(orders));
        emit IOrders.Funded(
            m.orderId,
            listingId,
            listings.listing(listingId).assetId,
            m.buyer,
            m.escrow,
            m.epsilonCap,
            m.validUntil,
            m.agreementDigest,
            id
        );
        _send(m, BUYER);
        _send(_retireOf(id, SUPPLIER, BUYER), SUPPLIER, BUYER);
        _refusesOrder(_under("two"), abi.encodeWithSelector(IAgreements.AgreementsNotInForce.selector, id, 3));
        IOrders.Voucher memory v = _voucherOf(m.orderId);
        _send(v, BUYER, _closeOf(v), SUPPLIER);
        vm.assertEq(uint8(orders.order(m.orderId).status), 2);
    }

    function test_anOrderCitesTheVersionInForce() public {
        IAgreements.AmendAgreement memory change = _amendOf(id, SUPPLIER, BUYER, "second");
        _send(change, SUPPLIER, BUYER);
        _refusesOrder(_under("one"), abi.encodeWithSelector(IAgreements.AgreementsNotInForce.selector, id, 2));
        IOrders.Fund memory m = _under("one");
        m.agreementId = change.agreementId;
        _send(m, BUYER);
    }

    function test_anOrderDoesNotCiteOthersAgreements() public {
        IAgreements.Agree memory m = _agreeOf(COLLECTOR, BUYER, "digest");
        _send(m, COLLECTOR, BUYER);
        IOrders.Fund memory order = _under("one");
        order.agreementId = m.agreementId;
        _refusesOrder(
            order, abi.encodeWithSelector(IAgreements.AgreementsNotParty.selector, m.agreementId, _at(SUPPLIER))
        );
        order.agreementId = "unknown";
        _refusesOrder(
            order, abi.encodeWithSelector(IAgreements.AgreementsNotInForce.selector, bytes32("unknown"), 0)
        );
    }

    function _under(bytes32 acceptance) private view returns (IOrders.Fund memory m) {
        m = _fundOf(listingId, acceptance);
        m.agreementId = id;
    }

    function _refuses(IAgreements.RetireAgreement memory m, bytes memory reason) private {
        bytes memory one = _sign(SUPPLIER, address(agreements), _hash(m));
        bytes memory two = _sign(BUYER, address(agreements), _hash(m));
        vm.expectRevert(reason);
        agreements.retire(m, one, two);
    }

    function _refusesOrder(IOrders.Fund memory m, bytes memory reason) private {
        bytes memory signature = _sign(BUYER, address(orders), _hash(m));
        vm.expectRevert(reason);
        orders.fund(m, signature);
    }
}
