// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "../base/MarketTest.sol";
import {SettlementToken} from "../../src/SettlementToken.sol";
import {Roles} from "../../src/Roles.sol";
import {IClearing} from "../../src/interfaces/IClearing.sol";
import {IListings} from "../../src/interfaces/IListings.sol";
import {IOrders} from "../../src/interfaces/IOrders.sol";
import {ISettlementToken} from "../../src/interfaces/ISettlementToken.sol";

/// @notice Owes, orders and clears in batches of both currencies, in any order, sometimes wrongly. What is refused changes nothing.
contract BatchesHandler is MarketTest {
    struct Brought {
        uint256 orders; // what orders put into it
        uint256 collected;
        uint256 paid;
    }

    uint256[] public people;
    bytes32[] public batches;
    bytes32[] public debts;
    bytes32[] public funded;
    uint256 public accepted;
    string public violation; // what was seen to be wrong first; empty while nothing was

    mapping(bytes32 batchId => Brought) public brought;
    mapping(bytes32 batchId => uint8) private _seen;
    mapping(bytes32 batchId => mapping(address debtor => bytes32[])) private _entered;
    bytes32[2] private _offers;

    constructor() {
        super.setUp();
        people = [SUPPLIER, COLLECTOR, BUYER, 0xE1, 0xE2];
        _admit(0xE1, Roles.BUYER);
        _admit(0xE2, Roles.BUYER);
        for (uint256 i = 0; i < people.length; ++i) {
            _issue(people[i], CNY, 1000 * i);
            _issue(people[i], HKD, 700 * i + 1);
        }
        _offers[0] = _listed("yuan");
        IListings.List memory m = _listOf(listings.listing(_offers[0]).assetId, "dollars");
        m.currency = HKD;
        _send(m, SUPPLIER);
        _offers[1] = m.listingId;
    }

    /* ACTIONS */

    function open(uint32 wait, bool inDollars) public {
        uint48 number = uint48(batches.length + 1);
        bytes32 id = keccak256(abi.encode(_at(EXCHANGE), number));
        uint16 currency = inDollars ? HKD : CNY;
        IClearing.OpenBatch memory m =
            IClearing.OpenBatch(id, _at(EXCHANGE), number, currency, uint64(block.timestamp + wait % 40 days), _deadline());
        if (_try(abi.encodeCall(IClearing.openBatch, (m, _sign(EXCHANGE, address(clearing), _hash(m)))))) {
            batches.push(id);
        }
    }

    function owe(uint256 which, uint256 debtor, uint256 creditor, uint64 amount) public {
        if (batches.length == 0) return;
        bytes32 batchId = _batch(which, IClearing.Status.Open);
        address one = _at(_person(debtor));
        address two = _at(_person(creditor));
        bytes32 ref = bytes32(uint256(amount % 8));
        bytes32 id = keccak256(abi.encode(one, two, ref));
        uint16 currency = clearing.batch(batchId).currency;
        IClearing.Owe memory m = IClearing.Owe(id, batchId, one, two, amount % 1500, currency, ref, _deadline());
        if (!_try(abi.encodeCall(IClearing.owe, (m, _sign(_person(debtor), address(clearing), _hash(m)))))) return;
        debts.push(id);
        _entered[batchId][one].push(id);
        if (one == two) violation = "somebody owes itself";
    }

    function fund(bool inDollars, uint96 escrow) public {
        IOrders.Fund memory m = _fundOf(_offers[inDollars ? 1 : 0], keccak256(abi.encode("agreement", funded.length)));
        (m.escrow, m.currency, m.epsilonCap) = (10 + escrow % 500, inDollars ? HKD : CNY, 10);
        bytes memory signature = _sign(BUYER, address(orders), _hash(m));
        (bool done,) = address(orders).call(abi.encodeCall(IOrders.fund, (m, signature)));
        if (done) funded.push(m.orderId);
    }

    /// @dev Its money leaves Orders for the batch, whole, or nothing happens.
    function clear(uint256 which, uint256 batch, uint96 amount) public {
        if (batches.length == 0 || funded.length == 0) return;
        bytes32 orderId = funded[which % funded.length];
        bytes32 batchId = _batch(batch, IClearing.Status.Open);
        IOrders.Order memory order = orders.order(orderId);
        IOrders.Voucher memory v = _voucherOf(orderId);
        (v.amount, v.epsilon) = (amount % (order.escrow + 2), 1);
        IOrders.Clear memory c = IOrders.Clear(orderId, _hash(v), batchId, _at(SUPPLIER), _deadline());
        bytes memory one = _sign(BUYER, address(orders), _hash(v));
        bytes memory two = _sign(SUPPLIER, address(orders), _hash(c));
        (bool done,) = address(orders).call(abi.encodeCall(IOrders.clear, (v, one, c, two)));
        _watchBatches();
        if (!done) return;
        ++accepted;
        brought[batchId].orders += order.escrow;
        if (clearing.batch(batchId).currency != order.currency) violation = "an order in a batch of another currency";
        if (clearing.batch(batchId).status != IClearing.Status.Open) violation = "an order in a batch that is not open";
    }

    /// @dev Mostly the exchange, with the count that it sees; now and then anyone.
    function close(uint256 which, uint32 wait, uint8 how) public {
        if (batches.length == 0) return;
        uint64 payBy = uint64(block.timestamp + (how % 16 == 1 ? 31 days : wait % 3 days));
        bytes32 batchId = _batch(which, IClearing.Status.Open);
        IClearing.Batch memory record = clearing.batch(batchId);
        if (how % 3 == 0) {
            bool done = _try(abi.encodeCall(IClearing.closeOverdue, (batchId)));
            if (done && block.timestamp <= record.closeBy) violation = "closed by anyone before its time";
            return;
        }
        uint32 legs = record.legs + (how % 16 == 2 ? 1 : 0);
        IClearing.CloseBatch memory m = IClearing.CloseBatch(batchId, legs, payBy, _at(EXCHANGE), _deadline());
        _try(abi.encodeCall(IClearing.closeBatch, (m, _sign(EXCHANGE, address(clearing), _hash(m)))));
    }

    function collect(uint256 which, uint256 who, bool wrong) public {
        if (batches.length == 0) return;
        bytes32 batchId = _batch(which, IClearing.Status.Closed);
        address party = _debtor(batchId, who);
        IClearing.Position memory before = clearing.position(batchId, party);
        uint64 total = before.debit > before.credit ? before.debit - before.credit : 0;
        if (!_try(abi.encodeCall(IClearing.collect, (batchId, party, wrong ? total + 1 : total)))) return;
        brought[batchId].collected += total - before.collected;
        if (total <= before.collected) violation = "collected from one who owes nothing";
    }

    /// @dev I-18: no debt of one who can pay is dropped, and none before the time to pay in is over.
    function drop(uint256 which, uint256 who, bool older) public {
        if (batches.length == 0) return;
        bytes32 batchId = _batch(which, IClearing.Status.Closed);
        address party = _debtor(batchId, who);
        bytes32[] storage theirs = _entered[batchId][party];
        if (theirs.length == 0) return;
        bytes32 debtId = theirs[older ? 0 : theirs.length - 1];
        IClearing.Position memory p = clearing.position(batchId, party);
        uint256 balance = _moneyOf(batchId).balanceOf(party);
        if (!_try(abi.encodeCall(IClearing.drop, (batchId, debtId)))) return;
        if (debtId != theirs[theirs.length - 1]) violation = "dropped another than the latest debt";
        theirs.pop();
        if (balance >= p.debit - p.credit - p.collected) violation = "dropped the debt of one who can pay";
        if (block.timestamp <= clearing.batch(batchId).payBy) violation = "dropped before the time to pay in was over";
    }

    function confirm(uint256 which, uint8 how) public {
        if (batches.length == 0) return;
        bytes32 batchId = _batch(which, IClearing.Status.Closed);
        uint64 until = clearing.batch(batchId).closeBy;
        IClearing.ConfirmBatch memory m = IClearing.ConfirmBatch(batchId, "payouts", _at(EXCHANGE), _deadline());
        bytes memory call_ = how % 3 == 0
            ? abi.encodeCall(IClearing.confirmOverdue, (batchId))
            : abi.encodeCall(IClearing.confirmBatch, (m, _sign(EXCHANGE, address(clearing), _hash(m))));
        bool done = _try(call_);
        if (done && clearing.batch(batchId).uncovered > 0) violation = "confirmed while somebody is not covered";
        if (done && how % 3 == 0 && block.timestamp <= until) violation = "confirmed by anyone before its time";
    }

    function pay(uint256 which, uint256 who) public {
        if (batches.length == 0) return;
        bytes32 batchId = _batch(which, IClearing.Status.Confirmed);
        address party = who % 6 == 5 ? TREASURY : _at(_person(who % 6));
        uint256 had = _moneyOf(batchId).balanceOf(party);
        if (!_try(abi.encodeCall(IClearing.pay, (batchId, party)))) return;
        uint256 got = _moneyOf(batchId).balanceOf(party) - had;
        brought[batchId].paid += got;
        IClearing.Position memory p = clearing.position(batchId, party);
        if (got + p.debit != uint256(p.credit) + p.collected) violation = "paid another sum than the net";
    }

    function wait_(uint32 time) public {
        vm.warp(block.timestamp + time % 4 days);
    }

    /* READING */

    function parties() public view returns (address[6] memory all) {
        for (uint256 i = 0; i < 5; ++i) {
            all[i] = _at(people[i]);
        }
        all[5] = TREASURY;
    }

    function counts() external view returns (uint256, uint256, uint256) {
        return (batches.length, debts.length, funded.length);
    }

    function market() external view returns (address, address, address, address) {
        return (address(clearing), address(orders), address(token), address(dollars));
    }

    /* DOING AND WATCHING */

    function _issue(uint256 key, uint16 currency, uint256 amount) private {
        if (amount == 0) return;
        ISettlementToken.Issue memory m = _issueOf(key, amount, keccak256(abi.encode(key, currency)));
        m.currency = currency;
        SettlementToken money = currency == HKD ? dollars : token;
        money.issue(m, _sign(BANK, address(money), _hash(m)));
    }

    function _try(bytes memory data) private returns (bool done) {
        (done,) = address(clearing).call(data);
        if (done) ++accepted;
        _watchBatches();
    }

    /// @dev A batch goes forward, one step at a time or (nobody is to be paid) over Confirmed.
    function _watchBatches() private {
        for (uint256 i = 0; i < batches.length; ++i) {
            uint8 status = uint8(clearing.batch(batches[i]).status);
            if (status < _seen[batches[i]]) violation = "a batch went back";
            _seen[batches[i]] = status;
        }
    }

    function _moneyOf(bytes32 batchId) private view returns (SettlementToken) {
        return clearing.batch(batchId).currency == HKD ? dollars : token;
    }

    /// @dev Mostly one with this status; any where none has it, or now and then.
    function _batch(uint256 which, IClearing.Status status) private view returns (bytes32) {
        for (uint256 i = 0; i < batches.length && which % 8 > 0; ++i) {
            bytes32 candidate = batches[(which % batches.length + i) % batches.length];
            if (clearing.batch(candidate).status == status) return candidate;
        }
        return batches[which % batches.length];
    }

    /// @dev Mostly one who still owes.
    function _debtor(bytes32 batchId, uint256 who) private view returns (address) {
        for (uint256 i = 0; i < people.length && who % 8 > 0; ++i) {
            address candidate = _at(_person(who % people.length + i));
            IClearing.Position memory p = clearing.position(batchId, candidate);
            if (p.debit > p.credit + p.collected) return candidate;
        }
        return _at(_person(who));
    }

    function _person(uint256 seed) private view returns (uint256) {
        return people[seed % people.length];
    }
}
