"""Who was drawn into which arm is never changed once a campaign has begun; and the segments by which its result is looked at."""

from django.db import migrations, models

#: Who is left out counts in neither arm, so that those rows may go with a person who never confirmed. Numbers of a score may be emptied when a person is erased, and so may what they were in; nothing else moves.
STANDS = """
CREATE FUNCTION campaigns_ledger_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM campaigns_campaign c WHERE c.id IN (OLD.campaign_id, NEW.campaign_id) AND c.sending_started_at IS NOT NULL) THEN
        RAISE EXCEPTION 'campaign % has begun: who was drawn into which arm is never changed', OLD.campaign_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_stands';
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION campaigns_ledger_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM touched t JOIN campaigns_campaign c ON c.id = t.campaign_id
        WHERE c.sending_started_at IS NOT NULL AND t.arm <> 'excluded'
    ) THEN
        RAISE EXCEPTION 'a campaign has begun: nobody is added to those who were drawn, and nobody is taken away'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_stands';
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION campaigns_draw_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.sending_started_at IS NOT NULL AND (
        NEW.holdout_seed <> OLD.holdout_seed OR NEW.holdout_share <> OLD.holdout_share OR NEW.sending_started_at IS NULL
    ) THEN
        RAISE EXCEPTION 'campaign % has begun: its draw is never changed', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_stands';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER campaigns_member_stands
    BEFORE UPDATE OF campaign_id, customer_id, arm, exclusion_reason, archetype_id, is_explored ON campaigns_audiencemember
    FOR EACH ROW WHEN (
        (NEW.campaign_id, NEW.customer_id, NEW.arm, NEW.exclusion_reason, NEW.archetype_id, NEW.is_explored) IS DISTINCT FROM
        (OLD.campaign_id, OLD.customer_id, OLD.arm, OLD.exclusion_reason, OLD.archetype_id, OLD.is_explored)
    ) EXECUTE FUNCTION campaigns_ledger_stands();
CREATE TRIGGER campaigns_member_looks_stand BEFORE UPDATE OF in_looks ON campaigns_audiencemember
    FOR EACH ROW WHEN (NEW.in_looks <> OLD.in_looks AND NEW.in_looks <> 0) EXECUTE FUNCTION campaigns_ledger_stands();
CREATE TRIGGER campaigns_member_kept AFTER DELETE ON campaigns_audiencemember
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION campaigns_ledger_keeps();
CREATE TRIGGER campaigns_member_not_added AFTER INSERT ON campaigns_audiencemember
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION campaigns_ledger_keeps();
CREATE TRIGGER campaigns_entry_stands
    BEFORE UPDATE OF campaign_id, customer_id, number, arm, exclusion_reason, archetype_id, entered_at ON campaigns_entry
    FOR EACH ROW WHEN (
        (NEW.campaign_id, NEW.customer_id, NEW.number, NEW.arm, NEW.exclusion_reason, NEW.archetype_id, NEW.entered_at)
        IS DISTINCT FROM
        (OLD.campaign_id, OLD.customer_id, OLD.number, OLD.arm, OLD.exclusion_reason, OLD.archetype_id, OLD.entered_at)
    ) EXECUTE FUNCTION campaigns_ledger_stands();
CREATE TRIGGER campaigns_entry_looks_stand BEFORE UPDATE OF in_looks ON campaigns_entry
    FOR EACH ROW WHEN (NEW.in_looks <> OLD.in_looks AND NEW.in_looks <> 0) EXECUTE FUNCTION campaigns_ledger_stands();
CREATE TRIGGER campaigns_entry_kept AFTER DELETE ON campaigns_entry
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION campaigns_ledger_keeps();
CREATE TRIGGER campaigns_draw_stands BEFORE UPDATE OF holdout_seed, holdout_share, sending_started_at ON campaigns_campaign
    FOR EACH ROW EXECUTE FUNCTION campaigns_draw_stands();
DROP TRIGGER campaigns_textshare_append_only ON campaigns_textshare;
CREATE TRIGGER campaigns_textshare_append_only BEFORE UPDATE OR DELETE ON campaigns_textshare
    FOR EACH ROW EXECUTE FUNCTION campaigns_refuse_switch_change();
"""
FALLS = """
DROP TRIGGER campaigns_textshare_append_only ON campaigns_textshare;
CREATE TRIGGER campaigns_textshare_append_only BEFORE UPDATE ON campaigns_textshare
    FOR EACH ROW EXECUTE FUNCTION campaigns_refuse_switch_change();
DROP TRIGGER campaigns_draw_stands ON campaigns_campaign;
DROP TRIGGER campaigns_entry_kept ON campaigns_entry;
DROP TRIGGER campaigns_entry_looks_stand ON campaigns_entry;
DROP TRIGGER campaigns_entry_stands ON campaigns_entry;
DROP TRIGGER campaigns_member_not_added ON campaigns_audiencemember;
DROP TRIGGER campaigns_member_kept ON campaigns_audiencemember;
DROP TRIGGER campaigns_member_looks_stand ON campaigns_audiencemember;
DROP TRIGGER campaigns_member_stands ON campaigns_audiencemember;
DROP FUNCTION campaigns_draw_stands();
DROP FUNCTION campaigns_ledger_keeps();
DROP FUNCTION campaigns_ledger_stands();
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0034_own_requests")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="looked_at",
            field=models.JSONField(
                blank=True, db_default=models.Value([], models.JSONField()), default=list, verbose_name="looked at besides"
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="looks",
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.AddField(
            model_name="audiencemember",
            name="in_looks",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="entry",
            name="in_looks",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.RunSQL(STANDS, FALLS),
    ]
