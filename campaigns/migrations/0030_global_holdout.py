"""The rounds of the global hold-out, whose rows are never changed, and what was measured in them."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

APPEND_ONLY = """
CREATE FUNCTION campaigns_refuse_holdout_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'a row of % is never changed or deleted', TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = 'globalholdout_is_append_only';
    END IF;
    IF EXISTS (SELECT 1 FROM campaigns_globalholdout g WHERE g.begins_at >= NEW.begins_at OR g.number >= NEW.number) THEN
        RAISE EXCEPTION 'round % of the global hold-out would begin before an earlier one', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'globalholdout_goes_forwards';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER campaigns_globalholdout_append_only BEFORE INSERT OR UPDATE OR DELETE ON campaigns_globalholdout
    FOR EACH ROW EXECUTE FUNCTION campaigns_refuse_holdout_change();
"""
DROP = """
DROP TRIGGER campaigns_globalholdout_append_only ON campaigns_globalholdout;
DROP FUNCTION campaigns_refuse_holdout_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0029_costs_and_reports'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='audiencemember',
            name='exclusion_reason',
            field=models.CharField(blank=True, choices=[('no_address', 'no address'), ('no_consent', 'no consent'), ('suppressed', 'suppressed'), ('open_complaint', 'open complaint'), ('capped', 'had enough messages'), ('test_only', 'only a test contact'), ('too_new', 'no prediction yet'), ('paused', 'asked for a pause'), ('topic_off', 'does not want this topic'), ('objected', 'objected to profiling since'), ('country_rule', 'consent does not count in their country'), ('no_text', 'no approved text fits'), ('global_holdout', 'held out of all promotions')], default='', max_length=20),
        ),
        migrations.AlterField(
            model_name='entry',
            name='exclusion_reason',
            field=models.CharField(blank=True, choices=[('no_address', 'no address'), ('no_consent', 'no consent'), ('suppressed', 'suppressed'), ('open_complaint', 'open complaint'), ('capped', 'had enough messages'), ('test_only', 'only a test contact'), ('too_new', 'no prediction yet'), ('paused', 'asked for a pause'), ('topic_off', 'does not want this topic'), ('objected', 'objected to profiling since'), ('country_rule', 'consent does not count in their country'), ('no_text', 'no approved text fits'), ('global_holdout', 'held out of all promotions')], db_default='', default='', max_length=20),
        ),
        migrations.AlterField(
            model_name='message',
            name='skip_reason',
            field=models.CharField(blank=True, choices=[('no_consent', 'no consent'), ('suppressed', 'suppressed'), ('open_complaint', 'open complaint'), ('capped', 'had enough messages'), ('cancelled', 'campaign cancelled'), ('stale_approval', 'approval no longer valid'), ('unrenderable', 'could not be rendered'), ('window_closed', 'send window closed'), ('test_only', 'only a test contact'), ('no_address', 'no address'), ('offer_over', 'the offer is over'), ('product_changed', 'a product in it is gone or costs something else'), ('stock_changed', 'a stock figure in it is no longer true'), ('date_passed', 'what it says of days is no longer true'), ('no_channel', 'prepared, not sent: nothing sends this channel yet'), ('paused', 'asked for a pause'), ('topic_off', 'does not want this topic'), ('objected', 'objected to profiling since'), ('country_rule', 'consent does not count in their country'), ('policy_changed', 'a promise in it is no longer made by the shop'), ('offer_changed', 'the offer is no longer the one that was approved'), ('quiet_hours', 'send window closed in their quiet hours'), ('bad_time_zone', 'their time zone is none'), ('point_changed', 'a talking point that it rests on was taken back'), ('global_holdout', 'held out of all promotions'), ('left_sequence', 'left the sequence before it was sent')], db_default='', default='', max_length=20),
        ),
        migrations.CreateModel(
            name='GlobalHoldout',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(unique=True)),
                ('salt', models.CharField(max_length=32)),
                ('share', models.FloatField(validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(0.3)], verbose_name='held out of everything')),
                ('renew_days', models.PositiveSmallIntegerField(default=182, validators=[django.core.validators.MinValueValidator(28), django.core.validators.MaxValueValidator(730)], verbose_name='drawn anew after, days')),
                ('begins_at', models.DateTimeField(unique=True)),
                ('reason', models.CharField(max_length=300, verbose_name='why')),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'round of the global hold-out',
                'verbose_name_plural': 'rounds of the global hold-out',
                'ordering': ['-number'],
            },
        ),
        migrations.CreateModel(
            name='GlobalHoldoutResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('figures', models.JSONField(default=dict)),
                ('measured_at', models.DateTimeField()),
                ('holdout', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='results', to='campaigns.globalholdout')),
            ],
            options={
                'verbose_name': 'result of the global hold-out',
                'verbose_name_plural': 'results of the global hold-out',
                'ordering': ['holdout', 'day'],
            },
        ),
        migrations.AddConstraint(
            model_name='globalholdout',
            constraint=models.CheckConstraint(condition=models.Q(('share__gte', 0), ('share__lte', 0.3)), name='globalholdout_range'),
        ),
        migrations.AddConstraint(
            model_name='globalholdoutresult',
            constraint=models.UniqueConstraint(fields=('holdout', 'day'), name='globalholdoutresult_key'),
        ),
        migrations.RunSQL(APPEND_ONLY, DROP),
    ]
