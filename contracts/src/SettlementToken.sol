// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Acts} from "./Acts.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {Roles} from "./Roles.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {ISettlementToken} from "./interfaces/ISettlementToken.sol";

/// @title SettlementToken
/// @dev Balances are two growing counters in one slot, in place of OpenZeppelin's mapping: no slot returns to zero.
contract SettlementToken is ISettlementToken, ERC20("Settlement Yuan", "SCNY"), ParticipantIntents {
    struct Account {
        uint128 totalIn;
        uint128 totalOut;
    }

    bytes32 private constant ISSUE_TYPEHASH =
        keccak256("Issue(address account,uint256 amount,bytes32 ref,address bank,uint64 deadline)");

    /// @dev 2^53 - 1: every balance, escrow and sum of them is then an integer that all JSON readers keep exact.
    uint256 private constant MAX_SUPPLY = 2 ** 53 - 1;

    address public immutable ORDERS;
    address public immutable CLEARING;

    mapping(address account => Account) private _accounts;
    mapping(bytes32 ref => bool) private _refs;
    uint256 private _issued;

    constructor(IParticipants participants, address orders, address clearing)
        ParticipantIntents(participants)
    {
        ORDERS = orders;
        CLEARING = clearing;
    }

    /* ISSUE */

    /// @inheritdoc ISettlementToken
    function issue(Issue calldata issue_, bytes calldata bankSignature) external override {
        bytes32 structHash = keccak256(abi.encode(ISSUE_TYPEHASH, issue_));
        _requireSignedFor(issue_.bank, Acts.MONEY, issue_.amount, 0, structHash, bankSignature);
        _requireInTime(issue_.deadline);
        if (issue_.bank == issue_.account) revert SettlementTokenOwnMatter(issue_.bank);
        if (issue_.amount == 0 || issue_.amount > MAX_SUPPLY - _issued) revert SettlementTokenAmount(issue_.amount);
        if (_refs[issue_.ref]) revert SettlementTokenRefUsed(issue_.ref);
        PARTICIPANTS.requireActive(issue_.bank, Roles.BANK);
        PARTICIPANTS.requireActive(issue_.account, 0);

        _refs[issue_.ref] = true;
        _mint(issue_.account, issue_.amount);

        emit Issued(issue_.account, issue_.amount, issue_.ref, issue_.bank);
    }

    /* VIEWS */

    /// @inheritdoc ISettlementToken
    function isUsed(bytes32 ref) external view override returns (bool) {
        return _refs[ref];
    }

    function decimals() public pure override returns (uint8) {
        return 2;
    }

    function totalSupply() public view override(ERC20, IERC20) returns (uint256) {
        return _issued;
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

    /// @dev The whole supply fits 53 bits, so the narrowing is safe; the counters' additions are checked.
    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0)) {
            _issued += value;
        } else {
            _takeFrom(from, value);
        }
        _accounts[to].totalIn += uint128(value);

        emit Transfer(from, to, value);
    }

    function _takeFrom(address from, uint256 value) private {
        if (msg.sender != ORDERS && msg.sender != CLEARING) revert SettlementTokenClosedLoop();
        uint256 balance = balanceOf(from);
        if (balance < value) revert ERC20InsufficientBalance(from, balance, value);
        _accounts[from].totalOut += uint128(value);
    }

    function _approve(address, address, uint256, bool) internal pure override {
        revert SettlementTokenClosedLoop();
    }
}
