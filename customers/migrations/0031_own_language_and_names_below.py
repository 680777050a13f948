"""A language that a person chose stays theirs; suppressed domains may stand for the names below them."""

from django.db import migrations, models

#: Whoever writes customers (a file, the API, a shop): what the person chose in the preference centre counts. It costs a look into
#: an index where a language changes, and nothing elsewhere. Rows that are emptied (erased, merged) keep nothing.
TRIGGER = """
CREATE FUNCTION customers_keep_own_language() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE own text;
BEGIN
    SELECT p.changes->>'language' INTO own FROM customers_preferencechange p
    WHERE p.customer_id = NEW.id AND p.changes ? 'language' ORDER BY p.recorded_at DESC, p.id DESC LIMIT 1;
    NEW.language := coalesce(own, NEW.language);
    RETURN NEW;
END $$;
CREATE TRIGGER customers_own_language BEFORE UPDATE OF language ON customers_customer
    FOR EACH ROW WHEN (OLD.language IS DISTINCT FROM NEW.language AND NEW.source NOT IN ('erased', 'merged'))
    EXECUTE FUNCTION customers_keep_own_language();
"""
UNDO = """
DROP TRIGGER customers_own_language ON customers_customer;
DROP FUNCTION customers_keep_own_language();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0030_reaction")]

    operations = [
        migrations.RunSQL(TRIGGER, UNDO),
        migrations.AddField("suppresseddomain", "is_below", models.BooleanField(default=False, db_default=False)),
        migrations.AlterField("suppresseddomain", "domain", models.CharField(max_length=253)),
        migrations.AddConstraint(
            "suppresseddomain",
            models.UniqueConstraint(fields=["domain", "is_below"], name="suppresseddomain_key"),
        ),
        migrations.AddIndex(
            "suppresseddomain",
            models.Index(condition=models.Q(("is_below", True)), fields=["domain"], name="suppresseddomain_below"),
        ),
    ]
