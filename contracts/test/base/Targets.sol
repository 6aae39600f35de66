// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice Tells forge to call one handler, and which of its functions: without that it would also call the handler's own setUp.
abstract contract Targets {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = _handler();
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(_handler(), _actions());
    }

    function _handler() internal view virtual returns (address);

    function _actions() internal pure virtual returns (bytes4[] memory selectors);
}
