// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "./Vm.sol";
import {IAgreements} from "../../src/interfaces/IAgreements.sol";
import {IDeliveries} from "../../src/interfaces/IDeliveries.sol";
import {IClearing} from "../../src/interfaces/IClearing.sol";
import {IEvidence} from "../../src/interfaces/IEvidence.sol";
import {IKeys} from "../../src/interfaces/IKeys.sol";
import {ILineage} from "../../src/interfaces/ILineage.sol";
import {IListings} from "../../src/interfaces/IListings.sol";
import {IOrders} from "../../src/interfaces/IOrders.sol";
import {IParticipants} from "../../src/interfaces/IParticipants.sol";
import {IRegistrations} from "../../src/interfaces/IRegistrations.sol";
import {IRights} from "../../src/interfaces/IRights.sol";
import {ISettlementToken} from "../../src/interfaces/ISettlementToken.sol";
import {ITitles} from "../../src/interfaces/ITitles.sol";

/// @notice Struct hashes and signatures, written anew from EIP-712 so that the contracts are not their own judge.
abstract contract Signing {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    function _sign(uint256 key, address target, bytes32 structHash) internal view returns (bytes memory) {
        return _signFor(key, target, block.chainid, structHash);
    }

    function _signFor(uint256 key, address target, uint256 chain, bytes32 structHash)
        internal
        pure
        returns (bytes memory)
    {
        bytes32 domain = keccak256(abi.encode(DOMAIN, keccak256("Marketplace"), keccak256("1"), chain, target));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }

    function _hash(IParticipants.Join memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(keccak256("Join(address account,uint32 roles,bytes32 identityDigest,uint64 deadline)"), m)
        );
    }

    function _hash(IParticipants.Admit memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Admit(address account,uint32 roles,bytes32 identityDigest,uint64 version,address registrar,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IParticipants.Leave memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(keccak256("Leave(address account,uint64 version,uint64 deadline)"), m)
        );
    }

    function _hash(IParticipants.SetStatus memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "SetStatus(address account,uint8 status,bytes32 reasonDigest,uint64 version,address decider,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IRights.Register memory m) internal pure returns (bytes32) {
        bytes memory head = abi.encode(
            keccak256(
                "Register(bytes32 assetId,address holder,bytes32 manifestDigest,bytes32 ciphertextRoot,bytes32 claimDigest,uint8 level,uint64 epsilonBudget,address[] shareHolders,uint16[] shareBps,uint64 deadline)"
            ),
            m.assetId,
            m.holder,
            m.manifestDigest,
            m.ciphertextRoot,
            m.claimDigest
        );
        return keccak256(
            bytes.concat(
                head, abi.encode(m.level, m.epsilonBudget, _words(m.shareHolders), _words(m.shareBps), m.deadline)
            )
        );
    }

    function _hash(IRights.Confirm memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Confirm(bytes32 assetId,bytes32 claimDigest,bytes32 certificateDigest,bytes32 code,uint8 rights,uint64 validUntil,address registrar,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(ITitles.Transfer memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(keccak256("Transfer(bytes32 titleId,address from,address to,uint64 version,uint64 deadline)"), m)
        );
    }

    function _hash(IRights.TransferShare memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "TransferShare(bytes32 assetId,address from,address to,uint16 bps,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IRights.PledgeShare memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "PledgeShare(bytes32 assetId,address holder,address pledgee,uint16 bps,bytes32 debtDigest,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IRights.ReleaseShare memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "ReleaseShare(bytes32 assetId,address holder,address pledgee,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IRights.EnforceShare memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "EnforceShare(bytes32 assetId,address holder,bytes32 rulingDigest,address registrar,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IRights.EncumberShare memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "EncumberShare(bytes32 assetId,address holder,uint8 marks,bytes32 orderDigest,address registrar,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IRights.Mark memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Mark(bytes32 assetId,uint8 status,bytes32 reasonDigest,address registrar,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IRegistrations.File memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "File(bytes32 caseId,bytes32 assetId,uint8 kind,uint8 procedure,address applicant,address counterparty,bytes32 formDigest,bytes32 nonPublicationDigest,bytes32 depositDigest,bytes32 rulebookDigest,uint64 statedAt,uint64 dueAt,uint64 decideBy,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IRegistrations.Act memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Act(bytes32 caseId,uint8 step,bytes32 evidenceDigest,uint64 statedAt,uint64 dueAt,uint64 decideBy,address actor,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IRegistrations.Decide memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Decide(bytes32 caseId,uint8 step,bytes32 evidenceDigest,uint64 statedAt,uint64 dueAt,uint64 decideBy,address actor,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IRegistrations.Adopt memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Adopt(bytes32 rulebookDigest,bytes32 entryBounds,bytes32 besideBounds,bytes32 termBounds,bytes32 previousDigest,address exchange,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(ITitles.Grant memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Grant(bytes32 titleId,bytes32 parent,uint8 kind,address grantor,address grantee,uint32 purposes,bytes32 fields,uint48 territories,uint64 validFrom,uint64 validUntil,uint8 marks,bytes32 termsDigest,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(ITitles.Encumber memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Encumber(bytes32 titleId,uint8 marks,bytes32 orderDigest,address registrar,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(ITitles.Pledge memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Pledge(bytes32 titleId,address holder,address pledgee,bytes32 debtDigest,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(ITitles.ReleasePledge memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "ReleasePledge(bytes32 titleId,address pledgee,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(ITitles.Permit memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Permit(bytes32 titleId,bytes32 act,address pledgee,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(ITitles.Enforce memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Enforce(bytes32 titleId,bytes32 rulingDigest,address registrar,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(ITitles.Surrender memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Surrender(bytes32 titleId,address holder,bytes32 reasonDigest,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(ITitles.RevokeTitle memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "RevokeTitle(bytes32 titleId,address registrar,bytes32 reasonDigest,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IListings.List memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "List(bytes32 listingId,bytes32 assetId,bytes32 titleId,address seller,bytes32 termsDigest,uint32 purposes,bytes32 fields,uint48 territories,uint96 price,uint16 currency,uint64 validUntil,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IListings.Delist memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(keccak256("Delist(bytes32 listingId,address seller,uint64 version,uint64 deadline)"), m)
        );
    }

    function _hash(IAgreements.Agree memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Agree(bytes32 agreementId,address partyA,address partyB,bytes32 agreementDigest,uint64 validUntil,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IAgreements.AmendAgreement memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "AmendAgreement(bytes32 previousId,bytes32 agreementId,address partyA,address partyB,bytes32 agreementDigest,uint64 validUntil,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IAgreements.RetireAgreement memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("RetireAgreement(bytes32 agreementId,address partyA,address partyB,uint64 deadline)"), m
            )
        );
    }

    function _hash(ISettlementToken.Redeem memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Redeem(bytes32 redemptionId,address account,uint96 amount,uint16 currency,bytes32 payoutDigest,address bank,uint64 payBy,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(ISettlementToken.PayRedemption memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("PayRedemption(bytes32 redemptionId,uint16 currency,bytes32 ref,address bank,uint64 deadline)"), m
            )
        );
    }

    function _hash(ISettlementToken.RejectRedemption memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("RejectRedemption(bytes32 redemptionId,uint16 currency,bytes32 reasonDigest,address bank,uint64 deadline)"), m
            )
        );
    }

    function _hash(ISettlementToken.Issue memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(keccak256("Issue(address account,uint256 amount,uint16 currency,bytes32 ref,address bank,uint64 deadline)"), m)
        );
    }

    function _hash(IOrders.Fund memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Fund(bytes32 orderId,bytes32 listingId,address buyer,uint96 escrow,uint16 currency,uint64 epsilonCap,uint64 validUntil,bytes32 agreementDigest,bytes32 agreementId,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IOrders.Voucher memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("Voucher(bytes32 orderId,uint96 amount,uint64 epsilon,uint32 calls,bytes32 callsRoot)"), m
            )
        );
    }

    function _hash(IOrders.Close memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(keccak256("Close(bytes32 orderId,bytes32 voucherHash,address seller,uint64 deadline)"), m)
        );
    }

    function _hash(IOrders.Clear memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("Clear(bytes32 orderId,bytes32 voucherHash,bytes32 batchId,address seller,uint64 deadline)"),
                m
            )
        );
    }

    function _hash(IOrders.Claim memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(keccak256("Claim(bytes32 orderId,bytes32 voucherHash,address by,uint64 deadline)"), m)
        );
    }

    function _hash(IClearing.OpenBatch memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("OpenBatch(bytes32 batchId,address exchange,uint48 number,uint16 currency,uint64 closeBy,uint64 deadline)"), m
            )
        );
    }

    function _hash(IClearing.Owe memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Owe(bytes32 debtId,bytes32 batchId,address debtor,address creditor,uint64 amount,uint16 currency,bytes32 ref,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IClearing.CloseBatch memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("CloseBatch(bytes32 batchId,uint32 legs,uint64 payBy,address exchange,uint64 deadline)"), m
            )
        );
    }

    function _hash(IClearing.ConfirmBatch memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("ConfirmBatch(bytes32 batchId,bytes32 payoutsDigest,address exchange,uint64 deadline)"), m
            )
        );
    }

    function _hash(ILineage.DeclareLineage memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "DeclareLineage(bytes32 assetId,address holder,bytes32[] inputs,bytes32[] titles,uint16[] bps,bytes32 agreementDigest,uint64 deadline)"
                ),
                m.assetId,
                m.holder,
                keccak256(abi.encodePacked(m.inputs)),
                keccak256(abi.encodePacked(m.titles)),
                _words(m.bps),
                m.agreementDigest,
                m.deadline
            )
        );
    }

    function _hash(ILineage.GiveConsent memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "GiveConsent(bytes32 assetId,bytes32 inputId,bytes32 titleId,address holder,uint16 bps,uint64 validUntil,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(ILineage.WithdrawConsent memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "WithdrawConsent(bytes32 assetId,bytes32 inputId,address holder,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IDeliveries.OfferDelivery memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "OfferDelivery(bytes32 listingId,address seller,uint96 amount,uint32 deliverWithin,uint32 inspection,uint32 correction,uint8 corrections,uint8 marks,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IDeliveries.Arrange memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Arrange(bytes32 orderId,bytes32 receiveKey,address buyer,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IDeliveries.Deliver memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Deliver(bytes32 orderId,address seller,uint8 round,bytes32 ciphertextDigest,bytes32 fingerprintId,bytes32 plaintextCommitment,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IDeliveries.Acknowledge memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Acknowledge(bytes32 orderId,bytes32 noteHash,address buyer,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IDeliveries.AcceptDelivery memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "AcceptDelivery(bytes32 orderId,bytes32 noteHash,address buyer,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IDeliveries.ObjectToDelivery memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "ObjectToDelivery(bytes32 orderId,bytes32 noteHash,bytes32 defectsDigest,address buyer,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IEvidence.Anchor memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("Anchor(uint48 size,bytes32 root,bytes32 previousRoot,address exchange,uint64 deadline)"), m
            )
        );
    }

    function _hash(IKeys.AddKey memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "AddKey(address account,address key,uint32 acts,uint64 limit,uint64 validUntil,bytes32 personDigest,address by,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IKeys.EndKey memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "EndKey(address account,address key,bytes32 reasonDigest,address by,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IKeys.RotateKey memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "RotateKey(address account,address oldKey,address newKey,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IKeys.Recover memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Recover(address account,address newKey,bytes32 reasonDigest,address by,uint64 version,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IKeys.Veto memory m) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Veto(bytes32 recoveryId,address account,address by,uint64 deadline)"
                ),
                m
            )
        );
    }

    function _hash(IKeys.SetGuardians memory m) internal pure returns (bytes32) {
        bytes32 kind = keccak256(
            "SetGuardians(address account,address[] guardians,uint8 threshold,uint64 delay,address by,uint64 version,uint64 deadline)"
        );
        return keccak256(
            abi.encode(kind, m.account, _words(m.guardians), m.threshold, m.delay, m.by, m.version, m.deadline)
        );
    }

    function _words(address[] memory values) private pure returns (bytes32) {
        bytes memory all;
        for (uint256 i = 0; i < values.length; ++i) {
            all = bytes.concat(all, bytes32(uint256(uint160(values[i]))));
        }
        return keccak256(all);
    }

    function _words(uint16[] memory values) private pure returns (bytes32) {
        bytes memory all;
        for (uint256 i = 0; i < values.length; ++i) {
            all = bytes.concat(all, bytes32(uint256(values[i])));
        }
        return keccak256(all);
    }
}
