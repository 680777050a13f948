"""Web hooks to other systems: tables, and the triggers by which no writer can forget to tell; intake by day; scopes of keys."""

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

TRIGGERS = """
CREATE FUNCTION customers_outgoing_wanted(kind text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path FROM CURRENT AS $$
    SELECT EXISTS (SELECT 1 FROM customers_outgoingendpoint e WHERE e.status = 'active' AND e.kinds ? kind)
$$;
CREATE FUNCTION customers_outgoing_new_customers() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT AS $$
BEGIN
    IF customers_outgoing_wanted('customer.created') THEN
        INSERT INTO customers_outgoingevent (kind, data)
        SELECT 'customer.created', jsonb_build_object('items', jsonb_agg(jsonb_build_object('customer', id) ORDER BY id))
        FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / 500 AS part FROM fresh WHERE source <> 'erased') numbered
        GROUP BY part ORDER BY part;
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION customers_outgoing_new_consents() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT AS $$
BEGIN
    IF customers_outgoing_wanted('consent.changed') THEN
        INSERT INTO customers_outgoingevent (kind, data)
        SELECT 'consent.changed', jsonb_build_object('items', jsonb_agg(jsonb_build_object(
            'customer', customer_id, 'channel', channel, 'status', status) ORDER BY id))
        FROM (SELECT *, (row_number() OVER (ORDER BY id) - 1) / 500 AS part FROM fresh WHERE NOT is_test) numbered
        GROUP BY part ORDER BY part;
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION customers_outgoing_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT AS $$
BEGIN
    IF customers_outgoing_wanted('customer.erased') THEN
        -- The one place where a row keeps the shop's ids: until everybody who has to forget this person was told.
        INSERT INTO customers_outgoingevent (kind, data) VALUES ('customer.erased', jsonb_build_object('items',
            jsonb_build_array(jsonb_build_object('customer', OLD.id, 'source', OLD.source, 'external_id', OLD.external_id))));
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION customers_outgoing_import_finished() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT AS $$
BEGIN
    IF customers_outgoing_wanted('import.finished') THEN
        INSERT INTO customers_outgoingevent (kind, data) VALUES ('import.finished', jsonb_build_object('items',
            jsonb_build_array(jsonb_build_object('import', NEW.id, 'status', NEW.status))));
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION customers_outgoing_wanted(text), customers_outgoing_new_customers(),
    customers_outgoing_new_consents(), customers_outgoing_erased(), customers_outgoing_import_finished() FROM PUBLIC;
CREATE TRIGGER customers_customer_told AFTER INSERT ON customers_customer REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION customers_outgoing_new_customers();
CREATE TRIGGER customers_consent_told AFTER INSERT ON customers_consentrecord REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION customers_outgoing_new_consents();
CREATE TRIGGER customers_erasure_told AFTER UPDATE ON customers_customer
    FOR EACH ROW WHEN (NEW.source = 'erased' AND OLD.source <> 'erased') EXECUTE FUNCTION customers_outgoing_erased();
CREATE TRIGGER customers_import_told AFTER UPDATE OF status ON customers_importrun
    FOR EACH ROW WHEN (NEW.status <> OLD.status AND NEW.status IN ('done', 'failed'))
    EXECUTE FUNCTION customers_outgoing_import_finished();
"""
UNDO = """
DROP TRIGGER customers_import_told ON customers_importrun;
DROP TRIGGER customers_erasure_told ON customers_customer;
DROP TRIGGER customers_consent_told ON customers_consentrecord;
DROP TRIGGER customers_customer_told ON customers_customer;
DROP FUNCTION customers_outgoing_import_finished();
DROP FUNCTION customers_outgoing_erased();
DROP FUNCTION customers_outgoing_new_consents();
DROP FUNCTION customers_outgoing_new_customers();
DROP FUNCTION customers_outgoing_wanted(text);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0017_shops'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='scopes',
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list, verbose_name='may'),
        ),
        migrations.CreateModel(
            name='IntakeDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField()),
                ('entrance', models.CharField(choices=[('api', 'API'), ('batch', 'mixed request'), ('tracking', "Segment's clients"), ('import', 'file'), ('shop', 'connected shop')], max_length=12)),
                ('source', models.CharField(max_length=40)),
                ('accepted', models.BigIntegerField(db_default=0, default=0)),
                ('refused', models.BigIntegerField(db_default=0, default=0)),
                ('last_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'day of intake',
                'verbose_name_plural': 'days of intake',
                'constraints': [models.UniqueConstraint(fields=('on', 'entrance', 'source'), name='intakeday_key')],
            },
        ),
        migrations.CreateModel(
            name='OutgoingEndpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.URLField(max_length=500, verbose_name='address')),
                ('note', models.CharField(blank=True, default='', max_length=80, verbose_name='what for')),
                ('kinds', models.JSONField(default=list, verbose_name='events')),
                ('salt', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('secret_number', models.PositiveIntegerField(default=1)),
                ('previous_until', models.DateTimeField(blank=True, null=True)),
                ('status', models.CharField(choices=[('active', 'active'), ('disabled', 'switched off')], default='active', max_length=10, verbose_name='status')),
                ('disabled_at', models.DateTimeField(blank=True, null=True)),
                ('disabled_why', models.CharField(blank=True, choices=[('by_hand', 'switched off by a colleague'), ('gone', 'it answered 410: it is not there any more'), ('failing', 'it took nothing for five days')], default='', max_length=10)),
                ('told_at', models.DateTimeField(blank=True, null=True)),
                ('failing_since', models.DateTimeField(blank=True, null=True)),
                ('rests_until', models.DateTimeField(blank=True, null=True)),
                ('last_success_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'web hook endpoint',
                'verbose_name_plural': 'web hook endpoints',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='OutgoingEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(max_length=40)),
                ('data', models.JSONField(default=dict)),
                ('occurred_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('fanned_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'outgoing event',
                'verbose_name_plural': 'outgoing events',
                'indexes': [models.Index(condition=models.Q(('fanned_at', None)), fields=['id'], name='outgoingevent_to_fan_out'), models.Index(fields=['occurred_at'], name='outgoingevent_time')],
            },
        ),
        migrations.CreateModel(
            name='OutgoingDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('waiting', 'waiting'), ('delivered', 'delivered'), ('failed', 'given up'), ('dropped', 'not sent any more')], db_default='waiting', default='waiting', max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('next_try_at', models.DateTimeField()),
                ('held_until', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='customers.outgoingendpoint')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='customers.outgoingevent')),
            ],
            options={
                'verbose_name': 'delivery of a web hook',
                'verbose_name_plural': 'deliveries of web hooks',
            },
        ),
        migrations.CreateModel(
            name='RefusedItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField()),
                ('entrance', models.CharField(choices=[('api', 'API'), ('batch', 'mixed request'), ('tracking', "Segment's clients"), ('import', 'file'), ('shop', 'connected shop')], max_length=12)),
                ('source', models.CharField(max_length=40)),
                ('kind', models.CharField(blank=True, db_default='', default='', max_length=20)),
                ('field', models.CharField(blank=True, db_default='', default='', max_length=120)),
                ('reason', models.CharField(max_length=60)),
                ('message', models.CharField(blank=True, db_default='', default='', max_length=300)),
                ('count', models.BigIntegerField(db_default=0, default=0)),
                ('examples', models.JSONField(default=list)),
            ],
            options={
                'verbose_name': 'refused items',
                'verbose_name_plural': 'refused items',
                'constraints': [models.UniqueConstraint(fields=('on', 'entrance', 'source', 'kind', 'field', 'reason'), name='refuseditem_key')],
            },
        ),
        migrations.CreateModel(
            name='OutgoingAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('tried_at', models.DateTimeField()),
                ('took_ms', models.PositiveIntegerField()),
                ('code', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('answer', models.TextField(blank=True, default='')),
                ('error', models.CharField(blank=True, default='', max_length=200)),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tries', to='customers.outgoingdelivery')),
            ],
            options={
                'verbose_name': 'try of a web hook',
                'verbose_name_plural': 'tries of web hooks',
                'constraints': [models.UniqueConstraint(fields=('delivery', 'number'), name='outgoingattempt_key')],
            },
        ),
        migrations.AddIndex(
            model_name='outgoingdelivery',
            index=models.Index(condition=models.Q(('status', 'waiting')), fields=['endpoint', 'next_try_at'], name='outgoingdelivery_queue'),
        ),
        migrations.AddIndex(
            model_name='outgoingdelivery',
            index=models.Index(fields=['endpoint', '-id'], name='outgoingdelivery_log'),
        ),
        migrations.AddConstraint(
            model_name='outgoingdelivery',
            constraint=models.UniqueConstraint(fields=('endpoint', 'event'), name='outgoingdelivery_key'),
        ),
        migrations.RunSQL(TRIGGERS, UNDO),
    ]
