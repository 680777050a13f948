"""What people choose for themselves, and that some object to being profiled."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0010_audit'),
    ]

    operations = [
        migrations.AlterField(
            model_name='score',
            name='status',
            field=models.CharField(choices=[('scored', 'scored'), ('too_new', 'too new to say'), ('no_history', 'no order yet'), ('objected', 'objects to profiling')], db_default='scored', default='scored', max_length=12),
        ),
        migrations.AlterField(
            model_name='scorehistory',
            name='status',
            field=models.CharField(choices=[('scored', 'scored'), ('too_new', 'too new to say'), ('no_history', 'no order yet'), ('objected', 'objects to profiling')], db_default='scored', default='scored', max_length=12),
        ),
        migrations.CreateModel(
            name='Preference',
            fields=[
                ('customer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='preference', serialize=False, to='customers.customer')),
                ('topics_off', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None)),
                ('most_per_month', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('paused_until', models.DateTimeField(blank=True, null=True)),
                ('objects_to_profiling_at', models.DateTimeField(blank=True, null=True)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name': 'preference',
                'verbose_name_plural': 'preferences',
                'indexes': [models.Index(condition=models.Q(('objects_to_profiling_at__isnull', False)), fields=['customer'], name='preference_objectors')],
            },
        ),
        migrations.CreateModel(
            name='PreferenceChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('changes', models.JSONField()),
                ('source', models.CharField(max_length=40)),
                ('message_id', models.BigIntegerField(null=True)),
                ('recorded_at', models.DateTimeField()),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='preference_changes', to='customers.customer')),
            ],
            options={
                'verbose_name': 'change of preferences',
                'verbose_name_plural': 'changes of preferences',
            },
        ),
    ]
