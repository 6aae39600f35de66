// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {Roles} from "../src/Roles.sol";
import {IRights} from "../src/interfaces/IRights.sol";

/// @notice What weighs on revenue shares: pledges, seizure, administrative control.
contract PledgeShareTest is MarketTest {
    bytes32 private assetId;

    function setUp() public override {
        super.setUp();
        assetId = _confirmed("manifest");
    }

    function testFuzz_whatIsPledgedDoesNotMove(uint16 pledged, uint16 bps) public {
        pledged = pledged % 9000 + 1;
        bps = bps % 9000 + 1;
        _send(_pledgeOf(assetId, SUPPLIER, BUYER, pledged), SUPPLIER, BUYER);
        IRights.TransferShare memory m = _shareOf(assetId, SUPPLIER, COLLECTOR, bps);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        if (bps > 9000 - pledged) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRights.RightsSharePledged.selector, _at(SUPPLIER), _at(BUYER), 9000 - pledged, bps
                )
            );
        }
        rights.transferShare(m, signature);
        vm.assertLe(pledged, _bps(SUPPLIER), "pledged and gone");
    }

    function test_aPledgeLeavesTheIncomeWhereItIs() public {
        vm.expectEmit(address(rights));
        emit IRights.SharePledged(assetId, _at(SUPPLIER), _at(BUYER), 4000, "debt", 1);
        _send(_pledgeOf(assetId, SUPPLIER, BUYER, 4000), SUPPLIER, BUYER);
        vm.assertEq(_bps(SUPPLIER), 9000);
        vm.assertEq(_bps(BUYER), 0);
        vm.assertEq(rights.asset(assetId).shareVersion, 1); // nothing moved
    }

    function test_aReleasedShareMovesFreely() public {
        _send(_pledgeOf(assetId, SUPPLIER, BUYER, 9000), SUPPLIER, BUYER);
        IRights.ReleaseShare memory m = _releaseOf(assetId, SUPPLIER, BUYER);
        vm.expectEmit(address(rights));
        emit IRights.ShareReleased(assetId, _at(SUPPLIER), _at(BUYER), 2);
        _send(m, BUYER);
        vm.assertEq(rights.encumbranceOf(assetId, _at(SUPPLIER)).pledgee, _at(BUYER)); // the last one, with nothing
        _send(_shareOf(assetId, SUPPLIER, COLLECTOR, 9000), SUPPLIER);
        bytes memory signature = _sign(BUYER, address(rights), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IRights.RightsNotPledgee.selector, assetId, _at(SUPPLIER), _at(BUYER))
        );
        rights.releaseShare(m, signature);
    }

    function test_nobodyButThePledgeeReleases() public {
        _send(_pledgeOf(assetId, SUPPLIER, BUYER, 1), SUPPLIER, BUYER);
        IRights.ReleaseShare memory m = _releaseOf(assetId, SUPPLIER, SUPPLIER);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IRights.RightsNotPledgee.selector, assetId, _at(SUPPLIER), _at(SUPPLIER))
        );
        rights.releaseShare(m, signature);
    }

    function testFuzz_aRulingGivesThePledgedPartToThePledgee(uint16 bps) public {
        bps = bps % 9000 + 1;
        _send(_pledgeOf(assetId, SUPPLIER, COLLECTOR, bps), SUPPLIER, COLLECTOR);
        vm.expectEmit(address(rights));
        emit IRights.ShareEnforced(assetId, _at(SUPPLIER), _at(COLLECTOR), bps, "ruling", _at(REGISTRAR), 2);
        _send(_enforceOf(assetId, SUPPLIER), REGISTRAR);
        vm.assertEq(_bps(SUPPLIER), 9000 - bps);
        vm.assertEq(_bps(COLLECTOR), 1000 + bps);
        vm.assertEq(rights.asset(assetId).shareVersion, 2);
        IRights.EnforceShare memory again = _enforceOf(assetId, SUPPLIER);
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(again));
        vm.expectRevert(
            abi.encodeWithSelector(IRights.RightsNotPledgee.selector, assetId, _at(SUPPLIER), _at(COLLECTOR))
        );
        rights.enforceShare(again, signature);
    }

    /// @dev Else a holder could pledge a part, give the rest to fourteen others, and never lose what is pledged.
    function test_aFullListDoesNotBarTheEnforcement() public {
        _send(_pledgeOf(assetId, SUPPLIER, BUYER, 4000), SUPPLIER, BUYER);
        _fill(13);
        IRights.TransferShare memory m = _shareOf(assetId, SUPPLIER, EXCHANGE, 1);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsSharesFull.selector, assetId));
        rights.transferShare(m, signature);
        _send(_enforceOf(assetId, SUPPLIER), REGISTRAR);
        vm.assertEq(_bps(BUYER), 4000);
    }

    function test_aReleasedPlaceIsTakenByTheNextNewHolder() public {
        _send(_pledgeOf(assetId, SUPPLIER, BUYER, 4000), SUPPLIER, BUYER);
        _fill(13);
        _send(_releaseOf(assetId, SUPPLIER, BUYER), BUYER);
        _send(_shareOf(assetId, SUPPLIER, EXCHANGE, 1), SUPPLIER);
        vm.assertEq(rights.shares(assetId)[2].holder, _at(EXCHANGE));
    }

    function test_aFullListTakesNoNewPledgee() public {
        _fill(14);
        _refusesPledge(
            _pledgeOf(assetId, SUPPLIER, BUYER, 1),
            BUYER,
            abi.encodeWithSelector(IRights.RightsSharesFull.selector, assetId)
        );
    }

    function test_aSecondPledgeIsRefused() public {
        _send(_pledgeOf(assetId, SUPPLIER, BUYER, 1), SUPPLIER, BUYER);
        _refusesPledge(
            _pledgeOf(assetId, SUPPLIER, COLLECTOR, 1),
            COLLECTOR,
            abi.encodeWithSelector(IRights.RightsSharePledged.selector, _at(SUPPLIER), _at(BUYER), 0, 1)
        );
    }

    function testFuzz_refusesToPledgeMoreThanIsHeld(uint16 bps) public {
        vm.assume(bps == 0 || bps > 9000);
        _refusesPledge(
            _pledgeOf(assetId, SUPPLIER, BUYER, bps),
            BUYER,
            abi.encodeWithSelector(IRights.RightsShareTooSmall.selector, _at(SUPPLIER), 9000, bps)
        );
    }

    function test_refusesAPledgeToOneself() public {
        _refusesPledge(
            _pledgeOf(assetId, SUPPLIER, SUPPLIER, 1),
            SUPPLIER,
            abi.encodeWithSelector(IRights.RightsSameParty.selector, _at(SUPPLIER))
        );
    }

    function test_refusesReplayOfAPledge() public {
        IRights.PledgeShare memory m = _pledgeOf(assetId, SUPPLIER, BUYER, 10);
        _send(m, SUPPLIER, BUYER);
        _send(_releaseOf(assetId, SUPPLIER, BUYER), BUYER);
        bytes memory one = _sign(SUPPLIER, address(rights), _hash(m));
        bytes memory two = _sign(BUYER, address(rights), _hash(m));
        _expectStale(2, 0);
        rights.pledgeShare(m, one, two);
    }

    function testFuzz_whatIsSeizedOrControlledIsNeitherMovedNorPledgedNorEnforced(bool controlled) public {
        uint8 marks = controlled ? 32 : 16;
        bytes memory reason =
            abi.encodeWithSelector(IRights.RightsShareEncumbered.selector, assetId, _at(SUPPLIER), marks);
        _send(_pledgeOf(assetId, SUPPLIER, BUYER, 1000), SUPPLIER, BUYER);
        _send(_encumberOf(assetId, SUPPLIER, marks), REGISTRAR);
        IRights.TransferShare memory m = _shareOf(assetId, SUPPLIER, COLLECTOR, 1);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        vm.expectRevert(reason);
        rights.transferShare(m, signature);
        IRights.EnforceShare memory ruling = _enforceOf(assetId, SUPPLIER);
        signature = _sign(REGISTRAR, address(rights), _hash(ruling));
        vm.expectRevert(reason);
        rights.enforceShare(ruling, signature);
        _send(_releaseOf(assetId, SUPPLIER, BUYER), BUYER);
        _refusesPledge(_pledgeOf(assetId, SUPPLIER, BUYER, 1), BUYER, reason);
        _send(_encumberOf(assetId, SUPPLIER, 0), REGISTRAR);
        m = _shareOf(assetId, SUPPLIER, COLLECTOR, 9000);
        _send(m, SUPPLIER);
    }

    function testFuzz_refusesMarksThatAreNoEncumbrances(uint8 marks) public {
        vm.assume(marks & ~uint8(48) != 0 || marks == 0);
        _refusesMarks(_encumberOf(assetId, SUPPLIER, marks), 0);
    }

    function test_refusesMarksOfWhoHoldsNothing() public {
        _refusesMarks(_encumberOf(assetId, BUYER, 16), 0);
    }

    function test_refusesARegistrarWithAPartOrAsPledgee() public {
        _send(_pledgeOf(assetId, SUPPLIER, REGISTRAR, 1), SUPPLIER, REGISTRAR);
        bytes memory reason = abi.encodeWithSelector(IRights.RightsOwnMatter.selector, _at(REGISTRAR));
        IRights.EnforceShare memory m = _enforceOf(assetId, SUPPLIER);
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        vm.expectRevert(reason);
        rights.enforceShare(m, signature);
        IRights.EncumberShare memory order_ = _encumberOf(assetId, SUPPLIER, 16);
        signature = _sign(REGISTRAR, address(rights), _hash(order_));
        vm.expectRevert(reason);
        rights.encumberShare(order_, signature);
    }

    /// @dev Else a debtor could bar every registrar from enforcing or seizing by one bp each.
    function testFuzz_noRegistrarIsGivenAShare(uint16 bps) public {
        bps = bps % 9000 + 1;
        IRights.TransferShare memory m = _shareOf(assetId, SUPPLIER, REGISTRAR, bps);
        bytes memory signature = _sign(SUPPLIER, address(rights), _hash(m));
        vm.expectRevert(abi.encodeWithSelector(IRights.RightsToRegistrar.selector, _at(REGISTRAR)));
        rights.transferShare(m, signature);
    }

    function test_aPledgeeWhoReleasedMayDecideAgain() public {
        _send(_pledgeOf(assetId, SUPPLIER, REGISTRAR, 1), SUPPLIER, REGISTRAR);
        _send(_releaseOf(assetId, SUPPLIER, REGISTRAR), REGISTRAR);
        _send(_encumberOf(assetId, SUPPLIER, 16), REGISTRAR);
        vm.assertEq(rights.encumbranceOf(assetId, _at(SUPPLIER)).marks, 16);
    }

    /// @dev Intents are hashed as they stand in the calldata, so bits beyond a field's type must not get through.
    function testFuzz_refusesFieldsWithDirtyBits(uint8 field) public {
        IRights.PledgeShare memory m = _pledgeOf(assetId, SUPPLIER, BUYER, 10);
        bytes memory words = abi.encode(m);
        uint256 word = [uint256(1), 2, 3, 5, 6][field % 5];
        words[32 * word] = 0x01; // the topmost byte of an address, uint16 or uint64
        bytes32 structHash = keccak256(
            bytes.concat(
                keccak256(
                    "PledgeShare(bytes32 assetId,address holder,address pledgee,uint16 bps,bytes32 debtDigest,uint64 version,uint64 deadline)"
                ),
                words
            )
        );
        bytes memory one = _sign(SUPPLIER, address(rights), structHash);
        bytes memory two = _sign(BUYER, address(rights), structHash);
        bytes memory call_ = abi.encodeCall(IRights.pledgeShare, (m, one, two));
        call_[4 + 32 * word] = 0x01;
        (bool done, bytes memory reason) = address(rights).call(call_);
        vm.assertTrue(!done, "took dirty bits");
        vm.assertEq(reason, "");
    }

    /* HELPERS */

    function _bps(uint256 key) private view returns (uint16) {
        IRights.Share[] memory shares = rights.shares(assetId);
        for (uint256 i = 0; i < shares.length; ++i) {
            if (shares[i].holder == _at(key)) return shares[i].bps;
        }
        return 0;
    }

    function _fill(uint256 count) private {
        for (uint256 key = 0xE0; key < 0xE0 + count; ++key) {
            _admit(key, Roles.BUYER);
            _send(_shareOf(assetId, SUPPLIER, key, 1), SUPPLIER);
        }
        vm.assertEq(rights.shares(assetId).length, 16);
    }

    function _refusesPledge(IRights.PledgeShare memory m, uint256 pledgee, bytes memory reason) private {
        bytes memory one = _sign(SUPPLIER, address(rights), _hash(m));
        bytes memory two = _sign(pledgee, address(rights), _hash(m));
        vm.expectRevert(reason);
        rights.pledgeShare(m, one, two);
    }

    function _refusesMarks(IRights.EncumberShare memory m, uint8 current) private {
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        vm.expectRevert(
            abi.encodeWithSelector(IRights.RightsShareMarks.selector, assetId, m.holder, current, m.marks)
        );
        rights.encumberShare(m, signature);
    }
}
