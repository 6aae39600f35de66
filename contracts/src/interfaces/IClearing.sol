// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";

/// @title Clearing, many debts in one movement each
/// @notice A batch is of one currency. It takes in what is due: orders that are settled into it, with their money, and debts that their debtors signed.
/// It is closed, every net debtor's money is collected, debts that cannot be paid are dropped, and each party is paid its net.
/// @dev Collecting, dropping and paying name nobody who decides: anyone may send them, in any order, again after a crash; what
/// comes out is the same. The outcome is the greatest clearing vector in the sense of Eisenberg and Noe, "Systemic Risk in
/// Financial Systems" (2001), with whole debts paid in the order of their entry.
interface IClearing is IIntentBatch {
    /// @notice None -> Open by {openBatch} -> Closed by {closeBatch} or {closeOverdue} -> Confirmed by {confirmBatch} or
    /// {confirmOverdue} -> Settled by the last {pay}.
    enum Status {
        None,
        Open,
        Closed,
        Confirmed,
        Settled
    }

    /// @notice None -> Entered by {owe} -> Dropped by {drop} -> Entered by another {owe}. An entered debt of a settled batch is paid.
    enum DebtStatus {
        None,
        Entered,
        Dropped
    }

    /// @notice `legs` counts orders and debts; `parties` everybody with a position; `uncovered` those who owe more than they are
    /// due and have paid in; `unpaid` those whom {pay} has not reached. Unix seconds: until `payBy` nothing is dropped, until `closeBy` the exchange
    /// alone closes and confirms.
    struct Batch {
        Status status;
        uint32 legs;
        uint32 parties;
        uint32 uncovered;
        uint32 unpaid;
        uint48 payBy;
        uint48 closeBy;
        uint16 currency;
    }

    /// @notice What a party is due and owes in a batch, and what was collected from it, in minor units of the batch's currency.
    struct Position {
        uint64 credit;
        uint64 debit;
        uint64 collected;
        bool entered;
        bool paid;
    }

    struct Debt {
        address debtor;
        uint64 amount;
        DebtStatus status;
        address creditor;
        bytes32 previous;
    }

    /// @notice Signed by `exchange`. batchId = keccak256(abi.encode(exchange, number)). After `closeBy`, unix seconds, anyone may
    /// close the batch and confirm it.
    struct OpenBatch {
        bytes32 batchId;
        address exchange;
        uint48 number;
        uint16 currency;
        uint64 closeBy;
        uint64 deadline;
    }

    /// @notice Signed by `debtor`: "I owe this, and it may be collected by this batch".
    /// debtId = keccak256(abi.encode(debtor, creditor, ref)).
    struct Owe {
        bytes32 debtId;
        bytes32 batchId;
        address debtor;
        address creditor;
        uint64 amount;
        uint16 currency;
        bytes32 ref;
        uint64 deadline;
    }

    /// @notice Signed by `exchange`: nothing enters any more. `legs` is how many it saw.
    struct CloseBatch {
        bytes32 batchId;
        uint32 legs;
        uint64 payBy;
        address exchange;
        uint64 deadline;
    }

    /// @notice Signed by `exchange`. `payoutsDigest` is the digest of who is to be paid what; auditors compute it again.
    struct ConfirmBatch {
        bytes32 batchId;
        bytes32 payoutsDigest;
        address exchange;
        uint64 deadline;
    }

    event BatchOpened(
        bytes32 indexed batchId, uint48 number, uint16 currency, uint64 closeBy, address indexed exchange
    );
    /// @notice `amounts` are the credits of `parties`: the fee, the revenue shares, and what goes back to the buyer.
    event Entered(bytes32 indexed batchId, bytes32 indexed orderId, address[] parties, uint64[] amounts);
    event Owed(
        bytes32 indexed batchId,
        bytes32 indexed debtId,
        address indexed debtor,
        address creditor,
        uint64 amount,
        bytes32 ref
    );
    /// @notice `exchange` is the zero address where it did not close in its time and somebody else did.
    event BatchClosed(bytes32 indexed batchId, uint32 legs, uint32 parties, uint64 payBy, address indexed exchange);
    event Collected(bytes32 indexed batchId, address indexed party, uint64 amount);
    event Dropped(bytes32 indexed batchId, bytes32 indexed debtId, address indexed debtor);
    /// @notice `exchange` and `payoutsDigest` are zero where it did not confirm in its time and somebody else did.
    event BatchConfirmed(bytes32 indexed batchId, bytes32 payoutsDigest, address indexed exchange);
    event PaidOut(bytes32 indexed batchId, address indexed party, uint64 amount);
    event BatchSettled(bytes32 indexed batchId);

    /// @notice The id is not the one that follows from the intent's own fields.
    error ClearingIdMismatch(bytes32 expected, bytes32 got);
    /// @notice The batch is not in the status that this act needs.
    error ClearingStatus(bytes32 batchId, uint8 current, uint8 required);
    /// @notice Only the contract Orders enters orders.
    error ClearingOnlyOrders(address caller);
    /// @notice A debt needs two parties.
    error ClearingSameParty(address party);
    /// @notice This debt stands in a batch already.
    error ClearingDebtExists(bytes32 debtId);
    /// @notice The amount is zero, or more than the debtor may owe, or the creditor be owed, in one batch.
    error ClearingAmount(uint64 amount);
    /// @notice The exchange closes a batch with another number of legs than it has.
    error ClearingLegs(uint32 legs, uint32 stated);
    /// @notice The time to pay in is over before it begins, or longer than thirty days.
    error ClearingPayBy(uint64 payBy, uint256 time);
    /// @notice The time in which the exchange closes is over before it begins, or longer than thirty days.
    error ClearingCloseBy(uint64 closeBy, uint256 time);
    /// @notice Until then the exchange alone does this.
    error ClearingNotOverdue(bytes32 batchId, uint64 until);
    /// @notice Nothing is to be collected from, or dropped of, this party: it is covered.
    error ClearingCovered(bytes32 batchId, address party);
    /// @notice With what is needed now the party will have paid in another total.
    error ClearingTotal(uint64 total, uint64 stated);
    /// @notice Another debt of this debtor, or none, is the latest in the batch.
    error ClearingNotLatest(bytes32 latest, bytes32 debtId);
    /// @notice The party has not enough to be collected.
    error ClearingShort(address party, uint256 balance, uint64 needed);
    /// @notice The party can pay; its debts are not dropped.
    error ClearingSolvent(address party, uint256 balance, uint64 needed);
    /// @notice Debts are dropped only after the time to pay in.
    error ClearingNotDue(bytes32 batchId, uint64 payBy);
    /// @notice So many parties are not covered.
    error ClearingUncovered(bytes32 batchId, uint32 uncovered);
    /// @notice The party has no position in the batch, or was paid.
    error ClearingNothingToPay(bytes32 batchId, address party);

    /// @notice Opens a batch.
    function openBatch(OpenBatch calldata opening, bytes calldata exchangeSignature) external;

    /// @notice Enters a debt.
    function owe(Owe calldata debt, bytes calldata debtorSignature) external;

    /// @notice Credits the parties of an order that Orders settles; it has sent the money.
    function enter(
        bytes32 batchId,
        bytes32 orderId,
        uint16 currency,
        address[] calldata parties,
        uint64[] calldata amounts
    ) external;

    /// @notice Closes a batch to further legs.
    function closeBatch(CloseBatch calldata closing, bytes calldata exchangeSignature) external;

    /// @notice Closes a batch that the exchange did not close by the time it stated when it opened it. Anyone may call it; debtors
    /// have three days to pay in.
    function closeOverdue(bytes32 batchId) external;

    /// @notice Takes from `party` what it owes beyond what it is due. Anyone may call it. `total` is what the party will then have
    /// paid in, so that no act can be mistaken for an earlier one.
    function collect(bytes32 batchId, address party, uint64 total) external;

    /// @notice After the time to pay in, drops a debt, the latest of a debtor that cannot pay. Anyone may call it.
    function drop(bytes32 batchId, bytes32 debtId) external;

    /// @notice Says that every party is covered and who gets what.
    function confirmBatch(ConfirmBatch calldata confirmation, bytes calldata exchangeSignature) external;

    /// @notice Confirms a batch in which every party is covered and that the exchange did not confirm by the time it stated when
    /// it opened it. Anyone may call it.
    function confirmOverdue(bytes32 batchId) external;

    /// @notice Pays `party` its net. Anyone may call it.
    function pay(bytes32 batchId, address party) external;

    /// @notice What stands on record for a batch; all zero for an unknown one.
    function batch(bytes32 batchId) external view returns (Batch memory);

    /// @notice The position of `party` in a batch; all zero where it has none.
    function position(bytes32 batchId, address party) external view returns (Position memory);

    /// @notice What stands on record for a debt; all zero for an unknown one.
    function debt(bytes32 debtId) external view returns (Debt memory);
}
