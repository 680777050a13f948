"""Finds the complaints of one person without reading those of others or what else the person did."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("customers", "0006_brands"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="customerevent",
            index=models.Index(
                condition=models.Q(("kind__in", ["complaint_opened", "complaint_closed"])),
                fields=["customer", "occurred_at"],
                name="event_complaints",
            ),
        ),
    ]
