// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTest} from "./base/MarketTest.sol";
import {IRegistrations} from "../src/interfaces/IRegistrations.sol";
import {Roles} from "../src/Roles.sol";

contract RegistrationsTest is MarketTest {
    uint256 private constant COLLEAGUE = 0xE1;

    /// @dev Also not when somebody else has objected since.
    function test_refusesADecisionOfARegistrarWhoObjectedBefore() public {
        _admit(COLLEAGUE, Roles.REGISTRAR);
        bytes32 assetId = _registered("manifest");
        IRegistrations.File memory m = _fileOf(assetId, IRegistrations.Kind.First);
        registrations.file(m, _sign(SUPPLIER, address(registrations), _hash(m)));
        _send(_decideOf(m.caseId, IRegistrations.Step.Accept), REGISTRAR);
        _send(_decideOf(m.caseId, IRegistrations.Step.OpenNotice), REGISTRAR);
        _object(m.caseId, COLLEAGUE);
        _send(_decideOf(m.caseId, IRegistrations.Step.Reject), REGISTRAR);
        _object(m.caseId, BUYER);

        IRegistrations.Decide memory decision = _decideOf(m.caseId, IRegistrations.Step.Uphold);
        decision.actor = _at(COLLEAGUE);
        bytes memory signature = _sign(COLLEAGUE, address(registrations), _hash(decision));
        vm.expectRevert(
            abi.encodeWithSelector(IRegistrations.RegistrationsOwnMatter.selector, m.caseId, _at(COLLEAGUE))
        );
        registrations.decide(decision, signature);
        _send(_decideOf(m.caseId, IRegistrations.Step.Uphold), REGISTRAR);
    }

    function _object(bytes32 caseId, uint256 by) private {
        IRegistrations.Act memory m = _actOf(caseId, IRegistrations.Step.Object);
        m.actor = _at(by);
        registrations.act(m, _sign(by, address(registrations), _hash(m)));
    }
}
