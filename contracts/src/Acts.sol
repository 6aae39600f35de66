// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Acts
/// @notice What a key may sign for its account, as bits; the same bits as `marketplace.types.Act`.
library Acts {
    /// @dev The account itself: its keys, guardians, standing.
    uint32 internal constant ADMINISTER = 1;
    /// @dev Registrations, titles and revenue shares, as their holder.
    uint32 internal constant TITLES = 2;
    uint32 internal constant LISTINGS = 4;
    /// @dev Orders; bounded by the key's limit.
    uint32 internal constant ORDERS = 8;
    /// @dev Queries and their vouchers; bounded by the key's limit.
    uint32 internal constant QUERIES = 16;
    /// @dev Closing of orders, as their seller; claims on orders, as either side.
    uint32 internal constant SETTLEMENT = 32;
    /// @dev Whatever a registrar decides.
    uint32 internal constant REGISTRY = 64;
    /// @dev Whatever a bank does, and asking a bank for money back; bounded by the key's limit.
    uint32 internal constant MONEY = 128;
    /// @dev Anchoring of the log.
    uint32 internal constant EVIDENCE = 256;
    /// @dev Signing in to read.
    uint32 internal constant READ = 512;
    uint32 internal constant AGREEMENTS = 1024;
    /// @dev The recovery of another account, as its guardian or as a registrar.
    uint32 internal constant RECOVERY = 2048;
    /// @dev Batches of clearing, as the exchange, and debts in them, up to the limit, as the debtor.
    uint32 internal constant CLEARING = 4096;
    uint32 internal constant ALL = 8191;
}
