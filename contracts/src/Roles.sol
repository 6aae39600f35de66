// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Roles
/// @notice What a participant may do, as bits; the same bits as `marketplace.types.Role`.
library Roles {
    uint32 internal constant SUPPLIER = 1;
    uint32 internal constant BUYER = 2;
    uint32 internal constant REGISTRAR = 4;
    uint32 internal constant BANK = 8;
    uint32 internal constant EXCHANGE = 16;
    uint32 internal constant PANEL = 32;
    uint32 internal constant AUDITOR = 64;
    uint32 internal constant ALL = 127;
}
