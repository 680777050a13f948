"""Consent may be given for more than e-mail."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0007_complaints_index'),
    ]

    operations = [
        migrations.AlterField(
            model_name='consentrecord',
            name='channel',
            field=models.CharField(choices=[('email', 'e-mail'), ('sms', 'text message'), ('push', 'push notification'), ('webhook', 'webhook')], db_default='email', default='email', max_length=20),
        ),
        migrations.AlterField(
            model_name='suppression',
            name='channel',
            field=models.CharField(choices=[('email', 'e-mail'), ('sms', 'text message'), ('push', 'push notification'), ('webhook', 'webhook')], db_default='email', default='email', max_length=20),
        ),
    ]
