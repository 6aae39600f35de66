// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRegistrations} from "./interfaces/IRegistrations.sol";

/// @title Procedures
/// @notice The state tables of registration; the same as `marketplace.registrations.tables_of` in Python, compared by a test.
library Procedures {
    /// @notice Where `step` leads from `state`; None where the table has no such step.
    function next(IRegistrations.Procedure procedure, IRegistrations.State state, IRegistrations.Step step)
        internal
        pure
        returns (IRegistrations.State)
    {
        if (state == IRegistrations.State.None) return IRegistrations.State.None;
        if (step == IRegistrations.Step.Withdraw) {
            return _canWithdraw(procedure, state) ? IRegistrations.State.Withdrawn : IRegistrations.State.None;
        }
        if (procedure == IRegistrations.Procedure.Revocation) return _ofRevocation(state, step);
        bool ordinary = procedure == IRegistrations.Procedure.Ordinary;
        if (state == IRegistrations.State.Draft) {
            bool joins = ordinary && step == IRegistrations.Step.Join;
            return joins ? IRegistrations.State.Submitted : IRegistrations.State.None;
        }
        if (state == IRegistrations.State.CorrectionRequested) {
            if (step == IRegistrations.Step.Resubmit) return IRegistrations.State.Submitted;
            if (step == IRegistrations.Step.DeemNotFiled) return IRegistrations.State.DeemedNotFiled;
            return IRegistrations.State.None;
        }
        if (state == IRegistrations.State.Submitted) return _afterSubmission(ordinary, step);
        if (procedure == IRegistrations.Procedure.LateObjection) return _ofLateObjection(state, step);
        if (state == IRegistrations.State.UnderReview) return _afterReview(ordinary, step);
        return _afterNotice(state, step);
    }

    /// @notice Whether the procedure takes this kind. The measures for public data know no transfer, and the guide no
    /// correction: there a mistake is put right by a change.
    function has(uint8 procedure, uint8 kind) internal pure returns (bool) {
        if (procedure == uint8(IRegistrations.Procedure.LateObjection)) {
            return kind == uint8(IRegistrations.Kind.LateObjection);
        }
        if (procedure == uint8(IRegistrations.Procedure.Revocation)) {
            return kind == uint8(IRegistrations.Kind.Revocation);
        }
        bool ordinary = procedure == uint8(IRegistrations.Procedure.Ordinary);
        if (!ordinary && procedure != uint8(IRegistrations.Procedure.PublicData)) return false;
        if (kind == uint8(IRegistrations.Kind.Transfer)) return ordinary;
        if (kind == uint8(IRegistrations.Kind.Correction)) return !ordinary;
        return kind >= uint8(IRegistrations.Kind.First) && kind <= uint8(IRegistrations.Kind.Cancellation);
    }

    /// @notice Whether cases of this procedure run beside the asset's others: nobody can keep them out by a case of
    /// one's own.
    function runsBeside(uint8 procedure) internal pure returns (bool) {
        return procedure > uint8(IRegistrations.Procedure.PublicData);
    }

    /// @notice Whether a kind may do without public notice although nobody asked: what corrects or ends an entry.
    function mayWaive(uint8 kind) internal pure returns (bool) {
        return kind == uint8(IRegistrations.Kind.Correction) || kind == uint8(IRegistrations.Kind.Cancellation);
    }

    /// @notice Whether nothing can happen in the case any more.
    function isOver(IRegistrations.State state) internal pure returns (bool) {
        return state > IRegistrations.State.Deposited && state != IRegistrations.State.Disputed;
    }

    function isRegistrars(IRegistrations.Step step) internal pure returns (bool) {
        return step == IRegistrations.Step.Accept || step == IRegistrations.Step.RequestCorrection
            || step == IRegistrations.Step.RequestSupplement || step == IRegistrations.Step.Extend
            || step == IRegistrations.Step.Refuse || step == IRegistrations.Step.Terminate
            || step == IRegistrations.Step.OpenNotice || step == IRegistrations.Step.WaiveNotice
            || step == IRegistrations.Step.Uphold || step == IRegistrations.Step.Reject
            || step == IRegistrations.Step.Deposit || step == IRegistrations.Step.MarkDisputed
            || step == IRegistrations.Step.End;
    }

    /// @notice Whether the step has to come within the open period. Where silence accepts, nobody can accept after it.
    function isWithin(IRegistrations.Procedure procedure, IRegistrations.Step step) internal pure returns (bool) {
        return procedure == IRegistrations.Procedure.Ordinary
            && (step == IRegistrations.Step.Accept || step == IRegistrations.Step.RequestCorrection)
            || step == IRegistrations.Step.Resubmit || step == IRegistrations.Step.Supplement
            || step == IRegistrations.Step.Object;
    }

    /// @notice Whether the step has to wait for the end of the open period.
    function isAfter(IRegistrations.State state, IRegistrations.Step step) internal pure returns (bool) {
        bool enters = step == IRegistrations.Step.Deposit || step == IRegistrations.Step.End;
        return state == IRegistrations.State.PublicNotice && enters
            || state == IRegistrations.State.SupplementRequested && step == IRegistrations.Step.Terminate;
    }

    /// @notice Whether the step opens a period, whose end it has to state.
    function opens(IRegistrations.Procedure procedure, IRegistrations.Step step) internal pure returns (bool) {
        if (step == IRegistrations.Step.Reject) return procedure < IRegistrations.Procedure.LateObjection;
        return step == IRegistrations.Step.Join || step == IRegistrations.Step.Resubmit
            || step == IRegistrations.Step.RequestCorrection || step == IRegistrations.Step.RequestSupplement
            || step == IRegistrations.Step.OpenNotice || step == IRegistrations.Step.Object
            || step == IRegistrations.Step.Deposit;
    }

    /// @dev Where the applicant may still take the application back.
    function _canWithdraw(IRegistrations.Procedure procedure, IRegistrations.State state) private pure returns (bool) {
        if (procedure == IRegistrations.Procedure.LateObjection) {
            return state == IRegistrations.State.Submitted || state == IRegistrations.State.CorrectionRequested
                || state == IRegistrations.State.UnderReview || state == IRegistrations.State.Disputed;
        }
        if (procedure == IRegistrations.Procedure.Revocation) {
            return state == IRegistrations.State.Submitted || state == IRegistrations.State.UnderReview;
        }
        if (state == IRegistrations.State.Draft) return procedure == IRegistrations.Procedure.Ordinary;
        return state > IRegistrations.State.Draft && state <= IRegistrations.State.Cleared;
    }

    function _afterSubmission(bool ordinary, IRegistrations.Step step) private pure returns (IRegistrations.State) {
        if (step == IRegistrations.Step.Accept) return IRegistrations.State.UnderReview;
        if (step == IRegistrations.Step.RequestCorrection) return IRegistrations.State.CorrectionRequested;
        if (step == IRegistrations.Step.AcceptBySilence && ordinary) return IRegistrations.State.UnderReview;
        return IRegistrations.State.None;
    }

    function _afterReview(bool ordinary, IRegistrations.Step step) private pure returns (IRegistrations.State) {
        if (step == IRegistrations.Step.RequestSupplement) return IRegistrations.State.SupplementRequested;
        if (step == IRegistrations.Step.Extend && ordinary) return IRegistrations.State.UnderReview;
        if (step == IRegistrations.Step.Refuse) return IRegistrations.State.Refused;
        if (step == IRegistrations.Step.Terminate) return IRegistrations.State.Terminated;
        if (step == IRegistrations.Step.OpenNotice) return IRegistrations.State.PublicNotice;
        if (step == IRegistrations.Step.WaiveNotice) return IRegistrations.State.Cleared;
        return IRegistrations.State.None;
    }

    function _afterNotice(IRegistrations.State state, IRegistrations.Step step)
        private
        pure
        returns (IRegistrations.State)
    {
        if (state == IRegistrations.State.SupplementRequested) {
            if (step == IRegistrations.Step.Supplement) return IRegistrations.State.UnderReview;
            if (step == IRegistrations.Step.Terminate) return IRegistrations.State.Terminated;
        }
        if (state == IRegistrations.State.PublicNotice) {
            if (step == IRegistrations.Step.Object) return IRegistrations.State.ObjectionPending;
            if (step == IRegistrations.Step.Deposit) return IRegistrations.State.Deposited;
            if (step == IRegistrations.Step.End) return IRegistrations.State.Ended;
        }
        if (state == IRegistrations.State.ObjectionPending) {
            if (step == IRegistrations.Step.Reply) return state;
            if (step == IRegistrations.Step.Uphold) return IRegistrations.State.Refused;
            if (step == IRegistrations.Step.Reject) return IRegistrations.State.PublicNotice;
        }
        if (state == IRegistrations.State.Cleared) {
            if (step == IRegistrations.Step.Deposit) return IRegistrations.State.Deposited;
            if (step == IRegistrations.Step.End) return IRegistrations.State.Ended;
        }
        if (state == IRegistrations.State.Deposited) {
            if (step == IRegistrations.Step.Certify) return IRegistrations.State.Certified;
            if (step == IRegistrations.Step.Terminate) return IRegistrations.State.Terminated;
        }
        return IRegistrations.State.None;
    }

    /// @dev The holder is heard, or has been silent for as long as it was given, before anything is decided.
    function _ofRevocation(IRegistrations.State state, IRegistrations.Step step)
        private
        pure
        returns (IRegistrations.State)
    {
        bool reviewed = state == IRegistrations.State.UnderReview;
        if (!reviewed && state != IRegistrations.State.Submitted) return IRegistrations.State.None;
        if (step == IRegistrations.Step.Reply) return IRegistrations.State.UnderReview;
        if (!reviewed) {
            bool silent = step == IRegistrations.Step.AcceptBySilence;
            return silent ? IRegistrations.State.UnderReview : IRegistrations.State.None;
        }
        if (step == IRegistrations.Step.End) return IRegistrations.State.Ended;
        return step == IRegistrations.Step.Reject ? IRegistrations.State.Dismissed : IRegistrations.State.None;
    }

    function _ofLateObjection(IRegistrations.State state, IRegistrations.Step step)
        private
        pure
        returns (IRegistrations.State)
    {
        bool open = state == IRegistrations.State.UnderReview || state == IRegistrations.State.Disputed;
        if (!open) return IRegistrations.State.None;
        if (step == IRegistrations.Step.Reply) return state;
        if (step == IRegistrations.Step.Uphold) return IRegistrations.State.Upheld;
        if (step == IRegistrations.Step.Reject) return IRegistrations.State.Dismissed;
        if (step == IRegistrations.Step.MarkDisputed && state == IRegistrations.State.UnderReview) {
            return IRegistrations.State.Disputed;
        }
        return IRegistrations.State.None;
    }
}
