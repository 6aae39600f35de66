"""An audit, from the first root of trust to the verdict. The function `audit` is its table of contents.

Nothing here speaks to a service or a database: bundle and roots of trust go in, a report comes out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.auditor.bundle import Bundle
from marketplace.auditor.documents.agreements import check_agreements
from marketplace.auditor.documents.contents import (
    PROFILE,
    check_ledger_documents,
    check_names,
    check_registrations_of_certificates,
)
from marketplace.auditor.documents.deliveries import check_deliveries
from marketplace.auditor.documents.filings import check_filings
from marketplace.auditor.documents.fundings import check_fundings
from marketplace.auditor.documents.listings import check_listings
from marketplace.auditor.documents.profiles import check_payouts, check_profiles
from marketplace.auditor.documents.registered import check_registered
from marketplace.auditor.documents.statuses import check_status_lists
from marketplace.auditor.documents.store import Documents, check_blobs
from marketplace.auditor.findings import Report
from marketplace.auditor.ledger.chain import Block, check_seen, read_bodies, read_headers
from marketplace.auditor.ledger.clearing import check_batches
from marketplace.auditor.ledger.deployment import check_deployment
from marketplace.auditor.ledger.money import check_money
from marketplace.auditor.ledger.proceedings import Proceedings
from marketplace.auditor.ledger.profile import Roots, compare_with_genesis, compare_with_ledger, establish
from marketplace.auditor.ledger.replay import Replay
from marketplace.auditor.lines import document
from marketplace.auditor.log import LogReader, read_checkpoints
from marketplace.auditor.papers_in_hand import Paper, PapersInHand
from marketplace.auditor.readmodel.comparison import check_read_model
from marketplace.auditor.readmodel.rows import Placed, Tables
from marketplace.auditor.trust import Seen, Trust
from marketplace.auditor.usage.attestations import Attestations, verifiers
from marketplace.auditor.usage.queries import Queries
from marketplace.auditor.usage.reexecution import Reexecution, sample
from marketplace.deployment import Genesis

DEFAULT_SAMPLE = 8


def audit(
    bundle: Bundle,
    trust: Trust,
    *,
    reexecute: int | None = DEFAULT_SAMPLE,
    seen: Seen | None = None,
    processes: int = 1,
    papers: Sequence[Paper] = (),
) -> Report:
    """Verify everything that a bundle claims.

     1. Profile and roots of trust: chain id, contract addresses, first registrar and log key are the pinned ones; what
        nobody pinned is taken from the bundle, and the report says so.
     2. Header chain: every header hashes to its name, names its parent, has the next number and a later time.
     3. Transactions and receipts: each block's have the roots in its header; senders are recovered, their numbers have
        no gap, and whatever a receipt repeats is true.
     4. Deployed contracts: each was created by the published code, with arguments that name the other contracts.
     5. Signed intents, replayed by rule: each call's signatures are checked here, each call is run by the rules in
        Python, and what comes out is what the receipts say, refusals too, to the last field. Cases keep their
        rulebook's dates, notices and codes, and nobody decides its own matter.
     6. Read model: each row is what the derived events give, stands on exactly one event and one signed intent, and no
        row is missing, extra or changed.
     7. Conservation of money: issued - paid out = balances + escrow + locked; each closed order's escrow = fee + shares
        + refund.
     8. Evidence log: the leaves give every root that was signed or anchored; checkpoints are signed by the log's key.
     9. Documents and sealed blobs: each one that is named is there, hashes to its name and has its type's shape; of
        personal ones that were left out, the report says how many; manifests and claims say what was registered, forms
        what was filed and what their rulebook asks, papers of cases what their step asks;
        certificates verify; their status lists say what the ledger says at its last block; versions of a data set
        follow from one another; terms say what their listings say, and plans fit their rulebooks; agreements fit their
        forms, and orders keep within those that they cite, within terms and caps; data is delivered as its level
        allows.
    10. Queries: each released answer was asked, permitted, paid by a signed voucher, attested by enough of the panel
        and released by the vault; epsilon never exceeds cap or budget; metered = billed = settled.
    11. Re-execution: a sample of released answers, or all, computed again on the ciphertexts; and every query of which
        nodes signed two results, to name those that signed a false one.
    12. Verdict: papers in hand are compared with what the ledger gives; passed if and only if nothing was found.

    Args:
        bundle: the evidence.
        trust: the auditor's own roots of trust.
        reexecute: how many released answers to compute again in step 11; None for all.
        seen: checkpoints and blocks that the auditor saw before or elsewhere; they must be in the bundle (2, 8).
        processes: how many may verify the panel's signatures beside this one, if there are many.
        papers: statements, invoices and trade vouchers that somebody holds.
    """
    report, seen = Report(), seen or Seen()
    ledger = read_ledger(bundle, trust, seen, report)  # 1, 2, 3, 4
    if ledger is None:
        return report
    roots, blocks = ledger.roots, ledger.blocks
    tables, derived = _replay(bundle, blocks, ledger.genesis, roots, report)  # 5, 6, 7
    with report.step(6):
        compare_with_ledger(ledger.profile, blocks, tables, report)
    with verifiers(processes) as pool:
        queries = follow_log(
            bundle, tables, roots, seen, Attestations(report, pool), height=max(blocks, default=0), derived=derived
        )  # 8, 9, 10
    with report.step(11):  # 11
        chosen = sample(queries.released, reexecute)
        whole = len(chosen) == len(queries.released)
        note = "reexecution_whole" if whole else "reexecution_sampled"
        report.note(note, done=len(chosen), total=len(queries.released))
        again = Reexecution(bundle, report)
        for subject, leaf in chosen:
            if (answer := queries.answer(subject, leaf)) is not None:
                again.check(answer)
        for contested in queries.contests():
            again.judge(contested)
    if papers:
        read_again, key = Documents(bundle, Report()), roots.log.public
        records, vouchers = queries.calls.records, queries.voucher
        hand = PapersInHand(tables, derived, read_again, key, report, calls=records, vouchers=vouchers)
        for paper in papers:
            hand.check(paper)
        report.note("papers_compared", done=len(papers))
    return report  # 12


def derive(replay: Replay, report: Report) -> tuple[Tables, Proceedings]:
    """The rows that the derived events give, and what is to be said about the cases among them."""
    tables = Tables()
    proceedings = Proceedings(tables, report)
    for placed in replay.derived:
        proceedings.see(placed)
        tables.apply(placed)
    return tables, proceedings


@dataclass(frozen=True)
class Ledger:
    """What steps 1 to 4 leave: the ledger's blocks, and how it was founded."""

    profile: dict[str, Any]
    roots: Roots
    blocks: dict[int, Block]
    genesis: Genesis


def read_ledger(bundle: Bundle, trust: Trust, seen: Seen, report: Report) -> Ledger | None:
    """Steps 1 to 4; None, with findings and a note, where they leave nothing to replay."""
    with report.step(1):  # 1
        check_names(bundle, report)
        profile = document(bundle, PROFILE, report)
        roots = establish(profile, trust, report)
    if roots is None:
        report.note("audit_stopped", step=1)
        return None
    with report.step(2):  # 2
        blocks = read_headers(bundle, trust.genesis_hash, report)
        check_seen(blocks, seen.blocks, report)
    with report.step(3):  # 3
        read_bodies(bundle, blocks, roots.deployment.chain_id, report)
    with report.step(4):  # 4
        genesis = check_deployment(blocks, roots.deployment, report)
        if genesis is not None:
            compare_with_genesis(profile, trust, genesis, report)
    if genesis is None:
        report.note("audit_stopped", step=4)
        return None
    return Ledger(profile, roots, blocks, genesis)


def _replay(
    bundle: Bundle, blocks: dict[int, Block], genesis: Genesis, roots: Roots, report: Report
) -> tuple[Tables, list[Placed]]:
    with report.step(5):  # 5
        replay = Replay(genesis, roots.deployment, report)
        replay.run(blocks)
        tables, _ = derive(replay, report)
    with report.step(6):  # 6
        check_read_model(bundle, tables, report)
    with report.step(7):  # 7
        check_money(replay.stated, roots.deployment.addresses, report)
        check_batches(tables, report)
    return tables, replay.derived


def follow_log(
    bundle: Bundle,
    tables: Tables,
    roots: Roots,
    seen: Seen,
    attestations: Attestations,
    *,
    height: int,
    derived: Sequence[Placed],
) -> Queries:
    """Steps 8 to 10: the log, and the documents that it and the ledger name, beside what step 5 derived."""
    report = attestations.report
    documents = Documents(bundle, report)
    queries = Queries(tables, documents, roots.deployment, attestations, report, derived=derived)
    with report.step(8):  # 8
        log = LogReader(read_checkpoints(bundle, roots.log, report), report)
        log.expect_anchors(tables.rows["anchors"].values())
        log.expect(seen.checkpoints)
        for position, leaf in log.leaves(bundle):
            with report.step(10):  # 10, leaf by leaf; documents that a leaf names are step 9's
                queries.check_leaf(position, leaf)
    with report.step(9):  # 9
        check_registered(derived, documents, report)
        check_blobs(bundle, check_ledger_documents(tables, documents, report), report)
        check_registrations_of_certificates(tables, documents, report)
        check_profiles(tables, documents, report)
        check_payouts(tables, documents, report)
        check_filings(tables, documents, report)
        check_listings(tables, documents, report)
        check_agreements(tables, documents, report)
        check_fundings(tables, derived, documents, report)
        check_deliveries(tables, documents, report)
        check_status_lists(bundle, tables, documents, report, log_key=roots.log.public, height=height)
        documents.check_rest()
    with report.step(10):  # 10, totals and the panel's signatures
        queries.finish()
    return queries
