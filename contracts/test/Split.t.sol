// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Signing} from "./base/Signing.sol";
import {Split} from "../src/Split.sol";

contract SplitTest is Signing {
    function testFuzz_partsSumExactlyAndAreWithinOneOfTheirQuota(uint96 net, uint256 seed, uint8 count) public pure {
        uint16[] memory bps = _parts(seed, count % 16 + 1);
        uint96[] memory parts = Split.largestRemainder(net, bps);
        uint256 sum = 0;
        for (uint256 i = 0; i < parts.length; ++i) {
            uint256 quota = uint256(net) * bps[i] / 10_000;
            vm.assertTrue(parts[i] == quota || parts[i] == quota + 1, "a part is off its quota");
            if (bps[i] == 0) vm.assertEq(parts[i], 0);
            sum += parts[i];
        }
        vm.assertEq(sum, net);
    }

    function testFuzz_equalSharesDifferByAtMostOneAndTheEarlierGetsMore(uint96 net) public pure {
        uint16[] memory bps = new uint16[](4);
        for (uint256 i = 0; i < 4; ++i) {
            bps[i] = 2500;
        }
        uint96[] memory parts = Split.largestRemainder(net, bps);
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(parts[i], net / 4 + (i < net % 4 ? 1 : 0));
        }
    }

    function test_theLargestRemainderGetsTheUnitThatIsLeft() public pure {
        uint16[] memory bps = new uint16[](3);
        (bps[0], bps[1], bps[2]) = (3333, 3333, 3334);
        uint96[] memory parts = Split.largestRemainder(100, bps);
        vm.assertEq(parts[0], 33);
        vm.assertEq(parts[1], 33);
        vm.assertEq(parts[2], 34);
    }

    /// @dev Shares that sum to 10000, zeros among them.
    function _parts(uint256 seed, uint256 count) private pure returns (uint16[] memory bps) {
        bps = new uint16[](count);
        uint16 left = 10_000;
        for (uint256 i = 0; i + 1 < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint16 part = seed % 3 == 0 ? 0 : uint16(seed % (uint256(left) + 1));
            bps[i] = part;
            left -= part;
        }
        bps[count - 1] = left;
    }
}
