"""Checks of the sending domain, and what the law of each country wants."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

#: Where a shop starts from; it changes them under Settings, Limits. No legal advice.
#: country, names, prefix, having bought counts, consent months, existing months, quiet from, quiet until, note
RULES = [
    ("", [], "", True, None, None, "21:00", "08:00", "Consent, or an existing customer who did not object."),
    ("GB", ["uk", "united kingdom", "great britain", "england", "scotland", "wales", "northern ireland", "britain"], "",
     True, None, None, "21:00", "08:00", "PECR, reg. 22: consent, or the soft opt-in of customers."),
    ("DE", ["germany", "deutschland"], "", True, None, None, "21:00", "08:00", "UWG § 7: consent, or section 3 for customers."),
    ("FR", ["france"], "", True, None, 36, "21:00", "08:00", "CPCE L34-5; CNIL: three years after the last contact."),
    ("US", ["usa", "united states", "united states of america"], "", True, None, None, "21:00", "08:00",
     "CAN-SPAM: postal address and a way out in every mail."),
    ("CA", ["canada"], "", True, None, 24, "21:00", "08:00", "CASL: an existing business relationship counts for two years."),
    ("KR", ["korea", "south korea", "republic of korea", "대한민국"], "(광고)", True, 24, 6, "21:00", "08:00",
     "Network Act, art. 50: mark, confirm consent every two years, none at night."),
    ("CN", ["china", "中国"], "(AD)", False, None, None, "21:00", "08:00", "Measures for Internet E-mail Services, art. 13: consent and mark."),
    ("SG", ["singapore"], "<ADV>", True, None, None, "21:00", "08:00", "Spam Control Act: mark unsolicited bulk mail."),
]


def insert_rules(apps, _schema_editor):
    rule = apps.get_model("campaigns", "CountryRule")
    rule.objects.bulk_create(
        rule(
            country=country, names=names, subject_prefix=prefix, accepts_existing_customers=bought, consent_months=consent,
            existing_months=existing, quiet_from=start, quiet_until=end, note=note,
        )
        for country, names, prefix, bought, consent, existing, start, end, note in RULES
    )


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0012_topic_and_preferences'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='audiencemember',
            name='exclusion_reason',
            field=models.CharField(blank=True, choices=[('no_address', 'no address'), ('no_consent', 'no consent'), ('suppressed', 'suppressed'), ('open_complaint', 'open complaint'), ('capped', 'had enough messages'), ('test_only', 'only a test contact'), ('too_new', 'no prediction yet'), ('paused', 'asked for a pause'), ('topic_off', 'does not want this topic'), ('objected', 'objected to profiling since'), ('country_rule', 'consent does not count in their country')], default='', max_length=20),
        ),
        migrations.AlterField(
            model_name='message',
            name='skip_reason',
            field=models.CharField(blank=True, choices=[('no_consent', 'no consent'), ('suppressed', 'suppressed'), ('open_complaint', 'open complaint'), ('capped', 'had enough messages'), ('cancelled', 'campaign cancelled'), ('stale_approval', 'approval no longer valid'), ('unrenderable', 'could not be rendered'), ('window_closed', 'send window closed'), ('test_only', 'only a test contact'), ('no_address', 'no address'), ('offer_over', 'the offer is over'), ('product_changed', 'a product in it is gone or costs something else'), ('stock_changed', 'a stock figure in it is no longer true'), ('date_passed', 'what it says of days is no longer true'), ('no_channel', 'prepared, not sent: nothing sends this channel yet'), ('paused', 'asked for a pause'), ('topic_off', 'does not want this topic'), ('objected', 'objected to profiling since'), ('country_rule', 'consent does not count in their country'), ('policy_changed', 'a promise in it is no longer made by the shop'), ('offer_changed', 'the offer is no longer the one that was approved'), ('point_changed', 'a talking point that it rests on was taken back')], db_default='', default='', max_length=20),
        ),
        migrations.CreateModel(
            name='DomainCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(max_length=253)),
                ('kind', models.CharField(choices=[('alignment', 'DMARC alignment'), ('dmarc', 'DMARC'), ('spf', 'SPF'), ('dkim', 'DKIM'), ('mx', 'MX'), ('one_click', 'One-click unsubscribe'), ('reverse', 'Reverse DNS')], max_length=12)),
                ('verdict', models.CharField(choices=[('ok', 'in order'), ('warn', 'should be better'), ('fail', 'must be mended'), ('unknown', 'could not be told')], max_length=8)),
                ('code', models.CharField(blank=True, default='', max_length=32)),
                ('details', models.JSONField(default=dict)),
                ('checked_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'check of the domain',
                'verbose_name_plural': 'checks of the domain',
                'indexes': [models.Index(fields=['domain', '-checked_at'], name='domaincheck_newest')],
                'constraints': [models.UniqueConstraint(fields=('domain', 'kind', 'checked_at'), name='domaincheck_key')],
            },
        ),
        migrations.CreateModel(
            name='CountryRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(blank=True, max_length=2, unique=True, verbose_name='country')),
                ('names', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), blank=True, default=list, size=None, verbose_name='also called')),
                ('needs_postal_address', models.BooleanField(default=True, verbose_name='postal address in every mail')),
                ('subject_prefix', models.CharField(blank=True, default='', max_length=20, verbose_name='before the subject')),
                ('accepts_existing_customers', models.BooleanField(default=True, verbose_name='having bought counts as consent')),
                ('consent_months', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(240)], verbose_name='a consent counts for, months')),
                ('existing_months', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(240)], verbose_name='having bought counts for, months')),
                ('quiet_from', models.TimeField(blank=True, null=True, verbose_name='quiet from')),
                ('quiet_until', models.TimeField(blank=True, null=True, verbose_name='quiet until')),
                ('note', models.CharField(blank=True, default='', max_length=300, verbose_name='why')),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('updated_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'country rule',
                'verbose_name_plural': 'country rules',
                'ordering': ['country'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('quiet_from__isnull', True), ('quiet_until__isnull', True)), models.Q(('quiet_from__isnull', False), ('quiet_until__isnull', False)), _connector='OR'), name='countryrule_quiet_has_both_ends')],
            },
        ),
        migrations.CreateModel(
            name='DomainOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(max_length=253)),
                ('reason', models.CharField(max_length=500, verbose_name='reason')),
                ('made_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'override of the domain check',
                'verbose_name_plural': 'overrides of the domain check',
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('domain',), name='domainoverride_one')],
            },
        ),
        migrations.RunPython(insert_rules, migrations.RunPython.noop),
    ]
