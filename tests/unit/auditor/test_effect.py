"""A certificate that says a registration took effect before its deposit, confirmed and on the ledger."""

from typing import Any

import pytest

from marketplace.auditor.verifier import audit
from tests import bundles
from tests.bundles import Maker
from tests.memory import MemoryBundle


@pytest.mark.parametrize(("seconds", "codes"), [(0, []), (1, ["certificate_before_deposit"])])
def test_a_certificate_from_before_the_deposit_is_named(
    seconds: int, codes: list[str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = bundles.certify

    def early(maker: Maker, acts: list[dict[str, Any]], until: int, **told: Any) -> str:
        return issue(maker, [acts[-1] | {"statedAt": acts[-1]["statedAt"] - seconds}], until, **told)

    def tell(maker: Maker) -> None:
        bundles.admit_all(maker)
        bundles.seal_data(maker)
        maker.budget = 1_000_000
        bundles.register(maker)
        maker.terms = bundles.first_terms(maker)

    monkeypatch.setattr(bundles, "certify", early)
    made = bundles.make_market(tmp_path_factory.mktemp("node"), tell)
    report = audit(MemoryBundle(made.files), made.trust, reexecute=0)
    assert report.counts[9]["certificates"] == 1
    assert [finding.code for finding in report.findings] == codes
