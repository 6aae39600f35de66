// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acts} from "./Acts.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {IRights} from "./interfaces/IRights.sol";
import {ITitles} from "./interfaces/ITitles.sol";

/// @title Titles
contract Titles is ITitles, ParticipantIntents {
    bytes32 private constant TRANSFER_TYPEHASH =
        keccak256("Transfer(bytes32 titleId,address from,address to,uint64 version,uint64 deadline)");

    IRights public immutable RIGHTS;
    address public immutable ORDERS;

    mapping(bytes32 titleId => Title) private _titles;

    constructor(IParticipants participants, IRights rights, address orders) ParticipantIntents(participants) {
        RIGHTS = rights;
        ORDERS = orders;
    }

    /* TRANSFER */

    /// @inheritdoc ITitles
    function transfer(Transfer calldata transfer_, bytes calldata fromSignature, bytes calldata toSignature)
        external
        override
    {
        bytes32 structHash = keccak256(abi.encode(TRANSFER_TYPEHASH, transfer_));
        _requireSigned(transfer_.from, Acts.TITLES, structHash, fromSignature);
        _requireSigned(transfer_.to, Acts.TITLES, structHash, toSignature);
        _requireInTime(transfer_.deadline);
        Title storage record = _titles[transfer_.titleId];
        if (record.holder != transfer_.from) revert TitlesNotHolder(transfer_.titleId, transfer_.from);
        if (record.kind == TitleKind.Use) revert TitlesNotTransferable(transfer_.titleId);
        if (transfer_.from == transfer_.to) revert TitlesSameParty(transfer_.to);
        _requireVersion(record.version, transfer_.version);
        PARTICIPANTS.requireActive(transfer_.from, 0);
        PARTICIPANTS.requireActive(transfer_.to, 0);

        record.holder = transfer_.to;
        record.version += 1;

        emit TitleTransferred(transfer_.titleId, transfer_.from, transfer_.to, record.version);
    }

    /* FOR OTHER CONTRACTS */

    /// @inheritdoc ITitles
    function open(bytes32 assetId, address holder, uint64 validUntil) external override {
        if (msg.sender != address(RIGHTS)) revert TitlesOnlyMarket(msg.sender);
        _grant(_titleId(assetId, TitleKind.Hold), assetId, TitleKind.Hold, holder, 0, validUntil);
        _grant(_titleId(assetId, TitleKind.Operate), assetId, TitleKind.Operate, holder, 0, validUntil);
    }

    /// @inheritdoc ITitles
    function grantUse(bytes32 assetId, bytes32 orderId, address buyer, uint64 validUntil) external override {
        if (msg.sender != ORDERS) revert TitlesOnlyMarket(msg.sender);
        bytes32 titleId = keccak256(abi.encode(assetId, TitleKind.Use, orderId));
        _grant(titleId, assetId, TitleKind.Use, buyer, orderId, validUntil);
    }

    /* VIEWS */

    /// @inheritdoc ITitles
    function title(bytes32 titleId) external view override returns (Title memory) {
        return _titles[titleId];
    }

    /// @inheritdoc ITitles
    function hasPart(bytes32 assetId, address account) external view override returns (bool) {
        bool holds = _titles[_titleId(assetId, TitleKind.Hold)].holder == account;
        return holds || _titles[_titleId(assetId, TitleKind.Operate)].holder == account;
    }

    /// @inheritdoc ITitles
    function requireOperator(bytes32 assetId, address account) external view override returns (uint64 validUntil) {
        validUntil = RIGHTS.requireConfirmed(assetId);
        bytes32 titleId = _titleId(assetId, TitleKind.Operate);
        if (_titles[titleId].holder != account) revert TitlesNotHolder(titleId, account);
    }

    /* EFFECTS */

    /// @dev `validUntil` is at most five years away, so 40 bits hold it.
    function _grant(
        bytes32 titleId,
        bytes32 assetId,
        TitleKind kind,
        address holder,
        bytes32 orderId,
        uint64 validUntil
    ) private {
        _titles[titleId] = Title(holder, kind, 1, uint40(validUntil));
        emit TitleGranted(titleId, assetId, uint8(kind), holder, orderId, validUntil);
    }

    /* HELPERS */

    function _titleId(bytes32 assetId, TitleKind kind) private pure returns (bytes32) {
        return keccak256(abi.encode(assetId, kind));
    }
}
