// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Acts} from "./Acts.sol";
import {Currencies} from "./Currencies.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {Roles} from "./Roles.sol";
import {IClearing} from "./interfaces/IClearing.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";

/// @title Clearing
contract Clearing is IClearing, Currencies, ParticipantIntents {
    bytes32 private constant OPEN_TYPEHASH =
        keccak256("OpenBatch(bytes32 batchId,address exchange,uint48 number,uint16 currency,uint64 closeBy,uint64 deadline)");
    bytes32 private constant OWE_TYPEHASH = keccak256(
        "Owe(bytes32 debtId,bytes32 batchId,address debtor,address creditor,uint64 amount,uint16 currency,bytes32 ref,uint64 deadline)"
    );
    bytes32 private constant CLOSE_TYPEHASH =
        keccak256("CloseBatch(bytes32 batchId,uint32 legs,uint64 payBy,address exchange,uint64 deadline)");
    bytes32 private constant CONFIRM_TYPEHASH =
        keccak256("ConfirmBatch(bytes32 batchId,bytes32 payoutsDigest,address exchange,uint64 deadline)");

    /// @dev Of debts in one batch. What orders bring is money that exists, so there is room for it above, and nobody's paper debts
    /// can keep an order out; and every position stays an integer that all JSON readers keep exact, while money is below 2^52.
    uint64 private constant MAX_DEBIT = 2 ** 52 - 1;
    uint64 private constant MAX_CREDIT = 2 ** 52 - 1;
    /// @dev Nothing is dropped before the time to pay in is over, so that has an end, and with it what orders brought.
    uint64 private constant MAX_WAIT = 30 days;
    /// @dev What debtors have to pay in where the exchange did not close a batch in its time and somebody else does.
    uint64 private constant OVERDUE_WAIT = 3 days;
    /// @dev Under a party's first debt; not zero, so that the slot of its latest debt never returns to zero.
    bytes32 private constant NO_DEBT = bytes32(uint256(1));

    address public immutable ORDERS;

    mapping(bytes32 batchId => Batch) private _batches;
    mapping(bytes32 batchId => mapping(address party => Position)) private _positions;
    mapping(bytes32 batchId => mapping(address debtor => bytes32 debtId)) private _latest;
    mapping(bytes32 debtId => Debt) private _debts;

    constructor(IParticipants participants, uint16[] memory currencies, IERC20[] memory tokens, address orders)
        Currencies(currencies, tokens)
        ParticipantIntents(participants)
    {
        ORDERS = orders;
    }

    /* OPEN */

    /// @inheritdoc IClearing
    function openBatch(OpenBatch calldata opening, bytes calldata exchangeSignature) external override {
        bytes32 structHash = keccak256(abi.encode(OPEN_TYPEHASH, opening));
        _requireSigned(opening.exchange, Acts.CLEARING, structHash, exchangeSignature);
        _requireInTime(opening.deadline);
        _requireId(keccak256(abi.encode(opening.exchange, opening.number)), opening.batchId);
        _requireStatus(opening.batchId, Status.None);
        if (opening.closeBy < block.timestamp || opening.closeBy > block.timestamp + MAX_WAIT) {
            revert ClearingCloseBy(opening.closeBy, block.timestamp);
        }
        tokenOf(opening.currency);
        PARTICIPANTS.requireActive(opening.exchange, Roles.EXCHANGE);

        Batch storage record = _batches[opening.batchId];
        record.status = Status.Open;
        record.closeBy = uint48(opening.closeBy); // fits: at most MAX_WAIT after this block
        record.currency = opening.currency;

        emit BatchOpened(opening.batchId, opening.number, opening.currency, opening.closeBy, opening.exchange);
    }

    /* ENTER */

    /// @inheritdoc IClearing
    function owe(Owe calldata debt_, bytes calldata debtorSignature) external override {
        bytes32 structHash = keccak256(abi.encode(OWE_TYPEHASH, debt_));
        _requireSignedFor(debt_.debtor, Acts.CLEARING, debt_.amount, 0, structHash, debtorSignature);
        _requireInTime(debt_.deadline);
        _requireId(keccak256(abi.encode(debt_.debtor, debt_.creditor, debt_.ref)), debt_.debtId);
        _requireStatus(debt_.batchId, Status.Open);
        _requireCurrency(debt_.batchId, debt_.currency);
        if (_debts[debt_.debtId].status == DebtStatus.Entered) revert ClearingDebtExists(debt_.debtId);
        if (debt_.debtor == debt_.creditor) revert ClearingSameParty(debt_.debtor);
        _requireAmount(debt_);
        PARTICIPANTS.requireActive(debt_.debtor, 0);
        PARTICIPANTS.requireActive(debt_.creditor, 0);

        _owe(debt_.batchId, debt_.debtor, debt_.amount);
        _due(debt_.batchId, debt_.creditor, debt_.amount);
        _batches[debt_.batchId].legs += 1;
        bytes32 latest = _latest[debt_.batchId][debt_.debtor];
        bytes32 previous = latest == 0 ? NO_DEBT : latest;
        _debts[debt_.debtId] = Debt(debt_.debtor, debt_.amount, DebtStatus.Entered, debt_.creditor, previous);
        _latest[debt_.batchId][debt_.debtor] = debt_.debtId;

        emit Owed(debt_.batchId, debt_.debtId, debt_.debtor, debt_.creditor, debt_.amount, debt_.ref);
    }

    /// @inheritdoc IClearing
    function enter(
        bytes32 batchId,
        bytes32 orderId,
        uint16 currency,
        address[] calldata parties,
        uint64[] calldata amounts
    ) external override {
        if (msg.sender != ORDERS) revert ClearingOnlyOrders(msg.sender);
        _requireStatus(batchId, Status.Open);
        _requireCurrency(batchId, currency);

        for (uint256 i = 0; i < parties.length; ++i) {
            if (amounts[i] > 0) _due(batchId, parties[i], amounts[i]);
        }
        _batches[batchId].legs += 1;

        emit Entered(batchId, orderId, parties, amounts);
    }

    /* CLOSE */

    /// @inheritdoc IClearing
    function closeBatch(CloseBatch calldata closing, bytes calldata exchangeSignature) external override {
        bytes32 structHash = keccak256(abi.encode(CLOSE_TYPEHASH, closing));
        _requireSigned(closing.exchange, Acts.CLEARING, structHash, exchangeSignature);
        _requireInTime(closing.deadline);
        _requireStatus(closing.batchId, Status.Open);
        uint32 legs = _batches[closing.batchId].legs;
        if (legs != closing.legs) revert ClearingLegs(legs, closing.legs);
        if (closing.payBy < block.timestamp || closing.payBy > block.timestamp + MAX_WAIT) {
            revert ClearingPayBy(closing.payBy, block.timestamp);
        }
        PARTICIPANTS.requireActive(closing.exchange, Roles.EXCHANGE);

        _close(closing.batchId, closing.payBy, closing.exchange);
    }

    /// @inheritdoc IClearing
    function closeOverdue(bytes32 batchId) external override {
        _requireStatus(batchId, Status.Open);
        _requireOverdue(batchId);

        _close(batchId, uint64(block.timestamp) + OVERDUE_WAIT, address(0));
    }

    /* COLLECT AND DROP */

    /// @inheritdoc IClearing
    function collect(bytes32 batchId, address party, uint64 total) external override {
        _requireStatus(batchId, Status.Closed);
        (uint64 needed, uint256 balance) = _requireOpenNeed(batchId, party);
        Position storage record = _positions[batchId][party];
        if (record.collected + needed != total) revert ClearingTotal(record.collected + needed, total);
        if (balance < needed) revert ClearingShort(party, balance, needed);

        record.collected = total;
        _batches[batchId].uncovered -= 1;

        emit Collected(batchId, party, needed);

        tokenOf(_batches[batchId].currency).transferFrom(party, address(this), needed);
    }

    /// @inheritdoc IClearing
    function drop(bytes32 batchId, bytes32 debtId) external override {
        _requireStatus(batchId, Status.Closed);
        uint64 payBy = _batches[batchId].payBy;
        if (block.timestamp <= payBy) revert ClearingNotDue(batchId, payBy);
        Debt storage record = _debts[debtId];
        bytes32 latest = _latest[batchId][record.debtor];
        if (debtId == 0 || latest != debtId) revert ClearingNotLatest(latest, debtId);
        (uint64 needed, uint256 balance) = _requireOpenNeed(batchId, record.debtor);
        if (balance >= needed) revert ClearingSolvent(record.debtor, balance, needed);

        record.status = DebtStatus.Dropped;
        _latest[batchId][record.debtor] = record.previous;
        _undo(batchId, record);

        emit Dropped(batchId, debtId, record.debtor);
    }

    /* CONFIRM AND PAY */

    /// @inheritdoc IClearing
    function confirmBatch(ConfirmBatch calldata confirmation, bytes calldata exchangeSignature) external override {
        bytes32 structHash = keccak256(abi.encode(CONFIRM_TYPEHASH, confirmation));
        _requireSigned(confirmation.exchange, Acts.CLEARING, structHash, exchangeSignature);
        _requireInTime(confirmation.deadline);
        _requireStatus(confirmation.batchId, Status.Closed);
        _requireCovered(confirmation.batchId);
        PARTICIPANTS.requireActive(confirmation.exchange, Roles.EXCHANGE);

        _confirm(confirmation.batchId, confirmation.payoutsDigest, confirmation.exchange);
    }

    /// @inheritdoc IClearing
    function confirmOverdue(bytes32 batchId) external override {
        _requireStatus(batchId, Status.Closed);
        _requireOverdue(batchId);
        _requireCovered(batchId);

        _confirm(batchId, 0, address(0));
    }

    /// @inheritdoc IClearing
    /// @dev Everybody is covered, so debit <= credit + collected.
    function pay(bytes32 batchId, address party) external override {
        _requireStatus(batchId, Status.Confirmed);
        Position storage record = _positions[batchId][party];
        if (!record.entered || record.paid) revert ClearingNothingToPay(batchId, party);
        uint64 amount = record.credit + record.collected - record.debit;

        record.paid = true;
        uint32 unpaid = _batches[batchId].unpaid - 1;
        _batches[batchId].unpaid = unpaid;
        if (unpaid == 0) _batches[batchId].status = Status.Settled;

        emit PaidOut(batchId, party, amount);
        if (unpaid == 0) emit BatchSettled(batchId);

        if (amount > 0) tokenOf(_batches[batchId].currency).transfer(party, amount);
    }

    /* VIEWS */

    /// @inheritdoc IClearing
    function batch(bytes32 batchId) external view override returns (Batch memory) {
        return _batches[batchId];
    }

    /// @inheritdoc IClearing
    function position(bytes32 batchId, address party) external view override returns (Position memory) {
        return _positions[batchId][party];
    }

    /// @inheritdoc IClearing
    function debt(bytes32 debtId) external view override returns (Debt memory) {
        return _debts[debtId];
    }

    /* EFFECTS */

    /// @param exchange who closes; the zero address where anyone may.
    function _close(bytes32 batchId, uint64 payBy, address exchange) private {
        Batch storage record = _batches[batchId];
        record.status = Status.Closed;
        record.payBy = uint48(payBy); // fits: at most MAX_WAIT after this block

        emit BatchClosed(batchId, record.legs, record.parties, payBy, exchange);
    }

    /// @param exchange who confirms; the zero address where anyone may.
    function _confirm(bytes32 batchId, bytes32 payoutsDigest, address exchange) private {
        Batch storage record = _batches[batchId];
        record.status = record.unpaid == 0 ? Status.Settled : Status.Confirmed;

        emit BatchConfirmed(batchId, payoutsDigest, exchange);
        if (record.status == Status.Settled) emit BatchSettled(batchId);
    }

    function _due(bytes32 batchId, address party, uint64 amount) private {
        Position storage record = _entered(batchId, party);
        bool before = _needed(record) > 0;
        record.credit += amount;
        _recount(batchId, before, _needed(record) > 0);
    }

    function _owe(bytes32 batchId, address party, uint64 amount) private {
        Position storage record = _entered(batchId, party);
        bool before = _needed(record) > 0;
        record.debit += amount;
        _recount(batchId, before, _needed(record) > 0);
    }

    function _undo(bytes32 batchId, Debt storage dropped) private {
        Position storage debtor = _positions[batchId][dropped.debtor];
        bool before = _needed(debtor) > 0;
        debtor.debit -= dropped.amount;
        _recount(batchId, before, _needed(debtor) > 0);
        Position storage creditor = _positions[batchId][dropped.creditor];
        before = _needed(creditor) > 0;
        creditor.credit -= dropped.amount;
        _recount(batchId, before, _needed(creditor) > 0);
    }

    function _entered(bytes32 batchId, address party) private returns (Position storage record) {
        record = _positions[batchId][party];
        if (record.entered) return record;
        record.entered = true;
        _batches[batchId].parties += 1;
        _batches[batchId].unpaid += 1;
    }

    function _recount(bytes32 batchId, bool before, bool afterwards) private {
        if (before && !afterwards) _batches[batchId].uncovered -= 1;
        if (!before && afterwards) _batches[batchId].uncovered += 1;
    }

    /* CHECKS AND HELPERS */

    function _requireId(bytes32 expected, bytes32 got) private pure {
        if (expected != got) revert ClearingIdMismatch(expected, got);
    }

    function _requireStatus(bytes32 batchId, Status required) private view {
        Status current = _batches[batchId].status;
        if (current != required) revert ClearingStatus(batchId, uint8(current), uint8(required));
    }

    function _requireCurrency(bytes32 batchId, uint16 currency) private view {
        uint16 expected = _batches[batchId].currency;
        if (currency != expected) revert CurrenciesDiffer(expected, currency);
    }

    function _requireOverdue(bytes32 batchId) private view {
        uint64 until = _batches[batchId].closeBy;
        if (block.timestamp <= until) revert ClearingNotOverdue(batchId, until);
    }

    function _requireCovered(bytes32 batchId) private view {
        uint32 uncovered = _batches[batchId].uncovered;
        if (uncovered != 0) revert ClearingUncovered(batchId, uncovered);
    }

    function _requireOpenNeed(bytes32 batchId, address party) private view returns (uint64 needed, uint256 balance) {
        needed = _needed(_positions[batchId][party]);
        if (needed == 0) revert ClearingCovered(batchId, party);
        balance = tokenOf(_batches[batchId].currency).balanceOf(party);
    }

    function _needed(Position storage record) private view returns (uint64) {
        uint64 has = record.credit + record.collected;
        return record.debit > has ? record.debit - has : 0;
    }

    function _requireAmount(Owe calldata debt_) private view {
        uint64 debit = _positions[debt_.batchId][debt_.debtor].debit;
        uint64 credit = _positions[debt_.batchId][debt_.creditor].credit;
        bool fits = debt_.amount <= MAX_DEBIT - debit && credit <= MAX_CREDIT - debt_.amount;
        if (debt_.amount == 0 || !fits) revert ClearingAmount(debt_.amount);
    }
}
