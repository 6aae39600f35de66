// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IIntentBatch} from "./IIntentBatch.sol";

/// @title Money of the market in one currency
/// @notice One unit is the minor unit of the currency: a fen, a cent. A market has a token for each currency, and nothing converts. A bank issues it against money received and redeems it against money paid out; inside, only orders
/// move it. It is an ERC-20 to read, and a closed loop: holders cannot pass it on among themselves, so that money moves by the
/// market's rules or not at all. What is being redeemed is held by this contract itself.
interface ISettlementToken is IIntentBatch, IERC20 {
    /// @notice Signed by `bank`. `ref` names the payment received, once.
    struct Issue {
        address account;
        uint256 amount;
        uint16 currency;
        bytes32 ref;
        address bank;
        uint64 deadline;
    }

    enum RedemptionStatus {
        None,
        Locked,
        Paid,
        Rejected,
        Expired
    }

    /// @notice `payBy` is until when the bank may keep the holder waiting, unix seconds.
    struct Redemption {
        address account;
        uint64 payBy;
        RedemptionStatus status;
        address bank;
        uint96 amount;
    }

    /// @notice Signed by `account`, who wants money back at `bank`. `payoutDigest` names the document that says where it is paid to.
    /// redemptionId = keccak256(abi.encode(account, currency, payoutDigest)).
    struct Redeem {
        bytes32 redemptionId;
        address account;
        uint96 amount;
        uint16 currency;
        bytes32 payoutDigest;
        address bank;
        uint64 payBy;
        uint64 deadline;
    }

    /// @notice Signed by `bank`: it has paid. `ref` names the payment, once among all payments in and out.
    struct PayRedemption {
        bytes32 redemptionId;
        uint16 currency;
        bytes32 ref;
        address bank;
        uint64 deadline;
    }

    /// @notice Signed by `bank`: it does not pay.
    struct RejectRedemption {
        bytes32 redemptionId;
        uint16 currency;
        bytes32 reasonDigest;
        address bank;
        uint64 deadline;
    }

    event Issued(address indexed account, uint256 amount, bytes32 indexed ref, address indexed bank);
    event RedemptionRequested(
        bytes32 indexed redemptionId,
        address indexed account,
        uint96 amount,
        bytes32 payoutDigest,
        address indexed bank,
        uint64 payBy
    );
    event RedemptionPaid(
        bytes32 indexed redemptionId, address indexed account, uint96 amount, bytes32 ref, address indexed bank
    );
    event RedemptionRejected(
        bytes32 indexed redemptionId, address indexed account, uint96 amount, bytes32 reasonDigest, address indexed bank
    );
    event RedemptionExpired(bytes32 indexed redemptionId, address indexed account, uint96 amount, address indexed bank);

    /// @notice Only orders move money.
    error SettlementTokenClosedLoop();
    /// @notice A bank neither issues to itself nor redeems its own money.
    error SettlementTokenOwnMatter(address bank);
    /// @notice The amount is zero, or all money together would be more than 2^53 - 1 minor units.
    error SettlementTokenAmount(uint256 amount);
    /// @notice This payment was issued for, or paid a redemption, already.
    error SettlementTokenRefUsed(bytes32 ref);
    /// @notice The id does not follow from holder, currency and payout document.
    error SettlementTokenRedemptionId(bytes32 expected, bytes32 got);
    /// @notice The last day for the payout is not within a day and ninety days from now.
    error SettlementTokenPayBy(uint64 payBy, uint256 earliest, uint256 latest);
    /// @notice The redemption's status does not allow this.
    error SettlementTokenRedemptionStatus(bytes32 redemptionId, RedemptionStatus current);
    /// @notice Another bank was asked.
    error SettlementTokenNotBank(bytes32 redemptionId, address bank);
    /// @notice The bank may still pay.
    error SettlementTokenNotDue(bytes32 redemptionId, uint64 payBy);

    /// @notice Issues money to an active participant.
    function issue(Issue calldata issue_, bytes calldata bankSignature) external;

    /// @notice Locks money that its holder, unless it is suspended, wants back. Nobody can use it until the redemption ends.
    function redeem(Redeem calldata redeem_, bytes calldata accountSignature) external;

    /// @notice Destroys what was locked: the bank has paid.
    function payRedemption(PayRedemption calldata pay, bytes calldata bankSignature) external;

    /// @notice Gives back what was locked: the bank does not pay.
    function rejectRedemption(RejectRedemption calldata reject, bytes calldata bankSignature) external;

    /// @notice Gives back what was locked, after `payBy`; anyone may ask, so that no bank can hold money by silence.
    function expireRedemption(bytes32 redemptionId) external;

    function redemption(bytes32 redemptionId) external view returns (Redemption memory);

    /// @notice Whether `ref` was issued for or paid a redemption.
    function isUsed(bytes32 ref) external view returns (bool);
}
