"""The last fence: PostgreSQL itself refuses that a message leaves without a valid approval by a second person."""

from django.db import migrations

CREATE = """
CREATE FUNCTION campaigns_refuse_unapproved_message() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    campaign_status text;
    approved_parts integer;
BEGIN
    SELECT c.status INTO campaign_status FROM campaigns_campaign c WHERE c.id = NEW.campaign_id;
    IF campaign_status IS DISTINCT FROM 'sending' THEN
        RAISE EXCEPTION 'message % may not be sent: campaign % is %', NEW.id, NEW.campaign_id, campaign_status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'message_campaign_is_sending';
    END IF;
    SELECT count(DISTINCT a.part) INTO approved_parts
    FROM campaigns_approval a
    JOIN campaigns_campaign c ON c.id = a.campaign_id
    WHERE a.campaign_id = NEW.campaign_id AND a.voided_at IS NULL AND a.approved_by_id <> c.author_id
      AND a.part IN ('messages', 'audience', 'timing', 'measurement');
    IF approved_parts < 4 THEN
        RAISE EXCEPTION 'message % may not be sent: campaign % has % of 4 approvals by a second person',
            NEW.id, NEW.campaign_id, approved_parts
            USING ERRCODE = 'check_violation', CONSTRAINT = 'message_campaign_is_approved';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER campaigns_message_needs_approval_update BEFORE UPDATE OF status ON campaigns_message
    FOR EACH ROW WHEN (NEW.status = 'sending' AND OLD.status IS DISTINCT FROM 'sending')
    EXECUTE FUNCTION campaigns_refuse_unapproved_message();
CREATE TRIGGER campaigns_message_needs_approval_insert BEFORE INSERT ON campaigns_message
    FOR EACH ROW WHEN (NEW.status = 'sending')
    EXECUTE FUNCTION campaigns_refuse_unapproved_message();
"""

DROP = """
DROP TRIGGER campaigns_message_needs_approval_insert ON campaigns_message;
DROP TRIGGER campaigns_message_needs_approval_update ON campaigns_message;
DROP FUNCTION campaigns_refuse_unapproved_message();
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_variant_source")]

    operations = [migrations.RunSQL(CREATE, DROP)]
