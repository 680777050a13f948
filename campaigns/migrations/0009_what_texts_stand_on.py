"""What a text stands on, in a form that is asked again before each send; and reasons of its own for what has changed."""

from django.db import migrations, models

#: For texts that were approved before: the products that they name, with the price where they say it, bare or after the
#: offer. Stock, policies and days of such a text are asked once it is checked anew (every edit and every submission).
FILL = r"""
UPDATE campaigns_variant v
SET stands_on = jsonb_build_object('products', coalesce((
    SELECT jsonb_agg(jsonb_build_object(
        'why', 'product', 'sku', n.sku, 'low', 1, 'high', NULL, 'currency', n.currency,
        'price', CASE WHEN EXISTS (
            SELECT FROM regexp_matches(replace(v.source->>'text', ',', ''), '\d+(?:\.\d+)?', 'g') AS s(said)
            WHERE s.said[1]::numeric IN (
                n.price, round(n.price * (100 - (v.facts->>'percent')::numeric) / 100, 2),
                n.price - (v.facts->>'amount')::numeric
            )
        ) THEN n.price END
    ))
    FROM jsonb_to_recordset(
        CASE WHEN jsonb_typeof(v.facts->'products') = 'array' THEN v.facts->'products' ELSE '[]' END
    ) AS n(sku text, name text, price numeric, currency text)
    WHERE n.name <> '' AND position(lower(n.name) IN lower(v.source->>'text')) > 0
), '[]'))
WHERE stands_on = '{}'
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0008_prompt_evaluations")]

    operations = [
        migrations.AddField(
            model_name="variant",
            name="stands_on",
            field=models.JSONField(blank=True, default=dict),
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
                    ("date_passed", "what it says of days is no longer true"),
                    ("no_channel", "prepared, not sent: nothing sends this channel yet"),
                    ("policy_changed", "a promise in it is no longer made by the shop"),
                    ("offer_changed", "the offer is no longer the one that was approved"),
                    ("point_changed", "a talking point that it rests on was taken back"),
                ],
                db_default="",
                default="",
                max_length=20,
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
