// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IntentBatch} from "./IntentBatch.sol";
import {IKeys} from "./interfaces/IKeys.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";

/// @title ParticipantIntents
/// @notice Base of every contract but Participants and Keys, which are asked for standing and keys of signers.
abstract contract ParticipantIntents is IntentBatch {
    IParticipants public immutable PARTICIPANTS;
    IKeys public immutable KEYS;

    constructor(IParticipants participants) {
        PARTICIPANTS = participants;
        KEYS = participants.KEYS();
    }

    function _keyOf(address account, address key) internal view override returns (IKeys.Key memory) {
        return KEYS.keyOf(account, key);
    }
}
