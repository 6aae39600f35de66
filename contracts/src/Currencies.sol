// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ICurrencies} from "./interfaces/ICurrencies.sol";

/// @title Currencies
/// @dev The first currency is immutable, so that a market with no other pays nothing for the choice. The tokens are this market's own:
/// they return true or revert, and call nobody back.
abstract contract Currencies is ICurrencies {
    uint16 public immutable CURRENCY;
    IERC20 public immutable TOKEN;

    mapping(uint16 currency => IERC20) private _further;

    /// @param currencies ISO 4217 numeric codes, the market's first one first. @param tokens the token of each.
    constructor(uint16[] memory currencies, IERC20[] memory tokens) {
        CURRENCY = currencies[0];
        TOKEN = tokens[0];
        for (uint256 i = 1; i < currencies.length; ++i) {
            _further[currencies[i]] = tokens[i];
        }
    }

    /// @inheritdoc ICurrencies
    function tokenOf(uint16 currency) public view override returns (IERC20 token) {
        token = currency == CURRENCY ? TOKEN : _further[currency];
        if (address(token) == address(0)) revert CurrenciesUnknown(currency);
    }
}
