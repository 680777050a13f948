"""Consents are only ever added to, whoever writes: a row may follow its customer into a merge and back, and goes by an erasure."""

from django.db import migrations

TABLES = ("customers_consentrecord", "customers_trackingconsent")
CREATE = """
CREATE FUNCTION customers_refuse_consent_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('rekindle.forgets', true) = 'on' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE'
        AND to_jsonb(OLD) - ARRAY['customer_id', 'came_as'] = to_jsonb(NEW) - ARRAY['customer_id', 'came_as']
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a row of % is never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_is_append_only';
END
$$;
""" + "".join(
    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
    " FOR EACH ROW EXECUTE FUNCTION customers_refuse_consent_change();\n"
    for table in TABLES
)
DROP = "".join(f"DROP TRIGGER {table}_append_only ON {table};\n" for table in TABLES) + (
    "DROP FUNCTION customers_refuse_consent_change();"
)


class Migration(migrations.Migration):
    dependencies = [("customers", "0031_own_language_and_names_below")]

    operations = [
        migrations.RunSQL(CREATE, DROP),
        migrations.AlterModelOptions(
            name="privacyrequest",
            options={
                "ordering": ["status", "due_at"],
                "permissions": [
                    ("export_customer", "Can give a person a copy of their data"),
                    ("erase_customer", "Can erase a person"),
                    ("drop_events", "Can drop events that are older than the shop keeps them"),
                ],
                "verbose_name": "privacy request",
                "verbose_name_plural": "privacy requests",
            },
        ),
    ]
