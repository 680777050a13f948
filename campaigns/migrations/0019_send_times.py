"""Times of each person: when a campaign starts, hours for text messages, and a queue in the order in which messages are due."""

import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

#: Stricter than for mail. The United States let nobody be texted before 8 or after 21 (47 CFR 64.1200), some of their states
#: not after 20. No legal advice; a shop changes it under Settings, Limits.
SMS_QUIET = ("20:00", "09:00")


def keep_nights_quiet(apps, _schema_editor):
    rule = apps.get_model("campaigns", "CountryRule")
    rule.objects.filter(quiet_from__isnull=False).update(sms_quiet_from=SMS_QUIET[0], sms_quiet_until=SMS_QUIET[1])


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0018_entering'),
        ('customers', '0011_preferences'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='message',
            name='message_queue',
        ),
        migrations.AddField(
            model_name='campaign',
            name='starts_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='countryrule',
            name='sms_quiet_from',
            field=models.TimeField(blank=True, null=True, verbose_name='text messages: quiet from'),
        ),
        migrations.AddField(
            model_name='countryrule',
            name='sms_quiet_until',
            field=models.TimeField(blank=True, null=True, verbose_name='text messages: quiet until'),
        ),
        migrations.AlterField(
            model_name='message',
            name='skip_reason',
            field=models.CharField(blank=True, choices=[('no_consent', 'no consent'), ('suppressed', 'suppressed'), ('open_complaint', 'open complaint'), ('capped', 'had enough messages'), ('cancelled', 'campaign cancelled'), ('stale_approval', 'approval no longer valid'), ('unrenderable', 'could not be rendered'), ('window_closed', 'send window closed'), ('test_only', 'only a test contact'), ('no_address', 'no address'), ('offer_over', 'the offer is over'), ('product_changed', 'a product in it is gone or costs something else'), ('stock_changed', 'a stock figure in it is no longer true'), ('date_passed', 'what it says of days is no longer true'), ('no_channel', 'prepared, not sent: nothing sends this channel yet'), ('paused', 'asked for a pause'), ('topic_off', 'does not want this topic'), ('objected', 'objected to profiling since'), ('country_rule', 'consent does not count in their country'), ('policy_changed', 'a promise in it is no longer made by the shop'), ('offer_changed', 'the offer is no longer the one that was approved'), ('quiet_hours', 'send window closed in their quiet hours'), ('bad_time_zone', 'their time zone is none'), ('point_changed', 'a talking point that it rests on was taken back')], db_default='', default='', max_length=20),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('campaign'), django.db.models.functions.comparison.Coalesce('not_before', models.Func(template="'-infinity'::timestamptz"), output_field=models.DateTimeField()), models.F('id'), condition=models.Q(('status', 'queued')), name='message_queue'),
        ),
        migrations.AddConstraint(
            model_name='countryrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('sms_quiet_from__isnull', True), ('sms_quiet_until__isnull', True)), models.Q(('sms_quiet_from__isnull', False), ('sms_quiet_until__isnull', False)), _connector='OR'), name='countryrule_sms_quiet_has_both_ends'),
        ),
        migrations.RunPython(keep_nights_quiet, migrations.RunPython.noop),
    ]
