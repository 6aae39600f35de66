// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Acts} from "./Acts.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {Roles} from "./Roles.sol";
import {ICurrencies} from "./interfaces/ICurrencies.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {ISettlementToken} from "./interfaces/ISettlementToken.sol";

/// @title SettlementToken
/// @dev Balances are two growing counters in one slot, in place of OpenZeppelin's mapping: no slot returns to zero.
contract SettlementToken is ISettlementToken, ERC20, ParticipantIntents {
    struct Account {
        uint128 totalIn;
        uint128 totalOut;
    }

    bytes32 private constant ISSUE_TYPEHASH =
        keccak256("Issue(address account,uint256 amount,uint16 currency,bytes32 ref,address bank,uint64 deadline)");
    bytes32 private constant REDEEM_TYPEHASH = keccak256(
        "Redeem(bytes32 redemptionId,address account,uint96 amount,uint16 currency,bytes32 payoutDigest,address bank,uint64 payBy,uint64 deadline)"
    );
    bytes32 private constant PAY_TYPEHASH =
        keccak256("PayRedemption(bytes32 redemptionId,uint16 currency,bytes32 ref,address bank,uint64 deadline)");
    bytes32 private constant REJECT_TYPEHASH =
        keccak256("RejectRedemption(bytes32 redemptionId,uint16 currency,bytes32 reasonDigest,address bank,uint64 deadline)");

    /// @dev 2^53 - 1: every balance, escrow and sum of them is then an integer that all JSON readers keep exact.
    uint256 private constant MAX_SUPPLY = 2 ** 53 - 1;

    /// @dev A bank has at least a day to pay, and may keep nobody's money for longer than ninety.
    uint64 private constant MIN_WAIT = 1 days;
    uint64 private constant MAX_WAIT = 90 days;

    /// @notice ISO 4217 numeric code.
    uint16 public immutable CURRENCY;
    uint8 private immutable _DECIMALS;
    address public immutable ORDERS;
    address public immutable CLEARING;

    mapping(address account => Account) private _accounts;
    mapping(bytes32 ref => bool) private _refs;
    mapping(bytes32 redemptionId => Redemption) private _redemptions;
    uint256 private _issued;
    uint256 private _redeemed;

    /// @param currency ISO 4217 numeric code. @param decimals_ digits of its minor unit.
    constructor(
        IParticipants participants,
        address orders,
        address clearing,
        uint16 currency,
        uint8 decimals_,
        string memory name_,
        string memory symbol_
    ) ERC20(name_, symbol_) ParticipantIntents(participants) {
        CURRENCY = currency;
        _DECIMALS = decimals_;
        ORDERS = orders;
        CLEARING = clearing;
    }

    /* ISSUE */

    /// @inheritdoc ISettlementToken
    function issue(Issue calldata issue_, bytes calldata bankSignature) external override {
        _requireCurrency(issue_.currency);
        bytes32 structHash = keccak256(abi.encode(ISSUE_TYPEHASH, issue_));
        _requireSignedFor(issue_.bank, Acts.MONEY, issue_.amount, 0, structHash, bankSignature);
        _requireInTime(issue_.deadline);
        if (issue_.bank == issue_.account) revert SettlementTokenOwnMatter(issue_.bank);
        if (issue_.amount == 0 || issue_.amount > MAX_SUPPLY - totalSupply()) revert SettlementTokenAmount(issue_.amount);
        if (_refs[issue_.ref]) revert SettlementTokenRefUsed(issue_.ref);
        PARTICIPANTS.requireActive(issue_.bank, Roles.BANK);
        PARTICIPANTS.requireActive(issue_.account, 0);

        _refs[issue_.ref] = true;
        _mint(issue_.account, issue_.amount);

        emit Issued(issue_.account, issue_.amount, issue_.ref, issue_.bank);
    }

    /* REDEEM */

    /// @inheritdoc ISettlementToken
    function redeem(Redeem calldata redeem_, bytes calldata accountSignature) external override {
        _requireCurrency(redeem_.currency);
        bytes32 structHash = keccak256(abi.encode(REDEEM_TYPEHASH, redeem_));
        _requireSignedFor(redeem_.account, Acts.MONEY, redeem_.amount, 0, structHash, accountSignature);
        _requireInTime(redeem_.deadline);
        bytes32 id = redeem_.redemptionId;
        bytes32 expected = keccak256(abi.encode(redeem_.account, redeem_.currency, redeem_.payoutDigest));
        if (expected != id) revert SettlementTokenRedemptionId(expected, id);
        RedemptionStatus current = _redemptions[id].status;
        if (current != RedemptionStatus.None) revert SettlementTokenRedemptionStatus(id, current);
        if (redeem_.bank == redeem_.account) revert SettlementTokenOwnMatter(redeem_.bank);
        if (redeem_.amount == 0) revert SettlementTokenAmount(0);
        _requireWait(redeem_.payBy);
        _requireNotSuspended(redeem_.account);
        PARTICIPANTS.requireActive(redeem_.bank, Roles.BANK);
        _requireBalance(redeem_.account, redeem_.amount);

        _redemptions[id] =
            Redemption(redeem_.account, redeem_.payBy, RedemptionStatus.Locked, redeem_.bank, redeem_.amount);
        _shift(redeem_.account, address(this), redeem_.amount);

        emit RedemptionRequested(
            id, redeem_.account, redeem_.amount, redeem_.payoutDigest, redeem_.bank, redeem_.payBy
        );
    }

    /// @inheritdoc ISettlementToken
    function payRedemption(PayRedemption calldata pay, bytes calldata bankSignature) external override {
        _requireCurrency(pay.currency);
        uint256 amount = _redemptions[pay.redemptionId].amount;
        bytes32 structHash = keccak256(abi.encode(PAY_TYPEHASH, pay));
        _requireSignedFor(pay.bank, Acts.MONEY, amount, 0, structHash, bankSignature);
        _requireInTime(pay.deadline);
        Redemption storage record = _requireLocked(pay.redemptionId);
        _requireAsked(record, pay.redemptionId, pay.bank);
        if (_refs[pay.ref]) revert SettlementTokenRefUsed(pay.ref);

        record.status = RedemptionStatus.Paid;
        _refs[pay.ref] = true;
        _shift(address(this), address(0), record.amount);

        emit RedemptionPaid(pay.redemptionId, record.account, record.amount, pay.ref, pay.bank);
    }

    /// @inheritdoc ISettlementToken
    function rejectRedemption(RejectRedemption calldata reject, bytes calldata bankSignature) external override {
        _requireCurrency(reject.currency);
        _requireSigned(reject.bank, Acts.MONEY, keccak256(abi.encode(REJECT_TYPEHASH, reject)), bankSignature);
        _requireInTime(reject.deadline);
        Redemption storage record = _requireLocked(reject.redemptionId);
        _requireAsked(record, reject.redemptionId, reject.bank);

        record.status = RedemptionStatus.Rejected;
        _shift(address(this), record.account, record.amount);

        emit RedemptionRejected(
            reject.redemptionId, record.account, record.amount, reject.reasonDigest, reject.bank
        );
    }

    /// @inheritdoc ISettlementToken
    function expireRedemption(bytes32 redemptionId) external override {
        Redemption storage record = _requireLocked(redemptionId);
        if (block.timestamp <= record.payBy) revert SettlementTokenNotDue(redemptionId, record.payBy);

        record.status = RedemptionStatus.Expired;
        _shift(address(this), record.account, record.amount);

        emit RedemptionExpired(redemptionId, record.account, record.amount, record.bank);
    }

    /// @dev Before the signature, which could only be for the token of the currency that is named.
    function _requireCurrency(uint16 currency) private view {
        if (currency != CURRENCY) revert ICurrencies.CurrenciesDiffer(CURRENCY, currency);
    }

    /// @dev What an account has stays its own when it leaves or is expelled. A suspension holds it, as where a key was stolen.
    function _requireNotSuspended(address account) private view {
        bool suspended = PARTICIPANTS.participant(account).status == IParticipants.Status.Suspended;
        if (suspended) revert IParticipants.ParticipantsNotActive(account, 0);
    }

    function _requireWait(uint64 payBy) private view {
        (uint256 earliest, uint256 latest) = (block.timestamp + MIN_WAIT, block.timestamp + MAX_WAIT);
        if (payBy < earliest || payBy > latest) revert SettlementTokenPayBy(payBy, earliest, latest);
    }

    function _requireLocked(bytes32 redemptionId) private view returns (Redemption storage record) {
        record = _redemptions[redemptionId];
        if (record.status != RedemptionStatus.Locked) {
            revert SettlementTokenRedemptionStatus(redemptionId, record.status);
        }
    }

    function _requireAsked(Redemption storage record, bytes32 redemptionId, address bank) private view {
        if (record.bank != bank) revert SettlementTokenNotBank(redemptionId, bank);
        PARTICIPANTS.requireActive(bank, Roles.BANK);
    }

    /* VIEWS */

    /// @inheritdoc ISettlementToken
    function redemption(bytes32 redemptionId) external view override returns (Redemption memory) {
        return _redemptions[redemptionId];
    }

    /// @inheritdoc ISettlementToken
    function isUsed(bytes32 ref) external view override returns (bool) {
        return _refs[ref];
    }

    function decimals() public view override returns (uint8) {
        return _DECIMALS;
    }

    function totalSupply() public view override(ERC20, IERC20) returns (uint256) {
        return _issued - _redeemed;
    }

    function balanceOf(address account) public view override(ERC20, IERC20) returns (uint256) {
        Account storage record = _accounts[account];
        return record.totalIn - record.totalOut;
    }

    /// @notice Orders may take what a buyer has signed for, and Clearing what a debtor has; nobody else may take anything.
    function allowance(address, address spender) public view override(ERC20, IERC20) returns (uint256) {
        return spender == ORDERS || spender == CLEARING ? type(uint256).max : 0;
    }

    /* EFFECTS */

    /// @dev The way of OpenZeppelin's own functions: only an issue makes money, and only orders and clearing move it.
    function _update(address from, address to, uint256 value) internal override {
        if (from != address(0)) {
            if (msg.sender != ORDERS && msg.sender != CLEARING) revert SettlementTokenClosedLoop();
            _requireBalance(from, value);
        }
        _shift(from, to, value);
    }

    /// @dev From zero is an issue, to zero a payout. The whole supply fits 53 bits, so the narrowing is safe; the counters'
    /// additions are checked. The giver has `value`.
    function _shift(address from, address to, uint256 value) private {
        if (from == address(0)) _issued += value;
        else _accounts[from].totalOut += uint128(value);
        if (to == address(0)) _redeemed += value;
        else _accounts[to].totalIn += uint128(value);

        emit Transfer(from, to, value);
    }

    function _requireBalance(address account, uint256 value) private view {
        uint256 balance = balanceOf(account);
        if (balance < value) revert ERC20InsufficientBalance(account, balance, value);
    }

    function _approve(address, address, uint256, bool) internal pure override {
        revert SettlementTokenClosedLoop();
    }
}
