"""What a campaign is about, and why a person's own choice keeps a message back."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0011_audit_triggers'),
    ]

    operations = [
        migrations.AddField(
            model_name='campaign',
            name='topic',
            field=models.CharField(db_default='promotions', default='promotions', max_length=40, verbose_name='topic'),
        ),
        migrations.AlterField(
            model_name='audiencemember',
            name='exclusion_reason',
            field=models.CharField(blank=True, choices=[('no_address', 'no address'), ('no_consent', 'no consent'), ('suppressed', 'suppressed'), ('open_complaint', 'open complaint'), ('capped', 'had enough messages'), ('test_only', 'only a test contact'), ('too_new', 'no prediction yet'), ('paused', 'asked for a pause'), ('topic_off', 'does not want this topic'), ('objected', 'objected to profiling since')], default='', max_length=20),
        ),
        migrations.AlterField(
            model_name='message',
            name='skip_reason',
            field=models.CharField(blank=True, choices=[('no_consent', 'no consent'), ('suppressed', 'suppressed'), ('open_complaint', 'open complaint'), ('capped', 'had enough messages'), ('cancelled', 'campaign cancelled'), ('stale_approval', 'approval no longer valid'), ('unrenderable', 'could not be rendered'), ('window_closed', 'send window closed'), ('test_only', 'only a test contact'), ('no_address', 'no address'), ('offer_over', 'the offer is over'), ('product_changed', 'a product in it is gone or costs something else'), ('stock_changed', 'a stock figure in it is no longer true'), ('date_passed', 'a day in it has gone by'), ('no_channel', 'prepared, not sent: nothing sends this channel yet'), ('paused', 'asked for a pause'), ('topic_off', 'does not want this topic'), ('objected', 'objected to profiling since'), ('policy_changed', 'a promise in it is no longer made by the shop')], db_default='', default='', max_length=20),
        ),
    ]
