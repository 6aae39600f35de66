"""Step 9, who takes part: identity profiles, and what is personal and may be left out of a bundle, counted.

A ledger shows an account's roles and its profile's digest, not whether a natural person is behind it. So a profile may
be missing where the roles are ones that a natural person can have, and only there; see decision 0062.
"""

from marketplace.auditor.documents.store import Documents
from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Row, Tables
from marketplace.errors import RuleError
from marketplace.participants.membership import require_signed
from marketplace.types import ZERO_DIGEST, ParticipantStatus, Role

_ADMITTED = (
    *(ParticipantStatus.ACTIVE, ParticipantStatus.SUSPENDED, ParticipantStatus.EXITING, ParticipantStatus.EXITED),
    ParticipantStatus.EXPELLED,
)
#: whoever has one of these roles is an organisation, and has no privacy to keep from an auditor
INSTITUTIONS = (
    *(Role.REGISTRAR, Role.BANK, Role.EXCHANGE, Role.REGULATOR),
    *(Role.AUTHORITY, Role.IMPLEMENTER, Role.OPERATOR),
)


def check_profiles(tables: Tables, documents: Documents, report: Report) -> None:
    """Organisations' profiles are there; whoever was admitted is who its profile says, in the roles that it says, and
    signed the participant agreement with its application.
    """
    # The first registrar, whom the deployment names, has none.
    named = [row for row in tables.rows["participants"].values() if row["identityDigest"] != ZERO_DIGEST]
    here = [row for row in named if documents.holds(row["identityDigest"]) or is_institution(row)]
    for row in here:
        _check_profile(row, documents, report)
    if len(here) < len(named):
        report.note("profiles_withheld", left=len(named) - len(here), total=len(named))


def check_payouts(tables: Tables, documents: Documents, report: Report) -> None:
    """Where redemptions were to be paid to: bank accounts, which a bundle may leave out."""
    rows = tables.rows["redemptions"].values()
    held = [row for row in rows if documents.holds(row["payoutDigest"])]
    for row in held:
        documents.get(row["payoutDigest"], "payout", f"redemption {row['redemptionId']}")
    if len(held) < len(rows):
        report.note("payouts_withheld", left=len(rows) - len(held), total=len(rows))


def is_institution(row: Row) -> bool:
    """Whether a participant's roles are ones that only an organisation can have."""
    return any(row["roles"] & role for role in INSTITUTIONS)


def _check_profile(row: Row, documents: Documents, report: Report) -> None:
    subject = f"participant {row['account']}"
    profile = documents.get(row["identityDigest"], "profile", subject)
    if profile is None or row["status"] not in _ADMITTED:
        return
    roles = [role.name for role in Role if role & row["roles"]]
    report.same("identity_differs", f"{subject} profile.account", row["account"], profile["account"])
    report.same("identity_differs", f"{subject} profile.roles", sorted(map(str, roles)), sorted(profile["roles"]))
    report.count("participant agreements")
    try:
        require_signed(profile)
    except RuleError as error:
        report.find("membership_unsigned", subject, expected=error.expected, got=error.got)
