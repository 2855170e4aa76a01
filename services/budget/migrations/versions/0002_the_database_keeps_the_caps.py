"""The database keeps the caps: postings, balances, immutable rows, locked versions.

Money moves by inserting a decision, a contract, a distribution or a payment. A trigger posts each to `entry`, the
posting moves the balances, and the CHECKs on the balances refuse what passes a cap. A row that is updated is locked
until commit, so two at once cannot both fit into the same rest.
"""

from alembic import op

revision = "budget_0002"
down_revision = "budget_0001"
branch_labels = None
depends_on = None

REFUSE = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is not allowed: what was posted stays', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_TABLE_NAME || '_stays', TABLE = TG_TABLE_NAME;
END $$
"""
POSTED = ("entry", "ceiling_decision", "distribution", "payment")

GUARDS = """
CREATE FUNCTION ceiling_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.amount := 0; NEW.committed_amount := 0; NEW.distributed_amount := 0; NEW.paid_amount := 0;
    ELSIF pg_trigger_depth() < 2 AND
        (NEW.amount, NEW.committed_amount, NEW.distributed_amount, NEW.paid_amount, NEW.plan_id, NEW.fiscal_year)
        IS DISTINCT FROM
        (OLD.amount, OLD.committed_amount, OLD.distributed_amount, OLD.paid_amount, OLD.plan_id, OLD.fiscal_year)
    THEN
        RAISE EXCEPTION 'balances of a ceiling move by postings only'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'ceiling_by_postings';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION contract_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.paid_amount := 0;
    ELSIF NEW.ceiling_id <> OLD.ceiling_id OR NEW.plan_id <> OLD.plan_id
        OR (pg_trigger_depth() < 2 AND NEW.paid_amount <> OLD.paid_amount)
    THEN
        RAISE EXCEPTION 'ceiling and balances of a contract move by postings only'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'contract_by_postings';
    END IF;
    -- A contract that ended binds no more than what was paid under it.
    NEW.committed_amount := CASE WHEN NEW.status IN ('draft', 'signed', 'handed_over')
        THEN NEW.value_amount ELSE NEW.paid_amount END;
    RETURN NEW;
END $$;

CREATE FUNCTION term_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.paid_amount := 0;
    ELSIF pg_trigger_depth() < 2 AND NEW.paid_amount <> OLD.paid_amount THEN
        RAISE EXCEPTION 'the balance of a term moves by postings only'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'term_by_postings';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'an entry is posted by what it stands for, never by itself'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'entry_by_source';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON ceiling FOR EACH ROW EXECUTE FUNCTION ceiling_guard();
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON contract FOR EACH ROW EXECUTE FUNCTION contract_guard();
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON term FOR EACH ROW EXECUTE FUNCTION term_guard();
CREATE TRIGGER guard BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION entry_guard()
"""

POSTINGS = """
CREATE FUNCTION entry_moves_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind = 'ceiling' THEN
        UPDATE ceiling SET amount = amount + NEW.amount WHERE id = NEW.ceiling_id;
    ELSIF NEW.kind = 'commitment' THEN
        UPDATE ceiling SET committed_amount = committed_amount + NEW.amount WHERE id = NEW.ceiling_id;
    ELSIF NEW.kind = 'distribution' THEN
        UPDATE ceiling SET distributed_amount = distributed_amount + NEW.amount WHERE id = NEW.ceiling_id;
    ELSIF NEW.kind = 'payment' THEN
        UPDATE ceiling SET paid_amount = paid_amount + NEW.amount WHERE id = NEW.ceiling_id;
        UPDATE contract SET paid_amount = paid_amount + NEW.amount WHERE id = NEW.contract_id;
        UPDATE term SET paid_amount = paid_amount + NEW.amount WHERE id = NEW.term_id;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION ceiling_decision_posts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.amount IS DISTINCT FROM
        (SELECT sum((a ->> 'amount')::bigint) FROM jsonb_array_elements(NEW.accounts) a)
    THEN
        RAISE EXCEPTION 'the accounts of a decision do not sum to its amount'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_ceiling_decision_accounts';
    END IF;
    INSERT INTO entry (kind, ceiling_id, account_code, amount, source_id)
        SELECT 'ceiling', NEW.ceiling_id, a ->> 'account_code', (a ->> 'amount')::bigint, NEW.id
        FROM jsonb_array_elements(NEW.accounts) a WHERE (a ->> 'amount')::bigint <> 0;
    RETURN NULL;
END $$;

CREATE FUNCTION contract_posts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change bigint := NEW.committed_amount;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        change := change - OLD.committed_amount;
    END IF;
    IF change <> 0 THEN
        INSERT INTO entry (kind, ceiling_id, contract_id, account_code, amount, source_id)
            VALUES ('commitment', NEW.ceiling_id, NEW.id, NEW.account_code, change, NEW.id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION distribution_posts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO entry (kind, ceiling_id, contract_id, account_code, amount, source_id)
        VALUES ('distribution', NEW.ceiling_id, NEW.contract_id, NEW.account_code, NEW.amount, NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION payment_posts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_contract contract%ROWTYPE;
BEGIN
    SELECT contract.* INTO of_contract FROM contract JOIN term ON term.contract_id = contract.id
        WHERE contract.id = NEW.contract_id AND term.id = NEW.term_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the term is of another contract'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_payment_term';
    END IF;
    INSERT INTO entry (kind, ceiling_id, contract_id, term_id, account_code, amount, source_id)
        VALUES ('payment', of_contract.ceiling_id, NEW.contract_id, NEW.term_id, NEW.account_code, NEW.amount, NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER moves_balances AFTER INSERT ON entry FOR EACH ROW EXECUTE FUNCTION entry_moves_balances();
CREATE TRIGGER posts AFTER INSERT ON ceiling_decision FOR EACH ROW EXECUTE FUNCTION ceiling_decision_posts();
CREATE TRIGGER posts AFTER INSERT OR UPDATE ON contract FOR EACH ROW EXECUTE FUNCTION contract_posts();
CREATE TRIGGER posts AFTER INSERT ON distribution FOR EACH ROW EXECUTE FUNCTION distribution_posts();
CREATE TRIGGER posts AFTER INSERT ON payment FOR EACH ROW EXECUTE FUNCTION payment_posts()
"""

TERMS = """
CREATE FUNCTION terms_sum_to_value() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted uuid;
BEGIN
    IF TG_TABLE_NAME = 'contract' THEN
        wanted := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN
        wanted := OLD.contract_id;
    ELSE
        wanted := NEW.contract_id;
    END IF;
    IF (SELECT value_amount FROM contract WHERE id = wanted) IS DISTINCT FROM
        (SELECT sum(amount) FROM term WHERE contract_id = wanted)
    THEN
        RAISE EXCEPTION 'the terms of contract % do not sum to its value', wanted
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_contract_terms';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER terms_sum_to_value AFTER INSERT OR UPDATE OF value_amount ON contract
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION terms_sum_to_value();
CREATE CONSTRAINT TRIGGER terms_sum_to_value AFTER INSERT OR UPDATE OF amount, contract_id OR DELETE ON term
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION terms_sum_to_value()
"""

LOCKED = """
CREATE FUNCTION plan_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.locked_at IS NOT NULL THEN
        RAISE EXCEPTION 'a locked version of a budget plan stays'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'plan_version_locked';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NEW.locked_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM plan_line WHERE version_id = NEW.id
        HAVING sum(amount) = NEW.subtotal_amount
            AND coalesce(sum(amount) FILTER (WHERE taxable), 0) = NEW.tax_base_amount)
    THEN
        RAISE EXCEPTION 'the totals of a version are not those of its lines'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_plan_version_lines';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION plan_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.version_id ELSE NEW.version_id END;
    at timestamptz;
BEGIN
    -- FOR SHARE waits for whoever is locking the version just now.
    SELECT locked_at INTO at FROM plan_version WHERE id = wanted FOR SHARE;
    IF at IS NOT NULL OR (TG_OP = 'UPDATE' AND NEW.version_id <> OLD.version_id) THEN
        RAISE EXCEPTION 'the lines of a locked version stay'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'plan_line_locked';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON plan_version FOR EACH ROW EXECUTE FUNCTION plan_version_guard();
CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON plan_line FOR EACH ROW EXECUTE FUNCTION plan_line_guard()
"""


def upgrade() -> None:
    op.execute(REFUSE)
    for table in POSTED:
        op.execute(
            f"CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
        )
        op.execute(
            f"CREATE TRIGGER stays_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
        )
    for text in (GUARDS, POSTINGS, TERMS, LOCKED):
        op.execute(text)
