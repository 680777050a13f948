"""A revision says whether a language model proposed it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0028_score_totals")]

    operations = [
        migrations.AddField("segmentrevision", "proposed_by", models.CharField(blank=True, db_default="", default="", max_length=200)),
        migrations.AddField("segmentrevision", "proposed_with", models.CharField(blank=True, db_default="", default="", max_length=80)),
        migrations.AddField("segmentrevision", "proposal_call", models.UUIDField(blank=True, null=True)),
        migrations.AddField("segmentrevision", "is_proposal_changed", models.BooleanField(db_default=False, default=False)),
    ]
