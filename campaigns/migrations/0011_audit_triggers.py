"""Approvals, changes of state and what the shop says of itself are written into the audit log by PostgreSQL, whoever writes them."""

from django.db import migrations

CREATE = """
CREATE FUNCTION campaigns_audit_transition() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO customers_auditentry (actor_id, action, object_kind, object_id, details) VALUES (
        NEW.actor_id,
        'campaign_' || CASE WHEN NEW.from_status = 'paused' AND NEW.to_status = 'sending' THEN 'resumed' ELSE NEW.to_status END,
        'campaign', NEW.campaign_id::text, jsonb_build_object('from', NEW.from_status)
    );
    RETURN NULL;
END
$$;
CREATE FUNCTION campaigns_audit_approval() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO customers_auditentry (actor_id, action, object_kind, object_id, details) VALUES (
        CASE TG_OP WHEN 'INSERT' THEN NEW.approved_by_id ELSE nullif(current_setting('rekindle.actor', true), '')::bigint END,
        CASE TG_OP WHEN 'INSERT' THEN 'part_approved' ELSE 'approval_voided' END,
        'campaign', NEW.campaign_id::text, jsonb_build_object('part', NEW.part, 'hash', NEW.part_hash)
    );
    RETURN NULL;
END
$$;
CREATE FUNCTION campaigns_audit_revision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO customers_auditentry (actor_id, action, object_kind, object_id)
    VALUES (NEW.saved_by_id, TG_ARGV[0], TG_ARGV[1], NEW.number::text);
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION campaigns_audit_transition(), campaigns_audit_approval(), campaigns_audit_revision() FROM PUBLIC;
-- A row from a state to itself only says who worked on a draft; the edit has an entry of its own.
CREATE TRIGGER campaigns_transition_audited AFTER INSERT ON campaigns_campaigntransition
    FOR EACH ROW WHEN (NEW.from_status <> NEW.to_status) EXECUTE FUNCTION campaigns_audit_transition();
CREATE TRIGGER campaigns_approval_audited AFTER INSERT ON campaigns_approval
    FOR EACH ROW EXECUTE FUNCTION campaigns_audit_approval();
CREATE TRIGGER campaigns_approval_void_audited AFTER UPDATE OF voided_at ON campaigns_approval
    FOR EACH ROW WHEN (OLD.voided_at IS NULL AND NEW.voided_at IS NOT NULL) EXECUTE FUNCTION campaigns_audit_approval();
CREATE TRIGGER campaigns_brandvoice_audited AFTER INSERT ON campaigns_brandvoice
    FOR EACH ROW EXECUTE FUNCTION campaigns_audit_revision('voice_saved', 'voice');
CREATE TRIGGER campaigns_shoppolicies_audited AFTER INSERT ON campaigns_shoppolicies
    FOR EACH ROW EXECUTE FUNCTION campaigns_audit_revision('policies_saved', 'policies');
"""
DROP = """
DROP TRIGGER campaigns_shoppolicies_audited ON campaigns_shoppolicies;
DROP TRIGGER campaigns_brandvoice_audited ON campaigns_brandvoice;
DROP TRIGGER campaigns_approval_void_audited ON campaigns_approval;
DROP TRIGGER campaigns_approval_audited ON campaigns_approval;
DROP TRIGGER campaigns_transition_audited ON campaigns_campaigntransition;
DROP FUNCTION campaigns_audit_revision();
DROP FUNCTION campaigns_audit_approval();
DROP FUNCTION campaigns_audit_transition();
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0010_what_comes_back"), ("customers", "0010_audit")]

    operations = [migrations.RunSQL(CREATE, DROP)]
