// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";

/// @title What derived products are made of, the consents they need, and what their inputs get
/// @notice Whoever registers a product that was made from others' data declares its inputs before it is confirmed. An input rests either on
/// a title that lets its holder derive, or on the consent of who operates the input. Nothing is put on offer or ordered while
/// a consent is missing, or an input, at any depth, is suspended or revoked. Inputs are confirmed when they are named and nothing
/// confirmed gets inputs, so no product is made of itself.
interface ILineage is IIntentBatch {
    enum ConsentStatus {
        None,
        Given,
        Withdrawn
    }

    /// @param titleId the title that let the product's holder derive; 0 where a consent is needed instead.
    /// @param bps part of the product's net income that is due to the input, in hundredths of a percent.
    struct Input {
        bytes32 assetId;
        bytes32 titleId;
        uint16 bps;
    }

    /// @param by who gave it, under its title to operate `titleId`, which covers `fields` of the input.
    struct Consent {
        address by;
        uint64 validUntil;
        ConsentStatus status;
        uint24 version;
        bytes32 titleId;
        bytes32 fields;
    }

    /// @notice A share holder's part of a sum, and the asset through which it is due.
    struct Part {
        bytes32 assetId;
        address holder;
        uint96 amount;
    }

    /// @notice Signed by `holder`, who registered the asset. The lists have the same order; `agreementDigest` is of the papers that
    /// say how the product was made, and name sources outside of this register.
    struct DeclareLineage {
        bytes32 assetId;
        address holder;
        bytes32[] inputs;
        bytes32[] titles;
        uint16[] bps;
        bytes32 agreementDigest;
        uint64 deadline;
    }

    /// @notice Signed by `holder`, who operates the input under `titleId`, a first title or one that lets derive, and did not register
    /// the product. `bps` are what the declaration says; `version` is the
    /// consent's present one, 0 before the first.
    struct GiveConsent {
        bytes32 assetId;
        bytes32 inputId;
        bytes32 titleId;
        address holder;
        uint16 bps;
        uint64 validUntil;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Signed by `holder`, who gave the consent.
    struct WithdrawConsent {
        bytes32 assetId;
        bytes32 inputId;
        address holder;
        uint64 version;
        uint64 deadline;
    }

    event LineageDeclared(
        bytes32 indexed assetId,
        address indexed holder,
        bytes32[] inputs,
        bytes32[] titles,
        uint16[] bps,
        bytes32 agreementDigest
    );
    event ConsentGiven(
        bytes32 indexed assetId,
        bytes32 indexed inputId,
        bytes32 titleId,
        address indexed holder,
        uint16 bps,
        uint64 validUntil,
        uint64 version
    );
    event ConsentWithdrawn(
        bytes32 indexed assetId, bytes32 indexed inputId, address indexed holder, uint64 version
    );

    /// @notice `account` did not register the asset.
    error LineageNotRegistrant(bytes32 assetId, address account);
    /// @notice The asset's inputs are declared already, for good.
    error LineageExists(bytes32 assetId);
    /// @notice Inputs are at most eight, each once, with one title or 0 and one part each; the parts sum to at most 10000.
    error LineageInputs(uint256 count, uint256 bps);
    /// @notice A product has at most four levels of inputs below it and sixteen assets in its whole tree, itself counted.
    error LineageTooDeep(uint256 depth, uint256 size);
    /// @notice The title is not one of `account` to use or operate the input that lets it derive, or give a consent.
    error LineageTitle(bytes32 titleId, bytes32 inputId, address account);
    /// @notice The asset was not declared to need a consent for this input.
    error LineageNoInput(bytes32 assetId, bytes32 inputId);
    /// @notice The consent is for another part of the income than the declaration says.
    error LineageBps(uint16 declared, uint16 got);
    /// @notice The consent would be over already or end beyond forty bits, or is over before what is offered `until`.
    error LineageTerm(bytes32 assetId, bytes32 inputId, uint64 validUntil, uint64 until);
    /// @notice No consent is given for this input: there was none (0), or it was withdrawn (2).
    error LineageNoConsent(bytes32 assetId, bytes32 inputId, uint8 current);
    /// @notice Nobody consents to its own product: own inputs rest on own titles.
    error LineageOwnConsent(bytes32 assetId, address account);
    /// @notice `account` did not give the consent, which is in force while who gave it operates the input.
    error LineageNotConsenter(bytes32 assetId, bytes32 inputId, address account);

    /// @notice Declares what a registered asset, not yet confirmed, was made of.
    function declare(DeclareLineage calldata declaration, bytes calldata holderSignature) external;

    /// @notice Consents that a product of this input is provided to others.
    function consent(GiveConsent calldata consent_, bytes calldata holderSignature) external;

    /// @notice Withdraws a consent: nothing new is sold under it. Orders that are funded already run on.
    function withdraw(WithdrawConsent calldata withdrawal, bytes calldata holderSignature) external;

    /// @notice The declared inputs, and how many levels and assets the tree has. `size` is 0 where nothing was declared.
    function lineage(bytes32 assetId) external view returns (Input[] memory inputs, uint8 depth, uint8 size);

    /// @notice What stands on record for a consent; all zero for an unknown one.
    function consentOf(bytes32 assetId, bytes32 inputId) external view returns (Consent memory);

    /// @notice Reverts if an input at any depth is suspended or revoked, or needs a consent that is not in force until `until`:
    /// given, and by somebody who could itself offer these purposes and territories of the input now.
    function requireSellable(bytes32 assetId, uint32 purposes, uint48 territories, uint64 until) external view;

    /// @notice Divides `net` exactly: to each level's inputs and own share holders by largest remainder, and so on. The product's
    /// holders come first, then its inputs' in their order, then those of their inputs.
    function split(bytes32 assetId, uint96 net) external view returns (Part[] memory);
}
