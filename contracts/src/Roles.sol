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
    uint32 internal constant REGULATOR = 128;
    uint32 internal constant REVIEWER = 256;
    uint32 internal constant ASSESSOR = 512;
    uint32 internal constant VALUER = 1024;
    uint32 internal constant ARBITRATOR = 2048;
    uint32 internal constant DELIVERER = 4096;
    uint32 internal constant AUTHORITY = 8192;
    uint32 internal constant IMPLEMENTER = 16384;
    uint32 internal constant OPERATOR = 32768;
    uint32 internal constant ALL = 65535;
}
