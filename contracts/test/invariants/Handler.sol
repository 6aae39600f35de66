// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "../base/MarketTest.sol";
import {SettlementToken} from "../../src/SettlementToken.sol";
import {Vm} from "../base/Vm.sol";
import {Roles} from "../../src/Roles.sol";
import {IAgreements} from "../../src/interfaces/IAgreements.sol";
import {IDeliveries} from "../../src/interfaces/IDeliveries.sol";
import {IEvidence} from "../../src/interfaces/IEvidence.sol";
import {IIntentBatch} from "../../src/interfaces/IIntentBatch.sol";
import {ILineage} from "../../src/interfaces/ILineage.sol";
import {IListings} from "../../src/interfaces/IListings.sol";
import {IOrders} from "../../src/interfaces/IOrders.sol";
import {IParticipants} from "../../src/interfaces/IParticipants.sol";
import {IRegistrations} from "../../src/interfaces/IRegistrations.sol";
import {IRights} from "../../src/interfaces/IRights.sol";
import {ISettlementToken} from "../../src/interfaces/ISettlementToken.sol";
import {ITitles} from "../../src/interfaces/ITitles.sol";

/// @notice Does what people do, signed as they sign, sometimes wrongly. Every call goes through `submit`, so a refusal shows as
/// an event and nothing reverts. After each call it looks at what can only be seen at that moment.
contract Handler is MarketTest {
    bytes32 private constant REFUSED = keccak256("Refused(uint256,bytes)");

    uint256[] public people;
    bytes32[] public assets;
    bytes32[] public derived;
    bytes32[] public listed;
    bytes32[] public granted; // titles, roots first
    bytes32[] public agreed;
    bytes32[] public funded;
    bytes32[] public redemptions;
    mapping(uint16 currency => uint256) public issued;
    mapping(uint16 currency => uint256) public paidOut;
    uint256 public accepted;
    string public violation; // what was seen to be wrong first; empty while nothing was

    mapping(bytes32 orderId => uint64) public spent;
    mapping(bytes32 orderId => uint8) public seenStatus;
    mapping(bytes32 orderId => IOrders.Voucher) private _highest; // of each figure, what was presented
    mapping(bytes32 redemptionId => uint8) public seenRedemption;
    mapping(bytes32 redemptionId => uint16) public redeemedIn;
    mapping(address target => mapping(bytes32 slot => bool)) private _wasFilled;
    mapping(address account => uint256 key) private _keys;

    struct Done {
        address target;
        bytes data;
    }

    Done[] private _done;

    constructor() {
        super.setUp();
        people = [SUPPLIER, COLLECTOR, BUYER, 0xE1, 0xE2];
        for (uint256 i = 0; i < people.length; ++i) {
            _admit(people[i], Roles.SUPPLIER | Roles.BUYER);
            _keys[_at(people[i])] = people[i];
            issue(i, 1e8);
            issue(i, 5e7 + 1);
        }
        for (uint256 i = 0; i < 3; ++i) {
            register(i, i + 1, 1000, 4_999_999);
            confirm(i, 300 days);
            list(i, 10, 1);
        }
    }

    /* ACTIONS */

    function issue(uint256 who, uint96 amount) public {
        uint96 bounded = amount % 1e9 + 1;
        ISettlementToken.Issue memory m = _issueOf(_person(who), bounded, keccak256(abi.encode(accepted)));
        if (amount % 2 == 1) m.currency = HKD;
        address money = _moneyOf(m.currency);
        bytes memory signature = _sign(BANK, money, _hash(m));
        if (_try(money, abi.encodeCall(ISettlementToken.issue, (m, signature)))) issued[m.currency] += bounded;
    }

    function redeem(uint256 who, uint96 amount) public {
        uint256 key = _person(who);
        bytes32 payout = keccak256(abi.encode("payout", redemptions.length, accepted));
        ISettlementToken.Redeem memory m = _redeemOf(key, amount % 2e8, payout);
        if (amount % 4 == 3) m.currency = HKD;
        m.redemptionId = keccak256(abi.encode(m.account, m.currency, payout));
        address money = _moneyOf(m.currency);
        bytes memory signature = _sign(key, money, _hash(m));
        if (!_try(money, abi.encodeCall(ISettlementToken.redeem, (m, signature)))) return;
        redemptions.push(m.redemptionId);
        redeemedIn[m.redemptionId] = m.currency;
    }

    /// @dev Mostly the bank pays, now and then under a reference that was used; sometimes it rejects, or somebody asks too early.
    function endRedemption(uint256 which, uint8 how) public {
        if (redemptions.length == 0) return;
        bytes32 id = redemptions[which % redemptions.length];
        uint16 currency = redeemedIn[id];
        SettlementToken money = SettlementToken(_moneyOf(currency));
        bytes memory call_ = abi.encodeCall(ISettlementToken.expireRedemption, (id));
        if (how % 4 < 2) {
            ISettlementToken.PayRedemption memory pay =
                _payOf(id, how % 16 == 0 ? bytes32("used") : keccak256(abi.encode("out", accepted)));
            pay.currency = currency;
            call_ = abi.encodeCall(ISettlementToken.payRedemption, (pay, _sign(BANK, address(money), _hash(pay))));
        } else if (how % 4 == 2) {
            ISettlementToken.RejectRedemption memory reject = _rejectOf(id);
            reject.currency = currency;
            call_ = abi.encodeCall(
                ISettlementToken.rejectRedemption, (reject, _sign(BANK, address(money), _hash(reject)))
            );
        }
        bool early = block.timestamp <= money.redemption(id).payBy;
        if (!_try(address(money), call_)) return;
        if (how % 4 < 2) paidOut[currency] += money.redemption(id).amount;
        if (how % 4 == 3 && early) violation = "a redemption expired while its bank might pay";
    }

    function register(uint256 who, uint256 second, uint16 bps, uint64 budget) public {
        (uint256 holder, uint256 other) = (_person(who), _person(second));
        IRights.Register memory m = _registerOf(keccak256(abi.encode("asset", assets.length)));
        m.holder = _at(holder);
        m.assetId = keccak256(abi.encode(m.holder, m.manifestDigest));
        m.shareHolders[0] = m.holder;
        m.shareHolders[1] = _at(other);
        m.shareBps[1] = bps % 10_000;
        m.shareBps[0] = 10_000 - m.shareBps[1];
        m.epsilonBudget = budget % 5_000_000 + 1;
        bytes memory signature = _sign(holder, address(rights), _hash(m));
        if (!_try(address(rights), abi.encodeCall(IRights.register, (m, signature)))) return;
        assets.push(m.assetId);
        _depositFor(holder, m.assetId);
    }

    /// @dev A case that nobody objects to; what can go wrong in a case has a test of its own.
    function _depositFor(uint256 holder, bytes32 assetId) private {
        IRegistrations.File memory filing = _fileOf(assetId, IRegistrations.Kind.First);
        filing.applicant = _at(holder);
        filing.caseId = _caseId(filing);
        if (!_file(filing, holder)) return;
        _decide(_decideOf(filing.caseId, IRegistrations.Step.Accept), REGISTRAR);
        _decide(_decideOf(filing.caseId, IRegistrations.Step.WaiveNotice), REGISTRAR);
        _decide(_decideOf(filing.caseId, IRegistrations.Step.Deposit), REGISTRAR);
    }

    function _file(IRegistrations.File memory m, uint256 by) private returns (bool) {
        bytes memory signature = _sign(by, address(registrations), _hash(m));
        return _try(address(registrations), abi.encodeCall(IRegistrations.file, (m, signature)));
    }

    function _decide(IRegistrations.Decide memory m, uint256 by) private returns (bool) {
        bytes memory signature = _sign(by, address(registrations), _hash(m));
        return _try(address(registrations), abi.encodeCall(IRegistrations.decide, (m, signature)));
    }

    function confirm(uint256 which, uint32 term) public {
        if (assets.length == 0) return;
        IRights.Confirm memory m = _confirmOf(assets[which % assets.length]);
        m.validUntil = uint64(block.timestamp + term % 400 days);
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        if (!_try(address(rights), abi.encodeCall(IRights.confirm, (m, signature)))) return;
        granted.push(_titleId(m.assetId, ITitles.TitleKind.Use));
        granted.push(_titleId(m.assetId, ITitles.TitleKind.Operate));
    }

    /// @dev Rarely, so that most assets stay in trade; a suspension is mostly taken back.
    function mark(uint256 which, uint8 status) public {
        if (assets.length == 0 || which % 8 != 0) return;
        bytes32 assetId = assets[which / 8 % assets.length];
        IRights.AssetStatus before = rights.asset(assetId).status;
        IRights.Mark memory m = _markOf(assetId, IRights.AssetStatus.Suspended);
        if (before == IRights.AssetStatus.Suspended) m.status = uint8(IRights.AssetStatus.Confirmed);
        if (status % 16 == 0) m.status = status / 16;
        bytes memory signature = _sign(REGISTRAR, address(rights), _hash(m));
        bool done = _try(address(rights), abi.encodeCall(IRights.mark, (m, signature)));
        if (done && before > IRights.AssetStatus.Suspended) violation = "an asset that was ended came back";
    }

    function transfer(uint256 which, uint256 to, bool hold) public {
        if (assets.length == 0) return;
        bytes32 titleId =
            _titleId(assets[which % assets.length], hold ? ITitles.TitleKind.Hold : ITitles.TitleKind.Operate);
        uint256 from = _keyOf(titles.title(titleId).holder);
        ITitles.Transfer memory m = _transferOf(titleId, from, _person(to));
        bytes memory one = _sign(from, address(titles), _hash(m));
        bytes memory two = _sign(_person(to), address(titles), _hash(m));
        _try(address(titles), abi.encodeCall(ITitles.transfer, (m, one, two)));
    }

    function grant(uint256 which, uint256 to, uint8 marks, uint32 scope) public {
        if (granted.length == 0) return;
        bytes32 parent = granted[which % granted.length];
        ITitles.Title memory above = titles.title(parent);
        uint256 from = _keyOf(above.holder);
        uint256 grantee = _person(to);
        ITitles.Grant memory m = _grantOf(parent, from, grantee, keccak256(abi.encode("grant", granted.length)));
        m.kind = scope % 2 == 0 ? 3 : 2;
        (m.marks, m.purposes, m.territories) = (marks % 8, scope / 2 % 4, scope / 8 % 4);
        bytes memory one = _sign(from, address(titles), _hash(m));
        bytes memory two = _sign(grantee, address(titles), _hash(m));
        if (_try(address(titles), abi.encodeCall(ITitles.grant, (m, one, two)))) granted.push(m.titleId);
    }

    function revokeTitle(uint256 which) public {
        if (granted.length == 0 || which % 4 > 0) return;
        ITitles.RevokeTitle memory m = _revocationOf(granted[which / 4 % granted.length], REGISTRAR);
        if (titles.title(m.titleId).parent == 0) return; // a market without roots shows little
        bytes memory signature = _sign(REGISTRAR, address(titles), _hash(m));
        _try(address(titles), abi.encodeCall(ITitles.revoke, (m, signature)));
    }

    function transferShare(uint256 which, uint256 place, uint256 to, uint16 bps) public {
        if (assets.length == 0) return;
        bytes32 assetId = assets[which % assets.length];
        IRights.Share[] memory shares = rights.shares(assetId);
        IRights.Share memory share = shares[place % shares.length];
        uint256 from = _keyOf(share.holder);
        uint16 part = bps % 3 == 0 ? share.bps : bps % 10_000;
        IRights.TransferShare memory m = _shareOf(assetId, from, _person(to), part);
        bytes memory signature = _sign(from, address(rights), _hash(m));
        uint8 marks = rights.encumbranceOf(assetId, share.holder).marks;
        bool done = _try(address(rights), abi.encodeCall(IRights.transferShare, (m, signature)));
        if (done && marks != 0) violation = "a seized share moved";
    }

    /// @dev Mostly it is pledged or transferred on; now and then the pledgee gives up, or a ruling or an order comes.
    function weighShare(uint256 which, uint256 place, uint256 to, uint16 bps, uint8 how) public {
        if (assets.length == 0) return;
        bytes32 assetId = assets[which % assets.length];
        IRights.Share[] memory shares = rights.shares(assetId);
        IRights.Share memory share = shares[place % shares.length];
        uint256 holder = _keyOf(share.holder);
        if (how % 2 == 0) return _pledgeShare(_pledgeOf(assetId, holder, _person(to), bps % 10_000), to);
        IRights.Encumbrance memory weight = rights.encumbranceOf(assetId, share.holder);
        bytes memory call_;
        if (how % 4 == 1) {
            IRights.EnforceShare memory ruling = _enforceOf(assetId, holder);
            call_ = abi.encodeCall(
                IRights.enforceShare, (ruling, _sign(REGISTRAR, address(rights), _hash(ruling)))
            );
        } else if (how % 8 == 3) {
            uint256 pledgee = weight.pledgee == address(0) ? _person(to) : _keyOf(weight.pledgee);
            IRights.ReleaseShare memory release = _releaseOf(assetId, holder, pledgee);
            call_ = abi.encodeCall(IRights.releaseShare, (release, _sign(pledgee, address(rights), _hash(release))));
        } else {
            IRights.EncumberShare memory order_ = _encumberOf(assetId, holder, weight.marks == 0 ? 16 : 0);
            call_ = abi.encodeCall(
                IRights.encumberShare, (order_, _sign(REGISTRAR, address(rights), _hash(order_)))
            );
        }
        bool done = _try(address(rights), call_);
        if (done && how % 4 == 1 && weight.marks != 0) violation = "a seized share moved";
        if (done && how % 4 == 1 && weight.bps == 0) violation = "enforced what was not pledged";
    }

    function _pledgeShare(IRights.PledgeShare memory m, uint256 to) private {
        IRights.Encumbrance memory weight = rights.encumbranceOf(m.assetId, m.holder);
        bytes memory one = _sign(_keyOf(m.holder), address(rights), _hash(m));
        bytes memory two = _sign(_person(to), address(rights), _hash(m));
        bool done = _try(address(rights), abi.encodeCall(IRights.pledgeShare, (m, one, two)));
        if (done && (weight.bps != 0 || weight.marks != 0)) violation = "pledged what was pledged or seized";
    }

    function list(uint256 which, uint96 price, uint256 wrong) public {
        if (assets.length == 0) return;
        bytes32 assetId = assets[which % assets.length];
        address operator = titles.title(_titleId(assetId, ITitles.TitleKind.Operate)).holder;
        uint256 seller = wrong % 4 == 0 ? _person(wrong) : _keyOf(operator);
        IListings.List memory m = _listOf(assetId, keccak256(abi.encode("terms", listed.length)));
        m.seller = _at(seller);
        m.listingId = keccak256(abi.encode(m.seller, assetId, m.termsDigest));
        m.price = price % 1000;
        if (wrong % 8 > 5) m.currency = HKD;
        bytes memory signature = _sign(seller, address(listings), _hash(m));
        if (!_try(address(listings), abi.encodeCall(IListings.list, (m, signature)))) return;
        listed.push(m.listingId);
        _watchInputs(assetId);
        if (m.seller != operator) violation = "listed by one who does not operate";
    }

    /// @dev Registers a product, declares its inputs, sees to consents, confirms it and offers it.
    function derive(uint256 which, uint256 second, uint16 bps, bool own) public {
        uint256 before = assets.length;
        register(which / 7, second / 7, bps, 4_999_999);
        if (assets.length == before) return;
        bytes32 assetId = assets[before];
        uint256 holder = _keyOf(rights.asset(assetId).registrant);
        ILineage.DeclareLineage memory m = _declareOf(assetId, assets[which % assets.length], bps % 5001);
        m.holder = _at(holder);
        if (own) m.titles[0] = _titleId(m.inputs[0], ITitles.TitleKind.Use);
        if (second % 2 == 0) _another(m, assets[second / 2 % assets.length]);
        bytes memory signature = _sign(holder, address(lineage), _hash(m));
        if (!_try(address(lineage), abi.encodeCall(ILineage.declare, (m, signature)))) return;
        derived.push(assetId);
        (, uint8 depth, uint8 size) = lineage.lineage(assetId);
        if (depth == 0 || depth > 4 || size < 2 || size > 16) violation = "a tree out of bounds";
        consent(derived.length - 1, 0, 399 days);
        confirm(assets.length - 1, 300 days);
        list(assets.length - 1, 10, 1);
    }

    function _another(ILineage.DeclareLineage memory m, bytes32 inputId) private pure {
        (m.inputs, m.titles, m.bps) = (_two(m.inputs[0], inputId), _two(m.titles[0], 0), new uint16[](2));
        (m.bps[0], m.bps[1]) = (3333, 1);
    }

    function _two(bytes32 one, bytes32 two) private pure returns (bytes32[] memory both) {
        both = new bytes32[](2);
        (both[0], both[1]) = (one, two);
    }

    /// @dev Gives every consent that a product needs.
    function consent(uint256 which, uint256 wrong, uint64 term) public {
        if (derived.length == 0) return;
        bytes32 assetId = derived[which % derived.length];
        (ILineage.Input[] memory inputs,,) = lineage.lineage(assetId);
        for (uint256 i = 0; i < inputs.length; ++i) {
            if (inputs[i].titleId != 0) continue;
            ILineage.GiveConsent memory m = _consentOf(assetId, inputs[i].assetId, inputs[i].bps);
            address operator = titles.title(m.titleId).holder;
            m.holder = wrong % 4 == 1 ? _at(_person(wrong)) : operator;
            m.validUntil = uint64(block.timestamp + term % 400 days);
            bytes memory signature = _sign(_keyOf(m.holder), address(lineage), _hash(m));
            bool given = _try(address(lineage), abi.encodeCall(ILineage.consent, (m, signature)));
            if (given && m.holder != operator) violation = "a consent of one who does not operate";
            if (given && m.holder == rights.asset(assetId).registrant) violation = "somebody consented to itself";
        }
    }

    function withdraw(uint256 which) public {
        if (derived.length == 0) return;
        bytes32 assetId = derived[which % derived.length];
        (ILineage.Input[] memory inputs,,) = lineage.lineage(assetId);
        ILineage.WithdrawConsent memory m = _withdrawalOf(assetId, inputs[0].assetId);
        m.holder = lineage.consentOf(assetId, inputs[0].assetId).by;
        if (m.holder == address(0)) return;
        bytes memory signature = _sign(_keyOf(m.holder), address(lineage), _hash(m));
        _try(address(lineage), abi.encodeCall(ILineage.withdraw, (m, signature)));
    }

    /// @dev I-27, written anew: what was just put on offer or ordered has every consent, down to the last input.
    function _watchInputs(bytes32 assetId) private {
        (ILineage.Input[] memory inputs,,) = lineage.lineage(assetId);
        for (uint256 i = 0; i < inputs.length; ++i) {
            bytes32 inputId = inputs[i].assetId;
            IRights.Asset memory asset = rights.asset(inputId);
            if (inputs[i].titleId == 0) {
                ILineage.Consent memory given = lineage.consentOf(assetId, inputId);
                bool inForce =
                    given.status == ILineage.ConsentStatus.Given && block.timestamp <= given.validUntil
                    && titles.title(given.titleId).holder == given.by && block.timestamp <= asset.validUntil;
                if (!inForce || asset.status != IRights.AssetStatus.Confirmed) violation = "sold without a consent";
            }
            bool stopped = asset.status == IRights.AssetStatus.Suspended || asset.status == IRights.AssetStatus.Revoked;
            if (stopped) violation = "sold what is made of stopped data";
            _watchInputs(inputId);
        }
    }

    function delist(uint256 which) public {
        if (listed.length == 0) return;
        bytes32 listingId = listed[which % listed.length];
        IListings.Delist memory m = _delistOf(listingId);
        m.seller = listings.listing(listingId).seller;
        bytes memory signature = _sign(_keyOf(m.seller), address(listings), _hash(m));
        _try(address(listings), abi.encodeCall(IListings.delist, (m, signature)));
    }

    function fund(uint256 which, uint256 who, uint96 escrow, uint64 cap, uint32 term) public {
        if (listed.length == 0) return;
        uint256 buyer = _person(who);
        bytes32 listingId = listed[which % listed.length];
        IOrders.Fund memory m = _fundOf(listingId, keccak256(abi.encode("agreement", funded.length)));
        m.buyer = _at(buyer);
        m.orderId = keccak256(abi.encode(m.buyer, listingId, m.agreementDigest));
        m.escrow = escrow % 1e7;
        m.epsilonCap = cap % 1_000_000;
        m.validUntil = uint64(block.timestamp + term % 20 days);
        m.agreementId = _cite(escrow);
        if (m.agreementId != 0 && which % 4 > 0) _takeSide(m, listingId);
        uint16 priced = listings.listing(listingId).currency;
        m.currency = term % 16 > 0 ? priced : CNY;
        bytes memory signature = _sign(_keyOf(m.buyer), address(orders), _hash(m));
        if (!_try(address(orders), abi.encodeCall(IOrders.fund, (m, signature)))) return;
        funded.push(m.orderId);
        IListings.Listing memory listing = listings.listing(listingId);
        address operator = titles.title(_titleId(listing.assetId, ITitles.TitleKind.Operate)).holder;
        if (listing.seller != operator) violation = "funded an offer of one who does not operate";
        _watchInputs(listing.assetId);
        _watchCited(m.agreementId, m.buyer, listing.seller);
        if (m.escrow < listing.price) violation = "funded below the price of one call";
        if (m.currency != priced) violation = "funded in another currency than the listing's";
    }

    /// @dev One agreement in three is amended or retired right away, so that orders also meet those that ended.
    function agree(uint256 one, uint256 two, uint8 then, uint32 term) public {
        (uint256 a, uint256 b) = (_person(one), _person(two));
        IAgreements.Agree memory m = _agreeOf(a, b, keccak256(abi.encode("agreement", agreed.length)));
        m.validUntil = uint64(block.timestamp + term % 60 days);
        bytes32 hash = _hash(m);
        bytes memory signature = _sign(b, address(agreements), hash);
        bytes memory data = abi.encodeCall(IAgreements.agree, (m, _sign(a, address(agreements), hash), signature));
        if (!_try(address(agreements), data)) return;
        if (a == b) violation = "somebody agreed with itself";
        agreed.push(m.agreementId);
        if (then % 3 == 1) _amend(m.agreementId, a, b);
        if (then % 3 == 2) _retire(m.agreementId, a, b);
    }

    function _amend(bytes32 previous, uint256 a, uint256 b) private {
        IAgreements.AmendAgreement memory m =
            _amendOf(previous, a, b, keccak256(abi.encode("amended", agreed.length)));
        bytes32 hash = _hash(m);
        bytes memory signature = _sign(b, address(agreements), hash);
        if (_try(
                address(agreements),
                abi.encodeCall(IAgreements.amend, (m, _sign(a, address(agreements), hash), signature))
            )) {
            agreed.push(m.agreementId);
        }
    }

    function _retire(bytes32 id, uint256 a, uint256 b) private {
        IAgreements.RetireAgreement memory m = _retireOf(id, a, b);
        bytes32 hash = _hash(m);
        bytes memory signature = _sign(b, address(agreements), hash);
        _try(
            address(agreements),
            abi.encodeCall(IAgreements.retire, (m, _sign(a, address(agreements), hash), signature))
        );
    }

    /// @dev Mostly an agreement; now and then of other people, or none.
    function _cite(uint256 seed) private view returns (bytes32) {
        return agreed.length == 0 || seed % 3 == 0 ? bytes32(0) : agreed[seed % agreed.length];
    }

    /// @dev The buyer is whoever agreed with the seller, where somebody did.
    function _takeSide(IOrders.Fund memory m, bytes32 listingId) private view {
        IAgreements.Agreement memory found = agreements.agreement(m.agreementId);
        address seller = listings.listing(listingId).seller;
        m.buyer = found.partyA == seller ? found.partyB : found.partyA;
        m.orderId = keccak256(abi.encode(m.buyer, listingId, m.agreementDigest));
    }

    function _watchCited(bytes32 id, address buyer, address seller) private {
        if (id == 0) return;
        IAgreements.Agreement memory found = agreements.agreement(id);
        bool between = (found.partyA == buyer && found.partyB == seller)
            || (found.partyA == seller && found.partyB == buyer);
        bool inForce = found.status == IAgreements.Status.Signed && block.timestamp <= found.validUntil;
        if (!between || !inForce) violation = "an order cites an agreement that is not in force between its sides";
    }

    function settle(uint256 which, uint96 amount, uint64 epsilon, uint256 wrong) public {
        if (funded.length == 0) return;
        bytes32 orderId = wrong % 3 == 1 ? _claimedOrder(which) : _openOrder(which);
        IOrders.Order memory order = orders.order(orderId);
        IOrders.Voucher memory v = _voucherOf(orderId);
        (v.amount, v.epsilon) = (amount % (order.escrow + 2), epsilon % (order.epsilonCap + 2));
        IOrders.Close memory c = _closeOf(v);
        c.seller = listings.listing(order.listingId).seller;
        uint256 buyer = wrong % 5 == 0 ? _person(wrong) : _keyOf(order.buyer);
        bytes memory one = _sign(buyer, address(orders), _hash(v));
        bytes memory two = _sign(_keyOf(c.seller), address(orders), _hash(c));
        if (!_try(address(orders), abi.encodeCall(IOrders.settle, (v, one, c, two)))) return;
        spent[orderId] = v.epsilon;
        IOrders.Voucher memory highest = _highest[orderId];
        if (v.amount < highest.amount || v.epsilon < highest.epsilon) violation = "settled below a claim";
        if (v.amount > order.escrow || v.epsilon > order.epsilonCap) violation = "settled beyond the order";
        if (_at(buyer) != order.buyer) violation = "settled without the buyer";
    }

    function refund(uint256 which) public {
        if (funded.length == 0) return;
        bytes32 orderId = funded[which % funded.length];
        bool due = block.timestamp > orders.order(orderId).validUntil + 3 days;
        if (_try(address(orders), abi.encodeCall(IOrders.refund, (orderId))) && !due) {
            violation = "refunded while a voucher may still be presented: I-36";
        }
    }

    /// @dev By the buyer or the seller, now and then by somebody else.
    function claim(uint256 which, uint96 amount, uint64 epsilon, uint256 wrong) public {
        if (funded.length == 0) return;
        bytes32 orderId = _openOrder(which);
        IOrders.Order memory order = orders.order(orderId);
        address seller = listings.listing(order.listingId).seller;
        IOrders.Voucher memory v = _presented(orderId, amount, epsilon, 1);
        uint256 by = wrong % 6 == 0 ? _person(wrong) : _keyOf(wrong % 2 == 0 ? seller : order.buyer);
        IOrders.Claim memory c = _claimOf(v, by);
        bytes memory one = _sign(_keyOf(order.buyer), address(orders), _hash(v));
        bytes memory two = _sign(by, address(orders), _hash(c));
        if (!_try(address(orders), abi.encodeCall(IOrders.claim, (v, one, c, two)))) return;
        _present(v);
        if (_at(by) != order.buyer && _at(by) != seller) violation = "claimed by a stranger";
        if (deliveries.delivery(orderId).dueAt > 0) violation = "claimed an order whose delivery is arranged";
    }

    /// @dev Now and then of an order that nobody claimed: I-36.
    function challenge(uint256 which, uint96 amount, uint64 epsilon, uint32 calls) public {
        if (funded.length == 0) return;
        bytes32 orderId = calls % 4 == 3 ? _openOrder(which) : _claimedOrder(which);
        IOrders.Window memory before = orders.windowOf(orderId);
        IOrders.Voucher memory v = _presented(orderId, amount, epsilon, calls % 3);
        bytes memory signature = _sign(_keyOf(orders.order(orderId).buyer), address(orders), _hash(v));
        if (!_try(address(orders), abi.encodeCall(IOrders.challenge, (v, signature)))) return;
        _present(v);
        IOrders.Window memory now_ = orders.windowOf(orderId);
        if (now_.amount < before.amount || now_.epsilon < before.epsilon) violation = "a challenge lowered a claim";
        if (before.until == 0) return _watchPresented(orderId);
        if (block.timestamp > before.until || now_.until != before.until) violation = "challenged after the window";
    }

    function _watchPresented(bytes32 orderId) private {
        uint64 end = orders.order(orderId).validUntil;
        if (block.timestamp <= end || block.timestamp > end + 3 days) violation = "presented at another time";
        if (deliveries.delivery(orderId).dueAt > 0) violation = "presented to an order whose delivery is arranged";
    }

    /// @dev Whoever claimed and whatever was presented, the highest is paid: I-29.
    function finish(uint256 which) public {
        if (funded.length == 0) return;
        bytes32 orderId = _claimedOrder(which);
        IOrders.Window memory window = orders.windowOf(orderId);
        IOrders.Order memory order = orders.order(orderId);
        uint256 escrow = token.balanceOf(address(orders));
        uint256 had = token.balanceOf(TREASURY);
        if (!_try(address(orders), abi.encodeCall(IOrders.finish, (orderId)))) return;
        IOrders.Voucher memory highest = _highest[orderId];
        spent[orderId] = highest.epsilon;
        bool paid = window.amount == highest.amount && window.epsilon == highest.epsilon;
        if (!paid || token.balanceOf(TREASURY) - had != uint256(highest.amount) * FEE_BPS / 10_000) {
            violation = "finished by another than the highest voucher";
        }
        if (escrow - token.balanceOf(address(orders)) != order.escrow) violation = "a claim left money behind";
        if (block.timestamp <= window.until) violation = "finished within the window";
    }

    function _presented(bytes32 orderId, uint96 amount, uint64 epsilon, uint32 calls)
        private
        view
        returns (IOrders.Voucher memory v)
    {
        IOrders.Order memory order = orders.order(orderId);
        v = _voucherOf(orderId);
        (v.amount, v.epsilon, v.calls) = (amount % (order.escrow + 2), epsilon % (order.epsilonCap + 2), calls);
    }

    function _present(IOrders.Voucher memory v) private {
        IOrders.Voucher storage highest = _highest[v.orderId];
        if (v.amount > highest.amount) highest.amount = v.amount;
        if (v.epsilon > highest.epsilon) highest.epsilon = v.epsilon;
    }

    /// @dev Of a listing; its times are short, so that a history meets their ends.
    function offer(uint256 which, uint96 amount, uint8 corrections, uint8 marks) public {
        if (listed.length == 0) return;
        bytes32 listingId = listed[which % listed.length];
        IDeliveries.OfferDelivery memory m = _offerOf(listingId);
        m.seller = listings.listing(listingId).seller;
        (m.amount, m.corrections, m.marks) = (amount % 1e6, corrections % 3, marks % 4);
        bytes memory signature = _sign(_keyOf(m.seller), address(deliveries), _hash(m));
        _try(address(deliveries), abi.encodeCall(IDeliveries.offer, (m, signature)));
    }

    function arrange(uint256 which, uint256 wrong) public {
        if (funded.length == 0) return;
        IDeliveries.Arrange memory m = _arrangeOf(_openOrder(which));
        m.buyer = wrong % 8 == 0 ? _at(_person(wrong)) : orders.order(m.orderId).buyer;
        bytes memory signature = _sign(_keyOf(m.buyer), address(deliveries), _hash(m));
        if (!_try(address(deliveries), abi.encodeCall(IDeliveries.arrange, (m, signature)))) return;
        if (m.buyer != orders.order(m.orderId).buyer) violation = "arranged by one who did not order";
        if (deliveries.delivery(m.orderId).dueAt > orders.order(m.orderId).validUntil) {
            violation = "a delivery outlives its order";
        }
    }

    function deliver(uint256 which) public {
        if (funded.length == 0) return;
        IDeliveries.Deliver memory m = _deliverOf(_openOrder(which));
        m.seller = listings.listing(orders.order(m.orderId).listingId).seller;
        bool late = block.timestamp > deliveries.delivery(m.orderId).dueAt;
        bytes memory signature = _sign(_keyOf(m.seller), address(deliveries), _hash(m));
        if (_try(address(deliveries), abi.encodeCall(IDeliveries.deliver, (m, signature))) && late) {
            violation = "delivered late";
        }
    }

    /// @dev The buyer's receipt, acceptance or objection.
    function inspect(uint256 which, uint8 how) public {
        if (funded.length == 0) return;
        bytes32 orderId = _openOrder(which);
        uint256 buyer = _keyOf(orders.order(orderId).buyer);
        bytes memory call_;
        if (how % 3 == 0) {
            IDeliveries.Acknowledge memory m = _acknowledgeOf(orderId);
            m.buyer = _at(buyer);
            call_ = abi.encodeCall(IDeliveries.acknowledge, (m, _sign(buyer, address(deliveries), _hash(m))));
        } else if (how % 3 == 1) {
            IDeliveries.AcceptDelivery memory m = _acceptOf(orderId);
            m.buyer = _at(buyer);
            call_ = abi.encodeCall(IDeliveries.accept, (m, _sign(buyer, address(deliveries), _hash(m))));
        } else {
            IDeliveries.ObjectToDelivery memory m = _objectOf(orderId);
            m.buyer = _at(buyer);
            call_ = abi.encodeCall(IDeliveries.object, (m, _sign(buyer, address(deliveries), _hash(m))));
        }
        _try(address(deliveries), call_);
    }

    /// @dev What nobody signs: a deemed acceptance, or the money back.
    function endDelivery(uint256 which, bool deem) public {
        if (funded.length == 0) return;
        bytes32 orderId = _openOrder(which);
        bool due = block.timestamp > deliveries.delivery(orderId).dueAt;
        uint8 marks = deliveries.offerOf(orders.order(orderId).listingId).marks;
        bytes memory call_ =
            deem ? abi.encodeCall(IDeliveries.deem, (orderId)) : abi.encodeCall(IDeliveries.lapse, (orderId));
        if (!_try(address(deliveries), call_)) return;
        if (!due) violation = "a delivery ended before its time";
        if (deem && marks & 1 == 0) violation = "silence accepted without a term that says so";
    }

    function anchor(uint64 size, bytes32 root) public {
        (uint48 last,) = evidence.latest();
        IEvidence.Anchor memory m = _anchorOf(last / 2 + uint48(size % 1000), root);
        bytes memory signature = _sign(EXCHANGE, address(evidence), _hash(m));
        if (_try(address(evidence), abi.encodeCall(IEvidence.anchor, (m, signature))) && m.size <= last) {
            violation = "anchored a log that did not grow";
        }
    }

    function setStatus(uint256 who) public {
        uint256 key = _person(who);
        bool active = participants.participant(_at(key)).status == IParticipants.Status.Active;
        if (active && who % 3 > 0) return; // a market where most are suspended shows little
        IParticipants.SetStatus memory m =
            _statusOf(key, active ? IParticipants.Status.Suspended : IParticipants.Status.Active);
        bytes memory signature = _sign(REGISTRAR, address(participants), _hash(m));
        _try(address(participants), abi.encodeCall(IParticipants.setStatus, (m, signature)));
    }

    function replay(uint256 which) public {
        if (_done.length == 0) return;
        Done memory done = _done[which % _done.length];
        if (_submit(done.target, done.data)) violation = "the same call took effect twice";
    }

    function wait_(uint32 time) public {
        vm.warp(block.timestamp + time % 5 days);
    }

    /* READING */

    function peopleCount() external view returns (uint256) {
        return people.length;
    }

    function assetCount() external view returns (uint256) {
        return assets.length;
    }

    function redemptionCount() external view returns (uint256) {
        return redemptions.length;
    }

    function grantedCount() external view returns (uint256) {
        return granted.length;
    }

    function derivedCount() external view returns (uint256) {
        return derived.length;
    }

    function fundedCount() external view returns (uint256) {
        return funded.length;
    }

    function moneyOf(uint16 currency) external view returns (address) {
        return _moneyOf(currency);
    }

    function market() external view returns (address, address, address, address, address) {
        return (address(rights), address(titles), address(listings), address(token), address(orders));
    }

    /* DOING AND WATCHING */

    function _try(address target, bytes memory data) private returns (bool ok) {
        ok = _submit(target, data);
        if (!ok) return false;
        ++accepted;
        _done.push(Done(target, data));
    }

    function _submit(address target, bytes memory data) private returns (bool) {
        bytes[] memory calls = new bytes[](1);
        calls[0] = data;
        vm.record();
        vm.recordLogs();
        IIntentBatch(target).submit(calls);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        _watchSlots(address(rights));
        _watchSlots(address(titles));
        _watchSlots(address(listings));
        _watchSlots(address(token));
        _watchSlots(address(dollars));
        _watchSlots(address(orders));
        _watchSlots(address(agreements));
        _watchSlots(address(participants));
        _watchSlots(address(registrations));
        _watchSlots(address(deliveries));
        _watchSlots(address(lineage));
        _watchOrders();
        _watchRedemptions();
        return !_hasRefusal(logs);
    }

    /// @dev forge also records what a refused call had emitted before, so the refusal is the last entry and not the only one.
    function _hasRefusal(Vm.Log[] memory logs) private pure returns (bool) {
        return logs.length > 0 && logs[logs.length - 1].topics[0] == REFUSED;
    }

    /// @dev No storage slot returns to zero.
    function _watchSlots(address target) private {
        (, bytes32[] memory writes) = vm.accesses(target);
        for (uint256 i = 0; i < writes.length; ++i) {
            bool filled = vm.load(target, writes[i]) != 0;
            if (!filled && _wasFilled[target][writes[i]]) violation = "a storage slot returned to zero";
            if (filled) _wasFilled[target][writes[i]] = true;
        }
    }

    /// @dev An order's status never goes back, and never changes once it is final.
    function _watchOrders() private {
        for (uint256 i = 0; i < funded.length; ++i) {
            uint8 status = uint8(orders.order(funded[i]).status);
            uint8 before = seenStatus[funded[i]];
            if (status != before && !_leadsTo(before, status)) violation = "an order's status went back";
            seenStatus[funded[i]] = status;
            _watchDelivery(funded[i], status);
        }
    }

    /// @dev A claimed order is settled and never refunded; what has ended stays ended.
    function _leadsTo(uint8 before, uint8 status) private pure returns (bool) {
        if (before == uint8(IOrders.Status.Claimed)) return status == uint8(IOrders.Status.Settled);
        return before < uint8(IOrders.Status.Settled) && status > before;
    }

    /// @dev A delivery ends with its order, and what was accepted was paid for: I-26.
    function _watchDelivery(bytes32 orderId, uint8 order) private {
        IDeliveries.Status status = deliveries.delivery(orderId).status;
        bool open = status > IDeliveries.Status.None && status < IDeliveries.Status.Accepted;
        if (open && order != uint8(IOrders.Status.Funded)) violation = "a delivery outlived its order";
        bool accepted_ = status == IDeliveries.Status.Accepted || status == IDeliveries.Status.Deemed;
        if (accepted_ && order != uint8(IOrders.Status.Settled)) violation = "an accepted delivery was not paid";
        if (status == IDeliveries.Status.Lapsed && order != uint8(IOrders.Status.Refunded)) {
            violation = "a late delivery's money did not go back";
        }
    }

    /// @dev A redemption that has ended stays as it ended.
    function _watchRedemptions() private {
        for (uint256 i = 0; i < redemptions.length; ++i) {
            SettlementToken money = SettlementToken(_moneyOf(redeemedIn[redemptions[i]]));
            uint8 status = uint8(money.redemption(redemptions[i]).status);
            uint8 before = seenRedemption[redemptions[i]];
            if (status < before || (before > 1 && status != before)) violation = "a redemption's status went back";
            seenRedemption[redemptions[i]] = status;
        }
    }

    /// @dev Mostly an order that can still be settled; any where none can, or now and then.
    function _openOrder(uint256 which) private view returns (bytes32) {
        for (uint256 i = 0; i < funded.length && which % 8 > 0; ++i) {
            bytes32 candidate = funded[(which % funded.length + i) % funded.length];
            if (orders.order(candidate).status == IOrders.Status.Funded) return candidate;
        }
        return funded[which % funded.length];
    }

    function _claimedOrder(uint256 which) private view returns (bytes32) {
        for (uint256 i = 0; i < funded.length && which % 8 > 0; ++i) {
            bytes32 candidate = funded[(which % funded.length + i) % funded.length];
            if (orders.order(candidate).status == IOrders.Status.Claimed) return candidate;
        }
        return funded[which % funded.length];
    }

    function _moneyOf(uint16 currency) private view returns (address) {
        return currency == HKD ? address(dollars) : address(token);
    }

    function _person(uint256 seed) private view returns (uint256) {
        return people[seed % people.length];
    }

    function _keyOf(address account) private view returns (uint256) {
        uint256 key = _keys[account];
        return key == 0 ? STRANGER : key;
    }
}
