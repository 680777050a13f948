"""The ledger of claims, how the shop speaks, and what it promises; revisions that PostgreSQL keeps from being changed."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

#: A revision is evidence of what was checked and drafted under it: it can be neither altered nor taken away.
CREATE = """
CREATE FUNCTION campaigns_refuse_revision_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a revision of % is never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'revision_is_append_only';
END
$$;
CREATE TRIGGER campaigns_brandvoice_append_only BEFORE UPDATE OR DELETE ON campaigns_brandvoice
    FOR EACH ROW EXECUTE FUNCTION campaigns_refuse_revision_change();
CREATE TRIGGER campaigns_shoppolicies_append_only BEFORE UPDATE OR DELETE ON campaigns_shoppolicies
    FOR EACH ROW EXECUTE FUNCTION campaigns_refuse_revision_change();
"""
DROP = """
DROP TRIGGER campaigns_shoppolicies_append_only ON campaigns_shoppolicies;
DROP TRIGGER campaigns_brandvoice_append_only ON campaigns_brandvoice;
DROP FUNCTION campaigns_refuse_revision_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0004_reasons_of_facts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="variant",
            name="claims",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AlterField(
            model_name="message",
            name="skip_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("no_consent", "no consent"),
                    ("suppressed", "suppressed"),
                    ("open_complaint", "open complaint"),
                    ("capped", "had enough messages"),
                    ("cancelled", "campaign cancelled"),
                    ("stale_approval", "approval no longer valid"),
                    ("unrenderable", "could not be rendered"),
                    ("window_closed", "send window closed"),
                    ("test_only", "only a test contact"),
                    ("no_address", "no address"),
                    ("offer_over", "the offer is over"),
                    ("product_changed", "a product in it is gone or costs something else"),
                    ("stock_changed", "a stock figure in it is no longer true"),
                    ("date_passed", "a day in it has gone by"),
                    ("policy_changed", "a promise in it is no longer made by the shop"),
                ],
                db_default="",
                default="",
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="BrandVoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(unique=True, verbose_name="version")),
                ("texts", models.JSONField(default=dict, verbose_name="texts")),
                ("note", models.CharField(blank=True, default="", max_length=300, verbose_name="what changed")),
                ("saved_at", models.DateTimeField()),
                (
                    "restored_from",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.brandvoice",
                    ),
                ),
                (
                    "saved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "brand voice",
                "verbose_name_plural": "brand voices",
                "ordering": ["-number"],
            },
        ),
        migrations.CreateModel(
            name="ShopPolicies",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(unique=True, verbose_name="version")),
                ("texts", models.JSONField(default=dict, verbose_name="texts")),
                ("note", models.CharField(blank=True, default="", max_length=300, verbose_name="what changed")),
                ("saved_at", models.DateTimeField()),
                (
                    "saved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "shop policies",
                "verbose_name_plural": "shop policies",
                "ordering": ["-number"],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
