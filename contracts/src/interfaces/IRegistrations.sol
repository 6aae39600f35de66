// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IIntentBatch} from "./IIntentBatch.sol";

/// @title Registration cases and the certificates they end in
/// @notice A case is filed, accepted, reviewed, shown to the public, objected to, deposited (the moment of effect) and certified.
/// Periods come from a rulebook that the case names: whoever acts states the time of the act and the dates that follow from it.
/// The contract keeps order, roles and the end of each period; whether the dates are the rulebook's is for everybody to recompute.
interface IRegistrations is IIntentBatch {
    /// @notice Which state table a case follows.
    enum Procedure {
        None,
        Ordinary,
        PublicData,
        LateObjection,
        Revocation
    }

    enum Kind {
        None,
        First,
        Transfer,
        Change,
        Correction,
        Renewal,
        Cancellation,
        Revocation,
        LateObjection
    }

    enum State {
        None,
        Draft,
        Submitted,
        CorrectionRequested,
        UnderReview,
        SupplementRequested,
        PublicNotice,
        ObjectionPending,
        Cleared,
        Deposited,
        Certified,
        Refused,
        Terminated,
        DeemedNotFiled,
        Withdrawn,
        Disputed,
        Upheld,
        Dismissed,
        Ended
    }

    /// @notice What is done in a case. `Certify` comes through the contract Rights, the two by nobody in particular through
    /// {expire}, all others are signed as {Act}.
    enum Step {
        None,
        Join,
        Accept,
        AcceptBySilence,
        RequestCorrection,
        Resubmit,
        DeemNotFiled,
        RequestSupplement,
        Supplement,
        Extend,
        Refuse,
        Terminate,
        Withdraw,
        OpenNotice,
        WaiveNotice,
        Object,
        Reply,
        Uphold,
        Reject,
        Deposit,
        Certify,
        MarkDisputed,
        End
    }

    /// @notice Times in unix seconds. `dueAt` is the end of the period that was opened last: for acceptance, correction,
    /// supplement, notice or investigation; once deposited, the latest end of validity. `decideBy` ends the whole case. `passing`:
    /// the first titles that a transfer hands over, bits as in IRights.
    struct Case {
        address applicant;
        Kind kind;
        Procedure procedure;
        State state;
        uint32 version;
        bool extended;
        bool mayWaive;
        uint8 passing;
        address counterparty;
        uint64 statedAt;
        address objector;
        uint64 dueAt;
        uint64 decideBy;
        uint64 depositedAt;
        bytes32 assetId;
        bytes32 formDigest;
        bytes32 rulebookDigest;
    }

    /// @notice What the register says of an asset. `disputes`: late objections that put a mark on it and are not settled. `upheld` of
    /// them were found to be right: their mark stays until the entry is changed, passes to another, or ends.
    struct Record {
        address holder;
        uint64 validUntil;
        uint16 disputes;
        uint16 upheld;
        bytes32 latestCase;
        bytes32 certificateDigest;
        bytes32 code;
    }

    /// @notice Signed by `applicant`. caseId = keccak256(abi.encode(assetId, applicant, formDigest, statedAt)).
    /// @param counterparty who receives, in a transfer, and joins by an act of its own; zero in every other kind.
    /// @param nonPublicationDigest the applicant's reasons against public notice; zero where it asks for none.
    /// @param depositDigest proof of the deposit that comes before the application for public data; zero otherwise.
    /// @param statedAt when it was signed. dueAt: accepted until then. decideBy: decided until then should the registrar keep silent.
    struct File {
        bytes32 caseId;
        bytes32 assetId;
        uint8 kind;
        uint8 procedure;
        address applicant;
        address counterparty;
        bytes32 formDigest;
        bytes32 nonPublicationDigest;
        bytes32 depositDigest;
        bytes32 rulebookDigest;
        uint64 statedAt;
        uint64 dueAt;
        uint64 decideBy;
        uint64 deadline;
    }

    /// @notice A step of an applicant, a receiver, an objector or a holder, signed by `actor`. `version` is the case's present one.
    /// @param dueAt end of the period that this act opens; zero if it opens none.
    /// @param decideBy end of the whole case as it stands after the act.
    struct Act {
        bytes32 caseId;
        uint8 step;
        bytes32 evidenceDigest;
        uint64 statedAt;
        uint64 dueAt;
        uint64 decideBy;
        address actor;
        uint64 version;
        uint64 deadline;
    }

    /// @notice A step of the registrar's, signed by `actor`; otherwise as {Act}.
    struct Decide {
        bytes32 caseId;
        uint8 step;
        bytes32 evidenceDigest;
        uint64 statedAt;
        uint64 dueAt;
        uint64 decideBy;
        address actor;
        uint64 version;
        uint64 deadline;
    }

    /// @notice Bounds of a rulebook's periods in seconds, 32 bits each, from the right: the least for a correction, for a supplement,
    /// for public notice (of a revocation: for its hearing), the most before the end for asking for renewal. The right half of `entry`
    /// is the ordinary procedure's, the left one that of public data; of `beside`, of late objections and of revocations. `term`: the
    /// most that an entry may stand after its deposit, ordinary and of public data; the notice of a registrar and of an exchange that
    /// leave, never shorter than the rulebook's. 0: none.
    struct Bounds {
        bytes32 entry;
        bytes32 beside;
        bytes32 term;
    }

    /// @notice Signed by an exchange: cases filed from now on follow `rulebookDigest`; running ones keep theirs. `entryBounds`,
    /// `besideBounds` and `termBounds` follow from the rulebook, see {Bounds}; they are stated once.
    struct Adopt {
        bytes32 rulebookDigest;
        bytes32 entryBounds;
        bytes32 besideBounds;
        bytes32 termBounds;
        bytes32 previousDigest;
        address exchange;
        uint64 deadline;
    }

    event Filed(File filing);
    event Acted(
        bytes32 indexed caseId,
        bytes32 indexed assetId,
        uint8 step,
        uint8 state,
        address indexed actor,
        bytes32 evidenceDigest,
        uint64 statedAt,
        uint64 dueAt,
        uint64 decideBy,
        uint64 version
    );
    event Expired(bytes32 indexed caseId, bytes32 indexed assetId, uint8 step, uint8 state, uint64 version);
    event Certified(
        bytes32 indexed caseId,
        bytes32 indexed assetId,
        bytes32 code,
        bytes32 certificateDigest,
        address holder,
        uint64 validUntil,
        address registrar,
        uint64 version
    );
    event DisputeMarked(bytes32 indexed assetId, bytes32 indexed caseId, uint16 disputes, uint16 upheld);
    event RulebookAdopted(
        bytes32 rulebookDigest,
        bytes32 entryBounds,
        bytes32 besideBounds,
        bytes32 termBounds,
        bytes32 previousDigest,
        address exchange
    );

    /// @notice The id is not the one that follows from the intent's own fields.
    error RegistrationsIdMismatch(bytes32 expected, bytes32 got);
    /// @notice This case was filed before.
    error RegistrationsExists(bytes32 caseId);
    /// @notice The procedure has no such kind, or does not take it yet.
    error RegistrationsKind(uint8 kind, uint8 procedure);
    /// @notice The rulebook in force is `expected`.
    error RegistrationsRulebook(bytes32 expected, bytes32 got);
    /// @notice The stated time lies ahead of the ledger's `time`, more than an hour behind it, or before the last act.
    error RegistrationsTime(uint64 statedAt, uint256 time);
    /// @notice The dates do not follow each other: an act opens a period that ends after it, or none; the case's end only moves on.
    error RegistrationsDates(uint64 dueAt, uint64 decideBy);
    /// @notice The period is shorter than any lawful one: it ends at the earliest at `earliest`.
    error RegistrationsShort(uint64 dueAt, uint64 earliest);
    /// @notice A rulebook has bounds, and keeps those that it was adopted with first.
    error RegistrationsBounds(bytes32 entryBounds, bytes32 besideBounds, bytes32 termBounds);
    /// @notice Public data are deposited before the application, everything else after it.
    error RegistrationsDepositProof(bytes32 depositDigest);
    /// @notice A transfer names who receives, another kind nobody.
    error RegistrationsCounterparty(address counterparty);
    /// @notice Another case about the asset is not finished.
    error RegistrationsOpenCase(bytes32 assetId, bytes32 caseId);
    /// @notice The first titles of this asset are passing to somebody else by this case.
    error RegistrationsPassing(bytes32 assetId, bytes32 caseId);
    /// @notice The asset has no registration that could be changed, or has one already.
    error RegistrationsAsset(bytes32 assetId, uint8 status);
    /// @notice The registration lapsed by itself.
    error RegistrationsLapsed(bytes32 assetId, uint64 validUntil);
    /// @notice `account` is not whose act this is.
    error RegistrationsNotParty(bytes32 caseId, address account);
    /// @notice Nobody decides in their own matter, and nobody objects to their own.
    error RegistrationsOwnMatter(bytes32 caseId, address account);
    /// @notice The state table has no such step.
    error RegistrationsStep(bytes32 caseId, uint8 state, uint8 step);
    /// @notice The period for this step ended at `dueAt`.
    error RegistrationsLate(bytes32 caseId, uint64 dueAt, uint64 statedAt);
    /// @notice The period has to end first, at `dueAt`.
    error RegistrationsEarly(bytes32 caseId, uint64 dueAt, uint64 statedAt);
    /// @notice The case was extended before.
    error RegistrationsExtended(bytes32 caseId);
    /// @notice The applicant did not ask for the notice not to be published.
    error RegistrationsNoWaiver(bytes32 caseId);
    /// @notice `account` objected to this case before.
    error RegistrationsObjected(bytes32 caseId, address account);
    /// @notice A code is "SJ", then 13 digits, the last four from 0001.
    error RegistrationsCode(bytes32 code);
    /// @notice The code belongs to another certificate.
    error RegistrationsCodeUsed(bytes32 code);
    /// @notice The certificate would run beyond the validity that the deposit allows, or the deposit beyond that of its rulebook.
    error RegistrationsTerm(uint64 validUntil, uint64 latest);
    /// @notice Only the contract Rights may do this.
    error RegistrationsOnlyRights(address caller);

    /// @notice File a case. Emits {Filed}.
    function file(File calldata filing, bytes calldata applicantSignature) external;

    /// @notice Take a step in a case. Emits {Acted}, and {DisputeMarked} where a dispute mark goes on or off.
    function act(Act calldata act_, bytes calldata actorSignature) external;

    /// @notice Decide a step in a case, as a registrar. Emits {Acted}, and {DisputeMarked} where a dispute mark goes on or off.
    function decide(Decide calldata decision, bytes calldata registrarSignature) external;

    /// @notice Anyone states that a period ended unused: silence accepts a case, a correction that did not come ends it. Emits {Expired}.
    function expire(bytes32 caseId) external;

    /// @notice Choose the rulebook of later cases. Emits {RulebookAdopted}.
    function adopt(Adopt calldata adoption, bytes calldata exchangeSignature) external;

    /// @notice For the contract Rights: the latest case of the asset is deposited and ends in this certificate. Emits {Certified}.
    function certify(
        bytes32 assetId,
        bytes32 certificateDigest,
        bytes32 code,
        uint64 validUntil,
        address registrar
    ) external;

    /// @notice A case; all zero if there is none.
    function caseOf(bytes32 caseId) external view returns (Case memory);

    /// @notice What the register says of an asset; all zero if nothing.
    function recordOf(bytes32 assetId) external view returns (Record memory);

    /// @notice Reverts while a transfer is open that `account` applied for: until it ends, the first titles that pass are neither
    /// granted from, pledged, moved nor offered.
    function requireNotPassing(bytes32 assetId, address account) external view;

    /// @notice The digest of the rulebook that a case filed now has to name.
    function rulebook() external view returns (bytes32);

    /// @notice The bounds `term` of the rulebook in force.
    function termBounds() external view returns (bytes32);
}
