from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0003_message_needs_approval'),
    ]

    operations = [
        migrations.AlterField(
            model_name='message',
            name='skip_reason',
            field=models.CharField(blank=True, choices=[('no_consent', 'no consent'), ('suppressed', 'suppressed'), ('open_complaint', 'open complaint'), ('capped', 'had enough messages'), ('cancelled', 'campaign cancelled'), ('stale_approval', 'approval no longer valid'), ('unrenderable', 'could not be rendered'), ('window_closed', 'send window closed'), ('test_only', 'only a test contact'), ('no_address', 'no address'), ('offer_over', 'the offer is over'), ('product_changed', 'a product in it is gone or costs something else')], db_default='', default='', max_length=20),
        ),
    ]
