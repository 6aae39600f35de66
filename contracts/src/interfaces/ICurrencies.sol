// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Which monies a market has
/// @notice Each currency is a token of its own, named by its ISO 4217 numeric code and fixed when the market is founded. Nothing
/// converts one into another: whatever is signed, funded, cleared or paid is in exactly one.
interface ICurrencies {
    /// @notice The market has no such currency.
    error CurrenciesUnknown(uint16 currency);
    /// @notice What is signed is in another currency than what it is about.
    error CurrenciesDiffer(uint16 expected, uint16 got);

    /// @notice The token of a currency; reverts where the market has none.
    function tokenOf(uint16 currency) external view returns (IERC20 token);
}
