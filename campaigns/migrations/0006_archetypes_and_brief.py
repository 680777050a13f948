"""Archetypes of five sides with the cells they are made of, and the brief of a campaign."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0005_voice_and_claims'),
    ]

    operations = [
        migrations.AddField(
            model_name='archetype',
            name='channel',
            field=models.CharField(choices=[('email', 'e-mail'), ('sms', 'text message'), ('push', 'push notification'), ('webhook', 'webhook')], default='email', max_length=20, verbose_name='channel'),
        ),
        migrations.AddField(
            model_name='archetype',
            name='is_shaped',
            field=models.BooleanField(default=False, verbose_name='shaped by a person'),
        ),
        migrations.AddField(
            model_name='archetype',
            name='samples',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='archetype',
            name='value_band',
            field=models.CharField(blank=True, choices=[('low', 'low value'), ('middle', 'middle value'), ('high', 'high value')], default='', max_length=8, verbose_name='value'),
        ),
        migrations.AddField(
            model_name='audiencemember',
            name='channel',
            field=models.CharField(choices=[('email', 'e-mail'), ('sms', 'text message'), ('push', 'push notification'), ('webhook', 'webhook')], db_default='email', default='email', max_length=20),
        ),
        migrations.AddField(
            model_name='campaign',
            name='avoid',
            field=models.CharField(blank=True, default='', max_length=500, verbose_name='what not to say'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='channels',
            field=models.JSONField(blank=True, default=list, verbose_name='channels'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='max_archetypes',
            field=models.PositiveSmallIntegerField(default=12, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(60)], verbose_name='archetypes at most'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='talking_points',
            field=models.CharField(blank=True, default='', max_length=1000, verbose_name='talking points'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='tone',
            field=models.CharField(blank=True, default='', max_length=200, verbose_name='tone'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='value_bounds',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AlterField(
            model_name='archetype',
            name='cell',
            field=models.CharField(max_length=250),
        ),
        migrations.AlterField(
            model_name='message',
            name='channel',
            field=models.CharField(choices=[('email', 'e-mail'), ('sms', 'text message'), ('push', 'push notification'), ('webhook', 'webhook')], db_default='email', default='email', max_length=20),
        ),
        migrations.AlterField(
            model_name='message',
            name='skip_reason',
            field=models.CharField(blank=True, choices=[('no_consent', 'no consent'), ('suppressed', 'suppressed'), ('open_complaint', 'open complaint'), ('capped', 'had enough messages'), ('cancelled', 'campaign cancelled'), ('stale_approval', 'approval no longer valid'), ('unrenderable', 'could not be rendered'), ('window_closed', 'send window closed'), ('test_only', 'only a test contact'), ('no_address', 'no address'), ('offer_over', 'the offer is over'), ('product_changed', 'a product in it is gone or costs something else'), ('stock_changed', 'a stock figure in it is no longer true'), ('date_passed', 'a day in it has gone by'), ('no_channel', 'prepared, not sent: nothing sends this channel yet'), ('policy_changed', 'a promise in it is no longer made by the shop')], db_default='', default='', max_length=20),
        ),
        migrations.CreateModel(
            name='AudienceCell',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(blank=True, default='', max_length=60)),
                ('interest', models.CharField(blank=True, default='', max_length=120)),
                ('value_band', models.CharField(blank=True, choices=[('low', 'low value'), ('middle', 'middle value'), ('high', 'high value')], default='', max_length=8)),
                ('language', models.CharField(default='en', max_length=12)),
                ('channel', models.CharField(choices=[('email', 'e-mail'), ('sms', 'text message'), ('push', 'push notification'), ('webhook', 'webhook')], default='email', max_length=20)),
                ('size', models.PositiveIntegerField(default=0)),
                ('sums', models.JSONField(default=dict)),
                ('archetype', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='cells', to='campaigns.archetype')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cells', to='campaigns.campaign')),
            ],
            options={
                'verbose_name': 'cell of an audience',
                'verbose_name_plural': 'cells of audiences',
                'ordering': ['campaign', '-size', 'id'],
            },
        ),
        migrations.AddField(
            model_name='audiencemember',
            name='cell',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='members', to='campaigns.audiencecell'),
        ),
        migrations.AddConstraint(
            model_name='audiencecell',
            constraint=models.UniqueConstraint(fields=('campaign', 'reason', 'interest', 'value_band', 'language', 'channel'), name='audiencecell_key'),
        ),
    ]
