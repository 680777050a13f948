"""What all scores add up to is kept; a trigger says when it has to be counted anew, whoever writes a score."""

from django.db import migrations, models

TRIGGER = """
CREATE FUNCTION customers_mark_scores() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    -- Never looked up or changed, only added: no writer of scores waits for another one.
    INSERT INTO customers_scoremark DEFAULT VALUES;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION customers_mark_scores() FROM PUBLIC;
CREATE TRIGGER customers_score_marked AFTER INSERT OR UPDATE OR DELETE ON customers_score
    FOR EACH STATEMENT EXECUTE FUNCTION customers_mark_scores();
INSERT INTO customers_scoremark DEFAULT VALUES;  -- scores that stand already are counted by the first sweep
"""
UNDO = """
DROP TRIGGER customers_score_marked ON customers_score;
DROP FUNCTION customers_mark_scores();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0027_resumable_imports")]

    operations = [
        migrations.CreateModel(
            name="ScoreMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
            options={"verbose_name": "mark of written scores", "verbose_name_plural": "marks of written scores"},
        ),
        migrations.CreateModel(
            name="ScoreTotals",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("counted_at", models.DateTimeField()),
                ("newest_score", models.DateTimeField(null=True)),
                ("scored", models.PositiveBigIntegerField()),
                ("at_risk", models.PositiveBigIntegerField()),
                ("value_at_risk", models.DecimalField(decimal_places=2, max_digits=20)),
                ("change_in_week", models.BigIntegerField(null=True)),
                ("bins", models.JSONField(default=list)),
                ("unscored", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name": "totals of the scores",
                "verbose_name_plural": "totals of the scores",
                "constraints": [models.CheckConstraint(condition=models.Q(id=1), name="scoretotals_one_row")],
            },
        ),
        migrations.RunSQL(TRIGGER, UNDO),
    ]
