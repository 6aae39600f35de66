"""Which rules take their bounds, clocks, lists or forms from a rulebook; all others are the market's own.

A refusal by such a rule cites that rulebook with its version, so that its reader finds the number and its legal source
(`marketplace rulebooks show`); any other cites `errors.RULES_VERSION`. Which version governs is known where the refusal
meets the case or the plan: registrations/governing.py for what the ledger refuses, each place itself elsewhere.
"""

from collections.abc import Mapping
from enum import StrEnum


class Source(StrEnum):
    """A kind of rulebook."""

    REGISTRATION = "registration"  # marketplace/rulebooks: a case's own, else the one in force
    PRICING = "pricing"  # marketplace/pricing/rulebooks: the plan's own
    TITLES = "titles"  # marketplace/documents: names of rights, sources, purposes, territories


SOURCES: Mapping[str, Source] = {
    **dict.fromkeys(
        (
            "participants.exit_after_its_notice",
            "registrations.a_rulebook_keeps_its_bounds",
            "registrations.after_the_period",
            "registrations.bounds_follow_from_the_rulebook",
            "registrations.code_capacity",
            "registrations.code_scheme",
            "registrations.dates_follow_each_other",
            "registrations.dates_of_the_rulebook",
            "registrations.forms",
            "registrations.kinds_of_the_procedure",
            "registrations.no_period_shorter_than_the_rulebook",
            "registrations.notice_unless_asked_otherwise",
            "registrations.public_data_deposited_first",
            "registrations.renewal_window",
            "registrations.rulebook_in_force",
            "registrations.validity_of_the_deposit",
            "registrations.within_the_period",
        ),
        Source.REGISTRATION,
    ),
    "pricing.max_permitted_revenue": Source.PRICING,
    "pricing.plan_fits_rulebook": Source.PRICING,
    **dict.fromkeys(
        ("lineage.fits_the_source", "rights.names_of_rights", "rights.titles_by_source", "titles.names_of_scopes"),
        Source.TITLES,
    ),
}
"""Rule to the rulebook that it reads."""
