"""One hour for all of a time zone, from which each person's is told apart."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0014_privacy'),
    ]

    operations = [
        migrations.AddField(
            model_name='readingpattern',
            name='zone_hours',
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
