"""The hour at which each customer tends to read."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0012_visitors_and_kept_answers'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReadingPattern',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('as_of', models.DateTimeField(unique=True)),
                ('shares', models.JSONField()),
                ('concentration', models.FloatField()),
                ('best_hour', models.PositiveSmallIntegerField(null=True)),
                ('people', models.PositiveIntegerField()),
                ('backtest', models.JSONField(blank=True, default=dict)),
            ],
            options={
                'verbose_name': 'reading pattern',
                'verbose_name_plural': 'reading patterns',
                'ordering': ['-as_of'],
            },
        ),
        migrations.CreateModel(
            name='ReadingHour',
            fields=[
                ('customer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='reading_hour', serialize=False, to='customers.customer')),
                ('hour', models.PositiveSmallIntegerField(null=True, verbose_name='reads at')),
                ('share', models.FloatField()),
                ('opens', models.PositiveIntegerField(verbose_name='opens and clicks')),
                ('weak', models.PositiveIntegerField(verbose_name='visits and orders')),
                ('as_of', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'reading hour',
                'verbose_name_plural': 'reading hours',
                'constraints': [models.CheckConstraint(condition=models.Q(('hour__isnull', True), ('hour__lte', 23), _connector='OR'), name='readinghour_range')],
            },
        ),
    ]
