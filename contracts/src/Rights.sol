// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Acts} from "./Acts.sol";
import {ParticipantIntents} from "./ParticipantIntents.sol";
import {Roles} from "./Roles.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {IRegistrations} from "./interfaces/IRegistrations.sol";
import {IRights} from "./interfaces/IRights.sol";
import {ITitles} from "./interfaces/ITitles.sol";

/// @title Rights
contract Rights is IRights, ParticipantIntents {
    bytes32 private constant REGISTER_TYPEHASH = keccak256(
        "Register(bytes32 assetId,address holder,bytes32 manifestDigest,bytes32 ciphertextRoot,bytes32 claimDigest,uint8 level,uint64 epsilonBudget,address[] shareHolders,uint16[] shareBps,uint64 deadline)"
    );
    bytes32 private constant CONFIRM_TYPEHASH = keccak256(
        "Confirm(bytes32 assetId,bytes32 claimDigest,bytes32 certificateDigest,bytes32 code,uint8 rights,uint64 validUntil,address registrar,uint64 version,uint64 deadline)"
    );
    bytes32 private constant TRANSFER_SHARE_TYPEHASH = keccak256(
        "TransferShare(bytes32 assetId,address from,address to,uint16 bps,uint64 version,uint64 deadline)"
    );
    bytes32 private constant PLEDGE_SHARE_TYPEHASH = keccak256(
        "PledgeShare(bytes32 assetId,address holder,address pledgee,uint16 bps,bytes32 debtDigest,uint64 version,uint64 deadline)"
    );
    bytes32 private constant RELEASE_SHARE_TYPEHASH = keccak256(
        "ReleaseShare(bytes32 assetId,address holder,address pledgee,uint64 version,uint64 deadline)"
    );
    bytes32 private constant ENFORCE_SHARE_TYPEHASH = keccak256(
        "EnforceShare(bytes32 assetId,address holder,bytes32 rulingDigest,address registrar,uint64 version,uint64 deadline)"
    );
    bytes32 private constant ENCUMBER_SHARE_TYPEHASH = keccak256(
        "EncumberShare(bytes32 assetId,address holder,uint8 marks,bytes32 orderDigest,address registrar,uint64 version,uint64 deadline)"
    );
    bytes32 private constant MARK_TYPEHASH = keccak256(
        "Mark(bytes32 assetId,uint8 status,bytes32 reasonDigest,address registrar,uint64 version,uint64 deadline)"
    );

    uint256 private constant MAX_SHARE_HOLDERS = 16;
    uint256 private constant WHOLE_BPS = 10_000;
    /// @dev A million epsilon protects nothing; the bound keeps the growing counters far from the end of 64 bits.
    uint64 private constant MAX_EPSILON_BUDGET = 1_000_000_000_000;
    uint8 private constant MAX_LEVEL = 6;
    uint8 private constant ALL_RIGHTS = 7;
    uint8 private constant ENDED = 8;
    uint8 private constant ENCUMBRANCES = 16 | 32;
    uint8 private constant PLEDGED = 64;

    ITitles public immutable TITLES;
    address public immutable ORDERS;
    IRegistrations public immutable REGISTRATIONS;

    mapping(bytes32 assetId => Asset) private _assets;
    mapping(bytes32 assetId => Share[]) private _shares;
    mapping(bytes32 assetId => mapping(address holder => Encumbrance)) private _encumbrances;
    /// @dev Who ever took a title or a pledge of one, or objected: it decides nothing about the asset any more.
    mapping(bytes32 assetId => mapping(address account => bool)) private _parties;

    constructor(IParticipants participants, ITitles titles, address orders, IRegistrations registrations)
        ParticipantIntents(participants)
    {
        TITLES = titles;
        ORDERS = orders;
        REGISTRATIONS = registrations;
    }

    /* REGISTER */

    /// @inheritdoc IRights
    function register(Register calldata registration, bytes calldata holderSignature) external override {
        _requireSigned(registration.holder, Acts.TITLES, _hash(registration), holderSignature);
        _requireInTime(registration.deadline);
        _requireId(keccak256(abi.encode(registration.holder, registration.manifestDigest)), registration.assetId);
        Asset storage record = _assets[registration.assetId];
        if (record.status != AssetStatus.None) revert RightsExists(registration.assetId);
        if (registration.level == 0 || registration.level > MAX_LEVEL) revert RightsLevel(registration.level);
        if (registration.epsilonBudget == 0 || registration.epsilonBudget > MAX_EPSILON_BUDGET) {
            revert RightsBudgetRange(registration.epsilonBudget);
        }
        PARTICIPANTS.requireActive(registration.holder, Roles.SUPPLIER);
        _requireShares(registration.holder, registration.shareHolders, registration.shareBps);

        record.registrant = registration.holder;
        record.status = AssetStatus.Registered;
        record.level = registration.level;
        record.epsilonBudget = registration.epsilonBudget;
        record.version = 1;
        record.shareVersion = 1;
        record.claimDigest = registration.claimDigest;
        Share[] storage list = _shares[registration.assetId];
        for (uint256 i = 0; i < registration.shareHolders.length; ++i) {
            list.push(Share(registration.shareHolders[i], registration.shareBps[i]));
        }

        _emitRegistered(registration);
    }

    /* CONFIRM */

    /// @inheritdoc IRights
    function confirm(Confirm calldata confirmation, bytes calldata registrarSignature) external override {
        bytes32 assetId = confirmation.assetId;
        bytes32 structHash = _hash(CONFIRM_TYPEHASH, 9);
        _requireSigned(confirmation.registrar, Acts.REGISTRY, structHash, registrarSignature);
        _requireInTime(confirmation.deadline);
        Asset storage record = _assets[assetId];
        bool first = record.status != AssetStatus.Confirmed;
        if (first) _requireStatus(assetId, record.status, AssetStatus.Registered);
        _requireVersion(record.version, confirmation.version);
        if (record.claimDigest != confirmation.claimDigest) {
            revert RightsClaimMismatch(record.claimDigest, confirmation.claimDigest);
        }
        if (confirmation.rights == 0 || confirmation.rights > ALL_RIGHTS) revert RightsNone(confirmation.rights);
        if (confirmation.validUntil <= block.timestamp) revert RightsOver(confirmation.validUntil, block.timestamp);
        _requireRegistrar(assetId, confirmation.registrar);

        record.status = AssetStatus.Confirmed;
        record.version += 1;

        emit Confirmed(
            assetId, confirmation.certificateDigest, confirmation.validUntil, confirmation.registrar, record.version
        );
        if (!first) _certifyAnew(assetId, record, confirmation.validUntil);
        record.validUntil = confirmation.validUntil;
        REGISTRATIONS.certify(
            assetId, confirmation.certificateDigest, confirmation.code, confirmation.validUntil, confirmation.registrar
        );
        if (first) TITLES.open(assetId, record.registrant, record.validUntil, confirmation.rights);
    }

    /* TRANSFER SHARE */

    /// @inheritdoc IRights
    function transferShare(TransferShare calldata transfer_, bytes calldata fromSignature) external override {
        bytes32 structHash = _hash(TRANSFER_SHARE_TYPEHASH, 6);
        _requireSigned(transfer_.from, Acts.TITLES, structHash, fromSignature);
        _requireInTime(transfer_.deadline);
        Asset storage record = _assets[transfer_.assetId];
        _requireConfirmed(transfer_.assetId, record);
        _requireVersion(record.shareVersion, transfer_.version);
        if (transfer_.from == transfer_.to) revert RightsSameParty(transfer_.to);
        PARTICIPANTS.requireActive(transfer_.from, 0);
        _requireTaker(transfer_.to);
        _requireFreeShare(transfer_.assetId, transfer_.from, transfer_.bps, false);

        _moveShare(transfer_.assetId, transfer_.from, transfer_.to, transfer_.bps);
        record.shareVersion += 1;

        emit ShareTransferred(transfer_.assetId, transfer_.from, transfer_.to, transfer_.bps, record.shareVersion);
    }

    /* PLEDGE SHARE */

    /// @inheritdoc IRights
    function pledgeShare(PledgeShare calldata pledge, bytes calldata holderSignature, bytes calldata pledgeeSignature)
        external
        override
    {
        bytes32 structHash = _hash(PLEDGE_SHARE_TYPEHASH, 7);
        _requireSigned(pledge.holder, Acts.TITLES, structHash, holderSignature);
        _requireSigned(pledge.pledgee, Acts.TITLES, structHash, pledgeeSignature);
        _requireInTime(pledge.deadline);
        _requireConfirmed(pledge.assetId, _assets[pledge.assetId]);
        Encumbrance storage weight = _encumbrances[pledge.assetId][pledge.holder];
        _requireVersion(weight.version, pledge.version);
        if (pledge.holder == pledge.pledgee) revert RightsSameParty(pledge.pledgee);
        PARTICIPANTS.requireActive(pledge.holder, 0);
        PARTICIPANTS.requireActive(pledge.pledgee, 0);
        _requireFreeShare(pledge.assetId, pledge.holder, pledge.bps, weight.bps != 0);

        weight.pledgee = pledge.pledgee;
        weight.bps = pledge.bps;
        weight.version += 1;
        _placeOf(pledge.assetId, pledge.pledgee);

        emit SharePledged(
            pledge.assetId, pledge.holder, pledge.pledgee, pledge.bps, pledge.debtDigest, weight.version
        );
    }

    /// @inheritdoc IRights
    function releaseShare(ReleaseShare calldata release, bytes calldata pledgeeSignature) external override {
        bytes32 structHash = _hash(RELEASE_SHARE_TYPEHASH, 5);
        _requireSigned(release.pledgee, Acts.TITLES, structHash, pledgeeSignature);
        _requireInTime(release.deadline);
        Encumbrance storage weight = _encumbrances[release.assetId][release.holder];
        if (weight.bps == 0 || weight.pledgee != release.pledgee) {
            revert RightsNotPledgee(release.assetId, release.holder, release.pledgee);
        }
        _requireVersion(weight.version, release.version);

        _endPledge(weight);

        emit ShareReleased(release.assetId, release.holder, release.pledgee, weight.version);
    }

    /// @inheritdoc IRights
    function enforceShare(EnforceShare calldata enforcement, bytes calldata registrarSignature) external override {
        (bytes32 assetId, address holder) = (enforcement.assetId, enforcement.holder);
        bytes32 structHash = _hash(ENFORCE_SHARE_TYPEHASH, 6);
        _requireSigned(enforcement.registrar, Acts.REGISTRY, structHash, registrarSignature);
        _requireInTime(enforcement.deadline);
        Encumbrance storage weight = _encumbrances[assetId][holder];
        if (weight.bps == 0) revert RightsNotPledgee(assetId, holder, weight.pledgee);
        _requireVersion(weight.version, enforcement.version);
        if (weight.marks != 0) revert RightsShareEncumbered(assetId, holder, weight.marks);
        Asset storage record = _assets[assetId];
        _requireRegistrar(assetId, enforcement.registrar);

        (address pledgee, uint16 bps) = (weight.pledgee, weight.bps);
        _endPledge(weight);
        _moveShare(assetId, holder, pledgee, bps);
        record.shareVersion += 1;

        emit ShareEnforced(
            assetId, holder, pledgee, bps, enforcement.rulingDigest, enforcement.registrar, weight.version
        );
    }

    /// @inheritdoc IRights
    function encumberShare(EncumberShare calldata encumbrance, bytes calldata registrarSignature) external override {
        (bytes32 assetId, address holder) = (encumbrance.assetId, encumbrance.holder);
        bytes32 structHash = _hash(ENCUMBER_SHARE_TYPEHASH, 7);
        _requireSigned(encumbrance.registrar, Acts.REGISTRY, structHash, registrarSignature);
        _requireInTime(encumbrance.deadline);
        Encumbrance storage weight = _encumbrances[assetId][holder];
        bool odd = encumbrance.marks & ~ENCUMBRANCES != 0 || encumbrance.marks == weight.marks;
        if (odd || _bpsOf(assetId, holder) == 0) {
            revert RightsShareMarks(assetId, holder, weight.marks, encumbrance.marks);
        }
        _requireVersion(weight.version, encumbrance.version);
        _requireRegistrar(assetId, encumbrance.registrar);

        weight.marks = encumbrance.marks;
        weight.version += 1;

        emit ShareEncumbered(
            assetId, holder, encumbrance.marks, encumbrance.orderDigest, encumbrance.registrar, weight.version
        );
    }

    /* MARK */

    /// @inheritdoc IRights
    function mark(Mark calldata mark_, bytes calldata registrarSignature) external override {
        bytes32 assetId = mark_.assetId;
        bytes32 structHash = _hash(MARK_TYPEHASH, 6);
        _requireSigned(mark_.registrar, Acts.REGISTRY, structHash, registrarSignature);
        _requireInTime(mark_.deadline);
        Asset storage record = _assets[assetId];
        _requireMark(assetId, record.status, mark_.status);
        _requireVersion(record.version, mark_.version);
        _requireRegistrar(assetId, mark_.registrar);

        record.status = AssetStatus(mark_.status);
        record.version += 1;

        emit Marked(assetId, mark_.status, mark_.reasonDigest, mark_.registrar, record.version);
    }

    /* FOR OTHER CONTRACTS */

    /// @inheritdoc IRights
    function noteParty(bytes32 assetId, address account) external override {
        if (msg.sender != address(TITLES) && msg.sender != address(REGISTRATIONS)) revert RightsOnlyRegistrations(msg.sender);
        _parties[assetId][account] = true;
    }

    /// @inheritdoc IRights
    function end(bytes32 assetId, AssetStatus status, address by, bytes32 reasonDigest) external override {
        if (msg.sender != address(REGISTRATIONS)) revert RightsOnlyRegistrations(msg.sender);
        Asset storage record = _assets[assetId];
        if (record.status != AssetStatus.Confirmed && record.status != AssetStatus.Suspended) {
            revert RightsMark(assetId, uint8(record.status), uint8(status));
        }
        if (status == AssetStatus.Cancelled) _requireWhole(assetId, record.registrant);

        record.status = status;
        record.version += 1;

        emit Marked(assetId, uint8(status), reasonDigest, by, record.version);
    }

    /* FOR ORDERS */

    /// @inheritdoc IRights
    function commitBudget(bytes32 assetId, bytes32 orderId, uint64 epsilon) external override {
        if (msg.sender != ORDERS) revert RightsOnlyOrders(msg.sender);
        Asset storage record = _assets[assetId];
        uint64 left = _left(record);
        if (epsilon > left) revert RightsBudgetExceeded(assetId, left, epsilon);

        record.epsilonCommitted += epsilon;

        emit BudgetCommitted(assetId, orderId, epsilon);
    }

    /// @inheritdoc IRights
    function releaseBudget(bytes32 assetId, bytes32 orderId, uint64 epsilon) external override {
        if (msg.sender != ORDERS) revert RightsOnlyOrders(msg.sender);

        _assets[assetId].epsilonReleased += epsilon;

        emit BudgetReleased(assetId, orderId, epsilon);
    }

    /* VIEWS */

    /// @inheritdoc IRights
    function asset(bytes32 assetId) external view override returns (Asset memory) {
        return _assets[assetId];
    }

    /// @inheritdoc IRights
    function shares(bytes32 assetId) external view override returns (Share[] memory) {
        return _shares[assetId];
    }

    /// @inheritdoc IRights
    function encumbranceOf(bytes32 assetId, address holder) external view override returns (Encumbrance memory) {
        return _encumbrances[assetId][holder];
    }

    /// @inheritdoc IRights
    function budgetLeft(bytes32 assetId) external view override returns (uint64) {
        return _left(_assets[assetId]);
    }

    /// @inheritdoc IRights
    function requireNoPart(bytes32 assetId, address account) public view override {
        Share[] storage list = _shares[assetId];
        bool part = account == _assets[assetId].registrant || _parties[assetId][account];
        // A place with nothing is a part only while an open pledge keeps it.
        part = part || _bpsOf(assetId, account) != 0 || _isAwaited(assetId, list, account);
        if (part || TITLES.hasPart(assetId, account)) revert RightsOwnMatter(account);
    }

    /// @inheritdoc IRights
    function requireNotPassing(bytes32 assetId, address account) external view override {
        REGISTRATIONS.requireNotPassing(assetId, account);
    }

    /// @inheritdoc IRights
    function passing(bytes32 assetId, address from) public view override returns (uint8 rights) {
        for (uint8 kind = uint8(ITitles.TitleKind.Hold); kind <= uint8(ITitles.TitleKind.Operate); ++kind) {
            ITitles.Title memory title = TITLES.title(keccak256(abi.encode(assetId, kind)));
            if (title.holder == from && title.marks & ENDED == 0) rights |= uint8(1) << (kind - 1);
        }
    }

    /// @inheritdoc IRights
    function requireConfirmed(bytes32 assetId) external view override returns (uint64 validUntil) {
        return _requireConfirmed(assetId, _assets[assetId]);
    }

    /* EFFECTS */

    /// @dev What a deposited case of a confirmed asset changes. A renewal alone gives it another end.
    function _certifyAnew(bytes32 assetId, Asset storage record, uint64 validUntil) private {
        bytes32 caseId = REGISTRATIONS.recordOf(assetId).latestCase;
        IRegistrations.Case memory case_ = REGISTRATIONS.caseOf(caseId);
        if (case_.state != IRegistrations.State.Deposited) {
            revert IRegistrations.RegistrationsStep(
                caseId, uint8(case_.state), uint8(IRegistrations.Step.Certify)
            );
        }
        bool renews = case_.kind == IRegistrations.Kind.Renewal;
        if (renews ? validUntil <= record.validUntil : validUntil != record.validUntil) {
            revert RightsTerm(validUntil, record.validUntil);
        }
        if (case_.kind == IRegistrations.Kind.Transfer) {
            uint8 left = passing(assetId, case_.applicant);
            if (left != case_.passing) revert RightsTitlesChanged(assetId, case_.passing, left);
            _handOver(assetId, left, case_.counterparty);
            record.registrant = case_.counterparty;
        }
    }

    /// @dev The transferor keeps none of the first titles; one that somebody else holds stays with its holder.
    function _handOver(bytes32 assetId, uint8 rights, address to) private {
        for (uint8 kind = uint8(ITitles.TitleKind.Hold); kind <= uint8(ITitles.TitleKind.Operate); ++kind) {
            if (rights & uint8(1) << (kind - 1) == 0) continue;
            bytes32 titleId = keccak256(abi.encode(assetId, kind));
            _requireUnburdened(titleId, TITLES.title(titleId).marks);
            TITLES.hand(titleId, to);
        }
    }

    function _endPledge(Encumbrance storage weight) private {
        weight.bps = 0;
        weight.version += 1;
    }

    function _moveShare(bytes32 assetId, address from, address to, uint16 bps) private {
        Share[] storage list = _shares[assetId];
        list[_find(list, from)].bps -= bps;
        list[_placeOf(assetId, to)].bps += bps;
    }

    /// @dev The place of an emptied holder is kept with 0 bps, so that no slot returns to zero, and goes to the next new holder;
    /// but one that an open pledge keeps for its pledgee does not, or a full list would bar the enforcement.
    function _placeOf(bytes32 assetId, address account) private returns (uint256 place) {
        Share[] storage list = _shares[assetId];
        place = _find(list, account);
        if (place < list.length) return place;
        for (place = 0; place < list.length; ++place) {
            if (list[place].bps != 0 || _isAwaited(assetId, list, list[place].holder)) continue;
            list[place].holder = account;
            return place;
        }
        if (place == MAX_SHARE_HOLDERS) revert RightsSharesFull(assetId);
        list.push(Share(account, 0));
    }

    function _emitRegistered(Register calldata registration) private {
        emit Registered(
            registration.assetId,
            registration.holder,
            registration.manifestDigest,
            registration.ciphertextRoot,
            registration.claimDigest,
            registration.level,
            registration.epsilonBudget,
            registration.shareHolders,
            registration.shareBps
        );
    }

    /* CHECKS */

    function _requireId(bytes32 expected, bytes32 got) private pure {
        if (expected != got) revert RightsIdMismatch(expected, got);
    }

    function _requireStatus(bytes32 assetId, AssetStatus current, AssetStatus required) private pure {
        if (current != required) revert RightsStatus(assetId, uint8(current), uint8(required));
    }

    function _requireMark(bytes32 assetId, AssetStatus current, uint8 asked) private pure {
        bool suspends = current == AssetStatus.Confirmed && asked == uint8(AssetStatus.Suspended);
        bool restores = current == AssetStatus.Suspended && asked == uint8(AssetStatus.Confirmed);
        if (!suspends && !restores) revert RightsMark(assetId, uint8(current), asked);
    }

    /// @dev Nobody ends what somebody else holds or relies on, under the first titles, too.
    function _requireWhole(bytes32 assetId, address holder) private view {
        for (uint8 kind = uint8(ITitles.TitleKind.Hold); kind <= uint8(ITitles.TitleKind.Operate); ++kind) {
            bytes32 titleId = keccak256(abi.encode(assetId, kind));
            ITitles.Title memory title = TITLES.title(titleId);
            if (title.kind == ITitles.TitleKind.None) continue;
            if (title.holder != holder) revert ITitles.TitlesNotHolder(titleId, holder);
            _requireUnburdened(titleId, title.marks);
            (bytes32 part, uint64 until) = TITLES.inUse(titleId);
            if (until != 0) revert ITitles.TitlesInUse(titleId, part, until);
        }
    }

    function _requireUnburdened(bytes32 titleId, uint8 marks) private view {
        uint8 weighs = marks & ENCUMBRANCES;
        if (weighs != 0) revert ITitles.TitlesEncumbered(titleId, titleId, weighs);
        if (marks & PLEDGED == 0) return;
        (address pledgee,) = TITLES.pledgeOf(titleId);
        revert ITitles.TitlesPledged(titleId, pledgee);
    }

    /// @dev Only what is held, neither seized nor controlled, and not pledged moves or is pledged.
    /// @param barred whether an open pledge leaves nothing free.
    function _requireFreeShare(bytes32 assetId, address holder, uint16 bps, bool barred) private view {
        uint16 has = _bpsOf(assetId, holder);
        if (bps == 0 || bps > has) revert RightsShareTooSmall(holder, has, bps);
        Encumbrance storage weight = _encumbrances[assetId][holder];
        if (weight.marks != 0) revert RightsShareEncumbered(assetId, holder, weight.marks);
        uint16 free = barred ? 0 : has - weight.bps;
        if (bps > free) revert RightsSharePledged(holder, weight.pledgee, free, bps);
    }

    function _requireConfirmed(bytes32 assetId, Asset storage record) private view returns (uint64 validUntil) {
        _requireStatus(assetId, record.status, AssetStatus.Confirmed);
        validUntil = record.validUntil;
        if (block.timestamp > validUntil) revert RightsExpired(assetId, validUntil);
    }

    function _requireRegistrar(bytes32 assetId, address registrar) private view {
        requireNoPart(assetId, registrar);
        PARTICIPANTS.requireActive(registrar, Roles.REGISTRAR);
    }

    /// @dev Whoever may decide is not given a part unasked, or the giver would choose by that who decides.
    function _requireTaker(address account) private view {
        PARTICIPANTS.requireActive(account, 0);
        if (PARTICIPANTS.participant(account).roles & Roles.REGISTRAR != 0) revert RightsToRegistrar(account);
    }

    function _requireShares(address registrant, address[] calldata holders, uint16[] calldata bps) private view {
        if (holders.length == 0 || holders.length > MAX_SHARE_HOLDERS || holders.length != bps.length) {
            revert RightsSharesInvalid();
        }
        uint256 sum = 0;
        for (uint256 i = 0; i < holders.length; ++i) {
            if (bps[i] == 0 || _seen(holders, i)) revert RightsSharesInvalid();
            sum += bps[i];
        }
        if (sum != WHOLE_BPS) revert RightsSharesInvalid();
        for (uint256 i = 0; i < holders.length; ++i) {
            if (holders[i] != registrant) _requireTaker(holders[i]);
        }
    }

    /* HELPERS */

    function _left(Asset storage record) private view returns (uint64) {
        return record.epsilonBudget - (record.epsilonCommitted - record.epsilonReleased);
    }

    function _find(Share[] storage list, address holder) private view returns (uint256 i) {
        while (i < list.length && list[i].holder != holder) ++i;
    }

    function _bpsOf(bytes32 assetId, address holder) private view returns (uint16) {
        Share[] storage list = _shares[assetId];
        uint256 place = _find(list, holder);
        return place < list.length ? list[place].bps : 0;
    }

    /// @dev Whoever pledged has a share, so all open pledges of an asset are of holders on its list.
    function _isAwaited(bytes32 assetId, Share[] storage list, address pledgee) private view returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            Encumbrance storage weight = _encumbrances[assetId][list[i].holder];
            if (weight.bps != 0 && weight.pledgee == pledgee) return true;
        }
        return false;
    }

    function _seen(address[] calldata holders, uint256 place) private pure returns (bool) {
        for (uint256 i = 0; i < place; ++i) {
            if (holders[i] == holders[place]) return true;
        }
        return false;
    }

    /// @dev Of the intent that this call begins with, `words` fields of fixed size: as they stand in the calldata they are what EIP-712
    /// hashes. A field with bits beyond its type is refused where it is read, and all of them are.
    function _hash(bytes32 typehash, uint256 words) private pure returns (bytes32) {
        return keccak256(bytes.concat(typehash, msg.data[4:4 + 32 * words]));
    }

    /// @dev EIP-712 arrays are the hash of their members, each padded to 32 bytes: what encodePacked does for arrays.
    function _hash(Register calldata registration) private pure returns (bytes32) {
        return keccak256(
            bytes.concat(
                abi.encode(
                    REGISTER_TYPEHASH,
                    registration.assetId,
                    registration.holder,
                    registration.manifestDigest,
                    registration.ciphertextRoot,
                    registration.claimDigest
                ),
                abi.encode(
                    registration.level,
                    registration.epsilonBudget,
                    keccak256(abi.encodePacked(registration.shareHolders)),
                    keccak256(abi.encodePacked(registration.shareBps)),
                    registration.deadline
                )
            )
        );
    }
}
