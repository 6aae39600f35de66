// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Signing} from "./base/Signing.sol";
import {Split} from "../src/Split.sol";
import {IRights} from "../src/interfaces/IRights.sol";

contract SplitTest is Signing {
    function testFuzz_partsSumExactlyAndAreWithinOneOfTheirQuota(uint96 net, uint256 seed, uint8 count) public pure {
        IRights.Share[] memory holders = _shares(seed, count % 16 + 1);
        uint96[] memory parts = Split.largestRemainder(net, holders);
        uint256 sum = 0;
        for (uint256 i = 0; i < parts.length; ++i) {
            uint256 quota = uint256(net) * holders[i].bps / 10_000;
            vm.assertTrue(parts[i] == quota || parts[i] == quota + 1, "a part is off its quota");
            if (holders[i].bps == 0) vm.assertEq(parts[i], 0);
            sum += parts[i];
        }
        vm.assertEq(sum, net);
    }

    function testFuzz_equalSharesDifferByAtMostOneAndTheEarlierGetsMore(uint96 net) public pure {
        IRights.Share[] memory holders = new IRights.Share[](4);
        for (uint256 i = 0; i < 4; ++i) {
            holders[i] = IRights.Share(address(0), 2500);
        }
        uint96[] memory parts = Split.largestRemainder(net, holders);
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(parts[i], net / 4 + (i < net % 4 ? 1 : 0));
        }
    }

    function test_theLargestRemainderGetsTheUnitThatIsLeft() public pure {
        IRights.Share[] memory holders = new IRights.Share[](3);
        (holders[0].bps, holders[1].bps, holders[2].bps) = (3333, 3333, 3334);
        uint96[] memory parts = Split.largestRemainder(100, holders);
        vm.assertEq(parts[0], 33);
        vm.assertEq(parts[1], 33);
        vm.assertEq(parts[2], 34);
    }

    /// @dev Shares that sum to 10000, zeros among them.
    function _shares(uint256 seed, uint256 count) private pure returns (IRights.Share[] memory holders) {
        holders = new IRights.Share[](count);
        uint16 left = 10_000;
        for (uint256 i = 0; i + 1 < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint16 part = seed % 3 == 0 ? 0 : uint16(seed % (uint256(left) + 1));
            holders[i].bps = part;
            left -= part;
        }
        holders[count - 1].bps = left;
    }
}
