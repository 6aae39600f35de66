// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IIntentBatch} from "./IIntentBatch.sol";

/// @title The money of the market
/// @notice One unit is one fen. A bank issues it against money received; inside, only orders move it. It is an ERC-20 to read, and
/// a closed loop: holders cannot pass it on among themselves, so that money moves by the market's rules or not at all.
interface ISettlementToken is IIntentBatch, IERC20 {
    /// @notice Signed by `bank`. `ref` names the payment received, once.
    struct Issue {
        address account;
        uint256 amount;
        bytes32 ref;
        address bank;
        uint64 deadline;
    }

    event Issued(address indexed account, uint256 amount, bytes32 indexed ref, address indexed bank);

    /// @notice Only orders move money.
    error SettlementTokenClosedLoop();
    /// @notice A bank does not issue to itself.
    error SettlementTokenOwnMatter(address bank);
    /// @notice The amount is zero, or all money together would be more than 2^53 - 1 fen.
    error SettlementTokenAmount(uint256 amount);
    /// @notice This payment was issued for already.
    error SettlementTokenRefUsed(bytes32 ref);

    /// @notice Issues money to an active participant.
    function issue(Issue calldata issue_, bytes calldata bankSignature) external;

    /// @notice Whether `ref` was issued for.
    function isUsed(bytes32 ref) external view returns (bool);
}
