// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Signing} from "./Signing.sol";
import {Agreements} from "../../src/Agreements.sol";
import {Deliveries} from "../../src/Deliveries.sol";
import {Clearing} from "../../src/Clearing.sol";
import {Evidence} from "../../src/Evidence.sol";
import {Keys} from "../../src/Keys.sol";
import {Lineage} from "../../src/Lineage.sol";
import {Listings} from "../../src/Listings.sol";
import {Orders} from "../../src/Orders.sol";
import {Participants} from "../../src/Participants.sol";
import {Registrations} from "../../src/Registrations.sol";
import {Rights} from "../../src/Rights.sol";
import {Roles} from "../../src/Roles.sol";
import {SettlementToken} from "../../src/SettlementToken.sol";
import {IAgreements} from "../../src/interfaces/IAgreements.sol";
import {Titles} from "../../src/Titles.sol";
import {IDeliveries} from "../../src/interfaces/IDeliveries.sol";
import {IClearing} from "../../src/interfaces/IClearing.sol";
import {IEvidence} from "../../src/interfaces/IEvidence.sol";
import {IIntentBatch} from "../../src/interfaces/IIntentBatch.sol";
import {IKeys} from "../../src/interfaces/IKeys.sol";
import {ILineage} from "../../src/interfaces/ILineage.sol";
import {IListings} from "../../src/interfaces/IListings.sol";
import {IOrders} from "../../src/interfaces/IOrders.sol";
import {IParticipants} from "../../src/interfaces/IParticipants.sol";
import {IRegistrations} from "../../src/interfaces/IRegistrations.sol";
import {IRights} from "../../src/interfaces/IRights.sol";
import {ISettlementToken} from "../../src/interfaces/ISettlementToken.sol";
import {ITitles} from "../../src/interfaces/ITitles.sol";

/// @notice A deployed market with its people. Builders make a valid intent of each kind, which a test then bends.
abstract contract MarketTest is Signing {
    uint256 internal constant REGISTRAR = 0xA1;
    uint256 internal constant BANK = 0xA2;
    uint256 internal constant EXCHANGE = 0xA3;
    uint256 internal constant SUPPLIER = 0xB1;
    uint256 internal constant COLLECTOR = 0xB2;
    uint256 internal constant BUYER = 0xC1;
    uint256 internal constant STRANGER = 0xD1;
    address internal constant TREASURY = address(0x7EA5);
    uint16 internal constant FEE_BPS = 250;
    uint16 internal constant CNY = 156;
    uint16 internal constant HKD = 344;
    uint64 internal constant START = 1_800_000_000;
    uint64 internal constant BUDGET = 10_000_000;
    bytes32 internal constant RULEBOOK = "rulebook";
    uint64 internal constant VALIDITY = 5 * 365 days;
    /// @dev Most of an ordinary entry and of public data, then notice of a registrar and of an exchange, from the right.
    bytes32 internal constant TERM_BOUNDS = bytes32(
        uint256(5 * 366 days) | uint256(3 * 366 days + 60 days) << 32 | uint256(186 days) << 64 | uint256(93 days) << 96
    );

    Participants internal participants;
    Rights internal rights;
    Titles internal titles;
    Listings internal listings;
    Agreements internal agreements;
    SettlementToken internal token;
    SettlementToken internal dollars;
    Orders internal orders;
    Evidence internal evidence;
    Clearing internal clearing;
    Keys internal ring;
    Registrations internal registrations;
    Deliveries internal deliveries;
    Lineage internal lineage;

    function setUp() public virtual {
        vm.warp(START);
        uint64 nonce = vm.getNonce(address(this));
        Titles titlesAt = Titles(vm.computeCreateAddress(address(this), nonce + 2));
        address listingsAt = vm.computeCreateAddress(address(this), nonce + 3);
        address ordersAt = vm.computeCreateAddress(address(this), nonce + 6);
        Registrations registrationsAt = Registrations(vm.computeCreateAddress(address(this), nonce + 10));
        participants = new Participants(_at(REGISTRAR), IKeys(vm.computeCreateAddress(address(this), nonce + 9)), registrationsAt);
        rights = new Rights(participants, titlesAt, ordersAt, registrationsAt);
        titles = new Titles(participants, rights, listingsAt, ordersAt);
        Lineage lineageAt = Lineage(vm.computeCreateAddress(address(this), nonce + 12));
        listings = new Listings(participants, titles, lineageAt);
        agreements = new Agreements(participants);
        address clearingAt = vm.computeCreateAddress(address(this), nonce + 8);
        token = new SettlementToken(participants, ordersAt, clearingAt, CNY, 2, "Settlement Yuan", "SCNY");
        address dollarsAt = vm.computeCreateAddress(address(this), nonce + 13);
        (uint16[] memory currencies, IERC20[] memory tokens) = _monies(dollarsAt);
        address deliveriesAt = vm.computeCreateAddress(address(this), nonce + 11);
        orders = new Orders(
            participants,
            rights,
            titles,
            listings,
            agreements,
            currencies,
            tokens,
            IClearing(clearingAt),
            deliveriesAt,
            TREASURY,
            FEE_BPS
        );
        evidence = new Evidence(participants);
        clearing = new Clearing(participants, currencies, tokens, ordersAt);
        vm.assertEq(address(clearing), clearingAt);
        ring = new Keys(participants);
        registrations = new Registrations(participants, rights, RULEBOOK, 0, 0, TERM_BOUNDS);
        deliveries = new Deliveries(participants, orders, listings, titles);
        lineage = new Lineage(participants, rights, titles);
        vm.assertEq(address(lineage), address(lineageAt));
        vm.assertEq(address(deliveries), deliveriesAt);
        dollars =
            new SettlementToken(participants, ordersAt, clearingAt, HKD, 2, "Settlement Hong Kong Dollar", "SHKD");
        vm.assertEq(address(dollars), dollarsAt);
        vm.assertEq(address(registrations), address(registrationsAt));
        vm.assertEq(address(orders), ordersAt);
        vm.assertEq(address(titles), address(titlesAt));
        vm.assertEq(address(ring), address(participants.KEYS()));
        _admit(BANK, Roles.BANK);
        _admit(EXCHANGE, Roles.EXCHANGE);
        _admit(SUPPLIER, Roles.SUPPLIER);
        _admit(COLLECTOR, Roles.SUPPLIER);
        _admit(BUYER, Roles.BUYER);
    }

    function _monies(address further) internal view returns (uint16[] memory currencies, IERC20[] memory tokens) {
        currencies = new uint16[](2);
        (currencies[0], currencies[1]) = (CNY, HKD);
        tokens = new IERC20[](2);
        (tokens[0], tokens[1]) = (token, IERC20(further));
    }

    function _at(uint256 key) internal pure returns (address) {
        return vm.addr(key);
    }

    function _deadline() internal view returns (uint64) {
        return uint64(block.timestamp + 1 hours);
    }

    /* BUILDERS OF VALID INTENTS */

    function _joinOf(uint256 key, uint32 roles) internal view returns (IParticipants.Join memory) {
        return IParticipants.Join(_at(key), roles, keccak256(abi.encode("identity", key)), _deadline());
    }

    function _admitOf(IParticipants.Join memory join) internal view returns (IParticipants.Admit memory) {
        uint64 version = participants.participant(join.account).version;
        return IParticipants.Admit(
            join.account, join.roles, join.identityDigest, version, _at(REGISTRAR), _deadline()
        );
    }

    function _statusOf(uint256 key, IParticipants.Status status)
        internal
        view
        returns (IParticipants.SetStatus memory)
    {
        uint64 version = participants.participant(_at(key)).version;
        return IParticipants.SetStatus(_at(key), uint8(status), "reason", version, _at(REGISTRAR), _deadline());
    }

    function _registerOf(bytes32 manifest) internal view returns (IRights.Register memory m) {
        m.holder = _at(SUPPLIER);
        m.manifestDigest = manifest;
        m.assetId = keccak256(abi.encode(m.holder, manifest));
        m.ciphertextRoot = "root";
        m.claimDigest = "claim";
        m.level = 2;
        m.epsilonBudget = BUDGET;
        m.shareHolders = new address[](2);
        m.shareHolders[0] = _at(SUPPLIER);
        m.shareHolders[1] = _at(COLLECTOR);
        m.shareBps = new uint16[](2);
        m.shareBps[0] = 9000;
        m.shareBps[1] = 1000;
        m.deadline = _deadline();
    }

    function _confirmOf(bytes32 assetId) internal view returns (IRights.Confirm memory) {
        uint64 until = uint64(block.timestamp + 365 days);
        return IRights.Confirm(
            assetId, "claim", "certificate", _codeOf(assetId), 7, until, _at(REGISTRAR), 1, _deadline()
        );
    }

    /// @dev A code of its own for every asset, as far as nine digits tell them apart.
    function _codeOf(bytes32 assetId) internal pure returns (bytes32) {
        uint256 number = uint256(keccak256(abi.encode("code", assetId))) % 1e9 * 1e4 + 1;
        bytes memory text = "SJ0000000000000";
        for (uint256 i = text.length; i > 2; --i) {
            text[i - 1] = bytes1(uint8(48 + number % 10));
            number /= 10;
        }
        return bytes32(text);
    }

    function _fileOf(bytes32 assetId, IRegistrations.Kind kind) internal view returns (IRegistrations.File memory m) {
        m.assetId = assetId;
        m.kind = uint8(kind);
        m.procedure = uint8(IRegistrations.Procedure.Ordinary);
        if (kind == IRegistrations.Kind.LateObjection) m.procedure = uint8(IRegistrations.Procedure.LateObjection);
        if (kind == IRegistrations.Kind.Revocation) m.procedure = uint8(IRegistrations.Procedure.Revocation);
        if (kind == IRegistrations.Kind.Transfer) m.counterparty = _at(COLLECTOR);
        m.applicant = _at(kind == IRegistrations.Kind.Revocation ? REGISTRAR : SUPPLIER);
        m.formDigest = "form";
        m.nonPublicationDigest = "reasons";
        m.rulebookDigest = RULEBOOK;
        m.statedAt = uint64(block.timestamp);
        m.dueAt = m.statedAt + 3 days;
        m.decideBy = m.statedAt + 14 days;
        m.deadline = _deadline();
        m.caseId = _caseId(m);
    }

    function _caseId(IRegistrations.File memory m) internal pure returns (bytes32) {
        return keccak256(abi.encode(m.assetId, m.applicant, m.formDigest, m.statedAt));
    }

    /// @dev A step of the registrar's that fits the case as it stands, with dates that the contract takes.
    function _actOf(bytes32 caseId, IRegistrations.Step step) internal view returns (IRegistrations.Act memory m) {
        IRegistrations.Case memory case_ = registrations.caseOf(caseId);
        m.caseId = caseId;
        m.step = uint8(step);
        m.evidenceDigest = "paper";
        m.statedAt = uint64(block.timestamp);
        m.dueAt = _opens(step) ? m.statedAt + (step == IRegistrations.Step.Deposit ? VALIDITY : 5 days) : 0;
        m.decideBy = step == IRegistrations.Step.Accept ? m.statedAt + 14 days : case_.decideBy;
        m.actor = _at(REGISTRAR);
        m.version = case_.version;
        m.deadline = _deadline();
    }

    /// @dev The same as a registrar's decision.
    function _decideOf(bytes32 caseId, IRegistrations.Step step)
        internal
        view
        returns (IRegistrations.Decide memory)
    {
        return abi.decode(abi.encode(_actOf(caseId, step)), (IRegistrations.Decide));
    }

    function _opens(IRegistrations.Step step) private pure returns (bool) {
        return step == IRegistrations.Step.Join || step == IRegistrations.Step.Resubmit
            || step == IRegistrations.Step.RequestCorrection || step == IRegistrations.Step.RequestSupplement
            || step == IRegistrations.Step.OpenNotice || step == IRegistrations.Step.Object
            || step == IRegistrations.Step.Reject || step == IRegistrations.Step.Deposit;
    }

    function _transferOf(bytes32 titleId, uint256 from, uint256 to) internal view returns (ITitles.Transfer memory) {
        return ITitles.Transfer(titleId, _at(from), _at(to), titles.title(titleId).version, _deadline());
    }

    function _grantOf(bytes32 parent, uint256 grantor, uint256 grantee, bytes32 terms)
        internal
        view
        returns (ITitles.Grant memory m)
    {
        ITitles.Title memory above = titles.title(parent);
        m.parent = parent;
        m.kind = uint8(ITitles.TitleKind.Operate);
        (m.grantor, m.grantee) = (_at(grantor), _at(grantee));
        m.titleId = keccak256(abi.encode(parent, m.grantee, terms));
        (m.purposes, m.fields, m.territories) = (1, bytes32(uint256(1)), 1);
        m.validFrom = above.validFrom > block.timestamp ? above.validFrom : uint64(block.timestamp);
        m.validUntil = above.parent == 0 ? uint64(block.timestamp + 30 days) : above.validUntil;
        m.termsDigest = terms;
        m.version = above.version;
        m.deadline = _deadline();
    }

    function _surrenderOf(bytes32 titleId, uint256 by) internal view returns (ITitles.Surrender memory) {
        return ITitles.Surrender(titleId, _at(by), "reason", titles.title(titleId).version, _deadline());
    }

    function _revocationOf(bytes32 titleId, uint256 by) internal view returns (ITitles.RevokeTitle memory) {
        return ITitles.RevokeTitle(titleId, _at(by), "reason", titles.title(titleId).version, _deadline());
    }

    function _pledgeOf(bytes32 titleId, uint256 holder, uint256 pledgee)
        internal
        view
        returns (ITitles.Pledge memory)
    {
        uint64 version = titles.title(titleId).version;
        return ITitles.Pledge(titleId, _at(holder), _at(pledgee), "debt", version, _deadline());
    }

    function _shareOf(bytes32 assetId, uint256 from, uint256 to, uint16 bps)
        internal
        view
        returns (IRights.TransferShare memory)
    {
        return IRights.TransferShare(
            assetId, _at(from), _at(to), bps, rights.asset(assetId).shareVersion, _deadline()
        );
    }

    function _pledgeOf(bytes32 assetId, uint256 holder, uint256 pledgee, uint16 bps)
        internal
        view
        returns (IRights.PledgeShare memory)
    {
        uint64 version = rights.encumbranceOf(assetId, _at(holder)).version;
        return IRights.PledgeShare(assetId, _at(holder), _at(pledgee), bps, "debt", version, _deadline());
    }

    function _releaseOf(bytes32 assetId, uint256 holder, uint256 pledgee)
        internal
        view
        returns (IRights.ReleaseShare memory)
    {
        uint64 version = rights.encumbranceOf(assetId, _at(holder)).version;
        return IRights.ReleaseShare(assetId, _at(holder), _at(pledgee), version, _deadline());
    }

    function _enforceOf(bytes32 assetId, uint256 holder) internal view returns (IRights.EnforceShare memory) {
        uint64 version = rights.encumbranceOf(assetId, _at(holder)).version;
        return IRights.EnforceShare(assetId, _at(holder), "ruling", _at(REGISTRAR), version, _deadline());
    }

    function _encumberOf(bytes32 assetId, uint256 holder, uint8 marks)
        internal
        view
        returns (IRights.EncumberShare memory)
    {
        uint64 version = rights.encumbranceOf(assetId, _at(holder)).version;
        return IRights.EncumberShare(assetId, _at(holder), marks, "order", _at(REGISTRAR), version, _deadline());
    }

    function _markOf(bytes32 assetId, IRights.AssetStatus status) internal view returns (IRights.Mark memory) {
        uint64 version = rights.asset(assetId).version;
        return IRights.Mark(assetId, uint8(status), "reason", _at(REGISTRAR), version, _deadline());
    }

    /// @dev One input, which needs a consent.
    function _declareOf(bytes32 assetId, bytes32 inputId, uint16 bps)
        internal
        view
        returns (ILineage.DeclareLineage memory m)
    {
        (m.assetId, m.holder, m.agreementDigest, m.deadline) = (assetId, _at(SUPPLIER), "papers", _deadline());
        (m.inputs, m.titles, m.bps) = (new bytes32[](1), new bytes32[](1), new uint16[](1));
        (m.inputs[0], m.bps[0]) = (inputId, bps);
    }

    function _consentOf(bytes32 assetId, bytes32 inputId, uint16 bps)
        internal
        view
        returns (ILineage.GiveConsent memory)
    {
        bytes32 titleId = _titleId(inputId, ITitles.TitleKind.Operate);
        uint64 version = lineage.consentOf(assetId, inputId).version;
        uint64 until = uint64(block.timestamp + 100 days);
        return ILineage.GiveConsent(
            assetId, inputId, titleId, _at(COLLECTOR), bps, until, version, _deadline()
        );
    }

    function _withdrawalOf(bytes32 assetId, bytes32 inputId)
        internal
        view
        returns (ILineage.WithdrawConsent memory)
    {
        uint64 version = lineage.consentOf(assetId, inputId).version;
        return ILineage.WithdrawConsent(assetId, inputId, _at(COLLECTOR), version, _deadline());
    }

    function _listOf(bytes32 assetId, bytes32 terms) internal view returns (IListings.List memory) {
        bytes32 id = keccak256(abi.encode(_at(SUPPLIER), assetId, terms));
        uint64 until = uint64(block.timestamp + 30 days);
        return IListings.List(
            id,
            assetId,
            _titleId(assetId, ITitles.TitleKind.Operate),
            _at(SUPPLIER),
            terms,
            1,
            bytes32(uint256(1)),
            1,
            100,
            CNY,
            until,
            _deadline()
        );
    }

    function _delistOf(bytes32 listingId) internal view returns (IListings.Delist memory) {
        return IListings.Delist(listingId, _at(SUPPLIER), 1, _deadline());
    }

    function _agreeOf(uint256 a, uint256 b, bytes32 digest) internal view returns (IAgreements.Agree memory) {
        bytes32 id = keccak256(abi.encode(_at(a), _at(b), digest));
        return IAgreements.Agree(id, _at(a), _at(b), digest, uint64(block.timestamp + 60 days), _deadline());
    }

    function _amendOf(bytes32 previous, uint256 a, uint256 b, bytes32 digest)
        internal
        view
        returns (IAgreements.AmendAgreement memory)
    {
        bytes32 id = keccak256(abi.encode(_at(a), _at(b), digest));
        uint64 until = uint64(block.timestamp + 90 days);
        return IAgreements.AmendAgreement(previous, id, _at(a), _at(b), digest, until, _deadline());
    }

    function _retireOf(bytes32 id, uint256 a, uint256 b) internal view returns (IAgreements.RetireAgreement memory) {
        return IAgreements.RetireAgreement(id, _at(a), _at(b), _deadline());
    }

    function _issueOf(uint256 key, uint256 amount, bytes32 ref) internal view returns (ISettlementToken.Issue memory) {
        return ISettlementToken.Issue(_at(key), amount, CNY, ref, _at(BANK), _deadline());
    }

    function _redeemOf(uint256 key, uint96 amount, bytes32 payout)
        internal
        view
        returns (ISettlementToken.Redeem memory)
    {
        bytes32 id = keccak256(abi.encode(_at(key), CNY, payout));
        uint64 until = uint64(block.timestamp + 5 days);
        return ISettlementToken.Redeem(id, _at(key), amount, CNY, payout, _at(BANK), until, _deadline());
    }

    function _payOf(bytes32 redemptionId, bytes32 ref) internal view returns (ISettlementToken.PayRedemption memory) {
        return ISettlementToken.PayRedemption(redemptionId, CNY, ref, _at(BANK), _deadline());
    }

    function _rejectOf(bytes32 redemptionId) internal view returns (ISettlementToken.RejectRedemption memory) {
        return ISettlementToken.RejectRedemption(redemptionId, CNY, "reason", _at(BANK), _deadline());
    }

    function _fundOf(bytes32 listingId, bytes32 agreement) internal view returns (IOrders.Fund memory) {
        bytes32 id = keccak256(abi.encode(_at(BUYER), listingId, agreement));
        uint64 until = uint64(block.timestamp + 7 days);
        return IOrders.Fund(id, listingId, _at(BUYER), 1000, CNY, 1_000_000, until, agreement, 0, _deadline());
    }

    function _voucherOf(bytes32 orderId) internal pure returns (IOrders.Voucher memory) {
        return IOrders.Voucher(orderId, 300, 400_000, 3, "calls");
    }

    function _closeOf(IOrders.Voucher memory voucher) internal view returns (IOrders.Close memory) {
        return IOrders.Close(voucher.orderId, _hash(voucher), _at(SUPPLIER), _deadline());
    }

    function _claimOf(IOrders.Voucher memory voucher, uint256 by) internal view returns (IOrders.Claim memory) {
        return IOrders.Claim(voucher.orderId, _hash(voucher), _at(by), _deadline());
    }

    function _offerOf(bytes32 listingId) internal view returns (IDeliveries.OfferDelivery memory) {
        return IDeliveries.OfferDelivery(
            listingId, _at(SUPPLIER), 700, 1 days, 2 days, 12 hours, 1, 3, _deadline()
        );
    }

    function _arrangeOf(bytes32 orderId) internal view returns (IDeliveries.Arrange memory) {
        return IDeliveries.Arrange(orderId, "key", _at(BUYER), _deadline());
    }

    function _deliverOf(bytes32 orderId) internal view returns (IDeliveries.Deliver memory) {
        uint8 round = deliveries.delivery(orderId).rounds + 1;
        return IDeliveries.Deliver(orderId, _at(SUPPLIER), round, "sealed", "print", "plain", _deadline());
    }

    function _acknowledgeOf(bytes32 orderId) internal view returns (IDeliveries.Acknowledge memory) {
        return IDeliveries.Acknowledge(orderId, deliveries.delivery(orderId).noteHash, _at(BUYER), _deadline());
    }

    function _acceptOf(bytes32 orderId) internal view returns (IDeliveries.AcceptDelivery memory) {
        return IDeliveries.AcceptDelivery(orderId, deliveries.delivery(orderId).noteHash, _at(BUYER), _deadline());
    }

    function _objectOf(bytes32 orderId) internal view returns (IDeliveries.ObjectToDelivery memory) {
        bytes32 noteHash = deliveries.delivery(orderId).noteHash;
        return IDeliveries.ObjectToDelivery(orderId, noteHash, "defects", _at(BUYER), _deadline());
    }

    function _anchorOf(uint48 size, bytes32 root) internal view returns (IEvidence.Anchor memory) {
        (, bytes32 previous) = evidence.latest();
        return IEvidence.Anchor(size, root, previous, _at(EXCHANGE), _deadline());
    }

    /* SENDING THEM, SIGNED BY THE RIGHT PEOPLE */

    function _admit(uint256 key, uint32 roles) internal {
        IParticipants.Join memory join = _joinOf(key, roles);
        _send(join, _admitOf(join), key, REGISTRAR);
    }

    function _send(IParticipants.Join memory join, IParticipants.Admit memory admission, uint256 key, uint256 by)
        internal
    {
        bytes memory one = _sign(key, address(participants), _hash(join));
        bytes memory two = _sign(by, address(participants), _hash(admission));
        participants.admit(join, one, admission, two);
    }

    function _send(IParticipants.SetStatus memory m, uint256 by) internal {
        participants.setStatus(m, _sign(by, address(participants), _hash(m)));
    }

    function _send(IRights.Register memory m, uint256 by) internal {
        rights.register(m, _sign(by, address(rights), _hash(m)));
    }

    function _send(IRegistrations.File memory m, uint256 by) internal {
        registrations.file(m, _sign(by, address(registrations), _hash(m)));
    }

    function _send(IRegistrations.Act memory m, uint256 by) internal {
        registrations.act(m, _sign(by, address(registrations), _hash(m)));
    }

    function _send(IRegistrations.Decide memory m, uint256 by) internal {
        registrations.decide(m, _sign(by, address(registrations), _hash(m)));
    }

    function _send(IRegistrations.Adopt memory m, uint256 by) internal {
        registrations.adopt(m, _sign(by, address(registrations), _hash(m)));
    }

    function _send(IRights.Confirm memory m, uint256 by) internal {
        rights.confirm(m, _sign(by, address(rights), _hash(m)));
    }

    function _send(ITitles.Transfer memory m, uint256 from, uint256 to) internal {
        bytes32 hash = _hash(m);
        titles.transfer(m, _sign(from, address(titles), hash), _sign(to, address(titles), hash));
    }

    function _send(ITitles.Grant memory m, uint256 grantor, uint256 grantee) internal {
        bytes32 hash = _hash(m);
        titles.grant(m, _sign(grantor, address(titles), hash), _sign(grantee, address(titles), hash));
    }

    function _send(ITitles.Surrender memory m, uint256 by) internal {
        titles.surrender(m, _sign(by, address(titles), _hash(m)));
    }

    function _send(ITitles.RevokeTitle memory m, uint256 by) internal {
        titles.revoke(m, _sign(by, address(titles), _hash(m)));
    }

    function _send(ITitles.Pledge memory m, uint256 holder, uint256 pledgee) internal {
        bytes32 hash = _hash(m);
        titles.pledge(m, _sign(holder, address(titles), hash), _sign(pledgee, address(titles), hash));
    }

    function _send(IRights.TransferShare memory m, uint256 by) internal {
        rights.transferShare(m, _sign(by, address(rights), _hash(m)));
    }

    function _send(IRights.PledgeShare memory m, uint256 holder, uint256 pledgee) internal {
        bytes32 hash = _hash(m);
        rights.pledgeShare(m, _sign(holder, address(rights), hash), _sign(pledgee, address(rights), hash));
    }

    function _send(IRights.ReleaseShare memory m, uint256 by) internal {
        rights.releaseShare(m, _sign(by, address(rights), _hash(m)));
    }

    function _send(IRights.EnforceShare memory m, uint256 by) internal {
        rights.enforceShare(m, _sign(by, address(rights), _hash(m)));
    }

    function _send(IRights.EncumberShare memory m, uint256 by) internal {
        rights.encumberShare(m, _sign(by, address(rights), _hash(m)));
    }

    function _send(IRights.Mark memory m, uint256 by) internal {
        rights.mark(m, _sign(by, address(rights), _hash(m)));
    }

    function _send(IListings.List memory m, uint256 by) internal {
        listings.list(m, _sign(by, address(listings), _hash(m)));
    }

    function _send(IListings.Delist memory m, uint256 by) internal {
        listings.delist(m, _sign(by, address(listings), _hash(m)));
    }

    function _send(IAgreements.Agree memory m, uint256 a, uint256 b) internal {
        bytes32 hash = _hash(m);
        agreements.agree(m, _sign(a, address(agreements), hash), _sign(b, address(agreements), hash));
    }

    function _send(IAgreements.AmendAgreement memory m, uint256 a, uint256 b) internal {
        bytes32 hash = _hash(m);
        agreements.amend(m, _sign(a, address(agreements), hash), _sign(b, address(agreements), hash));
    }

    function _send(IAgreements.RetireAgreement memory m, uint256 a, uint256 b) internal {
        bytes32 hash = _hash(m);
        agreements.retire(m, _sign(a, address(agreements), hash), _sign(b, address(agreements), hash));
    }

    function _send(ISettlementToken.Issue memory m, uint256 by) internal {
        token.issue(m, _sign(by, address(token), _hash(m)));
    }

    function _send(ISettlementToken.Redeem memory m, uint256 by) internal {
        token.redeem(m, _sign(by, address(token), _hash(m)));
    }

    function _send(ISettlementToken.PayRedemption memory m, uint256 by) internal {
        token.payRedemption(m, _sign(by, address(token), _hash(m)));
    }

    function _send(ISettlementToken.RejectRedemption memory m, uint256 by) internal {
        token.rejectRedemption(m, _sign(by, address(token), _hash(m)));
    }

    function _send(IOrders.Fund memory m, uint256 by) internal {
        orders.fund(m, _sign(by, address(orders), _hash(m)));
    }

    function _send(IOrders.Voucher memory v, uint256 buyer, IOrders.Close memory c, uint256 seller) internal {
        orders.settle(v, _sign(buyer, address(orders), _hash(v)), c, _sign(seller, address(orders), _hash(c)));
    }

    function _send(IOrders.Voucher memory v, uint256 buyer, IOrders.Claim memory c, uint256 by) internal {
        orders.claim(v, _sign(buyer, address(orders), _hash(v)), c, _sign(by, address(orders), _hash(c)));
    }

    function _challenge(IOrders.Voucher memory v, uint256 buyer) internal {
        orders.challenge(v, _sign(buyer, address(orders), _hash(v)));
    }

    function _send(IDeliveries.OfferDelivery memory m, uint256 by) internal {
        deliveries.offer(m, _sign(by, address(deliveries), _hash(m)));
    }

    function _send(IDeliveries.Arrange memory m, uint256 by) internal {
        deliveries.arrange(m, _sign(by, address(deliveries), _hash(m)));
    }

    function _send(IDeliveries.Deliver memory m, uint256 by) internal {
        deliveries.deliver(m, _sign(by, address(deliveries), _hash(m)));
    }

    function _send(IDeliveries.Acknowledge memory m, uint256 by) internal {
        deliveries.acknowledge(m, _sign(by, address(deliveries), _hash(m)));
    }

    function _send(IDeliveries.AcceptDelivery memory m, uint256 by) internal {
        deliveries.accept(m, _sign(by, address(deliveries), _hash(m)));
    }

    function _send(IDeliveries.ObjectToDelivery memory m, uint256 by) internal {
        deliveries.object(m, _sign(by, address(deliveries), _hash(m)));
    }

    function _send(ILineage.DeclareLineage memory m, uint256 by) internal {
        lineage.declare(m, _sign(by, address(lineage), _hash(m)));
    }

    function _send(ILineage.GiveConsent memory m, uint256 by) internal {
        lineage.consent(m, _sign(by, address(lineage), _hash(m)));
    }

    function _send(ILineage.WithdrawConsent memory m, uint256 by) internal {
        lineage.withdraw(m, _sign(by, address(lineage), _hash(m)));
    }

    function _send(IEvidence.Anchor memory m, uint256 by) internal {
        evidence.anchor(m, _sign(by, address(evidence), _hash(m)));
    }

    /* WHAT MOST TESTS START FROM */

    function _suspend(uint256 key) internal {
        _send(_statusOf(key, IParticipants.Status.Suspended), REGISTRAR);
    }

    function _registered(bytes32 manifest) internal returns (bytes32) {
        IRights.Register memory m = _registerOf(manifest);
        _send(m, SUPPLIER);
        return m.assetId;
    }

    /// @dev A first registration, deposited without notice.
    function _deposited(bytes32 manifest) internal returns (bytes32 assetId) {
        assetId = _registered(manifest);
        _deposit(_fileOf(assetId, IRegistrations.Kind.First));
    }

    /// @dev An asset of `key`, which alone shares in its revenue.
    function _confirmedBy(uint256 key, bytes32 manifest) internal returns (bytes32 assetId) {
        IRights.Register memory m = _registerOf(manifest);
        m.holder = _at(key);
        m.assetId = keccak256(abi.encode(m.holder, manifest));
        (m.shareHolders, m.shareBps) = (new address[](1), new uint16[](1));
        (m.shareHolders[0], m.shareBps[0]) = (m.holder, 10_000);
        _send(m, key);
        IRegistrations.File memory filing = _fileOf(m.assetId, IRegistrations.Kind.First);
        filing.applicant = m.holder;
        filing.caseId = _caseId(filing);
        _deposit(filing, key);
        _send(_confirmOf(m.assetId), REGISTRAR);
        return m.assetId;
    }

    function _deposit(IRegistrations.File memory m) internal {
        _deposit(m, SUPPLIER);
    }

    function _deposit(IRegistrations.File memory m, uint256 by) internal {
        _send(m, by);
        if (m.counterparty != address(0)) {
            IRegistrations.Act memory join = _actOf(m.caseId, IRegistrations.Step.Join);
            join.actor = m.counterparty;
            _send(join, COLLECTOR);
        }
        _send(_decideOf(m.caseId, IRegistrations.Step.Accept), REGISTRAR);
        _send(_decideOf(m.caseId, IRegistrations.Step.WaiveNotice), REGISTRAR);
        _send(_decideOf(m.caseId, IRegistrations.Step.Deposit), REGISTRAR);
    }

    function _confirmed(bytes32 manifest) internal returns (bytes32 assetId) {
        assetId = _deposited(manifest);
        _send(_confirmOf(assetId), REGISTRAR);
    }

    function _listed(bytes32 terms) internal returns (bytes32) {
        IListings.List memory m = _listOf(_confirmed(terms), terms);
        _send(m, SUPPLIER);
        return m.listingId;
    }

    function _funded(bytes32 agreement) internal returns (bytes32) {
        IOrders.Fund memory m = _fundOf(_listed(agreement), agreement);
        _send(_issueOf(BUYER, m.escrow, agreement), BANK);
        _send(m, BUYER);
        return m.orderId;
    }

    function _titleId(bytes32 assetId, ITitles.TitleKind kind) internal pure returns (bytes32) {
        return keccak256(abi.encode(assetId, kind));
    }

    /// @dev Reverts unless the first title to operate allows its holder `key` to offer something now.
    function _operates(bytes32 assetId, uint256 key) internal view returns (uint64) {
        bytes32 titleId = _titleId(assetId, ITitles.TitleKind.Operate);
        return titles.requireOperator(
            titleId, assetId, _at(key), 1, bytes32(uint256(1)), 1, uint64(block.timestamp)
        );
    }

    /* EXPECTATIONS */

    function _expectSignatureRefused(uint256 key) internal {
        vm.expectRevert(abi.encodeWithSelector(IIntentBatch.IntentBatchSignatureInvalid.selector, _at(key)));
    }

    function _expectExpired(uint64 deadline) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IIntentBatch.IntentBatchExpired.selector, deadline, block.timestamp)
        );
    }

    function _expectStale(uint64 current, uint64 stated) internal {
        vm.expectRevert(abi.encodeWithSelector(IIntentBatch.IntentBatchStale.selector, current, stated));
    }

    function _expectInactive(uint256 key, uint32 roles) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IParticipants.ParticipantsNotActive.selector, _at(key), roles)
        );
    }
}
