"""Whatever goes wrong while drafting, the database keeps it to campaigns that are drafts: no text that was approved is written over.

`stands_on`, by which a message is held back where a fact is no longer true, is no part of the approved hash.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION campaigns_refuse_draft_elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM campaigns_archetype a JOIN campaigns_campaign c ON c.id = a.campaign_id
        WHERE a.id IN (NEW.archetype_id, CASE TG_OP WHEN 'UPDATE' THEN OLD.archetype_id END) AND c.status <> 'draft'
    ) THEN
        RAISE EXCEPTION 'text % may not be drafted: its campaign is no draft', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'variant_drafted_in_drafts_only';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER campaigns_variant_drafted_in_drafts BEFORE INSERT OR UPDATE ON campaigns_variant
    FOR EACH ROW WHEN (current_user = 'rekindle_drafting') EXECUTE FUNCTION campaigns_refuse_draft_elsewhere();
"""
DROP = """
DROP TRIGGER campaigns_variant_drafted_in_drafts ON campaigns_variant;
DROP FUNCTION campaigns_refuse_draft_elsewhere();
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0022_staged_changes")]

    operations = [migrations.RunSQL(CREATE, DROP)]
