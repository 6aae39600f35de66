// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRights} from "./interfaces/IRights.sol";

/// @title Split
/// @notice Divides money by revenue shares so that the parts sum exactly.
library Split {
    uint256 private constant WHOLE_BPS = 10_000;

    /// @notice Each holder gets floor(net * bps / 10000); what is left over goes one unit each to the largest remainders, the
    /// earlier holder first where remainders are equal.
    /// @dev The bps sum to 10000, so fewer units are left over than there are remainders above zero. No entry of 0 bps gets one.
    function largestRemainder(uint96 net, IRights.Share[] memory holders)
        internal
        pure
        returns (uint96[] memory amounts)
    {
        amounts = new uint96[](holders.length);
        uint256[] memory remainders = new uint256[](holders.length);
        uint96 left = net;
        for (uint256 i = 0; i < holders.length; ++i) {
            uint256 product = uint256(net) * holders[i].bps;
            amounts[i] = uint96(product / WHOLE_BPS); // <= net, which has 96 bits
            remainders[i] = product % WHOLE_BPS;
            left -= amounts[i];
        }
        for (; left > 0; --left) {
            uint256 next = _largest(remainders);
            amounts[next] += 1;
            remainders[next] = 0;
        }
    }

    function _largest(uint256[] memory values) private pure returns (uint256 best) {
        for (uint256 i = 1; i < values.length; ++i) {
            if (values[i] > values[best]) best = i;
        }
    }
}
