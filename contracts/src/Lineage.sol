// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acts} from "./Acts.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {Split} from "./Split.sol";
import {ILineage} from "./interfaces/ILineage.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {IRights} from "./interfaces/IRights.sol";
import {ITitles} from "./interfaces/ITitles.sol";

/// @title Lineage
contract Lineage is ILineage, ParticipantIntents {
    bytes32 private constant DECLARE_TYPEHASH = keccak256(
        "DeclareLineage(bytes32 assetId,address holder,bytes32[] inputs,bytes32[] titles,uint16[] bps,bytes32 agreementDigest,uint64 deadline)"
    );
    bytes32 private constant CONSENT_TYPEHASH = keccak256(
        "GiveConsent(bytes32 assetId,bytes32 inputId,bytes32 titleId,address holder,uint16 bps,uint64 validUntil,uint64 version,uint64 deadline)"
    );
    bytes32 private constant WITHDRAW_TYPEHASH = keccak256(
        "WithdrawConsent(bytes32 assetId,bytes32 inputId,address holder,uint64 version,uint64 deadline)"
    );

    uint256 private constant MAX_INPUTS = 8;
    uint256 private constant MAX_DEPTH = 4;
    uint256 private constant MAX_SIZE = 16;
    uint16 private constant WHOLE_BPS = 10_000;
    uint8 private constant MAY_DERIVE = 4;
    /// @dev As of titles: forty bits of seconds, which every store can keep.
    uint64 private constant LAST_MOMENT = type(uint40).max;

    /// @dev Of a product's tree: levels of inputs below it, and assets in it, each as often as it is used. `size` 0: nothing declared.
    struct Tree {
        uint8 depth;
        uint8 size;
    }

    struct Node {
        bytes32 assetId;
        uint96 amount;
    }

    IRights public immutable RIGHTS;
    ITitles public immutable TITLES;

    mapping(bytes32 assetId => Tree) private _trees;
    mapping(bytes32 assetId => Input[]) private _inputs;
    mapping(bytes32 assetId => mapping(bytes32 inputId => Consent)) private _consents;

    constructor(IParticipants participants, IRights rights, ITitles titles) ParticipantIntents(participants) {
        RIGHTS = rights;
        TITLES = titles;
    }

    /* DECLARE */

    /// @inheritdoc ILineage
    function declare(DeclareLineage calldata declaration, bytes calldata holderSignature) external override {
        bytes32 assetId = declaration.assetId;
        _requireSigned(declaration.holder, Acts.TITLES, _hash(declaration), holderSignature);
        _requireInTime(declaration.deadline);
        _requireRegistered(assetId, declaration.holder);
        if (_trees[assetId].size != 0) revert LineageExists(assetId);
        _requireInputs(declaration);
        PARTICIPANTS.requireActive(declaration.holder, 0);
        Tree memory tree = _requireTree(declaration);

        _trees[assetId] = tree;
        Input[] storage inputs = _inputs[assetId];
        for (uint256 i = 0; i < declaration.inputs.length; ++i) {
            inputs.push(Input(declaration.inputs[i], declaration.titles[i], declaration.bps[i]));
        }

        emit LineageDeclared(
            assetId,
            declaration.holder,
            declaration.inputs,
            declaration.titles,
            declaration.bps,
            declaration.agreementDigest
        );
    }

    /* CONSENT */

    /// @inheritdoc ILineage
    function consent(GiveConsent calldata consent_, bytes calldata holderSignature) external override {
        bytes32 structHash = keccak256(abi.encode(CONSENT_TYPEHASH, consent_));
        _requireSigned(consent_.holder, Acts.TITLES, structHash, holderSignature);
        _requireInTime(consent_.deadline);
        uint16 declared = _requireOpenInput(consent_.assetId, consent_.inputId);
        if (declared != consent_.bps) revert LineageBps(declared, consent_.bps);
        Consent storage record = _consents[consent_.assetId][consent_.inputId];
        _requireVersion(record.version, consent_.version);
        if (consent_.validUntil <= block.timestamp || consent_.validUntil > LAST_MOMENT) {
            revert LineageTerm(
                consent_.assetId, consent_.inputId, consent_.validUntil, uint64(block.timestamp)
            );
        }
        PARTICIPANTS.requireActive(consent_.holder, 0);
        bytes32 fields = _requireOperates(consent_.titleId, consent_.inputId, consent_.holder);
        _requireAnother(consent_.assetId, consent_.holder);
        _requireReplaceable(record, consent_.assetId, consent_.inputId, consent_.holder);

        record.by = consent_.holder;
        record.validUntil = consent_.validUntil;
        record.status = ConsentStatus.Given;
        record.version += 1;
        record.titleId = consent_.titleId;
        record.fields = fields;

        emit ConsentGiven(
            consent_.assetId,
            consent_.inputId,
            consent_.titleId,
            consent_.holder,
            consent_.bps,
            consent_.validUntil,
            record.version
        );
    }

    /* WITHDRAW */

    /// @inheritdoc ILineage
    function withdraw(WithdrawConsent calldata withdrawal, bytes calldata holderSignature) external override {
        bytes32 structHash = keccak256(abi.encode(WITHDRAW_TYPEHASH, withdrawal));
        _requireSigned(withdrawal.holder, Acts.TITLES, structHash, holderSignature);
        _requireInTime(withdrawal.deadline);
        Consent storage record = _requireGiven(withdrawal.assetId, withdrawal.inputId);
        if (record.by != withdrawal.holder) {
            revert LineageNotConsenter(withdrawal.assetId, withdrawal.inputId, withdrawal.holder);
        }
        _requireVersion(record.version, withdrawal.version);

        record.status = ConsentStatus.Withdrawn;
        record.version += 1;

        emit ConsentWithdrawn(withdrawal.assetId, withdrawal.inputId, withdrawal.holder, record.version);
    }

    /* VIEWS */

    /// @inheritdoc ILineage
    function lineage(bytes32 assetId)
        external
        view
        override
        returns (Input[] memory inputs, uint8 depth, uint8 size)
    {
        return (_inputs[assetId], _trees[assetId].depth, _trees[assetId].size);
    }

    /// @inheritdoc ILineage
    function consentOf(bytes32 assetId, bytes32 inputId) external view override returns (Consent memory) {
        return _consents[assetId][inputId];
    }

    /// @inheritdoc ILineage
    /// @dev At most sixteen assets, so the recursion is bounded.
    function requireSellable(bytes32 assetId, uint32 purposes, uint48 territories, uint64 until)
        public
        view
        override
    {
        if (_trees[assetId].size < 2) return;
        Input[] storage inputs = _inputs[assetId];
        for (uint256 i = 0; i < inputs.length; ++i) {
            bytes32 inputId = inputs[i].assetId;
            if (inputs[i].titleId == 0) _requireConsent(assetId, inputId, purposes, territories, until);
            else _requireNotStopped(inputId);
            requireSellable(inputId, purposes, territories, until);
        }
    }

    /// @inheritdoc ILineage
    function split(bytes32 assetId, uint96 net) external view override returns (Part[] memory parts) {
        uint256 size = _trees[assetId].size;
        Node[] memory nodes = new Node[](size < 2 ? 1 : size);
        IRights.Share[][] memory shares = new IRights.Share[][](nodes.length);
        nodes[0] = Node(assetId, net);
        uint256 count = 1;
        uint256 payees = 0;
        for (uint256 i = 0; i < count; ++i) {
            if (size > 1) count = _divide(nodes, i, count);
            shares[i] = RIGHTS.shares(nodes[i].assetId);
            for (uint256 j = 0; j < shares[i].length; ++j) {
                if (shares[i][j].bps > 0) ++payees;
            }
        }
        parts = new Part[](payees);
        uint256 place = 0;
        for (uint256 i = 0; i < count; ++i) {
            place = _share(parts, place, nodes[i], shares[i]);
        }
    }

    /* SPLIT */

    /// @dev What is due to the inputs of node `i` goes to new nodes; the node keeps its own part. An input of 0 bps gets no node.
    function _divide(Node[] memory nodes, uint256 i, uint256 count) private view returns (uint256) {
        Input[] storage inputs = _inputs[nodes[i].assetId];
        uint256 own = inputs.length;
        if (own == 0) return count;
        uint16[] memory bps = new uint16[](own + 1);
        bps[own] = WHOLE_BPS;
        for (uint256 j = 0; j < own; ++j) {
            bps[j] = inputs[j].bps;
            bps[own] -= bps[j];
        }
        uint96[] memory amounts = Split.largestRemainder(nodes[i].amount, bps);
        nodes[i].amount = amounts[own];
        for (uint256 j = 0; j < own; ++j) {
            if (bps[j] > 0) nodes[count++] = Node(inputs[j].assetId, amounts[j]);
        }
        return count;
    }

    function _share(Part[] memory parts, uint256 place, Node memory node, IRights.Share[] memory shares)
        private
        pure
        returns (uint256)
    {
        uint16[] memory bps = new uint16[](shares.length);
        for (uint256 i = 0; i < shares.length; ++i) {
            bps[i] = shares[i].bps;
        }
        uint96[] memory amounts = Split.largestRemainder(node.amount, bps);
        for (uint256 i = 0; i < shares.length; ++i) {
            if (bps[i] > 0) parts[place++] = Part(node.assetId, shares[i].holder, amounts[i]);
        }
        return place;
    }

    /* CHECKS */

    function _requireRegistered(bytes32 assetId, address holder) private view {
        IRights.Asset memory asset = RIGHTS.asset(assetId);
        if (asset.status != IRights.AssetStatus.Registered) {
            revert IRights.RightsStatus(assetId, uint8(asset.status), uint8(IRights.AssetStatus.Registered));
        }
        if (asset.registrant != holder) revert LineageNotRegistrant(assetId, holder);
    }

    function _requireInputs(DeclareLineage calldata declaration) private pure {
        bytes32[] calldata inputs = declaration.inputs;
        uint256 sum = 0;
        for (uint256 i = 0; i < declaration.bps.length; ++i) {
            sum += declaration.bps[i];
        }
        bool paired = inputs.length == declaration.titles.length && inputs.length == declaration.bps.length;
        if (!paired || inputs.length > MAX_INPUTS || sum > WHOLE_BPS) revert LineageInputs(inputs.length, sum);
        for (uint256 i = 0; i < inputs.length; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                if (inputs[i] == inputs[j]) revert LineageInputs(inputs.length, sum);
            }
        }
    }

    function _requireTree(DeclareLineage calldata declaration) private view returns (Tree memory) {
        uint256 depth = 0;
        uint256 size = 1;
        for (uint256 i = 0; i < declaration.inputs.length; ++i) {
            bytes32 inputId = declaration.inputs[i];
            RIGHTS.requireConfirmed(inputId);
            if (declaration.titles[i] != 0) _requireDerives(declaration.titles[i], inputId, declaration.holder);
            Tree storage below = _trees[inputId];
            if (below.depth + 1 > depth) depth = below.depth + 1;
            size += below.size == 0 ? 1 : below.size;
        }
        if (depth > MAX_DEPTH || size > MAX_SIZE) revert LineageTooDeep(depth, size);
        return Tree(uint8(depth), uint8(size));
    }

    function _requireDerives(bytes32 titleId, bytes32 inputId, address holder) private view {
        ITitles.Title memory title = TITLES.title(titleId);
        bool works = title.assetId == inputId && title.holder == holder && title.kind != ITitles.TitleKind.Hold
            && title.marks & MAY_DERIVE != 0;
        if (!works) revert LineageTitle(titleId, inputId, holder);
        _requireStands(titleId);
    }

    function _requireOperates(bytes32 titleId, bytes32 inputId, address holder) private view returns (bytes32) {
        ITitles.Title memory title = TITLES.title(titleId);
        bool works = title.assetId == inputId && title.holder == holder && title.kind == ITitles.TitleKind.Operate;
        if (!works) revert ITitles.TitlesNotHolder(titleId, holder);
        if (title.parent != 0 && title.marks & MAY_DERIVE == 0) revert LineageTitle(titleId, inputId, holder);
        _requireStands(titleId);
        return title.fields;
    }

    /// @dev Whoever was not let derive shall not let itself: a consent is another's.
    function _requireAnother(bytes32 assetId, address holder) private view {
        if (RIGHTS.asset(assetId).registrant == holder) revert LineageOwnConsent(assetId, holder);
    }

    /// @dev While a consent is in force and its giver still operates the input, nobody else puts another in its place.
    function _requireReplaceable(Consent storage record, bytes32 assetId, bytes32 inputId, address holder) private view {
        if (record.status != ConsentStatus.Given || record.by == holder || block.timestamp > record.validUntil) return;
        (uint8 cause,) = TITLES.standing(record.titleId);
        bool operates = cause == 0 && TITLES.title(record.titleId).holder == record.by;
        if (operates) revert LineageNotConsenter(assetId, inputId, holder);
    }

    function _requireStands(bytes32 titleId) private view {
        (uint8 cause, bytes32 ancestor) = TITLES.standing(titleId);
        if (cause != 0) revert ITitles.TitlesOver(titleId, ancestor, cause);
    }

    /// @return bps what was declared for an input that needs a consent.
    function _requireOpenInput(bytes32 assetId, bytes32 inputId) private view returns (uint16 bps) {
        Input[] storage inputs = _inputs[assetId];
        for (uint256 i = 0; i < inputs.length; ++i) {
            if (inputs[i].assetId == inputId && inputs[i].titleId == 0) return inputs[i].bps;
        }
        revert LineageNoInput(assetId, inputId);
    }

    function _requireGiven(bytes32 assetId, bytes32 inputId) private view returns (Consent storage record) {
        record = _consents[assetId][inputId];
        if (record.status != ConsentStatus.Given) revert LineageNoConsent(assetId, inputId, uint8(record.status));
    }

    function _requireConsent(bytes32 assetId, bytes32 inputId, uint32 purposes, uint48 territories, uint64 until)
        private
        view
    {
        Consent storage record = _requireGiven(assetId, inputId);
        if (record.validUntil < until) revert LineageTerm(assetId, inputId, record.validUntil, until);
        uint64 latest =
            TITLES.requireOperator(record.titleId, inputId, record.by, purposes, record.fields, territories, until);
        if (latest < until) revert LineageTerm(assetId, inputId, latest, until);
    }

    function _requireNotStopped(bytes32 inputId) private view {
        IRights.AssetStatus status = RIGHTS.asset(inputId).status;
        if (status == IRights.AssetStatus.Suspended || status == IRights.AssetStatus.Revoked) {
            revert IRights.RightsStatus(inputId, uint8(status), uint8(IRights.AssetStatus.Confirmed));
        }
    }

    /* HELPERS */

    /// @dev EIP-712 arrays are the hash of their members, each padded to 32 bytes: what encodePacked does for arrays.
    function _hash(DeclareLineage calldata declaration) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                DECLARE_TYPEHASH,
                declaration.assetId,
                declaration.holder,
                keccak256(abi.encodePacked(declaration.inputs)),
                keccak256(abi.encodePacked(declaration.titles)),
                keccak256(abi.encodePacked(declaration.bps)),
                declaration.agreementDigest,
                declaration.deadline
            )
        );
    }
}
