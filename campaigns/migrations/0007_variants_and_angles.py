"""Texts that differ in a named way, what is still to be drafted, and where a translation comes from."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0006_archetypes_and_brief"),
    ]

    operations = [
        migrations.AddField(
            model_name="archetype",
            name="draft_plan",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="variant",
            name="angle",
            field=models.CharField(
                blank=True,
                choices=[
                    ("likes", "lead with what they like"),
                    ("offer", "lead with the offer"),
                    ("short", "short and plain"),
                    ("opinion", "ask for their opinion"),
                    ("new", "tell what is new"),
                    ("help", "offer help with choosing"),
                ],
                default="",
                max_length=20,
                verbose_name="angle",
            ),
        ),
        migrations.AddField(
            model_name="variant",
            name="earlier_calls",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="variant",
            name="shows_products",
            field=models.BooleanField(default=True, verbose_name="show products"),
        ),
        migrations.AddField(
            model_name="variant",
            name="translated_from",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="translations",
                to="campaigns.variant",
            ),
        ),
    ]
