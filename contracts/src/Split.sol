// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Split
/// @notice Divides money by parts of the whole so that what each gets sums exactly.
library Split {
    uint256 private constant WHOLE_BPS = 10_000;

    /// @notice Each place gets floor(net * bps / 10000); what is left over goes one unit each to the largest remainders, the
    /// earlier place first where remainders are equal.
    /// @dev The bps sum to 10000, so fewer units are left over than there are remainders above zero. No place of 0 bps gets one.
    function largestRemainder(uint96 net, uint16[] memory bps) internal pure returns (uint96[] memory amounts) {
        amounts = new uint96[](bps.length);
        uint256[] memory remainders = new uint256[](bps.length);
        uint96 left = net;
        for (uint256 i = 0; i < bps.length; ++i) {
            uint256 product = uint256(net) * bps[i];
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
