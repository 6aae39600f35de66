// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acts} from "./Acts.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {Roles} from "./Roles.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {IRights} from "./interfaces/IRights.sol";
import {ITitles} from "./interfaces/ITitles.sol";

/// @title Titles
/// @dev Why no cell has two exclusive holders: (1) a part is within its whole; (2) an exclusive part is made only out of an
/// exclusive whole; (3) of two parts of one whole that overlap, neither is exclusive, except that a use granted before may remain
/// under an exclusive right to operate. Two titles that overlap have parts of their lowest common ancestor above them that overlap
/// too (1); were one title exclusive, so would be the part above it (2), against (3). An exclusive use looks for those older uses
/// on every level above it. So each act looks at the parts of at most eight titles, thirty-two each.
contract Titles is ITitles, ParticipantIntents {
    bytes32 private constant TRANSFER_TYPEHASH =
        keccak256("Transfer(bytes32 titleId,address from,address to,uint64 version,uint64 deadline)");
    bytes32 private constant GRANT_TYPEHASH = keccak256(
        "Grant(bytes32 titleId,bytes32 parent,uint8 kind,address grantor,address grantee,uint32 purposes,bytes32 fields,uint48 territories,uint64 validFrom,uint64 validUntil,uint8 marks,bytes32 termsDigest,uint64 version,uint64 deadline)"
    );
    bytes32 private constant SURRENDER_TYPEHASH =
        keccak256("Surrender(bytes32 titleId,address holder,bytes32 reasonDigest,uint64 version,uint64 deadline)");
    bytes32 private constant REVOKE_TITLE_TYPEHASH = keccak256(
        "RevokeTitle(bytes32 titleId,address registrar,bytes32 reasonDigest,uint64 version,uint64 deadline)"
    );
    bytes32 private constant ENCUMBER_TYPEHASH = keccak256(
        "Encumber(bytes32 titleId,uint8 marks,bytes32 orderDigest,address registrar,uint64 version,uint64 deadline)"
    );
    bytes32 private constant PLEDGE_TYPEHASH = keccak256(
        "Pledge(bytes32 titleId,address holder,address pledgee,bytes32 debtDigest,uint64 version,uint64 deadline)"
    );
    bytes32 private constant RELEASE_PLEDGE_TYPEHASH =
        keccak256("ReleasePledge(bytes32 titleId,address pledgee,uint64 version,uint64 deadline)");
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(bytes32 titleId,bytes32 act,address pledgee,uint64 version,uint64 deadline)");
    bytes32 private constant ENFORCE_TYPEHASH =
        keccak256("Enforce(bytes32 titleId,bytes32 rulingDigest,address registrar,uint64 version,uint64 deadline)");

    uint8 private constant EXCLUSIVE = 1;
    uint8 private constant MAY_GRANT = 2;
    uint8 private constant MAY_DERIVE = 4;
    uint8 private constant TERMS = EXCLUSIVE | MAY_GRANT | MAY_DERIVE;
    uint8 private constant ENDED = 8;
    uint8 private constant ENCUMBRANCES = 16 | 32;
    uint8 private constant PLEDGED = 64;

    uint8 private constant OVER_ENDED = 1;
    uint8 private constant OVER_EXPIRED = 2;
    uint8 private constant OVER_NOT_BEGUN = 3;
    uint8 private constant OVER_ASSET = 4;
    uint8 private constant OVER_UNKNOWN = 5;

    uint8 private constant WIDER_MARKS = 1;
    uint8 private constant WIDER_PURPOSES = 2;
    uint8 private constant WIDER_FIELDS = 3;
    uint8 private constant WIDER_TERRITORIES = 4;
    uint8 private constant WIDER_TERM = 5;

    uint256 private constant MAX_PARTS = 32;
    uint256 private constant MAX_DEPTH = 8;

    /// @dev The first slot is all that an order's use has and a walk to the root reads. `number` is the title's place in _ids, from 1
    /// on; an order's use has none, and a root has no parent. A root's term is its asset's, so both of its ends are 0 here.
    /// `usedUntil`: no order's use under this title runs longer.
    struct Record {
        address holder;
        TitleKind kind;
        uint8 marks;
        uint40 validUntil;
        uint32 parent;
        uint32 purposes;
        uint48 territories;
        uint40 validFrom;
        uint32 version;
        uint32 number;
        uint40 usedUntil;
        bytes32 fields;
        bytes32 assetId;
    }

    struct Cell {
        uint32 purposes;
        uint48 territories;
        uint40 validFrom;
        uint40 validUntil;
        bytes32 fields;
    }

    struct Pledging {
        address pledgee;
        bytes32 permitted;
    }

    IRights public immutable RIGHTS;
    address public immutable LISTINGS;
    address public immutable ORDERS;

    mapping(bytes32 titleId => Record) private _titles;
    bytes32[] private _ids;
    /// @dev Parts of a title that may be in force: a place of one that is over goes to the next, so no slot returns to zero.
    mapping(bytes32 titleId => uint32[]) private _parts;
    /// @dev All that a title ever had on offer at once, as one cell: wider than the truth, and forgotten when it is over.
    mapping(bytes32 titleId => Cell) private _offered;
    mapping(bytes32 titleId => Pledging) private _pledges;

    constructor(IParticipants participants, IRights rights, address listings, address orders)
        ParticipantIntents(participants)
    {
        RIGHTS = rights;
        LISTINGS = listings;
        ORDERS = orders;
    }

    /* TRANSFER */

    /// @inheritdoc ITitles
    function transfer(Transfer calldata transfer_, bytes calldata fromSignature, bytes calldata toSignature)
        external
        override
    {
        bytes32 titleId = transfer_.titleId;
        bytes32 structHash = keccak256(abi.encode(TRANSFER_TYPEHASH, transfer_));
        _requireSigned(transfer_.from, Acts.TITLES, structHash, fromSignature);
        _requireSigned(transfer_.to, Acts.TITLES, structHash, toSignature);
        _requireInTime(transfer_.deadline);
        Record storage record = _titles[titleId];
        if (record.holder != transfer_.from) revert TitlesNotHolder(titleId, transfer_.from);
        bool held = record.number == 0 || record.kind == TitleKind.Hold;
        if (held || (record.parent != 0 && record.marks & MAY_GRANT == 0)) {
            revert TitlesNotTransferable(titleId);
        }
        if (transfer_.from == transfer_.to) revert TitlesSameParty(transfer_.to);
        _requireVersion(record.version, transfer_.version);
        _requireMovable(titleId, record);
        _requirePermitted(titleId, record.marks, structHash);
        PARTICIPANTS.requireActive(transfer_.from, 0);
        PARTICIPANTS.requireActive(transfer_.to, 0);

        record.holder = transfer_.to;
        record.version += 1;
        _noteParty(record, transfer_.to);

        emit TitleTransferred(titleId, transfer_.from, transfer_.to, record.version);
    }

    /* GRANT */

    /// @inheritdoc ITitles
    function grant(Grant calldata grant_, bytes calldata grantorSignature, bytes calldata granteeSignature)
        external
        override
    {
        bytes32 structHash = keccak256(abi.encode(GRANT_TYPEHASH, grant_));
        _requireSigned(grant_.grantor, Acts.TITLES, structHash, grantorSignature);
        _requireSigned(grant_.grantee, Acts.TITLES, structHash, granteeSignature);
        _requireInTime(grant_.deadline);
        _requireNewId(grant_);
        Record storage parent = _titles[grant_.parent];
        if (parent.number == 0 || parent.holder != grant_.grantor) {
            revert TitlesNotHolder(grant_.parent, grant_.grantor);
        }
        if (grant_.grantor == grant_.grantee) revert TitlesSameParty(grant_.grantee);
        _requireVersion(parent.version, grant_.version);
        _requireGrantable(grant_, parent.kind, parent.marks);
        (uint256 depth, uint64 latest) = _requireMovable(grant_.parent, parent);
        if (depth == MAX_DEPTH) revert TitlesDepth(grant_.parent);
        _requireWithin(grant_, parent, latest);
        if (grant_.marks & EXCLUSIVE != 0) _requirePermitted(grant_.parent, parent.marks, structHash);
        PARTICIPANTS.requireActive(grant_.grantor, 0);
        PARTICIPANTS.requireActive(grant_.grantee, 0);
        _requireNoConflict(grant_);

        _add(grant_, parent.assetId, parent.number);
        _enter(grant_.parent, uint32(_ids.length));
        _noteParty(parent, grant_.grantee);

        _emitDerived(grant_, parent.assetId);
    }

    /* END */

    /// @inheritdoc ITitles
    function surrender(Surrender calldata surrender_, bytes calldata holderSignature) external override {
        bytes32 titleId = surrender_.titleId;
        bytes32 structHash = keccak256(abi.encode(SURRENDER_TYPEHASH, surrender_));
        _requireSigned(surrender_.holder, Acts.TITLES, structHash, holderSignature);
        _requireInTime(surrender_.deadline);
        Record storage record = _titles[titleId];
        if (record.number == 0 || record.holder != surrender_.holder) {
            revert TitlesNotHolder(titleId, surrender_.holder);
        }
        if (record.parent == 0) revert TitlesFirst(titleId);
        _requireVersion(record.version, surrender_.version);
        (bytes32 part, uint64 until) = inUse(titleId);
        if (until != 0) revert TitlesInUse(titleId, part, until);
        _requireFree(titleId);
        _requirePermitted(titleId, record.marks, structHash);
        PARTICIPANTS.requireActive(surrender_.holder, 0);

        _end(titleId, record, surrender_.holder, surrender_.reasonDigest);
    }

    /// @inheritdoc ITitles
    function revoke(RevokeTitle calldata revocation, bytes calldata registrarSignature) external override {
        bytes32 titleId = revocation.titleId;
        bytes32 structHash = keccak256(abi.encode(REVOKE_TITLE_TYPEHASH, revocation));
        _requireSigned(revocation.registrar, Acts.REGISTRY, structHash, registrarSignature);
        _requireInTime(revocation.deadline);
        Record storage record = _titles[titleId];
        if (record.number == 0 || record.marks & ENDED != 0) revert TitlesOver(titleId, titleId, _whyOver(record));
        _requireVersion(record.version, revocation.version);
        _requireRegistrar(record.assetId, revocation.registrar);

        _end(titleId, record, revocation.registrar, revocation.reasonDigest);
    }

    /* ENCUMBER */

    /// @inheritdoc ITitles
    function encumber(Encumber calldata encumbrance, bytes calldata registrarSignature) external override {
        bytes32 titleId = encumbrance.titleId;
        bytes32 structHash = keccak256(abi.encode(ENCUMBER_TYPEHASH, encumbrance));
        _requireSigned(encumbrance.registrar, Acts.REGISTRY, structHash, registrarSignature);
        _requireInTime(encumbrance.deadline);
        Record storage record = _titles[titleId];
        uint8 current = record.marks & ENCUMBRANCES;
        if (record.number == 0 || encumbrance.marks & ~ENCUMBRANCES != 0 || encumbrance.marks == current) {
            revert TitlesMarks(titleId, current, encumbrance.marks);
        }
        _requireVersion(record.version, encumbrance.version);
        _requireRegistrar(record.assetId, encumbrance.registrar);

        record.marks = (record.marks & ~ENCUMBRANCES) | encumbrance.marks;
        record.version += 1;

        emit TitleEncumbered(
            titleId, encumbrance.marks, encumbrance.orderDigest, encumbrance.registrar, record.version
        );
    }

    /* PLEDGE */

    /// @inheritdoc ITitles
    function pledge(Pledge calldata pledge_, bytes calldata holderSignature, bytes calldata pledgeeSignature)
        external
        override
    {
        bytes32 titleId = pledge_.titleId;
        bytes32 structHash = keccak256(abi.encode(PLEDGE_TYPEHASH, pledge_));
        _requireSigned(pledge_.holder, Acts.TITLES, structHash, holderSignature);
        _requireSigned(pledge_.pledgee, Acts.TITLES, structHash, pledgeeSignature);
        _requireInTime(pledge_.deadline);
        Record storage record = _titles[titleId];
        if (record.number == 0 || record.holder != pledge_.holder) revert TitlesNotHolder(titleId, pledge_.holder);
        if (record.kind != TitleKind.Operate) revert TitlesNotPledgeable(titleId);
        if (record.parent != 0 && record.marks & MAY_GRANT == 0) revert TitlesNotTransferable(titleId);
        if (pledge_.holder == pledge_.pledgee) revert TitlesSameParty(pledge_.pledgee);
        _requireVersion(record.version, pledge_.version);
        if (record.marks & PLEDGED != 0) revert TitlesPledged(titleId, _pledges[titleId].pledgee);
        _requireMovable(titleId, record);
        PARTICIPANTS.requireActive(pledge_.holder, 0);
        PARTICIPANTS.requireActive(pledge_.pledgee, 0);

        record.marks |= PLEDGED;
        record.version += 1;
        _pledges[titleId].pledgee = pledge_.pledgee;
        _noteParty(record, pledge_.pledgee);

        emit TitlePledged(titleId, pledge_.pledgee, pledge_.debtDigest, record.version);
    }

    /// @inheritdoc ITitles
    function releasePledge(ReleasePledge calldata release, bytes calldata pledgeeSignature) external override {
        bytes32 structHash = keccak256(abi.encode(RELEASE_PLEDGE_TYPEHASH, release));
        _requireSigned(release.pledgee, Acts.TITLES, structHash, pledgeeSignature);
        _requireInTime(release.deadline);
        Record storage record = _requirePledged(release.titleId, release.pledgee);
        _requireVersion(record.version, release.version);

        record.marks &= ~PLEDGED;
        record.version += 1;

        emit PledgeReleased(release.titleId, release.pledgee, record.version);
    }

    /// @inheritdoc ITitles
    function permit(Permit calldata permit_, bytes calldata pledgeeSignature) external override {
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPEHASH, permit_));
        _requireSigned(permit_.pledgee, Acts.TITLES, structHash, pledgeeSignature);
        _requireInTime(permit_.deadline);
        Record storage record = _requirePledged(permit_.titleId, permit_.pledgee);
        _requireVersion(record.version, permit_.version);

        record.version += 1;
        _pledges[permit_.titleId].permitted = permit_.act;

        emit ActPermitted(permit_.titleId, permit_.act, permit_.pledgee, record.version);
    }

    /// @inheritdoc ITitles
    function enforce(Enforce calldata enforcement, bytes calldata registrarSignature) external override {
        bytes32 titleId = enforcement.titleId;
        bytes32 structHash = keccak256(abi.encode(ENFORCE_TYPEHASH, enforcement));
        _requireSigned(enforcement.registrar, Acts.REGISTRY, structHash, registrarSignature);
        _requireInTime(enforcement.deadline);
        address pledgee = _pledges[titleId].pledgee;
        Record storage record = _requirePledged(titleId, pledgee);
        _requireVersion(record.version, enforcement.version);
        _requireFree(titleId);
        _requireRegistrar(record.assetId, enforcement.registrar);

        address from = record.holder;
        record.holder = pledgee;
        record.marks &= ~PLEDGED;
        record.version += 1;

        emit PledgeEnforced(
            titleId, from, pledgee, enforcement.rulingDigest, enforcement.registrar, record.version
        );
    }

    /* FOR OTHER CONTRACTS */

    /// @inheritdoc ITitles
    function open(bytes32 assetId, address holder, uint64 validUntil, uint8 rights) external override {
        _requireCaller(address(RIGHTS));
        if (rights & 1 != 0) _open(assetId, TitleKind.Hold, holder, EXCLUSIVE, validUntil);
        if (rights & 2 != 0) _open(assetId, TitleKind.Use, holder, MAY_GRANT | MAY_DERIVE, validUntil);
        if (rights & 4 != 0) _open(assetId, TitleKind.Operate, holder, TERMS, validUntil);
    }

    /// @inheritdoc ITitles
    function hand(bytes32 titleId, address to) external override {
        _requireCaller(address(RIGHTS));
        Record storage record = _titles[titleId];
        address from = record.holder;

        record.holder = to;
        record.version += 1;

        emit TitleTransferred(titleId, from, to, record.version);
    }

    /// @inheritdoc ITitles
    function offer(
        bytes32 titleId,
        bytes32 assetId,
        address seller,
        uint32 purposes,
        bytes32 fields,
        uint48 territories,
        uint64 until
    ) external override returns (uint64 latest) {
        _requireCaller(LISTINGS);
        Cell memory cell = _cell(purposes, fields, territories, until);
        latest = _requireOperator(titleId, assetId, seller, cell);
        _requireNotPassing(_titles[titleId]);

        Cell storage known = _offered[titleId];
        if (known.validUntil < block.timestamp) {
            _offered[titleId] = cell;
            return latest;
        }
        known.purposes |= purposes;
        known.territories |= territories;
        known.fields |= fields;
        if (cell.validUntil > known.validUntil) known.validUntil = cell.validUntil;
    }

    /// @inheritdoc ITitles
    function grantUse(bytes32 parent, bytes32 assetId, bytes32 orderId, address buyer, uint64 validUntil)
        external
        override
    {
        _requireCaller(ORDERS);
        Record storage above = _titles[parent];
        _requireNotPassing(above);
        bytes32 titleId = keccak256(abi.encode(assetId, TitleKind.Use, orderId));

        Record storage record = _titles[titleId];
        record.holder = buyer;
        record.kind = TitleKind.Use;
        record.validUntil = uint40(validUntil);
        record.parent = above.number;
        if (validUntil > above.usedUntil) above.usedUntil = uint40(validUntil);

        emit TitleGranted(titleId, assetId, uint8(TitleKind.Use), buyer, orderId, validUntil, parent);
    }

    /* VIEWS */

    /// @inheritdoc ITitles
    function title(bytes32 titleId) external view override returns (Title memory shown) {
        Record storage record = _titles[titleId];
        if (record.kind == TitleKind.None) return shown;
        shown.holder = record.holder;
        shown.kind = record.kind;
        shown.marks = record.marks;
        shown.version = record.number == 0 ? 1 : record.version;
        shown.validFrom = record.validFrom;
        shown.validUntil = record.validUntil;
        shown.assetId = record.assetId;
        shown.purposes = record.purposes;
        shown.fields = record.fields;
        shown.territories = record.territories;
        if (record.parent != 0) shown.parent = _ids[record.parent - 1];
        if (record.number == 0) shown.assetId = _titles[shown.parent].assetId;
        if (record.parent == 0) shown.validUntil = uint40(RIGHTS.asset(record.assetId).validUntil);
    }

    /// @inheritdoc ITitles
    function pledgeOf(bytes32 titleId) external view override returns (address pledgee, bytes32 permitted) {
        return (_pledges[titleId].pledgee, _pledges[titleId].permitted);
    }

    /// @inheritdoc ITitles
    function standing(bytes32 titleId) external view override returns (uint8 cause, bytes32 ancestor) {
        if (_titles[titleId].kind == TitleKind.None) return (OVER_UNKNOWN, titleId);
        bytes32 root;
        (cause, ancestor,, root) = _walk(titleId);
        if (cause != 0) return (cause, ancestor);
        IRights.Asset memory asset = RIGHTS.asset(_titles[root].assetId);
        if (asset.status != IRights.AssetStatus.Confirmed) return (OVER_ASSET, root);
        return block.timestamp > asset.validUntil ? (OVER_EXPIRED, root) : (0, bytes32(0));
    }

    /// @inheritdoc ITitles
    function hasPart(bytes32 assetId, address account) external view override returns (bool has) {
        for (uint8 kind = uint8(TitleKind.Hold); kind <= uint8(TitleKind.Operate); ++kind) {
            has = has || _titles[_titleId(assetId, TitleKind(kind))].holder == account;
        }
    }

    /// @inheritdoc ITitles
    function inUse(bytes32 titleId) public view override returns (bytes32 part, uint64 until) {
        uint32[] storage parts = _parts[titleId];
        for (uint256 i = 0; i < parts.length; ++i) {
            part = _ids[parts[i] - 1];
            if (!_isOver(_titles[part])) return (part, _titles[part].validUntil);
        }
        until = _titles[titleId].usedUntil;
        return (0, until < block.timestamp ? 0 : until);
    }

    /// @inheritdoc ITitles
    function requireOperator(
        bytes32 titleId,
        bytes32 assetId,
        address account,
        uint32 purposes,
        bytes32 fields,
        uint48 territories,
        uint64 until
    ) external view override returns (uint64 latest) {
        return _requireOperator(titleId, assetId, account, _cell(purposes, fields, territories, until));
    }

    /* EFFECTS */

    function _noteParty(Record storage record, address account) private {
        RIGHTS.noteParty(record.assetId, account);
    }

    function _end(bytes32 titleId, Record storage record, address by, bytes32 reasonDigest) private {
        record.marks |= ENDED;
        record.version += 1;
        emit TitleEnded(titleId, by, reasonDigest, record.version);
    }

    function _open(bytes32 assetId, TitleKind kind, address holder, uint8 marks, uint64 validUntil) private {
        bytes32 titleId = _titleId(assetId, kind);
        _ids.push(titleId);
        Record storage record = _titles[titleId];
        record.holder = holder;
        record.kind = kind;
        record.marks = marks;
        record.purposes = type(uint32).max;
        record.territories = type(uint48).max;
        record.version = 1;
        record.number = uint32(_ids.length);
        record.fields = bytes32(type(uint256).max);
        record.assetId = assetId;
        emit TitleGranted(titleId, assetId, uint8(kind), holder, 0, validUntil, 0);
    }

    /// @dev The term was checked against the parent's, and the first of them is within twenty years, so 40 bits hold it.
    function _add(Grant calldata grant_, bytes32 assetId, uint32 parent) private {
        _ids.push(grant_.titleId);
        Record storage record = _titles[grant_.titleId];
        record.holder = grant_.grantee;
        record.kind = TitleKind(grant_.kind);
        record.marks = grant_.marks;
        record.validUntil = uint40(grant_.validUntil);
        record.parent = parent;
        record.purposes = grant_.purposes;
        record.territories = grant_.territories;
        record.validFrom = uint40(grant_.validFrom);
        record.version = 1;
        record.number = uint32(_ids.length);
        record.fields = grant_.fields;
        record.assetId = assetId;
    }

    function _enter(bytes32 parent, uint32 number) private {
        uint32[] storage parts = _parts[parent];
        for (uint256 i = 0; i < parts.length; ++i) {
            if (!_isOver(_titles[_ids[parts[i] - 1]])) continue;
            parts[i] = number;
            return;
        }
        if (parts.length == MAX_PARTS) revert TitlesFull(parent);
        parts.push(number);
    }

    function _emitDerived(Grant calldata grant_, bytes32 assetId) private {
        emit TitleDerived(
            grant_.titleId,
            assetId,
            grant_.parent,
            grant_.kind,
            grant_.grantee,
            grant_.purposes,
            grant_.fields,
            grant_.territories,
            grant_.validFrom,
            grant_.validUntil,
            grant_.marks,
            grant_.termsDigest
        );
    }

    /* CHECKS */

    function _requireCaller(address caller) private view {
        if (msg.sender != caller) revert TitlesOnlyMarket(msg.sender);
    }

    function _requireNewId(Grant calldata grant_) private view {
        bytes32 expected = keccak256(abi.encode(grant_.parent, grant_.grantee, grant_.termsDigest));
        if (expected != grant_.titleId) revert TitlesIdMismatch(expected, grant_.titleId);
        if (_titles[expected].kind != TitleKind.None) revert TitlesExists(expected);
    }

    /// @dev Whoever operates grants operating and using, whoever uses grants using; to hold is never granted in part.
    function _requireGrantable(Grant calldata grant_, TitleKind kind, uint8 marks) private pure {
        bool uses = grant_.kind == uint8(TitleKind.Use) && kind != TitleKind.Hold;
        bool operates = grant_.kind == uint8(TitleKind.Operate) && kind == TitleKind.Operate;
        if ((!uses && !operates) || marks & MAY_GRANT == 0) revert TitlesNotGrantable(grant_.parent, grant_.kind);
    }

    /// @param latest end of the asset's term.
    function _requireWithin(Grant calldata grant_, Record storage parent, uint64 latest) private view {
        if (grant_.marks & ~(parent.marks & TERMS) != 0) revert TitlesWider(grant_.parent, WIDER_MARKS);
        _requireCovers(grant_.parent, parent, grant_.purposes, grant_.fields, grant_.territories);
        if (parent.parent != 0) latest = parent.validUntil;
        bool within = grant_.validFrom >= parent.validFrom && grant_.validUntil <= latest;
        if (!within || grant_.validFrom >= grant_.validUntil || grant_.validUntil <= block.timestamp) {
            revert TitlesWider(grant_.parent, WIDER_TERM);
        }
    }

    function _requireCovers(bytes32 titleId, Record storage record, uint32 purposes, bytes32 fields, uint48 territories)
        private
        view
    {
        uint8 wider = 0;
        if (territories == 0 || territories & ~record.territories != 0) wider = WIDER_TERRITORIES;
        if (fields == 0 || fields & ~record.fields != 0) wider = WIDER_FIELDS;
        if (purposes == 0 || purposes & ~record.purposes != 0) wider = WIDER_PURPOSES;
        if (wider != 0) revert TitlesWider(titleId, wider);
    }

    /// @dev See the contract's own remark. Parts of both the first use and the first operate title are parts of one whole.
    function _requireNoConflict(Grant calldata grant_) private view {
        Cell memory cell = Cell(
            grant_.purposes,
            grant_.territories,
            uint40(grant_.validFrom),
            uint40(grant_.validUntil),
            grant_.fields
        );
        bool exclusive = grant_.marks & EXCLUSIVE != 0;
        bool operates = grant_.kind == uint8(TitleKind.Operate);
        _requireNoPartOverlaps(grant_.parent, 0, cell, exclusive, operates);
        if (!exclusive || operates) return;
        _requireNotOffered(grant_.parent, cell);
        Record storage below = _titles[grant_.parent];
        while (below.parent != 0) {
            bytes32 above = _ids[below.parent - 1];
            _requireNoPartOverlaps(above, below.number, cell, true, false);
            _requireNotOffered(above, cell);
            below = _titles[above];
        }
    }

    function _requireNoPartOverlaps(bytes32 parent, uint32 except, Cell memory cell, bool exclusive, bool operates)
        private
        view
    {
        _requireNoneOverlaps(_parts[parent], except, cell, exclusive, operates);
        Record storage record = _titles[parent];
        if (record.parent != 0) return;
        TitleKind other = record.kind == TitleKind.Use ? TitleKind.Operate : TitleKind.Use;
        _requireNoneOverlaps(_parts[_titleId(record.assetId, other)], 0, cell, exclusive, operates);
    }

    /// @param exclusive whether any part may not overlap; else only an exclusive one may not.
    /// @param operates whether the cell is for operating, which leaves older uses that are not exclusive in peace.
    function _requireNoneOverlaps(
        uint32[] storage parts,
        uint32 except,
        Cell memory cell,
        bool exclusive,
        bool operates
    ) private view {
        for (uint256 i = 0; i < parts.length; ++i) {
            if (parts[i] == except) continue;
            bytes32 id = _ids[parts[i] - 1];
            Record storage part = _titles[id];
            bool bars = part.marks & EXCLUSIVE != 0 || (exclusive && !(operates && part.kind == TitleKind.Use));
            if (bars && !_isOver(part) && _overlaps(part, cell)) revert TitlesConflict(id);
        }
    }

    function _requireNotOffered(bytes32 titleId, Cell memory cell) private view {
        Cell storage known = _offered[titleId];
        if (known.validUntil < block.timestamp || known.validUntil < cell.validFrom) return;
        bool shared = known.purposes & cell.purposes != 0 && known.territories & cell.territories != 0
            && known.fields & cell.fields != 0;
        if (shared) revert TitlesOffered(titleId, known.validUntil);
    }

    function _requireOperator(bytes32 titleId, bytes32 assetId, address account, Cell memory cell)
        private
        view
        returns (uint64 latest)
    {
        latest = RIGHTS.requireConfirmed(assetId);
        Record storage record = _titles[titleId];
        bool operates = record.kind == TitleKind.Operate && record.assetId == assetId;
        if (!operates || record.holder != account) revert TitlesNotHolder(titleId, account);
        if (record.parent != 0) latest = record.validUntil;
        _requireCovers(titleId, record, cell.purposes, cell.fields, cell.territories);
        _requireFree(titleId);
        if (block.timestamp < record.validFrom) revert TitlesOver(titleId, titleId, OVER_NOT_BEGUN);
        _requireNoneOverlaps(_parts[titleId], 0, cell, false, false);
    }

    /// @dev Neither the title nor one above it is over, seized or controlled. A first title's own term is its asset's.
    /// @return depth how many grants away from its root the title is.
    function _requireFree(bytes32 titleId) private view returns (uint256 depth) {
        (uint8 cause, bytes32 ancestor, uint8 steps,) = _walk(titleId);
        if (cause != 0 && cause != OVER_NOT_BEGUN) revert TitlesOver(titleId, ancestor, cause);
        bytes32 id = titleId;
        for (;;) {
            Record storage record = _titles[id];
            uint8 marks = record.marks & ENCUMBRANCES;
            if (marks != 0) revert TitlesEncumbered(titleId, id, marks);
            if (record.parent == 0) return steps;
            id = _ids[record.parent - 1];
        }
    }

    /// @dev What is granted from, passed or pledged is in force, in an entry that stands, and is not passing by it.
    /// @return depth see {_requireFree}.
    /// @return latest end of the asset's term.
    function _requireMovable(bytes32 titleId, Record storage record) private view returns (uint256 depth, uint64 latest) {
        depth = _requireFree(titleId);
        _requireNotPassing(record);
        latest = RIGHTS.requireConfirmed(record.assetId);
    }

    /// @dev A first title that a transfer case is about stays as its receiver saw it.
    function _requireNotPassing(Record storage record) private view {
        if (record.parent == 0) RIGHTS.requireNotPassing(record.assetId, record.holder);
    }

    function _requirePermitted(bytes32 titleId, uint8 marks, bytes32 act) private view {
        if (marks & PLEDGED == 0) return;
        Pledging storage pledging = _pledges[titleId];
        if (pledging.permitted != act) revert TitlesPledged(titleId, pledging.pledgee);
    }

    function _requirePledged(bytes32 titleId, address pledgee) private view returns (Record storage record) {
        record = _titles[titleId];
        if (record.marks & PLEDGED == 0 || _pledges[titleId].pledgee != pledgee) {
            revert TitlesNotPledgee(titleId, pledgee);
        }
    }

    function _requireRegistrar(bytes32 assetId, address registrar) private view {
        RIGHTS.requireNoPart(assetId, registrar);
        PARTICIPANTS.requireActive(registrar, Roles.REGISTRAR);
    }

    /* HELPERS */

    /// @dev From a title to its root: the first reason, from below, why it is over, or else why it has not begun; how far the root
    /// is, and which.
    function _walk(bytes32 titleId) private view returns (uint8 cause, bytes32 ancestor, uint8 steps, bytes32 root) {
        root = titleId;
        for (;;) {
            Record storage record = _titles[root];
            if (cause == 0 || cause == OVER_NOT_BEGUN) {
                uint8 own = _whyOver(record);
                if (own != 0 && (cause == 0 || own != OVER_NOT_BEGUN)) (cause, ancestor) = (own, root);
            }
            if (record.parent == 0) return (cause, ancestor, steps, root);
            root = _ids[record.parent - 1];
            ++steps;
        }
    }

    function _whyOver(Record storage record) private view returns (uint8) {
        if (record.marks & ENDED != 0) return OVER_ENDED;
        if (record.parent != 0 && block.timestamp > record.validUntil) return OVER_EXPIRED;
        return block.timestamp < record.validFrom ? OVER_NOT_BEGUN : 0;
    }

    function _isOver(Record storage record) private view returns (bool) {
        return record.marks & ENDED != 0 || block.timestamp > record.validUntil;
    }

    function _overlaps(Record storage record, Cell memory cell) private view returns (bool) {
        return record.purposes & cell.purposes != 0 && record.territories & cell.territories != 0
            && record.fields & cell.fields != 0 && record.validFrom <= cell.validUntil
            && cell.validFrom <= record.validUntil;
    }

    function _cell(uint32 purposes, bytes32 fields, uint48 territories, uint64 until) private view returns (Cell memory) {
        uint40 end_ = until > type(uint40).max ? type(uint40).max : uint40(until);
        return Cell(purposes, territories, uint40(block.timestamp), end_, fields);
    }

    function _titleId(bytes32 assetId, TitleKind kind) private pure returns (bytes32) {
        return keccak256(abi.encode(assetId, kind));
    }
}
