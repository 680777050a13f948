"""Triggers that note about whom something was written down, whoever writes it; and an index for finding people by part of a word."""

from django.db import migrations

#: The tables that rules read, with where the customers of changed rows stand. Scores and interests are written for
#: everybody at once; who does so says it (`note_everybody`).
READ = {
    "customers_customer": "SELECT n.id FROM changed n",
    "customers_order": "SELECT n.customer_id FROM changed n",
    "customers_orderline": "SELECT o.customer_id FROM changed n JOIN customers_order o ON o.id = n.order_id",
    "customers_customerevent": "SELECT n.customer_id FROM changed n",
    "customers_consentrecord": "SELECT n.customer_id FROM changed n",
    "customers_preference": "SELECT n.customer_id FROM changed n",
    "customers_customertag": "SELECT n.customer_id FROM changed n",
}
#: A statement that writes more rows leaves one row without a number: everybody is counted anew then.
MOST = 20_000
#: A row that goes from one customer to another touches both.
WHEN = (("insert", "NEW"), ("update", "NEW"), ("update", "OLD"), ("delete", "OLD"))

#: Names, address and id together, in capitals as Django asks for them, so that one index serves every part of every word.
#: Without the extension (a login that may not make it) people are found as well, only slower.
FIND = """
DO $$ BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX customer_words ON customers_customer USING gin (
    upper(external_id || ' ' || email || ' ' || phone || ' ' || first_name || ' ' || last_name) gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file OR undefined_object THEN
  RAISE NOTICE 'pg_trgm is not there: customers are found without an index';
END $$;
"""


def make_triggers():
    for table, customers in READ.items():
        name = table.replace("customers_", "touch_of_")
        yield f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF (SELECT count(*) FROM (SELECT FROM changed LIMIT {MOST + 1}) AS rows_written) > {MOST} THEN
    INSERT INTO customers_touchedcustomer (customer_number) VALUES (NULL);
  ELSE
    INSERT INTO customers_touchedcustomer (customer_number) SELECT DISTINCT * FROM ({customers}) AS touched;
  END IF;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION {name}() FROM PUBLIC;"""
        for verb, side in WHEN:
            yield (
                f"CREATE TRIGGER {name}_{verb}_{side.lower()} AFTER {verb.upper()} ON {table}"
                f" REFERENCING {side} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION {name}();"
            )


#: Rules ask for the category and the brand of what was bought: another one touches everybody who bought it. Stock and
#: prices change all day and touch nobody.
PRODUCTS = """
CREATE FUNCTION touch_of_product() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT FROM former f JOIN changed n USING (id)
             WHERE (f.sku, f.category, f.brand) IS DISTINCT FROM (n.sku, n.category, n.brand)) THEN
    INSERT INTO customers_touchedcustomer (customer_number) VALUES (NULL);
  END IF;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION touch_of_product() FROM PUBLIC;
CREATE TRIGGER touch_of_product_update AFTER UPDATE ON customers_product
  REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION touch_of_product();
"""


def drop_triggers():
    yield "DROP FUNCTION touch_of_product() CASCADE;"
    for table in READ:
        yield f"DROP FUNCTION {table.replace('customers_', 'touch_of_')}() CASCADE;"


class Migration(migrations.Migration):
    dependencies = [("customers", "0020_segment_membership")]

    operations = [
        migrations.RunSQL("\n".join(make_triggers()), "\n".join(drop_triggers())),
        migrations.RunSQL(PRODUCTS, migrations.RunSQL.noop),
        migrations.RunSQL(FIND, "DROP INDEX IF EXISTS customer_words"),
    ]
