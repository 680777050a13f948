"""The audit log, and the triggers that seal its rows to each other and refuse every change.

A row is sealed at the commit, in two rounds: an entry queues itself again, so that everything else that waits for the
commit (the checks of a million foreign keys, say) is done before the one lock of the log is taken. The lock is held for
two small statements, whatever else the transaction did.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

CREATE = """
CREATE FUNCTION customers_audit_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.number := NULL;
    NEW.previous_hash := '';
    NEW.hash := '';
    NEW.happened_at := clock_timestamp();
    RETURN NEW;
END
$$;

CREATE FUNCTION customers_audit_queue() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE customers_auditentry SET number = NULL WHERE id = NEW.id AND number IS NULL;
    RETURN NULL;
END
$$;

CREATE FUNCTION customers_audit_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    head_number bigint;
    head_hash text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('customers_auditentry', 0));
    SELECT e.number, e.hash INTO head_number, head_hash
    FROM customers_auditentry e WHERE e.number IS NOT NULL ORDER BY e.number DESC LIMIT 1;
    head_number := coalesce(head_number, 0) + 1;
    head_hash := coalesce(head_hash, '');
    UPDATE customers_auditentry SET number = head_number, previous_hash = head_hash, hash = encode(sha256(convert_to(
        head_hash || jsonb_build_array(
            head_number, to_char(NEW.happened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            NEW.actor_id, NEW.action, NEW.object_kind, NEW.object_id, NEW.details
        )::text, 'UTF8')), 'hex')
    WHERE id = NEW.id AND number IS NULL;
    RETURN NULL;
END
$$;

CREATE FUNCTION customers_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND pg_trigger_depth() > 1 AND OLD.number IS NULL
        AND to_jsonb(OLD) - ARRAY['number', 'previous_hash', 'hash'] = to_jsonb(NEW) - ARRAY['number', 'previous_hash', 'hash']
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is never changed or emptied'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'auditentry_is_append_only';
END
$$;

CREATE TRIGGER customers_audit_begin BEFORE INSERT ON customers_auditentry
    FOR EACH ROW EXECUTE FUNCTION customers_audit_begin();
CREATE CONSTRAINT TRIGGER customers_audit_queue AFTER INSERT ON customers_auditentry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION customers_audit_queue();
CREATE CONSTRAINT TRIGGER customers_audit_seal AFTER UPDATE ON customers_auditentry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.number IS NULL) EXECUTE FUNCTION customers_audit_seal();
CREATE TRIGGER customers_audit_refuse BEFORE UPDATE OR DELETE ON customers_auditentry
    FOR EACH ROW EXECUTE FUNCTION customers_audit_refuse();
CREATE TRIGGER customers_audit_refuse_emptying BEFORE TRUNCATE ON customers_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION customers_audit_refuse();

-- A trigger runs whoever writes; nobody has to call these.
REVOKE EXECUTE ON FUNCTION customers_audit_queue(), customers_audit_seal() FROM PUBLIC;

-- A login that is no superuser cannot even try; only what seals a row is left to its owner.
REVOKE UPDATE, DELETE, TRUNCATE ON customers_auditentry FROM PUBLIC, CURRENT_USER;
GRANT UPDATE (number, previous_hash, hash) ON customers_auditentry TO CURRENT_USER;
"""

DROP = """
DROP TRIGGER customers_audit_refuse_emptying ON customers_auditentry;
DROP TRIGGER customers_audit_refuse ON customers_auditentry;
DROP TRIGGER customers_audit_seal ON customers_auditentry;
DROP TRIGGER customers_audit_queue ON customers_auditentry;
DROP TRIGGER customers_audit_begin ON customers_auditentry;
DROP FUNCTION customers_audit_refuse();
DROP FUNCTION customers_audit_seal();
DROP FUNCTION customers_audit_queue();
DROP FUNCTION customers_audit_begin();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0009_tracking_consent")]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField(editable=False, null=True, unique=True, verbose_name='number')),
                ('happened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='when')),
                ('actor_id', models.BigIntegerField(blank=True, null=True, verbose_name='who')),
                ('action', models.CharField(max_length=40, verbose_name='what')),
                ('object_kind', models.CharField(blank=True, db_default='', default='', max_length=40, verbose_name='kind of object')),
                ('object_id', models.CharField(blank=True, db_default='', default='', max_length=64, verbose_name='object')),
                ('details', models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict, verbose_name='details')),
                ('previous_hash', models.CharField(db_default='', default='', editable=False, max_length=64)),
                ('hash', models.CharField(db_default='', default='', editable=False, max_length=64)),
            ],
            options={
                'verbose_name': 'audit entry',
                'verbose_name_plural': 'audit entries',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['object_kind', 'object_id', '-id'], name='auditentry_object'), models.Index(fields=['actor_id', '-id'], name='auditentry_actor'), models.Index(fields=['action', '-id'], name='auditentry_action')],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
