"""Registration cases, their acts, the register, and the codes of certificates.

Revision ID: 0015
Follows: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "certificate_codes",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
        sa.UniqueConstraint("code"),
    )
    with op.batch_alter_table("certificate_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_certificate_codes_month"), ["month"], unique=False)

    op.create_table(
        "register_entries",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("disputes", sa.Integer(), nullable=False),
        sa.Column("latest_case", sa.String(), nullable=False),
        sa.Column("certificate_digest", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("asset_id"),
        info={"read_model": True},
    )
    with op.batch_alter_table("register_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_register_entries_code"), ["code"], unique=False)
        batch_op.create_index(batch_op.f("ix_register_entries_holder"), ["holder"], unique=False)

    op.create_table(
        "registration_acts",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("evidence_digest", sa.String(), nullable=False),
        sa.Column("stated_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("decide_by", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "version"),
        info={"read_model": True},
    )
    with op.batch_alter_table("registration_acts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_registration_acts_actor"), ["actor"], unique=False)

    op.create_table(
        "registration_cases",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("applicant", sa.String(), nullable=False),
        sa.Column("counterparty", sa.String(), nullable=False),
        sa.Column("objector", sa.String(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("procedure", sa.Integer(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("form_digest", sa.String(), nullable=False),
        sa.Column("non_publication_digest", sa.String(), nullable=False),
        sa.Column("deposit_digest", sa.String(), nullable=False),
        sa.Column("rulebook_digest", sa.String(), nullable=False),
        sa.Column("filed_at", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("stated_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("decide_by", sa.BigInteger(), nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=False),
        sa.Column("notice_end", sa.BigInteger(), nullable=False),
        sa.Column("deposited_at", sa.BigInteger(), nullable=False),
        sa.Column("extended", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
        info={"read_model": True},
    )
    with op.batch_alter_table("registration_cases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_registration_cases_applicant"), ["applicant"], unique=False)
        batch_op.create_index(batch_op.f("ix_registration_cases_asset_id"), ["asset_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_registration_cases_state"), ["state"], unique=False)

    op.create_table(
        "rulebook_in_force",
        sa.Column("event_block", sa.BigInteger(), nullable=False),
        sa.Column("event_block_hash", sa.String(), nullable=False),
        sa.Column("event_log_index", sa.Integer(), nullable=False),
        sa.Column("event_intent", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("rulebook_digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
        info={"read_model": True},
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("rulebook_in_force")
    with op.batch_alter_table("registration_cases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_registration_cases_state"))
        batch_op.drop_index(batch_op.f("ix_registration_cases_asset_id"))
        batch_op.drop_index(batch_op.f("ix_registration_cases_applicant"))

    op.drop_table("registration_cases")
    with op.batch_alter_table("registration_acts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_registration_acts_actor"))

    op.drop_table("registration_acts")
    with op.batch_alter_table("register_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_register_entries_holder"))
        batch_op.drop_index(batch_op.f("ix_register_entries_code"))

    op.drop_table("register_entries")
    with op.batch_alter_table("certificate_codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_certificate_codes_month"))

    op.drop_table("certificate_codes")
