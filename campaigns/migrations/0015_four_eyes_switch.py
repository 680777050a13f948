"""The fence against unapproved messages honours the shop's switch of the second person, whose rows are never changed."""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("campaigns.migrations.0003_message_needs_approval")

FENCE = """
CREATE OR REPLACE FUNCTION campaigns_refuse_unapproved_message() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    campaign_status text;
    needs_second_person boolean;
    approved_parts integer;
BEGIN
    SELECT c.status INTO campaign_status FROM campaigns_campaign c WHERE c.id = NEW.campaign_id;
    IF campaign_status IS DISTINCT FROM 'sending' THEN
        RAISE EXCEPTION 'message % may not be sent: campaign % is %', NEW.id, NEW.campaign_id, campaign_status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'message_campaign_is_sending';
    END IF;
    needs_second_person := coalesce(
        (SELECT s.is_required FROM campaigns_foureyesswitch s ORDER BY s.id DESC LIMIT 1), true
    );
    SELECT count(DISTINCT a.part) INTO approved_parts
    FROM campaigns_approval a
    JOIN campaigns_campaign c ON c.id = a.campaign_id
    WHERE a.campaign_id = NEW.campaign_id AND a.voided_at IS NULL
      AND (NOT needs_second_person OR (a.approved_by_id <> c.author_id AND NOT a.is_own))
      AND a.part IN ('messages', 'audience', 'timing', 'measurement');
    IF approved_parts < 4 THEN
        RAISE EXCEPTION 'message % may not be sent: campaign % has % of 4 approvals by a second person',
            NEW.id, NEW.campaign_id, approved_parts
            USING ERRCODE = 'check_violation', CONSTRAINT = 'message_campaign_is_approved';
    END IF;
    RETURN NEW;
END
$$;
"""
APPEND_ONLY = """
CREATE FUNCTION campaigns_refuse_switch_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % is never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'switch_is_append_only';
END
$$;
CREATE TRIGGER campaigns_foureyesswitch_append_only BEFORE UPDATE OR DELETE ON campaigns_foureyesswitch
    FOR EACH ROW EXECUTE FUNCTION campaigns_refuse_switch_change();
"""
DROP = """
DROP TRIGGER campaigns_foureyesswitch_append_only ON campaigns_foureyesswitch;
DROP FUNCTION campaigns_refuse_switch_change();
"""
#: Without the two triggers, which stay.
FENCE_BEFORE = BEFORE.CREATE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").partition("CREATE TRIGGER")[0]


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0014_reviewing")]

    operations = [migrations.RunSQL(FENCE, FENCE_BEFORE), migrations.RunSQL(APPEND_ONLY, DROP)]
